"""Metrics of classifiers: against loops over the samples and scikit-learn; pieces and parts; ties, nothing, and what is refused."""
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import metrics as M

RNG = np.random.default_rng(0)
OUTPUT, TARGET = RNG.standard_normal((60, 5)).astype(np.float32), RNG.integers(0, 4, 60)      # class 4 never is, and is sometimes said
SAID = OUTPUT.argmax(1)
BOTH = RNG.random((40, 3)), RNG.integers(0, 2, (40, 3))
METRICS = {"precision": M.Precision, "recall": M.Recall, "f1": M.F1Score, "f2": lambda **k: M.FBetaScore(beta=2.0, **k),
           "jaccard": M.JaccardIndex, "dice": M.Dice}


def fed(metric, output, target):
    metric.update(output, target)
    return metric.compute()


def value(name, tp, fp, fneg):
    p, r = (tp / (tp + other) if tp + other else 0.0 for other in (fp, fneg))
    if name in ("f1", "dice", "f2"):
        b = 4 if name == "f2" else 1
        return (1 + b) * p * r / (b * p + r) if p + r else 0.0
    return {"precision": p, "recall": r, "jaccard": tp / (tp + fp + fneg) if tp + fp + fneg else 0.0}[name]


def counted(said, right):
    """(TP, FP, FN) by looking at each decision."""
    pairs = list(zip(said.tolist(), right.tolist()))
    return [pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1))]


@pytest.mark.parametrize("name", METRICS)
def test_counting_by_hand(name):
    make = METRICS[name]
    table = np.array([counted((k == SAID).astype(int), (k == TARGET).astype(int)) for k in range(5)])
    each = np.array([value(name, *row) for row in table])
    assert fed(make(average="none"), OUTPUT, TARGET) == pytest.approx(each)
    assert fed(make(average=None), fn.tensor(OUTPUT, requires_grad=True), fn.tensor(TARGET)) == pytest.approx(each)
    assert fed(make(), OUTPUT, TARGET) == pytest.approx(each[(table.sum(1) > 0)].mean())
    assert fed(make(average="micro"), OUTPUT, TARGET) == pytest.approx(value(name, *table.sum(0)))
    right = np.bincount(TARGET, minlength=5)
    assert fed(make(average="weighted"), SAID, TARGET) == pytest.approx((each * right).sum() / 60)
    x, y = BOTH
    tables = np.array([counted((x[:, k] > 0.5).astype(int), y[:, k]) for k in range(3)])
    assert fed(make(average="none"), x, y) == pytest.approx([value(name, *row) for row in tables])
    assert fed(make(average="micro"), x, y) == pytest.approx(value(name, *tables.sum(0)))
    assert fed(make(), x[:, 0], y[:, 0]) == fed(make(), x[:, :1], y[:, 0]) == pytest.approx(value(name, *tables[0]))
    assert fed(make(), np.log(x / (1 - x))[:, 0], y[:, 0]) == pytest.approx(value(name, *tables[0]))      # logits
    three = counted((x[:, 0] > 0.8).astype(int), y[:, 0])
    assert fed(make(threshold=0.8), x[:, 0], y[:, 0].astype(bool)) == pytest.approx(value(name, *three))
    assert fed(make(threshold=0.8, logits=True), np.log(x / (1 - x))[:, 0], y[:, 0]) == pytest.approx(value(name, *three))


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", "none"])
def test_scikit_learn_agrees(average):
    theirs = pytest.importorskip("sklearn.metrics")
    x, y = BOTH
    for said, right, task in ((SAID, TARGET, "multiclass"), ((x > 0.5).astype(int), y, "multilabel")):
        options = {"average": None if average == "none" else average, "zero_division": 0}
        ours = {"average": average, "task": task}
        assert fed(M.Precision(**ours), said, right) == pytest.approx(theirs.precision_score(right, said, **options))
        assert fed(M.Recall(**ours), said, right) == pytest.approx(theirs.recall_score(right, said, **options))
        assert fed(M.F1Score(**ours), said, right) == pytest.approx(theirs.f1_score(right, said, **options))
        assert fed(M.FBetaScore(beta=0.5, **ours), said, right) == pytest.approx(theirs.fbeta_score(right, said, beta=0.5, **options))
        assert fed(M.JaccardIndex(**ours), said, right) == pytest.approx(theirs.jaccard_score(right, said, **options))
    assert fed(M.Accuracy(), OUTPUT, TARGET) == pytest.approx(theirs.accuracy_score(TARGET, SAID))
    assert fed(M.ConfusionMatrix(), OUTPUT, TARGET).tolist() == theirs.confusion_matrix(TARGET, SAID, labels=range(5)).tolist()
    assert fed(M.ConfusionMatrix("multilabel"), x, y).tolist() == theirs.multilabel_confusion_matrix(y, x > 0.5).tolist()
    for way in ("true", "pred", "all"):
        want = theirs.confusion_matrix(TARGET, SAID, labels=range(5), normalize=way)
        assert fed(M.ConfusionMatrix(normalize=way), OUTPUT, TARGET) == pytest.approx(want)
    for k in (1, 2, 4):
        want = theirs.top_k_accuracy_score(TARGET, OUTPUT, k=k, labels=range(5))
        assert fed(M.TopKAccuracy(k), OUTPUT, TARGET) == pytest.approx(want)


