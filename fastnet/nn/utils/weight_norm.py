"""weight_norm: a weight as a direction times a length (Salimans and Kingma, 2016)."""
from __future__ import annotations

from copy import deepcopy
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.nn.parameter import Parameter
from fastnet.ops.norm import vector_norm


class Computed:
    """A hook that computes a weight of a module before each forward."""

    name: str
    last: Tensor | None = None

    def put(self, module: Any, weight: Tensor) -> None:
        """Give the module its weight."""
        self.last = weight
        setattr(module, self.name, weight)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # The weight has a history, which cannot be copied: a copy of the module has its value until the next forward.
        if self.last is not None:
            memo[id(self.last)] = self.last.detach().clone()
        copied = memo[id(self)] = type(self).__new__(type(self))
        for name, value in vars(self).items():
            setattr(copied, name, deepcopy(value, memo))
        return copied


class _WeightNorm(Computed):
    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def compute(self, module: Any) -> Tensor:
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / length(v, self.dim))

    def __call__(self, module: Any, args: Any) -> None:
        self.put(module, self.compute(module))


def length(v: Tensor, dim: int | None) -> Tensor:
    """The norm of each slice of an axis, or of the whole."""
    axes = tuple(range(v.ndim)) if dim is None else tuple(i for i in range(v.ndim) if i != dim % v.ndim)
    return vector_norm(v, 2, axes, keepdim=dim is not None) if axes else v.abs()


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Replace a parameter by its direction `name_v` and its length `name_g`, from which it is computed before each forward.

    Args:
        module: a Module.
        name: the parameter.
        dim: each slice along this axis has a length of its own; None, or -1 as in PyTorch: the whole has one.

    Returns:
        The module.

    Raises:
        RuntimeError: no such parameter, or it has a norm already.

    >>> import fastnet
    >>> layer = fastnet.nn.utils.weight_norm(fastnet.nn.Linear(3, 2))
    >>> sorted(name for name, _ in layer.named_parameters())
    ['bias', 'weight_g', 'weight_v']
    """
    dim = None if dim == -1 else dim
    weight = take_parameter(module, name, "weight_norm")
    module.register_parameter(name + "_g", Parameter(length(weight.detach(), dim).clone()))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    hook = _WeightNorm(name, dim)
    hook(module, ())
    keep(module, hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a plain parameter again, with the value it has.

    Args:
        module: a Module with `weight_norm`.
        name: the parameter.

    Raises:
        ValueError: it has no such norm.

    >>> import fastnet
    >>> from fastnet.nn.utils import remove_weight_norm, weight_norm
    >>> [name for name, _ in remove_weight_norm(weight_norm(fastnet.nn.Linear(3, 2))).named_parameters()]
    ['bias', 'weight']
    """
    hook = release(module, _WeightNorm, name, "remove_weight_norm")
    weight = hook.compute(module).detach()
    for part in ("_g", "_v"):
        delattr(module, name + part)
    put_parameter(module, name, weight)
    return module


def take_parameter(module: Any, name: str, op: str) -> Tensor:
    """Take a parameter out of a module."""
    weight = module._parameters.get(name)
    if weight is None:
        raise RuntimeError(f"{op}: {type(module).__name__} has no parameter {name!r}")
    delattr(module, name)
    return weight


def put_parameter(module: Any, name: str, weight: Tensor) -> None:
    """Put a parameter where a computed weight was."""
    vars(module).pop(name, None)
    module.register_parameter(name, Parameter(weight.clone()))


def keep(module: Any, hook: Any) -> None:
    """Call the hook before each forward."""
    hook.handle = module.register_forward_pre_hook(hook)


def release(module: Any, kind: type, name: str, op: str) -> Any:
    """Take the hook of a kind and name away."""
    for hook, _ in list(module._forward_pre_hooks.values()):
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            hook.handle.remove()  # type: ignore[attr-defined]
            return hook
    raise ValueError(f"{op}: {name!r} of {type(module).__name__} has none")
