"""Views: other shapes, orders of axes, parts and repetitions of the same memory."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros

ALL = ("float32", "float64", "int64", "int32", "uint8", "bool")


def moved(name, reference, cases, refused=(), call=None, **kwargs):
    """An op that moves elements and computes nothing; cases: (shape or shapes, arguments)."""
    cases = [Case((shapes,) if not shapes or isinstance(shapes[0], int) else shapes, args) for shapes, args in cases]
    return OpSpec(name.rpartition(".")[2], name, reference, cases=cases, dtypes=ALL, tol=0, tol64=0, call=call, refused=refused, **kwargs)


def row_major(f, x, *rest, **args):
    """For ops that go by strides."""
    return f(x.contiguous(), *rest, **args)


def windows(x, dimension, size, step):
    out = np.lib.stride_tricks.sliding_window_view(x, size, dimension)
    return out[(slice(None),) * (dimension % x.ndim) + (slice(None, None, step),)]


def as_strided(x, size, stride, storage_offset=0):
    flat, out = x.ravel(), np.empty(size, x.dtype)
    for at in np.ndindex(*size):
        out[at] = flat[storage_offset + sum(i * s for i, s in zip(at, stride))]
    return out


def pieces(x, size, dim=0):
    return tuple(np.split(x, range(size, x.shape[dim], size), dim))


def sections(x, sizes, dim=0):
    return tuple(np.split(x, np.cumsum(sizes)[:-1], dim))


def unbind(x, dim=0):
    return tuple(np.moveaxis(x, dim, 0))


def squeeze(x, dim=None):
    if dim is None:
        return x.squeeze()
    dims = dim if isinstance(dim, tuple) else (dim,)
    return x.squeeze(tuple(d for d in dims if x.ndim and x.shape[d] == 1))


def flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return x.reshape(1)
    end = end_dim % x.ndim
    return x.reshape(*x.shape[:start_dim], -1, *x.shape[end + 1:])



SHAPE = [((2, 6), {"shape": (3, 4)}), ((2, 6), {"shape": (-1,)}), ((2, 3, 4), {"shape": (6, -1)}), ((2, 3, 4), {"shape": (2, 1, 12)}),
         ((), {"shape": (1, 1)}), ((0, 3), {"shape": (3, 0)}), ((5,), {"shape": (5,)}), ((1,), {"shape": ()})]
AXES = [((2, 3), 0, 1), ((2, 3, 5), 0, -1), ((2, 3, 5), 1, 1), ((1, 4, 0), -3, 2), ((), 0, -1)]
MOVES = [((2, 3, 5), 0, -1), ((2, 3, 5), (0, 1), (2, 0)), ((2, 3), 1, 0), ((4,), 0, 0)]
PERMUTATIONS = [((2, 3), (1, 0)), ((2, 3, 5), (2, 0, 1)), ((2, 3, 5, 2), (0, -1, 1, -2)), ((7,), (0,))]
TARGETS = [((3, 1), (3, 4)), ((5,), (2, 5)), ((1, 2, 1), (3, 2, 4)), ((), (2, 2)), ((2, 3), (2, 3)), ((1,), (0,)), ((3, 1), (2, 3, 1))]

SPECS = [
    moved("fastnet.reshape", lambda x, shape: x.reshape(shape), SHAPE,
          [Refused(RuntimeError, r"reshape: shape \(4, 2\) is invalid for x of shape \(2, 3\)", zeros(2, 3), (4, 2)),
           Refused(RuntimeError, "reshape: only one size", zeros(2, 3), (-1, -1)), Refused(TypeError, "reshape: shape", zeros(4), (2.0,
           2)),
           Refused(RuntimeError, "reshape: .*can be any size", zeros(0, 3), (0, -1)),
           Refused(ValueError, "reshape: shape has 9 axes", zeros(1), (1,) * 9)]),
    moved("fastnet.Tensor.view", lambda x, shape: x.reshape(shape), SHAPE,
          [Refused(RuntimeError, r"view: shape \(7,\) is invalid", zeros(2, 3), 7), Refused(TypeError, "dtype 'rows'", zeros(2), "rows")],
          call=lambda f, x, shape: f(x.contiguous(), shape)),
    moved("fastnet.Tensor.view_as", lambda x, other: x.reshape(other.shape), [(((2, 6), (4, 3)), {})], call=row_major, wrt=(0,)),
    moved("fastnet.Tensor.reshape_as", lambda x, other: x.reshape(other.shape), [(((2, 6), (4, 3)), {})], wrt=(0,)),
    moved("fastnet.flatten", flatten, [((2, 3, 4), {}), ((2, 3, 4), {"start_dim": 1}), ((2, 3, 4, 2), {"start_dim": 1, "end_dim": 2}),
           ((), {}),
                                       ((3,), {}), ((2, 0, 3), {"start_dim": 1})],
          [Refused(RuntimeError, "flatten: start_dim 1 comes after", zeros(2, 3), 1, 0), Refused(IndexError, "start_dim 2", zeros(2),
           2)]),
    moved("fastnet.ravel", np.ravel, [((2, 3), {}), ((), {}), ((0, 2), {})]),
    moved("fastnet.unflatten", lambda x, dim, sizes: x.reshape(*x.shape[:dim], *sizes, *x.shape[dim:][1:]),
          [((12,), {"dim": 0, "sizes": (3, 4)}), ((2, 12, 3), {"dim": 1, "sizes": (2, -1, 3)}), ((4, 1), {"dim": 1, "sizes": (1, 1)})],
          [Refused(RuntimeError, r"unflatten: shape \(5, -1\) is invalid", zeros(2, 12), 1, (5, -1))]),
    moved("fastnet.squeeze", squeeze, [((1, 3, 1), {}), ((1, 3, 1), {"dim": 0}), ((1, 3, 1), {"dim": 1}), ((1, 3, 1), {"dim": (0, -1)}),
                                       ((), {}), ((2, 3), {})], [Refused(IndexError, "squeeze: dim 2", zeros(2, 1), 2)]),
    moved("fastnet.unsqueeze", lambda x, dim: np.expand_dims(x, dim), [((2, 3), {"dim": d}) for d in (0, 1, 2, -1, -3)] + [((),
               {"dim": 0})],
          [Refused(IndexError, "unsqueeze: dim 3", zeros(2, 3), 3), Refused(ValueError, "8 axes", zeros(*[1] * 8), 0)],
          call=lambda f, x, dim: f(x, dim)),
    moved("fastnet.atleast_1d", np.atleast_1d, [((), {}), ((2, 3), {})]),
    moved("fastnet.atleast_2d", np.atleast_2d, [((), {}), ((3,), {}), ((2, 3, 1), {})]),
    moved("fastnet.atleast_3d", np.atleast_3d, [((), {}), ((3,), {}), ((2, 3), {}), ((2, 3, 1, 2), {})]),
    moved("fastnet.transpose", lambda x, dim0, dim1: x.swapaxes(dim0, dim1) if x.ndim else x,
          [(s, {"dim0": a, "dim1": b}) for s, a, b in AXES], [Refused(IndexError, "transpose: dim1 2", zeros(2, 3), 0, 2)]),
    moved("fastnet.swapdims", lambda x, dim0, dim1: x.swapaxes(dim0, dim1) if x.ndim else x,
          [(s, {"dim0": a, "dim1": b}) for s, a, b in AXES]),
    moved("fastnet.swapaxes", lambda x, axis0, axis1: x.swapaxes(axis0, axis1) if x.ndim else x,
          [(s, {"axis0": a, "axis1": b}) for s, a, b in AXES]),
    moved("fastnet.t", np.transpose, [((2, 3), {}), ((4,), {}), ((), {})], [Refused(RuntimeError, "t: expected at most 2", zeros(1, 2,
           3))]),
    moved("fastnet.permute", lambda x, dims: x.transpose(dims), [(s, {"dims": p}) for s, p in PERMUTATIONS],
          [Refused(RuntimeError, r"permute: dims \(0, 0\) names axis 0 twice", zeros(2, 3), (0, 0)),
           Refused(RuntimeError, r"permute: dims \(0,\)", zeros(2, 3), (0,))]),
    moved("fastnet.movedim", lambda x, source, destination: np.moveaxis(x, source, destination),
          [(s, {"source": a, "destination": b}) for s, a, b in MOVES], [Refused(RuntimeError, "movedim: source", zeros(2, 3), (0, 0),
           (0, 1)),
                                                                      Refused(RuntimeError, "differ in length", zeros(2, 3), (0, 1), 0)]),
    moved("fastnet.moveaxis", lambda x, source, destination: np.moveaxis(x, source, destination),
          [(s, {"source": a, "destination": b}) for s, a, b in MOVES]),
    moved("fastnet.select", lambda x, dim, index: x.take(index, dim), [((2, 3), {"dim": 1, "index": -1}), ((4,), {"dim": 0, "index": 2}),
                                                                       ((2, 3, 4), {"dim": -2, "index": 0})],
          [Refused(IndexError, "select: index 3 is out of range for axis 1 of size 3", zeros(2, 3), 1, 3),
           Refused(IndexError, "0-dim", zeros(), 0, 0)]),
    moved("fastnet.narrow", lambda x, dim, start, length: x.take(range(start, start + length), dim),
          [((5,), {"dim": 0, "start": 1, "length": 3}), ((2, 5), {"dim": -1, "start": 2, "length": 0}),
           ((3, 4), {"dim": 0, "start": 0, "length": 3})],
          [Refused(RuntimeError, "narrow: start 2 and length 4", zeros(5), 0, 2, 4), Refused(IndexError, "narrow: start 6", zeros(5),
           0, 6, 0)]),
    moved("fastnet.diagonal", lambda x, offset=0, dim1=0, dim2=1: x.diagonal(offset, dim1, dim2),
          [((3, 4), {}), ((3, 4), {"offset": 2}), ((3, 4), {"offset": -2}), ((3, 4), {"offset": 9}), ((2, 3, 4), {"dim1": -1, "dim2": 0}),
           ((2, 3, 4), {"dim1": 1, "dim2": 2, "offset": 1})],
          [Refused(RuntimeError, "diagonal: dim1 0 and dim2 0", zeros(2, 2), 0, 0, 0)]),
    moved("fastnet.Tensor.unfold", windows, [((9,), {"dimension": 0, "size": 4, "step": 2}), ((3, 5), {"dimension": 1, "size": 3,
           "step": 1}),
                                             ((5, 2), {"dimension": -2, "size": 2, "step": 3}), ((4,), {"dimension": 0, "size": 4,
           "step": 7})],
          [Refused(RuntimeError, "unfold: windows of size 6", zeros(5), 0, 6, 1), Refused(RuntimeError, "one every 0", zeros(5), 0, 2,
           0)]),
    moved("fastnet.as_strided", as_strided, [((12,), {"size": (3, 2), "stride": (2, 1)}), ((3, 4), {"size": (2, 2, 3), "stride": (1, 1,
           3)}),
                                             ((3, 4), {"size": (2, 3), "stride": (0, 2), "storage_offset": 5}), ((6,), {"size": (),
           "stride": ()})],
          [Refused(RuntimeError, "as_strided: .*beyond the memory", zeros(4), (1 << 20, 1 << 20), (1 << 40, 1)),
           Refused(RuntimeError, "as_strided: .*too many elements", zeros(4), (1 << 40, 1 << 40), (0, 1)),
           Refused(RuntimeError, "as_strided: .*negative", zeros(4), (2,), (-1,)),
           Refused(RuntimeError, "as_strided: .*differ", zeros(4), (2,), (1, 1))], call=row_major),
    moved("fastnet.unbind", unbind, [((3, 2), {}), ((2, 3, 2), {"dim": -1}), ((1,), {})], [Refused(RuntimeError, "unbind: a 0-dim",
           zeros())]),
    moved("fastnet.split", lambda x, split_size_or_sections, dim=0: pieces(x, split_size_or_sections, dim),
          [((7,), {"split_size_or_sections": 3}), ((2, 6), {"split_size_or_sections": 2, "dim": 1}), ((2,),
           {"split_size_or_sections": 9})],
          [Refused(RuntimeError, "split: pieces of size 0", zeros(3), 0), Refused(RuntimeError, "do not add up", zeros(3), [1, 1])]),
    moved("fastnet.split_with_sizes", lambda x, split_sizes, dim=0: sections(x, split_sizes, dim),
          [((7,), {"split_sizes": [3, 0, 4]}), ((2, 6), {"split_sizes": [1, 5], "dim": -1})]),
    moved("fastnet.chunk", lambda x, chunks, dim=0: pieces(x, -(-x.shape[dim] // chunks), dim),
          [((7,), {"chunks": 3}), ((2, 9), {"chunks": 4, "dim": 1}), ((2,), {"chunks": 5})], [Refused(RuntimeError, "chunk: chunks",
           zeros(3), 0)]),
    moved("fastnet.tensor_split", lambda x, indices_or_sections, dim=0: tuple(np.array_split(x, indices_or_sections, dim)),
          [((7,), {"indices_or_sections": 3}), ((7,), {"indices_or_sections": (1, 5)}), ((2, 3), {"indices_or_sections": 4, "dim": 1}),
           ((7,), {"indices_or_sections": (2, -2, 9)})]),
    moved("fastnet.hsplit", lambda x, n: tuple(np.hsplit(x, n)), [((4,), {"n": 2}), ((2, 6), {"n": (1, 4)})],
          [Refused(RuntimeError, "hsplit: axis 0 .* does not split into 2", zeros(3), 2)], call=lambda f, x, n: f(x, n)),
    moved("fastnet.vsplit", lambda x, n: tuple(np.vsplit(x, n)), [((4, 2), {"n": 2})], [Refused(RuntimeError, "vsplit: expected 2",
           zeros(3), 1)],
          call=lambda f, x, n: f(x, n)),
    moved("fastnet.dsplit", lambda x, n: tuple(np.dsplit(x, n)), [((2, 3, 4), {"n": 2})], call=lambda f, x, n: f(x, n)),
    moved("fastnet.Tensor.expand", lambda x, size: np.broadcast_to(x, size), [(s, {"size": t}) for s, t in TARGETS],
          [Refused(RuntimeError, r"expand: x of shape \(2, 3\) does not expand to \(2, 4\)", zeros(2, 3), 2, 4),
           Refused(RuntimeError, "does not expand", zeros(2, 3), 3), Refused(RuntimeError, "does not expand", zeros(3), -1, 3)]),
    moved("fastnet.broadcast_to", np.broadcast_to, [(s, {"shape": t}) for s, t in TARGETS], call=lambda f, x, shape: f(x, shape)),
    moved("fastnet.Tensor.expand_as", lambda x, other: np.broadcast_to(x, other.shape), [(((3, 1), (2, 3, 4)), {})], wrt=(0,)),
    moved("fastnet.broadcast_tensors", lambda *xs: tuple(np.broadcast_arrays(*xs)), [(((3, 1), (4,)), {}), (((2,), ()), {})],
          [Refused(RuntimeError, r"broadcast_tensors: shapes \(2,\), \(3,\)", zeros(2), zeros(3))]),
    moved("fastnet.meshgrid", lambda *xs, indexing="ij": tuple(np.meshgrid(*xs, indexing=indexing)),
          [(((3,), (4,)), {}), (((3,), (4,), (2,)), {"indexing": "xy"}), (((3,),), {"indexing": "xy"})],
          [Refused(RuntimeError, "meshgrid: indexing", zeros(2), indexing="yx"), Refused(RuntimeError, "at most 1 axis", zeros(2, 2))]),
]
ELSEWHERE = {"fastnet.broadcast_shapes": "test_view.py", "fastnet.Tensor.is_contiguous": "test_view.py"}
