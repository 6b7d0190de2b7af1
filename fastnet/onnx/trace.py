"""What a model does, as a list of calls: each call of an op that `fastnet.ops.out.listen` hears, with tensors replaced by numbers."""
from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from types import FunctionType
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, on_taken
from fastnet._modules import Finder
from fastnet.ops import sort
from fastnet.ops.out import OPERATORS, heard, hush, listen

NAMES = {"truediv": "div", "floordiv": "floor_divide", "mod": "remainder", "and_": "bitwise_and", "or_": "bitwise_or", "xor": "bitwise_xor",
         "invert": "bitwise_not"}                         # operators that are functions of another name
PYTHON = ("topk", "sort", "argsort", "kthvalue", "median", "unique", "nonzero", "masked_select")     # of ops/sort.py: they read memory
ONE = Lock()                                              # one trace at a time listens
SILENT = frozenset("fastnet.ops.clip fastnet.ops.optim fastnet.ops.image fastnet.ops.out".split())


@dataclass(frozen=True)
class Ref:
    """A tensor: its number in the trace."""
    number: int


@dataclass
class Event:
    """A call of an op: its name, arguments with `Ref`s, the numbers of its results, and the module that called."""
    name: str
    args: tuple
    options: dict[str, Any]
    outs: list[int]
    where: str


class Stale(RuntimeError):
    """A tensor's memory was written through another one."""


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for x in value:
            yield from tensors(x)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


