"""x[index] where the index holds tensors: positions, broadcast and checked; the launch of index_get and index_put."""
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tensor cimport *

cdef extern from "groups/index.h" nogil:
    int FN_index_get, FN_index_put, FN_index_put_add
cdef extern from "kernels/index_put.h" nogil:
    ctypedef struct fn_index_put_args:
        void *table
        void *rows
        const int64_t *index
        Py_ssize_t scale, k, inner, bytes, step, integer
        Py_ssize_t outer_ndim
        Py_ssize_t outer_dims[8]
        Py_ssize_t outer_strides[8]
        Py_ssize_t inner_ndim
        Py_ssize_t inner_dims[8]
        Py_ssize_t inner_strides[8]


cdef int mask_positions(fn_tensor *y, const fn_tensor *mask) except -1:
    cdef fn_tensor m
    cdef Py_ssize_t i, n = 0, count = 0
    cdef const uint8_t *on
    cdef int64_t *to
    array_contiguous(&m, mask)
    try:
        on = <const uint8_t *>m.p
        for i in range(m.size):
            count += on[i] != 0
        array_new(y, 1, &count, FN_I64)
        to = <int64_t *>y.p
        for i in range(m.size):
            if n == count:
                break
            to[n] = i                                   # written always, kept where the mask is on
            n += on[i] != 0
    finally:
        array_drop(&m)
    return 0


cdef int _check_mask(const fn_tensor *mask, const fn_tensor *table, int at, int named) except -1:
    cdef int d
    for d in range(mask.ndim):
        if mask.dims[d] != table.dims[at + d]:
            raise IndexError(f"index: a mask of shape {shape_of(mask)} does not match axis {named + d} of size {table.dims[at + d]}")
    return 0


cdef int _broadcast(Lookup *l, const fn_tensor *t, list shapes) except -1:
    """Widen the shape of the index to hold t's."""
    cdef int d, shift
    cdef Py_ssize_t have, more
    if t.ndim > l.found_ndim:
        shift = t.ndim - l.found_ndim
        for d in range(t.ndim - 1, -1, -1):
            l.found[d] = l.found[d - shift] if d >= shift else 1
        l.found_ndim = t.ndim
    shift = l.found_ndim - t.ndim
    for d in range(t.ndim):
        have, more = l.found[d + shift], t.dims[d]
        if have != more and have != 1 and more != 1:
            raise IndexError(f"index: index tensors of shapes {', '.join(map(str, shapes))} do not broadcast to one shape")
        if have == 1:
            l.found[d + shift] = more
    return 0


cdef int _out_of_range(int64_t i, int axis, Py_ssize_t n) except -1:
    raise IndexError(f"index: {i} is out of range for axis {axis} of size {n}")


cdef int _add_positions(int64_t *to, const Lookup *l, const fn_tensor *t, Py_ssize_t n, int axis, bint fresh) except -1:
    """to = to * n + t, with t broadcast; negative indices count from the end."""
    cdef Py_ssize_t at[8]
    cdef Py_ssize_t strides[8]
    cdef Py_ssize_t i, offset = 0
    cdef int64_t v
    cdef int d, shift = l.found_ndim - t.ndim
    for d in range(l.found_ndim):
        at[d] = 0
        strides[d] = 0 if d < shift or t.dims[d - shift] == 1 else t.strides[d - shift]
    for i in range(l.k):
        v = (<const int64_t *>t.p)[offset] if t.dtype == FN_I64 else (<const int32_t *>t.p)[offset]
        if v < -n or v >= n:
            _out_of_range(v, axis, n)
        if v < 0:
            v += n
        to[i] = v if fresh else to[i] * n + v
        d = l.found_ndim - 1
        while d >= 0:
            at[d] += 1
            offset += strides[d]
            if at[d] < l.found[d]:
                break
            offset -= at[d] * strides[d]
            at[d] = 0
            d -= 1
    return 0


cdef int lookup_make(Lookup *l, fn_tensor *index, const fn_tensor *table, list gathers) except -1:
    cdef Tensor t, positions
    cdef fn_tensor flat
    cdef int at, named, width, d, low = 8, high = -1
    cdef Py_ssize_t n
    cdef bint fresh = True
    cdef list parts = []
    l.ndim, l.found_ndim, l.axes, l.k = table.ndim, 0, 0, 1
    for at, named, t in gathers:
        width = 1
        n = table.dims[at]
        if t.t.dtype == FN_BOOL:
            _check_mask(&t.t, table, at, named)
            width = t.t.ndim
            for d in range(1, width):
                n *= table.dims[at + d]
            mask_positions(&flat, &t.t)
            t = tensor_take(&flat)
        for d in range(at, at + width):
            l.axes |= 1u << d
        low, high = min(low, at), max(high, at + width - 1)
        parts.append((t, n, named))
        _broadcast(l, &t.t, [tuple(one[0].shape) for one in parts] if len(parts) > 1 else parts)
    for d in range(l.found_ndim):
        l.k *= l.found[d]
    l.first = low
    for d in range(low, high):
        if not l.axes >> d & 1:
            l.first = 0                                 # looked up axes with others between them: theirs come first
    positions = tensor_new(1, &l.k, FN_I64)
    for t, n, named in parts:
        _add_positions(<int64_t *>positions.t.p, l, &t.t, n, named, fresh)
        fresh = False
    array_share(index, &positions.t)
    return 0


