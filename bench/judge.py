"""Holds the results against the targets of their cases."""
from __future__ import annotations

from cases.case import Case, Target


def judge(cases: list[Case], results: list[dict], most: int) -> list[dict]:
    """One verdict a target, case, thread count and instruction set: value, and reached True, False or None (not measured)."""
    by_key = {(r["case"], r["threads"], r["peer"]): r for r in results if r.get("us")}
    verdicts = []
    for case in cases:
        for threads in sorted({r["threads"] for r in results if r["case"] == case.name}):
            for name in ("fastnet", *(f"fastnet-{isa}" for isa in case.isas)):
                row = by_key.get((case.name, threads, name))
                for target in case.targets:
                    elsewhere = target.threads == "all" and (threads < most or most == 1)
                    if not row or elsewhere or (name != "fastnet" and target.kind != "peak"):
                        continue
                    value = measured(target, row, by_key)
                    at_least = target.kind in ("peak", "bandwidth", "scaling")
                    reached = None if value is None else value >= target.bound if at_least else value <= target.bound
                    verdicts.append({"case": case.name, "threads": threads, "isa": name.removeprefix("fastnet").strip("-"),
                                     "target": target.text(), "value": value, "reached": reached})
    return verdicts


def measured(target: Target, row: dict, by_key: dict) -> float | None:
    others = [by_key.get((row["case"], row["threads"], name)) for name in target.peer.split("/")]
    if target.kind in ("ratio", "memory") and not all(others):
        return None
    if target.kind == "ratio":
        return row["min_us"] / min(other["min_us"] for other in others)
    if target.kind == "memory":
        return row["memory"]["case"] / min(other["memory"]["case"] for other in others)
    if target.kind == "scaling":
        one = by_key.get((row["case"], 1, row["peer"]))
        return one["min_us"] / row["min_us"] if one else None
    return row.get({"peak": "of_peak", "bandwidth": "of_bandwidth", "time": "min_us", "faults": "faults_per_step"}[target.kind])
