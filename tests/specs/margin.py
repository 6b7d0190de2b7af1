"""Margin, cosine, triplet and multi-label losses."""
import numpy as np

from specs import Case, OpSpec, Refused, integers, normal, positive, unit, zeros

REDUCTIONS = [{"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"}]
PAIRS = [((5, 4), (5, 4)), ((1,), (1,)), ((2, 3, 17), (2, 3, 17)), ((), ())]
F = "fastnet.nn.functional."
wrong_name = Refused(ValueError, "reduction", zeros(2), zeros(2), reduction="average")


def reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](loss)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def multilabel_soft_margin(x, y, w=None, reduction="mean"):
    loss = -(y * log_sigmoid(x) + (1 - y) * log_sigmoid(-x)) * (1.0 if w is None else w)
    return reduced(loss.mean(-1), reduction)




def multi_margin(x, y, w=None, p=1, margin=1.0, reduction="mean"):
    rows, targets = np.atleast_2d(x), np.atleast_1d(y)
    loss = [sum(max(0.0, margin - row[t] + row[j]) ** p * (1.0 if w is None else w[t]) for j in range(len(row)) if j != t) / len(row)
            for row, t in zip(rows, targets)]
    return reduced(np.array(loss) if x.ndim == 2 else np.float64(loss[0]), reduction)


def multilabel_margin(x, y, reduction="mean"):
    loss = []
    for row, targets in zip(np.atleast_2d(x), np.atleast_2d(y)):
        true = []
        for t in targets:
            if t < 0:
                break
            true.append(t)
        loss.append(sum(max(0.0, 1 - row[t] + row[j]) for t in true for j in range(len(row)) if j not in true) / len(row))
    return reduced(np.array(loss) if x.ndim == 2 else np.float64(loss[0]), reduction)


def labels(rng, shape):
    """Rows of distinct classes, ended by -1 anywhere."""
    rows = np.array([rng.permutation(shape[-1]) for _ in range(int(np.prod(shape[:-1])))])
    ends = rng.integers(1, shape[-1] + 1, len(rows))
    return np.where(np.arange(shape[-1]) < ends[:, None], rows, -1).reshape(shape)


def cosine(x1, x2, y, margin=0.0, reduction="mean"):
    cos = (x1 * x2).sum(-1) / np.sqrt(((x1 * x1).sum(-1) + 1e-12) * ((x2 * x2).sum(-1) + 1e-12))
    return reduced(np.where(y == 1, 1 - cos, np.maximum(0, cos - margin)), reduction)


def squared(a, b):
    """A distance that works on arrays and on tensors."""
    return ((a - b) * (a - b)).sum(-1)


def euclidean(a, b):
    return np.sqrt(((a - b + 1e-6) ** 2).sum(-1))


def triplet(a, p, n, margin=1.0, swap=False, reduction="mean", distance_function=None):
    distance = distance_function or euclidean
    negative = np.minimum(distance(a, n), distance(p, n)) if swap else distance(a, n)
    return reduced(np.maximum(0, margin + distance(a, p) - negative), reduction)


TRIPLES = [((5, 4),) * 3, ((4,),) * 3, ((7, 17),) * 3]
# exact_layout=False below: these are compositions, and a sum over rows adds in the order of the memory it is given.
SPECS = [
    OpSpec("margin_ranking_loss", F + "margin_ranking_loss", args=[*REDUCTIONS, {"margin": 40.0}], wrt=(0, 1), nonfinite=False,
           exact_layout=False,
           reference=lambda a, b, y, margin=0.0, reduction="mean": reduced(np.maximum(0, -y * (a - b) + margin), reduction),
           shapes=[((5,),) * 3, ((3, 7),) * 3], make=(normal, lambda rng, shape: rng.choice([-9.0, 9.0], shape) + normal(rng, shape),
                                                      signs),
           refused=[Refused(RuntimeError, "margin_ranking_loss", zeros(2), zeros(2), zeros(2, 2))]),
    OpSpec("multi_margin_loss", F + "multi_margin_loss", multi_margin, wrt=(0,), nonfinite=False, exact_layout=False,
           shapes=[((5, 4), (5,), None), ((4,), (), None), ((5, 4), (5,), (4,))], make=(normal, integers(0, 4), positive),
           args=[*REDUCTIONS, {"p": 2}, {"margin": 0.4}], call=lambda f, x, y, w=None, **args: f(x, y, weight=w, **args),
           refused=[Refused(ValueError, "p must", zeros(2, 3), zeros(2, dtype="int64"), p=3),
                    Refused(ValueError, r"target \(3,\)", zeros(2, 3), zeros(3, dtype="int64")),
                    Refused(TypeError, "integer", zeros(2, 3), zeros(2))]),
    OpSpec("multilabel_margin_loss", F + "multilabel_margin_loss", multilabel_margin, wrt=(0,), nonfinite=False, exact_layout=False,
           shapes=[((5, 4), (5, 4)),
           ((4,), (4,)), ((3, 9), (3, 9))], make=(normal, labels), args=REDUCTIONS,
           refused=[Refused(ValueError, r"target \(2,\)", zeros(2, 3), zeros(2, dtype="int64"))]),
    OpSpec("cosine_embedding_loss", F + "cosine_embedding_loss", cosine, shapes=[((5, 4), (5, 4), (5,)), ((4,), (4,), ()),
                                                                                 ((7, 17), (7, 17), (7,))],
           args=[*REDUCTIONS, {"margin": 0.2, "reduction": "none"}], make=(normal, normal, signs), wrt=(0, 1), tol=2e-6, nonfinite=False,
           exact_layout=False,
           refused=[Refused(RuntimeError, "cosine_embedding_loss", zeros(2, 3), zeros(2, 3), zeros(2, 3))]),
    OpSpec("triplet_margin_loss", F + "triplet_margin_loss", triplet, shapes=TRIPLES, args=[*REDUCTIONS,
                                                                                            {"swap": True, "reduction": "none"}],
           tol=2e-6, nonfinite=False, exact_layout=False, refused=[Refused(ValueError, "margin", zeros(2, 3), zeros(2, 3), zeros(2, 3),
                                                                           margin=0.0),
                                               Refused(RuntimeError, "axes", zeros(2, 3), zeros(3), zeros(2, 3))]),
    OpSpec("triplet_margin_with_distance_loss", F + "triplet_margin_with_distance_loss", triplet, shapes=TRIPLES, tol=2e-6,
           nonfinite=False, exact_layout=False,
           args=[*REDUCTIONS, {"swap": True, "reduction": "none"}],
           cases=[Case(((3, 5),) * 3, {"distance_function": squared, "margin": 30.0})],
           refused=[Refused(ValueError, "margin", zeros(2, 3), zeros(2, 3), zeros(2, 3), margin=-1.0)]),
    OpSpec("multilabel_soft_margin_loss", F + "multilabel_soft_margin_loss", multilabel_soft_margin, exact_layout=False, args=REDUCTIONS,
           make=(normal, unit, positive),
           shapes=[((5, 4), (5, 4), None), ((4,), (4,), None), ((5, 4), (5, 4), (4,))],
           refused=[wrong_name, Refused(ValueError, r"target \(3,\)", zeros(2), zeros(3))]),
]
