"""`python bench`: time the installed fastnet against its peers and against this machine, and check every result on the way."""
from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import sys
from pathlib import Path

import cases
import chart
import report
from judge import judge
from peers import PEERS
from run import Bench


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python bench", description=__doc__,
                                     epilog="Needs an installed fastnet (pip install .); peers that are not installed are skipped, and may "
                                            "live in other interpreters: --python torch=/path/to/python.")
    parser.add_argument("--quick", action="store_true", help="the shorter list of cases, fewer and shorter rounds: five minutes")
    parser.add_argument("--only", metavar="REGEX", default="", help="cases whose group or name matches")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    parser.add_argument("--threads", metavar="N[,N]", help="thread counts (default: 1 and all)")
    parser.add_argument("--peers", metavar="NAME[,NAME]", default=",".join(p.name for p in PEERS), help="default: %(default)s")
    parser.add_argument("--python", metavar="PEER=PATH", action="append", default=[], help="interpreter that has this peer")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 5, quick 3)")
    parser.add_argument("--seconds", type=float, help="length of one sample (default 0.05, quick 0.02)")
    parser.add_argument("--from-json", metavar="FILE", help="make the Markdown and the chart from an earlier run")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables (default: print them)")
    parser.add_argument("--chart", metavar="FILE", help="draw the chart (.svg or .png; needs matplotlib)")
    args = parser.parse_args(argv)
    known = {p.name for p in PEERS}
    if unknown := set(args.peers.split(",")) - known:
        parser.error(f"--peers: {', '.join(sorted(unknown))} is unknown; there are {', '.join(p.name for p in PEERS)}")
    if bad := [s for s in args.python if "=" not in s or not Path(s.split("=", 1)[1]).exists()]:
        parser.error(f"--python wants PEER=PATH of an interpreter that exists, got {bad[0]}")
    return args


def machine(cpus: list[int]) -> dict:
    """What the numbers were measured on."""
    try:
        name = next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return {"cpu": name, "cpus": len(cpus), "memory_gib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}", "load_before": os.getloadavg()}


def peaks(results: list[dict]) -> list[dict]:
    """The best yardstick of the run for each thread count, instruction set and dtype."""
    best: dict[tuple, dict] = {}
    dtypes = {c.name: c.dtype for c in cases.CASES}
    for r in results:
        if "peak_gflops" in r and r["peer"].startswith("fastnet"):
            key = (r["threads"], "avx2" if r["peer"].endswith("avx2") else "best", dtypes[r["case"]])
            p = best.setdefault(key, {"threads": key[0], "isa": key[1], "dtype": key[2], "gflops": 0.0, "gbs": {}})
            p["gflops"] = max(p["gflops"], r["peak_gflops"])
            p["gbs"][r["bandwidth_pattern"]] = max(p["gbs"].get(r["bandwidth_pattern"], 0.0), r["peak_gbs"])
    return list(best.values())


def measure(args: argparse.Namespace) -> dict:
    cpus = sorted(os.sched_getaffinity(0))
    counts = sorted({int(n) for n in args.threads.split(",")}) if args.threads else sorted({1, len(cpus)})
    if counts[0] < 1 or counts[-1] > len(cpus):
        raise SystemExit(f"--threads: this process may use 1 to {len(cpus)} CPUs, got {args.threads}")
    chosen = [c for c in cases.CASES if re.search(args.only, f"{c.group}: {c.name}") and (c.quick or not args.quick)]
    if not chosen:
        raise SystemExit(f"--only {args.only}: no case matches; python bench --list prints them")
    rounds, seconds = args.rounds or (3 if args.quick else 5), args.seconds or (0.02 if args.quick else 0.05)
    bench = Bench(cpus, dict(s.split("=", 1) for s in args.python), args.peers.split(","), rounds, seconds,
                  lambda text: print(text, file=sys.stderr, flush=True))
    before = machine(cpus)
    results = []
    for n in counts:
        results += bench.all_cases(chosen, n, "one" if n == 1 else "all")
    shown = [a for a in (argv_of(args)) if a]
    return {"command": " ".join(["python bench", *map(shlex.quote, shown)]), "date": datetime.date.today().isoformat(), "machine": before,
            "settings": {"rounds": rounds, "seconds": seconds, "threads": counts, "mkl_disguise": bool(bench.disguise)},
            "versions": bench.versions, "skipped": bench.skipped, "peaks": peaks(results),
            "chart_cases": [c.name for c in chosen if c.quick], "results": results, "verdicts": judge(chosen, results, counts[-1])}


def argv_of(args: argparse.Namespace) -> list[str]:
    """The options that shape the measurement, without the paths of this machine."""
    return ["--quick" * args.quick, *(["--only", args.only] if args.only else []), *(["--threads", args.threads] if args.threads else []),
            *(["--rounds", str(args.rounds)] if args.rounds else []), *(["--seconds", str(args.seconds)] if args.seconds else [])]


def lines_of(data: dict) -> str:
    """JSON with one line an entry of each list, so that two runs can be compared line by line; floats to six digits."""
    def short(value):
        if isinstance(value, dict):
            return {k: short(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [short(v) for v in value]
        return float(f"{value:.6g}") if isinstance(value, float) else value

    def text(value) -> str:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join(json.dumps(short(v)) for v in value) + "\n]"
        return json.dumps(short(value))
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {text(v)}" for k, v in data.items()) + "\n}\n"


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    if args.list:
        print("\n".join(f"{c.group}: {c.name}" for c in cases.CASES))
        return 0
    data = json.loads(Path(args.from_json).read_text()) if args.from_json else measure(args)
    if args.json:
        Path(args.json).write_text(lines_of(data))
    text = report.markdown(data)
    Path(args.markdown).write_text(text) if args.markdown else print(text)
    if args.chart:
        chart.draw(data, args.chart)
    return 0 if all(r["correct"] for r in data["results"]) else 1


if __name__ == "__main__":
    sys.exit(main())
