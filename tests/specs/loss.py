"""Losses between a prediction and its target."""
import numpy as np

from specs import Case, OpSpec, Refused, away_from, integers, normal, positive, probabilities, unit, zeros

REDUCTIONS = [{"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"}]
PAIRS = [((5, 4), (5, 4)), ((1,), (1,)), ((2, 3, 17), (2, 3, 17)), ((), ())]
F = "fastnet.nn.functional."


def reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](loss)


def weighted(loss, weight, reduction):
    return np.sum(loss * weight) / np.sum(weight) if reduction == "mean" and weight is not None else reduced(
        loss if weight is None else loss * weight, reduction)


def with_weight(function, x, y, w=None, **args):
    return function(x, y, **args, **({} if w is None else {"weight": w}))


def far(rng, shape):
    """Pairs with this one as target and normal values as input: differences away from 0, 0.5 and 1."""
    return rng.choice([-5.0, -4.2, 4.2, 5.0], shape) + rng.uniform(-0.05, 0.05, shape)


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def bce_logits(x, y, w=None, pos_weight=None, reduction="mean"):
    p = 1.0 if pos_weight is None else pos_weight
    return reduced(-(1.0 if w is None else w) * (p * y * log_sigmoid(x) + (1 - y) * log_sigmoid(-x)), reduction)


def huber(x, y, delta, scale):
    d = np.abs(x - y)
    return np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)) * scale


def kl(x, y, reduction="mean", log_target=False):
    loss = np.exp(y) * (y - x) if log_target else np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0) - y * x
    return np.sum(loss) / (x.shape[0] if x.ndim else 1) if reduction == "batchmean" else reduced(loss, reduction)


def poisson(x, y, log_input=True, full=False, eps=1e-8, reduction="mean"):
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:
        big = np.where(y > 1, y, 1)
        loss = loss + np.where(y > 1, big * np.log(big) - big + 0.5 * np.log(2 * np.pi * big), 0)
    return reduced(loss, reduction)


def gaussian(x, y, v, full=False, eps=1e-6, reduction="mean"):
    v = np.maximum(v if v.shape == x.shape or v.ndim == x.ndim else v[..., None], eps)
    return reduced(0.5 * (np.log(v) + (x - y) ** 2 / v) + (0.5 * np.log(2 * np.pi) if full else 0), reduction)


def multilabel(x, y, w=None, reduction="mean"):
    loss = -(y * log_sigmoid(x) + (1 - y) * log_sigmoid(-x)) * (1.0 if w is None else w)
    return reduced(loss.mean(-1), reduction)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


wrong_name = Refused(ValueError, "reduction", zeros(2), zeros(2), reduction="average")
shapes_differ = Refused(ValueError, r"target \(3,\)", zeros(2), zeros(3))

