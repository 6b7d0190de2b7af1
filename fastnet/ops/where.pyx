"""where and masked_fill: choose between two tensors by a bool tensor."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_where


cdef int where_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """where(condition, gy, 0) and where(condition, 0, gy)."""
    cdef fn_tensor g, zero
    cdef char room[8]
    cdef const fn_tensor *condition = &n.saved[0].t
    number_operand(&zero, room, 0.0, gy.dtype)
    for k in range(2):
        if n.inputs[k] != NULL:
            array_like(&g, gy, gy.dtype)
            try:
                run(FN_where, gy.dtype, &g, 3, condition, gy if k == 0 else &zero, &zero if k == 0 else gy, NULL, 0)
                gradient_to(&gin[k], &g, n.inputs[k])
            finally:
                array_drop(&g)
    return 0


cdef fn_op WHERE = [b"WhereBackward0", where_backward, False]


cdef Tensor _condition(object x, str op, str argument):
    cdef Tensor c = require_tensor(x, op, argument)
    if c.t.dtype != FN_BOOL:
        raise RuntimeError(f"{op}: {argument} must be a bool tensor, got {c.dtype}")
    return c


cdef Tensor _where(Tensor c, object a, object b, str op, Tensor into):
    """where(c, a, b), into a tensor of its own (None) or into `into`, which is b."""
    cdef Operands o, all
    cdef Tensor y
    cdef fn_node *n
    cdef bint taped
    operands_make(&o, op, 2, a, b, None, False)
    try:
        taped = (o.of[0].node != NULL or o.of[1].node != NULL) and grad_enabled()
        if into is not None:
            check_inplace(into, &o, o.dtype if o.of[0].t.ndim else into.t.dtype, op)
            operands_convert(&o, into.t.dtype)
            unalias(&o.of[0], &into.t, False)
        elif not is_float(o.dtype):
            operands_convert(&o, o.dtype)
        all.n = 3
        all.of[0].t, all.of[1].t, all.of[2].t = c.t, o.of[0].t, o.of[1].t
        y = into if into is not None else output_for(&all, op, o.of[1].t.dtype)
        if itemsize(y.t.dtype) == 1:
            np.copyto(y._ndarray(), np.where(c._ndarray(), _array(&o.of[0].t), _array(&o.of[1].t)))
        else:
            run(FN_where, FN_F64 if itemsize(y.t.dtype) == 8 else FN_F32, &y.t, 3, &c.t, &o.of[0].t, &o.of[1].t, NULL, 0)
        if into is not None:
            written(y)
        if taped:
            n = node_new(&WHERE, &y.t, 2, 1)
            node_input(n, 0, o.of[0].node)
            node_input(n, 1, o.of[1].node)
            node_save(n, 0, &c.t)
            replace_node(y, n)
        return y
    finally:
        operands_drop(&o)


cdef object _array(const fn_tensor *x):
    cdef fn_tensor share
    cdef Tensor t
    if x.st == NULL:
        return array_item(x)
    array_share(&share, x)
    t = tensor_take(&share)
    return t._ndarray()


def where(condition, input=None, other=None):
    """input where condition is True, else other; with broadcasting and type promotion.

    Args:
        condition: a bool tensor.
        input, other: tensors or numbers; without both, the indices of the True elements are returned, one tensor an axis.

    Raises:
        RuntimeError: condition is not bool, or the shapes do not broadcast.

    >>> import fastnet
    >>> x = fastnet.tensor([-1.0, 2.0])
    >>> fastnet.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        c = require_tensor(condition, "where", "condition")
        return tuple([from_data(index, FN_I64) for index in np.nonzero((<Tensor>c)._ndarray())])
    if input is None or other is None:
        raise TypeError("where: input and other must be given together")
    return _where(_condition(condition, "where", "condition"), input, other, "where", None)


def masked_fill(input, mask, value):
    """input with value where mask is True.

    Args:
        input: a tensor.
        mask: a bool tensor whose shape broadcasts with input's.
        value: a number or a tensor of one element and no axes; it is cast to input's dtype.

    >>> import fastnet
    >>> x = fastnet.tensor([1.0, 2.0])
    >>> x.masked_fill(x > 1.5, 0.0)
    tensor([1., 0.])
    """
    cdef Tensor x = require_tensor(input, "masked_fill", "input")
    return _where(_condition(mask, "masked_fill", "mask"), _fill_value(x, value, "masked_fill"), x, "masked_fill", None)


def masked_fill_(input, mask, value):
    """`masked_fill` in input's memory; returns input."""
    cdef Tensor x = require_tensor(input, "masked_fill_", "input")
    cdef Tensor c = _condition(mask, "masked_fill_", "mask")
    cdef int d, e
    for d in range(c.t.ndim):
        e = d + x.t.ndim - c.t.ndim
        if e < 0 or (c.t.dims[d] != 1 and c.t.dims[d] != x.t.dims[e]):
            raise RuntimeError(f"masked_fill_: a mask of shape {shape_of(&c.t)} does not broadcast to shape {shape_of(&x.t)}")
    return _where(c, _fill_value(x, value, "masked_fill_"), x, "masked_fill_", x)


cdef object _fill_value(Tensor x, object value, str op):
    """A 0-dim tensor that x can hold."""
    cdef Tensor v
    if isinstance(value, Tensor):
        v = value
        if v.t.ndim:
            raise RuntimeError(f"{op}: value must have no axes, got shape {shape_of(&v.t)}")
        if is_float(v.t.dtype) and not is_float(x.t.dtype):
            raise RuntimeError(f"{op}: a {v.dtype} value cannot be stored in a {x.dtype} tensor")
        return v
    return tensor_scalar(value, x.t.dtype)


attach(where=lambda input, condition, other: where(condition, input, other), masked_fill=masked_fill, masked_fill_=masked_fill_)
