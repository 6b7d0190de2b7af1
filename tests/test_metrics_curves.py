"""ROC, precision-recall curves and the areas under them: against counting pairs and thresholds one by one, and scikit-learn."""
import math
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import metrics as M

RNG = np.random.default_rng(1)
SCORES, LABELS = RNG.standard_normal(80).round(1), RNG.integers(0, 2, 80)             # rounded: there are ties
OUTPUT, TARGET = RNG.standard_normal((90, 4)).astype(np.float32), RNG.integers(0, 4, 90)
PROBABILITIES = np.exp(OUTPUT) / np.exp(OUTPUT).sum(1, keepdims=True)
MANY = RNG.random((50, 3)).round(2), RNG.integers(0, 2, (50, 3))


def fed(metric, output, target):
    metric.update(output, target)
    return metric.compute()


def auc_by_pairs(s, y):
    pairs = [(a > b) + (a == b) / 2 for a in s[y == 1] for b in s[y == 0]]
    return np.mean(pairs)


def ap_by_thresholds(s, y):
    total, before = 0.0, 0.0
    for t in sorted(set(s.tolist()), reverse=True):
        chosen = s >= t
        recall, precision = (chosen & (y == 1)).sum() / (y == 1).sum(), (y[chosen] == 1).mean()
        total, before = total + (recall - before) * precision, recall
    return total


def test_areas_by_hand():
    assert fed(M.AUROC(), SCORES, LABELS) == pytest.approx(auc_by_pairs(SCORES, LABELS))
    scores, labels = fn.tensor(SCORES, requires_grad=True), fn.tensor(LABELS)
    assert fed(M.AveragePrecision(), scores, labels) == pytest.approx(ap_by_thresholds(SCORES, LABELS))
    counts = np.bincount(TARGET)
    for make, by_hand in ((M.AUROC, auc_by_pairs), (M.AveragePrecision, ap_by_thresholds)):
        each = [by_hand(PROBABILITIES[:, k], (TARGET == k).astype(int)) for k in range(4)]
        assert fed(make(average="none"), OUTPUT, TARGET) == pytest.approx(each)
        assert fed(make(), PROBABILITIES, TARGET) == pytest.approx(np.mean(each))
        assert fed(make(average="weighted"), OUTPUT, TARGET) == pytest.approx(np.average(each, weights=counts))
        raw = [by_hand(OUTPUT[:, k], (TARGET == k).astype(int)) for k in range(4)]
        assert fed(make(average="none", logits=False), OUTPUT, TARGET) == pytest.approx(raw)
        x, y = MANY
        assert fed(make(average="none"), x, y) == pytest.approx([by_hand(x[:, k], y[:, k]) for k in range(3)])
        holes = np.where(RNG.random(y.shape) < 0.2, -1, y)
        each = [by_hand(x[h >= 0, k], h[h >= 0]) for k, h in enumerate(holes.T)]
        assert fed(make(average="none", ignore_index=-1), x, holes) == pytest.approx(each)
        assert fed(make(ignore_index=-1), x[:, 0], holes[:, 0]) == pytest.approx(each[0])


def test_curves_by_hand():
    fpr, tpr, thresholds = fed(M.ROC(), SCORES, LABELS)
    assert thresholds[0] == math.inf and thresholds[1:].tolist() == sorted(set(SCORES.tolist()), reverse=True)
    for x, y, t in zip(fpr, tpr, thresholds):
        assert (x, y) == (np.mean(SCORES[LABELS == 0] >= t), np.mean(SCORES[LABELS == 1] >= t))
    precision, recall, thresholds = fed(M.PrecisionRecallCurve(), SCORES, LABELS)
    assert (precision[-1], recall[-1]) == (1, 0) and len(thresholds) == len(recall) - 1
    for p, r, t in zip(precision, recall, thresholds):
        assert p == LABELS[SCORES >= t].mean() and r == np.mean(SCORES[LABELS == 1] >= t)
    for make in (M.ROC, M.PrecisionRecallCurve):
        several, one = fed(make(), PROBABILITIES, TARGET), fed(make(), PROBABILITIES[:, 2], TARGET == 2)
        assert all(len(part) == 4 and np.array_equal(part[2], alone) for part, alone in zip(several, one))


