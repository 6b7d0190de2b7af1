"""ctc_loss: by listing every path."""
from itertools import groupby, product

import numpy as np

from specs import Case, OpSpec, Refused, integers, normal, zeros

F = "fastnet.nn.functional."


def ctc_loss(x, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    steps, n, classes = x.shape
    losses = []
    for i in range(n):
        target = [int(k) for k in targets[i][:target_lengths[i]]]
        spelt = [p for p in product(range(classes), repeat=input_lengths[i]) if [k for k, _ in groupby(p) if k != blank] == target]
        likely = np.array([sum(x[t, i, k] for t, k in enumerate(p)) for p in spelt])
        loss = -np.log(np.exp(likely).sum()) if spelt else np.inf
        losses.append(0.0 if zero_infinity and loss == np.inf else loss)
    losses = np.array(losses)
    return losses.sum() if reduction == "sum" else (losses / np.maximum(target_lengths, 1)).mean() if reduction == "mean" else losses


def labels(low, high):
    return [normal, integers(low, high)]


def lengths(steps, targets, **more):
    return {"input_lengths": steps, "target_lengths": targets, **more}


CASES = [
    Case(((1, 1, 2), (1, 1)), lengths([1], [1]), labels(1, 2)), Case(((5, 2, 3), (2, 2)), lengths([5, 4], [2, 1]), labels(1, 3)),
    Case(((6, 1, 2), (1, 3)), lengths([6], [3], reduction="sum"), labels(1, 2)),                     # repeats need blanks between
    Case(((4, 3, 4), (3, 2)), lengths([4, 3, 1], [2, 0, 1], reduction="none"), labels(1, 4)),
    Case(((4, 2, 3), (2, 2)), lengths([4, 4], [2, 2], blank=2), labels(0, 2)),
    Case(((2, 2, 2), (2, 3)), lengths([2, 2], [3, 1], zero_infinity=True), labels(1, 2)),            # the first cannot be spelt
]


def refused(match, x, targets, *rest, error=RuntimeError, **kwargs):
    return Refused(error, "ctc_loss: " + match, x, targets, *rest, **kwargs)


X, ONE = zeros(4, 2, 3), zeros(2, 2, dtype="int64") + 1
SPECS = [OpSpec("ctc_loss", F + "ctc_loss", ctc_loss, cases=CASES, tol=3e-6, refused=[
    refused("input_lengths .* exceed the 4 steps", X, ONE, [5, 4], [2, 2]),
    refused("blank 3 is not one of", X, ONE, [4, 4], [2, 2], blank=3),
    refused("targets must be from 0 to 2 and not the blank 1", X, ONE, [4, 4], [2, 2], blank=1),
    refused("targets must be", X, ONE + 2, [4, 4], [2, 2]),
    refused("input_lengths must be 2 numbers", X, ONE, [4], [2, 2]), refused(r"targets \(2, 2\) do not fit", X, ONE, [4, 4], [3, 2]),
    refused("log_probs must be float", zeros(4), ONE, [4], [2]), refused("targets must be integers", X, zeros(2, 2), [4, 4], [2, 2]),
    refused("reduction must be", X, ONE, [4, 4], [2, 2], error=ValueError, reduction="avg")])]