class Trace:
    """The calls between `start` and the end of a `with listening(...)`.

    Args:
        names: of the model's modules, by their ids.
        known: names of the ops that can be exported.
        creators: those of them that need no tensor.

    Attributes:
        events: the calls, in order.
        shapes, dtypes: of the tensors, by number.
        arrays: values of those tensors that depend on no input.
        computed: which of them are results of an op; all others came from outside.
        taken: where Python took values out of tensors that depend on an input.
        other: if so, a trace of the same calls for other values of the inputs, whose numbers may differ.
    """

    def __init__(self, names: dict[int, str], known: frozenset[str], creators: frozenset[str]) -> None:
        self.names, self.known, self.creators = names, known, creators
        self.events: list[Event] = []
        self.shapes: list[tuple] = []
        self.dtypes: list[np.dtype] = []
        self.arrays: dict[int, np.ndarray] = {}
        self.computed: set[int] = set()
        self.taken: list[str] = []
        self.other: Trace | None = None
        self._at: dict[tuple, tuple[int, int]] = {}      # memory -> number and version of what lies there
        self._kept: list[Tensor] = []                     # by number: memory that is freed would be used again
        self._views: dict[int, tuple[int, Any]] = {}      # what indexing gave -> of what, and the index

    def add(self, x: Tensor, constant: bool = False) -> int:
        """A number for what a tensor now holds."""
        n = len(self.shapes)
        self.shapes.append(tuple(x.shape))
        self.dtypes.append(np.dtype(x.dtype.numpy))
        self._at[_memory(x)] = n, x._version
        self._kept.append(x)
        if constant:
            self.arrays[n] = np.empty(0)                  # reading it is heard, too
            self.arrays[n] = x.detach().numpy()
        return n

    def number(self, x: Tensor) -> int:
        """The number of a tensor; one that was never seen is a constant."""
        known = self._at.get(_memory(x))
        if known is None:
            return self.add(x, constant=True)
        if known[1] != x._version:
            raise Stale(f"a tensor of shape {tuple(x.shape)} was modified in place through another tensor that shares its memory")
        return known[0]

    def refs(self, value: Any) -> Any:
        """Arguments with numbers for tensors."""
        if isinstance(value, Tensor):
            return Ref(self.number(value))
        if isinstance(value, (tuple, list)):
            made = [self.refs(x) for x in value]
            return made if type(value) is list else tuple(made)
        if isinstance(value, dict):
            return {key: self.refs(x) for key, x in value.items()}
        if isinstance(value, slice):
            return slice(*(self.refs(x) for x in (value.start, value.stop, value.step)))
        return value

    def call(self, name: str, function: Callable[..., Any], args: tuple, options: dict[str, Any]) -> Any:
        """Make a call and note it."""
        if name == "forward":                             # of Linear, which is compiled
            module = args[0]
            result = function(*args, **options)
            name, args, options = "linear", (*args[1:], *options.values(), module.weight, module.bias), {}
        else:
            module, result = None, None
        if name == "setitem_" and self._written(*args):
            return function(*args)
        given = list(tensors((args, options)))
        if not given and name not in self.creators:
            return function(*args, **options)
        where = self.where(module)
        if options.get("out") is not None:
            raise RuntimeError(f"onnx.export: {name}{where}: out= cannot be exported; use the result of the call")
        try:
            used = {self.number(x) for x in given}
            what = self.refs(args), self.refs(options)
        except Stale as error:
            raise RuntimeError(f"onnx.export: {name}{where}: {error}") from None
        base = name.removesuffix("_")
        chain = self._chain(self.number(given[0])) if given else []
        if name != base or any(x is True for x in (*args, *options.values())):
            for n in self.arrays.keys() & set(chain):
                self.arrays[n] = self.arrays[n].copy()    # about to be written over
        version = given[0]._version if given else 0
        if module is None:
            result = function(*args, **options)
        outs = list(tensors(result)) or ([args[0]] if name == "setitem_" else [])
        if outs and used <= self.arrays.keys() and base not in self.known:
            return result                                 # a constant
        if outs and base not in self.known:
            raise RuntimeError(f"onnx.export: {base}{where} cannot be exported: there is no exporter for this op")
        if outs:
            constant = used <= self.arrays.keys()
            numbers = [self.add(x, constant) for x in outs]
            self.computed.update(numbers)
            self.events.append(Event(base, *what, numbers, where))
            if base == "getitem" and outs[0].numel() and _shares(*args):
                self._views[numbers[0]] = what[0][0].number, what[0][1]
            elif given and given[0]._version != version:
                self._pass_on(chain, numbers[0], version, where)
        elif name in ("equal", "allclose"):
            self.take(where, used)
        return result

    def _chain(self, n: int) -> list[int]:
        """A tensor, the one that it was taken from by indexing, the one that that one was taken from, ..."""
        chain = [n]
        while chain[-1] in self._views:
            chain.append(self._views[chain[-1]][0])
        return chain

    def _pass_on(self, chain: list[int], new: int, version: int, where: str) -> None:
        """A tensor was written: what it was taken from by indexing has its values, too."""
        for old, n in zip(chain, chain[1:]):
            x = self._kept[n]
            if self._at[_memory(x)] != (n, version):
                return                                    # was not up to date before
            index = self._views[old][1]
            made = self.add(x, n in self.arrays and new in self.arrays)
            self.computed.add(made)
            self.events.append(Event("setitem", (Ref(n), index, Ref(new)), {}, [made], where))
            self._views[new] = made, index
            new = made

    def _written(self, x: Any, index: Any, value: Any) -> bool:
        """Whether x[index] = value writes what lies there: the end of x[index] += ..., which has been passed on."""
        if not isinstance(value, Tensor) or _memory(value) not in self._at or _memory(x) not in self._at:
            return False
        n, m = self._at[_memory(x)], self._at[_memory(value)]
        if m[0] not in self._views or n[1] != x._version or m[1] != x._version or self._views[m[0]][0] != n[0]:
            return False
        try:
            if self._views[m[0]][1] != self.refs(index):
                return False
        except Stale:
            return False
        for y, (k, version) in ((x, n), (value, m)):      # the version grows, nothing else
            self._at[_memory(y)] = k, version + 1
        return True

    def forget(self) -> None:
        """Let go of the tensors, but of those that depend on no input."""
        self._kept, self._at = [], {}

    def take(self, where: str, used: Iterable[int]) -> None:
        """Python takes values out of tensors."""
        if not self.arrays.keys() >= set(used):
            self.taken.append(where)

    def where(self, module: Any = None) -> str:
        """' in MODULE', the innermost module of the model that is running."""
        frame = None if module is not None else sys._getframe(1)
        while frame is not None:
            if "self" in frame.f_code.co_varnames and id(frame.f_locals.get("self")) in self.names:
                module = frame.f_locals["self"]
                break
            frame = frame.f_back
        return f" in {self.names[id(module)] or 'the model'}" if module is not None and id(module) in self.names else ""


