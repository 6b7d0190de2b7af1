"""Ops of two operands: the fast door for contiguous tensors of one shape, the slow one for everything else, and in-place forms."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport *

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


cdef Tensor _fast(Tensor x, const fn_tensor *z, fn_node *z_node, double number, const Binary *op, double s0):
    """x op z, for a contiguous x and z of the same dtype and shape, or a number z."""
    cdef fn_elementwise_args args
    cdef fn_node *n
    cdef Tensor y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
    cdef Py_ssize_t width = itemsize(x.t.dtype)
    args.p[0], args.p[1], args.p[2] = y.t.p, x.t.p, z.p
    args.s[0] = s0
    args.stream = width * y.t.size > 24 << 20
    args.ndim, args.dims[0] = 1, y.t.size
    args.strides[0][0], args.strides[1][0], args.strides[2][0] = 1, 1, z.st != NULL
    launch(op.kernel, x.t.dtype, &args, y.t.size, max(op.ns, byte_cost(width * 3)) * y.t.size)
    if (x.node != NULL or z_node != NULL) and grad_enabled():
        if op.saves == SAVE_NONE:
            _fill(record(y, &op.op, 2, 0), op, x.node, z_node, s0)
        else:
            n = record(y, &op.op, 2, 2)
            _fill(n, op, x.node, z_node, s0)
            if op.saves == SAVE_RESULT:
                if z_node != NULL:
                    node_save(n, 0, &y.t)
            elif z_node != NULL or op.saves == SAVE_BOTH:
                node_save(n, 0, &x.t)
            if x.node != NULL or op.saves != SAVE_CROSS:
                if z.st != NULL:
                    node_save(n, 1, z)
                else:
                    n.f[1] = number
    return y


cdef Tensor binary(object a, object b, const Binary *op, double s0):
    """a op b for any operands."""
    cdef Tensor x, z
    cdef fn_tensor t
    cdef char room[8]
    if isinstance(a, Tensor):
        x = a
        if is_float(x.t.dtype) and is_contiguous(&x.t):
            if isinstance(b, Tensor):
                z = b
                if z.t.dtype == x.t.dtype and same_shape(&x.t, &z.t) and is_contiguous(&z.t):
                    return _fast(x, &z.t, z.node, 0, op, s0)
            elif type(b) is float or type(b) is int:
                number_operand(&t, room, b, x.t.dtype)
                return _fast(x, &t, NULL, b, op, s0)
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


cdef object inplace(object a, object b, const Binary *op, double s0):
    """a = a op b, in a's memory."""
    cdef Operands o
    cdef Tensor x, value
    cdef fn_node *n
    cdef fn_node *old
    cdef bint taped
    cdef double s[4]
    cdef str name = op.name.decode() + "_"
    s[0] = s0
    x = require_tensor(a, name, "input")
    operands_make(&o, name, 2, a, b, None, op.floating)
    try:
        check_inplace(x, &o, o.dtype, name)
        taped = (o.of[0].node != NULL or o.of[1].node != NULL) and grad_enabled()
        if taped and x.flags & IS_VIEW:
            raise RuntimeError(f"{name}: a view cannot be modified in place by what requires gradients; clone it")
        if not is_float(o.dtype) or o.dtype != x.t.dtype:
            value = _slow(a, b, op, s0)
            assign(x, &value.t)
            written(x)
            if taped:
                node_input(record(x, &CAST, 1, 0), 0, value.node)
            return x
        unalias(&o.of[1], &x.t, taped and op.saves != SAVE_NONE)
        if taped and (op.saves == SAVE_BOTH or (op.saves == SAVE_CROSS and o.of[1].node != NULL)):
            copy_operand(&o.of[0])                       # backward needs the old values
        run(op.kernel, o.dtype, &x.t, 2, &x.t, &o.of[1].t, NULL, s, op.ns)
        written(x)
        if taped:
            old = x.node                                 # may be the operand's node as well
            node_incref(old)
            n = record(x, &op.op, 2, 2)
            _fill(n, op, old, o.of[1].node, s0)
            _save(n, op, &o, &x.t)
            node_decref(old)
        return x
    finally:
        operands_drop(&o)
