"""From traces to the finished model: events that the results need are exported, the rest is left out."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops import EXPORTERS
from fastnet.onnx.sizes import Dim, Repeated, together
from fastnet.onnx.trace import Event, Ref, Trace
from fastnet.version import __version__


def merged(traces: list[Trace]) -> list[Event]:
    """The events of all traces as one program; refuses what changes with the input and is made by no op."""
    events = together(traces)
    several = [*traces, *([traces[0].other] if traces[0].other else [])]
    for n, array in traces[0].arrays.items():
        if n not in traces[0].computed and not _alike(several, n):
            e = next((e for e in events if n in _used(e)), None)
            raise RuntimeError(f"onnx.export: {f'{e.name}{e.where}' if e else 'the result'} gets a tensor of shape {array.shape} that "
                               "changes with the input but is made by no op that can be exported (by NumPy, or at random)")
    return events


def _alike(traces: list[Trace], n: int) -> bool:
    """Whether a tensor that depends on no input has the same values in all traces."""
    first = traces[0].arrays[n]
    return all(np.array_equal(first, t.arrays[n], equal_nan=first.dtype.kind == "f") for t in traces[1:])


def _used(event: Event) -> set[int]:
    found = set()

    def look(x: Any) -> None:
        if isinstance(x, Ref):
            found.add(x.number)
        elif isinstance(x, (tuple, list)):
            for y in x:
                look(y)
        elif isinstance(x, dict):
            look(list(x.values()))
        elif isinstance(x, slice):
            look([x.start, x.stop, x.step])
        elif isinstance(x, Repeated):
            look(x.element)
    look((event.args, event.options))
    return found


def values_of(traces: list[Trace], events: list[Event], results: list[int]) -> list[Value]:
    """The tensors of all traces; those that are alike in all and depend on no input have their arrays."""
    base = traces[0]
    made = []
    for n, shapes in enumerate(zip(*(t.shapes for t in traces))):
        if len({len(s) for s in shapes}) > 1:
            raise RuntimeError("onnx.export: a tensor has another number of axes for another input")
        shape = [sizes[0] if len(set(sizes)) == 1 else Dim(sizes) for sizes in zip(*shapes)]
        array = base.arrays.get(n)
        if array is not None and n in base.computed and not _alike(traces, n):
            array = None
        made.append(Value(shape, base.dtypes[n], array))
    return made


def write(g: Graph, events: list[Event], values: list[Value], results: list[int]) -> None:
    """Export the events that the results need."""
    needed = {n for n in results if values[n].array is None}
    for event in reversed(events):
        if needed & {n for n in event.outs if values[n].array is None}:
            needed |= _used(event)

    def filled(x: Any) -> Any:
        if isinstance(x, Ref):
            return values[x.number]
        if isinstance(x, (tuple, list)):
            return type(x)(filled(y) for y in x)
        if isinstance(x, dict):
            return {key: filled(y) for key, y in x.items()}
        if isinstance(x, slice):
            return slice(filled(x.start), filled(x.stop), filled(x.step))
        return Repeated(filled(x.element), x.count) if isinstance(x, Repeated) else x

    for event in events:
        if not needed & {n for n in event.outs if values[n].array is None}:
            continue
        g.event, g.ys = event, [values[n] for n in event.outs]
        try:
            made = EXPORTERS[event.name](g, *filled(event.args), **filled(event.options))
        except (TypeError, AttributeError, KeyError) as error:
            if any("Dim" in repr(part) for part in (event.args, event.options)):
                raise g.refuse("one of its arguments depends on a dynamic axis, which is not known for this op") from error
            raise g.refuse(f"its arguments are not known ({error})") from error
        for value, name in zip(g.ys, made if isinstance(made, (tuple, list)) else [made]):
            g.has(value, g.input(name, None))


def finished(onnx: Any, g: Graph, inputs: list[Value], results: list[Value], outputs: list[str], labels: dict[tuple, str],
           dynamic: Any) -> Any:
    """The finished model: results under their names, nothing that nobody reads."""
    helper = onnx.helper
    produced = {name for node in g.nodes for name in node.output}
    renamed: dict[str, str] = {}
    for value, name in zip(results, outputs):
        at = g.input(value, None)
        if at in produced and at not in renamed:
            renamed[at] = name
        else:
            g.nodes.append(helper.make_node("Identity", [at], [name], f"{name}/Identity"))
    for node in g.nodes:
        for names in (node.input, node.output):
            names[:] = [renamed.get(name, name) for name in names]
    read, nodes = set(outputs), list[Any]()
    for node in reversed(g.nodes):
        if read & set(node.output):
            nodes.insert(0, node)
            read |= set(node.input)

    def info(value: Value, name: str) -> Any:
        asked = dynamic.get(name, {})
        own = asked if isinstance(asked, Mapping) else {}
        shape = [n if not isinstance(n, Dim) else labels.get(n.values) or own.get(axis) or f"{name}_{axis}" for axis, n in
                 enumerate(value.shape)]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), shape)

    constants = [onnx.numpy_helper.from_array(np.asarray(a, order="C"), name) for name, a in g.constants.items() if name in read]
    graph = helper.make_graph(nodes, "fastnet", [info(v, v.name) for v in inputs], [info(v, name) for v, name in zip(results, outputs)],
                              constants)
    opset = [helper.make_opsetid("", g.opset)]
    made = helper.make_model(graph, producer_name="fastnet", producer_version=__version__, opset_imports=opset,
                             ir_version=helper.find_min_ir_version_for(opset))
    onnx.checker.check_model(made, full_check=True)
    return made
