"""fn_tensor: allocation, layout, copies.  The lowest stratum that knows shapes."""
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset
from fastnet._core.fn cimport *
from fastnet._core.launch cimport FN_accumulate, FN_copy, byte_cost, launch
from fastnet._core.memory cimport storage_new

cdef extern from "kernels/copy.h" nogil:
    ctypedef struct fn_copy_args:
        const void *x
        void *y
        Py_ssize_t ndim
        Py_ssize_t dims[8]
        Py_ssize_t xs[8]
        Py_ssize_t ys[8]
cdef extern from "groups/rows.h" nogil:
    int FN_copy_bytes
cdef extern from *:
    """
    /* dims, contiguous strides and the size; 0: it fits, 1: it does not, 2: a size is negative. */
    static int fn_layout(fn_tensor *y, int ndim, const Py_ssize_t *dims, Py_ssize_t itemsize)
    {
        Py_ssize_t n = 1, bytes;
        int wide = 0, empty = 0;
        for (int d = ndim - 1; d >= 0; d--) {
            const Py_ssize_t size = dims[d];
            if (size < 0) return 2;
            y->dims[d] = size;
            y->strides[d] = n;
            if (size == 0) empty = 1;
            else wide |= __builtin_mul_overflow(n, size, &n);
        }
        y->ndim = ndim;
        y->size = empty ? 0 : n;
        return !empty && (wide || __builtin_mul_overflow(n, itemsize, &bytes));
    }
    """
    int fn_layout(fn_tensor *y, int ndim, const Py_ssize_t *dims, Py_ssize_t itemsize)


cdef int array_new(fn_tensor *y, int ndim, const Py_ssize_t *dims, int dtype) except -1:
    cdef int bad
    y.st = NULL
    y.dtype = dtype
    if ndim > FN_MAXDIM:
        raise ValueError(f"fastnet: a tensor has at most {FN_MAXDIM} axes, not {ndim}")
    bad = fn_layout(y, ndim, dims, itemsize(dtype))
    if bad:
        shape = tuple([dims[i] for i in range(ndim)])
        if bad == 2:
            raise ValueError(f"fastnet: shape {shape} has a negative size")
        raise MemoryError(f"fastnet: shape {shape} does not fit in memory")
    y.st = storage_new(y.size * itemsize(dtype))
    y.p = y.st.data
    return 0


cdef int array_like(fn_tensor *y, const fn_tensor *x, int dtype) except -1:
    array_new(y, x.ndim, x.dims, dtype)
    if not is_contiguous(x) and is_dense(x):
        for d in range(x.ndim):
            y.strides[d] = x.strides[d]
    return 0


cdef int array_zeros(fn_tensor *y, const fn_tensor *x, int dtype) except -1:
    array_like(y, x, dtype)
    return array_fill_zero(y)


cdef int array_contiguous(fn_tensor *y, const fn_tensor *x) except -1:
    if is_contiguous(x):
        array_share(y, x)
        return 0
    array_new(y, x.ndim, x.dims, x.dtype)
    return array_copy(y, x)


cdef void _channels_last(Py_ssize_t *strides, int ndim, const Py_ssize_t *dims) noexcept:
    cdef Py_ssize_t step = max(dims[1], 1)
    cdef int d
    strides[1] = 1
    for d in range(ndim - 1, 0, -1):
        if d > 1:
            strides[d] = step
            step *= max(dims[d], 1)
    strides[0] = step


cdef int array_new_channels_last(fn_tensor *y, int ndim, const Py_ssize_t *dims, int dtype) except -1:
    array_new(y, ndim, dims, dtype)
    _channels_last(y.strides, ndim, dims)
    return 0


cdef bint is_channels_last(const fn_tensor *x) noexcept:
    cdef fn_tensor like = x[0]
    _channels_last(like.strides, x.ndim, x.dims)
    return x.size == 0 or same_layout(&like, x)


cdef int array_channels_last(fn_tensor *y, const fn_tensor *x) except -1:
    if is_channels_last(x):
        array_share(y, x)
        return 0
    array_new_channels_last(y, x.ndim, x.dims, x.dtype)
    return array_copy(y, x)


cdef bint is_dense(const fn_tensor *x) noexcept:
    cdef Py_ssize_t step = 1
    cdef int d, found
    cdef unsigned used = 0
    if x.size == 0:
        return is_contiguous(x)
    for d in range(x.ndim):
        if x.dims[d] == 1:
            used |= 1u << d
    while used != (1u << x.ndim) - 1:
        found = -1
        for d in range(x.ndim):
            if not used & (1u << d) and x.strides[d] == step:
                found = d
        if found < 0:
            return False
        used |= 1u << found
        step *= x.dims[found]
    return True


