"""What the elementwise ops share: promotion, broadcasting, the launch, gradients of broadcast operands."""
cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint8_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport reduce_array
from fastnet.ops.create cimport default_dtype

import numpy as np

cdef type _Generic = np.generic

cdef extern from "groups/element.h" nogil:
    int FN_cast_from, FN_cast_to
cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum
cdef extern from "kernels/elementwise.h" nogil:
    ctypedef struct fn_elementwise_args:
        void *p[4]
        double s[4]
        Py_ssize_t stream, type, ndim
        Py_ssize_t dims[8]
        Py_ssize_t strides[4][8]

cdef Py_ssize_t TRANSPOSE = 4096                         # elements from which a transposed operand is worth a copy
cdef double STREAM = 12.0 * (1 << 20)                    # bytes of output beyond which stores go past the caches


cdef bint is_operand(object x) noexcept:
    return isinstance(x, Tensor) or isinstance(x, (float, int)) or isinstance(x, (_Generic, cnp.ndarray))


cdef int promote(int a, int b) noexcept:
    """The smallest dtype that holds both; floats beat integers."""
    if is_float(a) or is_float(b):
        return FN_F64 if a == FN_F64 or b == FN_F64 else FN_F32
    if a == b:
        return a
    if a == FN_BOOL or b == FN_BOOL:
        return b if a == FN_BOOL else a
    return FN_I64 if a == FN_I64 or b == FN_I64 else FN_I32


cdef int _combine(int higher, int lower) noexcept:
    """The dtype of operands of two ranks: the lower one counts only for a kind (bool, integer, float) the higher one lacks."""
    if higher < 0 or lower < 0:
        return lower if higher < 0 else higher
    if is_float(higher) or not (higher == FN_BOOL or is_float(lower)):
        return higher
    return promote(higher, lower)


cdef int operands_make(Operands *o, str op, int n, object a, object b, object c, bint floating) except -1:
    cdef int k
    o.n = n
    for k in range(n):
        o.of[k].owned = False
        o.of[k].node = NULL
        o.of[k].t.st = NULL
    try:
        _make(o, op, n, a, b, c, floating)
    except:
        operands_drop(o)
        raise
    return 0


cdef int _make(Operands *o, str op, int n, object a, object b, object c, bint floating) except -1:
    cdef int rank[3]                                     # dtypes of: tensors with axes, 0-dim tensors, numbers
    cdef int k, r, dtype
    cdef Tensor x
    cdef object value
    rank[0] = rank[1] = rank[2] = -1
    for k in range(n):
        value = a if k == 0 else (b if k == 1 else c)
        if isinstance(value, _Generic):
            value = value.item()
        if isinstance(value, cnp.ndarray):
            value = as_tensor(value, op, "an operand")
            storage_hold(&o.of[k], <Tensor>value)
        if isinstance(value, Tensor):
            x = value
            if not o.of[k].owned:
                o.of[k].t = x.t
            o.of[k].node = x.node
            r, dtype = 0 if x.t.ndim else 1, x.t.dtype
        elif isinstance(value, (float, int)):
            o.of[k].t.ndim, o.of[k].t.size, o.of[k].t.st = 0, 1, NULL
            o.of[k].number = value
            r, dtype = 2, default_dtype() if isinstance(value, float) else (FN_BOOL if isinstance(value, bool) else FN_I64)
            o.of[k].t.dtype = dtype
        else:
            raise TypeError(f"{op}: operands are tensors or numbers, got {type(value).__name__}")
        rank[r] = dtype if rank[r] < 0 else promote(rank[r], dtype)
    o.dtype = _combine(rank[0], _combine(rank[1], rank[2]))
    if floating and not is_float(o.dtype):
        o.dtype = default_dtype()
    if is_float(o.dtype):
        return operands_convert(o, o.dtype)
    for k in range(n):
        if o.of[k].t.st == NULL:
            o.of[k].integer = int(a if k == 0 else (b if k == 1 else c))
    return 0


cdef void storage_hold(Operand *x, Tensor value) noexcept:
    array_share(&x.t, &value.t)
    x.owned = True


cdef int operands_convert(Operands *o, int dtype) except -1:
    cdef int k
    cdef fn_tensor other
    for k in range(o.n):
        if o.of[k].t.st == NULL:
            number_operand(&o.of[k].t, o.of[k].room, o.of[k].number, dtype)
            if dtype == FN_I64:
                (<int64_t *>o.of[k].room)[0] = o.of[k].integer
            elif dtype == FN_I32:
                (<int32_t *>o.of[k].room)[0] = <int32_t>o.of[k].integer
            elif not is_float(dtype):
                (<uint8_t *>o.of[k].room)[0] = <uint8_t>o.of[k].integer
        elif o.of[k].t.dtype != dtype:
            array_cast(&other, &o.of[k].t, dtype)
            if o.of[k].owned:
                array_drop(&o.of[k].t)
            o.of[k].t, o.of[k].owned = other, True
    return 0


