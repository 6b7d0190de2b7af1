"""scaled_dot_product_attention: masks, shared heads, lengths around the blocks, broadcasting."""
import numpy as np

from specs import Case, OpSpec, Refused, boolean, normal, zeros


def attention(q, k, v, mask=None, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))
    s = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        s = np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf)
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    e = np.exp(s - np.maximum(s.max(axis=-1, keepdims=True, initial=-1e300), -1e300))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


def packed(x, is_causal=False):
    return attention(*(x[:, :, i].swapaxes(1, 2) for i in range(3)), is_causal=is_causal)


def some(rng, shape):
    """A mask under which a few queries see no key."""
    keep = boolean(rng, shape)
    keep[..., 0, :] = False
    return keep


def shape(lead, l, s, e, ev=None, heads=None, mask=None):                                             # noqa: E741 - the paper's names
    kv = lead if heads is None else (*lead[:-1], heads)
    return (*lead, l, e), (*kv, s, e), (*kv, s, e if ev is None else ev), mask


MASK, ADD = [normal, normal, normal, some], [normal] * 4
CASES = [
    Case(shape((1, 1), 1, 1, 1)), Case(shape((2, 3), 5, 7, 4, 6)), Case(shape((), 3, 4, 5)), Case(shape((2,), 3, 4, 5), {"scale": 2.0}),
    Case(shape((2, 1, 2), 3, 4, 5)), Case(shape((1, 2), 65, 67, 9)), Case(shape((1, 1), 50, 130, 33, 17)),
    Case(shape((1, 2), 7, 7, 8), {"is_causal": True}), Case(shape((1, 1), 70, 66, 5), {"is_causal": True}),
    Case(shape((1, 1), 3, 9, 4), {"is_causal": True}), Case(shape((1, 4), 5, 6, 4, heads=2), {"enable_gqa": True}),
    Case(shape((2, 6), 4, 6, 4, heads=1), {"enable_gqa": True, "is_causal": True}),
    Case(shape((1, 1), 130, 200, 5), {"is_causal": True}), Case(shape((1, 2), 75, 70, 3, heads=1), {"enable_gqa": True, "is_causal": True}),
    Case(shape((2, 2), 5, 70, 4, mask=(2, 1, 5, 70)), make=MASK), Case(shape((2, 2), 5, 6, 4, mask=(5, 6)), make=MASK),
    Case(((3, 1, 5, 4), (1, 2, 6, 4), (2, 6, 3), (3, 1, 1, 6)), make=[normal, normal, normal, boolean]),
    Case(shape((2, 2), 5, 70, 4, mask=(1, 2, 5, 70)), make=ADD),
    Case(shape((2, 4), 5, 6, 4, heads=2, mask=(2, 1, 1, 6)), {"enable_gqa": True}, ADD),
    Case(shape((0, 2), 3, 4, 5)), Case(shape((1, 2), 0, 4, 5)), Case(shape((1, 2), 3, 0, 5)),
]
BENCH = [Case(((8, 6, 256, 64),) * 3, {"is_causal": True}), Case(((2, 4, 1024, 64),) * 3, {"is_causal": True}),
         Case(((1, 4, 2048, 128),) * 3), Case(((2, 4, 1024, 32),) * 3)]
NAME = "fastnet.nn.functional.scaled_dot_product_attention"


def refused(match, *shapes, error=RuntimeError, **kwargs):
    return Refused(error, "scaled_dot_product_attention: " + match, *(zeros(*s) for s in shapes), **kwargs)


def flops(q, k, v, is_causal=False, **_):
    return 2 * np.prod(q[:-1]) * k[-2] * (q[-1] + v[-1]) * (0.5 if is_causal else 1)


SPECS = [
    OpSpec("attention", NAME, attention, cases=CASES, wrt=(0, 1, 2), tol=3e-6, exact_layout=False,     # a copy of k may be packed otherwise
           call=lambda f, q, k, v, mask=None, **args: f(q, k, v, attn_mask=mask, **args), bench=BENCH, flops=flops,
           refused=[refused("query and key must agree", (2, 3, 4), (2, 3, 5), (2, 3, 4)),
                    refused("query and key must agree", (2, 3, 4), (2, 3, 4), (2, 4, 4)),
                    refused("query, key and value need at least two axes", (3,), (3,), (3,)),
                    refused(r"query \(2, 3, 4\), .* do not broadcast", (2, 3, 4), (3, 3, 4), (3, 3, 4)),
                    refused("enable_gqa needs query heads", (1, 3, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4), enable_gqa=True),
                    refused("attn_mask must be None", (1, 1, 3, 4), (1, 1, 3, 4), (1, 1, 3, 4), (3, 3), is_causal=True),
                    refused(r".*attn_mask \(4, 3\) do not broadcast", (1, 1, 3, 4), (1, 1, 3, 4), (1, 1, 3, 4), (4, 3)),
                    refused("dropout_p must be from 0 to 1", (1, 3, 4), (1, 3, 4), (1, 3, 4), error=ValueError, dropout_p=1.5),
                    Refused(RuntimeError, "must be float32 or float64 alike", zeros(2, 3), zeros(2, 3), zeros(2, 3, dtype="float64")),
                    Refused(RuntimeError, "attn_mask must be bool or", zeros(2, 3), zeros(2, 3), zeros(2, 3), zeros(2, 2, dtype="int64"))]),
    OpSpec("packed_attention", "fastnet.ops.attention.packed_attention", packed, tol=3e-6, exact_layout=False,
           cases=[Case(((2, 7, 3, 3, 5),)), Case(((1, 70, 3, 2, 17),), {"is_causal": True}),
                  Case(((1, 200, 3, 1, 8),), {"is_causal": True}), Case(((2, 0, 3, 3, 5),)), Case(((1, 1, 3, 1, 1),))],
           refused=[Refused(RuntimeError, "packed_attention: packed must be", zeros(2, 3, 4)),
                    Refused(RuntimeError, "packed_attention: packed must", zeros(2, 3, 2, 4, 5)),
                    Refused(ValueError, "packed_attention: dropout_p must be", zeros(2, 3, 3, 4, 5), dropout_p=-0.5)]),
]
