"""Negative log likelihoods of counts and of normal variables."""
import numpy as np
from specs import OpSpec, Refused, integers, normal, positive, zeros
from specs.margin import PAIRS, REDUCTIONS, F, reduced, wrong_name


def poisson(x, y, log_input=True, full=False, eps=1e-8, reduction="mean"):
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:
        big = np.where(y > 1, y, 1)
        loss = loss + np.where(y > 1, big * np.log(big) - big + 0.5 * np.log(2 * np.pi * big), 0)
    return reduced(loss, reduction)


def gaussian(x, y, v, full=False, eps=1e-6, reduction="mean"):
    v = np.maximum(v if v.shape == x.shape or v.ndim == x.ndim else v[..., None], eps)
    return reduced(0.5 * (np.log(v) + (x - y) ** 2 / v) + (0.5 * np.log(2 * np.pi) if full else 0), reduction)


# exact_layout=False below: these are compositions, and a sum over rows adds in the order of the memory it is given.
SPECS = [
    OpSpec("poisson_nll_loss", F + "poisson_nll_loss", poisson, shapes=PAIRS, make=(positive, integers(0, 6, "float64")), wrt=(0,),
           tol=2e-6,
           args=[*REDUCTIONS, {"full": True}, {"log_input": False, "full": True, "reduction": "none"}], nonfinite=False, exact_layout=False,
           refused=[wrong_name]),
    OpSpec("gaussian_nll_loss", F + "gaussian_nll_loss", gaussian, make=(normal, normal, positive), args=[*REDUCTIONS, {"full": True}],
           shapes=[((5, 4), (5, 4), (5, 4)), ((5, 4), (5, 4), (5, 1)), ((5, 4), (5, 4), (5,)), ((2, 3, 5), (2, 3, 5), (2, 1, 5))], tol=2e-6,
           nonfinite=False, exact_layout=False, refused=[Refused(ValueError, "negative", zeros(2), zeros(2), zeros(2) - 1),
                                     Refused(ValueError, r"var \(3,\)", zeros(2, 2), zeros(2, 2), zeros(3))]),
]
