"""Random number generators: all that a training draws from, found, captured as trees that `fastnet.save` takes, and restored."""
from __future__ import annotations

import random
import types
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor

Source = Any                                              # a fastnet, NumPy or Python generator
_KINDS = (fn.Generator, np.random.Generator, np.random.RandomState, random.Random)
_DEPTH, _ITEMS, _OBJECTS = 8, 100, 10_000                 # how deep, in how long lists, among how many objects generators are looked for
_CLOSED = (type, types.ModuleType, types.FunctionType, Tensor, np.ndarray, fn.nn.Module, str, bytes, int, float)


def seed_everything(seed: int) -> None:
    """Begin anew with a seed: fastnet's default generator, and Python's and NumPy's global ones.

    Args:
        seed: 0 to 2^63 - 1; NumPy's gets it modulo 2^32.

    >>> import fastnet as fn
    >>> fn.training.seed_everything(3)
    >>> a = fn.rand(2)
    >>> fn.training.seed_everything(3)
    >>> fn.equal(a, fn.rand(2))
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed_everything: seed must be an integer from 0 to 2**63 - 1, got {seed!r}")
    fn.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def capture_globals() -> dict[str, Any]:
    """The states of the three global generators."""
    return {"fastnet": fn.get_rng_state(), "python": _pack_python(random.getstate()), "numpy": _pack(np.random.get_state(legacy=False))}


def restore_globals(state: dict[str, Any]) -> None:
    """Go on from `capture_globals`."""
    fn.set_rng_state(state["fastnet"])
    random.setstate(_unpack_python(state["python"]))
    np.random.set_state(_unpack(state["numpy"]))


def find(root: Any, *, known: dict[int, Any] | None = None, path: str = "") -> dict[str, Source]:
    """The generators that an object holds in its attributes, and in those of the objects it holds, by where they are.

    Global generators are left out; so is what lies in tensors, modules, arrays and long lists.

    >>> import fastnet as fn
    >>> from fastnet.training.rng import find
    >>> list(find(fn.utils.data.RandomSampler(range(4), generator=fn.Generator())))
    ['generator']
    """
    found: dict[str, Source] = {}
    # `known` keeps the objects alive: an id must not be used twice
    _walk(root, path, found, {id(fn.default_generator): fn.default_generator} if known is None else known, 0)
    return found


def find_in_module(module: Any) -> dict[str, Source]:
    """The generators that a module and those below it hold as attributes."""
    return {f"{path}.{name}": value for path, part in module.named_modules() for name, value in vars(part).items()
            if isinstance(value, _KINDS) and value is not fn.default_generator}


def _walk(value: Any, path: str, found: dict[str, Source], known: dict[int, Any], depth: int) -> None:
    if id(value) in known or depth > _DEPTH or len(known) > _OBJECTS or isinstance(value, _CLOSED):
        return
    known[id(value)] = value
    if isinstance(value, _KINDS):
        found[path] = value
        return
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()] if len(value) <= _ITEMS else []
    elif isinstance(value, (list, tuple)):
        items = [(str(i), item) for i, item in enumerate(value)] if len(value) <= _ITEMS else []
    else:
        items = list(getattr(value, "__dict__", {}).items())
    for name, item in items:
        _walk(item, f"{path}.{name}" if path else name, found, known, depth + 1)


def capture(sources: dict[str, Source]) -> dict[str, Any]:
    """The states of generators by name."""
    return {name: _state(source) for name, source in sources.items()}


def restore(sources: dict[str, Source], states: dict[str, Any]) -> None:
    """Go on from `capture`; what one side lacks is passed over."""
    for name, source in sources.items():
        if name not in states:
            continue
        if isinstance(source, fn.Generator):
            source.set_state(states[name])
        elif isinstance(source, random.Random):
            source.setstate(_unpack_python(states[name]))
        elif isinstance(source, np.random.RandomState):
            source.set_state(_unpack(states[name]))
        else:
            source.bit_generator.state = _unpack(states[name])


def _state(source: Source) -> Any:
    if isinstance(source, fn.Generator):
        return source.get_state()
    if isinstance(source, random.Random):
        return _pack_python(source.getstate())
    return _pack(source.get_state(legacy=False) if isinstance(source, np.random.RandomState) else source.bit_generator.state)


def _pack_python(state: tuple[Any, ...]) -> dict[str, Any]:
    version, numbers, gauss = state
    return {"version": version, "numbers": np.array(numbers, np.int64), "gauss": gauss}


def _unpack_python(state: dict[str, Any]) -> tuple[Any, ...]:
    return state["version"], tuple(int(number) for number in state["numbers"]), state["gauss"]


def _pack(value: Any) -> Any:
    """NumPy's state, with its arrays of unsigned integers as int64, which files carry."""
    if isinstance(value, dict):
        return {key: _pack(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.name, "numbers": value.view(np.int64) if value.itemsize == 8 else value.astype(np.int64)}
    return value


def _unpack(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {"dtype", "numbers"}:
        numbers, dtype = np.array(value["numbers"]), np.dtype(value["dtype"])
        return numbers.view(dtype) if dtype.itemsize == 8 else numbers.astype(dtype)
    return {key: _unpack(item) for key, item in value.items()}
