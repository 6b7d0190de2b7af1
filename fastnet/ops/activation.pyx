"""Activations, with the names and arguments of torch.nn.functional; relu, sigmoid, tanh and some more are tensor methods too."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.unary cimport *

from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_relu, FN_threshold_backward, FN_threshold, FN_leaky_relu, FN_leaky_relu_backward, FN_sigmoid, FN_sigmoid_backward, FN_tanh
    int FN_tanh_backward, FN_logsigmoid, FN_logsigmoid_backward, FN_silu, FN_silu_backward, FN_gelu, FN_gelu_backward, FN_gelu_tanh
    int FN_gelu_tanh_backward, FN_mish, FN_mish_backward, FN_softplus, FN_softplus_backward, FN_elu, FN_elu_backward, FN_elu_backward_y
    int FN_clamp, FN_hardtanh_backward, FN_hardsigmoid, FN_hardsigmoid_backward, FN_hardswish, FN_hardswish_backward, FN_softsign
    int FN_softsign_backward, FN_tanhshrink, FN_tanhshrink_backward, FN_hardshrink, FN_softshrink, FN_shrink_backward

cdef const Unary *RELU = unary_new("relu", FN_relu, FN_threshold_backward, SAVE_OUTPUT, 0, 0, lambda x, s, t: x.clip(0))
cdef const Unary *LEAKY_RELU = unary_new("leaky_relu", FN_leaky_relu, FN_leaky_relu_backward, SAVE_INPUT, 0, 0, None)
cdef const Unary *LEAKY_RELU_Y = unary_new("leaky_relu", FN_leaky_relu, FN_leaky_relu_backward, SAVE_OUTPUT, 0, 0, None)
cdef const Unary *SIGMOID = unary_new("sigmoid", FN_sigmoid, FN_sigmoid_backward, SAVE_OUTPUT, 0, 0.7, None)
cdef const Unary *TANH = unary_new("tanh", FN_tanh, FN_tanh_backward, SAVE_OUTPUT, 0, 0.7, None)
cdef const Unary *LOGSIGMOID = unary_new("log_sigmoid", FN_logsigmoid, FN_logsigmoid_backward, SAVE_INPUT, 0, 1.2, None)
cdef const Unary *SILU = unary_new("silu", FN_silu, FN_silu_backward, SAVE_INPUT, 0, 0.7, None)
cdef const Unary *GELU = unary_new("gelu", FN_gelu, FN_gelu_backward, SAVE_INPUT, 0, 1.0, None)
cdef const Unary *GELU_TANH = unary_new("gelu", FN_gelu_tanh, FN_gelu_tanh_backward, SAVE_INPUT, 1, 0.9, None)
cdef const Unary *MISH = unary_new("mish", FN_mish, FN_mish_backward, SAVE_INPUT, 0, 0.8, None)
cdef const Unary *SOFTPLUS = unary_new("softplus", FN_softplus, FN_softplus_backward, SAVE_INPUT, 0, 1.2, None)
cdef const Unary *ELU = unary_new("elu", FN_elu, FN_elu_backward, SAVE_INPUT, 0, 0.7, None)
cdef const Unary *ELU_Y = unary_new("elu", FN_elu, FN_elu_backward_y, SAVE_OUTPUT, 0, 0.7, None)
cdef const Unary *HARDTANH = unary_new("hardtanh", FN_clamp, FN_hardtanh_backward, SAVE_OUTPUT, 0, 0, lambda x, s, t: x.clip(s, t).astype(x.dtype))
cdef const Unary *HARDSIGMOID = unary_new("hardsigmoid", FN_hardsigmoid, FN_hardsigmoid_backward, SAVE_INPUT, 0, 0.3, None)
cdef const Unary *HARDSWISH = unary_new("hardswish", FN_hardswish, FN_hardswish_backward, SAVE_INPUT, 0, 0.3, None)
cdef const Unary *SOFTSIGN = unary_new("softsign", FN_softsign, FN_softsign_backward, SAVE_INPUT, 0, 0.3, None)
cdef const Unary *TANHSHRINK = unary_new("tanhshrink", FN_tanhshrink, FN_tanhshrink_backward, SAVE_INPUT, 0, 0.7, None)
cdef const Unary *HARDSHRINK = unary_new("hardshrink", FN_hardshrink, FN_shrink_backward, SAVE_INPUT, 0, 0, None)
cdef const Unary *SOFTSHRINK = unary_new("softshrink", FN_softshrink, FN_shrink_backward, SAVE_INPUT, 0, 0, None)
cdef const Unary *THRESHOLD = unary_new("threshold", FN_threshold, FN_threshold_backward, SAVE_INPUT, 0, 0, None)


cdef Tensor _apply(object input, const Unary *op, bint inplace, double s0=0, double s1=0, double s2=0):
    cdef double s[4]
    s[0], s[1], s[2], s[3] = s0, s1, s2, 0
    return unary_inplace(input, op, s) if inplace else unary(input, op, s)


def relu(input, inplace=False):
    """max(x, 0) for every element x; the gradient at 0 is 0.

    Args:
        input: a tensor of any shape.
        inplace: write into input's memory.

    >>> import fastnet
    >>> fastnet.nn.functional.relu(fastnet.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return unary_inplace(input, RELU, NULL) if inplace else unary(input, RELU, NULL)


def relu_(input):
    """`relu` in input's memory; returns input."""
    return unary_inplace(input, RELU, NULL)


def relu6(input, inplace=False):
    """min(max(x, 0), 6); the gradient is 0 at both bounds.

    >>> import fastnet
    >>> fastnet.nn.functional.relu6(fastnet.tensor([-1.0, 8.0]))
    tensor([0., 6.])
    """
    return _apply(input, HARDTANH, inplace, 0.0, 6.0)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """min(max(x, min_val), max_val); the gradient is 0 at both bounds.

    Raises:
        ValueError: min_val is larger than max_val.

    >>> import fastnet
    >>> fastnet.nn.functional.hardtanh(fastnet.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is larger than max_val {max_val}")
    return _apply(input, HARDTANH, inplace, min_val, max_val)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """`hardtanh` in input's memory; returns input."""
    return hardtanh(input, min_val, max_val, True)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, else negative_slope * x.

    >>> import fastnet
    >>> fastnet.nn.functional.leaky_relu(fastnet.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _apply(input, LEAKY_RELU_Y if negative_slope > 0 else LEAKY_RELU, inplace, negative_slope)


def leaky_relu_(input, negative_slope=0.01):
    """`leaky_relu` in input's memory; returns input."""
    return leaky_relu(input, negative_slope, True)


def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, else alpha * (exp(x) - 1).

    >>> import fastnet
    >>> fastnet.nn.functional.elu(fastnet.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _apply(input, ELU_Y if alpha >= 0 else ELU, inplace, alpha, 1.0, 1.0)


def elu_(input, alpha=1.0):
    """`elu` in input's memory; returns input."""
    return elu(input, alpha, True)


def selu(input, inplace=False):
    """scale * (x where x > 0, else alpha * (exp(x) - 1)), scale = 1.0507..., alpha = 1.6732...: keeps mean 0 and variance 1.

    >>> import fastnet
    >>> fastnet.nn.functional.selu(fastnet.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _apply(input, ELU_Y, inplace, 1.6732632423543772 * 1.0507009873554805, 1.0507009873554805, 1.0)


def selu_(input):
    """`selu` in input's memory; returns input."""
    return selu(input, True)


def celu(input, alpha=1.0, inplace=False):
    """x where x > 0, else alpha * (exp(x / alpha) - 1).

    Raises:
        ValueError: alpha is 0.

    >>> import fastnet
    >>> fastnet.nn.functional.celu(fastnet.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0")
    return _apply(input, ELU_Y if alpha > 0 else ELU, inplace, alpha, 1.0, 1.0 / alpha)


def celu_(input, alpha=1.0):
    """`celu` in input's memory; returns input."""
    return celu(input, alpha, True)


def gelu(input, *, approximate="none"):
    """x times the normal distribution function at x.

    Args:
        input: a tensor of any shape.
        approximate: "none": x (1 + erf(x / sqrt(2))) / 2; "tanh": x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.

    >>> import fastnet
    >>> fastnet.nn.functional.gelu(fastnet.tensor([1.0]))
    tensor([0.8413])
    """
    if approximate == "none":
        return unary(input, GELU, NULL)
    if approximate == "tanh":
        return unary(input, GELU_TANH, NULL)
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")


def silu(input, inplace=False):
    """x / (1 + exp(-x)), also called swish.

    >>> import fastnet
    >>> fastnet.nn.functional.silu(fastnet.tensor([1.0]))
    tensor([0.7311])
    """
    return _apply(input, SILU, inplace)


def mish(input, inplace=False):
    """x tanh(log(1 + exp(x))).

    >>> import fastnet
    >>> fastnet.nn.functional.mish(fastnet.tensor([1.0]))
    tensor([0.8651])
    """
    return _apply(input, MISH, inplace)


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.

    >>> import fastnet
    >>> fastnet.nn.functional.softplus(fastnet.tensor([0.0]))
    tensor([0.6931])
    """
    if beta == 0:
        raise ValueError("softplus: beta must not be 0")
    return _apply(input, SOFTPLUS, False, beta, threshold)


def sigmoid(input):
    """1 / (1 + exp(-x)).

    >>> import fastnet
    >>> fastnet.sigmoid(fastnet.tensor([0.0]))
    tensor([0.5000])
    """
    return unary(input, SIGMOID, NULL)


def sigmoid_(input):
    """`sigmoid` in input's memory; returns input."""
    return unary_inplace(input, SIGMOID, NULL)


def tanh(input):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    >>> import fastnet
    >>> fastnet.tanh(fastnet.tensor([1.0]))
    tensor([0.7616])
    """
    return unary(input, TANH, NULL)


def tanh_(input):
    """`tanh` in input's memory; returns input."""
    return unary_inplace(input, TANH, NULL)


def logsigmoid(input):
    """log(1 / (1 + exp(-x))), without overflow.

    >>> import fastnet
    >>> fastnet.nn.functional.logsigmoid(fastnet.tensor([0.0]))
    tensor([-0.6931])
    """
    return unary(input, LOGSIGMOID, NULL)


def hardsigmoid(input, inplace=False):
    """min(max(x + 3, 0), 6) / 6.

    >>> import fastnet
    >>> fastnet.nn.functional.hardsigmoid(fastnet.tensor([-4.0, 0.0]))
    tensor([0.0000, 0.5000])
    """
    return _apply(input, HARDSIGMOID, inplace)


def hardswish(input, inplace=False):
    """x min(max(x + 3, 0), 6) / 6.

    >>> import fastnet
    >>> fastnet.nn.functional.hardswish(fastnet.tensor([-4.0, 3.0]))
    tensor([-0.,  3.])
    """
    return _apply(input, HARDSWISH, inplace)


def softsign(input):
    """x / (1 + |x|).

    >>> import fastnet
    >>> fastnet.nn.functional.softsign(fastnet.tensor([1.0]))
    tensor([0.5000])
    """
    return unary(input, SOFTSIGN, NULL)


def tanhshrink(input):
    """x - tanh(x).

    >>> import fastnet
    >>> fastnet.nn.functional.tanhshrink(fastnet.tensor([1.0]))
    tensor([0.2384])
    """
    return unary(input, TANHSHRINK, NULL)


def hardshrink(input, lambd=0.5):
    """x where |x| > lambd, else 0.

    >>> import fastnet
    >>> fastnet.nn.functional.hardshrink(fastnet.tensor([0.2, 2.0]))
    tensor([0., 2.])
    """
    return _apply(input, HARDSHRINK, False, lambd)


def softshrink(input, lambd=0.5):
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0.

    Raises:
        ValueError: lambd is negative.

    >>> import fastnet
    >>> fastnet.nn.functional.softshrink(fastnet.tensor([0.2, 2.0]))
    tensor([0.0000, 1.5000])
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must be at least 0, got {lambd}")
    return _apply(input, SOFTSHRINK, False, lambd)


def threshold(input, threshold, value, inplace=False):
    """x where x > threshold, else value.

    >>> import fastnet
    >>> fastnet.nn.functional.threshold(fastnet.tensor([0.2, 2.0]), 1.0, -5.0)
    tensor([-5.,  2.])
    """
    return _apply(input, THRESHOLD, inplace, threshold, value)


def threshold_(input, threshold, value):
    """`threshold` in input's memory; returns input."""
    return _apply(input, THRESHOLD, True, threshold, value)


attach(relu=relu, relu_=relu_, sigmoid=sigmoid, sigmoid_=sigmoid_, tanh=tanh, tanh_=tanh_, hardshrink=hardshrink)
