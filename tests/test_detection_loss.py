"""The detector's loss against loops over images, objects and cells in float64; its gradients against differences of those loops."""
import math

import numpy as np
import pytest

import fastnet as fn
from fastnet import models
from fastnet.models.yolo26_assign import Objects, assign
from fastnet.models.yolo26_head import Raw, cells
from fastnet.ops.boxes import complete_box_iou_loss

HEIGHT, WIDTH, CLASSES = 64, 96, 3


def grid():
    return [(j + 0.5, i + 0.5, s) for s in (8, 16, 32) for i in range(HEIGHT // s) for j in range(WIDTH // s)]


def ciou_parts(a, b, alpha=None, eps=1e-7):
    """(1 - complete IoU, alpha): by the definition; a given alpha is a constant."""
    w = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    h = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    w1, h1, w2, h2 = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    iou = w * h / (w1 * h1 + w2 * h2 - w * h + eps)
    cw, ch = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    d2 = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    v = 4 / math.pi ** 2 * (math.atan(w2 / (h2 + eps)) - math.atan(w1 / (h1 + eps))) ** 2
    alpha = v / (1 - iou + v + eps) if alpha is None else alpha
    return 1 - iou + d2 / (cw * cw + ch * ch + eps) + alpha * v, alpha


def box_of(d, cell):
    x, y, s = cell
    return [(x - d[0]) * s, (y - d[1]) * s, (x + d[2]) * s, (y + d[3]) * s]


def reference_assign(distances, logits, objects, most, kept, smallest):
    """[(image, cell, object's number in the image, weight)] by loops."""
    result = []
    for n, (boxes, labels) in enumerate(objects):
        overlap, align, took = {}, {}, {}
        for g, (box, label) in enumerate(zip(boxes, labels)):
            near = []
            for a, (x, y, s) in enumerate(grid()):
                inside = True
                for at, low, high in ((x * s, box[0], box[2]), (y * s, box[1], box[3])):
                    if high - low < smallest:
                        low, high = (low + high) / 2 - smallest / 2, (low + high) / 2 + smallest / 2
                    inside = inside and low < at < high
                if inside:
                    overlap[g, a] = max(0.0, 1 - ciou_parts(box_of(distances[n, a], grid()[a]), box)[0])
                    align[g, a] = (1 / (1 + math.exp(-logits[n, a, label]))) ** 0.5 * overlap[g, a] ** 6
                    near.append(a)
            for a in sorted(near, key=lambda a: -align[g, a])[:most]:            # noqa: B023
                took.setdefault(a, []).append(g)
        owner = {a: max(gs, key=lambda g: overlap[g, a]) for a, gs in took.items()}           # noqa: B023
        for g in range(len(boxes)):
            mine = sorted((a for a in owner if owner[a] == g), key=lambda a: -align[g, a])[:kept]     # noqa: B023
            if mine:
                best_align, best_overlap = max(align[g, a] for a in mine), max(overlap[g, a] for a in mine)
                result += [(n, a, g, align[g, a] * best_overlap / (best_align + 1e-9)) for a in mine]
    return result


def reference_terms(distances, logits, objects, chosen, alphas=None):
    """box, cls, l1 of one head, and the alphas of the complete IoUs."""
    norm = max(sum(w for *_, w in chosen), 1.0)
    target, box, l1, used = np.zeros_like(logits), 0.0, 0.0, []
    for k, (n, a, g, weight) in enumerate(chosen):
        truth, label, (x, y, s), d = objects[n][0][g], objects[n][1][g], grid()[a], distances[n, a]
        lost, alpha = ciou_parts(box_of(d, grid()[a]), truth, None if alphas is None else alphas[k])
        used.append(alpha)
        box += lost * weight
        want = [x - truth[0] / s, y - truth[1] / s, truth[2] / s - x, truth[3] / s - y]
        l1 += weight * sum(abs(p - q) * s / side for p, q, side in zip(d, want, (WIDTH, HEIGHT, WIDTH, HEIGHT))) / 4
        target[n, a, label] = weight
    cls = (np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))).sum()
    return (box / norm, cls / norm, l1 / norm), used


def case(seed, images=3):
    """Predictions near the truth here and there, objects large, small and none; the third image is empty."""
    rng = np.random.default_rng(seed)
    objects = []
    for n in range(images):
        count = (4, 2, 0)[n % 3]
        corner, side = rng.uniform(0, 0.7, (count, 2)), rng.uniform(0.05, 0.6, (count, 2))
        box = np.concatenate([corner, np.minimum(corner + side, 1)], 1) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
        if count == 4:
            box[1] = box[0] + [2, -1, 3, 1]                # two that want the same cells
            box[3] = [40, 30, 44, 33]                     # one that holds no centre by itself
        objects.append((box, rng.integers(0, CLASSES, count)))
    distances = rng.normal(2, 0.7, (2, images, len(grid()), 4))
    logits = rng.normal(-1, 1, (2, images, len(grid()), CLASSES))
    for n, (boxes, _) in enumerate(objects):              # predictions that overlap well, so that alignments differ
        for a, (x, y, s) in enumerate(grid()):
            for box in boxes:
                if box[0] < x * s < box[2] and box[1] < y * s < box[3]:
                    sides = np.array([x - box[0] / s, y - box[1] / s, box[2] / s - x, box[3] / s - y])
                    distances[:, n, a] = sides * rng.uniform(0.7, 1.3, (2, 4))
    return distances, logits, objects


