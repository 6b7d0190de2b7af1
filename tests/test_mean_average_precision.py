"""mAP: both conventions against loops that follow their descriptions, COCO's against pycocotools; pieces, files, and what is refused."""
import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from detections import as_coco, detections

import fastnet as fn
from fastnet.metrics import MeanAveragePrecision

TWELVE = ["map", "map_50", "map_75", "map_small", "map_medium", "map_large", "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium",
          "mar_large"]
RANGES = [(0, 1e10), (0, 32**2), (32**2, 96**2), (96**2, 1e10)]
THRESHOLDS = np.linspace(0.5, 0.95, 10)


def iou(a, b, crowd=False):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(w, 0) * max(h, 0)
    return inside / (a[2] * a[3] if crowd else a[2] * a[3] + b[2] * b[3] - inside) if inside else 0.0


def of_class(preds, target, k):
    """Per image: [(score, box)], best first, and [(box, crowd, area)]."""
    for p, t in zip(preds, target):
        found = sorted(((s, b) for s, b, c in zip(p["scores"], p["boxes"].tolist(), p["labels"]) if c == k), key=lambda d: -d[0])
        yield found, [(b, m, a) for b, m, a, c in zip(t["boxes"].tolist(), t["iscrowd"], t["area"], t["labels"]) if c == k]


def coco_curve(images, threshold, low, high, most):
    """([(score, hit)] of the detections that count, boxes that count)."""
    rows, boxes = [], 0
    for found, there in images:
        hide = [bool(m) or not low <= a <= high for _, m, a in there]
        boxes += hide.count(False)
        free = [True] * len(there)
        for score, box in found[:most]:
            choice = None
            for hidden in (False, True):                      # boxes that count come first
                over = [(iou(box, b, m), j) for j, (b, m, _) in enumerate(there) if hide[j] == hidden and (free[j] or m)]
                over = [pair for pair in over if pair[0] >= threshold]
                if over:
                    choice = max(over)[1]                     # of equal ones the later
                    break
            if choice is None:
                rows += [(score, False)] if low <= box[2] * box[3] <= high else []
            else:
                free[choice] = False
                rows += [(score, True)] if not hide[choice] else []
    return sorted(rows, key=lambda row: -row[0]), boxes


def coco_by_hand(preds, target, classes):
    precisions, recalls = {}, {}
    for k in range(classes):
        images = list(of_class(preds, target, k))
        for a, (low, high) in enumerate(RANGES):
            for t in THRESHOLDS:
                for most in (1, 10, 100):
                    rows, boxes = coco_curve(images, t, low, high, most)
                    if not boxes:
                        continue
                    hits = np.cumsum([hit for _, hit in rows] or [0])
                    recall, precision = hits / boxes, hits / np.arange(1, len(hits) + 1)
                    recalls.setdefault((a, most), []).append(recall[-1])
                    if most == 100:
                        best = [max(precision[recall >= r - 1e-12], default=0) for r in np.linspace(0, 1, 101)]
                        precisions.setdefault((a, round(t, 2)), []).append(np.mean(best))
    every = [np.mean(sum((v for (b, _), v in precisions.items() if b == a), [])) for a in range(4)]
    return [every[0], np.mean(precisions[0, 0.5]), np.mean(precisions[0, 0.75]), *every[1:],
            *(np.mean(recalls[0, m]) for m in (1, 10, 100)), *(np.mean(recalls[a, 100]) for a in (1, 2, 3))]


