"""evaluate, predict, summary and bench on runs that the tests make: tables, arrays, pictures and texts."""
import csv
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet.cli import main
from fastnet.datasets import load_digits

ROOT = Path(__file__).resolve().parents[1]
pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test in a folder of its own; commands may choose threads."""
    threads = fastnet.get_num_threads()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    fastnet.set_num_threads(threads)


def out(capsys, *words, code=0):
    """What a command prints; its exit code must be the one given."""
    got = main(list(words))
    said = capsys.readouterr()
    assert got == code, said.err
    return said.err if code else said.out


def table(path, n=240, seed=0):
    """Three kinds of things that two numbers and a colour tell apart."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, n)
    size, weight = kinds * 2 + rng.normal(0, 0.3, n), 50 - 20 * (kinds == 1) + rng.normal(0, 3, n)
    colours = np.where(rng.random(n) < 0.9, np.array(["red", "green", "blue"])[kinds], "grey")
    rows = [f"{s:.3f},{w:.2f},{c},{'abc'[k]}" for s, w, c, k in zip(size, weight, colours, kinds)]
    rows[3] = "," + rows[3].split(",", 1)[1]                                  # one absent value
    Path(path).write_text("size,weight,colour,kind\n" + "\n".join(rows) + "\n")
    return ["abc"[k] for k in kinds]


def test_a_table_from_training_to_predictions(capsys):
    table("table.csv")
    text = out(capsys, "train", str(ROOT / "examples/recipes/csv.toml"), "--set", "trainer.epochs=12", "--out", "run")
    assert "192 samples to train on and 48 to validate on" in text and "val_f1" in text
    told = json.loads(out(capsys, "evaluate", "run", "--json"))
    assert told["samples"] == 48 and told["accuracy"] >= 0.9 and 0.8 < told["f1"] <= 1
    right = table("new.csv", 50, seed=1)
    other = json.loads(out(capsys, "evaluate", "run", "--data", "new.csv", "--json"))
    Path("table.csv").unlink()                                                # predictions need no training data
    rows = list(csv.DictReader(out(capsys, "predict", "run", "new.csv").splitlines()))
    assert [r["row"] for r in rows] == [str(i) for i in range(1, 51)] and set(rows[0]) == {"file", "row", "prediction", "probability"}
    assert other["accuracy"] == pytest.approx(np.mean([r["prediction"] == y for r, y in zip(rows, right)]), abs=1e-9)
    Path("two.csv").write_text("kind,colour,weight,size\n?,blue,50,4\n,red,51,0.1\n")
    said = out(capsys, "predict", "run", "two.csv", "--out", "said.jsonl", "--top", "2", "--batch-size", "1")
    found = [json.loads(line) for line in Path("said.jsonl").read_text().splitlines()]
    assert said == "wrote 2 predictions to said.jsonl\n" and [f["prediction"] for f in found] == ["c", "a"]
    assert all(f["probability"] > f["probability_2"] for f in found)
    Path("bad.csv").write_text("size,weight\n1,2\n")
    assert "bad.csv has no column 'colour'" in out(capsys, "predict", "run", "bad.csv", code=1)
    assert "there is no column 'kind' to compare with" in out(capsys, "evaluate", "run", "--data", "bad2.csv", code=1) if (
        Path("bad2.csv").write_text("size,weight,colour\n1,2,red\n")) else None
    os.mkdir("tables")
    assert "tables is a folder; name the files in it" in out(capsys, "predict", "run", "tables", code=1)
    assert "there is no file nowhere.csv" in out(capsys, "predict", "run", "nowhere.csv", code=1)
    np.save("x.npy", np.zeros((1, 5)))
    assert "the run learned from a CSV file, whose columns have names" in out(capsys, "predict", "run", "x.npy", code=1)


