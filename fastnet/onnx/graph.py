"""The graph that exporters write into: values with their shapes, nodes, constants, and sizes that are known only when the graph runs."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnet.onnx.sizes import Dim, formula
from fastnet.onnx.trace import Event


class Value:
    """A tensor of the traces.

    Attributes:
        shape: ints, and a `Dim` where traces differ.
        dtype: of NumPy.
        array: its values where they depend on no input, else None.
        name: in the graph; "" while nothing has made it.
    """

    def __init__(self, shape: Sequence[Any], dtype: np.dtype, array: np.ndarray | None = None) -> None:
        self.shape, self.dtype, self.array, self.name = list(shape), dtype, array, ""

    @property
    def ndim(self) -> int:
        return len(self.shape)


class Graph:
    """Nodes and constants of an ONNX graph.

    Args:
        helper: `onnx.helper`.
        opset: version of the operators.
        named: names of parameters and buffers, by address, shape and strides of their memory.

    Attributes:
        event: the call that is being exported.
        y: its first result.
        ys: its results.
        zeros: names of tensors that hold nothing else, whatever their size.
    """

    def __init__(self, helper: Any, opset: int, named: dict[tuple, str]) -> None:
        self.helper, self.opset, self.named = helper, opset, named
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.event: Event
        self.ys: list[Value] = []
        self.zeros: set[str] = set()
        self._known: dict[tuple, tuple[str, int]] = {}   # sizes in the traces -> tensor and axis that have them
        self._ready: dict[Any, str] = {}                  # what was made already
        self._before: dict[str, Value] = {}               # result of a Reshape -> what was reshaped
        self._names: dict[str, int] = {}

    @property
    def y(self) -> Value:
        return self.ys[0]

    def refuse(self, why: str) -> RuntimeError:
        """The error of an exporter that cannot express a call."""
        return RuntimeError(f"onnx.export: {self.event.name}{self.event.where}: {why}")

    def has(self, value: Value, name: str) -> None:
        """From now on the value has a name, and its sizes can be asked for."""
        value.name = name
        for axis, size in enumerate(value.shape):
            if isinstance(size, Dim):
                self._known.setdefault(size.values, (name, axis))

    def unique(self, name: str) -> str:
        """The name, with a number if it is taken."""
        count = self._names[name] = self._names.get(name, -1) + 1
        return f"{name}_{count}" if count else name

    def op(self, kind: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node.

        Args:
            kind: the operator.
            inputs: Values, names, numbers (constants of the first input's dtype) or None (left out).
            outputs: how many.
            attributes: of the operator; None: left out.

        Returns: the name of its output, or a list of them.
        """
        like = next((x.dtype for x in inputs if isinstance(x, Value)), self.ys[0].dtype if self.ys else np.dtype(np.float32))
        names = [self.input(x, like) for x in inputs]
        while names and not names[-1]:
            names.pop()
        where = self.event.where[4:] if self.event.where[4:] != "the model" else ""
        name = self.unique(f"{where}/{kind}")
        made = [f"{name}:{k}" for k in range(outputs)]
        self.nodes.append(self.helper.make_node(kind, names, made, name, **{k: v for k, v in attributes.items() if v is not None}))
        return made if outputs > 1 else made[0]

    def input(self, x: Any, like: Any) -> str:
        """The name of what a node reads."""
        if isinstance(x, Value):
            return x.name or self.const(x.array)
        if isinstance(x, str):
            return x
        return "" if x is None else self.number(x, like)

    def const(self, array: Any, dtype: Any = None) -> str:
        """The name of a constant; parameters and buffers have theirs."""
        a = np.asarray(array, dtype)
        key, name = _memory(a), self.parameter(a)
        if name is None:
            key = ("bytes", a.tobytes(), a.shape, a.dtype.str) if a.size < 256 else key
            name = self._ready.get(key) or self.unique("constant")
            self._ready[key] = name
        self.constants[name] = a
        return name

    def parameter(self, a: np.ndarray) -> str | None:
        """The name of the parameter or buffer whose memory an array shows."""
        return self.named.get(_memory(a))

    def number(self, x: Any, dtype: Any) -> str:
        """A scalar of a dtype."""
        if not isinstance(x, Dim):
            return self.const(x, dtype)
        size = self.op("Squeeze", self.size(x), self.const([0], np.int64))
        return size if np.dtype(dtype) == np.int64 else self.cast(size, dtype)

    def size(self, dim: Any) -> str:
        """A number as an int64 tensor of one element."""
        if not isinstance(dim, Dim):
            return self.const([dim], np.int64)
        if ("size", dim.values) in self._ready:
            return self._ready["size", dim.values]
        known = list(self._known)
        whole = all(isinstance(v, (int, np.integer)) for v in dim.values)
        found = formula(dim, known) if whole else None
        if found is None:
            raise self.refuse(f"the number {dim.values[0]} depends on the sizes of the input, in a way that the graph cannot compute "
                              f"(it is {', '.join(map(str, dict.fromkeys(dim.values)))} for several sizes)")
        terms, p, c, q = found
        parts = []
        for k in terms:
            name, axis = self._known[known[k]]
            if (name, axis) not in self._ready:
                self._ready[name, axis] = self.op("Shape", name, start=axis, end=axis + 1)
            parts.append(self._ready[name, axis])
        made = parts[0] if len(parts) == 1 else self.op("Mul", *parts)
        for kind, n, plain in (("Mul", p, 1), ("Add", c, 0), ("Div", q, 1)):
            made = made if n == plain else self.op(kind, made, self.const([n], np.int64))
        self._ready["size", dim.values] = made
        return made

    def sizes(self, shape: Sequence[Any]) -> str:
        """Numbers as an int64 tensor."""
        if not any(isinstance(n, Dim) for n in shape):
            return self.const(list(shape), np.int64)
        return self.op("Concat", *map(self.size, shape), axis=0) if len(shape) > 1 else self.size(shape[0])

    def cast(self, x: Any, dtype: Any) -> str:
        """A Value or name in a dtype."""
        if isinstance(x, Value) and x.dtype == dtype:
            return self.input(x, dtype)
        return self.op("Cast", x, to=self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, x: Any, shape: Sequence[Any], before: Sequence[Any] | None = None) -> str:
        """A Value, or a name of shape `before`, in another shape; what was reshaped before is reshaped once."""
        name = self.input(x, None)
        source = self._before.get(name) or (x if isinstance(x, Value) else Value(before or [], self.y.dtype))
        source.name = source.name or name
        if list(source.shape) == list(shape) and (source.shape or isinstance(x, Value)):
            return self.input(source, None)
        asked: list[Any] = [0 if isinstance(n, Dim) and k < source.ndim and source.shape[k] == n else n for k, n in enumerate(shape)]
        free = [k for k, n in enumerate(asked) if isinstance(n, Dim)]
        if free and 0 not in shape:
            asked[free[-1]] = -1
        made = self.op("Reshape", source, self.sizes(asked))
        self._before[made] = source
        return made

    def transpose(self, x: Any, order: Sequence[int]) -> str:
        """Axes in another order."""
        return self.op("Transpose", x, perm=list(order)) if list(order) != sorted(order) else self.input(x, None)

    def broadcast(self, x: Any, shape: Sequence[Any], before: Sequence[Any]) -> str:
        """x, of shape `before`, expanded."""
        before = [1] * (len(shape) - len(before)) + list(before)
        if list(shape) == before:
            return self.input(x, None)
        return self.op("Expand", x, self.sizes([1 if a == b else b for a, b in zip(before, shape)]))


def _memory(a: np.ndarray) -> tuple:
    return (a.__array_interface__["data"][0], a.shape, a.strides, a.dtype.str)
