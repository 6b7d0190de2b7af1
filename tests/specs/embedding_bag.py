"""embedding_bag: bag by bag, from the definition."""
import numpy as np

from specs import Case, OpSpec, Refused, apart, integers, zeros
from specs.ctc import F


def embedding_bag(rows, table, offsets=None, factors=None, mode="mean", include_last_offset=False, padding_idx=None):
    if rows.ndim == 2:
        bags = list(zip(rows, [None] * len(rows) if factors is None else factors))
    else:
        ends = list(offsets[1:]) + ([] if include_last_offset else [len(rows)])
        bags = [(rows[a:b], None if factors is None else factors[a:b]) for a, b in zip(offsets, ends)]
    out = np.zeros((len(bags), table.shape[1]))
    for i, (bag, by) in enumerate(bags):
        kept = bag != padding_idx if padding_idx is not None else np.ones(len(bag), bool)
        taken = table[bag[kept]] * (1 if by is None else by[kept][:, None])
        if len(taken):
            out[i] = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode](taken, axis=0)
    return out


def starts(*values):
    return lambda rng, shape: np.array(values).reshape(shape)


MAKE = [integers(0, 7), apart]
MODES = [Case(((3, 4), (7, 5)), {"mode": mode}, MAKE) for mode in ("sum", "mean", "max")]
OFFSETS = [Case(((6,), (7, 5), (4,)), {"mode": mode}, [*MAKE, starts(0, 2, 2, 5)]) for mode in ("sum", "mean", "max")]
CASES = [*MODES, *OFFSETS, Case(((6,), (7, 5), (3,)), {"include_last_offset": True}, [*MAKE, starts(0, 4, 6)]),
         Case(((3, 4), (7, 5)), {"padding_idx": 2, "mode": "max"}, MAKE), Case(((0,), (7, 5), (2,)), {}, [*MAKE, starts(0, 0)]),
         Case(((3, 4), (7, 5), None, (3, 4)), {"mode": "sum"}, [*MAKE, apart, apart])]


def refused(match, *args, **kwargs):
    return Refused(ValueError, "embedding_bag: " + match, *args, **kwargs)


ROWS, TABLE = zeros(4, dtype="int64"), zeros(7, 5)
SPECS = [OpSpec("embedding_bag", F + "embedding_bag", embedding_bag, cases=CASES,
                call=lambda f, rows, table, offsets=None, factors=None, **args: f(rows, table, offsets, per_sample_weights=factors, **args),
                refused=[refused("mode must be", ROWS, TABLE, mode="min"), refused(r"input must be \(bags, N\)", ROWS, TABLE),
                         refused("offsets must begin with 0", ROWS, TABLE, zeros(2, dtype="int64") + 1),
                         refused("mode 'max' is not supported with", ROWS, TABLE, zeros(1, dtype="int64"), mode="max", sparse=True)])]
