"""x[...]: what stands between the brackets, made into a view and, where it holds tensors, a gather."""
from cpython.slice cimport PySlice_AdjustIndices, PySlice_Unpack
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.lookup cimport *
from fastnet.ops.view cimport *

import numpy as np


# One entry of the index.  Whatever holds several positions becomes a Tensor and is kept for the gather.

cdef object _entry(object e):
    """e as an int, a slice, None, Ellipsis, a bool, or a Tensor of int64, int32 or bool with one axis or more."""
    cdef Tensor t
    if e is None or e is Ellipsis or isinstance(e, (int, slice)):       # bools are ints, too
        return e
    if isinstance(e, Tensor):
        t = e
    elif isinstance(e, np.ndarray):
        t = from_data(e, -1)
    elif isinstance(e, (list, tuple, range)):
        t = from_data(e, -1 if len(e) else FN_I64)
    elif isinstance(e, np.bool_):
        return bool(e)
    elif hasattr(e, "__index__"):
        return e.__index__()
    else:
        raise IndexError(f"index: expected integers, slices, None, ..., tensors or lists of integers or bools, got {type(e).__name__}")
    if t.t.dtype == FN_U8 or is_float(t.t.dtype):
        raise IndexError(f"index: a tensor used as an index must be int64, int32 or bool, got {t.dtype}"
                         + (" (call .bool() for a mask, .long() for positions)" if t.t.dtype == FN_U8 else ""))
    return array_item(&t.t) if t.t.ndim == 0 else t


cdef int _takes(object e) except -1:
    """The axes of x that an entry uses up."""
    if e is None or e is Ellipsis or isinstance(e, bool):
        return 0
    return (<Tensor>e).t.ndim if isinstance(e, Tensor) and (<Tensor>e).t.dtype == FN_BOOL else 1


cdef int _too_many(const fn_tensor *x, int used) except -1:
    raise IndexError(f"index: {used} indices for a tensor of {x.ndim} axes, of shape {shape_of(x)}")


cdef inline int _put_int(const fn_tensor *x, Selection *s, int axis, Py_ssize_t i) except -1:
    if not -x.dims[axis] <= i < x.dims[axis]:
        raise IndexError(f"index: {i} is out of range for axis {axis} of size {x.dims[axis]}")
    s.start[axis] = i + x.dims[axis] if i < 0 else i
    return 0


cdef int _put_slice(const fn_tensor *x, Selection *s, int axis, object e) except -1:
    cdef Py_ssize_t start, stop, step
    PySlice_Unpack(e, &start, &stop, &step)
    s.dims[s.ndim] = PySlice_AdjustIndices(x.dims[axis], &start, &stop, step)
    s.start[axis] = start if s.dims[s.ndim] else 0
    s.step[s.ndim], s.axis[s.ndim], s.other[s.ndim] = step, axis, -1
    s.ndim += 1
    return 0


cdef inline void _put_all(const fn_tensor *x, Selection *s, int axis) noexcept:
    s.start[axis], s.dims[s.ndim], s.step[s.ndim], s.axis[s.ndim], s.other[s.ndim] = 0, x.dims[axis], 1, axis, -1
    s.ndim += 1


cdef int _room(Selection *s, int more) except -1:
    if s.ndim + more > FN_MAXDIM:
        raise ValueError(f"index: the result would have more than {FN_MAXDIM} axes")
    return 0


