"""Detection from data to recipe: scenes with exact boxes, canvases and mosaics, a run with its folder, what evaluate and predict say."""
import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet.cli import main
from fastnet.cli.drawing import png
from fastnet.cli.recipe.boxes import OnCanvas
from fastnet.cli.recipe.toml import dumps
from fastnet.datasets import DigitScenes, collate_boxes, digit_scenes, load_digits, write_image
from fastnet.training.batch import samples

TINY = {"name": "tiny", "data": {"name": "digit-scenes", "train": 12, "test": 5, "size": 64, "batch_size": 4, "mosaic_off": 1},
        "transforms": {"train": ["RandomHSV"], "validation": []},
        "model": {"name": "YOLO26", "scale": [0.5, 0.125, 64]}, "optimizer": {"name": "MuSGD", "lr": 0.01, "weight_decay": 5e-4},
        "trainer": {"epochs": 2, "clip_norm": 10.0, "ema": 0.9, "accumulate": 2, "monitor": "val_map"}}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    threads = fn.get_num_threads()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    fn.set_num_threads(threads)


def out(capsys, *words, code=0):
    got = main(list(words))
    said = capsys.readouterr()
    assert got == code, said.err
    return said.err if code else said.out


def test_scenes_are_the_same_everywhere_and_boxes_hold_the_ink(monkeypatch):
    a, b = DigitScenes("train", 6, 64, seed=1), DigitScenes("train", 4, 64, seed=1)
    assert (a.images[:4] == b.images).all() and all((p == q).all() for p, q in zip(a.boxes, b.boxes))
    assert not (DigitScenes("test", 4, 64, seed=1).images == b.images).all()
    assert not {x.tobytes() for x in load_digits("train")[0]} & {x.tobytes() for x in load_digits("test")[0]}
    monkeypatch.setattr(digit_scenes, "background", lambda size, rng: np.full((3, size, size), 0.5))
    monkeypatch.setattr(digit_scenes, "MOST_PIECES", 0)
    scenes = DigitScenes("test", 20, 96, seed=2)
    for image, boxes in zip(scenes.images, scenes.boxes):
        changed = np.abs(image / 255 - 0.5).mean(0)       # ink of a half or more is at least 0.125 away from the ground
        for k, (x1, y1, x2, y2) in enumerate(boxes.astype(int)):
            strong = changed[y1:y2, x1:x2] > 0.1
            assert strong[0].any() and strong[-1].any() and strong[:, 0].any() and strong[:, -1].any()
            changed[y1:y2, x1:x2] = 0
            for other in boxes[:k]:
                assert min(x2, other[2]) <= max(x1, other[0]) or min(y2, other[3]) <= max(y1, other[1])
        assert changed.max() < 0.1                        # nothing is left outside of the boxes
    with pytest.raises(ValueError, match="split"):
        DigitScenes("val")


def test_canvases_and_mosaics():
    class Two:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return {"image": np.full((3, 20, 40), 100 * i, np.uint8), "boxes": np.array([[10.0, 5, 30, 15]] * i).reshape(-1, 4),
                    "labels": np.arange(i)}
    plain = OnCanvas(Two(), 64)
    sample = plain[1]
    assert np.allclose(sample["boxes"], [[16, 24, 48, 40]]) and sample["image"].dtype == np.float32
    assert np.allclose(sample["image"][:, 0, 0], 114 / 255) and np.allclose(sample["image"][:, 32, 32], 100 / 255)
    batch = collate_boxes([plain[0], sample])
    assert batch["image"].shape == (2, 3, 64, 64) and [len(b) for b in batch["boxes"]] == [0, 1] and samples(batch) == 2
    fours = OnCanvas(Two(), 64, seed=3, mosaic=1.0, until=2)
    first = fours[1]
    fours.set_epoch(1)
    second = fours[1]
    assert not (first["image"] == second["image"]).all() and (fours[1]["image"] == second["image"]).all()
    fours.set_epoch(2)
    assert (fours[1]["image"] == sample["image"]).all()


