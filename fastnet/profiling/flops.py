"""FLOPs of layers by formula: a multiply-add is 2 operations, an exp or a division 1; copies and lookups are 0.

`macs` are the multiply-adds of matrix products, convolutions, attention and recurrences, the number that papers print.
`flops` are 2 * macs and the additions of biases, activations, norms, pooling and losses.  Formulas are those of the definition,
whatever algorithm runs (Winograd's needs fewer).  A layer that is not in the table counts the products it launched itself (products.py).
"""
from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from fastnet import nn


class Work(NamedTuple):
    """Multiply-adds, and operations in all, of one forward call."""
    macs: float
    flops: float


def _first(shape: Any) -> tuple[int, ...]:
    """The first of several shapes."""
    while isinstance(shape, list):
        shape = shape[0]
    return shape or ()


def _conv(m: Any, x: Any, y: Any, span: Any) -> Work:
    macs = prod(y) * m.in_channels // m.groups * prod(m.kernel_size)
    return Work(macs, 2 * macs + (prod(y) if m.bias is not None else 0))


def _conv_transpose(m: Any, x: Any, y: Any, span: Any) -> Work:
    macs = prod(x) * m.out_channels // m.groups * prod(m.kernel_size)
    return Work(macs, 2 * macs + (prod(y) if m.bias is not None else 0))


def _linear(m: Any, x: Any, y: Any, span: Any) -> Work:
    macs = prod(y) * m.in_features
    return Work(macs, 2 * macs + (prod(y) if m.bias is not None else 0))


def _bilinear(m: Any, x: Any, y: Any, span: Any) -> Work:
    macs = prod(y) * m.in1_features * (m.in2_features + 1)
    return Work(macs, 2 * macs + (prod(y) if m.bias is not None else 0))


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "RNN_TANH": 1, "RNN_RELU": 1}
POINTWISE = {"LSTM": 9, "GRU": 9, "RNN": 1, "RNN_TANH": 1, "RNN_RELU": 1}  # operations per element of the state, apart from sums of gates


def _recurrent(m: Any, x: Any, y: Any, span: Any) -> Work:
    rows = sum(span.batch_sizes) if span.batch_sizes else prod(x[:-1])
    gates, macs, more = GATES[m.mode], 0, 0
    projection = getattr(m, "proj_size", 0)
    state = projection or m.hidden_size
    ways = 2 if m.bidirectional else 1
    for layer in range(m.num_layers):
        width = m.input_size if layer == 0 else ways * state
        macs += ways * rows * (gates * m.hidden_size * (width + state) + projection * m.hidden_size)
        more += ways * rows * m.hidden_size * (gates * (2 if m.bias else 1) + POINTWISE[m.mode])
    return Work(macs, 2 * macs + more)


def _cell(m: Any, x: Any, y: Any, span: Any) -> Work:
    kind = type(m).__name__.removesuffix("Cell")
    rows = prod(x[:-1])
    macs = rows * GATES[kind] * m.hidden_size * (m.input_size + m.hidden_size)
    return Work(macs, 2 * macs + rows * m.hidden_size * (GATES[kind] * (2 if m.bias else 1) + POINTWISE[kind]))


def _batch_norm(m: Any, x: Any, y: Any, span: Any) -> Work:
    batch = m.training or m.running_mean is None         # sums and sums of squares, then scale and shift
    return Work(0, prod(x) * (5 if batch else 2))


def _pool(m: Any, x: Any, y: Any, span: Any) -> Work:
    size = m.kernel_size if isinstance(m.kernel_size, (tuple, list)) else (m.kernel_size,) * (len(x) - 2)
    return Work(0, prod(y) * prod(size))


def _per_input(n: int) -> Any:
    return lambda m, x, y, span: Work(0, n * prod(x))


def _per_output(n: int) -> Any:
    return lambda m, x, y, span: Work(0, n * prod(y))


def _dropout(m: Any, x: Any, y: Any, span: Any) -> Work:
    return Work(0, prod(x) if m.training and m.p else 0)


def _upsample(m: Any, x: Any, y: Any, span: Any) -> Work:
    if m.mode == "area":
        return Work(0, prod(x))
    taps = {"nearest": 0, "nearest-exact": 0, "linear": 2, "bilinear": 4, "trilinear": 8, "bicubic": 16}[m.mode]
    return Work(0, prod(y) * max(0, 2 * taps - 1))


def _bag(m: Any, x: Any, y: Any, span: Any) -> Work:
    return Work(0, prod(x) * m.embedding_dim)


PADDINGS = ("Constant", "Reflection", "Replication", "Zero", "Circular")


def _table() -> dict[type, Any]:
    names = {
        _conv: "Conv1d Conv2d Conv3d", _conv_transpose: "ConvTranspose1d ConvTranspose2d ConvTranspose3d", _linear: "Linear",
        _bilinear: "Bilinear", _recurrent: "RNN LSTM GRU", _cell: "RNNCell LSTMCell GRUCell", _bag: "EmbeddingBag",
        _batch_norm: "BatchNorm1d BatchNorm2d BatchNorm3d",
        _dropout: "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout",
        _pool: "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d",
        _upsample: "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
        _per_input(7): "LayerNorm GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d", _per_input(4): "RMSNorm",
        _per_input(5): "Softmax Softmax2d LogSoftmax Softmin CrossEntropyLoss",
        _per_input(1): "ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU GELU SiLU Mish Sigmoid Tanh Hardtanh Hardsigmoid Hardswish "
                       "Hardshrink Softshrink Softplus Softsign Tanhshrink Threshold LogSigmoid GLU AdaptiveAvgPool1d AdaptiveAvgPool2d "
                       "AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d NLLLoss",
        _per_input(3): "MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss KLDivLoss",
        _per_output(0): "Embedding Identity Flatten Unflatten PixelShuffle PixelUnshuffle ChannelShuffle Fold Unfold MaxUnpool1d "
                        "MaxUnpool2d MaxUnpool3d " + " ".join(f"{kind}Pad{rank}d" for kind in PADDINGS for rank in (1, 2, 3)),
    }
    return {getattr(nn, name): formula for formula, row in names.items() for name in row.split()}


FORMULAS = _table()


def formula(module: Any) -> Any:
    """The formula of a layer: that of its class or of the nearest base class; None if there is none."""
    return next((FORMULAS[c] for c in type(module).__mro__ if c in FORMULAS), None)


def work(span: Any) -> Work | None:
    """The work of one call; None: no formula."""
    rule = formula(span.module)
    return None if rule is None or span.outputs is None else rule(span.module, _first(span.inputs), _first(span.outputs), span)
