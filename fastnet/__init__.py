"""fastnet: neural networks on CPUs, with PyTorch's API."""
# ruff: noqa: F401
import typing as _typing
from math import e, inf, nan, pi

from fastnet import _modules  # before any compiled module
from fastnet import autograd, backends, config, nn, optim
from fastnet._core import protocols as _protocols
from fastnet._core.dtypes import bfloat16, bool_, dtype, finfo, float16, float32, float64, iinfo, int32, int64, uint8
from fastnet._core.engine import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from fastnet._core.launch import available_isas, get_isa, get_num_threads, set_isa, set_num_threads
from fastnet._core.memory import empty_cache, memory_stats, reset_peak_memory_stats
from fastnet._core.memory_format import channels_last, channels_last_3d, contiguous_format, memory_format, preserve_format
from fastnet._core.size import Size, device
from fastnet._core.tensor import Tensor, from_numpy, tensor
from fastnet.config import show_config

# Ops: a line per module.
from fastnet.ops import cast as _cast
from fastnet.ops import conv_direct as _conv_direct
from fastnet.ops import depthwise as _depthwise
from fastnet.ops import fill as _fill
from fastnet.ops import index as _index
from fastnet.ops.index_put import index_put, index_put_, masked_scatter
from fastnet.ops.activation import celu, celu_, hardshrink, relu, relu_, selu, selu_, sigmoid, sigmoid_, tanh, tanh_, threshold, threshold_
from fastnet.ops.addmm import addbmm, addmm, addmv, addr, baddbmm, ger, inner, outer, tensordot
from fastnet.ops.argreduce import argmax, argmin, max, min
from fastnet.ops.arithmetic import (
    add, arctan2, atan2, div, divide, floor_divide, fmod, maximum, minimum, mul, multiply, remainder, rsub, sub, subtract,
    true_divide,
)
from fastnet.ops.clamp import clamp, clamp_, clamp_max, clamp_max_, clamp_min, clamp_min_, clip, clip_
from fastnet.ops.clone import clone
from fastnet.ops.combinations import cartesian_prod, combinations
from fastnet.ops.compare import (
    allclose, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, eq, equal, ge, greater, greater_equal, gt, isclose, isfinite,
    isinf, isnan, le, less, less_equal, logical_and, logical_not, logical_or, logical_xor, lt, ne, not_equal,
)
from fastnet.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from fastnet.ops.convert import as_tensor, asarray, from_dlpack
from fastnet.ops.create import (
    empty, empty_like, eye, full, full_like, get_default_dtype, ones, ones_like, set_default_dtype, zeros, zeros_like,
)
from fastnet.ops.distributions import multinomial, normal, randperm
from fastnet.ops.einsum import einsum
from fastnet.ops.expand import broadcast_shapes, broadcast_tensors, broadcast_to, meshgrid
from fastnet.ops.flip import flip, fliplr, flipud, roll, rot90
from fastnet.ops.gather import gather, scatter, scatter_add, take, take_along_dim
from fastnet.ops.index_select import index_add, index_select
from fastnet.ops.join import block_diag, cat, column_stack, concat, concatenate, dstack, hstack, stack, vstack, vstack as row_stack
from fastnet.ops.lerp import addcdiv, addcmul, lerp
from fastnet.ops.matmul import bmm, dot, matmul, mm, mv
from fastnet.ops.norm import norm
from fastnet.ops.out import NAMES as _TAKE_OUT, install as _install_out, takes_out as _takes_out
from fastnet.ops.permute import moveaxis, movedim, permute, swapaxes, swapdims, t, transpose
from fastnet.ops.power import pow
from fastnet.ops.prelu import prelu
from fastnet.ops.random import (
    Generator, bernoulli, default_generator, get_rng_state, initial_seed, manual_seed, rand, rand_like, randint, randint_like, randn,
    randn_like, seed, set_rng_state,
)
from fastnet.ops.ranges import arange, linspace, logspace, tril_indices, triu_indices
from fastnet.ops.reduce import all, amax, amin, any, count_nonzero, logsumexp, mean, prod, sum
from fastnet.ops.repeat import repeat_interleave, tile
from fastnet.ops.scan import cumprod, cumsum
from fastnet.ops.select import as_strided, diagonal, narrow, select
from fastnet.ops.softmax import log_softmax, softmax
from fastnet.ops.sort import argsort, kthvalue, masked_select, median, nonzero, sort, topk, unique
from fastnet.ops.split import chunk, dsplit, hsplit, split, split_with_sizes, tensor_split, unbind, vsplit
from fastnet.ops.squeeze import atleast_1d, atleast_2d, atleast_3d, squeeze, unflatten, unsqueeze
from fastnet.ops.triangle import diag, diag_embed, tril, triu
from fastnet.ops.unary import (
    abs, absolute, acos, acosh, arccos, arccosh, arcsin, arcsinh, arctan, arctanh, asin, asinh, atan, atanh, ceil, cos, cosh,
    erf, erfc, exp, exp2, expm1, fix, floor, log, log10, log1p, log2, neg, negative, reciprocal, round, rsqrt, sign, sin, sinh,
    sqrt, square, tan, trunc,
)
from fastnet.ops.var import std, std_mean, var, var_mean
from fastnet.ops.view import flatten, ravel, reshape
from fastnet.ops.winograd import get_float32_matmul_precision, set_float32_matmul_precision
from fastnet.ops.where import masked_fill, where
from fastnet.nn.utils.fusion import fuse_conv_bn
from fastnet.printing import set_printoptions
from fastnet.version import __version__

