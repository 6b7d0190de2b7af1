"""Activations: the ops with kernels of their own, and those composed of them."""
from __future__ import annotations

import fastnet as fn
from fastnet import Tensor
from fastnet.ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    relu_,
    rrelu,
    selu,
    selu_,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
    threshold_,
)
from fastnet.ops.softmax import log_softmax, softmax, softmin

__all__ = ["celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
           "hardtanh_",
           "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "selu", "selu_",
           "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_"]


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), elementwise."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """tanh(x), elementwise."""
    return input.tanh()


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
