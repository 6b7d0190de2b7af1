"""The examples run as they stand, and reach what they claim."""
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def output(script, folder):
    one = {"FASTNET_NUM_THREADS": "1", **os.environ}           # the same bits; on a busy machine two threads wait for each other
    done = subprocess.run([sys.executable, script], cwd=folder, env=one, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scalar(tmp_path):
    text = output(ROOT / "examples/scalar.py", tmp_path)
    assert "tensor([16.], grad_fn=<PowBackward0>)" in text and "tensor([-24.])" in text and "w = 3.3333;" in text


def test_digits(tmp_path):
    text = output(ROOT / "examples/digits.py", tmp_path)
    assert float(re.search(r"test accuracy ([\d.]+)%", text)[1]) >= 97


def test_cnn(tmp_path):
    text = output(ROOT / "examples/cnn.py", tmp_path)
    accuracies = [float(v) for v in re.findall(r"([\d.]+)% in", text)]
    assert len(accuracies) == 2 and min(accuracies) >= 98.5 and accuracies[0] == accuracies[1]


def test_unet(tmp_path):
    text = output(ROOT / "examples/unet.py", tmp_path)
    assert float(re.search(r"pixels right: ([\d.]+)%", text)[1]) >= 95 and float(re.search(r"union: ([\d.]+)", text)[1]) >= 0.7


def test_dcgan(tmp_path):
    text = output(ROOT / "examples/dcgan.py", tmp_path)
    ink = [sum(c in "*#" for c in line) for line in text.splitlines() if not line.startswith("epoch")]
    assert len(ink) == 16 and sum(ink) > 100 and min(ink) < 40


def test_pinn(tmp_path):
    text = output(ROOT / "examples/pinn.py", tmp_path)
    assert float(re.findall(r"largest error (\S+)", text)[-1]) < 1e-2


def test_gradcheck(tmp_path):
    text = output(ROOT / "examples/gradcheck.py", tmp_path)
    assert text.splitlines() == ["softplus: True", "a wrong backward: False", "linear and cross-entropy: True"]


def catalogue(path, messages):
    """A .mo file, from gettext's description of the format: sorted originals, translations, tables of (length, offset)."""
    path.parent.mkdir(parents=True)
    header = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"}
    rows = sorted((k.encode(), v.encode()) for k, v in (header | messages).items())
    n, texts, tables = len(rows), b"", ([], [])
    for column in (0, 1):
        for row in rows:
            tables[column].extend((len(row[column]), 28 + 16 * n + len(texts)))
            texts += row[column] + b"\0"
    numbers = [0x950412DE, 0, n, 28, 28 + 8 * n, 0, 0, *tables[0], *tables[1]]
    path.write_bytes(struct.pack(f"<{len(numbers)}I", *numbers) + texts)


def test_gettext_pairs(tmp_path):
    catalogue(tmp_path / "data/locale/xx/LC_MESSAGES/editor.mo", {
        "_Open the file": "_Datei öffnen", "Cannot read\n%s": "Kann %s nicht lesen", "menu\x04Save it": "Speichern", "Cut": "Cut",
        "%d line\0%d lines": "%d Zeile\0%d Zeilen", "--help": "--hilfe", "%s is wrong": "falsch", "Good night": "Gute Nacht", "Empty": ""})
    catalogue(tmp_path / "data/locale/xx/LC_MESSAGES.d/x/y.mo", {"Not here": "Nicht hier"})
    catalogue(tmp_path / "data/locale/yy/LC_MESSAGES/editor.mo", {"Good night": "Bonne nuit"})
    (tmp_path / "data/locale/xx/LC_MESSAGES/damaged.mo").write_bytes(b"\xde\x12\x04\x95 damaged")
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_DATA_DIRS": str(tmp_path / "none")}
    run = [sys.executable, ROOT / "examples/gettext_pairs.py"]
    done = subprocess.run([*run, "xx"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("5 pairs from 2 catalogues in pairs.tsv"), done
    assert (tmp_path / "pairs.tsv").read_text(encoding="utf-8").splitlines() == [
        "%d line\t%d Zeile", "Cannot read %s\tKann %s nicht lesen", "Good night\tGute Nacht", "Open the file\tDatei öffnen",
        "Save it\tSpeichern"]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert "xx           2 catalogues" in done.stdout and "yy           1 catalogues" in done.stdout
    done = subprocess.run([*run, "zz"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "no sentence pairs found for zz in 0 catalogues" in done.stderr


def test_resume(tmp_path):
    text = output(ROOT / "examples/resume.py", tmp_path)
    assert text.endswith("the weights are identical, bit by bit\n")
    assert "killed in epoch 1, after step 37" in text and "going on from step-000000020.fnet" in text


def test_vanishing(tmp_path):
    text = output(ROOT / "examples/vanishing.py", tmp_path)
    rows = {name: (float(ratio), float(accuracy), verdicts) for name, ratio, accuracy, verdicts
            in re.findall(r"^(sigmoid|batch norm|residual|ReLU, Kaiming) +(\S+) +([\d.]+)% +(.*)$", text, re.M)}
    ratio, accuracy, verdicts = rows.pop("sigmoid")
    assert ratio < 1e-6 and accuracy < 20 and "vanishing" in verdicts and len(rows) == 3
    assert all(0.1 < ratio < 10 and accuracy > 80 and verdicts == "none" for ratio, accuracy, verdicts in rows.values())


def test_exploding(tmp_path):
    text = output(ROOT / "examples/exploding.py", tmp_path)
    assert text.startswith("error: exploding in rnn.") and "accuracy: none, the weights are lost" in text
    assert float(re.findall(r"accuracy: ([\d.]+)%", text)[0]) > 85


def test_augment(tmp_path):
    text = output(ROOT / "examples/augment.py", tmp_path)
    plain, augmented = (float(v) for v in re.findall(r"([\d.]+)% right", text))
    assert plain >= 91 and augmented >= plain + 1


def ported(name, count, folder):
    """What a program that is PyTorch's but for its imports prints after a few steps, as numbers."""
    code = (ROOT / "examples" / f"{name}.py").read_text()
    assert "import fastnet as torch" in code
    done = subprocess.run([sys.executable, ROOT / "examples" / f"{name}.py", str(count)], cwd=folder, capture_output=True, text=True,
                          env={"FASTNET_NUM_THREADS": "1", **os.environ}, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if re.match(r"\w+ \d+:", line)]
    return [[float(v) for v in re.findall(r"\d+\.?\d*(?:e-?\d+)?", line)] for line in lines]


def test_vae(tmp_path):
    (epoch, nats), = ported("vae", 3, tmp_path)
    assert epoch == 3 and 20 < nats < 32


def test_word_lm(tmp_path):
    (step, perplexity), = ported("word_lm", 25, tmp_path)
    assert step == 25 and 50 < perplexity < 900


def test_sine_lbfgs(tmp_path):
    lines = ported("sine_lbfgs", 3, tmp_path)
    assert [line[0] for line in lines] == [0, 1, 2] and lines[2][1] < 0.01 < lines[0][1] and lines[2][-1] < 0.1


def test_actor_critic(tmp_path):
    (episode, steps), = ported("actor_critic", 40, tmp_path)
    assert episode == 40 and 15 < steps < 150