_install_out(globals())
float, double, half, long, int, bool = float32, float64, float16, int64, int32, bool_
newaxis = None
OutOfMemoryError = MemoryError

if _typing.TYPE_CHECKING:
    from fastnet import distributed, testing
    from fastnet import accelerator, amp, compiler, cuda, datasets, distributions, doctor, func, jit, linalg, metrics, models
    from fastnet import onnx, profiler, profiling, random, serialization, sklearn, special, text, training, transforms, utils
    from fastnet.amp import GradScaler, autocast
    from fastnet.autograd.gradcheck_model import gradcheck_model
    from fastnet.compiler import compile
    from fastnet.doctor import diagnose
    from fastnet.func import vmap
    from fastnet.profiling.estimate import estimate
    from fastnet.profiling.profile import profile
    from fastnet.profiling.summary import summary
    from fastnet.linalg import det, inverse, logdet, matrix_exp, pinverse, slogdet
    from fastnet.linalg.older import cholesky, cholesky_inverse, cholesky_solve, qr, svd, triangular_solve
    from fastnet.nn.functional import (
        adaptive_avg_pool1d, alpha_dropout, avg_pool1d, bilinear, channel_shuffle, cosine_similarity, dropout, group_norm, layer_norm,
        max_pool1d, max_pool2d, max_pool3d, pairwise_distance, pixel_shuffle, pixel_unshuffle, rms_norm,
    )
    from fastnet.ops.about import (
        can_cast, detach, is_complex, is_floating_point, is_nonzero, is_same_size, is_tensor, numel, promote_types, result_type,
    )
    from fastnet.ops.counting import argwhere, bincount, bucketize, histc, isin, mode, searchsorted, unique_consecutive
    from fastnet.ops.differences import cumulative_trapezoid, diff, trapezoid, trapz
    from fastnet.ops.distances import cdist, dist, pdist
    from fastnet.ops.matrices import chain_matmul, cross, diagflat, kron, matrix_power, trace, vander, vdot
    from fastnet.ops.pointwise import (
        copysign, deg2rad, fmax, fmin, frac, heaviside, hypot, isneginf, isposinf, logaddexp, logaddexp2, logit, nan_to_num, positive,
        rad2deg, sgn, signbit, sinc, xlogy,
    )
    from fastnet.ops.powers import float_power, gcd, lcm, ldexp
    from fastnet.ops.resize import frombuffer, msort, scalar_tensor, unravel_index
    from fastnet.ops.running import cummax, cummin
    from fastnet.ops.scatter_reduce import scatter_reduce
    from fastnet.ops.statistics import aminmax, corrcoef, cov, nanmean, nanmedian, nanquantile, nansum, quantile
    from fastnet.ops.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window
    from fastnet.ops.write import diagonal_scatter, index_copy, index_fill, select_scatter, slice_scatter
    from fastnet.special import digamma, erfinv, lgamma, logcumsumexp, polygamma
    from fastnet.switches import (
        are_deterministic_algorithms_enabled, get_default_device, get_num_interop_threads, is_autocast_enabled, set_default_device,
        set_default_tensor_type, set_deterministic_debug_mode, set_flush_denormal, set_num_interop_threads, use_deterministic_algorithms,
    )
    from fastnet.tensor_types import BoolTensor, ByteTensor, DoubleTensor, FloatTensor, IntTensor, LongTensor
    from fastnet.serialization import load, save
    from fastnet.training import Trainer
else:
    # What is imported when it is first used, so that `import fastnet` stays quick: packages, and names out of packages.
    from fastnet.later import HOME as _HOME
    _PACKAGES = ("accelerator", "amp", "compiler", "cuda", "datasets", "distributed", "distributions", "doctor", "func", "jit", "linalg",
                 "metrics", "models", "onnx", "profiler", "profiling", "random", "serialization", "sklearn", "special", "testing",
                 "text", "training", "transforms", "utils")
    _NAMES = {
        **_HOME,
        "estimate": "fastnet.profiling", "profile": "fastnet.profiling", "summary": "fastnet.profiling",
        "load": "fastnet.serialization", "save": "fastnet.serialization", "Trainer": "fastnet.training",
        "diagnose": "fastnet.doctor",
        "gradcheck_model": "fastnet.autograd.gradcheck_model",
    }

    def __getattr__(name):
        from importlib import import_module
        if name in _PACKAGES:
            return import_module(f"fastnet.{name}")
        if name in _NAMES:
            value = getattr(import_module(_NAMES[name]), name)
            return _takes_out(value) if name in _TAKE_OUT else value
        if name.endswith("_") and not name.startswith("_") and hasattr(Tensor, name):
            return getattr(Tensor, name)                  # what works in place is a function, too: exp_(x) is x.exp_()
        raise AttributeError(f"module 'fastnet' has no attribute {name!r}")
