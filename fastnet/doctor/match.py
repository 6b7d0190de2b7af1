"""Which layer an op of the tape belongs to: by the parameters it takes, or, for an activation, by the layer before it."""
from __future__ import annotations

from typing import Any

from fastnet._core.engine import node_facts
from fastnet._core.tape import Node
from fastnet.doctor.evidence import Layer

ACTIVATIONS = {"Relu", "Hardtanh", "Threshold", "LeakyRelu", "Elu", "Gelu", "Silu", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh",
               "Softplus", "Mish", "Prelu", "Clamp", "ClampMin"}
MOVES = {"View", "Reshape", "Permute", "Transpose", "T", "Slice", "Select", "ToCopy", "Expand", "Squeeze", "Unsqueeze", "Clone"}
CHANNELS = {"Convolution", "NativeBatchNorm", "NativeGroupNorm"}
FUSED = {1: "Relu", 2: "Tanh", 3: "Sigmoid"}              # csrc/kernels/gemm.h: fn_act

Match = tuple[Layer, Node, bool]                          # the layer, one op of it, and whether axis 1 is that of units


def word(node: Node) -> str:
    """The op's name without PyTorch's suffix: "Linear" for "LinearBackward0"."""
    return node.name().rstrip("0123456789").removesuffix("Backward")


def match(notes: list[Node], owner: dict[Any, tuple[str, bool]], layers: dict[str, Layer]) -> list[Match]:
    """The ops that belong to layers, in order; layers that are not in `layers` yet are added.

    Args:
        notes: what the journal noted in a forward.
        owner: node of a parameter -> (path of its module, whether it is a matrix or kernel).
        layers: by name.
    """
    place: dict[Any, tuple[str, str, bool]] = {}          # node -> ("layer", its name, channels) or ("moved", a parameter's owner, wide)
    seen: list[Match] = []
    for node in notes:
        op = word(node)
        inputs = [x for x, _ in node.next_functions]
        own, above, wide = _sources(inputs, owner, place)
        if own is not None and above is None and op in MOVES:       # a parameter on its way to the op that uses it
            place[node] = ("moved", own, wide)
            continue
        if own is None and op not in ACTIVATIONS:
            place[node] = ("layer", *(above or ("", False)))
            continue
        channels = op in CHANNELS or (op in ACTIVATIONS and above is not None and above[1])
        name = own or (f"{op.lower()} after {above[0]}" if above and above[0] else op.lower())
        if own is not None and wide and name in layers and layers[name].weight and layers[name].op != op:
            name = f"{own} (as {op})"                     # one weight in two ops: the embedding that is also the last layer
        if own is not None and "Norm" in op and inputs[0] in place and place[inputs[0]][1] in layers:
            layers[place[inputs[0]][1]].normalised = True
        place[node] = ("layer", own or (above[0] if above else ""), channels or bool(above and above[1] and own is None))
        layer = layers.get(name)
        if layer is None:
            layer = layers[name] = Layer(name, op, _activation(op, node), own is not None and wide)
        elif own is not None and wide and not layer.weight:
            layer.weight, layer.op = True, op
        seen.append((layer, node, channels))
    weights = [i for i, (layer, _, _) in enumerate(seen) if layer.weight]
    for i, (layer, _, _) in enumerate(seen):
        layer.last = i >= (weights[-1] if weights else len(seen) - 1)
    return seen


def _sources(inputs: list, owner: dict, place: dict) -> tuple[str | None, tuple[str, bool] | None, bool]:
    """The owner of the parameters among an op's inputs, the layer before it with its channels, and whether a parameter is a matrix."""
    own, above, wide = None, None, False
    for x in inputs:
        if x is None:
            continue
        if x in owner:
            own, wide = own or owner[x][0], wide or owner[x][1]
        elif x in place:
            kind, name, flag = place[x]
            if kind == "moved":
                own, wide = own or name, wide or flag
            else:
                above = (name, flag)
    return own, above, wide


def _activation(op: str, node: Node) -> str:
    if op == "Linear":
        return FUSED.get(node_facts(node)["integers"][0], "")
    return op if op in ACTIVATIONS else ""
