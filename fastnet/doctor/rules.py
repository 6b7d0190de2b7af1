"""What the evidence about gradients, activations and updates means."""
from __future__ import annotations

import math

import numpy as np

from fastnet.doctor import verdict as limits
from fastnet.doctor.evidence import Evidence, Layer
from fastnet.doctor.verdict import Verdict

GROWING = {"Linear", "Convolution", "Recurrent", "Matmul", "Mm", "Bmm", "Add", "Mul", "Sum", "NativeBatchNorm", "Relu", "CrossEntropyLoss"}


def deep(e: Evidence) -> list[Layer]:
    """The layers with weights whose gradients were seen, first to last."""
    return [layer for layer in e.layers.values() if layer.weight and layer.gradients]


def depth_ratio(e: Evidence) -> float:
    """Norm of dL/d(output) of the first weight layer over that of the last; NaN with fewer than three layers."""
    layers = deep(e)
    if len(layers) < 3 or not layers[-1].gradient > 0:
        return math.nan
    return layers[0].gradient / layers[-1].gradient


def gradients(e: Evidence) -> list[Verdict]:
    """Vanishing and exploding gradients."""
    found = []
    layers, ratio = deep(e), depth_ratio(e)
    if ratio < limits.VANISHING:
        a_layer = ratio ** (1 / (len(layers) - 1))
        saturating = [layer for layer in e.layers.values() if layer.activation in ("Sigmoid", "Tanh")]
        cure = "put a BatchNorm (or LayerNorm) after each weight layer, or add residual connections (x + f(x)), or "
        cure += "use ReLU with nn.init.kaiming_normal_" if saturating else "initialise with nn.init.kaiming_normal_ (for ReLU)"
        found.append(Verdict("vanishing", "error", layers[0].name,
                             f"the gradient at {layers[0].name} is {ratio:.2g} of that at {layers[-1].name}: over {len(layers)} weight "
                             f"layers it shrinks by {a_layer:.2g} in each. The first layers hardly learn.", cure,
                             {"ratio": ratio, "per_layer": a_layer, "layers": len(layers)}))
    elif ratio > limits.EXPLODING:
        a_layer = ratio ** (1 / (len(layers) - 1))
        found.append(Verdict("exploding", "error", layers[0].name,
                             f"the gradient at {layers[0].name} is {ratio:.2g} times that at {layers[-1].name}: it grows by {a_layer:.2g} "
                             f"in each of {len(layers)} weight layers.",
                             "initialise for the activation (nn.init.kaiming_normal_ or xavier_normal_), normalise (BatchNorm, LayerNorm), "
                             "or clip: nn.utils.clip_grad_norm_(model.parameters(), 1.0)", {"ratio": ratio, "per_layer": a_layer}))
    worst: tuple = (0.0, None)
    for w in e.weights.values():
        if w.rms > 0 and len(w.shape) > 1 and w.gradients:
            layer = e.layers.get(w.layer)
            limit = limits.HUGE_NORMALISED if layer is not None and layer.normalised else limits.HUGE_GRADIENT
            if w.gradient / w.rms > max(limit, worst[0]):
                worst = (w.gradient / w.rms, w)
    clip = ("clip: nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step(), or Trainer(clip_norm=1.0); for a recurrent "
            "layer an orthogonal initialisation or a gated one (LSTM, GRU); check that the loss is a mean")
    if worst[1] is not None and not found:
        found.append(Verdict("exploding", "error", worst[1].name,
                             f"the gradient of {worst[1].name} is {worst[0]:.2g} times as large as the weight itself.", clip,
                             {"gradient_over_weight": worst[0]}))
    jump = None if found else _wall([n for n in e.norms if math.isfinite(n)])
    if jump is not None:
        found.append(Verdict("exploding", "warning", "",
                             f"the norm of all gradients jumped to {jump[0]:.2g}; before, its median was {jump[1]:.2g}.", clip,
                             {"largest": jump[0], "median": jump[1]}))
    return found


def _wall(norms: list[float]) -> tuple[float, float] | None:
    """The highest jump of a norm over those before it, and their median; one that is far above the first, too, since norms shrink when
    a network has learnt."""
    found = None
    for i in range(4, len(norms)):
        before = float(np.median(norms[max(0, i - 16):i]))
        if norms[i] > limits.WALL * before and norms[i] > 10 * norms[0] > 0 and (found is None or norms[i] > found[0]):
            found = norms[i], before
    return found


def activations(e: Evidence) -> list[Verdict]:
    """Dead ReLUs, saturated sigmoids and tanhs, outputs that are all alike."""
    found = []
    for layer in e.layers.values():
        if layer.alive is not None and layer.rows >= limits.DEAD_ROWS and layer.dead > limits.DEAD and not layer.last:
            found.append(Verdict("dead relu", "error" if layer.dead > 0.9 else "warning", layer.name,
                                 f"{layer.dead:.0%} of the units of {layer.name} gave 0 for all {layer.rows} rows that were looked at: "
                                 "no gradient passes through them, they never learn again.",
                                 "lower the learning rate (a large step has pushed the biases below zero), initialise with "
                                 "nn.init.kaiming_normal_ and biases of 0, or use LeakyReLU or GELU",
                                 {"dead": layer.dead, "zeros": layer.zeros}))
        if layer.gates and layer.saturated > limits.SATURATED:
            shares = ", ".join(f"{name} {value:.0%}" for name, value in layer.gates.items())
            found.append(Verdict("saturated", "warning", layer.name,
                                 f"{layer.saturated:.0%} of the gates of {layer.name} are stuck where their sigmoid or tanh has less than "
                                 f"5 % of its largest slope ({shares}): gradients hardly pass from step to step.",
                                 "scale the inputs, or put a LayerNorm before the layer; initialise weight_hh smaller "
                                 "(nn.init.orthogonal_); lower the learning rate, or clip gradients",
                                 {"saturated": layer.saturated} | layer.gates))
        elif layer.saturated > limits.SATURATED and not layer.last:
            found.append(Verdict("saturated", "warning", layer.name,
                                 f"{layer.saturated:.0%} of the outputs of {layer.name} lie where the {layer.activation.lower()} has less "
                                 "than 5 % of its largest slope: gradients hardly pass.",
                                 "scale the inputs, initialise smaller (nn.init.xavier_normal_), put a BatchNorm before the activation, or "
                                 "use ReLU", {"saturated": layer.saturated, "mean": layer.mean, "std": layer.std}))
    if e.constant_output is not None and e.constant_output < 1e-6:
        found.append(Verdict("constant output", "error", "",
                             f"all samples of a batch give the same output (they differ by {e.constant_output:.1g} of its size): the input "
                             "does not reach the output.",
                             "look for dead or saturated layers, for zero weights, for an input that is constant",
                             {"spread": e.constant_output}))
    return found


