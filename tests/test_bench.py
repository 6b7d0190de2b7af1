"""The benchmark folder: its list of cases, its verdicts, and one short run."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
NUMERICS = BENCH.parent / "docs" / "numerics.md"


def python(*words, cwd):
    return subprocess.run([sys.executable, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300)


def test_a_short_run_is_correct_and_complete(tmp_path):
    done = python(BENCH, "--quick", "--only", "add 10|NT 512x512x512|few rows|sum.x|Adam|16>16 3x3|LeNet-5", "--peers", "fastnet,numpy",
                  "--rounds", 1, "--seconds", 0.001, "--json", "run.json", "--markdown", "run.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    data = json.loads((tmp_path / "run.json").read_text())
    own = [r for r in data["results"] if r["peer"] == "fastnet"]
    assert all(r["correct"] and r["min_us"] > 0 for r in data["results"]) and len(own) >= 8
    gemm = next(r for r in own if r["case"] == "NT 512x512x512")
    assert gemm["gflops"] == pytest.approx(2 * 512**3 / gemm["min_us"] * 1e-3, rel=1e-4) and 0 < gemm["of_peak"] < 1.2
    text = (tmp_path / "run.md").read_text()
    assert all(r["case"] in text for r in own)
    again = python(BENCH, "--from-json", "run.json", cwd=tmp_path)
    assert again.returncode == 0 and again.stdout.strip() == text.strip()


def test_a_missing_peer_is_skipped_with_a_line(tmp_path):
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\nexec {sys.executable} -S \"$@\"\n")     # an interpreter without packages
    fake.chmod(0o755)
    done = python(BENCH, "--only", "add 10$", "--peers", "fastnet,torch", "--python", f"torch={fake}", "--rounds", 1, "--seconds", 0.001,
                  "--threads", 1, cwd=tmp_path)
    assert done.returncode == 0 and "torch is skipped: ModuleNotFoundError" in done.stderr and "add 10" in done.stdout


@pytest.mark.parametrize("words, message", [
    (["--only", "nothing like it"], "no case matches"),
    (["--peers", "fastnet,theano"], "theano is unknown"),
    (["--threads", "4096"], "this process may use 1 to"),
    (["--python", "torch=/nowhere"], "--python wants PEER=PATH"),
])
def test_refused_options(tmp_path, words, message):
    done = python(BENCH, *words, cwd=tmp_path)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr


def test_the_errors_of_convolutions_keep_their_bounds(tmp_path):
    done = python(BENCH / "numerics.py", "--quick", "--write", "page.md", cwd=tmp_path)
    assert done.returncode == 0 and "allowed" not in done.stderr, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert page.count("| N32 32@32 |") == page.count("| N32 16@32 |") == 3
    assert page.splitlines()[:3] == NUMERICS.read_text().splitlines()[:3]


VERDICTS = """
from cases.case import Target
from cases.gemm import gemm
from cases.case import error
from judge import judge
import numpy as np
targets = Target("peak", 0.5), Target("ratio", 0.5, "torch"), Target("ratio", 1, "jax"), Target("scaling", 1.8, threads="all")
case = gemm("NT", 8, 8, 8, "g", targets)
row = {"case": case.name, "us": [1], "correct": True}
rows = [{**row, "threads": 1, "peer": "fastnet", "min_us": 10.0, "of_peak": 0.6},
        {**row, "threads": 1, "peer": "torch", "min_us": 15.0},
        {**row, "threads": 2, "peer": "fastnet", "min_us": 5.0, "of_peak": 0.4}]
got = [(v["threads"], v["target"], v["reached"]) for v in judge([case], rows, 2)]
assert got == [(1, ">= 50% of FMA peak", True), (1, "time <= 0.5 of torch", False), (1, "time <= 1 of jax", None),
               (2, ">= 50% of FMA peak", False), (2, "time <= 0.5 of torch", None), (2, "time <= 1 of jax", None),
               (2, ">= 1.8x on all threads", True)], got
both = Target("ratio", 0.6, "torch/torch-cl"), Target("memory", 0.9, "torch/torch-cl")
case = gemm("NT", 8, 8, 16, "g", both)
rows = [{**row, "case": case.name, "threads": 1, "peer": p, "min_us": us, "memory": {"case": m}}
        for p, us, m in (("fastnet", 10.0, 9), ("torch", 15.0, 30), ("torch-cl", 20.0, 10))]
assert [v["value"] for v in judge([case], rows, 2)] == [10 / 15, 0.9] and [v["reached"] for v in judge([case], rows, 2)] == [False, True]
assert [v["reached"] for v in judge([case], rows[:2], 2)] == [None, None]
from report import at_peak
half = {"results": [{"case": "c", "threads": 1, "peer": "fastnet", "of_peak": 0.5}]}
assert at_peak(half, {"case": "c", "threads": 1, "target": "time <= 0.3 of torch", "value": 0.7}) == "0.35"
assert at_peak(half, {"case": "c", "threads": 1, "target": "memory <= 0.9 of torch", "value": 1.2}) == ""
from run import disturbed
quiet, low = gemm("NT", 8, 8, 32, "g", ()), gemm("NT", 8, 8, 64, "g", ())
peaks = [{"case": c.name, "peer": "fastnet", "peak_gflops": g} for c, g in ((quiet, 231.0), (low, 116.0))]
assert disturbed([quiet, low], peaks) == [low] and disturbed([quiet], peaks[:1]) == []
assert both[0].text() == "time <= 0.6 of the better of torch, torch-cl"
assert error([np.ones(2)], [np.array([1.0, 2.0])]) == 0.5 and error([np.array([np.nan])], [np.ones(1)]) == float("inf")
assert error([np.ones(2)], [np.ones((2, 1))]) == float("inf")
"""


def test_verdicts_and_errors_are_what_their_words_say(tmp_path):
    script = tmp_path / "check.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(BENCH)!r})\n{VERDICTS}")
    done = python(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
