"""parametrize: a parameter of a module as a function of another one, computed whenever it is asked for."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor
from fastnet.nn.containers import ModuleDict, ModuleList
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations"]

_cache: dict[tuple[int, str], Tensor] | None = None


@contextmanager
def cached() -> Iterator[None]:
    """A `with` block in which each parametrized tensor is computed once.

    >>> import fastnet
    >>> with fastnet.nn.utils.parametrize.cached():
    ...     pass
    """
    global _cache
    before, _cache = _cache, {} if _cache is None else _cache
    try:
        yield
    finally:
        _cache = before


class ParametrizationList(ModuleList):
    """The functions that make one tensor, in order, and the parameters that they are made of: `original`, or `original0`, `original1`, ...

    `register_parametrization` makes it.
    """

    def __init__(self, modules: list[Module], original: Tensor) -> None:
        super().__init__(modules)
        made: Any = original.detach()
        for module in reversed(modules):
            made = module.right_inverse(made) if hasattr(module, "right_inverse") else made
        self.is_tensor = isinstance(made, Tensor)
        self.count = 1 if self.is_tensor else len(made)
        for name, x in zip(self._names(), (made,) if self.is_tensor else made):
            x = x.detach().clone()
            if not isinstance(original, Parameter):
                self.register_buffer(name, x)
            elif self.is_tensor:                           # the same object, which an optimizer may have
                original.data = x
                self.register_parameter(name, original)
            else:
                self.register_parameter(name, Parameter(x, requires_grad=original.requires_grad))

    def _names(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.count)]

    def forward(self) -> Tensor:
        """The tensor."""
        x = [getattr(self, name) for name in self._names()]
        first, *rest = self
        y = first(*x)
        for module in rest:
            y = module(y)
        return y


def _computed(name: str) -> property:
    """A parametrized tensor as an attribute."""
    def get(self: Any) -> Tensor:
        if _cache is None:
            return self.parametrizations[name]()
        if (id(self), name) not in _cache:
            _cache[id(self), name] = self.parametrizations[name]()
        return _cache[id(self), name]

    def put(self: Any, value: Any) -> None:
        parts = self.parametrizations[name]
        with no_grad():
            for module in reversed(list(parts)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrize: {type(module).__name__} has no right_inverse, so {name!r} cannot be assigned")
                value = module.right_inverse(value)
            for word, x in zip(parts._names(), (value,) if parts.is_tensor else value):
                getattr(parts, word).copy_(x)
    return property(get, put)


def _dress(module: Module) -> None:
    """Give a module the class whose attributes are its parametrized tensors; its own, where there are none."""
    cls: Any = type(module)
    cls = cls.__mro__[1] if getattr(cls, "_parametrized", False) else cls
    names = list(module._modules.get("parametrizations") or ())
    attributes = {"_parametrized": True, **{name: _computed(name) for name in names}}
    module.__class__ = type("Parametrized" + cls.__name__, (cls,), attributes) if names else cls


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Module:
    """Let a parameter or buffer be what a module makes of it; another call puts another one behind.

    Args:
        module: whose parameter.
        tensor_name: its name; the parameter itself moves to ``module.parametrizations.<name>.original``.
        parametrization: called with it; its `right_inverse`, if it has one, gives the value to begin with, a tensor or several. What is put
            behind another one changes the value, as in PyTorch.
        unsafe: True: do not check that shape and dtype stay.

    Returns:
        The module.

    Raises:
        ValueError: the module has no such tensor, or the shape or the dtype changes.

    >>> import fastnet
    >>> class Symmetric(fastnet.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = fastnet.nn.utils.parametrize.register_parametrization(fastnet.nn.Linear(3, 3), "weight", Symmetric())
    >>> fastnet.equal(layer.weight, layer.weight.T), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    old = is_parametrized(module, tensor_name)
    if not old and tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(f"register_parametrization: {type(module).__name__} has no parameter or buffer {tensor_name!r}")
    before = getattr(module, tensor_name)
    if before is None:
        raise ValueError(f"register_parametrization: {tensor_name!r} of {type(module).__name__} is None")
    if old:
        parts = module.parametrizations[tensor_name]  # type: ignore[index]
        if hasattr(parametrization, "right_inverse"):
            with no_grad():
                parametrization.right_inverse(before.detach())       # some take what they begin with from it
        parts.append(parametrization)
    else:
        kept = before.detach()
        parts = ParametrizationList([parametrization], before)
    try:
        made = parts()
        if not unsafe and (made.shape != before.shape or made.dtype != before.dtype):
            raise ValueError(f"register_parametrization: {type(parametrization).__name__} turns {tuple(before.shape)} of {before.dtype} "
                             f"into {tuple(made.shape)} of {made.dtype}; unsafe=True allows it")
    except BaseException:
        if old:
            del parts[len(parts) - 1]
        elif isinstance(before, Parameter):
            before.data = kept
        raise
    if not old:
        delattr(module, tensor_name)
        if "parametrizations" not in module._modules:
            module.parametrizations = ModuleDict()
        module.parametrizations[tensor_name] = parts  # type: ignore[index,operator]
        _dress(module)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrized tensor.

    Args:
        module: any.
        tensor_name: which; None: any.
    """
    found = module._modules.get("parametrizations")
    return found is not None and getattr(type(module), "_parametrized", False) and (tensor_name is None or tensor_name in found)


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a tensor a plain parameter or buffer again.

    Args:
        module: whose.
        tensor_name: which.
        leave_parametrized: keep the value it has; False: that of `original`.

    Returns:
        The module.

    Raises:
        ValueError: it is not parametrized, or there are several originals and leave_parametrized is False.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {tensor_name!r} of {type(module).__name__} is not parametrized")
    parts: Any = module.parametrizations[tensor_name]  # type: ignore[index]
    if not leave_parametrized and not parts.is_tensor:
        raise ValueError(f"remove_parametrizations: {tensor_name!r} has several originals, so leave_parametrized must be True")
    first = getattr(parts, parts._names()[0])
    value = (parts() if leave_parametrized else first).detach().clone()
    del module.parametrizations[tensor_name]  # type: ignore[attr-defined]
    if not len(module.parametrizations):  # type: ignore[arg-type]
        delattr(module, "parametrizations")
    _dress(module)
    if not isinstance(first, Parameter):
        module.register_buffer(tensor_name, value)
        return module
    if parts.is_tensor:
        first.data = value
    module.register_parameter(tensor_name, first if parts.is_tensor else Parameter(value, requires_grad=first.requires_grad))
    return module