def test_a_run_and_what_comes_after(capsys):
    Path("tiny.toml").write_text(dumps(TINY | {"trainer": TINY["trainer"] | {"checkpoints": {"keep": 5}}}))
    text = out(capsys, "train", "tiny.toml", "--threads", "1")
    assert "12 samples to train on and 5 to validate on; YOLO26 of" in text
    records = [json.loads(line) for line in Path("runs/tiny/log.jsonl").read_text().splitlines()]
    assert [r["epoch"] for r in records] == [1, 2] and {"val_loss", "val_map", "val_map_50", "val_map_75"} <= records[0].keys()
    tree = json.loads(out(capsys, "evaluate", "runs/tiny", "--json"))
    assert tree["samples"] == 5 and tree["map"] == pytest.approx(records[-1]["val_map"]) and tree["loss"] > 0

    whole = fn.load("runs/tiny/weights.fnet")             # killed after the first epoch and resumed: the same bits
    first, *later = sorted(Path("runs/tiny/checkpoints").glob("step-*.fnet"))
    assert len(later) == 1
    later[0].unlink()
    Path("runs/tiny/weights.fnet").unlink()
    assert "going on after epoch 1" in out(capsys, "resume", "runs/tiny", "--threads", "2")
    again = fn.load("runs/tiny/weights.fnet")
    assert all((whole[n].numpy() == again[n].numpy()).all() for n in whole)

    pytest.importorskip("PIL")
    write_image(DigitScenes("test", 1, 80).images[0], "scene.png")
    rows = list(csv.DictReader(out(capsys, "predict", "runs/tiny", "scene.png", "--score", "0.001", "--draw", "drawn").splitlines()))
    assert rows and list(rows[0]) == ["file", "label", "score", "x1", "y1", "x2", "y2"] and 0 <= float(rows[0]["x1"]) <= 80
    drawing = Path("drawn/scene.svg").read_text()
    assert drawing.count("<rect") == len(rows) and "data:image/png;base64" in drawing
    assert out(capsys, "predict", "runs/tiny", "scene.png", "--score", "0.999") == "file,label,score,x1,y1,x2,y2\n"
    shutil.copy("scene.png", "drawn")
    assert "would both be scene.svg" in out(capsys, "predict", "runs/tiny", "scene.png", "drawn/scene.png", "--draw", "drawn", code=1)


def test_the_job_makes_a_recipe(capsys, here):
    text = out(capsys, "train", "detect", "--check", "--epochs", "10", "--scale", "0.125", "--accumulate", "4")
    tomllib = pytest.importorskip("tomllib")
    tree = tomllib.loads(text)
    assert tree["data"]["name"] == "digit-scenes" and tree["data"]["mosaic_off"] == 2 and tree["model"]["scale"] == [0.5, 0.125, 1024]
    assert tree["trainer"]["accumulate"] == 4 and "RandomHorizontalFlip" not in text
    assert "it is for --data" in out(capsys, "train", "detect", "--check", "--val", "0.2", code=1)
    assert "expected one of n, s, m, l, x, or a width" in out(capsys, "train", "detect", "--check", "--scale", "inf", code=1)
    for split in ("train", "val"):
        for i in range(2):
            Path(f"pets/images/{split}").mkdir(parents=True, exist_ok=True)
            Path(f"pets/labels/{split}").mkdir(parents=True, exist_ok=True)
            Path(f"pets/images/{split}/{i}.png").write_bytes(png(np.full((3, 40, 64), 90 * i, np.uint8)))
            Path(f"pets/labels/{split}/{i}.txt").write_text(f"{i} 0.5 0.5 0.4 0.5\n")
    Path("pets/data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    pytest.importorskip("PIL")
    words = "train detect --data pets --size 64 --epochs 1 --scale 0.125 --batch-size 2 --threads 1".split()
    text = out(capsys, *words)
    assert "2 samples to train on and 2 to validate on" in text and Path("runs/detect/found.svg").read_text().count("<image") == 2
    assert json.loads(Path("runs/detect/data.json").read_text())["classes"] == ["cat", "dog"]
    shutil.rmtree("runs")
    assert "1 samples to train on and 1 to validate on" in out(capsys, *words, "--val", "0.5")


@pytest.mark.parametrize("change,said", [
    ({"loss": "MSELoss"}, "MSELoss does not go with [data] digit-scenes, which has boxes"),
    ({"data": {"name": "digits"}, "loss": "DetectionLoss"}, "has no boxes; yolo and digit-scenes have"),
    ({"model": "SmallCNN"}, "SmallCNN finds no boxes"),
    ({"data": {"name": "digit-scenes", "size": 100}}, "[data] size: expected a multiple of 32"),
    ({"transforms": {"train": [], "validation": [], "mix": "MixUp"}}, "pictures with boxes are not mixed"),
    ({"loss": {"name": "DetectionLoss", "share": [0.5, 2.0]}}, "share must be two numbers"),
])
def test_mistakes_are_told(capsys, change, said):
    small = {"data": {**TINY["data"], "train": 1, "test": 1}} if "data" not in change else {}
    Path("bad.toml").write_text(dumps(TINY | small | change))
    assert said in out(capsys, "train", "bad.toml", code=1)
