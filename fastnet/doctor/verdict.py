"""Verdict: one finding with its numbers and its cure; and the thresholds, with where they come from."""
from __future__ import annotations

from dataclasses import dataclass, field

# Gradients along depth.  Glorot and Bengio (2010) look at how the variance of back-propagated gradients changes from layer to layer, which
# should be little; He et al. (2015) derive the initialisation that keeps it for ReLU.  Norms of dL/d(output) of the first and the last
# weight layer: three powers of ten between them are beyond what healthy networks of the tests show (at most one and a half).
VANISHING = 1e-3
EXPLODING = 1e3
# Gradient against weight of one parameter, ||g||/||w||.  Pascanu, Mikolov and Bengio (2013): norms beyond the usual by powers of ten, or
# in sudden walls, are what clipping is for.
HUGE_GRADIENT = 100.0
HUGE_NORMALISED = 1e5                                     # before a norm the scale of a weight is free, and its gradient goes with 1/||w||
WALL = 100.0                                              # the largest sampled norm against the median
# Units of a ReLU that were 0 for everything.  CS231n (Neural networks 1) finds "as much as 40 %" with too high a rate.
DEAD = 0.4
DEAD_ROWS = 64                                            # rows that must have been seen before a unit is called dead
# Outputs of a sigmoid or tanh with less than 5 % of the largest slope.  Glorot and Bengio (2010), section 3: saturated layers.
SATURATED = 0.5
# ||update||/||weight||: CS231n (Neural networks 3): "should be somewhere around 1e-3".  Two powers of ten either way are allowed.
UPDATE_HIGH = 1e-1
UPDATE_RISING = 1e-2                                      # where the loss rises, too
UPDATE_LOW = 1e-5
# The first loss against ln(C), CS231n (sanity checks): chance performance before training.
FIRST_LOSS = 1.5
FIRST_BATCH = 16                                          # samples: the loss of fewer is too noisy to be judged
# Inputs: zero mean and unit variance are ideal (LeCun et al., Efficient backprop, 1998); pixels in 0..1 are as good in practice.
INPUT_LARGE = 10.0
INPUT_SMALL = 1e-3
FEATURE_SPREAD = 1e3                                      # largest against smallest standard deviation of features
# Labels.
IMBALANCE = 10.0                                          # most frequent against least frequent class
PER_CLASS = 10                                            # labels for each class on average before one may be called missing


@dataclass
class Verdict:
    """One finding.

    Attributes:
        name: "vanishing", "exploding", "dead relu", "saturated", "learning rate too high", "learning rate too low", "not finite",
            "unused parameter", "not optimized", "unscaled input", "missing class", "imbalanced classes", "label out of range",
            "first loss", "constant output".
        severity: "error": the network cannot learn like this; "warning": it learns worse than it could.
        layer: the layer or parameter it is about; "" for the whole network or the data.
        numbers: what was measured.
        explanation: what it means.
        cure: what to do.
    """

    name: str
    severity: str
    layer: str
    explanation: str
    cure: str
    numbers: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        where = f" in {self.layer}" if self.layer else ""
        return f"{self.severity}: {self.name}{where}\n    {self.explanation}\n    Cure: {self.cure}"
