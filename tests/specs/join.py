"""Tensors joined, turned, repeated, padded; triangles and diagonals."""
import numpy as np

from specs import Case, OpSpec, Refused, boolean, integers, normal, zeros
from specs.view import moved


def joined(name, reference, cases):
    """An op on a sequence of tensors; what it refuses is in test_join.py."""
    return moved(name, lambda *xs, **args: reference(xs, **args), cases, call=lambda f, *xs, **args: f(xs, **args))


def pad(x, pad, mode="constant", value=0):
    if not pad:
        return x
    widths = [(0, 0)] * (x.ndim - len(pad) // 2) + [tuple(pad[i:i + 2]) for i in range(len(pad) - 2, -1, -2)]
    if mode == "circular":                                # round what is left after negative padding
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, x.shape))]
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    out = np.pad(x, [(max(a, 0), max(b, 0)) for a, b in widths], how, **({"constant_values": value} if mode == "constant" else {}))
    return out[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, out.shape))]


def block_diag(*xs):
    xs = [np.atleast_2d(x) for x in xs]
    out = np.zeros((sum(x.shape[0] for x in xs), sum(x.shape[1] for x in xs)), xs[0].dtype)
    i = j = 0
    for x in xs:
        out[i:i + x.shape[0], j:j + x.shape[1]] = x
        i, j = i + x.shape[0], j + x.shape[1]
    return out


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n), x.dtype)
    for k in range(x.shape[-1]):
        out[..., k + max(-offset, 0), k + max(offset, 0)] = x[..., k]
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


def masked_scatter(x, mask, source):
    out = np.array(x)
    mask = np.broadcast_to(mask, x.shape)
    out[mask] = source.ravel()[:mask.sum()]
    return out


PAIR = ((2, 3), (2, 3))
PADS = [((5,), {"pad": (1, 2)}), ((2, 3), {"pad": (1, 0, 0, 2)}), ((2, 3, 4), {"pad": (2, 1)}), ((2, 5), {"pad": (-1, 2)}),
        ((4, 5), {"pad": (-1, -2, 3, -1)}), ((), {"pad": ()}), ((0, 2), {"pad": (1, 1, 2, 0)})]
MODES = [(s, {"pad": p, "mode": m}) for m in ("reflect", "replicate", "circular") for s, p in
         [((5,), (2, 3)), ((1, 2, 4, 5), (1, 2, 3, 0)), ((2, 3), (0, 0)), ((2, 6), (-1, 2)), ((1, 3, 4, 5, 6), (2, -1, -1, 2, 1, 2)),
          ((2, 17, 3, 4), (1, 2, 2, 1))]] + [((3, 2, 3, 2), {"pad": (1, 0) * 4, "mode": "replicate"})]

