"""view, reshape, flatten: other shapes of the same memory; and what all views share."""
from libc.stdint cimport INT64_MAX
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

from fastnet._core.tensor import attach


cdef int axis_of(object dim, int ndim, str op, str argument) except -1:
    cdef Py_ssize_t d
    cdef int n = ndim if ndim else 1                    # 0-dim tensors take 0 and -1
    try:
        d = dim
    except TypeError:
        raise TypeError(f"{op}: {argument} must be an integer, got {type(dim).__name__}") from None
    if not -n <= d < n:
        raise IndexError(f"{op}: {argument} {d} is out of range for a tensor of {ndim} axes")
    return <int>(d + n if d < 0 else d)


cdef tuple several(tuple given, object keyword, str op, str argument):
    if keyword is not None:
        if given:
            raise TypeError(f"{op}: {argument} is given twice")
        return tuple(keyword)
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return tuple(given[0])
    return given


cdef int sizes_of(Py_ssize_t *out, tuple given, object keyword, str op, str argument) except -1:
    cdef int n = 0
    given = several(given, keyword, op, argument)
    if len(given) > FN_MAXDIM:
        raise ValueError(f"{op}: {argument} has {len(given)} axes, a tensor has at most {FN_MAXDIM}")
    for size in given:
        try:
            out[n] = size
        except TypeError:
            raise TypeError(f"{op}: {argument} must be integers, got {size!r}") from None
        n += 1
    return n


cdef tuple _tuple(int ndim, const Py_ssize_t *dims):
    return tuple([dims[d] for d in range(ndim)])


cdef int infer(Py_ssize_t *dims, int ndim, const fn_tensor *x, str op) except -1:
    cdef int d, unknown = -1
    cdef Py_ssize_t known = 1
    cdef bint fits = True
    for d in range(ndim):
        if dims[d] == -1:
            if unknown >= 0:
                raise RuntimeError(f"{op}: only one size can be inferred, got shape {_tuple(ndim, dims)}")
            unknown = d
        elif dims[d] < 0:
            raise RuntimeError(f"{op}: shape {_tuple(ndim, dims)} has a negative size")
        elif dims[d] > 0 and known > <Py_ssize_t>INT64_MAX // dims[d]:
            fits = False
        else:
            known *= dims[d]
    if unknown >= 0 and fits and known == 0:
        if x.size == 0:
            raise RuntimeError(f"{op}: the -1 in shape {_tuple(ndim, dims)} can be any size for an empty tensor of shape {shape_of(x)}")
        fits = False
    if not fits or (x.size % known != 0 if unknown >= 0 else x.size != known):
        raise RuntimeError(f"{op}: shape {_tuple(ndim, dims)} is invalid for x of shape {shape_of(x)}, which has {x.size} elements")
    if unknown >= 0:
        dims[unknown] = x.size // known
    return 0


cdef int set_size(fn_tensor *x, str op) except -1:
    cdef int d
    cdef Py_ssize_t size = 1
    for d in range(x.ndim):
        if x.dims[d] == 0:
            x.size = 0
            return 0
    for d in range(x.ndim):
        if size > <Py_ssize_t>INT64_MAX // x.dims[d]:
            raise RuntimeError(f"{op}: shape {_tuple(x.ndim, x.dims)} has too many elements")
        size *= x.dims[d]
    x.size = size
    return 0


cdef bint restride(const fn_tensor *x, int ndim, const Py_ssize_t *dims, Py_ssize_t *strides) noexcept:
    # Runs of x's axes that are one axis in memory are cut into the new axes, from the last one.
    cdef Py_ssize_t run = 1, taken = 1, step
    cdef int d, e = ndim - 1
    if x.size == 0 or x.ndim == 0:
        step = 1
        for d in range(ndim - 1, -1, -1):
            strides[d] = step
            step *= max(dims[d], 1)
        return True
    step = x.strides[x.ndim - 1]
    for d in range(x.ndim - 1, -1, -1):
        run *= x.dims[d]
        if d == 0 or (x.dims[d - 1] != 1 and x.strides[d - 1] != run * step):
            while e >= 0 and (taken < run or dims[e] == 1):
                strides[e] = taken * step
                taken *= dims[e]
                e -= 1
            if taken != run:
                return False
            if d > 0:
                step = x.strides[d - 1]
                run = taken = 1
    return e == -1


cdef Tensor alias(Tensor x):
    cdef Tensor y = tensor_alias(x)
    y.flags |= IS_VIEW
    view_of(y, x if x.base is None else x.base)
    return y


# Other shapes: the gradient is reshaped back.

cdef int reshape_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *like = &n.inputs[0].acc
    cdef Py_ssize_t strides[8]
    cdef Py_ssize_t dims[8]
    cdef int d
    memcpy(dims, like.dims, sizeof(dims))
    if restride(gy, like.ndim, dims, strides):
        array_share(&gin[0], gy)
    else:
        array_contiguous(&gin[0], gy)
        restride(&gin[0], like.ndim, dims, strides)
    gin[0].ndim = like.ndim
    for d in range(like.ndim):
        gin[0].dims[d], gin[0].strides[d] = dims[d], strides[d]
    return 0


