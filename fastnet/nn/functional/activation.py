"""Activations: the ops with kernels of their own, and those composed of them."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    relu,
    relu6,
    relu_,
    selu,
    selu_,
    sigmoid,
    sigmoid_,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanh_,
    tanhshrink,
    threshold,
    threshold_,
)
from fastnet.ops.glu import glu
from fastnet.ops.prelu import prelu
from fastnet.ops.softmax import log_softmax, softmax, softmin

__all__ = ["celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
           "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "rrelu",
           "selu", "selu_", "sigmoid", "sigmoid_", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanh_",
           "tanhshrink", "threshold", "threshold_"]


def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Tensor:
    """x for x >= 0, a x otherwise: a uniform in [lower, upper] for each element in training, their mean otherwise.

    Args:
        input: any shape.
        lower, upper: limits of the slope.
        training: draw the slopes.
        inplace: write into the input.
    """
    if not lower <= upper:
        raise ValueError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slope = fn.where(input.detach() < 0, fn.rand_like(input) * (upper - lower) + lower, fn.ones_like(input))
    return input.mul_(slope) if inplace else input * slope


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-softmax distribution: softmax((logits - log(-log u)) / tau), u uniform.

    Args:
        logits: unnormalised log probabilities.
        tau: temperature, positive.
        hard: give one-hot vectors whose gradient is that of the soft ones.
        dim: the axis of the classes.
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau must be positive, got {tau}")
    noise = -(-fn.rand_like(logits).log()).log()
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    one = fn.zeros_like(soft).scatter_(dim, soft.detach().argmax(dim, keepdim=True), 1.0)
    return one - soft.detach() + soft
