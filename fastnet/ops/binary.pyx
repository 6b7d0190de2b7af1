"""Ops of two operands: the fast door for contiguous tensors of one shape, the slow one for everything else, and in-place forms."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport STREAM, byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.select cimport new_history
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

cdef extern from "kernels/elementwise.h" nogil:
    ctypedef struct fn_elementwise_args:
        void *p[4]
        double s[4]
        Py_ssize_t stream, type, ndim
        Py_ssize_t dims[8]
        Py_ssize_t strides[4][8]

ONES[:] = [1.0, 1.0, 1.0, 1.0]


cdef int cast_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    array_share(&g, gy)
    return gradient_to(&gin[0], &g, n.inputs[0])

cdef fn_op CAST = [b"ToCopyBackward0", cast_backward, False]


cdef inline void _fill(fn_node *n, const Binary *op, fn_node *a, fn_node *b, double s0) noexcept:
    n.f[2] = s0
    node_input(n, 0, a)
    node_input(n, 1, b)


cdef struct Side:
    const fn_tensor *t              # t.st == NULL: a number
    fn_node *node
    double number


cdef Tensor _fast(const fn_tensor *like, Side *a, Side *b, const Binary *op, double s0):
    """a op b, for a contiguous tensor `like` and another of its dtype and shape, or a number."""
    cdef fn_elementwise_args args
    cdef fn_node *n
    cdef Tensor y = tensor_new(like.ndim, like.dims, like.dtype)
    cdef Py_ssize_t width = itemsize(like.dtype)
    args.p[0], args.p[1], args.p[2] = y.t.p, a.t.p, b.t.p
    args.s[0] = s0
    args.stream = width * y.t.size > STREAM
    args.ndim, args.dims[0] = 1, y.t.size
    args.strides[0][0], args.strides[1][0], args.strides[2][0] = 1, a.t.st != NULL, b.t.st != NULL
    launch(op.kernel, like.dtype, &args, y.t.size, max(op.ns, byte_cost(width * 3)) * y.t.size)
    if (a.node != NULL or b.node != NULL) and grad_enabled():
        n = record(y, &op.op, 2, 0 if op.saves == SAVE_NONE else 2)
        _fill(n, op, a.node, b.node, s0)
        if op.saves != SAVE_NONE:
            if op.saves == SAVE_RESULT:
                if b.node != NULL:
                    node_save(n, 0, &y.t)
            elif b.node != NULL or op.saves == SAVE_BOTH:
                _keep(n, 0, a)
            if a.node != NULL or op.saves != SAVE_CROSS:
                _keep(n, 1, b)
    return y


cdef inline void _keep(fn_node *n, int k, Side *x) noexcept:
    if x.t.st != NULL:
        node_save(n, k, x.t)
    else:
        n.f[k] = x.number


cdef Tensor binary(object a, object b, const Binary *op, double s0):
    """a op b for any operands."""
    cdef const fn_tensor *like
    cdef fn_tensor t
    cdef char room[8]
    cdef Side sides[2]
    cdef bint first = isinstance(a, Tensor)
    if first or isinstance(b, Tensor):
        like = &(<Tensor>(a if first else b)).t
        if is_float(like.dtype) and is_contiguous(like):
            if first:
                sides[0].t, sides[0].node = like, (<Tensor>a).node
                if isinstance(b, Tensor):
                    sides[1].t, sides[1].node = &(<Tensor>b).t, (<Tensor>b).node
                    if sides[1].t.dtype == like.dtype and same_shape(like, sides[1].t) and is_contiguous(sides[1].t):
                        return _fast(like, &sides[0], &sides[1], op, s0)
                elif type(b) is float or type(b) is int:
                    sides[1].number, sides[1].node, sides[1].t = b, NULL, &t
                    number_operand(&t, room, sides[1].number, like.dtype)
                    return _fast(like, &sides[0], &sides[1], op, s0)
            elif type(a) is float or type(a) is int:
                sides[0].number, sides[0].node, sides[0].t = a, NULL, &t
                sides[1].t, sides[1].node = like, (<Tensor>b).node
                number_operand(&t, room, sides[0].number, like.dtype)
                return _fast(like, &sides[0], &sides[1], op, s0)
    return _slow(a, b, op, s0)


cdef Tensor _slow(object a, object b, const Binary *op, double s0):
    cdef Operands o
    cdef Tensor y
    cdef fn_node *n
    cdef double s[4]
    cdef str name = op.name.decode()
    s[0] = s0
    operands_make(&o, name, 2, a, b, None, op.floating)
    try:
        if not is_float(o.dtype):
            return by_numpy(&o, op.integers(op, o.dtype, s0))
        y = output_for(&o, name, o.dtype)
        run(op.kernel, o.dtype, &y.t, 2, &o.of[0].t, &o.of[1].t, NULL, s, op.ns)
        if (o.of[0].node != NULL or o.of[1].node != NULL) and grad_enabled():
            n = record(y, &op.op, 2, 2)
            _fill(n, op, o.of[0].node, o.of[1].node, s0)
            _save(n, op, &o, &y.t)
        return y
    finally:
        operands_drop(&o)


cdef void _save(fn_node *n, const Binary *op, Operands *o, const fn_tensor *y) noexcept:
    if op.saves == SAVE_NONE:
        return
    if op.saves == SAVE_RESULT:
        if o.of[1].node != NULL:
            node_save(n, 0, y)
    elif o.of[1].node != NULL or op.saves == SAVE_BOTH:
        save_operand(n, 0, &o.of[0])
    if o.of[0].node != NULL or op.saves != SAVE_CROSS:
        save_operand(n, 1, &o.of[1])


cdef int _fast_inplace(Tensor x, object b, const Binary *op, double s0) except -1:
    """1 where it was done: contiguous tensors of one dtype and shape, or a number, and nothing to record."""
    cdef fn_elementwise_args args
    cdef fn_tensor t
    cdef char room[8]
    cdef const fn_tensor *z = &t
    if not is_float(x.t.dtype) or not is_contiguous(&x.t) or x.flags & READ_ONLY or (x.node != NULL and grad_enabled()):
        return 0
    if x.base is not None and x.base.node != NULL:
        return 0
    if isinstance(b, Tensor):
        z = &(<Tensor>b).t
        if z.dtype != x.t.dtype or not same_shape(z, &x.t) or not is_contiguous(z) or ((<Tensor>b).node != NULL and grad_enabled()):
            return 0
        if z.p != x.t.p and z.p < x.t.p + x.t.size * itemsize(z.dtype) and x.t.p < z.p + z.size * itemsize(z.dtype):
            return 0
    elif type(b) is float or type(b) is int:
        number_operand(&t, room, b, x.t.dtype)
    else:
        return 0
    args.p[0], args.p[1], args.p[2] = x.t.p, x.t.p, z.p
    args.s[0], args.stream = s0, 0
    args.ndim, args.dims[0] = 1, x.t.size
    args.strides[0][0], args.strides[1][0], args.strides[2][0] = 1, 1, z.st != NULL
    launch(op.kernel, x.t.dtype, &args, x.t.size, max(op.ns, byte_cost(itemsize(x.t.dtype) * 3)) * x.t.size)
    written(x)
    return 1


cdef object inplace(object a, object b, const Binary *op, double s0):
    """a = a op b, in a's memory."""
    cdef Operands o
    cdef Tensor x, value
    cdef fn_node *n
    cdef bint taped
    cdef double s[4]
    cdef str name
    s[0] = s0
    if isinstance(a, Tensor) and _fast_inplace(a, b, op, s0):
        return a
    name = op.name.decode() + "_"
    x = require_tensor(a, name, "input")
    operands_make(&o, name, 2, a, b, None, op.floating)
    try:
        check_inplace(x, &o, o.dtype, name)
        taped = (o.of[0].node != NULL or o.of[1].node != NULL) and grad_enabled()
        if not is_float(o.dtype) or o.dtype != x.t.dtype:
            value = _slow(a, b, op, s0)
            assign(x, &value.t)
            written(x)
            if taped:
                node_input(record(x, &CAST, 1, 0), 0, value.node)
                new_history(x)
            return x
        unalias(&o.of[1], &x.t, taped and op.saves != SAVE_NONE)
        if taped and (op.saves == SAVE_BOTH or (op.saves == SAVE_CROSS and o.of[1].node != NULL)):
            copy_operand(&o.of[0])                       # backward needs the old values
        run(op.kernel, o.dtype, &x.t, 2, &x.t, &o.of[1].t, NULL, s, op.ns)
        written(x)
        if taped:
            n = node_new(&op.op, &x.t, 2, 2)
            _fill(n, op, x.node, o.of[1].node, s0)
            _save(n, op, &o, &x.t)
            replace_node(x, n)
        return x
    finally:
        operands_drop(&o)
