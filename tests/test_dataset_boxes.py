"""Boxes in YOLO's and COCO's formats: pixels from the formats' definitions, and files that are damaged told by name and line."""
import json

import numpy as np
import pytest

from fastnet.datasets import CocoDetection, YoloDetection, collate_boxes, read_description
from fastnet.datasets.yolo_description import FORMS
from fastnet.utils.data import DataLoader


def grey(path):
    """A stand-in for a reader of pictures: 3 x 20 x 40."""
    return np.zeros((3, 20, 40), np.uint8)


@pytest.fixture
def yolo(tmp_path):
    """Three pictures, with two boxes, none (an empty file), and no label file."""
    for folder in ("images/train/deep", "labels/train/deep"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.jpg", "b.png", "deep/c.jpeg", "notes.txt"):
        (tmp_path / "images/train" / name).write_bytes(b"")
    (tmp_path / "labels/train/a.txt").write_text("1 0.5 0.5 0.5 1\n\n0 0.05 0.1 0.2 0.2\n")
    (tmp_path / "labels/train/b.txt").write_text("")
    (tmp_path / "data.yaml").write_text("train: images/train\nnc: 2\nnames: [cat, dog]\n")
    return tmp_path


def test_yolo(yolo):
    data = YoloDetection(yolo, loader=grey)
    assert data.classes == ["cat", "dog"] and [len(data[i]["boxes"]) for i in range(len(data))] == [2, 0, 0]
    sample = data[0]
    assert sample["image"].shape == (3, 20, 40) and sample["image_id"] == 0
    # centre 20, 10 and size 20, 20; centre 2, 2 and size 8, 4, of which half lies left of the picture
    np.testing.assert_allclose(sample["boxes"], [[10, 0, 30, 20], [0, 0, 6, 4]], atol=1e-5)
    assert sample["boxes"].dtype == np.float32 and sample["labels"].tolist() == [1, 0] and sample["labels"].dtype == np.int64
    np.testing.assert_allclose(sample["area"], [400, 24], rtol=1e-5)
    assert sample["iscrowd"].tolist() == [0, 0] and data[1]["boxes"].shape == (0, 4)
    batch = next(iter(DataLoader(data, 3, collate_fn=collate_boxes)))
    assert tuple(batch["image"].shape) == (3, 3, 20, 40) and [len(b) for b in batch["boxes"]] == [2, 0, 0]
    assert batch["image_id"] == [0, 1, 2]
    seen = YoloDetection(yolo, transform=lambda sample: sample["labels"].sum(), loader=grey)
    assert seen[0] == 1


def test_yolo_by_names_lists_and_folders(yolo):
    (yolo / "data.yaml").unlink()
    assert YoloDetection(yolo, names=["cat", "dog"], loader=grey)[0]["labels"].tolist() == [1, 0]
    (yolo / "some.txt").write_text("images/train/a.jpg\n\nimages/train/deep/c.jpeg\n")
    (yolo / "data.toml").write_text('train = ["images/train/deep"]\nval = "some.txt"\nnames = ["cat", "dog"]\n')
    assert len(YoloDetection(yolo, loader=grey)) == 1 and len(YoloDetection(yolo / "data.toml", "val", loader=grey)) == 2
    with pytest.raises(ValueError, match="data.toml has the names of the classes; leave out names"):
        YoloDetection(yolo, names=["cat"])
    with pytest.raises(ValueError, match="data.toml has no 'test'; it has train, val"):
        YoloDetection(yolo, "test")


def test_yolo_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no data.yaml or data.toml with the names of the classes"):
        YoloDetection(tmp_path)
    with pytest.raises(FileNotFoundError, match="neither .*images/val nor .*val/images is a folder"):
        YoloDetection(tmp_path, "val", names=["a"])
    (tmp_path / "val/images").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="no pictures in .*val/images"):
        YoloDetection(tmp_path, "val", names=["a"])
    (tmp_path / "data.yaml").write_text("val: pictures\nnames: [a]")
    with pytest.raises(FileNotFoundError, match="pictures is neither a folder of pictures nor a file that lists them"):
        YoloDetection(tmp_path, "val")


@pytest.mark.parametrize("line, message", [
    ("0 0.5 0.5 0.5", "got 4 numbers$"),
    ("0 0.5 0.5 0.5 0.5 0.1 0.2", "got 7 numbers; outlines are not boxes"),
    ("cat 0.5 0.5 0.5 0.5", "expected five numbers, got 'cat 0.5 0.5 0.5 0.5'"),
    ("2 0.5 0.5 0.5 0.5", "the class is 2, but there are 2 names, counted from 0"),
    ("-1 0.5 0.5 0.5 0.5", "the class is -1"),
    ("0.5 0.5 0.5 0.5 0.5", "the class is 0.5"),
    ("0 12 0.5 0.5 0.5", "centre and size are shares from 0 to 1"),
    ("0 nan 0.5 0.5 0.5", "centre and size are shares"),
    ("0 0.5 0.5 0 0.5", "the box has no area"),
])
def test_yolo_labels_that_are_damaged(yolo, line, message):
    (yolo / "labels/train/b.txt").write_text(f"0 0.5 0.5 0.5 0.5\n{line}\n")
    with pytest.raises(ValueError, match=f"b.txt, line 2: .*{message}"):
        YoloDetection(yolo, loader=grey)


