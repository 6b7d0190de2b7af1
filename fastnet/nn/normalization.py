"""BatchNorm, InstanceNorm, GroupNorm, LayerNorm, RMSNorm, LocalResponseNorm."""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn import init
from fastnet.nn.activation import Hardswish, LeakyReLU, ReLU, ReLU6, SiLU
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter
from fastnet.ops.batch_norm import batch_norm, count_batch

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LayerNorm",
           "LocalResponseNorm", "RMSNorm"]
_FUSED = {ReLU: "relu", ReLU6: "relu6", LeakyReLU: "leaky_relu", SiLU: "silu", Hardswish: "hardswish"}


def _sizes(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if hasattr(normalized_shape, "__index__") else tuple(normalized_shape)


def _affine(module: Module, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
    """The parameters of a norm: weights 1, biases 0, None where there are none."""
    for name, wanted in (("weight", weight), ("bias", bias)):
        if wanted:
            setattr(module, name, Parameter(fn.empty(shape, device=device, dtype=dtype)))
        else:
            module.register_parameter(name, None)


def _reset(module: Any) -> None:
    if module.weight is not None:
        init.ones_(module.weight)
    if module.bias is not None:
        init.zeros_(module.bias)


class _NormBase(Module):
    """What batch norm and instance norm share: parameters, running statistics."""

    ranks: tuple[int, ...]

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        if isinstance(num_features, bool) or not hasattr(num_features, "__index__"):
            raise TypeError(f"{type(self).__name__}: num_features must be an int, got {type(num_features).__name__}")
        if num_features < 0:
            raise ValueError(f"{type(self).__name__}: num_features must not be negative, got {num_features}")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _affine(self, num_features, affine, affine and bias, device, dtype)
        track = track_running_stats
        self.register_buffer("running_mean", fn.zeros(num_features, device=device, dtype=dtype) if track else None)
        self.register_buffer("running_var", fn.ones(num_features, device=device, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", fn.tensor(0, dtype=fn.int64) if track else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batch seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Weights 1, biases 0, and `reset_running_stats`."""
        self.reset_running_stats()
        _reset(self)

    def _check_input_dim(self, input: Tensor) -> None:
        if len(input.shape) not in self.ranks:
            ranks = " or ".join(map(str, self.ranks))
            raise ValueError(f"{type(self).__name__}: input must have {ranks} axes, got shape {tuple(input.shape)}")

    def _load_from_state_dict(self, state_dict: dict, prefix: str, local_metadata: dict, *args: Any) -> None:
        key = prefix + "num_batches_tracked"                # checkpoints older than this counter
        if (local_metadata.get("version") or 1) < 2 and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, bias={self.bias is not None}, "
                f"track_running_stats={self.track_running_stats}")


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        """Any of the shapes above to the same shape."""
        return self._activated(input)

    def _activated(self, input: Tensor, activation: Module | None = None, residual: Tensor | None = None) -> Tensor:
        """activation(norm(input) + residual) in one pass."""
        self._check_input_dim(input)
        mean, var, factor, training = self.running_mean, self.running_var, self.momentum, self.training
        if training:
            if not self.track_running_stats:
                mean = var = None
            elif self.num_batches_tracked is not None:
                count = count_batch(self.num_batches_tracked)
                if factor is None:
                    factor = 1.0 / count                    # the plain average of all batches
        else:
            training = mean is None and var is None
        return batch_norm(input, mean, var, self.weight, self.bias, training, 0.0 if factor is None else factor, self.eps,
                          activation=_FUSED.get(type(activation)), negative_slope=getattr(activation, "negative_slope", 0.01),
                          residual=residual)


class BatchNorm1d(_BatchNorm):
    """Batch norm of (N, C) or (N, C, L): y = (x - mean) / sqrt(var + eps) * weight + bias, for each channel (Ioffe and Szegedy 2015).

    In training the statistics are those of the batch, and the running ones move towards them; in evaluation, the running ones.
    In `nn.Sequential`, an activation that follows runs in the same pass.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: the part by which running statistics move; None: they are the plain average of all batches.
        affine: whether weight and bias are learned.
        track_running_stats: whether there are running statistics; False: the batch's are used in evaluation, too.
        device: "cpu" or None.
        dtype: of parameters and statistics; the default dtype if None.
        bias: False: a weight but no bias.

    >>> import fastnet as fn
    >>> fn.nn.BatchNorm1d(2)(fn.tensor([[1.0, 5.0], [3.0, 9.0]])).tolist()[0][0] < -0.99
    True
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch norm of (N, C, H, W); everything else is as in `BatchNorm1d`.

    >>> import fastnet as fn
    >>> tuple(fn.nn.BatchNorm2d(3)(fn.ones(2, 3, 4, 4)).shape)
    (2, 3, 4, 4)
    """

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch norm of (N, C, D, H, W); everything else is as in `BatchNorm1d`."""

    ranks = (5,)


class _InstanceNorm(_NormBase):
    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...) to the same shape."""
        self._check_input_dim(input)
        single = len(input.shape) == self.ranks[0]
        x = input.unsqueeze(0) if single else input
        if x.shape[1] != self.num_features and not (self.affine or self.track_running_stats):
            warnings.warn(f"{type(self).__name__}: input {tuple(input.shape)} does not have the num_features {self.num_features} channels, "
                          "which nothing uses", stacklevel=2)
        elif x.shape[1] != self.num_features:
            raise ValueError(f"{type(self).__name__}: num_features {self.num_features} does not fit input {tuple(input.shape)}")
        y = F.instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training or not self.track_running_stats,
                            0.0 if self.momentum is None else self.momentum, self.eps)
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Instance norm of (N, C, L) or (C, L): each channel of each image has its own statistics (Ulyanov et al. 2016).

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: the part by which running statistics move.
        affine: whether weight and bias are learned.
        track_running_stats: whether there are running statistics, which are used in evaluation.
        device: "cpu" or None.
        dtype: of parameters and statistics; the default dtype if None.
        bias: False: a weight but no bias.

    >>> import fastnet as fn
    >>> tuple(fn.nn.InstanceNorm1d(3)(fn.ones(2, 3, 4)).shape)
    (2, 3, 4)
    """

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of (N, C, H, W) or (C, H, W); everything else is as in `InstanceNorm1d`."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance norm of (N, C, D, H, W) or (C, D, H, W); everything else is as in `InstanceNorm1d`."""

    ranks = (4, 5)


class GroupNorm(Module):
    """Group norm of (N, C, ...): `num_groups` groups of channels of each image have their own statistics (Wu and He 2018).

    Args:
        num_groups: a divisor of num_channels.
        num_channels: C.
        eps: added to the variance.
        affine: whether weight and bias (C,) are learned.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.
        bias: False: a weight but no bias.

    >>> import fastnet as fn
    >>> tuple(fn.nn.GroupNorm(2, 6)(fn.ones(1, 6, 5, 5)).shape)
    (1, 6, 5, 5)
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None, dtype: Any = None, *,
                 bias: bool = True) -> None:
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_groups must be a positive divisor of num_channels, got {num_groups} and {num_channels}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        _affine(self, num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights 1, biases 0."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LayerNorm(Module):
    """Layer norm: the last axes, together, get mean 0 and variance 1 (Ba et al. 2016).

    Args:
        normalized_shape: the sizes of the last axes, or the size of the last one.
        eps: added to the variance.
        elementwise_affine: whether weight and bias of that shape are learned.
        bias: False: a weight but no bias.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> fn.nn.LayerNorm(3)(fn.ones(2, 3)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _affine(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights 1, biases 0."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """(..., *normalized_shape) to the same shape."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"


class RMSNorm(Module):
    """RMS norm: the last axes, together, divided by their root mean square (Zhang and Sennrich 2019).

    Args:
        normalized_shape: the sizes of the last axes, or the size of the last one.
        eps: added to the mean square; None: the distance from 1 to the next number of the input's dtype.
        elementwise_affine: whether a weight of that shape is learned.
        device: "cpu" or None.
        dtype: of the weight; the default dtype if None.

    >>> import fastnet as fn
    >>> fn.nn.RMSNorm(2, eps=0.0)(fn.tensor([3.0, -3.0])).tolist()
    [1.0, -1.0]
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(fn.empty(self.normalized_shape, device=device, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """(..., *normalized_shape) to the same shape."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta (Krizhevsky et al. 2012).

    Args:
        size: channels in the window around each channel.
        alpha, beta, k: the numbers of the formula.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LocalResponseNorm(2)(fn.ones(1, 4, 2, 2)).shape)
    (1, 4, 2, 2)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def plain(module: Any) -> bool:
    """Whether a call of the module is a call of its class's forward, no hook in between."""
    return not module._hooked and "forward" not in module.__dict__


_BATCH_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d)


def fusible(norm: Any, activation: Any) -> bool:
    """Whether `norm` can do the activation in its own pass: exactly these types, no hooks on either."""
    return type(norm) in _BATCH_NORMS and type(activation) in _FUSED and plain(norm) and plain(activation)


def norm_act(norm: Any, activation: Any, input: Tensor, residual: Tensor | None = None) -> Tensor:
    """activation(norm(input) + residual), in one pass where the modules allow it; hooks of both are called where they have some.

    Args:
        norm: a module, BatchNorm for one pass.
        activation: a module (ReLU, ReLU6, LeakyReLU, SiLU or Hardswish for one pass), or None.
        input: what norm takes.
        residual: of the same shape, or None.

    >>> import fastnet as fn
    >>> from fastnet.nn.normalization import norm_act
    >>> x = fn.ones(2, 3, 4, 4)
    >>> bool((norm_act(fn.nn.BatchNorm2d(3), fn.nn.ReLU(inplace=True), x, residual=x) == x).all())
    True
    """
    if fusible(norm, activation):
        return norm._activated(input, activation, residual)
    if activation is None and residual is not None and type(norm) in _BATCH_NORMS and plain(norm):
        return norm._activated(input, residual=residual)
    y = norm(input)
    if residual is not None:
        y = y + residual
    return y if activation is None else activation(y)