def batch_of(objects, dtype=np.float64):
    return {"boxes": [fn.tensor(np.asarray(b, dtype).reshape(-1, 4)) for b, _ in objects],
            "labels": [fn.tensor(np.asarray(v, np.int64)) for _, v in objects]}


@pytest.mark.parametrize("most,kept,smallest", [(10, 10, 16.0), (7, 1, 16.0), (3, 2, 0.0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_assignment(seed, most, kept, smallest):
    distances, logits, objects = case(seed)
    want = reference_assign(distances[0], logits[0], objects, most, kept, smallest)
    image = np.repeat(np.arange(3), [len(b) for b, _ in objects])
    flat = Objects(image, np.concatenate([b for b, _ in objects]), np.concatenate([v for _, v in objects]))
    boxes = np.array([[box_of(d, c) for d, c in zip(row, grid())] for row in distances[0]])
    got = assign(boxes, logits[0], np.array([[x * s, y * s] for x, y, s in grid()]), flat, most, kept, smallest)
    first = [0, len(objects[0][0]), len(objects[0][0]) + len(objects[1][0])]
    wanted = {(n * len(grid()) + a, first[n] + g): w for n, a, g, w in want}
    found = {(int(c), int(g)): w for c, g, w in zip(*got)}
    assert found.keys() == wanted.keys() and len(set(got.cell)) == len(got.cell)
    assert all(abs(found[k] - wanted[k]) < 1e-12 for k in found)
    assert (3 in got.object) == (smallest > 0)            # the small object has cells only where it counts as larger
    assert len(got.cell) > 3 and np.bincount(got.object).max() <= kept


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("seed", [2, 3])
def test_loss_and_gradients(seed, reduction):
    distances, logits, objects = case(seed)
    loss = models.DetectionLoss(CLASSES, reduction=reduction)
    loss.at_epoch(3, 8)
    share = 0.8 - 0.7 * 3 / 7
    tensors = [[fn.tensor(v[k], requires_grad=True) for v in (distances, logits)] for k in (0, 1)]
    made = loss((*(Raw(d, z) for d, z in tensors), cells(HEIGHT, WIDTH, tensors[0][0])), batch_of(objects))
    made.backward()
    chosen = [reference_assign(distances[k], logits[k], objects, most, kept, 16.0) for k, (most, kept) in enumerate(((10, 10), (7, 1)))]
    fixed: list = [None, None]

    def total(d, z):
        value = 0.0
        for k, part in enumerate((share, 1 - share)):
            (box, cls, l1), alphas = reference_terms(d[k], z[k], objects, chosen[k], fixed[k])
            fixed[k] = alphas if fixed[k] is None else fixed[k]
            value += part * (7.5 * box + 0.5 * cls + 1.5 * l1)
        return value * (3 if reduction == "sum" else 1)
    assert abs(made.item() - total(distances, logits)) < 1e-10 * abs(made.item())
    rng, h = np.random.default_rng(seed), 1e-4
    gradients = [np.stack([tensors[k][i].grad.numpy() for k in (0, 1)]) for i in (0, 1)]
    for _ in range(4):                                    # five-point differences along random directions
        u, v = rng.normal(size=distances.shape), rng.normal(size=logits.shape)
        at = [total(distances + t * h * u, logits + t * h * v) for t in (-2, -1, 1, 2)]
        slope = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)
        assert abs(slope - (gradients[0] * u).sum() - (gradients[1] * v).sum()) < 1e-7 * abs(made.item())
    n, a = chosen[0][0][:2]
    for i in range(4):                                    # and along each side of one box
        u = np.zeros_like(distances)
        u[0, n, a, i] = 1
        at = [total(distances + t * h * u, logits) for t in (-2, -1, 1, 2)]
        assert abs((at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h) - gradients[0][0, n, a, i]) < 1e-7


def test_a_batch_without_objects():
    distances, logits, _ = case(4, 2)
    nothing = [(np.zeros((0, 4)), np.zeros(0, int))] * 2
    loss, tensors = models.DetectionLoss(CLASSES), [fn.tensor(v, requires_grad=True) for v in (distances[0], logits[0])]
    raw = Raw(*tensors)
    value = loss((raw, raw, cells(HEIGHT, WIDTH, tensors[0])), batch_of(nothing))
    value.backward()
    assert abs(value.item() - 0.5 * np.log1p(np.exp(logits[0])).sum()) < 1e-9 * value.item()
    assert (tensors[0].grad.numpy() == 0).all() and np.isfinite(tensors[1].grad.numpy()).all()


def test_float32_is_the_float64_loss_nearly():
    distances, logits, objects = case(5)
    values = []
    for dtype in (np.float32, np.float64):
        tensors = [fn.tensor(v.astype(dtype)) for v in (distances[0], logits[0], distances[1], logits[1])]
        values.append(models.DetectionLoss(CLASSES)((Raw(*tensors[:2]), Raw(*tensors[2:]), cells(HEIGHT, WIDTH, tensors[0])),
                                                    batch_of(objects, dtype)).item())
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_complete_iou_loss():
    rng = np.random.default_rng(6)
    a, b = (np.sort(rng.uniform(0, 10, (20, 2, 2)), 1).reshape(20, 4) for _ in range(2))
    b[0] = a[0]
    x = fn.tensor(a, requires_grad=True)
    got = complete_box_iou_loss(x, fn.tensor(b))
    parts = [ciou_parts(p, q) for p, q in zip(a, b)]
    assert np.allclose(got.detach().numpy(), [p for p, _ in parts], atol=1e-12)
    got.sum().backward()
    for r in (1, 2, 3):
        for i in range(4):
            at = []
            for t in (-2, -1, 1, 2):
                moved = a[r].copy()
                moved[i] += t * 1e-4
                at.append(ciou_parts(moved, b[r], parts[r][1])[0])
            assert (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / 12e-4 == pytest.approx(x.grad.numpy()[r, i], abs=1e-8)
    assert complete_box_iou_loss(x, fn.tensor(b), "mean").item() == pytest.approx(np.mean([p for p, _ in parts]))
    with pytest.raises(ValueError, match="one shape"):
        complete_box_iou_loss(x, x[:2])
    with pytest.raises(ValueError, match="reduction"):
        complete_box_iou_loss(x, x, "none of them")


def test_complete_iou_loss_is_torchvisions():
    torch, ops = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(7)
    a, b = (np.sort(rng.uniform(0, 10, (50, 2, 2)), 1).reshape(50, 4) for _ in range(2))
    x, y = fn.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    ours, theirs = complete_box_iou_loss(x, fn.tensor(b), "sum"), ops.complete_box_iou_loss(y, torch.tensor(b), "sum")
    ours.backward()
    theirs.backward()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6) and np.allclose(x.grad.numpy(), y.grad.numpy(), atol=1e-5)


def test_what_is_refused():
    loss, z = models.DetectionLoss(CLASSES), fn.zeros(1, len(grid()), CLASSES)
    raw = Raw(fn.zeros(1, len(grid()), 4), z)
    output = (raw, raw, cells(HEIGHT, WIDTH, z))
    with pytest.raises(ValueError, match="labels go from 0 to 3"):
        loss(output, {"boxes": [fn.ones(2, 4)], "labels": [fn.tensor([0, 3])]})
    with pytest.raises(ValueError, match=r"boxes must be \(n, 4\)"):
        loss(output, {"boxes": [fn.ones(2, 4)], "labels": [fn.tensor([0])]})
    with pytest.raises(ValueError, match="do not fit 2 images"):
        loss(output, batch_of([(np.zeros((0, 4)), np.zeros(0, int))] * 2))
    with pytest.raises(ValueError, match="labels must be whole numbers"):
        loss(output, {"boxes": [fn.ones(1, 4)], "labels": [fn.tensor([0.5])]})
    for box in ([20.0, 20.0, 10.0, 30.0], [1.0, 2.0, 3.0, math.nan]):           # the first: left, top, width, height
        with pytest.raises(ValueError, match=r"a box must be x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, got \["):
            loss(output, {"boxes": [fn.tensor([[1.0, 1.0, 2.0, 2.0], box])], "labels": [fn.tensor([0, 1])]})
    with pytest.raises(TypeError, match=r"targets must be a dict with 'boxes' and 'labels'.* got keys \['boxes'\]"):
        loss(output, {"boxes": []})
    with pytest.raises(TypeError, match="output must be what a YOLO26 gives in training.* got Tensor"):
        loss(z, {"boxes": [], "labels": []})
    with pytest.raises(ValueError, match="share"):
        models.DetectionLoss(2, share=(0.8, 1.2))


def test_the_heads_weight_moves_in_a_straight_line():
    loss, seen = models.DetectionLoss(2), []
    shift = models.ShiftHeads(loss, 8)
    for epoch in range(1, 10):
        shift.on_epoch_start(type("Trainer", (), {"epoch": epoch}))
        seen.append(loss.weight)
    assert np.allclose(seen, [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1])
