"""A tree of dicts, lists, tuples, numbers, text and tensors as JSON beside a table of arrays, and back.

JSON's own kinds stand for themselves; anything else is an object of one tag: {"t": [...]} a tuple, {"d": pairs} a dict, {"o": pairs}
an OrderedDict, {"f": text} a float that JSON lacks, {"b": base64} bytes, {"y": name} a dtype, {"T": name} a tensor, {"R": name} one that
requires gradients, {"P": [name, requires_grad]} a Parameter, {"n": name} a NumPy array.
"""
from __future__ import annotations

import binascii
import math
from collections import OrderedDict
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet._core.size import Size

KINDS = "a dict, list, tuple, str, bytes, int, float, bool, None, Tensor or NumPy array"


CODES: dict[np.dtype, str] = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("int64"): "I64", np.dtype("int32"): "I32",
                              np.dtype("uint8"): "U8", np.dtype("bool"): "BOOL"}


class Encoder:
    """Turns a tree into JSON values; `arrays` collects the arrays by name, each piece of memory once."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.known: dict[tuple, str] = {}
        self.open: set[int] = set()

    def encode(self, value: Any, where: str = "obj", name: str = "") -> Any:
        """The JSON value of `value`; `where` is for messages, `name` for the table of arrays.

        Raises: TypeError for what cannot be carried; ValueError for a container inside itself. Both say where.
        """
        if value is None or isinstance(value, (bool, str)) or type(value) is int:
            return value
        if isinstance(value, Tensor):
            key = self._array(value.detach().numpy(), name)
            if isinstance(value, fn.nn.Parameter):
                return {"P": [key, value.requires_grad]}
            return {"R" if value.requires_grad and value.is_leaf else "T": key}
        if isinstance(value, np.generic):
            return self.encode(value.item(), where, name)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"f": repr(float(value))}
        if isinstance(value, bytes):
            return {"b": binascii.b2a_base64(value, newline=False).decode()}
        if isinstance(value, fn.dtype):
            return {"y": value.name}
        if type(value) is np.ndarray:
            if value.dtype not in CODES:
                raise TypeError(f"save: {where} is an array of dtype {value.dtype}, which the format does not carry")
            return {"n": self._array(value, name)}
        return self._container(value, where, name)

    def _container(self, value: Any, where: str, name: str) -> Any:
        if not isinstance(value, dict) and type(value) not in (list, tuple, Size):
            hint = "; save its state_dict()" if hasattr(value, "state_dict") else ""
            raise TypeError(f"save: {where} is a {type(value).__name__}, which the format does not carry: it must be "
                            f"{KINDS}{hint}")
        if id(value) in self.open:
            raise ValueError(f"save: {where} contains itself")
        self.open.add(id(value))
        prefix = f"{name}." if name else ""
        if isinstance(value, dict):
            pairs = [[self.encode(key, f"a key of {where}"), self.encode(item, f"{where}[{key!r}]", f"{prefix}{key}")]
                     for key, item in value.items()]
            result: Any = {"o" if isinstance(value, OrderedDict) else "d": pairs}
        else:
            items = [self.encode(item, f"{where}[{i}]", f"{prefix}{i}") for i, item in enumerate(value)]
            result = items if isinstance(value, list) else {"t": items}
        self.open.discard(id(value))
        return result

    def _array(self, array: np.ndarray, name: str) -> str:
        memory = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)
        if array.size and memory in self.known:
            return self.known[memory]
        name, n = name or "data", 1
        unique = name
        while unique in self.arrays or unique == "__metadata__":
            n += 1
            unique = f"{name}#{n}"
        self.arrays[unique] = array
        self.known[memory] = unique
        return unique



def decode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The tree that `Encoder.encode` turned into `value`, with the tensors of the table in it."""
    if isinstance(value, list):
        return [decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag in ("d", "o"):
        return (OrderedDict if tag == "o" else dict)((decode(key, tensors), decode(item, tensors)) for key, item in content)
    if tag == "t":
        return tuple(decode(item, tensors) for item in content)
    if tag == "f":
        return float(content)
    if tag == "b":
        return binascii.a2b_base64(content)
    if tag == "y":
        return getattr(fn, content) if content in ("float32", "float64", "int64", "int32", "uint8", "bool") else content
    if tag == "T":
        return tensors[content].detach()
    if tag == "R":
        return tensors[content].detach().requires_grad_()
    if tag == "P":
        return fn.nn.Parameter(tensors[content[0]].detach(), requires_grad=content[1])
    if tag == "n":
        return tensors[content].numpy()
    raise ValueError(f"unknown tag {tag!r}")