SPECS = [
    joined("fastnet.cat", lambda xs, dim=0: np.concatenate([x for x in xs if x.shape != (0,)] or xs, dim),
           [(((2, 3), (4, 3)), {}), (((2, 3), (2, 5), (2, 0)), {"dim": 1}), (((3,), (0,), (2,)), {}), (((2, 3, 5), (2, 1, 5)),
           {"dim": -2}),
            (((0,), (2, 3)), {"dim": 1}), (((7,),), {}), (((1,),) * 11, {})]),
    joined("fastnet.concat", lambda xs, dim=0: np.concatenate(xs, dim), [(PAIR, {"dim": 1})]),
    joined("fastnet.concatenate", lambda xs, axis=0: np.concatenate(xs, axis), [(PAIR, {"axis": 1})]),
    joined("fastnet.stack", lambda xs, dim=0: np.stack(xs, dim), [(PAIR, {}), (PAIR, {"dim": 2}), (PAIR, {"dim": -2}), (((), (), ()),
           {})]),
    joined("fastnet.hstack", np.hstack, [(PAIR, {}), (((2,), (3,)), {}), (((), ()), {})]),
    joined("fastnet.vstack", np.vstack, [(PAIR, {}), (((3,), (3,)), {}), (((3,), (2, 3)), {})]),
    joined("fastnet.dstack", np.dstack, [(PAIR, {}), (((3,), (3,)), {}), (((2, 3, 1), (2, 3, 4)), {})]),
    joined("fastnet.column_stack", np.column_stack, [(((3,), (3, 2)), {}), (((3,), (3,)), {})]),
    moved("fastnet.block_diag", block_diag, [(((2, 3), (1, 1), (4,)), {}), (((), (2, 2)), {})],
          [Refused(RuntimeError, "block_diag: expected tensors of at most 2 axes", zeros(1, 1, 1))]),
    moved("fastnet.flip", lambda x, dims: np.flip(x, dims), [((5,), {"dims": (0,)}), ((2, 3, 4), {"dims": (0, -1)}), ((2, 3),
           {"dims": ()}),
                                                           ((0, 3), {"dims": (0,)})],
          [Refused(RuntimeError, "flip: dims names axis 0 twice", zeros(2, 2), (0, -2))]),
    moved("fastnet.fliplr", np.fliplr, [((2, 3), {})], [Refused(RuntimeError, "fliplr: expected 2", zeros(2))]),
    moved("fastnet.flipud", np.flipud, [((2, 3), {})]),
    moved("fastnet.rot90", lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims), [((2, 3), {"k": k}) for k in (0, 1, 2, 3, -1, 6)]
          + [((2, 3, 4), {"k": 1, "dims": (2, 0)})], [Refused(RuntimeError, "rot90: dims", zeros(2, 2), 1, (0, 0))]),
    moved("fastnet.roll", lambda x, shifts, dims=None: np.roll(x, shifts, dims),
          [((5,), {"shifts": 2}), ((2, 3), {"shifts": -2}), ((2, 3, 4), {"shifts": (1, -6), "dims": (0, 2)}), ((3,), {"shifts": 9,
           "dims": 0}),
           ((0,), {"shifts": 1, "dims": 0}), ((3, 4), {"shifts": (1, 1), "dims": (0, 0)})],
          [Refused(RuntimeError, "roll: shifts", zeros(2), (1, 2), (0,))]),
    moved("fastnet.Tensor.repeat", lambda x, repeats: np.tile(x, repeats),
          [((3,), {"repeats": (2,)}), ((2, 3), {"repeats": (2, 3)}), ((2, 3), {"repeats": (2, 1, 3)}), ((), {"repeats": (2, 2)}),
           ((2, 3), {"repeats": (0, 2)}), ((2, 3), {"repeats": (1, 1)})],
          [Refused(RuntimeError, "repeat: 1 numbers of copies", zeros(2, 3), (2,)), Refused(RuntimeError, "repeat: negative", zeros(2),
          (-1,))],
          call=lambda f, x, repeats: f(x, *repeats)),
    moved("fastnet.tile", lambda x, dims: np.tile(x, dims), [((2, 3), {"dims": (2,)}), ((3,), {"dims": (2, 2)})]),
    moved("fastnet.repeat_interleave", lambda x, repeats, dim=None: np.repeat(x, repeats, dim),
          [((2, 3), {"repeats": 2}), ((2, 3), {"repeats": 3, "dim": 1}), ((2, 3), {"repeats": 2, "dim": 0}), ((3,), {"repeats": [2, 0,
           1]}),
           ((2, 3), {"repeats": [1, 2, 3], "dim": -1}), ((2,), {"repeats": 0})],
          [Refused(RuntimeError, "repeat_interleave: 2 repeats for axis 0 of size 3", zeros(3), [1, 2]),
           Refused(RuntimeError, "output_size 5", zeros(3), 2, output_size=5)]),
    moved("fastnet.tril", lambda x, diagonal=0: np.tril(x, diagonal), [((3, 4), {"diagonal": d}) for d in (-5, -1, 0, 2, 9)] + [((2, 4,
           3), {})],
          [Refused(RuntimeError, "tril: expected 2 axes", zeros(3))]),
    moved("fastnet.triu", lambda x, diagonal=0: np.triu(x, diagonal), [((3, 4), {"diagonal": d}) for d in (-5, -1, 0, 2, 9)] + [((2, 4,
           3), {})]),
    moved("fastnet.diag", lambda x, diagonal=0: np.diag(x, diagonal), [((3,), {}), ((3,), {"diagonal": -2}), ((3, 4), {"diagonal": 1})],
          [Refused(RuntimeError, "diag: expected 1 or 2", zeros(1, 2, 3))]),
    moved("fastnet.diag_embed", diag_embed, [((3,), {}), ((2, 3), {"offset": 1}), ((2, 3), {"offset": -1, "dim1": 0, "dim2": 2})],
          [Refused(RuntimeError, "diag_embed: dim1", zeros(2), 0, 1, 1)]),
    moved("fastnet.nn.functional.pad", pad, [*PADS, ((2, 3), {"pad": (1, 1), "value": 1}), *MODES],
          [Refused(RuntimeError, "pad: pad .* must hold two numbers", zeros(2), (1,)), Refused(RuntimeError, "reflect padding",
           zeros(2), (2, 0), "reflect"),
           Refused(RuntimeError, "circular padding", zeros(2), (3, 0), "circular"), Refused(ValueError, "pad: mode", zeros(2), (1, 1),
           "edge"),
           Refused(ValueError, "pad: value 1.0 has no meaning", zeros(4), (1, 1), "reflect", 1.0),
           Refused(RuntimeError, "takes more", zeros(2), (-1, -2))]),
    OpSpec("masked_scatter", "fastnet.masked_scatter", masked_scatter, make=(normal, boolean, normal), tol=0, tol64=0,
           cases=[Case(((3, 7), (3, 7), (30,))), Case(((3, 7), (7,), (3, 7))), Case(((5,), (5,), (2, 3)))],
           refused=[Refused(RuntimeError, "masked_scatter: mask must be bool", zeros(2), zeros(2), zeros(2)),
                    Refused(RuntimeError, "masked_scatter: source has 1 elements, the mask takes 2", zeros(2),
                            np.ones(2, bool), zeros(1))]),
    OpSpec("index_put", "fastnet.index_put", lambda x, i, v, accumulate=False: put(x, i, v, accumulate), make=(normal, integers(0, 5),
           normal),
           call=lambda f, x, i, v, accumulate=False: f(x, (i,), v, accumulate), tol=1e-6, args=[{"accumulate": True}],
           shapes=[((5,), (9,), (9,)), ((5, 3), (4,), (4, 3)), ((5, 3), (2, 2), (3,))]),
]


def put(x, i, v, accumulate):
    out = np.array(x)
    np.add.at(out, i, v)
    return out


ELSEWHERE = {"fastnet.index_put_": "test_index.py", "fastnet.cartesian_prod": "test_join.py", "fastnet.combinations": "test_join.py",
             "fastnet.Tensor.masked_scatter_": "test_join.py"}
