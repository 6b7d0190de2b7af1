"""One training at a time in a folder: the lock, who holds it, and what is left of it after kill -9."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

import fastnet as fn
from fastnet.cli import main
from fastnet.training import Callback, Checkpoints
from fastnet.training.lock import NAME, FolderInUse, FolderLock

BATCHES = [(fn.ones(2, 3), fn.zeros(2, 1))]
HOLD = """
import sys, time
from fastnet.training.lock import FolderLock
with FolderLock([sys.argv[1]], "fit"):
    print("held", flush=True)
    time.sleep(60)
"""


def trainer(out, **options):
    model = fn.nn.Linear(3, 1)
    return fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), out=out, progress=False, **options)


@pytest.fixture
def holder(tmp_path):
    """Another process that trains into tmp_path."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_named_and_nothing_is_touched(holder, tmp_path, capsys):
    (tmp_path / "log.jsonl").write_text("mine\n")
    with pytest.raises(RuntimeError, match=rf"fit: process {holder.pid}, since 20.*, trains into '{tmp_path}'; let it end, or"):
        trainer(tmp_path).fit(BATCHES, epochs=1)
    assert (tmp_path / "log.jsonl").read_text() == "mine\n" and sorted(os.listdir(tmp_path)) == [NAME, "log.jsonl"]
    assert main(["train", "digits", "--epochs", "1", "--out", str(tmp_path)]) == 1
    (tmp_path / "r.toml").write_text('[data]\nname = "digits"\n[model]\nname = "MLP"\n[trainer]\nepochs = 1\n')
    assert main(["train", str(tmp_path / "r.toml"), "--overwrite", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count(f"fastnet train: --out: process {holder.pid}") == 2 and (tmp_path / "log.jsonl").read_text() == "mine\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / NAME).exists()                      # left behind, and no hindrance
    assert len(trainer(tmp_path).fit(BATCHES, epochs=1)) == 1 and not (tmp_path / NAME).exists()


def test_the_folders_of_a_trainer_are_held_while_it_trains(tmp_path):
    out, apart = tmp_path / "out", tmp_path / "apart"

    class Second(Callback):
        def on_step_end(self, t):
            assert json.loads((out / NAME).read_text())["pid"] == os.getpid()
            for folder in (out, apart):
                with pytest.raises(FolderInUse, match=f"fit: process {os.getpid()}, since .*{folder}"):
                    trainer(folder).fit(BATCHES, epochs=1)
            trainer(tmp_path / "free").fit(BATCHES, epochs=1)
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        trainer(out, checkpoints=Checkpoints(apart), callbacks=[Second()]).fit(BATCHES, epochs=1)
    assert not list(tmp_path.rglob(NAME))
    for _ in range(2):
        trainer(out, checkpoints=False).fit(BATCHES, epochs=1)


def test_holders_that_did_not_write_themselves_down_or_are_elsewhere(tmp_path):
    file = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    with pytest.raises(FolderInUse, match="fit: another process trains into"):
        FolderLock([tmp_path], "fit").__enter__()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    os.write(file, json.dumps({"pid": gone.pid, "host": socket.gethostname(), "since": 0}).encode())
    with pytest.raises(FolderInUse, match=f"fit: a process that was forked by {gone.pid}, since 19"):
        FolderLock([tmp_path], "fit").__enter__()
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps({"pid": 7, "host": "far-away", "since": 0}).encode(), 0)
    with pytest.raises(FolderInUse, match="fit: process 7 on far-away, since 19"):
        FolderLock([tmp_path / "free", tmp_path], "fit").__enter__()
    assert os.listdir(tmp_path / "free") == []             # what it had taken before is given back
    os.close(file)
    with FolderLock([tmp_path, f"{tmp_path}/."], "fit") as lock:
        assert len(lock.held) == 1


def test_a_lock_that_has_just_been_removed_is_tried_again(tmp_path, monkeypatch):
    real, removed = fcntl.flock, []

    def flock(file, how):
        if not removed:
            removed.append(os.unlink(tmp_path / NAME))     # the holder ends between open and flock
        return real(file, how)
    monkeypatch.setattr(fcntl, "flock", flock)
    with FolderLock([tmp_path], "fit"), pytest.raises(FolderInUse):
        FolderLock([tmp_path], "fit").__enter__()


def test_without_locks_there_is_training_all_the_same(tmp_path, monkeypatch):
    def flock(file, how):
        raise OSError(37, "No locks available")
    monkeypatch.setattr(fcntl, "flock", flock)
    assert len(trainer(tmp_path).fit(BATCHES, epochs=1)) == 1
    (tmp_path / "file").write_text("")
    with FolderLock([tmp_path / "file"], "fit") as lock:
        assert lock.held == []