REGRESSION = """
[data]
name = "npy"
x = "x.npy"
y = "y.npy"
[model]
name = "MLP"
hidden = []
[optimizer]
name = "Adam"
lr = 0.5
[scheduler]
name = "CosineAnnealingLR"
[trainer]
epochs = 30
"""


def test_numbers_are_predicted_too(capsys):
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (100, 2))
    np.save("x.npy", x)
    np.save("y.npy", 2 * x[:, 0] - x[:, 1] + 1)
    Path("r.toml").write_text(REGRESSION)
    out(capsys, "train", "r.toml")
    told = json.loads(out(capsys, "evaluate", "runs/r", "--json"))
    assert told["mae"] < 0.05 and told["samples"] == 10
    np.save("new.npy", np.array([[1.0, 1], [5, 0]]))
    rows = list(csv.DictReader(out(capsys, "predict", "runs/r", "new.npy").splitlines()))
    assert [float(r["prediction"]) for r in rows] == pytest.approx([2, 11], abs=0.1) and [r["row"] for r in rows] == ["0", "1"]
    assert "not from pictures; give a .npy file" in out(capsys, "predict", "runs/r", "r.toml", code=1)


def test_the_jobs_runs_can_be_evaluated_and_give_predictions(capsys):
    image = pytest.importorskip("PIL.Image")
    out(capsys, "train", "digits", "--model", "mlp", "--epochs", "6", "--out", "run")
    log = json.loads(Path("run/log.json").read_text())
    assert json.loads(out(capsys, "evaluate", "run", "--json"))["accuracy"] == log["epochs"][-1]["test_accuracy"]
    images, labels = load_digits("test")
    for i in range(8):
        image.fromarray(np.round(images[i, 0] * 255).astype(np.uint8)).save(f"{i}.png")
    np.save("x.npy", images[:8])
    said = out(capsys, "predict", "run", *(f"{i}.png" for i in range(8)), "x.npy", "--batch-size", "3")
    rows = list(csv.DictReader(said.splitlines()))
    assert [(r["file"], r["row"]) for r in rows] == [*((f"{i}.png", "") for i in range(8)), *(("x.npy", str(i)) for i in range(8))]
    assert sum(int(r["prediction"]) == y for r, y in zip(rows, labels)) >= 7
    assert all(a["prediction"] == b["prediction"] for a, b in zip(rows, rows[8:]))
    image.new("L", (9, 8)).save("wide.png")
    assert "channels, height and width are 1x8x9, the network takes 1x8x8" in out(capsys, "predict", "run", "wide.png", code=1)
    Path("none.png").write_text("no picture")
    assert "none.png" in out(capsys, "predict", "run", "none.png", code=1)
    np.save("x.npy", np.zeros((2, 3)))
    assert "x.npy: has shape (2, 3); the network takes (N, 1, 8, 8)" in out(capsys, "predict", "run", "x.npy", code=1)
    assert "not from a CSV file" in out(capsys, "predict", "run", "run/curve.csv", code=1)


FOLDER = """
[data]
name = "image-folder"
folder = "pets"
batch_size = 8
workers = 2
[transforms]
train = [{name = "Resize", size = [12, 12]}, {name = "RandomCrop", size = 8}, "RandomHorizontalFlip", {name = "RandomErasing", p = 0.2}]
validation = [{name = "Resize", size = [8, 8]}]
[model]
name = "SmallCNN"
width = 8
dropout = 0.0
[optimizer]
lr = 0.01
[trainer]
epochs = 3
"""


