"""mAP of many images, against pycocotools: `python bench/mean_average_precision.py [images]`; checks that all twelve numbers agree."""
import contextlib
import io
import sys
import time
from pathlib import Path

import numpy as np

from fastnet.metrics import MeanAveragePrecision

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from detections import as_coco, detections  # noqa: E402

TWELVE = ("map", "map_50", "map_75", "map_small", "map_medium", "map_large", "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium",
          "mar_large")


def fastnet_seconds(preds, target, convention, repeats=3):
    """(update, compute, result): the least of several runs, in batches of 16 images."""
    best = None
    for _ in range(repeats):
        metric, start = MeanAveragePrecision(convention, "xywh"), time.perf_counter()
        for i in range(0, len(preds), 16):
            metric.update(preds[i:i + 16], target[i:i + 16])
        middle = time.perf_counter()
        result = metric.compute()
        times = (middle - start, time.perf_counter() - middle)
        best = (*times, result) if best is None or sum(times) < sum(best[:2]) else best
    return best


def pycocotools_seconds(preds, target):
    """(evaluate, accumulate, the twelve numbers); reading and indexing are not counted."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        truth, coco = COCO(), None
        truth.dataset, found = as_coco(preds, target)
        truth.createIndex()
        coco = COCOeval(truth, truth.loadRes(found), "bbox")
        start = time.perf_counter()
        coco.evaluate()
        middle = time.perf_counter()
        coco.accumulate()
        end = time.perf_counter()
        coco.summarize()
    return middle - start, end - middle, coco.stats


def main(images):
    """Print both times, their ratio, and the largest difference."""
    preds, target = detections(images)
    count = sum(len(p["scores"]) for p in preds), sum(len(t["labels"]) for t in target)
    print(f"{images} images, {count[0]} detections, {count[1]} boxes, 80 classes")
    for convention in ("yolo", "coco"):
        update, compute, result = fastnet_seconds(preds, target, convention)
        print(f"fastnet, {convention}: update {update:.3f} s, compute {compute:.3f} s; mAP {result['map']:.4f}")
    evaluate, accumulate, stats = pycocotools_seconds(preds, target)
    print(f"pycocotools: evaluate {evaluate:.2f} s, accumulate {accumulate:.2f} s; mAP {stats[0]:.4f}")
    difference = np.abs(np.array([result[key] for key in TWELVE]) - stats).max()
    print(f"{(evaluate + accumulate) / (update + compute):.1f} times faster; largest difference of the twelve numbers {difference:.1g}")
    return int(difference > 1e-6)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
