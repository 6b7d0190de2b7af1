"""Watch: looks at one training step of a model; while it is not armed, nothing of it is in the way.

It changes no module inside the model: the ops of a forward are noted by the tape as they are recorded (`tape.journal`), so fused layers
stay fused, functions are seen like modules, and the numbers of the step are bit for bit those of a step that nobody watches.
"""
from __future__ import annotations

from functools import partial
from time import thread_time
from typing import Any

import numpy as np

from fastnet._core.engine import node_facts, node_hook, node_of, node_value
from fastnet._core.tape import Node, journal
from fastnet._core.tensor import Tensor
from fastnet.doctor.evidence import Evidence, Layer, Weight
from fastnet.doctor.gates import stuck
from fastnet.doctor.intake import note_input, note_labels, note_output
from fastnet.doctor.match import match, word
from fastnet.doctor.preserve import unhooked
from fastnet.doctor.sample import part, rms, rows

LOSSES = {"CrossEntropyLoss", "NllLoss"}


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
            note_input(self.evidence, self.model, args[0])
        self.notes = []
        self.cost += thread_time() - start
        journal(self.notes)

    def _end(self, module: Any, args: tuple, output: Any) -> None:
        start = thread_time()
        journal(self.outer)
        try:
            if output is not None and self.notes:
                self._layers(self.notes)
                note_output(self.evidence, output)
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
            note_labels(e, target)
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

    def _layers(self, notes: list[Node]) -> None:
        """Match ops with layers, measure their outputs, and ask for the gradients of these."""
        measured = set()
        for layer, node, channels in reversed(match(notes, self.owner, self.evidence.layers)):
            if word(node) == "Recurrent":                 # each direction and layer of it
                layer.see_gates(stuck(node))
            if layer.name in measured:                    # of a layer that is several ops the last one counts
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
            self.hooks.append(node_hook(node, partial(self._gradient, layer, channels)))

    def _gradient(self, layer: Layer, channels: bool, g: Tensor) -> None:
        start = thread_time()
        a = g.numpy()
        # A flat one is a recurrence's, and a sample of zeros tells nothing: of a sequence often only the last place has a gradient.
        layer.see_gradient((rms(rows(a, channels)) if a.ndim > 1 else 0.0) or rms(a))
        self.cost += thread_time() - start

    def _loss_notes(self) -> None:
        """What ops came after the model: a cross-entropy tells how many classes there are."""
        if self.evidence.classes is None:
            for node in self.notes:
                if word(node) in LOSSES:
                    self.evidence.classes = node_facts(node)["integers"][1]
        self.notes = []