def pictures(image, folder, n, seed):
    """Bright and dark pictures of several sizes."""
    rng = np.random.default_rng(seed)
    for name, level in (("bright", 200), ("dark", 50)):
        Path(folder, name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(level - 40, level + 40, (*rng.integers(9, 20, 2), 3)).astype(np.uint8)
            image.fromarray(pixels).save(Path(folder, name, f"{i}.png"))


def test_folders_of_pictures(capsys):
    image = pytest.importorskip("PIL.Image")
    pictures(image, "pets", 20, 0)
    pictures(image, "others", 3, 1)
    Path("f.toml").write_text(FOLDER)
    assert "36 samples to train on and 4 to validate on" in out(capsys, "train", "f.toml")
    assert json.loads(out(capsys, "evaluate", "runs/f", "--data", "others", "--json"))["accuracy"] == 1
    rows = list(csv.DictReader(out(capsys, "predict", "runs/f", "others/dark/0.png", "others/bright/2.png").splitlines()))
    assert [r["prediction"] for r in rows] == ["dark", "bright"]
    weights = Path("runs/f/weights.fnet").read_bytes()
    out(capsys, "train", "f.toml", "--overwrite", "--set", "data.workers=0")       # random numbers belong to samples, not to workers
    assert Path("runs/f/weights.fnet").read_bytes() == weights
    settings = ["--overwrite", "--set", "transforms={train=[],validation=[]}"]
    assert "pictures of several sizes need Resize" in out(capsys, "train", "f.toml", *settings, code=1)
    assert "[transforms] train[0] siz: Resize takes no such argument; did you mean 'size'?" in out(
        capsys, "train", "f.toml", "--set", "transforms.train=[{name=\"Resize\",siz=8}]", "--out", "new", code=1)


def bytes_of_clothes(folder, n, seed):
    """A folder of four IDX files: class 0 is dark, class 1 is bright."""
    rng = np.random.default_rng(seed)
    Path(folder).mkdir()
    for name in ("train", "t10k"):
        labels = np.arange(n, dtype=np.uint8) % 2
        images = (rng.integers(0, 60, (n, 12, 12)) + 180 * labels[:, None, None]).astype(np.uint8)
        sizes = [k.to_bytes(4, "big") for k in images.shape]
        Path(folder, f"{name}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + b"".join(sizes) + images.tobytes())
        Path(folder, f"{name}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1]) + sizes[0] + labels.tobytes())


CLOTHES = """
data = {name = "mnist", folder = "one", batch_size = 10, workers = 2, validation = 0.2}
model = {name = "SmallCNN", width = 8}
optimizer = {lr = 0.01}
trainer = {epochs = 4, accumulate = 2, ema = 0.9}
metrics = {accuracy = "Accuracy", top2 = {name = "TopKAccuracy", k = 2}}
[transforms]
train = [{name = "RandomCrop", size = 12, padding = 1}, "RandomHorizontalFlip"]
validation = []
mix = {name = "MixUp", alpha = 0.2}
"""


def test_pictures_in_memory_with_transforms_and_mixing(capsys):
    bytes_of_clothes("one", 60, 0)
    bytes_of_clothes("two", 30, 1)
    Path("clothes.toml").write_text(CLOTHES)
    assert "48 samples to train on and 12 to validate on" in out(capsys, "train", "clothes.toml")
    told = json.loads(out(capsys, "evaluate", "runs/clothes", "--json"))
    assert told["samples"] == 12 and told["accuracy"] >= 0.9 and told["top2"] >= told["accuracy"]
    last = json.loads(Path("runs/clothes/log.jsonl").read_text().splitlines()[-1])["val_loss"]      # of the averaged weights
    newest = max(map(str, Path("runs/clothes/checkpoints").iterdir()))
    assert told["loss"] == json.loads(out(capsys, "evaluate", newest, "--json"))["loss"] == pytest.approx(last, rel=1e-6)
    assert json.loads(out(capsys, "evaluate", "runs/clothes", "--data", "two", "--split", "train", "--json"))["samples"] == 24
    weights = Path("runs/clothes/weights.fnet").read_bytes()
    out(capsys, "train", "clothes.toml", "--overwrite", "--set", "data.workers=0")
    assert Path("runs/clothes/weights.fnet").read_bytes() == weights
    out(capsys, "train", "clothes.toml", "--out", "plain", "--set", "transforms.mix=CutMix")
    assert Path("plain/weights.fnet").read_bytes() != weights
    assert "[transforms] mix beta: MixUp takes no such argument" in out(
        capsys, "train", "clothes.toml", "--out", "x", "--set", "transforms.mix.beta=1", code=1)


def test_texts_are_evaluated(capsys):
    Path("text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 40)
    out(capsys, "train", "chars", "text.txt", "--layers", "1", "--heads", "2", "--width", "16", "--block", "16", "--steps", "20", "--every",
        "20", "--sample", "0", "--out", "chars")
    told = json.loads(out(capsys, "evaluate", "chars/model.fnet", "--data", "text.txt", "--json"))
    model, tokenizer = fastnet.models.load_checkpoint("chars/model.fnet")
    ids = np.array(tokenizer.encode(Path("text.txt").read_text()))
    total = 0.0
    for at in range(0, len(ids) - 1, 16):
        y = ids[at + 1:at + 17]
        total += model.loss(fastnet.tensor(ids[at:at + 16][None, :len(y)]), fastnet.tensor(y[None])).item() * len(y)
    assert told["tokens"] == len(ids) - 1 and told["loss"] == pytest.approx(total / (len(ids) - 1), rel=1e-5)
    assert told["perplexity"] == pytest.approx(np.exp(told["loss"]), rel=1e-6)
    assert "--data PATH is needed" in out(capsys, "evaluate", "chars/model.fnet", code=1)


def test_summary(capsys):
    text = out(capsys, "summary", "resnet18", "--input", "1,3,32,32", "--set", "num_classes=10")
    assert "11,181,642" in text and "layer4" in text                          # torchvision's count for ten classes
    assert "MODEL widht: resnet18 takes no such argument; did you mean 'width'?" in out(
        capsys, "summary", "resnet18", "--input", "1,3,32,32", "--set", "widht=4", code=1)
    assert "--input: give the shape" in out(capsys, "summary", "resnet18", code=1)
    assert "--input 1,x: expected sizes above zero" in out(capsys, "summary", "resnet18", "--input", "1,x", code=1)
    assert "there is no 'resnet'" in out(capsys, "summary", "resnet", "--input", "1,3,32,32", code=1)
    assert "expects 3 input channels" in out(capsys, "summary", "resnet18", "--input", "1,4,32,32", code=1)


def test_bench(capsys):
    lines = out(capsys, "bench", "--seconds", "0.01", "--threads", "1").splitlines()
    assert lines[0].startswith(f"fastnet {fastnet.__version__}, ") and "1 thread, peak " in lines[0] and len(lines) == 6
    assert all(" us " in line for line in lines[1:]) and "GB/s" in lines[-1] and "% of peak" in lines[1]


def test_a_wrong_result_is_not_measured():
    from fastnet.cli.benchmark import close
    from fastnet.cli.refused import Refused
    with pytest.raises(Refused, match="matmul: the result is off by"):
        close("matmul", np.array([1.0, 2.1]), np.array([1.0, 2.0]))
    with pytest.raises(Refused):
        close("matmul", np.array([1.0, np.nan]), np.array([1.0, 2.0]))


def test_the_page_about_recipes(capsys, here):
    """Its commands, in order, in a folder with the examples."""
    page = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "examples/recipes", here / "examples/recipes")
    code, = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "recipes.md", "exec"), {})
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    said = {command: out(capsys, *shlex.split(command)[1:]) for command in commands}
    assert len(commands) == 12 and all(said.values())
    assert json.loads(said["fastnet evaluate runs/csv --data new.csv --json"])["accuracy"] > 0.9
    assert len(Path("new.jsonl").read_text().splitlines()) == 20
    assert "going on after epoch 2, step 82\n" in said["fastnet resume runs/digits --set trainer.epochs=4"]
    log = Path("runs/digits/log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in log] == [1, 2, 3, 4]