cdef void operands_drop(Operands *o) noexcept:
    cdef int k
    for k in range(o.n):
        if o.of[k].owned:
            array_drop(&o.of[k].t)
            o.of[k].owned = False


cdef void number_operand(fn_tensor *t, char *room, double value, int dtype) noexcept:
    t.st, t.p, t.ndim, t.size, t.dtype = NULL, room, 0, 1, dtype
    if dtype == FN_F32:
        (<float *>room)[0] = <float>value
    else:
        (<double *>room)[0] = value


cdef Tensor output_for(Operands *o, str op, int dtype):
    cdef Py_ssize_t dims[8]
    cdef int k, d, e, ndim = 0
    cdef const fn_tensor *x
    cdef Py_ssize_t size = 1
    for k in range(o.n):
        ndim = max(ndim, o.of[k].t.ndim)
    for d in range(ndim):
        dims[d] = 1
    for k in range(o.n):
        x = &o.of[k].t
        for d in range(x.ndim):
            e = d + ndim - x.ndim
            if x.dims[d] != 1:
                if dims[e] != 1 and dims[e] != x.dims[d]:
                    raise RuntimeError(f"{op}: shapes {' and '.join([str(shape_of(&o.of[i].t)) for i in range(o.n)])} do not broadcast: "
                                       f"axis {e} is {dims[e]} and {x.dims[d]}")
                dims[e] = x.dims[d]
    for d in range(ndim):
        size *= dims[d]
    for k in range(o.n):                                 # the first operand that fills the shape gives the memory order
        x = &o.of[k].t
        if x.ndim == ndim and x.size == size != 0 and x.st != NULL and is_dense(x):
            return tensor_like(x, dtype)
    return tensor_new(ndim, dims, dtype)


cdef inline void _spread(Py_ssize_t *strides, const fn_tensor *x, const fn_tensor *y) noexcept:
    """x's strides on y's axes; 0 where x is broadcast."""
    cdef int d, e
    for d in range(y.ndim):
        e = d - y.ndim + x.ndim
        strides[d] = 0 if e < 0 or x.dims[e] == 1 else x.strides[e]


cdef int run(int kernel, int dtype, fn_tensor *y, int n, const fn_tensor *a, const fn_tensor *b, const fn_tensor *c,
             const double *s, double ns) except -1:
    cdef fn_elementwise_args args
    cdef const fn_tensor *x[3]
    cdef Py_ssize_t spread[3][8]
    cdef const Py_ssize_t *strides[4]
    cdef int k
    cdef bint flat
    cdef Tensor turned
    cdef double width = itemsize(y.dtype)
    x[0], x[1], x[2] = a, b, c
    if y.size == 0:
        return 0
    args.p[0] = y.p
    args.type = dtype
    if s != NULL:
        for k in range(4):
            args.s[k] = s[k]
    args.stream = width * y.size > STREAM and a.p != y.p
    flat = is_contiguous(y) or is_dense(y)
    args.strides[0][0] = 1
    for k in range(n):
        args.p[k + 1] = x[k].p
        if x[k].size == 1:
            args.strides[k + 1][0] = 0
        elif flat and same_layout(x[k], y):
            args.strides[k + 1][0] = 1
        else:
            flat = False
        width += itemsize(x[k].dtype)
    if flat:
        args.ndim, args.dims[0] = 1, y.size
    else:
        strides[0] = y.strides
        for k in range(n):
            _spread(spread[k], x[k], y)
            strides[k + 1] = spread[k]
        args.ndim = collapse(y.ndim, y.dims, n + 1, strides, args.dims, &args.strides[0][0])
        if args.ndim > 1 and y.size >= TRANSPOSE:        # an operand whose rows are y's columns is transposed first
            for k in range(n):
                if args.strides[k + 1][args.ndim - 2] == 1 and args.strides[k + 1][args.ndim - 1] > 1 and same_shape(x[k], y) \
                        and x[k].dtype == y.dtype:
                    turned = tensor_like(y, x[k].dtype)
                    array_copy(&turned.t, x[k])
                    return run(kernel, dtype, y, n, &turned.t if k == 0 else a, &turned.t if k == 1 else b, &turned.t if k == 2 else c, s, ns)
    return launch(kernel, dtype, &args, y.size, max(ns, byte_cost(width)) * y.size)


