"""Losses: classes, and pairs of prediction and target."""
import numpy as np
from specs import Case, OpSpec, Refused, away_from, integers, normal, positive, probabilities, unit, zeros

MODES = ("mean", "sum", "none")


def reduced(y, reduction, count=None):
    return y if reduction == "none" else y.sum() if reduction == "sum" else y.sum() / (y.size if count is None else count)


def log_softmax(x, axis):
    d = x - x.max(axis=axis, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=axis, keepdims=True))


def nll(logp, target, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    """-sum_c w[c] q[c] logp[c], q the smoothed one-hot rows; rows with ignore_index are 0."""
    axis = min(1, logp.ndim - 1)
    n = logp.shape[axis]
    live = target != ignore_index
    one = np.moveaxis(np.eye(n)[np.where(live, target, 0)], -1, axis)
    w = np.ones(n) if weight is None else weight
    shape = [n if d == axis else 1 for d in range(logp.ndim)]
    q = one * (1 - label_smoothing) + label_smoothing / n
    y = -(w.reshape(shape) * q * logp).sum(axis) * live
    return reduced(y, reduction, (w[np.where(live, target, 0)] * live).sum())


def cross_entropy(x, target, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    axis = min(1, x.ndim - 1)
    logp = log_softmax(x, axis)
    if target.dtype.kind != "f":
        return nll(logp, target, weight, reduction, ignore_index, label_smoothing)
    n = x.shape[axis]
    w = (np.ones(n) if weight is None else weight).reshape([n if d == axis else 1 for d in range(x.ndim)])
    y = -(w * (target * (1 - label_smoothing) + label_smoothing / n) * logp).sum(axis)
    return reduced(y, reduction)


def classes(n, shape, target, weight=False, prob=False, **args):
    make = (normal, probabilities if prob else integers(0, n), positive)
    return Case((shape, target, (n,) if weight else None), args, make)


CLASSES = [classes(7, (5, 7), (5,), reduction=r, weight=w, ignore_index=2) for r in MODES for w in (False, True)] + [
    classes(4, (4,), ()), classes(3, (2, 3, 5), (2, 5), weight=True), classes(33, (3, 33, 2, 2), (3, 2, 2), reduction="none"),
    classes(1, (3, 1), (3,)), classes(1000, (17, 1000), (17,)), classes(5, (40, 5), (40,), reduction="sum")]
SMOOTH = [classes(7, (5, 7), (5,), reduction=r, weight=w, ignore_index=2, label_smoothing=0.1) for r in MODES for w in (False, True)] + [
    classes(7, (5, 7), (5, 7), prob=True, reduction=r, weight=w,
            label_smoothing=s) for r in MODES for w in (False, True) for s in (0.0, 0.2)] + [
    classes(3, (2, 3, 5), (2, 3, 5), prob=True), classes(4, (4,), (4,), prob=True)]


def detached(f, x, target, weight=None, **args):
    return f(x, target, weight, **args)


def pair(op, value, make=normal, targets=normal, args=({},), wrt=None, shapes=((3, 7), (2, 3, 33), (), (20_001,)), modes=MODES, **kwargs):
    """A loss of two tensors of one shape."""
    def reference(x, t, reduction="mean", **own):
        return reduced(value(x, t, **own), reduction)
    cases = [Case((s, s), {**a, "reduction": m}) for s in shapes for a in args for m in (modes if s == (3, 7) else modes[:1])]
    return OpSpec(op, f"fastnet.nn.functional.{op}", reference, cases=cases, make=(make, targets), wrt=wrt, tol=3e-6,
                  exact_layout=False, bench=[Case(((1 << 20,), (1 << 20,)))], **kwargs)     # sums follow the memory


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


def spread(rng, shape):
    """Values whose differences from normal targets stay away from 0 and 1: between integers and a half apart."""
    return np.round(rng.standard_normal(shape)) + 0.5


def whole(rng, shape):
    return np.round(rng.standard_normal(shape))


def smooth_l1(x, t, beta=1.0):
    d = np.abs(x - t)
    return np.where(d < beta, d * d / 2 / (beta or 1), d - beta / 2)


def huber(x, t, delta=1.0):
    d = np.abs(x - t)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def bce(x, t):
    return -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log1p(-x), -100))


