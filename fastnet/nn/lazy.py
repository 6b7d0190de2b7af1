"""LazyLinear, LazyConv2d and their kind: layers that take the size of their input from the first one, and become the usual ones."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.nn import conv, linear, normalization
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter


class UninitializedParameter(Parameter):
    """A parameter of no elements whose shape is not known yet; an optimizer may hold it already.

    >>> import fastnet as fn
    >>> isinstance(fn.nn.LazyLinear(3).weight, fn.nn.UninitializedParameter)
    True
    """

    def materialize(self, data: Tensor) -> None:
        """Become a usual parameter.

        Args:
            data: the values.
        """
        self.data = data
        self.__class__ = Parameter  # type: ignore[assignment]


class _Lazy(Module):
    """What lazy layers share: `becomes` is the layer that they become, `least` the size with which it can be made without harm."""

    becomes: Any                                        # the class
    least = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        self.becomes.__init__(self, self._least(args, options), *args, **options)
        self._made_with = args, options
        for name, parameter in list(self._parameters.items()):
            if parameter is not None:
                setattr(self, name, UninitializedParameter(parameter.detach().new_empty(0)))
        self._waiting = self.register_forward_pre_hook(_Lazy._first_input, with_kwargs=True)

    def _least(self, args: tuple, options: dict) -> int:
        return self.least

    def has_uninitialized_params(self) -> bool:
        """Whether the first input is still to come."""
        return "_waiting" in vars(self)

    def _size_of(self, input: Tensor) -> int:
        return input.shape[-1]

    def _size_in(self, state: Any, prefix: str) -> int | None:
        """The size of the input that a state_dict tells."""
        weight = state.get(prefix + "weight")
        return None if weight is None or weight.ndim < 2 else weight.shape[1]

    @staticmethod
    def _first_input(module: Any, args: tuple, named: dict) -> None:
        first = args[0] if args else named.get("input")
        if not isinstance(first, Tensor):
            raise TypeError(f"{type(module).__name__}: the first input must be a Tensor, got {type(first).__name__}")
        module._become(module._size_of(first))

    def _become(self, size: int) -> None:
        """Take parameters, buffers and numbers from a layer that is made for inputs of this size."""
        args, options = self._made_with
        made = self.becomes(size, *args, **options)
        for name, parameter in self._parameters.items():
            if parameter is not None:
                parameter.materialize(made._parameters[name].detach().to(parameter.dtype))
        for name, buffer in made._buffers.items():
            own = self._buffers.get(name)
            setattr(self, name, buffer if own is None or buffer is None else buffer.to(own.dtype))
        for name, value in vars(made).items():
            if isinstance(value, (int, tuple)) and name != "training" and not name.startswith("_"):
                setattr(self, name, value)
        self._waiting.remove()
        del self._waiting, self._made_with
        self.__class__ = self.becomes
        Module._structure += 1                            # a Sequential that holds it plans anew

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        size = self._size_in(state_dict, prefix) if self.has_uninitialized_params() else None
        if size is not None:
            self._become(size)
            return self._load_from_state_dict(state_dict, prefix, *rest)
        return super()._load_from_state_dict(state_dict, prefix, *rest)


class LazyLinear(_Lazy, linear.Linear):
    """A `Linear` that takes in_features from its first input.

    Args:
        out_features, bias, device, dtype: as `Linear`'s.

    >>> import fastnet as fn
    >>> layer = fn.nn.LazyLinear(3)
    >>> _ = layer(fn.ones(2, 5))
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    becomes = linear.Linear


