"""The command line, as a person runs it: from a folder of their own, into a pipe and in a terminal."""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet.datasets import load_digits

COMMAND = [sys.executable, "-m", "fastnet"]


def fastnet_command(folder, *words):
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The README's first command, into a pipe."""
    folder = tmp_path_factory.mktemp("train")
    return folder, fastnet_command(folder, "train", "digits")


def test_train_reaches_its_accuracy_and_tells_each_epoch(trained):
    folder, done = trained
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"test accuracy ([\d.]+)% after 30 epochs", done.stdout)[1]) >= 97
    assert len(re.findall(r"^epoch +\d+/30  loss", done.stdout, re.MULTILINE)) == 30
    assert "\r" not in done.stdout and "\033" not in done.stdout and done.stderr == ""


def test_train_writes_weights_that_give_that_accuracy(trained):
    folder, done = trained
    weights = {k: v.numpy().astype(np.float64) for k, v in fastnet.load(folder / "runs/digits/weights.fnet").items()}
    images, labels = load_digits("test")
    hidden = np.maximum(images.reshape(len(images), 64) @ weights["1.weight"].T + weights["1.bias"], 0)
    accuracy = ((hidden @ weights["3.weight"].T + weights["3.bias"]).argmax(1) == labels).mean()
    log = json.loads((folder / "runs/digits/log.json").read_text())
    assert abs(accuracy - log["epochs"][-1]["test_accuracy"]) < 1e-9
    assert log["settings"]["lr"] == 2e-3 and len(log["epochs"]) == 30
    assert log["epochs"][-1]["train_loss"] < log["epochs"][0]["train_loss"] / 10


def test_train_draws_the_loss(trained):
    picture = ET.parse(trained[0] / "runs/digits/loss.svg").getroot()
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points").split()) for line in lines] == [30, 30]


def test_train_gives_the_same_weights_on_any_number_of_threads(tmp_path):
    for threads in "12":
        done = fastnet_command(tmp_path, "train", "digits", "--epochs", "2", "--batch-size", "100", "--threads", threads, "--out", threads)
        assert done.returncode == 0, done.stderr
    one, two = (fastnet.load(tmp_path / t / "weights.fnet") for t in "12")
    assert all(one[k].numpy().tobytes() == two[k].numpy().tobytes() for k in one)


def test_train_redraws_one_line_in_a_terminal(tmp_path):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    child = subprocess.Popen([*COMMAND, "train", "digits", "--epochs", "3"], cwd=tmp_path, stdout=theirs, stderr=theirs, stdin=theirs,
                             env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    text = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:                                   # the other side has closed
            break
        if not block:
            break
        text += block
    os.close(ours)
    assert child.wait(60) == 0, text
    assert text.count(b"\r") >= 3 and b"\033[K" in text and b"epoch 3/3 [####################]" in text
    assert re.search(rb"\r\ntest accuracy [\d.]+% after 3 epochs", text)


@pytest.mark.parametrize("words, message", [
    (["train", "mnist"], "there is no data set 'mnist'; choose one of: digits"),
    (["train", "digits", "--out", "file"], "--out file: a file stands in the way"),
    (["train", "digits", "--out", "file/below"], "--out file/below: a file stands in the way"),
    (["train", "digits", "--epochs", "0"], "argument --epochs: must be above zero"),
    (["train", "digits", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
    (["train", "digits", "--lr", "nan"], "argument --lr: must be above zero"),
    (["train", "digits", "--lr", "1e30"], "try a --lr below 1e+30"),
    (["train", "digits", "--seed", "-1"], "argument --seed: must lie between 0"),
    (["train", "digits", "--threads", "0"], "argument --threads: must be above zero"),
    ([], "the following arguments are required: COMMAND"),
])
def test_errors_say_what_to_change(tmp_path, words, message):
    (tmp_path / "file").write_text("mine")
    done = fastnet_command(tmp_path, *words)
    assert done.returncode in (1, 2) and message in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert "give" in fastnet_command(tmp_path, "train", "digits", "--out", ".").stderr


def test_info_and_the_console_script(tmp_path):
    done = fastnet_command(tmp_path, "info")
    assert done.returncode == 0 and done.stdout.startswith(f"fastnet {fastnet.__version__}")
    assert re.search(r"^isa +\w+", done.stdout, re.MULTILINE) and re.search(r"^threads +\d+", done.stdout, re.MULTILINE)
    script = Path(sys.executable).with_name("fastnet")
    if script.exists():
        assert subprocess.run([script, "info"], cwd=tmp_path, capture_output=True, text=True).stdout == done.stdout


def test_digits_are_the_published_ones():
    images, labels = load_digits("all")
    assert images.shape == (1797, 1, 8, 8) and images.dtype == np.float32 and labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.min() == 0 and images.max() == 1 and (images * 16 == np.round(images * 16)).all()
    assert len(load_digits("train")[1]) == 1284 and len(load_digits("test")[1]) == 513
    with pytest.raises(ValueError, match="split must be one of train, test, all, got 'valid'"):
        load_digits("valid")