def test_accuracy():
    each = np.array([np.mean(SAID[TARGET == k] == k) for k in range(4)])
    assert fed(M.Accuracy(), OUTPUT, TARGET) == np.mean(SAID == TARGET)
    assert fed(M.Accuracy(average="none"), OUTPUT, TARGET) == pytest.approx([*each, 0.0])
    assert fed(M.Accuracy(average="macro"), SAID[SAID < 4], TARGET[SAID < 4]) == pytest.approx(
        np.mean([np.mean(SAID[(TARGET == k) & (SAID < 4)] == k) for k in range(4)]))
    x, y = BOTH
    assert fed(M.Accuracy(), x[:, 0], y[:, 0]) == np.mean((x[:, 0] > 0.5) == y[:, 0])
    assert fed(M.Accuracy(), x, y) == pytest.approx(np.mean((x > 0.5) == y))
    assert fed(M.Accuracy(average="none"), x, y) == pytest.approx(((x > 0.5) == y).mean(0))
    skipped = np.where(RNG.random(y.shape) < 0.3, -1, y)
    assert fed(M.Accuracy(ignore_index=-1), x, skipped) == pytest.approx(((x > 0.5) == y)[skipped >= 0].mean())
    images, maps = RNG.standard_normal((2, 3, 4, 5)), RNG.integers(0, 3, (2, 4, 5))
    assert fed(M.Accuracy(), fn.tensor(images), fn.tensor(maps)) == np.mean(images.argmax(1) == maps)
    assert fed(M.TopKAccuracy(2), images, maps) == np.mean((np.argsort(-images, 1)[:, :2] == maps[:, None]).any(1))


def test_top_k_with_ties():
    flat = np.zeros((4, 4))
    for k in (1, 2, 3):
        assert [fed(M.TopKAccuracy(k), flat[:1], [c]) for c in range(4)] == [c < k for c in range(4)]        # as argmax takes the first
    assert fed(M.Accuracy(), flat, np.arange(4)) == 0.25
    assert fed(M.TopKAccuracy(2, average="none"), OUTPUT, TARGET) == pytest.approx(
        [np.mean([k in np.argsort(-row)[:2] for row in OUTPUT[TARGET == k]]) if (TARGET == k).any() else 0 for k in range(5)])