def _memory(x: Tensor) -> tuple:
    return (x.data_ptr(), tuple(x.shape), x.stride(), x.dtype) if x.numel() else (id(x),)


def _shares(x: Tensor, index: Any) -> bool:
    """Whether indexing gives a view."""
    return not any(isinstance(e, (Tensor, list, np.ndarray)) for e in (index if isinstance(index, tuple) else (index,)))


def _functions() -> dict[Any, str]:
    """The compiled functions of the library by the names they have as ops; of several names of one function the first."""
    compiled = type(sort.gather)
    found: dict[Any, str] = {}
    for module in sorted(Finder.names):
        if (module.startswith("fastnet.ops.") or module == "fastnet.nn.call") and module not in SILENT:
            found |= {f: key for key, f in reversed(vars(import_module(module)).items()) if type(f) is compiled and f.__module__ == module}
    methods = {f: key for key, f in vars(Tensor).items() if type(f) is compiled and f.__module__.startswith("fastnet.ops.")}
    return methods | found


def _operator(name: str) -> tuple[str, Callable[..., Any]]:
    """The name as an op, and the function of Python."""
    function = getattr(operator, name)
    if name in ("getitem", "setitem"):
        return "setitem_" if name == "setitem" else name, function
    inplace = name[0] == "i" and name != "invert"
    plain = name[1:] if inplace else name
    plain = NAMES.get(plain, NAMES.get(plain + "_", plain))
    return plain + "_" * inplace, function


@contextmanager
def listening(trace: Trace) -> Iterator[None]:
    """Let a trace hear of the calls of this thread."""
    names = _functions()
    operators = [_operator(name) for name in OPERATORS]

    def call(what: Any, args: tuple, options: dict[str, Any]) -> Any:
        name, function = operators[what] if isinstance(what, int) else (names[what], what)
        return trace.call(name, function, args, options)

    def taken(x: Tensor) -> None:
        if heard():
            trace.take(trace.where(), [trace.number(x)])

    kept = {}
    space = vars(sort)
    ONE.acquire()
    try:
        for name in PYTHON:
            f = getattr(space[name], "__wrapped__", space[name])          # `out=` is a wrapper around it
            kept[f] = f.__code__
            space[f"_heard_{name}"] = _telling(name, FunctionType(f.__code__, f.__globals__, name, f.__defaults__), trace)
            f.__code__ = _door.__code__.replace(co_names=(f"_heard_{name}",))
        listen(call, names)
        before = on_taken(taken)
        try:
            yield
        finally:
            on_taken(before)
            listen(None)
    finally:
        for f, code in kept.items():
            f.__code__ = code
            del space[f"_heard_{f.__name__}"]
        ONE.release()


def _door(*args: Any, **options: Any) -> Any:
    """The code that functions of PYTHON get: it reaches every reference to them; the name is exchanged for one in their module."""
    return _heard(*args, **options)                       # type: ignore[name-defined] # noqa: F821


def _telling(name: str, function: Callable[..., Any], trace: Trace) -> Callable[..., Any]:
    def tell(*args: Any, **options: Any) -> Any:
        if not heard():
            return function(*args, **options)
        hush(True)
        try:
            return trace.call(name, function, args, options)
        finally:
            hush(False)
    return tell
