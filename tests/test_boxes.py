"""Boxes: areas, overlaps and suppression against loops over pairs; gradients against differences."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.autograd import gradcheck
from fastnet.ops.boxes import batched_nms, box_area, box_convert, box_iou, generalized_box_iou, nms

RNG = np.random.default_rng(0)


def random_boxes(n, size=10.0):
    corner = RNG.random((n, 2)) * size
    return np.concatenate((corner, corner + RNG.random((n, 2)) * size / 2 + 0.1), 1)


def overlap(a, b):
    """(intersection, union, area of the box around both), by hand."""
    inside = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
    return inside, union, (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overlaps(dtype):
    a, b = random_boxes(7).astype(dtype), random_boxes(5).astype(dtype)
    want = np.array([[overlap(p, q) for q in b] for p in a])
    inside, union, around = want[..., 0], want[..., 1], want[..., 2]
    x, y = fn.tensor(a), fn.tensor(b)
    assert box_area(x).numpy() == pytest.approx((a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]), rel=1e-6)
    assert box_iou(x, y).numpy() == pytest.approx(inside / union, rel=1e-4, abs=1e-6) and (inside == 0).any() and (inside > 0).any()
    assert generalized_box_iou(x, y).numpy() == pytest.approx(inside / union - (around - union) / around, rel=1e-4, abs=1e-6)
    assert box_iou(x, y[:0]).shape == (7, 0) and box_iou(x, x).numpy().diagonal() == pytest.approx(np.ones(7))


def test_gradients():
    a, b = (fn.tensor(random_boxes(3), requires_grad=True) for _ in range(2))
    assert gradcheck(box_iou, (a, b)) and gradcheck(generalized_box_iou, (a, b)) and gradcheck(box_area, (a,))
    assert gradcheck(lambda x: box_convert(x, "xyxy", "cxcywh"), (a,))


def test_formats():
    x = np.array([[10.0, 20.0, 30.0, 60.0]])
    forms = {"xyxy": x, "xywh": np.array([[10.0, 20, 20, 40]]), "cxcywh": np.array([[20.0, 40, 20, 40]])}
    for one, a in forms.items():
        for other, b in forms.items():
            assert box_convert(fn.tensor(a), one, other).numpy().tolist() == b.tolist()


def nms_by_hand(boxes, scores, threshold, idxs=None):
    left, kept = sorted(range(len(boxes)), key=lambda i: -scores[i]), []
    while left:
        best = left.pop(0)
        kept.append(best)
        same = [idxs is None or idxs[i] == idxs[best] for i in left]
        over = [overlap(boxes[best], boxes[i]) for i in left]
        left = [i for i, near, (inside, union, _) in zip(left, same, over) if not (near and inside / union > threshold)]
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_nms(threshold):
    boxes, scores, idxs = random_boxes(60), RNG.random(60).round(1), RNG.integers(0, 4, 60)
    boxes[:, :2] -= 8                                         # some left of the origin
    x, s, k = fn.tensor(boxes, requires_grad=True), fn.tensor(scores), fn.tensor(idxs)
    assert nms(x, s, threshold).tolist() == nms_by_hand(boxes, scores, threshold)
    assert batched_nms(x, s, k, threshold).tolist() == nms_by_hand(boxes, scores, threshold, idxs)
    assert nms(x[:0], s[:0], threshold).tolist() == batched_nms(x[:0], s[:0], k[:0], threshold).tolist() == []


def test_what_is_wrong_is_refused():
    x = fn.tensor(random_boxes(3))
    for call, error, message in (
            (lambda: box_area(np.ones((2, 4))), TypeError, "box_area: boxes must be a Tensor, got ndarray"),
            (lambda: box_iou(x, fn.ones(2, 5)), ValueError, r"box_iou: boxes2 must be \(N, 4\), got \(2, 5\)"),
            (lambda: nms(x, fn.ones(2), 0.5), ValueError, r"nms: scores must be a Tensor \(3,\) for boxes \(3, 4\), got \(2,\)"),
            (lambda: nms(x, [1, 2, 3], 0.5), ValueError, "got list"),
            (lambda: batched_nms(x, fn.ones(3), fn.ones(2), 0.5), ValueError, r"idxs must be a Tensor \(3,\)"),
            (lambda: box_convert(x, "xyxy", "yxyx"), ValueError, "out_fmt must be one of xyxy, xywh, cxcywh, got 'yxyx'")):
        with pytest.raises(error, match=message):
            call()