def yolo_by_hand(preds, target, classes):
    table = []
    for k in range(classes):
        images = list(of_class(preds, target, k))
        boxes = sum(len(there) for _, there in images)
        if not boxes:
            continue
        for t in THRESHOLDS:
            rows = []
            for found, there in images:
                gone = set()
                for score, box in found:
                    overlaps = [iou(box, b) for b, _, _ in there]
                    j = int(np.argmax(overlaps)) if overlaps else -1
                    hit = j >= 0 and overlaps[j] >= t and j not in gone
                    gone |= {j} if hit else set()
                    rows.append((score, hit))
            hits = [hit for _, hit in sorted(rows, key=lambda row: -row[0])]
            points, n = [(0.0, 1.0)], 0
            for i, hit in enumerate(hits, 1):
                n += hit
                points.append((n / boxes, n / i))
            points += [(points[-1][0], 0.0), (1.0, 0.0)] if hits else []
            best = [max(p for _, p in points[i:]) for i in range(len(points))]
            grid = np.linspace(0, 1, 101)
            curve = np.interp(grid, [r for r, _ in points], best) if hits else np.zeros(101)
            table.append(sum((curve[i] + curve[i + 1]) / 2 * (grid[i + 1] - grid[i]) for i in range(100)))
    table = np.array(table).reshape(-1, 10)
    return [table.mean(), table[:, 0].mean(), table[:, 5].mean()]


def small(seed):
    """Few classes, many meetings: ties of scores and of overlaps, crowds, images without detections or boxes."""
    preds, target = detections(14, seed, classes=3, boxes=6, found=25)
    for p, t in zip(preds, target):
        p["boxes"], t["boxes"] = p["boxes"].round(-1), t["boxes"].round(-1)
        p["boxes"][:, 2:] += 10
        t["boxes"][:, 2:] += 10
        p["scores"] = p["scores"].round(1)
        t["iscrowd"] = (np.arange(len(t["labels"])) % 5 == 4).astype(int)
    none = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int), "iscrowd": np.zeros(0, int), "area": np.zeros(0)}
    preds[3] = target[5] = preds[7] = target[7] = none
    return preds, target


@pytest.mark.parametrize("seed", range(3))
def test_coco_by_hand(seed):
    preds, target = small(seed)
    metric = MeanAveragePrecision(box_format="xywh")
    metric.update(preds, target)
    result = metric.compute()
    assert [result[key] for key in TWELVE] == pytest.approx(coco_by_hand(preds, target, 3), abs=1e-9)
    assert result["map"] == float(result) == pytest.approx(result["map_per_class"].mean())
    assert result["classes"].tolist() == [0, 1, 2] and result["mar_100"] == pytest.approx(result["mar_100_per_class"].mean())


@pytest.mark.parametrize("seed", range(3))
def test_yolo_by_hand(seed):
    preds, target = small(seed)
    metric = MeanAveragePrecision("yolo", box_format="xywh")
    metric.update(preds, target)
    result = metric.compute()
    assert [result[key] for key in TWELVE[:3]] == pytest.approx(yolo_by_hand(preds, target, 3), abs=1e-9)
    assert result["map_50"] == pytest.approx(result["map_50_per_class"].mean()) and "map_small" not in result


@pytest.mark.parametrize("data", ["small", "realistic"])
def test_pycocotools_agrees(data):
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    truth, found = as_coco(*(small(5) if data == "small" else detections(60, 1)))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes([dict(f) for f in found]), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    result = MeanAveragePrecision.from_coco(truth, found).compute()
    assert [result[key] for key in TWELVE] == pytest.approx(judge.stats.tolist(), abs=1e-9)
    theirs = judge.eval["precision"][:, :, :, 0, 2].mean((0, 1))
    classes = [k - 1 for k in judge.params.catIds]
    assert theirs[np.isin(classes, result["classes"] - 1)] == pytest.approx(result["map_per_class"], abs=1e-9)


