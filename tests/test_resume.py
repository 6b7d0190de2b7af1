"""Trainings killed with SIGKILL and resumed: the final state is that of a training that was not, bit by bit."""
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = str(Path(__file__).with_name("training_run.py"))
VARIANTS = {
    "plain": [],
    "workers": ["--workers", "2"],
    "persistent workers": ["--workers", "2", "--persistent"],
    "own generator": ["--data", "generator"],
    "own generator, workers": ["--data", "generator", "--workers", "2", "--persistent"],
    "list": ["--data", "list"],
    "stream": ["--data", "stream"],
    "accumulated": ["--accumulate", "3", "--every", "1"],
    "plateau": ["--plateau", "--every", "7"],
}


@pytest.fixture
def folder(tmp_path):
    """A folder whose files need not reach a disk, where there is one: checkpoints are synchronised."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def run():
    """run(arguments) -> (exit status, lines), in a new process that has fastnet imported already."""
    server = subprocess.Popen([sys.executable, SCRIPT, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(*arguments):
        print(json.dumps([str(argument) for argument in arguments]), file=server.stdin, flush=True)
        status, said = json.loads(server.stdout.readline())
        return status, said.splitlines()
    yield ask
    server.stdin.close()
    assert server.wait(10) == 0


@pytest.mark.parametrize("name", VARIANTS)
def test_killed_and_resumed_is_as_if_nothing_had_happened(run, name, folder):
    """Killed in the first epoch, twice at one place, in the last epoch."""
    status, whole = run(folder / "whole", *VARIANTS[name])
    assert status == 0, whole
    steps = 12 if name == "accumulated" else 30
    for at in (steps // 4, steps // 2 + 1, steps // 2 + 1, steps - 1):
        status, said = run(folder / "killed", "--kill", at, *VARIANTS[name])
        assert status == -signal.SIGKILL, said
    status, said = run(folder / "killed", *VARIANTS[name])
    assert status == 0 and said[-1] == whole[-1], (said, whole)
