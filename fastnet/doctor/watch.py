"""Watch: looks at one training step of a model; while it is not armed, nothing of it is in the way.

It changes no module inside the model: the ops of a forward are noted by the tape as they are recorded (`tape.journal`), so fused layers
stay fused, functions are seen like modules, and the numbers of the step are bit for bit those of a step that nobody watches.
"""
from __future__ import annotations

from time import thread_time
from typing import Any

import numpy as np

from fastnet._core.engine import node_facts, node_hook, node_of, node_value
from fastnet._core.tape import Node, journal
from fastnet._core.tensor import Tensor
from fastnet.doctor.evidence import Evidence, Layer, Weight
from fastnet.doctor.preserve import unhooked
from fastnet.doctor.sample import part, rms, rows

ACTIVATIONS = {"Relu", "Hardtanh", "Threshold", "LeakyRelu", "Elu", "Gelu", "Silu", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh",
               "Softplus", "Mish", "Prelu", "Clamp", "ClampMin"}
MOVES = {"View", "Reshape", "Permute", "Transpose", "T", "Slice", "Select", "ToCopy", "Expand", "Squeeze", "Unsqueeze", "Clone"}
CHANNELS = {"Convolution", "NativeBatchNorm", "NativeGroupNorm"}
FUSED = {1: "Relu", 2: "Tanh", 3: "Sigmoid"}              # csrc/kernels/gemm.h: fn_act
LOSSES = {"CrossEntropyLoss", "NllLoss"}


def word(node: Node) -> str:
    """The op's name without PyTorch's suffix: "Linear" for "LinearBackward0"."""
    return node.name().rstrip("0123456789").removesuffix("Backward")


