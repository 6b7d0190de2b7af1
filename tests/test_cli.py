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
    assert float(re.search(r"test accuracy ([\d.]+)% after 12 epochs", done.stdout)[1]) >= 98.5
    assert len(re.findall(r"^epoch +\d+/12  loss", done.stdout, re.MULTILINE)) == 12
    assert "\r" not in done.stdout and "\033" not in done.stdout and done.stderr == ""


def correlate(x, w, b):
    """A 3x3 convolution with padding 1, from its definition."""
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
    return np.einsum("nchwij,kcij->nkhw", windows, w, optimize=True) + b[:, None, None]


def test_train_writes_weights_that_give_that_accuracy(trained):
    folder, done = trained
    w = {k: v.numpy().astype(np.float64) for k, v in fastnet.load(folder / "runs/digits-cnn/weights.fnet").items()}
    x, labels = load_digits("test")
    for conv, norm, pool in ((0, 1, False), (3, 4, True), (7, 8, True)):
        y = correlate(x, w[f"{conv}.weight"], w[f"{conv}.bias"])
        scale = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"] + 1e-5)
        x = np.maximum((y - w[f"{norm}.running_mean"][:, None, None]) * scale[:, None, None] + w[f"{norm}.bias"][:, None, None], 0)
        if pool:
            x = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).max((3, 5))
    accuracy = ((x.reshape(len(x), -1) @ w["13.weight"].T + w["13.bias"]).argmax(1) == labels).mean()
    log = json.loads((folder / "runs/digits-cnn/log.json").read_text())
    assert abs(accuracy - log["epochs"][-1]["test_accuracy"]) < 1e-9
    assert log["settings"]["lr"] == 1e-2 and log["settings"]["network"] == "cnn" and len(log["epochs"]) == 12
    assert log["epochs"][-1]["train_loss"] < log["epochs"][0]["train_loss"] / 10


def test_train_writes_the_curve(trained):
    folder = trained[0] / "runs/digits-cnn"
    lines = ET.parse(folder / "loss.svg").getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points").split()) for line in lines] == [12, 12]
    rows = [line.split(",") for line in (folder / "curve.csv").read_text().splitlines()]
    assert rows[0] == ["epoch", "train_loss", "test_loss", "test_accuracy", "seconds"]
    assert [int(r[0]) for r in rows[1:]] == list(range(1, 13))
    last = json.loads((folder / "log.json").read_text())["epochs"][-1]
    assert [float(v) for v in rows[-1]] == pytest.approx(list(last.values()), rel=1e-5)


def test_the_perceptron_trains_too(tmp_path):
    done = fastnet_command(tmp_path, "train", "digits", "--model", "mlp")
    assert done.returncode == 0 and float(re.search(r"test accuracy ([\d.]+)% after 30 epochs", done.stdout)[1]) >= 97, done.stderr
    assert (tmp_path / "runs/digits-mlp/weights.fnet").exists()


def small_fashion(folder, train=24, test=10, **change):
    """Four IDX files of noise."""
    rng, folder = np.random.default_rng(0), folder / "fashion"
    folder.mkdir()
    for name, n in (("train", train), ("t10k", test)):
        images, labels = rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10
        sizes = [n.to_bytes(4, "big") for n in images.shape]
        (folder / f"{name}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + b"".join(sizes) + images.tobytes())
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1]) + sizes[0] + labels.tobytes())
    return folder


@pytest.mark.parametrize("model", ["lenet", "resnet18"])
def test_train_fashion_mnist_from_a_folder(tmp_path, model):
    small_fashion(tmp_path)
    words = ["train", "fashion-mnist", "--data", "fashion", "--model", model, "--batch-size", "10", "--epochs", "1"]
    for threads in "12":
        done = fastnet_command(tmp_path, *words, "--threads", threads, "--out", threads)
        assert done.returncode == 0 and re.search(r"^epoch 1/1  loss", done.stdout, re.MULTILINE), done.stderr
    one, two = (fastnet.load(tmp_path / t / "weights.fnet") for t in "12")
    assert all(one[k].numpy().tobytes() == two[k].numpy().tobytes() for k in one) and len(one) == {"lenet": 10, "resnet18": 122}[model]


def test_shifted_and_mirrored_pictures():
    from fastnet.cli.jobs import shifted_and_mirrored
    x = np.zeros((400, 2, 7, 7), np.float32)
    x[:, :, 3, 2] = 1
    y = shifted_and_mirrored(x, np.random.default_rng(0), 2)
    assert y.shape == x.shape and (y.sum((1, 2, 3)) == 2).all() and (y[:, 0] == y[:, 1]).all() and x[:, :, 3, 2].all()
    rows, columns = y[:, 0].argmax(1).max(1), y[:, 0].argmax(2).max(1)
    assert set(rows) == {1, 2, 3, 4, 5} and set(columns) == {0, 1, 2, 3, 4, 5, 6}      # mirrored: column 2 is column 4
    assert 0 < shifted_and_mirrored(np.ones((50, 1, 4, 4), np.float32), np.random.default_rng(1), 1).mean() < 1      # zeros come in


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
    (["train", "imagenet"],
     "no data set 'imagenet'; choose one of: digits, fashion-mnist, chars, translate, detect, or give a RECIPE.toml"),
    (["train", "digits", "--model", "lenet"], "--model lenet: for digits there is cnn, mlp"),
    (["train", "digits", "--data", "file"], "--data file: digits ships with fastnet"),
    (["train", "fashion-mnist", "--data", "nowhere"], "the folder nowhere has no train-images-idx3-ubyte"),
    (["train", "fashion-mnist", "--data", "file"], "the folder file has no train-images-idx3-ubyte"),
    (["train", "digits", "--out", "file"], "--out file: a file stands in the way"),
    (["train", "digits", "--out", "file/below"], "--out file/below: a file stands in the way"),
    (["train", "digits", "--epochs", "0"], "argument --epochs: must be above zero"),
    (["train", "digits", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
    (["train", "digits", "--lr", "nan"], "argument --lr: must be above zero"),
    (["train", "digits", "--model", "mlp", "--lr", "1e30"], "try a --lr below 1e+30"),
    (["train", "digits", "--seed", "-1"], "argument --seed: must lie between 0"),
    (["train", "digits", "--threads", "0"], "argument --threads: must be above zero"),
    ([], "print the loss and the metrics of a run"),
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
    assert fastnet_command(tmp_path, "--version").stdout == f"fastnet {fastnet.__version__}\n"
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