cdef fn_op VIEW = [b"ViewBackward0", reshape_backward, False]
cdef fn_op COPIED = [b"ReshapeBackward0", reshape_backward, False]


cdef Tensor restrided(Tensor x, int ndim, const Py_ssize_t *dims, const Py_ssize_t *strides):
    cdef Tensor y = alias(x)
    y.t.ndim = ndim
    memcpy(y.t.dims, dims, ndim * sizeof(Py_ssize_t))
    memcpy(y.t.strides, strides, ndim * sizeof(Py_ssize_t))
    if x.node != NULL and grad_enabled():
        node_input(record(y, &VIEW, 1, 0), 0, x.node)
    return y


cdef Tensor reshaped(Tensor x, int ndim, const Py_ssize_t *dims):
    cdef Py_ssize_t strides[8]
    cdef Tensor y
    if restride(&x.t, ndim, dims, strides):
        return restrided(x, ndim, dims, strides)
    y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
    array_copy(&y.t, &x.t)
    restride(&y.t, ndim, dims, strides)
    y.t.ndim = ndim
    memcpy(y.t.dims, dims, ndim * sizeof(Py_ssize_t))
    memcpy(y.t.strides, strides, ndim * sizeof(Py_ssize_t))
    if x.node != NULL and grad_enabled():
        node_input(record(y, &COPIED, 1, 0), 0, x.node)
    return y


# Permutations: the gradient's axes go back to their places.

cdef int permute_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef int d
    array_share(&gin[0], gy)
    for d in range(gy.ndim):
        gin[0].dims[n.i[d]] = gy.dims[d]
        gin[0].strides[n.i[d]] = gy.strides[d]
    return 0


cdef fn_op PERMUTE = [b"PermuteBackward0", permute_backward, False]


cdef Tensor permuted(Tensor x, const int *order):
    cdef Tensor y = alias(x)
    cdef fn_node *n
    cdef int d
    for d in range(x.t.ndim):
        y.t.dims[d] = x.t.dims[order[d]]
        y.t.strides[d] = x.t.strides[order[d]]
    if x.node != NULL and grad_enabled():
        n = record(y, &PERMUTE, 1, 0)
        node_input(n, 0, x.node)
        for d in range(x.t.ndim):
            n.i[d] = order[d]
    return y


# Parts: backward adds to the same part of x's gradient, whose strides are its own.

cdef void select_all(Selection *s, const fn_tensor *x) noexcept:
    cdef int d
    s.ndim, s.windows = x.ndim, -1
    for d in range(x.ndim):
        s.start[d], s.dims[d], s.step[d], s.axis[d], s.other[d] = 0, x.dims[d], 1, d, -1


cdef void select_apply(fn_tensor *y, const fn_tensor *x, const Selection *s) noexcept:
    cdef Py_ssize_t at = 0
    cdef int d
    y.st, y.dtype, y.ndim, y.size = <fn_storage *>x.st, x.dtype, s.ndim, 1
    for d in range(x.ndim):
        at += s.start[d] * x.strides[d]
    y.p = <char *>x.p + at * itemsize(x.dtype)
    for d in range(s.ndim):
        y.size *= s.dims[d]
        y.dims[d] = s.dims[d]
        y.strides[d] = 0 if s.axis[d] < 0 else s.step[d] * (x.strides[s.axis[d]] + (x.strides[s.other[d]] if s.other[d] >= 0 else 0))


cdef int select_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor part, row, g
    cdef const Selection *s = <const Selection *>n.block
    cdef Py_ssize_t k
    cdef int d
    select_apply(&part, &gin[0], s)
    if s.windows < 0:
        return array_accumulate(&part, gy)
    # Windows overlap: one element of every window at a time, so that no launch meets an element twice.
    row, g = part, gy[0]
    d = s.windows
    row.size = row.size // max(row.dims[d], 1)
    g.size = row.size
    row.dims[d] = g.dims[d] = 1
    for k in range(s.dims[d]):
        row.p = part.p + k * part.strides[d] * itemsize(part.dtype)
        g.p = gy.p + k * gy.strides[d] * itemsize(gy.dtype)
        array_accumulate(&row, &g)
    return 0


SLICE = [b"SliceBackward0", select_backward, True]
SELECT = [b"SelectBackward0", select_backward, True]
DIAGONAL = [b"DiagonalBackward0", select_backward, True]
UNFOLD = [b"UnfoldBackward0", select_backward, True]


cdef Tensor selected(Tensor x, const Selection *s, const fn_op *op):
    cdef Tensor y = alias(x)
    cdef fn_node *n
    select_apply(&y.t, &x.t, s)
    if x.node != NULL and grad_enabled():
        n = record(y, op, 1, 0)
        n.block = block_new(sizeof(Selection))
        memcpy(n.block, s, sizeof(Selection))
        node_input(n, 0, x.node)
    return y

include "view_public.pxi"