def updates(e: Evidence) -> list[Verdict]:
    """The learning rate, judged by how far a step moves the weights and by what the loss does."""
    seen = [w for w in e.weights.values() if w.updates]
    if not seen:
        return []
    ratios = [w.update for w in seen if math.isfinite(w.update)]
    if not ratios:
        return []
    ratio, lr = float(np.median(ratios)), e.learning_rate
    worst = max((w for w in seen if math.isfinite(w.update)), key=lambda w: w.update)
    numbers = {"update_over_weight": ratio, "learning_rate": lr if lr is not None else math.nan}
    losses = [value for _, value in e.losses if math.isfinite(value)]
    rising = len(losses) >= 4 and losses[0] > 0 and (
        np.mean(losses[-2:]) > 1.5 * losses[0] + 0.1 or max(losses) > 5 * losses[0] + 1)
    falling = len(losses) >= 4 and np.mean(losses[-2:]) < 0.9 * losses[0]
    peak = float(np.nanmedian([max(w.updates) for w in seen]))
    if (ratio > limits.UPDATE_HIGH and not falling) or (rising and max(ratio, peak) > limits.UPDATE_RISING):
        what = f", and the loss rose from {losses[0]:.3g} to {max(losses):.3g}" if rising else ""
        goal = "" if not lr else f" from {lr:g} to about {lr * max(1e-3, min(0.1, 1e-2 / max(ratio, peak))):.1g}"
        return [Verdict("learning rate too high", "error" if rising else "warning", worst.name,
                        f"a step changes the weights by {ratio:.2g} of their size (median over layers; at most {peak:.2g}){what}. About "
                        "1e-3 is usual.", f"lower the learning rate{goal}, or warm it up", numbers | {"peak": peak})]
    largest = max(ratios)
    if largest < limits.UPDATE_LOW and (largest > 0 or lr) and not falling:      # 0: the steps are lost in rounding
        goal = "" if not lr else f" from {lr:g} to about {lr * min(1e3, 1e-3 / max(largest, 1e-6)):.1g}"
        return [Verdict("learning rate too low", "warning", "",
                        f"a step changes no weight by more than {largest:.2g} of its size. About 1e-3 is usual.",
                        f"raise the learning rate{goal}; if gradients vanish, cure that first", numbers | {"largest": largest})]
    return []


def unused(e: Evidence) -> list[Verdict]:
    """Parameters without gradients, and parameters that no optimizer has."""
    found = []
    names = [w.name for w in e.weights.values() if e.samples and w.missing == e.samples]
    if names and len(names) == len(e.weights):
        found.append(Verdict("unused parameter", "error", "", "no parameter gets a gradient.",
                             "check that the loss is computed from the model's output, and that nothing on the way is detached, made under "
                             "no_grad() or rebuilt from NumPy", {"parameters": len(names)}))
    elif names:
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        found.append(Verdict("unused parameter", "warning", names[0],
                             f"{shown} never got a gradient: the loss does not depend on {'them' if len(names) > 1 else 'it'}.",
                             "use the layer in forward, or delete it; if it is frozen on purpose, requires_grad_(False) says so",
                             {"parameters": len(names)}))
    left = [w.name for w in e.weights.values() if not w.optimized]
    if left:
        shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
        found.append(Verdict("not optimized", "warning", left[0], f"the optimizer does not have {shown}.",
                             "make the optimizer from model.parameters() after the model is complete; freeze what should stay with "
                             "requires_grad_(False)", {"parameters": len(left)}))
    return found


def finite(e: Evidence) -> list[Verdict]:
    """NaN and infinity."""
    if e.nonfinite is None:
        return []
    f = e.nonfinite
    cures = {
        "parameter": "begin again from weights that are finite; then lower the learning rate, or clip gradients",
        "input": "clean the data: numpy.isfinite finds the samples",
        "forward": "keep the op away from what it cannot take: log(x + eps), sqrt(x + eps), a loss that takes logits (cross_entropy, "
                   "binary_cross_entropy_with_logits) instead of log(softmax(x))",
        "growth": "the values have grown beyond the dtype: lower the learning rate, clip gradients, normalise, initialise smaller",
        "backward": "the op has no finite derivative there: sqrt, pow and norm at 0, division by tiny numbers; add an eps inside",
        "nowhere": "the batch was finite when it was run again: random numbers (dropout) or a changed input may have done it",
    }
    where = f.layer or ("the model" if f.where in ("forward", "backward") else "")
    grown = f.where == "forward" and f.op.rstrip("0123456789").removesuffix("Backward") in GROWING
    return [Verdict("not finite", "error", where, f.detail or "the loss was not finite.", cures["growth" if grown else f.where])]