cdef int collapse(int ndim, const Py_ssize_t *dims, int nop, const Py_ssize_t **strides, Py_ssize_t *out_dims, Py_ssize_t *out_strides) noexcept:
    cdef int order[8]
    cdef int d, e, k, n = 0
    cdef bint merge
    for d in range(ndim):                               # insertion sort by operand 0's strides, largest first; stable
        if dims[d] != 1:
            e = n
            while e > 0 and _abs(strides[0][order[e - 1]]) < _abs(strides[0][d]):
                order[e] = order[e - 1]
                e -= 1
            order[e] = d
            n += 1
    if n == 0:
        out_dims[0] = 1
        for k in range(nop):
            out_strides[8 * k] = 1
        return 1
    e = 0                                               # the axis of the output that is being extended
    out_dims[0] = dims[order[0]]
    for k in range(nop):
        out_strides[8 * k] = strides[k][order[0]]
    for d in range(1, n):
        merge = True
        for k in range(nop):
            if out_strides[8 * k + e] != strides[k][order[d]] * dims[order[d]]:
                merge = False
        if merge:
            out_dims[e] *= dims[order[d]]
        else:
            e += 1
            out_dims[e] = dims[order[d]]
        for k in range(nop):
            out_strides[8 * k + e] = strides[k][order[d]]
    return e + 1


cdef inline Py_ssize_t _abs(Py_ssize_t s) noexcept:
    return -s if s < 0 else s


cdef int _move(int kernel, fn_tensor *y, const fn_tensor *x) except -1:
    cdef fn_copy_args a
    cdef const Py_ssize_t *strides[2]
    cdef Py_ssize_t merged[16]
    cdef Py_ssize_t width = itemsize(y.dtype)
    if y.size == 0:
        return 0
    a.x, a.y = x.p, y.p
    strides[0], strides[1] = y.strides, <const Py_ssize_t *>x.strides
    a.ndim = collapse(y.ndim, y.dims, 2, strides, a.dims, merged)
    memcpy(a.ys, merged, sizeof(a.ys))
    memcpy(a.xs, merged + 8, sizeof(a.xs))
    return launch(kernel if width > 1 else FN_copy_bytes, FN_F64 if width == 8 else FN_F32, &a, y.size, byte_cost(2.0 * width * y.size))


cdef int array_copy(fn_tensor *y, const fn_tensor *x) except -1:
    return _move(FN_copy, y, x)


cdef int array_accumulate(fn_tensor *y, const fn_tensor *x) except -1:
    return _move(FN_accumulate, y, x)


cdef int array_fill_zero(fn_tensor *y) except -1:
    cdef double zero = 0.0                              # all bits 0 in every dtype
    cdef fn_tensor x
    x.p = <char *>&zero
    if y.size * itemsize(y.dtype) < 4096 and is_contiguous(y):
        memset(y.p, 0, y.size * itemsize(y.dtype))
        return 0
    memset(x.strides, 0, sizeof(x.strides))
    return _move(FN_copy, y, &x)


cdef object array_item(const fn_tensor *x):
    if x.dtype == FN_F32:
        return (<float *>x.p)[0]
    if x.dtype == FN_F64:
        return (<double *>x.p)[0]
    if x.dtype == FN_I64:
        return (<int64_t *>x.p)[0]
    if x.dtype == FN_I32:
        return (<int32_t *>x.p)[0]
    if x.dtype == FN_BOOL:
        return (<uint8_t *>x.p)[0] != 0
    return (<uint8_t *>x.p)[0]


cdef int array_set_item(fn_tensor *x, object value) except -1:
    if x.dtype == FN_F32:
        (<float *>x.p)[0] = <float><double>value
    elif x.dtype == FN_F64:
        (<double *>x.p)[0] = value
    elif x.dtype == FN_I64:
        (<int64_t *>x.p)[0] = <int64_t>int(value)
    elif x.dtype == FN_I32:
        (<int32_t *>x.p)[0] = <int32_t>int(value)
    elif x.dtype == FN_BOOL:
        (<uint8_t *>x.p)[0] = 1 if value else 0
    else:
        (<uint8_t *>x.p)[0] = <uint8_t>(int(value) & 255)
    return 0