DESCRIPTIONS = {
    "flow": 'names: ["cat", \'dog, big\', bird]  # three\n',
    "rows": "names:\n- cat\n- 'dog, big'\n-  bird # flies\n",
    "indented": "names:\n  - cat\n  - \"dog, big\"\n  - bird\n",
    "numbered": "names:\n  1: dog, big\n  0: cat\n  2: bird\nnc: 3\n",
    "broken lines": "names: [cat,\n  'dog, big',\n  bird]\n",
    "other keys": "# where it is from\nsource:\n  url: https://example.org/#top\n  list: [1]\nnames: [cat, 'dog, big', bird]\nseen: yes\n",
}


@pytest.mark.parametrize("text", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_descriptions(tmp_path, text):
    (tmp_path / "data.yaml").write_text(f"path: pets#1 # here\ntrain: images/train\nval:\n  - a\n  - b\ntest:\n{text}")
    found = read_description(tmp_path / "data.yaml")
    assert found.names == ["cat", "dog, big", "bird"]
    assert found.splits == {"train": [tmp_path / "pets#1/images/train"], "val": [tmp_path / "pets#1/a", tmp_path / "pets#1/b"]}


def test_descriptions_are_yaml_s(tmp_path):
    yaml = pytest.importorskip("yaml")
    for text in DESCRIPTIONS.values():
        (tmp_path / "data.yaml").write_text(text)
        names = yaml.safe_load(text)["names"]
        assert read_description(tmp_path / "data.yaml").names == (list(names) if isinstance(names, list) else [names[i] for i in range(3)])


@pytest.mark.parametrize("text, message", [
    ("names: [a]\nfree text\n", "data.yaml, line 2: " + FORMS.replace("[", r"\[")),
    ("names: &anchor [a]\n", "data.yaml, line 1"),
    ("names: cat\n  - dog\n", "data.yaml, line 2"),
    ("names: [a, b\n", "a list has no closing bracket"),
    ("train: x\n", "has no names of classes"),
    ("names:\n  0: a\n  2: b\n", "names must be numbered 0, 1, 2"),
    ("names: [a, b]\nnc: 3\n", "nc is 3, but there are 2 names"),
])
def test_descriptions_that_are_damaged(tmp_path, text, message):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_description(tmp_path / "data.yaml")


def test_a_damaged_toml_is_told_by_line(tmp_path):
    (tmp_path / "data.toml").write_text("names = [1, 2]\ntrain = \n")
    with pytest.raises(ValueError, match="data.toml is no TOML: .*line 2"):
        read_description(tmp_path / "data.toml")


COCO = {"images": [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 20}, {"id": 3, "file_name": "b.jpg", "width": 40, "height": 20}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 18, "bbox": [1, 2, 10.5, 4], "area": 30, "iscrowd": 0},
                        {"id": 2, "image_id": 3, "category_id": 2, "bbox": [0, 0, 40, 20], "iscrowd": 1},
                        {"id": 3, "image_id": 3, "category_id": 2, "bbox": [5, 5, 0, 4]},
                        {"id": 4, "image_id": 3, "category_id": 2, "bbox": [5, 5, 3, 4]}]}


def test_coco(tmp_path):
    (tmp_path / "instances.json").write_text(json.dumps(COCO))
    data = CocoDetection(tmp_path, tmp_path / "instances.json", loader=grey)
    assert data.classes == ["cat", "dog"] and data.category_ids == [2, 18] and data.skipped == 1 and len(data) == 2
    assert data.paths[0] == str(tmp_path / "a.jpg") and data[0]["boxes"].shape == (0, 4) and data[0]["image_id"] == 7
    sample = data[1]
    assert sample["boxes"].tolist() == [[1, 2, 11.5, 6], [5, 5, 8, 9]] and sample["labels"].tolist() == [1, 0]
    assert sample["area"].tolist() == [30, 12] and sample["iscrowd"].tolist() == [0, 0] and sample["image_id"] == 3
    crowd = CocoDetection(tmp_path, tmp_path / "instances.json", crowd=True, loader=grey)[1]
    assert crowd["iscrowd"].tolist() == [0, 1, 0] and crowd["boxes"][1].tolist() == [0, 0, 40, 20]


@pytest.mark.parametrize("change, message", [
    (lambda t: t.pop("categories"), "has no list 'categories'; is it a file of instances"),
    (lambda t: t["annotations"][1].pop("bbox"), r"annotations\[1\] has no 'bbox'"),
    (lambda t: t["annotations"][1].update(bbox=[1, 2, 3]), r"annotations\[1\]: bbox must be left, top, width, height, got \[1, 2, 3\]"),
    (lambda t: t["annotations"][0].update(bbox=[1, 2, -3, 4]), r"annotations\[0\]: bbox must be"),
    (lambda t: t["annotations"][0].update(bbox=[1, 2, "3", 4]), r"annotations\[0\]: bbox must be"),
    (lambda t: t["annotations"][2].update(image_id=9), r"annotations\[2\] has image_id 9, which the file does not describe"),
    (lambda t: t["annotations"][2].update(category_id=9), r"annotations\[2\] has category_id 9"),
    (lambda t: t["images"][0].update(id=3), "two images have the same id"),
])
def test_coco_that_is_damaged(tmp_path, change, message):
    tree = json.loads(json.dumps(COCO))
    change(tree)
    (tmp_path / "instances.json").write_text(json.dumps(tree))
    with pytest.raises(ValueError, match="instances.json.*" + message):
        CocoDetection(tmp_path, tmp_path / "instances.json")


def test_coco_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        CocoDetection("nowhere", "x.json")
    with pytest.raises(FileNotFoundError, match="there is no x.json; get the annotations"):
        CocoDetection(tmp_path, "x.json")
    (tmp_path / "x.json").write_text('{"images": [\n1,,')
    with pytest.raises(ValueError, match="x.json is no JSON: .*line 2"):
        CocoDetection(tmp_path, tmp_path / "x.json")