class Watch:
    """Fills an `Evidence` from the steps for which it is armed.

    Args:
        model: a Module.
        optimizer: of its parameters, or None.
    """

    def __init__(self, model: Any, optimizer: Any = None) -> None:
        self.model, self.evidence = model, Evidence()
        self.optimizer = optimizer
        self.armed = False
        self.cost = 0.0                                   # seconds spent in here during the present step
        self.handles: list[Any] = []
        self.hooks: list[Any] = []
        self.notes: list[Node] = []
        self.before: dict[str, np.ndarray] = {}
        optimized = None if optimizer is None else {id(p) for group in optimizer.param_groups for p in group["params"]}
        self.parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        self.owner = {}
        for name, p in self.parameters:
            layer = name.rpartition(".")[0] or name
            self.owner[node_of(p)] = (layer, p.ndim > 1)
            self.evidence.weights[name] = Weight(name, layer, tuple(p.shape), optimized is None or id(p) in optimized)

    # ---- one step

    def arm(self) -> None:
        """Watch the step that comes: hooks on the model itself, before and after its forward."""
        if self.armed:
            self.disarm()
        self.armed, self.cost = True, 0.0
        self.outer = journal(None)                        # somebody else's, put back at the end
        journal(self.outer)
        self.handles = [self.model.register_forward_pre_hook(self._begin),
                        self.model.register_forward_hook(self._end, always_call=True)]

    def disarm(self) -> None:
        """Take everything away; harmless when nothing is there."""
        if not self.armed:
            return
        for handle in (*self.handles, *self.hooks):
            handle.remove()
        unhooked(self.model)
        journal(self.outer)
        self.handles, self.hooks, self.notes, self.armed = [], [], [], False
        self.before = {}

    def _begin(self, module: Any, args: tuple) -> None:
        start = thread_time()
        self._loss_notes()
        if args and isinstance(args[0], Tensor) and len(self.evidence.inputs) < 8:
            self._input(args[0])
        self.notes = []
        self.cost += thread_time() - start
        journal(self.notes)

    def _end(self, module: Any, args: tuple, output: Any) -> None:
        start = thread_time()
        journal(self.outer)
        try:
            if output is not None and self.notes:
                self._layers(self.notes, output)
        finally:
            self.notes = []
        journal(self.notes)                               # what follows until backward is the loss
        self.cost += thread_time() - start

    def after_backward(self, loss: float | None, target: Any = None) -> None:
        """Look at the gradients of the parameters, and keep a part of the weights to see their change."""
        start = thread_time()
        self._loss_notes()
        journal(self.outer)
        e = self.evidence
        if loss is not None:
            e.losses.append((e.steps, loss))
            if e.steps == 0:
                e.first_loss = loss
        if target is not None:
            self.labels(target)
        total = 0.0
        for name, p in self.parameters:
            weight = e.weights[name]
            g = p.grad
            if g is None:
                weight.missing += 1
                continue
            a = part(g.numpy() if isinstance(g, Tensor) else np.asarray(g.to_dense().numpy()))
            value = rms(a)
            weight.gradients.append(value)
            weight.rms = weight.rms or rms(part(p.detach().numpy()))
            total += value * value * weight.size
            if weight.optimized:
                self.before[name] = part(p.detach().numpy())
        e.norms.append(total ** 0.5)
        e.samples += 1
        self.cost += thread_time() - start

    def after_step(self) -> None:
        """Look at how far the weights have moved."""
        start = thread_time()
        for name, p in self.parameters:
            before = self.before.get(name)
            if before is None:
                continue
            weight, norm = self.evidence.weights[name], rms(before)
            weight.rms = norm
            if norm > 0 and p.ndim > 1:
                weight.updates.append(rms(part(p.detach().numpy()) - before) / norm)
        if self.optimizer is not None:
            self.evidence.learning_rate = float(self.optimizer.param_groups[0].get("lr", float("nan")))
            self.evidence.optimizer = type(self.optimizer).__name__
        self.cost += thread_time() - start

    # ---- layers

    def _layers(self, notes: list[Node], output: Any) -> None:
        """Match ops with layers, measure their outputs, and ask for the gradients of these."""
        layers, place = self.evidence.layers, {}
        shown = output[0] if isinstance(output, (tuple, list)) and output else output
        seen: list[tuple[Layer, Node, bool]] = []
        for node in notes:
            op = word(node)
            inputs = [x for x, _ in node.next_functions]
            own, above, wide = None, None, False
            for x in inputs:
                if x is None:
                    continue
                if x in self.owner:
                    own = own or self.owner[x][0]
                    wide = wide or self.owner[x][1]
                elif x in place:
                    kind, name, channels = place[x]
                    if kind == "moved":
                        own = own or name
                        wide = wide or channels
                    else:
                        above = (name, channels)
            if own is not None and above is None and op in MOVES:   # a parameter on its way to the op that uses it
                place[node] = ("moved", own, wide)
                continue
            if own is None and op not in ACTIVATIONS:
                place[node] = ("layer", *(above or ("", False)))
                continue
            channels = op in CHANNELS or (op in ACTIVATIONS and above is not None and above[1])
            name = own or (f"{op.lower()} after {above[0]}" if above and above[0] else op.lower())
            if own is not None and wide and name in layers and layers[name].weight and layers[name].op != op:
                name = f"{own} (as {op})"                 # one weight in two ops: the embedding that is also the last layer
            if own is not None and "Norm" in op and inputs[0] in place and place[inputs[0]][1] in layers:
                layers[place[inputs[0]][1]].normalised = True
            base = own or (above[0] if above else "")
            place[node] = ("layer", base, channels or bool(above and above[1] and own is None))
            layer = layers.get(name)
            if layer is None:
                layer = layers[name] = Layer(name, op, self._activation(op, node), own is not None and wide)
            elif own is not None and wide and not layer.weight:
                layer.weight, layer.op = True, op
            seen.append((layer, node, channels))
        measured = set()
        for layer, node, channels in reversed(seen):      # of a layer that is several ops the last one counts
            if layer.name in measured:
                continue
            measured.add(layer.name)
            value = node_value(node)
            if value is None or not value.is_floating_point():
                continue
            a = value.numpy()
            sample = rows(a, channels)
            if layer.op == "NativeBatchNorm" and not layer.activation and sample.size and sample.min() >= 0:
                layer.activation = "Relu"                 # fused with it
            layer.see(sample, a.shape)
            self.hooks.append(node_hook(node, lambda g, layer=layer, channels=channels: self._gradient(layer, g, channels)))
        if seen:
            for layer in layers.values():
                layer.last = False
            last = max(i for i, (layer, _, _) in enumerate(seen) if layer.weight) if any(s[0].weight for s in seen) else len(seen) - 1
            for layer, _, _ in seen[last:]:
                layer.last = True
        if isinstance(shown, Tensor) and shown.ndim > 1 and shown.shape[0] > 1 and shown.is_floating_point():
            sample = rows(shown.detach().numpy(), False)
            scale = float(np.abs(sample).max()) if sample.size else 0.0
            if scale > 0:
                spread = float(sample.std(axis=0).max()) / scale
                before = self.evidence.constant_output
                self.evidence.constant_output = spread if before is None else max(before, spread)

    @staticmethod
    def _activation(op: str, node: Node) -> str:
        if op == "Linear":
            return FUSED.get(node_facts(node)["integers"][0], "")
        return op if op in ACTIVATIONS else ""

    def _gradient(self, layer: Layer, g: Tensor, channels: bool) -> None:
        start = thread_time()
        layer.see_gradient(rms(rows(g.numpy(), channels)))
        self.cost += thread_time() - start

    # ---- data

    def _loss_notes(self) -> None:
        """What ops came after the model: a cross-entropy tells how many classes there are."""
        if self.evidence.classes is None:
            for node in self.notes:
                if word(node) in LOSSES:
                    self.evidence.classes = node_facts(node)["integers"][1]
        self.notes = []

    def _input(self, x: Tensor) -> None:
        a = x.detach().numpy()
        first = self.model
        while len(getattr(first, "_modules", {})) and type(first).__name__ == "Sequential":
            first = next(iter(first._modules.values()))
        facts = {"floating": x.is_floating_point(), "shape": tuple(a.shape), "normalised": "Norm" in type(first).__name__}
        if x.is_floating_point() and a.size:
            sample = rows(a, a.ndim > 2)
            with np.errstate(invalid="ignore", over="ignore"):
                facts |= {"mean": float(sample.mean()), "std": float(sample.std()), "low": float(sample.min()), "high": float(sample.max()),
                          "whole": bool((sample == np.floor(sample)).all())}
                if a.ndim == 2 and len(sample) > 1:
                    facts |= {"means": sample.mean(0), "stds": sample.std(0)}
        self.evidence.inputs.append(facts)

    def labels(self, target: Any) -> None:
        """Count the labels of a batch."""
        e = self.evidence
        if not isinstance(target, Tensor) or target.ndim != 1 or not target.numel():
            return
        a = target.detach().numpy()
        if target.is_floating_point():
            if not ((a == 0) | (a == 1)).all():
                return
            a = a.astype(np.int64)
        elif a.dtype == np.uint8 or a.dtype == bool:
            a = a.astype(np.int64)
        e.label_batches += 1
        for value, count in zip(*np.unique(a, return_counts=True)):
            e.labels[int(value)] = e.labels.get(int(value), 0) + int(count)
