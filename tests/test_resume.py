"""Trainings killed with SIGKILL and resumed: the final state is that of a training that was not, bit by bit."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
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
    "records between epochs, last epoch cut short": ["--steps", "25", "--validate-every", "4", "--plateau", "--every", "2"],
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
    """Killed in the first epoch, twice at one place in the second."""
    status, whole = run(folder / "whole", *VARIANTS[name])
    assert status == 0, whole
    steps = 12 if name == "accumulated" else 25 if "cut" in name else 30
    for at in (steps // 4, steps // 2 + 1, steps // 2 + 1):
        status, said = run(folder / "killed", "--kill", at, *VARIANTS[name])
        assert status == -signal.SIGKILL, said
    status, said = run(folder / "killed", *VARIANTS[name])
    assert status == 0 and said[-1] == whole[-1], (said, whole)


def test_done_batches_are_not_fetched_again(run, folder):
    run(folder, "--kill", 14)
    assert run(folder)[1][-2] == f"fetched {4 * (30 - 12)}"


def test_killed_at_any_moment(run, folder):
    """New interpreters, killed from outside after random times, in the middle of anything."""
    rng = random.Random(0)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    options = ["--every", "1", "--epochs", "6", "--plateau"]
    command = [sys.executable, SCRIPT, *options]
    whole = run(folder / "whole", *options)[1]
    killed = 0
    for _ in range(3):
        process = subprocess.Popen([*command, folder / "killed"], env=environment, text=True, stdout=subprocess.PIPE)
        files = folder / "killed"
        before = set(files.glob("*.fnet*"))
        while killed < 2 and process.poll() is None and set(files.glob("*.fnet*")) == before:
            time.sleep(0.002)                             # it is at work
        if killed < 2:
            time.sleep(rng.random() * 0.05)
            process.kill()
        said = process.communicate()[0].splitlines()
        if process.returncode == 0:
            break
        killed += 1
    assert killed and said[-1] == whole[-1]


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "cut":
        data = data[:len(data) // 2]
    elif how == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes(b"" if how == "empty" else data)


@pytest.mark.parametrize("how", ["cut", "flipped", "empty"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(run, folder, how):
    whole = run(folder / "whole")[1]
    run(folder / "killed", "--kill", 20)
    newest = folder / "killed" / "step-000000018.fnet"
    damage(newest, how)
    status, said = run(folder / "killed")
    assert status == 0 and said[-1] == whole[-1]
    assert "step-000000018.fnet' cannot be read" in said[0] and "going on from step-000000015.fnet" in said[0]


def test_where_no_checkpoint_can_be_read_nothing_is_begun_anew(run, folder):
    run(folder, "--kill", 8)
    for path in folder.glob("*.fnet"):
        damage(path, "cut")
    before = sorted(path.read_bytes() for path in folder.glob("*.fnet"))
    status, said = run(folder)
    assert status == 1 and "DamagedFile: resume: no checkpoint" in said[-1] and said[-1].count("cannot be read") == 2
    assert sorted(path.read_bytes() for path in folder.glob("*.fnet")) == before


def test_a_full_disk_is_a_clear_error_and_loses_nothing(run, folder):
    whole = run(folder / "whole")[1]
    status, said = run(folder / "full", "--full", 8)
    assert status == 1 and "while writing a checkpoint; the checkpoints written before are intact" in said[-1]
    assert "step-000000009.fnet" in said[-1]
    assert sorted(path.name for path in (folder / "full").iterdir()) == ["step-000000003.fnet", "step-000000006.fnet"]
    assert run(folder / "full")[1][-1] == whole[-1]


@pytest.mark.parametrize("when, said", [(("--interrupt", 13), "interrupted 13 True 1"),
                                        (("--interrupt-validation", 5), "interrupted 20 True 1")])
def test_ctrl_c_ends_the_fit_with_a_checkpoint_from_which_it_goes_on(run, folder, when, said):
    """After a step; and in a validation, which is then as if it had not begun."""
    whole = run(folder / "whole")[1]
    assert run(folder / "stopped", *when)[1] == [said]
    assert run(folder / "stopped")[1][-1] == whole[-1]


def test_sigterm_ends_the_process_after_a_checkpoint(run, folder):
    whole = run(folder / "whole")[1]
    status, said = run(folder / "ended", "--terminate", 13)
    assert status == -signal.SIGTERM and not any("hash" in line for line in said)
    assert (folder / "ended" / "step-000000013.fnet").exists()
    assert run(folder / "ended")[1][-1] == whole[-1]


def test_what_an_earlier_process_left_half_written_is_removed(run, folder):
    (folder / "step-000000003.fnet.99.abcd.tmp").write_bytes(b"half")
    assert run(folder, "--every", 30)[0] == 0
    assert [path.name for path in folder.iterdir()] == ["step-000000030.fnet"]
