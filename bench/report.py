"""The Markdown report of a run, made from its JSON and from nothing else."""
from __future__ import annotations


def duration(us: float) -> str:
    """Microseconds in the unit that reads best.

    >>> duration(0.0321), duration(81.24), duration(12345.6)
    ('32 ns', '81.2 us', '12.3 ms')
    """
    return f"{us * 1e3:.0f} ns" if us < 1 else f"{us:.3g} us" if us < 1e3 else f"{us / 1e3:.3g} ms"


def amount(verdict: dict) -> str:
    """The measured value of a verdict, in the unit of its target."""
    value, text = verdict["value"], verdict["target"]
    if value is None:
        return "not measured"
    return f"{value:.0%}" if "%" in text else f"{value:.3g} us" if text.endswith("us") else f"{value:.3g}"


def at_peak(data: dict, verdict: dict) -> str:
    """What a ratio of times would be if fastnet's operations ran at the peak; nothing for other targets."""
    if not verdict["target"].startswith("time <= ") or " of " not in verdict["target"]:
        return ""
    row = next(r for r in data["results"] if (r["case"], r["threads"], r["peer"]) == (verdict["case"], verdict["threads"], "fastnet"))
    return f"{verdict['value'] * row['of_peak']:.3g}" if row.get("of_peak", 1) < 1 else ""


def markdown(data: dict) -> str:
    """The whole report: machine, a table for each group of cases, and what was missed."""
    machine, settings = data["machine"], data["settings"]
    lines = ["# Benchmark of fastnet", "",
             f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']:.0f} GiB, {machine['system']}. {data['date']}.",
             f"`{data['command']}`: {settings['rounds']} interleaved rounds of {settings['seconds']:g} s, every library in a process of "
             "its own; times are the minimum, in brackets the time over fastnet's.", "",
             "| library | version | settings |", "|---|---|---|"]
    for name, v in data["versions"].items():
        if not name.startswith("peak"):
            about = "; ".join(s for s in (v["about"], v["details"], f"NumPy {v['numpy']}" if name != "numpy" else "") if s)
            lines.append(f"| {name} | {v['version']} | {about} |")
    lines += [f"| {name} | skipped | {why} |" for name, why in data["skipped"].items() if not name.startswith("peak")]
    lines += ["", "The yardsticks, best of this run:", "",
              "| threads | ISA | dtype | FMA peak | bandwidth, read / copy / triad / update |", "|---|---|---|---|---|"]
    for p in data["peaks"]:
        streams = " / ".join(f"{p['gbs'][s]:.0f}" if s in p["gbs"] else "-" for s in ("read", "copy", "triad", "update"))
        lines.append(f"| {p['threads']} | {p['isa']} | {p['dtype']} | {p['gflops']:.0f} GFLOP/s | {streams} GB/s |")
    order = ("fastnet", "fastnet-avx2", "numpy", "torch", "torch-tuned", "torch-cl", "jax")
    names = [n for n in order if any(r["peer"] == n for r in data["results"])]
    for group in dict.fromkeys(r["group"] for r in data["results"]):
        present = {r["peer"] for r in data["results"] if r["group"] == group}
        lines += ["", f"## {group}", "", *table(data, group, [n for n in names if n in present])]
    judged = [v for v in data["verdicts"] if v["reached"] is not None]
    missed = [v for v in judged if not v["reached"]]
    lines += ["", "## Targets", "", f"{len(judged) - len(missed)} of {len(judged)} reached"
              + (f"; {len(data['verdicts']) - len(judged)} not measured." if len(judged) < len(data["verdicts"]) else "."), ""]
    if missed:
        lines += ["At the full peak: the ratio if fastnet did the same operations at the measured FMA peak. A target below it is beyond "
                  "this machine for any library that does these operations.", "",
                  "| missed | threads | ISA | target | measured | at the full peak |", "|---|---|---|---|---|---|"]
        lines += [f"| {v['case']} | {v['threads']} | {v['isa'] or 'best'} | {v['target']} | {amount(v)} | {at_peak(data, v)} |"
                  for v in missed]
    return "\n".join(lines) + "\n"


def table(data: dict, group: str, names: list[str]) -> list[str]:
    """The lines of one group's table."""
    rows = [r for r in data["results"] if r["group"] == group]
    memory = any("memory" in v["target"] for v in data["verdicts"] if v["case"] in {r["case"] for r in rows})
    head = ["case", "threads", *names, "rate", "of peak", "page faults", *(["peak memory, MiB"] if memory else []), "targets"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    order = {case: at for at, case in enumerate(dict.fromkeys(r["case"] for r in rows))}
    for case, threads in sorted({(r["case"], r["threads"]) for r in rows}, key=lambda key: (order[key[0]], key[1])):
        here = {r["peer"]: r for r in rows if (r["case"], r["threads"]) == (case, threads)}
        own = here.get("fastnet", {})
        cells = [case, str(threads)]
        for name in names:
            r = here.get(name)
            if r is None:
                cells.append("")
            elif not r["correct"]:
                cells.append("failed" if "failed" in r else "wrong")
            elif name == "fastnet" or "min_us" not in own:
                cells.append(duration(r["min_us"]))
            else:
                cells.append(f"{duration(r['min_us'])} ({r['min_us'] / own['min_us']:.2f})")
        bandwidth = any("bandwidth" in v["target"] for v in data["verdicts"] if v["case"] == case)
        rate, part = ("gbs", "of_bandwidth") if bandwidth or "gflops" not in own else ("gflops", "of_peak")
        cells.append(f"{own[rate]:.0f} {'GB/s' if rate == 'gbs' else 'GFLOP/s'}" if rate in own else "")
        cells.append(f"{own[part]:.0%}" if part in own else "")
        cells.append(f"{own['faults_per_step']:.2g}" if "faults_per_step" in own else "")
        if memory:
            cells.append(", ".join(f"{n} {r['memory']['case'] / 2**20:.1f}" for n, r in here.items() if "memory" in r))
        cells.append(verdict_cell([v for v in data["verdicts"] if (v["case"], v["threads"]) == (case, threads)]))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def verdict_cell(verdicts: list[dict]) -> str:
    judged = [v for v in verdicts if v["reached"] is not None]
    missed = [v for v in judged if not v["reached"]]
    if not judged:
        return ""
    if not missed:
        return f"reached ({len(judged)})"
    return "missed: " + "; ".join(f"{v['target']}{' on ' + v['isa'] if v['isa'] else ''} ({amount(v)})" for v in missed)
