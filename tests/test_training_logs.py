"""What a training tells: history, progress in a pseudo-terminal and in a pipe, logs, TensorBoard."""
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from training_cases import batches, network, trainer_of

from fastnet.training import CSVLog, History, JSONLines, Progress, TensorBoard

SCRIPT = """
import sys
if "--no-tqdm" in sys.argv:
    sys.modules["tqdm"] = None
import fastnet as fn
model = fn.nn.Linear(2, 1)
trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), **eval(sys.argv[1]))
trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))] * 3, [(fn.ones(4, 2), fn.zeros(4, 1))], epochs=2)
"""


def command(options="{}", *more):
    return [sys.executable, "-c", SCRIPT, options, *more]


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}


def in_terminal(*arguments):
    """What a command writes to a pseudo-terminal."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(command(*arguments), stdin=there, stdout=there, stderr=there, env=ENVIRONMENT, cwd=os.path.dirname(__file__))
    os.close(there)
    said = b""
    try:
        while piece := os.read(here, 1 << 16):
            said += piece
    except OSError:                                       # Linux's end of a terminal
        pass
    os.close(here)
    assert process.wait(30) == 0, said
    return said.decode()


def test_a_pipe_gets_one_line_an_epoch_and_nothing_else():
    done = subprocess.run(command(), env=ENVIRONMENT, text=True, capture_output=True, check=True, cwd=os.path.dirname(__file__))
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1/2  step 3  train_loss ") and "  val_loss " in lines[1] and not done.stderr
    assert all(char.isprintable() for line in lines for char in line)


def test_a_terminal_gets_a_line_that_is_redrawn():
    said = in_terminal("{}", "--no-tqdm")
    assert "\repoch 1/2 [" in said and "] 1/3  loss " in said and "\033[K" in said
    lasting = [line.rpartition("\r")[2] for line in said.replace("\033[K", "").replace("\r\n", "\n").split("\n")]
    assert [line.split("  ")[0] for line in lasting if line] == ["epoch 1/2", "epoch 2/2"]


def test_tqdm_where_it_is_installed():
    pytest.importorskip("tqdm")
    said = in_terminal()
    assert "step/s" in said and "epoch 1/2  step 3  train_loss" in said and "epoch 2/2  step 6  train_loss" in said


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_no_progress_is_silence_and_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    for progress, lines in ((False, 0), (None, 2), (True, 2)):
        monkeypatch.setattr(sys, "stdout", Terminal())
        trainer_of(network(), progress=progress).fit(batches(), epochs=2)
        assert sys.stdout.getvalue().count("\n") == lines and "\033" not in sys.stdout.getvalue()


def test_a_long_validation_is_shown(monkeypatch):
    monkeypatch.setattr("fastnet.training.progress.REDRAW", -1.0)
    text = io.StringIO()
    trainer = trainer_of(network(), progress=Progress(bar=True, stream=text))
    trainer.fit(batches(), batches(), epochs=1)
    assert "validation" in text.getvalue() and "batch 3" in text.getvalue() and "4/4" in text.getvalue()
    shown = len(text.getvalue())
    trainer.validate(batches())
    assert len(text.getvalue()) == shown


def test_progress_of_a_stream_without_length_and_by_steps():
    text = io.StringIO()
    trainer_of(network(), progress=Progress(bar=True, stream=text)).fit((b for b in batches()), epochs=1)
    trainer_of(network(), progress=Progress(stream=text)).fit(batches(), steps=2)
    assert "epoch 1  step 2  train_loss" in text.getvalue()


# ---- logs

def test_a_resumed_fit_says_where_it_goes_on(tmp_path):
    for epochs in (2, 3):
        stream = io.StringIO()
        trainer_of(network(), out=tmp_path, progress=Progress(stream=stream)).fit(batches(), epochs=epochs, resume=True)
    lines = stream.getvalue().splitlines()
    assert lines[0] == f"going on after epoch 2, step {2 * len(batches())}" and lines[1].startswith("epoch 3/3")


def test_json_lines(tmp_path):
    path = tmp_path / "runs" / "log.jsonl"
    trainer = trainer_of(network(), callbacks=[JSONLines(path, every=3)])
    trainer.fit(batches(), epochs=2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 4, 6, 8] and "loss" in lines[0] and lines[1] == trainer.history[0]
    trainer.fit(batches(), epochs=1)                      # is added
    assert len(path.read_text().splitlines()) == 7
    trainer_of(network(), callbacks=[JSONLines(path)]).fit(batches(), epochs=1)
    assert len(path.read_text().splitlines()) == 1        # another training begins anew


def test_a_log_after_a_crash_holds_nothing_twice(tmp_path):
    first = trainer_of(network(), out=tmp_path)
    first.fit(batches(), epochs=2)
    with open(tmp_path / "log.jsonl", "a") as file:       # a third epoch, killed in its checkpoint; the next line is cut short
        file.write('{"epoch": 3, "step": 12}\n{"epoch": 4, "st')
    trainer_of(network(), out=tmp_path, callbacks=[CSVLog(tmp_path / "log.csv")]).fit(batches(), epochs=4, resume=True)
    assert [json.loads(line)["epoch"] for line in open(tmp_path / "log.jsonl")] == [1, 2, 3, 4]
    assert [line.split(",")[0] for line in open(tmp_path / "log.csv")] == ["epoch", "1", "2", "3", "4"]


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    trainer_of(network(), callbacks=[TensorBoard(tmp_path, every=2)]).fit(batches(), batches(), epochs=2)
    (events,) = tmp_path.iterdir()
    data = events.read_bytes()
    assert b"train_loss" in data and b"val_loss" in data and b"lr" in data


# ---- history

def test_history(tmp_path):
    history = History([{"epoch": 1, "train_loss": 2.0, "val_accuracy": 0.5}, {"epoch": 2, "train_loss": 1.0}])
    assert history["val_accuracy"] == [0.5, None]
    assert history.best("train_loss")["epoch"] == 2 and history.best("val_accuracy", "max")["epoch"] == 1
    history.to_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "epoch,train_loss,val_accuracy\n1,2.0,0.5\n2,1.0,\n"
    history.save_svg(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().count("<polyline") == 1
    with pytest.raises(KeyError, match="no record has 'f1'; there are epoch, train_loss, val_accuracy"):
        history["f1"]
    with pytest.raises(ValueError, match="not every record has val_accuracy"):
        history.save_svg(tmp_path / "b.svg", ["val_accuracy"])
    assert repr(History()) == "History()"


def test_a_plot(tmp_path):
    pytest.importorskip("matplotlib")
    history = trainer_of(network()).fit(batches(), batches(), epochs=3)
    (axes,) = history.plot(path=tmp_path / "loss.png").axes
    assert [line.get_label() for line in axes.lines] == ["train_loss", "val_loss"] and (tmp_path / "loss.png").stat().st_size > 1000
    assert list(axes.lines[0].get_ydata()) == history["train_loss"]
