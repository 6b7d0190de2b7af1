"""Functions of one number: exp, log, sin and so on, in place too.  `UNARY` is their table; the machinery serves activations as well."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport STREAM, byte_cost, launch
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.select cimport new_history
from fastnet.ops.create cimport default_dtype
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

import math
import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_neg, FN_abs, FN_abs_backward, FN_sign, FN_floor, FN_ceil, FN_round, FN_trunc, FN_square, FN_reciprocal, FN_reciprocal_backward
    int FN_sqrt, FN_rsqrt, FN_rsqrt_backward, FN_exp, FN_exp2, FN_expm1, FN_expm1_backward, FN_log, FN_log2, FN_log10, FN_log1p
    int FN_log1p_backward, FN_sin, FN_sin_backward, FN_cos, FN_cos_backward, FN_tan, FN_tan_backward, FN_asin, FN_asin_backward, FN_acos
    int FN_acos_backward, FN_atan, FN_atan_backward, FN_sinh, FN_sinh_backward, FN_cosh, FN_cosh_backward, FN_asinh, FN_asinh_backward
    int FN_acosh, FN_acosh_backward, FN_atanh, FN_atanh_backward, FN_erf, FN_erf_backward, FN_erfc, FN_mul, FN_div
cdef extern from "kernels/elementwise.h" nogil:
    ctypedef struct fn_elementwise_args:
        void *p[4]
        double s[4]
        Py_ssize_t stream, type, ndim
        Py_ssize_t dims[8]
        Py_ssize_t strides[4][8]

cdef list _names = []                                    # keeps the C strings
cdef dict _integers = {}                                 # address of an op -> its NumPy function


cdef int unary_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const Unary *op = <const Unary *>n.i[0]
    if op.saves == SAVE_ZERO:
        return array_zeros(&gin[0], &n.acc, n.acc.dtype)
    return gradient_run(&gin[0], n.inputs[0], op.backward, gy, NULL if op.saves == SAVE_NOTHING else &n.saved[0].t, NULL, n.f, op.ns)


cdef Unary *unary_new(str name, int kernel, int backward, int saves, double s0, double ns, object integers) except NULL:
    cdef Unary *op = <Unary *>block_new(sizeof(Unary))
    _names.append((name.title().replace("_", "") + "Backward0").encode())
    op.kernel, op.backward, op.saves, op.ns = kernel, backward, saves, ns
    op.s[:] = [s0, 0, 0, 0]
    op.op.name, op.op.backward, op.op.accumulates = _names[len(_names) - 1], unary_backward, False
    if integers is not None:
        _integers[<size_t>op] = integers
    return op


cdef int _record(Tensor y, fn_node *x, const fn_tensor *saved, const Unary *op, const double *s) except -1:
    cdef fn_node *n = node_new(&op.op, &y.t, 1, op.saves <= SAVE_OUTPUT)
    node_input(n, 0, x)
    n.i[0] = <Py_ssize_t>op
    n.f[0], n.f[1], n.f[2], n.f[3] = s[0], s[1], s[2], s[3]
    if op.saves <= SAVE_OUTPUT:
        node_save(n, 0, saved)
    if y.node == NULL:
        y.node = n
    else:
        replace_node(y, n)
    return 0


cdef str _name(const Unary *op):
    return op.op.name.decode()[:-9].lower()


cdef Tensor _floating(object input, const Unary *op, bint inplace):
    """The operand as a floating-point tensor; None where the op has a meaning for integers and input holds them."""
    cdef Tensor x
    cdef fn_tensor cast
    if not isinstance(input, Tensor):
        raise TypeError(f"{_name(op)}: input must be a Tensor, got {type(input).__name__}")
    x = input
    if is_float(x.t.dtype):
        return x
    if <size_t>op in _integers:
        return None
    if inplace:
        raise RuntimeError(f"{_name(op)}_: a {dtype_object(default_dtype())} result cannot be stored in a {x.dtype} tensor")
    array_cast(&cast, &x.t, default_dtype())
    return tensor_take(&cast)


cdef Tensor unary(object input, const Unary *op, const double *s):
    cdef fn_elementwise_args args
    cdef Tensor x, y
    if s == NULL:
        s = op.s
    x = _floating(input, op, False)
    if x is None:
        return from_data(np.asarray(_integers[<size_t>op]((<Tensor>input)._ndarray(), s[0], s[1])), -1)
    y = tensor_like(&x.t, x.t.dtype)
    if is_contiguous(&x.t):
        args.p[0], args.p[1] = y.t.p, x.t.p
        args.s[0], args.s[1], args.s[2] = s[0], s[1], s[2]
        args.stream = y.t.size * itemsize(x.t.dtype) > STREAM
        args.ndim, args.dims[0], args.strides[0][0], args.strides[1][0] = 1, y.t.size, 1, 1
        launch(op.kernel, x.t.dtype, &args, y.t.size, max(op.ns, byte_cost(2 * itemsize(x.t.dtype))) * y.t.size)
    else:
        run(op.kernel, x.t.dtype, &y.t, 1, &x.t, NULL, NULL, s, op.ns)
    if x.node != NULL and grad_enabled():
        _record(y, x.node, &x.t if op.saves == SAVE_INPUT else &y.t, op, s)
    return y


cdef Tensor unary_inplace(object input, const Unary *op, const double *s):
    cdef Tensor x = _floating(input, op, True), keep = None
    cdef bint taped
    if s == NULL:
        s = op.s
    if x is None:
        x = input
        write_check(x, _name(op) + "_")
        np.copyto(x._ndarray(), _integers[<size_t>op](x._ndarray(), s[0], s[1]))
        written(x)
        return x
    write_check(x, _name(op) + "_")
    taped = x.node != NULL and grad_enabled()
    if taped and op.saves == SAVE_INPUT:                 # backward needs the old values
        keep = tensor_like(&x.t, x.t.dtype)
        array_copy(&keep.t, &x.t)
    run(op.kernel, x.t.dtype, &x.t, 1, &x.t, NULL, NULL, s, op.ns)
    written(x)
    if taped:
        _record(x, x.node, &keep.t if keep is not None else &x.t, op, s)
        new_history(x)
    return x


# name, kernel, kernel of backward, what that reads, its number, ns of an element, NumPy for integers, value, derivative, an example
UNARY = [
    ("neg", FN_neg, FN_neg, SAVE_NOTHING, 0, 0, lambda x, s, t: np.negative(x), "-x", "-1", "2.0", "-2."),
    ("abs", FN_abs, FN_abs_backward, SAVE_INPUT, 0, 0, lambda x, s, t: np.abs(x), "|x|", "sign(x), 0 at 0", "-2.0", "2."),
    ("sign", FN_sign, FN_mul, SAVE_ZERO, 0, 0, lambda x, s, t: np.sign(x), "-1, 0 or 1 (0 for NaN)", "0", "-2.0", "-1."),
    ("floor", FN_floor, FN_mul, SAVE_ZERO, 0, 0, lambda x, s, t: x.copy(), "the largest integer <= x", "0", "-1.5", "-2."),
    ("ceil", FN_ceil, FN_mul, SAVE_ZERO, 0, 0, lambda x, s, t: x.copy(), "the smallest integer >= x", "0", "1.5", "2."),
    ("trunc", FN_trunc, FN_mul, SAVE_ZERO, 0, 0, lambda x, s, t: x.copy(), "the integer part of x", "0", "-1.5", "-1."),
    ("square", FN_square, FN_mul, SAVE_INPUT, 2, 0, lambda x, s, t: x * x, "x^2", "2 x", "3.0", "9."),
    ("reciprocal", FN_reciprocal, FN_reciprocal_backward, SAVE_OUTPUT, 0, 0.3, None, "1 / x", "-1 / x^2", "4.0", "0.2500"),
    ("sqrt", FN_sqrt, FN_div, SAVE_OUTPUT, 0.5, 0.3, None, "the square root of x", "1 / (2 sqrt(x))", "9.0", "3."),
    ("rsqrt", FN_rsqrt, FN_rsqrt_backward, SAVE_OUTPUT, 0, 0.5, None, "1 / sqrt(x)", "-x^(-3/2) / 2", "4.0", "0.5000"),
    ("exp", FN_exp, FN_mul, SAVE_OUTPUT, 1, 0.5, None, "e^x", "e^x", "1.0", "2.7183"),
    ("exp2", FN_exp2, FN_mul, SAVE_OUTPUT, math.log(2), 0.5, None, "2^x", "2^x ln 2", "3.0", "8."),
    ("expm1", FN_expm1, FN_expm1_backward, SAVE_OUTPUT, 0, 0.6, None, "e^x - 1, precise near 0", "e^x", "1.0", "1.7183"),
    ("log", FN_log, FN_div, SAVE_INPUT, 1, 0.6, None, "the natural logarithm of x", "1 / x", "1.0", "0."),
    ("log2", FN_log2, FN_div, SAVE_INPUT, 1 / math.log(2), 0.6, None, "the base-2 logarithm of x", "1 / (x ln 2)", "8.0", "3."),
    ("log10", FN_log10, FN_div, SAVE_INPUT, 1 / math.log(10), 0.6, None, "the base-10 logarithm of x", "1 / (x ln 10)", "100.0", "2."),
    ("log1p", FN_log1p, FN_log1p_backward, SAVE_INPUT, 0, 0.7, None, "log(1 + x), precise near 0", "1 / (1 + x)", "1.0", "0.6931"),
    ("sin", FN_sin, FN_sin_backward, SAVE_INPUT, 0, 0.7, None, "the sine of x", "cos(x)", "1.0", "0.8415"),
    ("cos", FN_cos, FN_cos_backward, SAVE_INPUT, 0, 0.7, None, "the cosine of x", "-sin(x)", "1.0", "0.5403"),
    ("tan", FN_tan, FN_tan_backward, SAVE_OUTPUT, 0, 10, None, "the tangent of x", "1 + tan(x)^2", "1.0", "1.5574"),
    ("asin", FN_asin, FN_asin_backward, SAVE_INPUT, 0, 10, None, "the angle whose sine is x", "1 / sqrt(1 - x^2)", "1.0", "1.5708"),
    ("acos", FN_acos, FN_acos_backward, SAVE_INPUT, 0, 10, None, "the angle whose cosine is x", "-1 / sqrt(1 - x^2)", "0.0", "1.5708"),
    ("atan", FN_atan, FN_atan_backward, SAVE_INPUT, 0, 10, None, "the angle whose tangent is x", "1 / (1 + x^2)", "1.0", "0.7854"),
    ("sinh", FN_sinh, FN_sinh_backward, SAVE_INPUT, 0, 10, None, "(e^x - e^-x) / 2", "cosh(x)", "1.0", "1.1752"),
    ("cosh", FN_cosh, FN_cosh_backward, SAVE_INPUT, 0, 10, None, "(e^x + e^-x) / 2", "sinh(x)", "1.0", "1.5431"),
    ("asinh", FN_asinh, FN_asinh_backward, SAVE_INPUT, 0, 10, None, "the inverse of sinh", "1 / sqrt(x^2 + 1)", "1.0", "0.8814"),
    ("acosh", FN_acosh, FN_acosh_backward, SAVE_INPUT, 0, 10, None, "the inverse of cosh", "1 / sqrt(x^2 - 1)", "2.0", "1.3170"),
    ("atanh", FN_atanh, FN_atanh_backward, SAVE_INPUT, 0, 10, None, "the inverse of tanh", "1 / (1 - x^2)", "0.5", "0.5493"),
    ("erf", FN_erf, FN_erf_backward, SAVE_INPUT, 1, 0.8, None, "2/sqrt(pi) times the integral of e^(-t^2) from 0 to x", "2/sqrt(pi) e^(-x^2)", "1.0", "0.8427"),
    ("erfc", FN_erfc, FN_erf_backward, SAVE_INPUT, -1, 10, None, "1 - erf(x), precise for large x", "-2/sqrt(pi) e^(-x^2)", "1.0", "0.1573"),
]


def _function(size_t address, str name, str value, str derivative, str x, str y):
    cdef const Unary *op = <const Unary *>address

    def function(input):
        return unary(input, op, NULL)

    def function_(input):
        return unary_inplace(input, op, NULL)

    function.__name__ = function.__qualname__ = name
    function_.__name__ = function_.__qualname__ = name + "_"
    function.__doc__ = f"""{name}(x) = {value}, for every element x.

    Args:
        input: a tensor of any shape.

    Returns:
        A tensor of that shape.  Derivative: {derivative}.

    >>> import fastnet
    >>> fastnet.{name}(fastnet.tensor([{x}]))
    tensor([{y}])
    """
    function_.__doc__ = f"`{name}` in input's memory; returns input."
    globals()[name], globals()[name + "_"] = function, function_
    attach(**{name: function, name + "_": function_})


_ALIASES = {"neg": "negative", "abs": "absolute", "trunc": "fix", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh",
            "acosh": "arccosh", "atanh": "arctanh"}
cdef dict _address = {}
for _row in UNARY:
    _address[_row[0]] = <size_t>unary_new(_row[0], _row[1], _row[2], _row[3], _row[4], _row[5], _row[6])
    _function(_address[_row[0]], _row[0], *_row[7:])
    if _row[0] in _ALIASES:
        for _tail in ("", "_"):
            globals()[_ALIASES[_row[0]] + _tail] = globals()[_row[0] + _tail]
            attach(**{_ALIASES[_row[0]] + _tail: globals()[_row[0] + _tail]})

cdef const Unary *NEG = <const Unary *><size_t>_address["neg"]
cdef const Unary *ABS = <const Unary *><size_t>_address["abs"]
cdef const Unary *ROUND = unary_new("round", FN_round, FN_mul, SAVE_ZERO, 0, 0, lambda x, s, t: x.copy())


cdef object _neg(object a):
    return unary(a, NEG, NULL)


cdef object _abs(object a):
    return unary(a, ABS, NULL)


operators.neg, operators.abs = _neg, _abs


def round(input, *, decimals=0):
    """x rounded to the nearest integer, halves to the even one, for every element x; its gradient is 0.

    Args:
        input: a tensor of any shape.
        decimals: round to so many decimal digits instead; may be negative.

    >>> import fastnet
    >>> fastnet.round(fastnet.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    """
    if decimals == 0:
        return unary(input, ROUND, NULL)
    scale = 10.0 ** abs(decimals)
    return unary(input * scale, ROUND, NULL) / scale if decimals > 0 else unary(input / scale, ROUND, NULL) * scale


def round_(input, *, decimals=0):
    """`round` in input's memory; returns input."""
    if decimals == 0:
        return unary_inplace(input, ROUND, NULL)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return unary_inplace(input.mul_(scale), ROUND, NULL).div_(scale)
    return unary_inplace(input.div_(scale), ROUND, NULL).mul_(scale)


attach(round=round, round_=round_)