SPECS = [
    OpSpec("mse_loss", F + "mse_loss", lambda x, y, w=None, reduction="mean": weighted((x - y) ** 2, w, reduction), call=with_weight,
           shapes=PAIRS, args=REDUCTIONS, cases=[Case(((3, 7),) * 3, {"reduction": r}, (normal, normal, positive)) for r in ("mean",
                                                                                                                             "none")],
           refused=[wrong_name], bench=[((4096, 1000), (4096, 1000))]),
    OpSpec("l1_loss", F + "l1_loss", lambda x, y, w=None, reduction="mean": weighted(np.abs(x - y), w, reduction), call=with_weight,
           shapes=PAIRS, args=REDUCTIONS, make=(normal, far), refused=[wrong_name],
           cases=[Case(((3, 7),) * 3, {"reduction": "mean"}, (normal, far, positive))]),
    OpSpec("smooth_l1_loss", F + "smooth_l1_loss",
           lambda x, y, reduction="mean", beta=1.0: reduced(huber(x, y, beta, 1 / beta) if beta else np.abs(x - y), reduction),
           shapes=PAIRS, args=[*REDUCTIONS, {"beta": 0.5, "reduction": "none"}, {"beta": 9.0}, {"beta": 0.0}], make=(normal, far),
           refused=[wrong_name, Refused(ValueError, "beta", zeros(2), zeros(2), beta=-1.0)]),
    OpSpec("huber_loss", F + "huber_loss", lambda x, y, reduction="mean", delta=1.0: reduced(huber(x, y, delta, 1.0), reduction),
           shapes=PAIRS, args=[*REDUCTIONS, {"delta": 0.5, "reduction": "none"}, {"delta": 9.0}], make=(normal, far),
           refused=[wrong_name, Refused(RuntimeError, "delta", zeros(2), zeros(2), delta=0.0)]),
    OpSpec("binary_cross_entropy", F + "binary_cross_entropy",
           lambda x, y, w=None, reduction="mean": reduced(-(1.0 if w is None else w) * (y * np.log(x) + (1 - y) * np.log(1 - x)),
                                                          reduction),
           call=with_weight, shapes=PAIRS, args=REDUCTIONS, make=(unit, unit), wrt=(0, 1), nonfinite=False,
           cases=[Case(((3, 7), (3, 7), (7,)), {"reduction": "mean"}, (unit, unit, positive))],
           refused=[wrong_name, shapes_differ, Refused(RuntimeError, "between 0 and 1", zeros(2) + 2, zeros(2))]),
    OpSpec("binary_cross_entropy_with_logits", F + "binary_cross_entropy_with_logits", bce_logits, shapes=PAIRS, args=REDUCTIONS,
           make=(away_from(scale=20.0), unit), tol=2e-6, refused=[wrong_name, shapes_differ], bench=[((4096, 1000), (4096, 1000))],
           cases=[Case(((3, 7), (3, 7), (7,)), {"reduction": r}, (normal, unit, positive)) for r in ("mean", "none")]),
    OpSpec("binary_cross_entropy_with_logits", F + "binary_cross_entropy_with_logits",
           lambda x, y, p, reduction="mean": bce_logits(x, y, None, p, reduction), make=(normal, unit, positive), args=REDUCTIONS,
           shapes=[((3, 7), (3, 7), (7,))], call=lambda f, x, y, p, **args: f(x, y, pos_weight=p, **args)),
    OpSpec("kl_div", F + "kl_div", kl, shapes=PAIRS, args=[*REDUCTIONS, {"reduction": "batchmean"}], make=(normal, probabilities), tol=2e-6,
           nonfinite=False, cases=[Case(((3, 7), (3, 7)), {"log_target": True, "reduction": r}, normal) for r in ("mean", "batchmean")],
           refused=[wrong_name]),
    OpSpec("poisson_nll_loss", F + "poisson_nll_loss", poisson, shapes=PAIRS, make=(positive, integers(0, 6, "float64")), wrt=(0,),
           tol=2e-6,
           args=[*REDUCTIONS, {"full": True}, {"log_input": False, "full": True, "reduction": "none"}], nonfinite=False,
           refused=[wrong_name]),
    OpSpec("gaussian_nll_loss", F + "gaussian_nll_loss", gaussian, make=(normal, normal, positive), args=[*REDUCTIONS, {"full": True}],
           shapes=[((5, 4), (5, 4), (5, 4)), ((5, 4), (5, 4), (5, 1)), ((5, 4), (5, 4), (5,)), ((2, 3, 5), (2, 3, 5), (2, 1, 5))], tol=2e-6,
           nonfinite=False, refused=[Refused(ValueError, "negative", zeros(2), zeros(2), zeros(2) - 1),
                                     Refused(ValueError, r"var \(3,\)", zeros(2, 2), zeros(2, 2), zeros(3))]),
    OpSpec("soft_margin_loss", F + "soft_margin_loss", lambda x, y, reduction="mean": reduced(np.logaddexp(0, -y * x), reduction),
           shapes=PAIRS,
           args=REDUCTIONS, make=(normal, signs), wrt=(0,), refused=[wrong_name]),
    OpSpec("multilabel_soft_margin_loss", F + "multilabel_soft_margin_loss", multilabel, args=REDUCTIONS, make=(normal, unit, positive),
           shapes=[((5, 4), (5, 4), None), ((4,), (4,), None), ((5, 4), (5, 4), (4,))], refused=[wrong_name, shapes_differ]),
]