def bce_logits(x, t, weight=None, pos_weight=None, reduction="mean"):
    p = 1 if pos_weight is None else pos_weight
    y = (1 - t) * x + (1 + (p - 1) * t) * np.logaddexp(0, -x)
    return reduced(y if weight is None else y * weight, reduction)


def kl(x, t, log_target=False):
    return np.exp(t) * (t - x) if log_target else np.where(t > 0, t * np.log(np.where(t > 0, t, 1)), 0) - t * x


SHAPES = Refused(ValueError, "target of shape .* (must have|does not fit)", zeros(2, 3), zeros(4, 3))
SPECS = [
    OpSpec("cross_entropy", "fastnet.nn.functional.cross_entropy", cross_entropy, cases=CLASSES + SMOOTH, wrt=(0, 1), call=detached,
           tol=3e-6,
           exact_layout=False, bench=[classes(1000, (4096, 1000), (4096,)), classes(10, (128, 10), (128,))],
           refused=[Refused(ValueError, "cross_entropy: target of shape .* does not fit input", zeros(2, 3), zeros(3, dtype="int64")),
                    Refused(IndexError, r"cross_entropy: target holds 0, outside \[0, 0\)", zeros(2, 0), zeros(2, dtype="int64")),
                    Refused(TypeError, "cross_entropy: target must hold integer class indices", zeros(2, 3), zeros(2)),
                    Refused(ValueError, "cross_entropy: reduction must be", zeros(2, 3), zeros(2, dtype="int64"), reduction="max"),
                    Refused(ValueError, "cross_entropy: label_smoothing must be from 0 to 1", zeros(2, 3), zeros(2, dtype="int64"),
                            label_smoothing=2.0),
                    Refused(ValueError, r"cross_entropy: weight must be .* of shape \(3,\)", zeros(2, 3), zeros(2, dtype="int64"),
                            zeros(2))]),
    OpSpec("nll_loss", "fastnet.nn.functional.nll_loss", nll, cases=CLASSES, wrt=(0,), call=detached, tol=3e-6, exact_layout=False),
    pair("mse_loss", lambda x, t: (x - t) ** 2),
    pair("l1_loss", lambda x, t: np.abs(x - t), make=spread, targets=whole),
    pair("smooth_l1_loss", smooth_l1, make=spread, targets=whole, args=({}, {"beta": 0.7}, {"beta": 0})),
    pair("huber_loss", huber, make=spread, targets=whole, args=({}, {"delta": 0.7})),
    pair("binary_cross_entropy", bce, make=unit, targets=unit, refused=[
        SHAPES, Refused(ValueError, r"binary_cross_entropy: input must lie in \[0, 1\]", zeros(2) + 2, zeros(2))]),
    OpSpec("binary_cross_entropy_with_logits", "fastnet.nn.functional.binary_cross_entropy_with_logits", bce_logits, wrt=(0, 1), tol=3e-6,
           exact_layout=False, make=(normal, unit, positive, positive), refused=[SHAPES],
           call=lambda f, x, t, w=None, p=None, reduction="mean": f(x, t, w, reduction=reduction, pos_weight=p),
           cases=[Case(((3, 7), (3, 7), w, p), {"reduction": r}) for r in MODES for w, p in ((None, None), ((3, 7), (7,)),
                                                                                             ((3, 1), None))] +
                 [Case(((20_001,), (20_001,), None, None))]),
    pair("kl_div", kl, targets=positive, args=({}, {"log_target": True})),
    pair("soft_margin_loss", lambda x, t: np.logaddexp(0, -t * x), targets=signs, wrt=(0,), refused=[SHAPES]),
    pair("hinge_embedding_loss", lambda x, t, margin=1.0: np.where(t == 1, x, np.maximum(0, margin - x)), make=away_from(1.0, 0.5),
         targets=signs,
         wrt=(0,), args=({}, {"margin": 0.5})),
]
