"""The long tail of PyTorch's functions and methods: a table of where each is; a module is imported when one of them is first called."""
from __future__ import annotations

from importlib import import_module
from typing import Any

from fastnet._core.engine import is_grad_enabled
from fastnet._core.tensor import Tensor, attach

# Module -> names that are functions of fastnet and methods of Tensor.
BOTH = {
    "fastnet.ops.about": "is_nonzero is_same_size",
    "fastnet.ops.counting": "argwhere bincount histc mode unique_consecutive",
    "fastnet.ops.differences": "diff",
    "fastnet.ops.distances": "dist",
    "fastnet.ops.matrices": "cross diagflat kron matrix_power trace vdot",
    "fastnet.ops.pointwise": "copysign deg2rad fmax fmin frac heaviside hypot isneginf isposinf logaddexp logaddexp2 logit nan_to_num "
                             "positive rad2deg sgn signbit sinc xlogy",
    "fastnet.ops.powers": "float_power gcd lcm ldexp",
    "fastnet.ops.resize": "msort",
    "fastnet.ops.running": "cummax cummin",
    "fastnet.ops.scatter_reduce": "scatter_reduce",
    "fastnet.ops.statistics": "aminmax corrcoef cov nanmean nanmedian nanquantile nansum quantile",
    "fastnet.ops.write": "diagonal_scatter index_copy index_fill select_scatter slice_scatter",
    "fastnet.linalg": "det logdet matrix_exp pinverse inverse slogdet",
    "fastnet.linalg.older": "cholesky cholesky_inverse cholesky_solve qr svd triangular_solve",
    "fastnet.special": "digamma erfinv lgamma logcumsumexp",
}
FUNCTIONS = {
    "fastnet.special": "polygamma",
    "fastnet.ops.about": "can_cast detach is_complex is_floating_point is_tensor numel promote_types result_type",
    "fastnet.ops.counting": "bucketize isin searchsorted",
    "fastnet.ops.distances": "cdist pdist",
    "fastnet.ops.matrices": "chain_matmul vander",
    "fastnet.ops.differences": "cumulative_trapezoid trapezoid trapz",
    "fastnet.ops.resize": "frombuffer scalar_tensor unravel_index",
    "fastnet.ops.windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    "fastnet.nn.functional": "adaptive_avg_pool1d alpha_dropout avg_pool1d bilinear channel_shuffle cosine_similarity dropout group_norm "
                             "layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pixel_shuffle pixel_unshuffle rms_norm",
    "fastnet.amp": "GradScaler autocast",
    "fastnet.compiler": "compile",
    "fastnet.func": "vmap",
    "fastnet.switches": "are_deterministic_algorithms_enabled get_default_device get_num_interop_threads is_autocast_enabled "
                        "set_default_device set_default_tensor_type set_deterministic_debug_mode set_flush_denormal "
                        "set_num_interop_threads use_deterministic_algorithms",
    "fastnet.tensor_types": "BoolTensor ByteTensor DoubleTensor FloatTensor IntTensor LongTensor",
}
METHODS = {
    "fastnet.ops.about": "cpu",
    "fastnet.ops.resize": "apply_ map_ new resize_ resize_as_ sum_to_size",
    "fastnet.ops.squeeze_in_place": "squeeze_ t_ transpose_ unsqueeze_",
    "fastnet.ops.scatter_reduce": "scatter_reduce_",
    "fastnet.ops.write": "fill_diagonal_ index_copy_ index_fill_",
}
# Methods that write their result over the tensor.
IN_PLACE = ("addbmm addmm addmv addr baddbmm bitwise_and bitwise_not bitwise_or bitwise_xor copysign cumprod cumsum deg2rad digamma eq "
            "erfinv float_power frac gcd ge greater greater_equal gt heaviside hypot lcm ldexp le less less_equal lgamma logical_and "
            "logical_not logical_or logical_xor logit lt nan_to_num ne not_equal rad2deg sgn sinc tril triu xlogy")

HOME = {name: module for table in (BOTH, FUNCTIONS) for module, names in table.items() for name in names.split()}


def _method(name: str, module: str) -> Any:
    def method(self: Tensor, *args: Any, **options: Any) -> Any:
        function = getattr(import_module(module), name)
        attach(**{name: function})                        # the next call goes there directly
        return function(self, *args, **options)

    method.__name__ = name
    method.__doc__ = f"The method of the function `{module}.{name}`, whose text tells more."
    return method


def _in_place(name: str) -> Any:
    def method(self: Tensor, *args: Any, **options: Any) -> Tensor:
        recorded = is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in (self, *args, *options.values()))
        return self.copy_(getattr(self.clone() if recorded else self, name)(*args, **options))    # backward may need the old values

    method.__name__ = f"{name}_"
    method.__doc__ = f"`{name}`, whose result is written over the tensor."
    return method


attach(**{name: _method(name, module) for table in (BOTH, METHODS) for module, names in table.items() for name in names.split()},
       **{f"{name}_": _in_place(name) for name in IN_PLACE.split()})