class _LazyConv(_Lazy):
    def _least(self, args: tuple, options: dict) -> int:
        return options.get("groups", args[5] if len(args) > 5 else 1)     # groups is the sixth argument after in_channels

    def _size_of(self, input: Tensor) -> int:
        if input.ndim not in (self.spatial + 1, self.spatial + 2):
            raise RuntimeError(f"{type(self).__name__}: input must have {self.spatial + 1} or {self.spatial + 2} axes, "
                               f"got {tuple(input.shape)}")
        return input.shape[-self.spatial - 1]

    def _size_in(self, state: Any, prefix: str) -> int | None:
        weight = state.get(prefix + "weight")
        if weight is None or weight.ndim < 2:            # of a layer that was saved before its first input
            return None
        return weight.shape[0] if self.becomes.transposed else weight.shape[1] * self.groups


class LazyConv1d(_LazyConv, conv.Conv1d):
    """A `Conv1d` that takes in_channels from its first input; the other arguments are its.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LazyConv1d(8, 3)(fn.ones(2, 4, 10)).shape)
    (2, 8, 8)
    """

    becomes = conv.Conv1d


class LazyConv2d(_LazyConv, conv.Conv2d):
    """A `Conv2d` that takes in_channels from its first input; the other arguments are its.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LazyConv2d(8, 3, padding=1)(fn.ones(1, 3, 6, 6)).shape)
    (1, 8, 6, 6)
    """

    becomes = conv.Conv2d


class LazyConv3d(_LazyConv, conv.Conv3d):
    """A `Conv3d` that takes in_channels from its first input; the other arguments are its."""

    becomes = conv.Conv3d


class LazyConvTranspose1d(_LazyConv, conv.ConvTranspose1d):
    """A `ConvTranspose1d` that takes in_channels from its first input; the other arguments are its."""

    becomes = conv.ConvTranspose1d


class LazyConvTranspose2d(_LazyConv, conv.ConvTranspose2d):
    """A `ConvTranspose2d` that takes in_channels from its first input; the other arguments are its."""

    becomes = conv.ConvTranspose2d


class LazyConvTranspose3d(_LazyConv, conv.ConvTranspose3d):
    """A `ConvTranspose3d` that takes in_channels from its first input; the other arguments are its."""

    becomes = conv.ConvTranspose3d


class _LazyNorm(_Lazy):
    def _size_of(self, input: Tensor) -> int:
        if input.ndim not in self.ranks:
            raise ValueError(f"{type(self).__name__}: input must have {' or '.join(map(str, self.ranks))} axes, got {tuple(input.shape)}")
        unbatched = "InstanceNorm" in self.becomes.__name__ and input.ndim == min(self.ranks)
        return input.shape[0 if unbatched else 1]

    def _size_in(self, state: Any, prefix: str) -> int | None:
        known = next((state[prefix + k] for k in ("weight", "running_mean") if prefix + k in state), None)
        return None if known is None else known.shape[0]


class LazyBatchNorm1d(_LazyNorm, normalization.BatchNorm1d):
    """A `BatchNorm1d` that takes num_features from its first input; the other arguments are its."""

    becomes = normalization.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, normalization.BatchNorm2d):
    """A `BatchNorm2d` that takes num_features from its first input; the other arguments are its.

    >>> import fastnet as fn
    >>> net = fn.nn.Sequential(fn.nn.LazyConv2d(4, 3), fn.nn.LazyBatchNorm2d(), fn.nn.ReLU())
    >>> tuple(net(fn.randn(2, 3, 8, 8)).shape), net[1].num_features
    ((2, 4, 6, 6), 4)
    """

    becomes = normalization.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, normalization.BatchNorm3d):
    """A `BatchNorm3d` that takes num_features from its first input; the other arguments are its."""

    becomes = normalization.BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, normalization.InstanceNorm1d):
    """An `InstanceNorm1d` that takes num_features from its first input; the other arguments are its."""

    becomes = normalization.InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, normalization.InstanceNorm2d):
    """An `InstanceNorm2d` that takes num_features from its first input; the other arguments are its."""

    becomes = normalization.InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, normalization.InstanceNorm3d):
    """An `InstanceNorm3d` that takes num_features from its first input; the other arguments are its."""

    becomes = normalization.InstanceNorm3d
