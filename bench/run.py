"""Runs cases: every library in its own process, rounds interleaved (A B C A B C), the yardstick among them."""
from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import sleep

from cases.case import Case
from peers import PEAKS, PEERS, Peer, Process, cpu_vendor, intel_disguise, interpreter

SETTLE = 0.02                                             # seconds in which the waiting threads of the last library stop to spin


class Bench:
    """One run of the benchmark on one machine."""

    def __init__(self, cpus: list[int], pythons: dict[str, str], peers: list[str], rounds: int, seconds: float, say: Callable[[str], None]):
        self.cpus, self.pythons, self.rounds, self.seconds, self.say = cpus, pythons, rounds, seconds, say
        self.peers = [p for p in PEERS if p.name in peers]
        self.versions: dict[str, dict] = {}
        self.skipped: dict[str, str] = {}
        self.scratch = tempfile.TemporaryDirectory()
        self.disguise = intel_disguise(self.scratch.name) if cpu_vendor() == "AuthenticAMD" else None
        self.standing: dict[str, Process] = {}

    def start(self, peer: Peer, threads: int) -> Process | None:
        """A process of this peer, or None (said once) where the library is not installed."""
        if peer.name in self.skipped:
            return None
        process = Process(peer, interpreter(peer, self.pythons), threads, self.cpus[-threads:], self.disguise)
        hello = process.ask("hello")
        if "failed" in hello:
            self.skipped[peer.name] = hello["failed"]
            self.say(f"{peer.name} is skipped: {hello['failed']}  (another interpreter: --python {peer.package}=/path/to/python)")
            process.stop()
            return None
        self.versions.setdefault(peer.name, {**hello, "about": peer.about})
        return process

    def all_cases(self, cases: list[Case], threads: int, word: str) -> list[dict]:
        """Every case on so many threads; `word` is "one" or "all", as in Case.threads."""
        cases = [c for c in cases if word in c.threads]
        results: list[dict] = []
        try:
            for number, case in enumerate(cases):
                self.say(f"[{threads} thread{'s' * (threads > 1)}, {number + 1}/{len(cases)}] {case.name}")
                results += self.one_case(case, threads)
            for case in disturbed(cases, results):
                self.say(f"again, the yardstick was low: {case.name}")
                results = [r for r in results if r["case"] != case.name] + self.one_case(case, threads)
        finally:
            for process in self.standing.values():
                process.stop()
            self.standing.clear()
        order = [c.name for c in cases]
        return sorted(results, key=lambda r: order.index(r["case"]))

    def one_case(self, case: Case, threads: int) -> list[dict]:
        wanted = [p for p in self.peers if p.takes(case)]
        yardsticks = [p for p in PEAKS if not p.isa or p.isa in case.isas] if any(p.package == "fastnet" for p in wanted) else []
        own: list[Process] = []

        def process(peer: Peer, fresh: bool) -> Process | None:
            if fresh:
                if made := self.start(peer, threads):
                    own.append(made)
                return made
            if peer.name not in self.standing and (made := self.start(peer, threads)):
                self.standing[peer.name] = made
            return self.standing.get(peer.name)
        try:
            running = [made for p in wanted if (made := process(p, case.fresh))]
            peaks = [made for p in yardsticks if (made := process(p, False))]
            return self.measure(case, threads, running, peaks)
        finally:
            for made in own:
                made.stop()

    def measure(self, case: Case, threads: int, running: list[Process], peaks: list[Process]) -> list[dict]:
        results, numbers, kept = [], {}, Path(self.scratch.name, "reference.npz")
        for p in list(running):
            check = p.ask("prepare", name=case.name, kept=str(kept))
            row = {"case": case.name, "group": case.group, "threads": threads, "peer": p.peer.name, **check,
                   "us": [], "medians": [], "faults": []}
            results.append(row)
            row["correct"] = "failed" not in check and check["error"] <= check["tolerance"]
            if row["correct"]:
                numbers[p.peer.name] = p.ask("time", seconds=self.seconds)["number"]       # warm-up
            else:
                self.say(f"  {p.peer.name}: {check.get('failed') or 'wrong result, error %.1e' % check['error']}")
                running.remove(p)
        kept.unlink(missing_ok=True)
        rates: dict[str, list[dict]] = {p.peer.name: [] for p in peaks}
        by_peer = {row["peer"]: row for row in results}
        for _ in range(self.rounds):
            for p in list(peaks):
                sleep(SETTLE)
                rate = p.ask("probe", dtype=case.dtype, pattern=case.pattern)
                if "failed" in rate:
                    self.say(f"  no yardstick from {p.peer.name}: {rate['failed']}")
                    peaks.remove(p)
                else:
                    rates[p.peer.name].append(rate)
            for p in running:
                sleep(SETTLE)
                sample = p.ask("time", seconds=self.seconds, number=numbers[p.peer.name])
                row = by_peer[p.peer.name]
                row["steps"] = row.get("steps", 0) + sample["number"] * sample["batches"]
                row["us"].append(sample["us"])
                row["medians"].append(sample["median"])
                row["faults"].append(sample["faults"])
        for p in running:
            row = by_peer[p.peer.name]
            row["memory"] = p.ask("peak_memory")
            p.ask("drop")
            best = rates.get(f"peak-{p.peer.isa}" if p.peer.isa else "peak", [])
            summarise(row, case, best)
        return results


def disturbed(cases: list[Case], results: list[dict]) -> list[Case]:
    """Cases during which the machine gave less than four fifths of the multiply-adds that it gave during others: another program ran."""
    by_name, best = {c.name: c for c in cases}, {}
    rows = [(by_name[r["case"]], r) for r in results if r["peer"] == "fastnet" and "peak_gflops" in r]
    for case, row in rows:
        best[case.dtype] = max(best.get(case.dtype, 0.0), row["peak_gflops"])
    return [case for case, row in rows if row["peak_gflops"] < 0.8 * best[case.dtype]]


def summarise(row: dict, case: Case, rates: list[dict]) -> None:
    """Add to a row what follows from its samples: min, median, rates, parts of the peak."""
    row["min_us"], row["median_us"] = min(row["us"]), statistics.median(row["medians"])
    row["faults_per_step"] = statistics.median(row["faults"])
    seconds = row["min_us"] * 1e-6
    if case.flop:
        row["gflops"] = case.flop / seconds * 1e-9
    if case.bytes:
        row["gbs"] = case.bytes / seconds * 1e-9
    if rates:
        row["peak_gflops"] = max(r["flops"] for r in rates) * 1e-9
        row["peak_gbs"] = max(r["bytes"] for r in rates) * 1e-9
        row["bandwidth_pattern"] = case.pattern
        if case.flop:
            row["of_peak"] = row["gflops"] / row["peak_gflops"]
        if case.bytes:
            row["of_bandwidth"] = row["gbs"] / row["peak_gbs"]
