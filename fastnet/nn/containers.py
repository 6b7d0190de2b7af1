"""Sequential, ModuleList, ModuleDict: modules that hold modules."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from operator import index
from typing import Any

from fastnet.nn.activation import ReLU, Sigmoid, Tanh
from fastnet.nn.conv import activates
from fastnet.nn.linear import Identity, Linear
from fastnet.nn.module import Module
from fastnet.nn.normalization import fusible, plain
from fastnet.ops.linear import linear_act

_FUSED = {ReLU: "relu", Tanh: "tanh", Sigmoid: "sigmoid"}


def _position(op: str, i: Any, n: int) -> int:
    i = index(i)
    if not -n <= i < n:
        raise IndexError(f"{op}: index {i} is out of range for {n} modules")
    return i % n


class _Row(Module):
    """Modules named "0", "1", ... in order."""

    def _rename(self, modules: list[Module]) -> None:
        """Make `modules` the content: all names anew."""
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self._modules.values())

    def _name_at(self, i: Any) -> str:
        return list(self._modules)[_position(type(self).__name__, i, len(self))]

    def __getitem__(self, i: Any) -> Any:
        return self._part(list(self._modules.items())[i]) if isinstance(i, slice) else self._modules[self._name_at(i)]

    def _part(self, items: list[tuple[str, Module]]) -> Any:
        return type(self)([module for _, module in items])

    def __setitem__(self, i: int, module: Module) -> None:
        setattr(self, self._name_at(i), module)

    def __delitem__(self, i: Any) -> None:
        names = list(self._modules)[i] if isinstance(i, slice) else [self._name_at(i)]
        self._rename([module for name, module in self._modules.items() if name not in names])

    def append(self, module: Module) -> Any:
        """Add a module at the end; returns self."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, i: int, module: Module) -> Any:
        """Put a module before position `i`; returns self."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type Module, got {type(module).__name__}")
        n, i = len(self), index(i)
        if not -n <= i <= n:
            raise IndexError(f"{type(self).__name__}.insert: index {i} is out of range for {n} modules")
        modules = list(self._modules.values())
        modules.insert(i if i >= 0 else i + n, module)
        self._rename(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end; returns self."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}.extend expects an iterable of modules, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, i: Any = -1) -> Module:
        """Take the module at position `i` out and return it."""
        module = self[i]
        del self[i]
        return module


class ModuleList(_Row):
    """A list of modules, all registered; has no `forward`.

    Args:
        modules: what the list starts with.

    >>> import fastnet as fn
    >>> layers = fn.nn.ModuleList(fn.nn.Linear(4, 4) for _ in range(3))
    >>> len(layers[1:])
    2
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def _child_lines(self) -> list[str]:
        """Runs of children that look the same are one line: `(0-2): 3 x Linear(...)`."""
        runs: list[tuple[int, int, str]] = []
        for i, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        return [f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}" for first, last, text in runs]


class ModuleDict(Module):
    """A dict of modules, all registered; has no `forward`.

    Args:
        modules: a mapping, or pairs of name and module.

    >>> import fastnet as fn
    >>> heads = fn.nn.ModuleDict({"policy": fn.nn.Linear(8, 4), "value": fn.nn.Linear(8, 1)})
    >>> heads["value"]
    Linear(in_features=8, out_features=1, bias=True)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._modules:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        for key in list(self._modules):
            delattr(self, key)

    def pop(self, key: str) -> Module:
        """Take the module named `key` out and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Pairs of name and module."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules from a mapping or from pairs of name and module."""
        if not isinstance(modules, (Iterable, Mapping)):
            raise TypeError(f"ModuleDict.update expects a mapping or pairs of name and module, got {type(modules).__name__}")
        for key, module in modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules:
            self[key] = module


class Sequential(_Row):
    """Modules applied one after the other.

    A `Linear` followed by `ReLU`, `Tanh` or `Sigmoid`, and a `BatchNorm1d`, `2d` or `3d` followed by `ReLU`, `ReLU6`, `LeakyReLU`,
    `SiLU` or `Hardswish`, run as one fused op while neither has hooks and both are of exactly these types; the result is the same.
    So does, where no gradient is recorded, a convolution followed by one of these activations or by `GELU` or `Mish`.

    Args:
        *args: the modules, or one OrderedDict from names to modules.

    >>> import fastnet as fn
    >>> net = fn.nn.Sequential(fn.nn.Linear(4, 8), fn.nn.ReLU(), fn.nn.Linear(8, 2))
    >>> tuple(net(fn.ones(3, 4)).shape), net[0].out_features
    ((3, 2), 8)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        self.__dict__["_plan"], self.__dict__["_planned"] = (), -1
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": (), "_planned": -1}

    def _part(self, items: list[tuple[str, Module]]) -> Sequential:
        return type(self)(OrderedDict(items))

    def __delitem__(self, i: Any) -> None:
        names = list(self._modules)
        named = names != [str(k) for k in range(len(names))]
        if not named:
            super().__delitem__(i)
            return
        for name in names[i] if isinstance(i, slice) else [self._name_at(i)]:
            delattr(self, name)

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential + other: other must be a Sequential, got {type(other).__name__}")
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential += other: other must be a Sequential, got {type(other).__name__}")
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            raise TypeError(f"Sequential * times: times must be an int, got {type(times).__name__}")
        if times <= 0:
            raise ValueError(f"Sequential * times: times must be positive, got {times}")
        return Sequential(*[module for _ in range(times) for module in self])

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        for module in list(self * times)[len(self):]:
            self.append(module)
        return self

    def forward(self, x: Any) -> Any:
        """Apply all modules in order."""
        state = self.__dict__
        if state["_planned"] != Module._structure:
            state["_plan"], state["_planned"] = fuse(list(self._modules.values())), Module._structure
        for module, activation in state["_plan"]:
            if activation is False:
                x = module(x)
            elif isinstance(activation, Module):
                y = module._activated(x, activation)
                x = activation(module(x)) if y is None else y
            else:
                x = linear_act(x, module.weight, module.bias, activation)
        return x


def fuse(modules: list[Module]) -> list[tuple[Any, Any]]:
    """What Sequential runs: (module, False): a call; (Linear, name or None), (BatchNorm or convolution, activation): one op."""
    plan: list[tuple[Any, Any]] = []
    for module in modules:
        name, before = _FUSED.get(type(module)), plan[-1] if plan else (None, False)
        if name is not None and before[1] is None and plain(module):
            plan[-1] = (before[0], name)
        elif before[1] is False and (fusible(before[0], module) or activates(before[0], module)):
            plan[-1] = (before[0], module)
        elif type(module) is Identity and plain(module) and plan:        # where a norm was that has been folded
            continue
        else:
            plan.append((module, None if plain(module) and type(module) is Linear else False))
    return plan