cdef list parse(const fn_tensor *x, object index, Selection *s):
    """Fill s with the view that the index takes; the tensors in it: a list of (axis of the view, axis of x, tensor), or None."""
    cdef int axis = 0, used = 0, k
    cdef bint dots = False
    cdef list gathers = None
    s.ndim, s.windows = 0, -1
    if not isinstance(index, tuple):
        if isinstance(index, int) and not isinstance(index, bool):      # x[3], x[1:5]: the usual ones
            if x.ndim == 0:
                _too_many(x, 1)
            _put_int(x, s, 0, index)
            axis = 1
        elif isinstance(index, slice):
            if x.ndim == 0:
                _too_many(x, 1)
            _put_slice(x, s, 0, index)
            axis = 1
        else:
            index = (index,)
    if axis == 0:
        entries = [_entry(e) for e in index]
        for e in entries:
            if e is Ellipsis:
                if dots:
                    raise IndexError("index: only one ... is possible")
                dots = True
            used += _takes(e)
        if used > x.ndim:
            _too_many(x, used)
        for e in entries:
            if e is Ellipsis:
                for k in range(x.ndim - used):
                    _room(s, 1)
                    _put_all(x, s, axis)
                    axis += 1
            elif e is None or isinstance(e, bool):
                _room(s, 1)
                if e is not None:                       # a bool: an axis of size 1, taken or not
                    gathers = gathers or []
                    gathers.append((s.ndim, axis, from_data([0] if e else [], FN_I64)))
                s.dims[s.ndim], s.step[s.ndim], s.axis[s.ndim], s.other[s.ndim] = 1, 0, -1, -1
                s.ndim += 1
            elif isinstance(e, int):
                _put_int(x, s, axis, e)
                axis += 1
            else:
                _room(s, 1)
                if isinstance(e, slice):
                    _put_slice(x, s, axis, e)
                    axis += 1
                else:
                    gathers = gathers or []
                    gathers.append((s.ndim, axis, e))
                    k = _takes(e)
                    _room(s, k)
                    while k:
                        _put_all(x, s, axis)
                        axis += 1
                        k -= 1
    while axis < x.ndim:
        _room(s, 1)
        _put_all(x, s, axis)
        axis += 1
    return gathers


cdef bint _is_whole(const fn_tensor *x, const Selection *s) noexcept:
    """The view shows every element of x, in order: it only adds and drops axes of size 1."""
    cdef int d
    cdef Py_ssize_t size = 1
    for d in range(s.ndim):
        size *= s.dims[d]
        if s.step[d] < 0:
            return False
    return size == x.size


cdef bint _is_same(const fn_tensor *x, const Selection *s) noexcept:
    """The view is x."""
    cdef int d
    for d in range(s.ndim):
        if s.axis[d] != d or s.dims[d] != x.dims[d] or s.step[d] != 1:
            return False
    return s.ndim == x.ndim


cdef Tensor viewed(Tensor x, const Selection *s):
    cdef fn_tensor y
    if x.node != NULL and _is_whole(&x.t, s):
        select_apply(&y, &x.t, s)
        return restrided(x, y.ndim, y.dims, y.strides)
    return selected(x, s, &SELECT if s.ndim < x.t.ndim else &SLICE)


# Tensors among the indices: backward adds to the same positions, in the order of the index.

cdef int index_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor rows
    array_contiguous(&rows, gy)
    try:
        lookup_put(&gin[0], <const Lookup *>n.block, &n.saved[0].t, &rows, True)
    finally:
        array_drop(&rows)
    return 0


cdef fn_op INDEX = [b"IndexBackward0", index_backward, True]


cdef Tensor looked_up(Tensor table, list gathers):
    cdef Lookup l
    cdef fn_tensor index
    lookup_make(&l, &index, &table.t, gathers)
    return _looked_up(table, &l, &index)


cdef Tensor _looked_up(Tensor table, const Lookup *l, fn_tensor *index):
    """table[index]; index is moved."""
    cdef fn_tensor rows
    cdef fn_node *n
    cdef Tensor y
    try:
        lookup_get(&rows, l, &table.t, index)
        y = tensor_take(&rows)
        if table.node != NULL and grad_enabled():
            n = record(y, &INDEX, 1, 1)
            n.block = block_new(sizeof(Lookup))
            memcpy(n.block, l, sizeof(Lookup))
            node_input(n, 0, table.node)
            node_save(n, 0, index)
    finally:
        array_drop(index)
    return y


cdef object getitem(object input, object index):
    cdef Tensor x = input
    cdef Tensor t
    cdef Selection s
    cdef Lookup l
    cdef fn_tensor rows
    if isinstance(index, Tensor):                       # x[positions]: the usual one
        t = index
        if t.t.ndim and x.t.ndim and (t.t.dtype == FN_I64 or t.t.dtype == FN_I32):
            lookup_rows(&l, &rows, &x.t, &t.t)
            return _looked_up(x, &l, &rows)
    gathers = parse(&x.t, index, &s)
    if gathers is None:
        return viewed(x, &s)
    return looked_up(x if _is_same(&x.t, &s) else viewed(x, &s), gathers)


operators.getitem = getitem
