"""nn.utils: gradient clipping, parameters as one vector, batch norm folded into the layer before it, sequences of different lengths,
weights with a norm of their own."""
from fastnet.nn.utils import rnn
from fastnet.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from fastnet.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from fastnet.nn.utils.fusion import fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval, fuse_linear_bn_weights
from fastnet.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from fastnet.nn.utils.weight_norm import remove_weight_norm, weight_norm

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "fuse_conv_bn_eval", "fuse_conv_bn_weights",
           "fuse_linear_bn_eval", "fuse_linear_bn_weights", "get_total_norm", "parameters_to_vector", "remove_spectral_norm",
           "remove_weight_norm", "rnn", "spectral_norm", "vector_to_parameters", "weight_norm"]


def __getattr__(name: str) -> object:
    """parametrize, parametrizations and prune, imported when they are asked for."""
    if name in ("parametrizations", "parametrize", "prune"):
        from importlib import import_module
        return import_module(f"fastnet.nn.utils.{name}")
    raise AttributeError(f"module 'fastnet.nn.utils' has no attribute {name!r}")
