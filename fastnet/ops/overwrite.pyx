"""What the in-place ops share: operands that overlap, refusals, the node afterwards."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport Operand, Operands
from fastnet.ops.select cimport new_history


cdef int copy_operand(Operand *operand) except -1:
    cdef Tensor copy = tensor_like(&operand.t, operand.t.dtype)
    array_copy(&copy.t, &operand.t)
    if operand.owned:
        array_drop(&operand.t)
    array_share(&operand.t, &copy.t)
    operand.owned = True
    return 0


cdef int replace_node(Tensor x, fn_node *n) except -1:
    cdef fn_node *old = x.node
    x.node = n
    node_decref(old)
    return new_history(x)


cdef void _extent(const fn_tensor *x, const char **low, const char **high) noexcept:
    """The addresses that x spans; strides may be negative."""
    cdef Py_ssize_t step
    cdef int d
    low[0] = x.p
    high[0] = x.p + itemsize(x.dtype)
    for d in range(x.ndim):
        step = (x.dims[d] - 1) * x.strides[d] * itemsize(x.dtype)
        if step < 0:
            low[0] += step
        else:
            high[0] += step


cdef int unalias(Operand *operand, const fn_tensor *x, bint always) except -1:
    cdef const char *low[2]
    cdef const char *high[2]
    if operand.t.st == NULL or x.size == 0:
        return 0
    _extent(&operand.t, &low[0], &high[0])
    _extent(x, &low[1], &high[1])
    if low[0] < high[1] and low[1] < high[0] and (always or operand.t.p != x.p or not same_layout(&operand.t, x)):
        copy_operand(operand)
    return 0


cdef int check_inplace(Tensor x, Operands *o, int dtype, str op) except -1:
    """Refuse a result that x cannot hold; o.of[0] is x."""
    cdef int k, d, e
    cdef const fn_tensor *t
    if _kind(dtype) > _kind(x.t.dtype):
        raise RuntimeError(f"{op}: a result of dtype {dtype_object(dtype)} cannot be stored in a {x.dtype} tensor")
    for k in range(1, o.n):
        t = &o.of[k].t
        for d in range(t.ndim):
            e = d + x.t.ndim - t.ndim
            if e < 0 or (t.dims[d] != 1 and t.dims[d] != x.t.dims[e]):
                raise RuntimeError(f"{op}: an operand of shape {shape_of(t)} does not broadcast to shape {shape_of(&x.t)}, which an in-place "
                                   "op cannot change")
    return write_check(x, op)


cdef int _kind(int dtype) noexcept:
    return 2 if is_float(dtype) else (0 if dtype == FN_BOOL else 1)