cdef int lookup_rows(Lookup *l, fn_tensor *index, const fn_tensor *table, const fn_tensor *t) except -1:
    cdef int d
    l.ndim, l.first, l.found_ndim, l.axes, l.k = table.ndim, 0, t.ndim, 1, t.size
    for d in range(t.ndim):
        l.found[d] = t.dims[d]
    array_new(index, 1, &l.k, FN_I64)
    try:
        _add_positions(<int64_t *>index.p, l, t, table.dims[0], 0, True)
    except BaseException:
        array_drop(index)
        raise
    return 0


cdef int lookup_dims(Py_ssize_t *dims, const Lookup *l, const fn_tensor *table) except -1:
    cdef int d, n = l.found_ndim
    for d in range(l.ndim):
        n += not l.axes >> d & 1
    if n > FN_MAXDIM:
        raise ValueError(f"index: the result would have {n} axes, a tensor has at most {FN_MAXDIM}")
    n = 0
    for d in range(l.ndim):
        if not l.axes >> d & 1:
            dims[n if n < l.first else n + l.found_ndim] = table.dims[d]
            n += 1
    for d in range(l.found_ndim):
        dims[l.first + d] = l.found[d]
    return n + l.found_ndim


cdef int _fill(fn_index_put_args *a, const Lookup *l, const fn_tensor *table, const fn_tensor *index, fn_tensor *offsets) except -1:
    """All of the args but the rows; offsets: a new array that they may need, to drop after the launch."""
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t strides[8]
    cdef Py_ssize_t steps[8]
    cdef Py_ssize_t ends[8]
    cdef Py_ssize_t merged[16]
    cdef const Py_ssize_t *both[2]
    cdef int d, e, n, part, looked = 0
    cdef Py_ssize_t step, i, rest, offset
    cdef int64_t *to
    both[0], both[1] = steps, strides
    for part in range(2):                               # the axes before the result's index, and those after it
        n = 0
        for d in range(l.ndim):
            if not l.axes >> d & 1 and (d < l.first) == (part == 0):
                dims[n], strides[n] = table.dims[d], table.strides[d]
                n += 1
        step = 1
        for d in range(n - 1, -1, -1):
            steps[d] = step
            step *= dims[d]
        if part:
            a.inner, a.inner_ndim = step, collapse(n, dims, 2, both, a.inner_dims, merged)
            memcpy(a.inner_strides, merged + 8, sizeof(a.inner_strides))
        else:
            a.outer_ndim = collapse(n, dims, 2, both, a.outer_dims, merged)
            memcpy(a.outer_strides, merged + 8, sizeof(a.outer_strides))
    for d in range(l.ndim):
        if l.axes >> d & 1 and table.dims[d] != 1:
            dims[looked], strides[looked] = table.dims[d], table.strides[d]
            looked += 1
    a.table, a.k, a.bytes, a.index = table.p, l.k, itemsize(table.dtype), <const int64_t *>index.p
    a.scale = strides[looked - 1] if looked else 0
    offsets.st = NULL
    for d in range(looked - 1):
        if strides[d] != dims[d + 1] * strides[d + 1]:
            break
    else:
        return 0
    array_new(offsets, 1, &l.k, FN_I64)
    to = <int64_t *>offsets.p
    for i in range(l.k):
        rest, offset = a.index[i], 0
        for e in range(looked - 1, -1, -1):
            offset += rest % dims[e] * strides[e]
            rest //= dims[e]
        to[i] = offset
    a.index, a.scale = to, 1
    return 0


cdef int lookup_get(fn_tensor *rows, const Lookup *l, const fn_tensor *table, const fn_tensor *index) except -1:
    cdef fn_index_put_args a
    cdef fn_tensor offsets
    cdef Py_ssize_t dims[8]
    cdef Tensor y = tensor_new(lookup_dims(dims, l, table), dims, table.dtype)
    if y.t.size:
        _fill(&a, l, table, index, &offsets)
        a.rows = y.t.p
        try:
            launch(FN_index_get, FN_F64 if a.bytes == 8 else FN_F32, &a, y.t.size // a.inner, byte_cost(2.0 * a.bytes * y.t.size + 16.0 * l.k))
        finally:
            array_drop(&offsets)
    array_share(rows, &y.t)
    return 0


cdef int lookup_put(fn_tensor *table, const Lookup *l, const fn_tensor *index, const fn_tensor *rows, bint add) except -1:
    cdef fn_index_put_args a
    cdef fn_tensor offsets
    cdef int d
    cdef Py_ssize_t n = 1
    for d in range(l.ndim):
        if not l.axes >> d & 1:
            n *= table.dims[d]
    if n == 0 or l.k == 0:
        return 0
    _fill(&a, l, table, index, &offsets)
    a.rows, a.step, a.integer = rows.p, rows.size != 1 or n * l.k == 1, not is_float(table.dtype)
    try:
        launch(FN_index_put_add if add else FN_index_put, FN_F64 if a.bytes == 8 else FN_F32, &a, n,
               byte_cost(3.0 * a.bytes * n * l.k + 16.0 * l.k))
    finally:
        array_drop(&offsets)
    return 0