@pytest.mark.parametrize("convention", ["coco", "yolo"])
def test_pieces_parts_formats_and_files(convention, tmp_path):
    preds, target = detections(12, 3, classes=4)
    whole = MeanAveragePrecision(convention, "xywh")
    whole.update(preds, target)
    want = whole.compute()
    first, second, empty = (MeanAveragePrecision(convention, "xywh") for _ in range(3))
    for i in range(5):
        first.update(preds[i:i + 1], target[i:i + 1])
    second.update(preds[5:], target[5:])
    results = [empty.merge(first, second).compute()]
    for form in ("xyxy", "cxcywh"):
        metric = MeanAveragePrecision(convention, form)
        for p, t in zip(preds, target):
            shift = ((0, 1) if form == "xyxy" else (0.5, 0))
            moved = [np.concatenate((b[:, :2] + shift[0] * b[:, 2:], b[:, 2:] + shift[1] * b[:, :2]), 1) for b in (p["boxes"], t["boxes"])]
            metric.update([{**{k: fn.tensor(v) for k, v in p.items()}, "boxes": fn.tensor(moved[0], requires_grad=True)}],
                          [{**t, "boxes": moved[1].tolist()}])
        results.append(metric.compute())
    truth, found = as_coco(preds, target)
    for name, content in (("truth.json", truth), ("found.json", found)):
        (tmp_path / name).write_text(json.dumps(content))
    results.append(MeanAveragePrecision.from_coco(tmp_path / "truth.json", str(tmp_path / "found.json"), convention).compute())
    for result in results:
        assert result["map"] == pytest.approx(want["map"], abs=1e-6) and repr(result) == repr(want)
        assert {key for key in result} == {key for key in want} and result["convention"] == convention
    assert repr(want).startswith(f"mAP in the {convention.upper()} convention, 4 classes\n  map")
    whole.reset()
    assert whole.compute()["map"] == -1 and second.compute()["map"] > 0


def one(boxes, scores, there, **options):
    metric = MeanAveragePrecision(**options)
    metric.update([{"boxes": boxes, "scores": scores, "labels": np.zeros(len(boxes), int)}],
                  [{"boxes": there, "labels": np.zeros(len(there), int)}])
    return metric.compute()


def test_where_the_conventions_differ():
    # The second detection overlaps the first box most (8/14), which is taken, and the second box enough (6/12)
    boxes, there = [[0, 0, 12, 10], [4, 0, 14, 10]], [[0, 0, 12, 10], [8, 0, 16, 10]]
    assert one(boxes, [0.9, 0.8], there, iou_thresholds=[0.49])["map"] == pytest.approx(1.0)
    assert one(boxes, [0.9, 0.8], there, iou_thresholds=[0.49], convention="yolo")["map"] < 0.6
    # precision 1 to recall 1/2, then nothing: 51 of 101 recalls are met; the trapezia end at 0.50, and fall to 0 within 0.01
    assert one(boxes[:1], [0.9], there)["map"] == pytest.approx(51 / 101)
    assert one(boxes[:1], [0.9], there, convention="yolo")["map"] == pytest.approx(0.495)


def test_equal_overlaps():
    """The first detection overlaps both boxes equally, the second only one: of equal ones COCO takes the later, YOLO here the first."""
    boxes, left, right = [[5, 0, 15, 10], [0, 0, 10, 10]], [0, 0, 10, 10], [10, 0, 20, 10]
    for there, coco, yolo in (([left, right], 1.0, 0.5), ([right, left], 0.5, 1.0)):
        assert one(boxes, [0.9, 0.8], there, iou_thresholds=[0.3])["map"] == pytest.approx(coco, abs=0.01)
        assert one(boxes, [0.9, 0.8], there, iou_thresholds=[0.3], convention="yolo")["map"] == pytest.approx(yolo, abs=0.01)


def test_odd_images():
    assert one([], [], [[0, 0, 1, 1]])["map"] == one([], [], [[0, 0, 1, 1]], convention="yolo")["map"] == 0
    assert one([[0, 0, 1, 1]], [0.5], [])["map"] == one([[0, 0, 1, 1]], [0.5], [], convention="yolo")["map"] == -1
    assert one([[3, 3, 3, 3]], [0.5], [[3, 3, 3, 3]])["map"] == 0                       # no area, no overlap
    assert one([[0, 0, 9, 9]], [0.5], [[0, 0, 9, 9]], iou_thresholds=[1.0])["map"] == pytest.approx(1)
    assert one([[0, 0, 9, 9]], [0.5], [[0, 0, 9, 9]], max_detection_thresholds=[1, 5])["mar_5"] == 1


GOOD = ([{"boxes": np.ones((2, 4)), "scores": [0.5, 0.4], "labels": [0, 1]}], [{"boxes": np.ones((1, 4)), "labels": [0]}])


def with_(side, **changes):
    metric, data = MeanAveragePrecision(), [[dict(GOOD[0][0])], [dict(GOOD[1][0])]]
    data[side][0].update(changes)
    data[side][0] = {k: v for k, v in data[side][0].items() if v is not None}
    try:
        metric.update(*data)
    finally:
        assert not metric.pieces


