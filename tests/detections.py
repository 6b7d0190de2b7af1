"""Synthetic detections for tests and benchmarks: like a detector's on COCO, with crowds, sizes, doubles and ties."""
import numpy as np


def detections(images, seed=0, classes=80, boxes=7.3, found=100):
    """Lists of predictions and targets, a dict per image, boxes as left, top, width, height.

    Classes are unequally frequent and an image has about three of them; sizes are log-normal, so that small, medium and large occur; a
    hundredth of the boxes are crowds. Each box is found once well, unless it is hard, and by some doubles; the rest is background or of
    another class. The score grows with the quality of the box, is noisy, and rounded, so that some are equal.
    """
    r = np.random.default_rng(seed)
    often = 1 / np.arange(1, classes + 1) ** 0.8
    often /= often.sum()
    preds, target = [], []
    for _ in range(images):
        n = min(r.poisson(boxes), 60)
        labels = r.choice(r.choice(classes, size=max(1, r.poisson(2.9)), p=often), size=n)
        side, stretch = np.exp(r.normal(4.1, 0.95, n)).clip(4, 500), np.exp(r.normal(0, 0.4, n)) ** 0.5
        size = np.stack(((side * stretch).clip(2, 640), (side / stretch).clip(2, 480)), 1)
        corner = r.random((n, 2)) * ((640, 480) - size).clip(1)
        crowd = r.random(n) < 0.012
        area = (size.prod(1) * r.uniform(0.4, 0.95, n)).round(2)
        size[crowd] *= 1.5
        truth = np.concatenate((corner, size), 1).round(2)
        target.append({"boxes": truth, "labels": labels, "iscrowd": crowd.astype(int), "area": area})
        quality, other = np.zeros(found), r.choice(classes, found, p=often)
        if n:
            of = r.integers(0, n, found)
            first = np.unique(of, return_index=True)[1]
            quality = r.beta(2, 2, found) * (r.random(found) < 0.55)
            quality[first] = r.beta(8, 1.5, len(first)) * (r.random(n)[of[first]] > 0.15)
            noise = (1 - quality)[:, None] * r.normal(0, 0.35, (found, 4))
            size = truth[of, 2:] * np.exp(noise[:, 2:])
            centre = truth[of, :2] + truth[of, 2:] / 2 + noise[:, :2] * truth[of, 2:]
            other = np.where(r.random(found) < 0.12 + 0.4 * (quality == 0), other, labels[of])
        else:
            size, centre = np.exp(r.normal(4, 1, (found, 2))), r.random((found, 2)) * (640, 480)
        score = (1 / (1 + np.exp(-(5 * quality - 3.2 + r.normal(0, 0.8, found))))).round(3)
        box = np.concatenate((centre - size / 2, size), 1).round(2)
        preds.append({"boxes": box, "scores": np.where(r.random(found) < 0.3, score / 10, score).round(4), "labels": other})
    return preds, target


def as_coco(preds, target):
    """The same as the contents of COCO's two files; images and classes are numbered from 1, images out of order."""
    annotations, found = [], []
    for i, (p, t) in enumerate(zip(preds, target), 1):
        for box, label, crowd, area in zip(*(t[key].tolist() for key in ("boxes", "labels", "iscrowd", "area"))):
            number = len(annotations) + 1
            annotations.append({"id": number, "image_id": i, "category_id": label + 1, "bbox": box, "area": area, "iscrowd": crowd})
        for box, label, score in zip(*(p[key].tolist() for key in ("boxes", "labels", "scores"))):
            found.append({"image_id": i, "category_id": label + 1, "bbox": box, "score": score})
    labels = {a["category_id"] for a in annotations} | {f["category_id"] for f in found}
    images = [{"id": i} for i in range(len(preds), 0, -1)]
    return {"images": images, "annotations": annotations, "categories": [{"id": k} for k in sorted(labels)]}, found