def test_scikit_learn_agrees():
    theirs = pytest.importorskip("sklearn.metrics")
    for ours, want in zip(fed(M.ROC(), SCORES, LABELS), theirs.roc_curve(LABELS, SCORES, drop_intermediate=False)):
        assert ours == pytest.approx(want)
    for ours, want in zip(fed(M.PrecisionRecallCurve(), SCORES, LABELS), theirs.precision_recall_curve(LABELS, SCORES)):
        assert ours == pytest.approx(want)
    assert fed(M.AUROC(), SCORES, LABELS) == pytest.approx(theirs.roc_auc_score(LABELS, SCORES))
    assert fed(M.AveragePrecision(), SCORES, LABELS) == pytest.approx(theirs.average_precision_score(LABELS, SCORES))
    for average in ("macro", "weighted"):
        want = theirs.roc_auc_score(TARGET, PROBABILITIES / PROBABILITIES.sum(1, keepdims=True), multi_class="ovr", average=average)
        assert fed(M.AUROC(average=average), OUTPUT, TARGET) == pytest.approx(want)
        assert fed(M.AUROC(average=average), *MANY) == pytest.approx(theirs.roc_auc_score(MANY[1], MANY[0], average=average))
        assert fed(M.AveragePrecision(average=average), *MANY) == pytest.approx(
            theirs.average_precision_score(MANY[1], MANY[0], average=average))


@pytest.mark.parametrize("make", [M.AUROC, M.AveragePrecision, M.ROC, M.PrecisionRecallCurve])
def test_pieces_and_parts_give_the_value_of_the_whole(make):
    for x, y in ((SCORES, LABELS), (OUTPUT, TARGET), MANY):
        whole, first, second, empty = make(), make(), make(), make()
        whole.update(x, y)
        lent = np.array(x)
        first.update(lent[:20], y[:20])
        lent[:] = 0                                           # what was fed may be written over
        second.update(x[20:], y[20:])
        assert empty.merge(first, pickle.loads(pickle.dumps(second))) is empty
        for a, b in zip(np.atleast_1d(np.asarray(empty.compute(), object)), np.atleast_1d(np.asarray(whole.compute(), object))):
            assert all(np.array_equal(p, q) for p, q in zip(np.atleast_1d(a), np.atleast_1d(b)))
        empty.update(x, y)
        assert len(second.pieces) == 1


def test_nothing_and_one_sided_labels():
    for make in (M.AUROC, M.AveragePrecision):
        assert math.isnan(make().compute()) and math.isnan(fed(make(), [0.1, 0.2], [0, 0]))
        assert math.isnan(fed(make(), [], np.zeros(0, int)))
    assert math.isnan(fed(M.AUROC(), [0.1, 0.2], [1, 1])) and fed(M.AveragePrecision(), [0.1, 0.2], [1, 1]) == 1
    areas = fed(M.AUROC(average="none"), PROBABILITIES[:, :4], TARGET % 3)
    assert math.isnan(areas[3]) and fed(M.AUROC(), PROBABILITIES, TARGET % 3) == pytest.approx(areas[:3].mean())
    assert [len(a) for a in M.ROC().compute()] == [1, 1, 1]
    assert fed(M.AUROC(), np.zeros(6), [0, 1, 0, 1, 1, 1]) == 0.5                      # nothing but ties


@pytest.mark.parametrize("call, error, message", [
    (lambda: M.AUROC("ranking"), ValueError, "AUROC: task must be one of binary, multiclass, multilabel or None"),
    (lambda: M.AUROC(average="micro"), ValueError, "AUROC: average must be one of macro, weighted, none, got 'micro'"),
    (lambda: fed(M.ROC(), [0.1, math.nan], [0, 1]), ValueError, "ROC.update: output must be numbers without NaN"),
    (lambda: fed(M.ROC(), [0.1, 0.3], [0, 2]), IndexError, r"target must be in \[0, 2\), got 0 to 2"),
    (lambda: fed(M.ROC(), [0.1, 0.3], [0, 1, 1]), ValueError, r"output \(2,\) must be \(N, C, ...\)"),
    (lambda: fed(M.ROC("multiclass"), [0.1, 0.3], [0, 1]), ValueError, r"output \(2,\) must be \(N, C, ...\)"),
    (lambda: fed(M.AUROC(num_classes=3), OUTPUT, TARGET), ValueError, r"output \(90, 4\) has 4 columns, not 3"),
    (lambda: fed(M.AUROC("multilabel"), OUTPUT, TARGET), ValueError, r"must both be \(N, L, ...\)"),
])
def test_what_is_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    one, other = M.AUROC(), M.AUROC()
    one.update(SCORES, LABELS)
    other.update(OUTPUT, TARGET)
    with pytest.raises(ValueError, match="AUROC.merge: the parts have seen different tasks"):
        one.merge(other)


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int64, np.float32])
def test_scores_of_any_dtype_are_sorted_by_value(dtype):
    metric = M.AUROC(task="binary")
    metric.update(np.array([0, 1, 0, 1]).astype(dtype), np.array([0, 1, 0, 1]))
    assert metric.compute() == 1