@pytest.mark.parametrize("call, error, message", [
    (lambda: MeanAveragePrecision("voc"), ValueError, "convention must be 'coco' or 'yolo', got 'voc'"),
    (lambda: MeanAveragePrecision(box_format="yxyx"), ValueError, "box_format must be one of xyxy, xywh, cxcywh"),
    (lambda: MeanAveragePrecision(iou_thresholds=[0]), ValueError, r"iou_thresholds must be in \(0, 1\]"),
    (lambda: MeanAveragePrecision(max_detection_thresholds=[10, 1]), ValueError, "must be positive and rising"),
    (lambda: MeanAveragePrecision("yolo", max_detection_thresholds=[1]), ValueError, "is for convention='coco'"),
    (lambda: MeanAveragePrecision().merge(MeanAveragePrecision("yolo")), ValueError, "convention is 'coco' here and 'yolo' there"),
    (lambda: MeanAveragePrecision().update(GOOD[0], []), ValueError, "must be lists with a dict per image"),
    (lambda: MeanAveragePrecision().update(*zip(GOOD[0][0], GOOD[1][0])), ValueError, "must be|of one length"),
    (lambda: with_(0, scores=None), ValueError, r"preds\[0\] must be a dict with boxes, scores, labels, got \['boxes', 'labels'\]"),
    (lambda: with_(0, scores=[1.0]), ValueError, r"preds\[0\]\['scores'\] must be \(2,\) for its boxes, got \(1,\)"),
    (lambda: with_(0, boxes=np.ones((2, 5))), ValueError, r"preds\[0\]\['boxes'\] must be \(n, 4\), got \(2, 5\)"),
    (lambda: with_(0, scores=[0.5, np.nan]), ValueError, "scores must be finite"),
    (lambda: with_(1, boxes=np.full((1, 4), np.inf)), ValueError, "target's boxes must be finite"),
    (lambda: with_(1, labels=[0.5]), TypeError, r"target\[0\]\['labels'\] must be integers, got float64"),
    (lambda: with_(1, iscrowd=[0, 1]), ValueError, r"target\[0\]\['iscrowd'\] must be \(1,\)"),
    (lambda: MeanAveragePrecision.from_coco({}, []), ValueError, "ground_truth must be a dict with 'images' and 'annotations'"),
    (lambda: MeanAveragePrecision.from_coco({"images": [], "annotations": []}, {}), ValueError, "detections must be a list of dicts"),
    (lambda: MeanAveragePrecision.from_coco({"images": [{"id": 3}], "annotations": []}, [
        {"image_id": 4, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1}]), ValueError, "detections are in image 4, which"),
    (lambda: MeanAveragePrecision.from_coco({"images": [{"id": 3}], "annotations": []}, [{"image_id": 3, "category_id": 1}]),
     ValueError, "has no 'score'"),
    (lambda: MeanAveragePrecision.from_coco({"images": [{"id": 3}], "annotations": [
        {"image_id": 3, "category_id": 1, "bbox": [0, 1]}]}, []), ValueError, "bbox of annotations must be four finite numbers"),
])
def test_what_is_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_page_about_metrics(tmp_path):
    page = Path(__file__).resolve().parents[1] / "docs/metrics.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines[:3] == ["True", "mAP in the COCO convention, 1 classes", "  map          0.7000"], done.stderr
    assert "  map_small   -1.0000" in lines


def test_the_trainer_records_its_numbers():
    preds, target = detections(4, 0, classes=3)
    model = fn.nn.Linear(1, 1)
    trainer = fn.Trainer(model, None, fn.optim.SGD(model.parameters(), lr=0.0), progress=False,
                         metrics={"boxes": MeanAveragePrecision(box_format="xywh")},
                         batch_loss=lambda model, batch: (model(batch[0]).sum(), preds, target))
    record = trainer.fit([[fn.ones(1, 1)]], [[fn.ones(1, 1)]], epochs=1)[-1]
    assert record["val_boxes_map_50"] >= record["val_boxes_map"] > 0 and "val_boxes_classes" not in record
