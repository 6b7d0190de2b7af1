"""Errors and explained variance: against their formulas in one go, scikit-learn, and data far from zero."""
import math

import numpy as np
import pytest

import fastnet as fn
from fastnet import metrics as M

RNG = np.random.default_rng(2)
TARGET = RNG.standard_normal((70, 3))
OUTPUT = TARGET + 0.5 * RNG.standard_normal((70, 3)) + 0.2
ALL = [M.MeanSquaredError, lambda: M.MeanSquaredError(squared=False), M.MeanAbsoluteError, M.MeanAbsolutePercentageError, M.R2Score,
       lambda: M.R2Score("variance_weighted"), lambda: M.R2Score("raw_values"), M.ExplainedVariance, M.PearsonCorrCoef]


def fed(metric, output, target):
    metric.update(output, target)
    return metric.compute()


def formulas(x, y):
    r2 = 1 - ((x - y) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)
    return [np.mean((x - y) ** 2), np.sqrt(np.mean((x - y) ** 2)), np.mean(np.abs(x - y)), np.mean(np.abs((x - y) / y)), np.mean(r2),
            np.average(r2, weights=y.var(0)), r2, np.mean(1 - (y - x).var(0) / y.var(0)),
            np.array([np.corrcoef(x[:, k], y[:, k])[0, 1] for k in range(3)])]


@pytest.mark.parametrize("k", range(len(ALL)))
def test_values_pieces_and_parts(k):
    make, want = ALL[k], formulas(OUTPUT, TARGET)[k]
    assert fed(make(), OUTPUT, TARGET) == pytest.approx(want, rel=1e-12)
    single = fed(make(), fn.tensor(OUTPUT[:, 0].astype(np.float32), requires_grad=True), fn.tensor(TARGET[:, 0].astype(np.float32)))
    assert single == pytest.approx(formulas(OUTPUT[:, :1].repeat(3, 1), TARGET[:, :1].repeat(3, 1))[k].max(), rel=1e-5)
    first, second, empty = make(), make(), make()
    for part in (slice(0, 1), slice(1, 30)):
        first.update(OUTPUT[part], TARGET[part])
    first.update(OUTPUT[:0], TARGET[:0])
    second.update(OUTPUT[30:], TARGET[30:])
    before = second.compute()
    assert empty.merge(first, second, make()).compute() == pytest.approx(want, rel=1e-12)
    empty.update(OUTPUT, TARGET)
    assert np.array_equal(second.compute(), before)
    empty.reset()
    assert np.isnan(empty.compute()).all()


def test_scikit_learn_agrees():
    theirs = pytest.importorskip("sklearn.metrics")
    assert fed(M.MeanAbsolutePercentageError(), OUTPUT, TARGET) == pytest.approx(theirs.mean_absolute_percentage_error(TARGET, OUTPUT))
    constant = np.ones((4, 2)), np.stack((np.ones(4), np.arange(4.0)), 1)
    for x, y in ((OUTPUT, TARGET), constant, constant[::-1]):
        for way in ("uniform_average", "raw_values", "variance_weighted"):
            assert fed(M.R2Score(way), x, y) == pytest.approx(theirs.r2_score(y, x, multioutput=way))
            assert fed(M.ExplainedVariance(way), x, y) == pytest.approx(theirs.explained_variance_score(y, x, multioutput=way))


def test_targets_far_from_zero_keep_their_digits():
    """A sum of squares would have no digit left."""
    far, near = OUTPUT + 1e9, np.float64(1e9)
    for make, k in ((M.R2Score, 4), (M.ExplainedVariance, 7), (M.PearsonCorrCoef, 8)):
        metric = make()
        for part in np.array_split(np.arange(70), 9):
            metric.update(far[part], TARGET[part] + near)
        assert metric.compute() == pytest.approx(formulas(OUTPUT, TARGET)[k], rel=1e-5)


def test_odd_data():
    assert math.isnan(fed(M.R2Score(), [1.0], [1.0])) and math.isnan(fed(M.PearsonCorrCoef(), [1.0, 1.0], [1.0, 2.0]))
    assert fed(M.R2Score(), [1.0, 1.0], [1.0, 1.0]) == 1 and fed(M.R2Score(), [1.0, 2.0], [1.0, 1.0]) == 0
    assert fed(M.MeanAbsolutePercentageError(), [1.0], [0.0]) == pytest.approx(1 / 1.17e-6)
    assert math.isnan(fed(M.MeanSquaredError(), [math.nan], [0.0]))
    assert fed(M.MeanSquaredError(), np.array([250], np.uint8), np.array([255], np.uint8)) == 25


@pytest.mark.parametrize("call, error, message", [
    (lambda: fed(M.MeanSquaredError(), np.zeros((3, 1)), np.zeros(3)), ValueError, r"\(3, 1\) and target \(3,\) must have one shape"),
    (lambda: fed(M.R2Score(), np.zeros((3, 1, 1)), np.zeros((3, 1, 1))), ValueError, r"output must be \(N,\) or \(N, columns\), got"),
    (lambda: fed(M.MeanAbsoluteError(), ["a"], ["b"]), TypeError, "must be numbers"),
    (lambda: M.R2Score("mean"), ValueError, "R2Score: multioutput must be one of uniform_average, raw_values, variance_weighted"),
])
def test_what_is_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    metric = M.PearsonCorrCoef()
    metric.update(OUTPUT, TARGET)
    with pytest.raises(ValueError, match="output has 2 columns, before it had 3"):
        metric.update(OUTPUT[:, :2], TARGET[:, :2])
