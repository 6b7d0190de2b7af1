"""nn: modules, layers, losses."""
from fastnet.nn import functional, init, utils
from fastnet.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from fastnet.nn.attention import MultiheadAttention
from fastnet.nn.containers import ModuleDict, ModuleList, Sequential
from fastnet.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from fastnet.nn.distance import CosineSimilarity, PairwiseDistance
from fastnet.nn.dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from fastnet.nn.embedding import Embedding, EmbeddingBag
from fastnet.nn.flatten import Flatten, Unflatten
from fastnet.nn.linear import Bilinear, Identity, Linear
from fastnet.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CrossEntropyLoss,
    CTCLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from fastnet.nn.module import Module
from fastnet.nn.normalization import *  # noqa: F403
from fastnet.nn.normalization import __all__ as _norms
from fastnet.nn.padding import *  # noqa: F403
from fastnet.nn.padding import __all__ as _paddings
from fastnet.nn.parameter import Parameter
from fastnet.nn.parameter_containers import ParameterDict, ParameterList
from fastnet.nn.pixel import *  # noqa: F403
from fastnet.nn.pixel import __all__ as _pixels
from fastnet.nn.pool import *  # noqa: F403
from fastnet.nn.pool import __all__ as _pools
from fastnet.nn.rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNBase, RNNCell
from fastnet.nn.transformer import Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer
from fastnet.nn.upsampling import *  # noqa: F403
from fastnet.nn.upsampling import __all__ as _upsamplings

__all__ = ["AlphaDropout", "BCELoss", "BCEWithLogitsLoss", "Bilinear", "CELU", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
           "ConvTranspose2d", "ConvTranspose3d", "CosineEmbeddingLoss", "CosineSimilarity",
           "CrossEntropyLoss", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ELU", "Embedding", "FeatureAlphaDropout", "Flatten",
           "GELU", "GLU", "GaussianNLLLoss", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "HingeEmbeddingLoss", "HuberLoss",
           "Identity",
           "KLDivLoss", "L1Loss", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "MSELoss", "MarginRankingLoss", "Mish", "Module",
           "ModuleDict", "ModuleList", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "PReLU",
           "PairwiseDistance", "Parameter", "ParameterDict", "ParameterList", "PoissonNLLLoss", "RReLU", "ReLU", "ReLU6", "SELU",
           "Sequential", "SiLU", "Sigmoid", "SmoothL1Loss", "SoftMarginLoss", "Softmax", "Softmax2d", "Softmin", "Softplus",
           "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold", "TripletMarginLoss", "TripletMarginWithDistanceLoss", "Unflatten",
           "functional", "init", "utils"]
__all__ += [*_norms, *_paddings, *_pixels, *_pools, *_upsamplings]
__all__ += ["CTCLoss", "EmbeddingBag", "GRU", "GRUCell", "LSTM", "LSTMCell", "MultiheadAttention", "RNN", "RNNBase", "RNNCell",
            "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]


def __getattr__(name: str) -> object:
    """Lazy layers, DataParallel, AdaptiveLogSoftmaxWithLoss: few programs need them, so they are imported when they are asked for."""
    if name == "AdaptiveLogSoftmaxWithLoss":
        from fastnet.nn.adaptive import AdaptiveLogSoftmaxWithLoss
        return AdaptiveLogSoftmaxWithLoss
    if name.startswith("Lazy") or name == "UninitializedParameter":
        from fastnet.nn import lazy
        if name in vars(lazy):
            return getattr(lazy, name)
    from importlib import import_module
    if name == "modules":
        return import_module("fastnet.nn.modules")
    if name in ("DataParallel", "parallel"):
        parallel = import_module("fastnet.nn.parallel")
        return parallel if name == "parallel" else parallel.DataParallel
    raise AttributeError(f"module 'fastnet.nn' has no attribute {name!r}")