def test_nan_is_refused_where_it_would_decide():
    hole = OUTPUT.copy()
    hole[3, 4] = hole[7, 0] = np.nan
    for metric in (M.Accuracy(), M.TopKAccuracy(2), M.F1Score(), M.ConfusionMatrix()):
        metric.update(OUTPUT, TARGET)
        before = metric.compute()
        with pytest.raises(ValueError, match=rf"{type(metric).__name__}.update: output is NaN for 2 of {len(TARGET)} targets"):
            metric.update(hole, TARGET)
        assert np.array_equal(metric.compute(), before)
    scores, labels = np.array([[0.2, np.nan], [0.9, 0.1]]), np.array([[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="Accuracy.update: output is NaN for 1 of 4 targets"):
        M.Accuracy().update(scores, labels)                                                  # multilabel
    with pytest.raises(ValueError, match="Precision.update: output is NaN for 1 of 2 targets"):
        M.Precision().update(scores[0], [0, 1])                                              # binary
    padded = np.where(np.isnan(hole).any(1), -100, TARGET)
    kept = padded >= 0
    assert fed(M.Accuracy(ignore_index=-100), hole, padded) == np.mean(OUTPUT.argmax(1)[kept] == TARGET[kept])
    assert fed(M.Accuracy(ignore_index=-1), scores, np.array([[0, -1], [1, 1]])) == pytest.approx(2 / 3)    # still probabilities
    assert fed(M.TopKAccuracy(1, ignore_index=-100), hole, padded) == np.mean(OUTPUT.argmax(1)[kept] == TARGET[kept])


@pytest.mark.parametrize("make", [M.Accuracy, M.Precision, M.ConfusionMatrix, M.JaccardIndex, lambda: M.Accuracy(average="none")])
def test_compute_before_update_warns(make):
    metric = make()
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match=rf"{type(metric).__name__}.compute: no target has been counted") as caught:
            assert np.all(metric.compute() == 0)
        assert caught[0].filename == __file__
        metric.update([1, 0], [1, 1])
        metric.compute()
        metric.reset()


def test_confusion_matrix():
    want = np.zeros((5, 5), int)
    for right, said in zip(TARGET, SAID):
        want[right, said] += 1
    assert fed(M.ConfusionMatrix(), OUTPUT, TARGET).tolist() == want.tolist()
    assert fed(M.ConfusionMatrix(), [True, False, True], [True, True, False]).tolist() == [[0, 1], [1, 1]]
    holes = fed(M.ConfusionMatrix(num_classes=3, normalize="true"), [0, 1], [0, 0])
    assert holes.tolist() == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0]]


ALL = [M.Accuracy, M.Precision, M.Recall, M.F1Score, M.FBetaScore, M.ConfusionMatrix, M.JaccardIndex, M.Dice, lambda: M.TopKAccuracy(2),
       lambda: M.Accuracy(average="none"), lambda: M.ConfusionMatrix(ignore_index=1), lambda: M.Accuracy(ignore_index=1)]


@pytest.mark.parametrize("make", ALL)
def test_pieces_and_parts_give_the_value_of_the_whole(make):
    for x, y in ((OUTPUT, TARGET), (SAID, TARGET), (BOTH[0], BOTH[1]), (BOTH[0][:, 0], BOTH[1][:, 0])):
        if isinstance(make(), M.TopKAccuracy) and x is not OUTPUT:
            continue
        whole, first, second, empty = make(), make(), make(), make()
        whole.update(x, y)
        for part in (slice(0, 1), slice(1, 7), slice(7, 30)):
            first.update(x[part], y[part])
        second.update(x[30:], y[30:])
        before = second.compute()
        assert empty.merge(first, pickle.loads(pickle.dumps(second)), make()) is empty
        assert np.array_equal(empty.compute(), whole.compute()) and np.array_equal(second.compute(), before)
        empty.update(x, y)
        assert np.array_equal(second.compute(), before)
        whole.reset()
        with pytest.warns(RuntimeWarning, match="no target has been counted"):
            assert np.asarray(whole.compute()).sum() == 0