cdef int array_cast(fn_tensor *y, const fn_tensor *x, int dtype) except -1:
    cdef fn_tensor from_
    cdef Tensor source, target
    y.st = NULL
    target = tensor_like(x, dtype)
    if x.dtype == dtype:
        array_copy(&target.t, x)
    elif is_float(dtype) or is_float(x.dtype):
        cast_run(&target.t, x)
    else:
        array_share(&from_, x)
        source = tensor_take(&from_)
        np.copyto(target._ndarray(), source._ndarray(), casting="unsafe")
    array_share(y, &target.t)
    return 0


cdef int cast_run(fn_tensor *y, const fn_tensor *x) except -1:
    """y = x, one of them floating; y may have any strides."""
    cdef fn_elementwise_args args
    cdef const Py_ssize_t *strides[2]
    cdef Py_ssize_t spread[8]
    if y.size == 0:
        return 0
    _spread(spread, x, y)
    strides[0], strides[1] = y.strides, spread
    args.p[0], args.p[1], args.stream = y.p, x.p, 0
    args.ndim = collapse(y.ndim, y.dims, 2, strides, args.dims, &args.strides[0][0])
    args.type = x.dtype if is_float(y.dtype) else y.dtype
    return launch(FN_cast_from if is_float(y.dtype) else FN_cast_to, y.dtype if is_float(y.dtype) else x.dtype, &args, y.size,
                  byte_cost(<double>(itemsize(x.dtype) + itemsize(y.dtype)) * y.size))


cdef int gradient_to(fn_tensor *gin, fn_tensor *g, fn_node *x) except -1:
    try:
        _shrink(g, &x.acc)
        gin[0] = g[0]
        g.st = NULL
    finally:
        array_drop(g)
    return 0


cdef int _shrink(fn_tensor *g, const fn_tensor *like) except -1:
    """g summed over the axes that `like` does not have or has as 1, in like's dtype."""
    cdef fn_tensor other
    cdef int d, extra = g.ndim - like.ndim
    cdef long mask = 0
    for d in range(g.ndim):
        if d < extra or (like.dims[d - extra] == 1 and g.dims[d] != 1):
            mask |= 1 << d
    if mask:
        reduce_array(&other, g, mask, FN_reduce_sum, FN_reduce_sum)
        array_drop(g)
        g[0] = other
        for d in range(like.ndim):
            g.dims[d], g.strides[d] = g.dims[d + extra], g.strides[d + extra]
        g.ndim = like.ndim
    if g.dtype != like.dtype:
        array_cast(&other, g, like.dtype)
        array_drop(g)
        g[0] = other
    return 0


cdef int gradient_run(fn_tensor *gin, fn_node *x, int kernel, const fn_tensor *gy, const fn_tensor *a, const fn_tensor *b,
                      const double *s, double ns) except -1:
    cdef fn_tensor g
    cdef int n = 1 if a == NULL else (2 if b == NULL else 3)
    array_like(&g, a if a != NULL and a.st != NULL and same_shape(a, gy) and is_dense(a) else gy, gy.dtype)
    try:
        run(kernel, gy.dtype, &g, n, gy, a, b, s, ns)
        gradient_to(gin, &g, x)
    finally:
        array_drop(&g)
    return 0


cdef void save_operand(fn_node *n, int k, Operand *x) noexcept:
    if x.t.st == NULL:
        n.saved[k].t = x.t
        n.f[k] = x.number
    else:
        node_save(n, k, &x.t)


cdef const fn_tensor *saved_operand(fn_node *n, int k, fn_tensor *t, char *room) noexcept:
    if n.saved[k].t.st != NULL:
        return &n.saved[k].t
    number_operand(t, room, n.f[k], n.acc.dtype)
    return t


cdef Tensor by_numpy(Operands *o, object f):
    cdef list values = []
    cdef int k
    cdef fn_tensor share
    cdef Tensor x
    dtype = dtype_object(o.dtype).numpy
    for k in range(o.n):
        if o.of[k].t.st == NULL:
            values.append(dtype.type(o.of[k].integer))
        else:
            array_share(&share, &o.of[k].t)
            x = tensor_take(&share)
            values.append(x._ndarray().astype(dtype, copy=False))
    result = np.asarray(f(*values))
    return from_data(result, FN_BOOL if result.dtype.kind == "b" else o.dtype)


cdef int assign(Tensor y, const fn_tensor *value) except -1:
    cdef fn_tensor share, spread
    cdef Tensor source
    if value.dtype == y.t.dtype:
        spread = value[0]
        spread.ndim = y.t.ndim
        _spread(spread.strides, value, &y.t)
        array_copy(&y.t, &spread)
    elif is_float(value.dtype) or is_float(y.t.dtype):
        cast_run(&y.t, value)
    else:
        array_share(&share, value)
        source = tensor_take(&share)
        np.copyto(y._ndarray(), source._ndarray(), casting="unsafe")
    return 0