@pytest.mark.filterwarnings("ignore:.*no target has been counted")
def test_nothing_and_no_classes_yet():
    for make in ALL:
        metric = make()
        assert np.sum(metric.compute()) == 0
        metric.update(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
        assert np.sum(metric.compute()) == 0
    metric = M.Accuracy(average="none")
    metric.update([0], [0])
    metric.update([3], [2])                                   # classes may appear later
    assert metric.compute().tolist() == [1, 0, 0, 0]


def test_ignored_targets():
    said, right = np.array([0, 1, 1, 2]), np.array([0, 255, 1, 255])
    assert fed(M.JaccardIndex(ignore_index=255, average="none", num_classes=3), said, right).tolist() == [1, 1, 0]
    assert fed(M.Accuracy(ignore_index=255), OUTPUT[:4], right) == np.mean((SAID[:4] == right)[[0, 2]])


@pytest.mark.parametrize("call, error, message", [
    (lambda: M.Accuracy("regression"), ValueError, "Accuracy: task must be one of binary, multiclass, multilabel or None"),
    (lambda: M.F1Score(average="binary"), ValueError, "F1Score: average must be one of micro, macro, weighted, none, got 'binary'"),
    (lambda: M.FBetaScore(beta=-1), ValueError, "FBetaScore: beta must be a number from 0 on, got -1"),
    (lambda: M.Accuracy(top_k=0), ValueError, "Accuracy: top_k must be positive, got 0"),
    (lambda: M.Accuracy("binary", top_k=2), ValueError, "top_k=2 is for multiclass tasks, not binary"),
    (lambda: M.Precision(threshold=2), ValueError, r"Precision: threshold must be in \[0, 1\], got 2"),
    (lambda: M.ConfusionMatrix(normalize="rows"), ValueError, "ConfusionMatrix: normalize must be None, 'true', 'pred' or 'all'"),
    (lambda: fed(M.Accuracy(), np.zeros((3, 4)), [0, 1]), ValueError, r"Accuracy.update: output \(3, 4\) must be \(N, C, ...\) for target"),
    (lambda: fed(M.Accuracy(), np.zeros((2, 4)), [0, 4]), IndexError, r"target must be in \[0, 4\), got 0 to 4"),
    (lambda: fed(M.Accuracy(), np.zeros((2, 4)), [0, -1]), IndexError, r"target must be in \[0, 4\), got -1 to 0"),
    (lambda: fed(M.Accuracy(), [0, -1], [0, 1]), IndexError, "output must be in 0, 1, 2, ..., got -1 to 0"),
    (lambda: fed(M.Accuracy(), np.zeros((2, 4)), [0, 0.5]), TypeError, "target must be class labels"),
    (lambda: fed(M.Accuracy(), np.zeros(2), [0, 2]), IndexError, r"target must be in \[0, 2\), got 0 to 2"),
    (lambda: fed(M.Recall(num_classes=3), np.zeros((2, 4)), [0, 1]), ValueError, "has 4 classes, not 3"),
    (lambda: fed(M.Recall(num_classes=2), BOTH[0], BOTH[1]), ValueError, "has 3 labels, not 2"),
    (lambda: fed(M.Recall("multilabel"), np.zeros(3), np.zeros(3)), ValueError, r"must both be \(N, L, ...\)"),
    (lambda: fed(M.TopKAccuracy(2), [0, 1], [0, 1]), ValueError, "top_k=2 needs scores, got labels"),
    (lambda: M.Accuracy().merge(M.Accuracy(top_k=2)), ValueError, "Accuracy.merge: top_k is 1 here and 2 there"),
    (lambda: M.Accuracy().merge(M.Recall()), TypeError, "Accuracy.merge: got a Recall"),
])
def test_what_is_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_refused_piece_adds_nothing():
    metric, other = M.Accuracy(), M.Accuracy()
    metric.update(OUTPUT, TARGET)
    before = metric.compute()
    for x, y, error in ((OUTPUT[:, :3], TARGET, ValueError), (OUTPUT, TARGET + 2, IndexError), (BOTH[0], BOTH[1], TypeError)):
        with pytest.raises(error):
            metric.update(x, y)
    other.update(BOTH[0], BOTH[1])
    with pytest.raises(ValueError, match=r"Accuracy.merge: the parts have seen different tasks: \['multiclass', 'multilabel'\]"):
        metric.merge(other)
    assert metric.compute() == before


def test_the_trainer_measures_with_them():
    x, y = fn.tensor(OUTPUT), fn.tensor(TARGET)
    model = fn.nn.Linear(5, 5)
    trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), fn.optim.SGD(model.parameters(), lr=0.1), progress=False,
                         metrics={"accuracy": M.Accuracy(), "top2": M.TopKAccuracy(2), "f1": M.F1Score(), "auc": M.AUROC()},
                         train_metrics={"accuracy": M.Accuracy()})
    record = trainer.fit([(x, y)] * 2, [(x[:30], y[:30]), (x[30:], y[30:])], epochs=1)[-1]
    said = model(x).detach().numpy()
    assert record["val_accuracy"] == pytest.approx(np.mean(said.argmax(1) == TARGET)) and 0 < record["train_accuracy"] < 1
    assert record["val_auc"] == pytest.approx(fed(M.AUROC(), said, TARGET)) and record["val_top2"] >= record["val_accuracy"]


def test_small_pieces_are_logits_once_one_was():
    x, y = np.array([-3.0, 4.0, 0.3, 0.2], np.float32), np.array([0, 1, 1, 0])        # logits: 0.2 and 0.3 mean 1
    whole, split = M.Accuracy(), M.Accuracy()
    whole.update(x, y)
    for i in (slice(0, 2), slice(2, 3), slice(3, 4)):
        split.update(x[i], y[i])
    assert whole.compute() == split.compute() == 0.75
    other = M.Accuracy()
    other.merge(split)
    other.update(x[2:3], y[2:3])
    assert other.compute() == 0.8
    split.reset()
    split.update(x[2:3], y[2:3])                          # a probability again
    assert split.compute() == 0
