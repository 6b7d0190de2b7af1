"""What the evidence about inputs, labels and the first loss means."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.doctor import verdict as limits
from fastnet.doctor.evidence import Evidence
from fastnet.doctor.verdict import Verdict

IGNORED = -100                                            # cross_entropy's default ignore_index


def inputs(e: Evidence) -> list[Verdict]:
    """Inputs that are not scaled."""
    seen = [x for x in e.inputs if x["floating"] and "mean" in x and math.isfinite(x["mean"]) and math.isfinite(x["std"])]
    if not seen or seen[0]["normalised"]:
        return []
    mean, std = float(np.mean([x["mean"] for x in seen])), float(np.mean([x["std"] for x in seen]))
    low, high = min(x["low"] for x in seen), max(x["high"] for x in seen)
    numbers = {"mean": mean, "std": std, "low": low, "high": high}
    if low >= 0 and 30 < high <= 255 and all(x["whole"] for x in seen):
        return [Verdict("unscaled input", "warning", "", f"the inputs look like bytes: whole numbers from {low:g} to {high:g}.",
                        "divide by 255, and better subtract the mean and divide by the standard deviation of the training data", numbers)]
    features = [x for x in seen if "stds" in x]
    if features and all(x["stds"].shape == features[0]["stds"].shape for x in features):
        stds = np.mean([x["stds"] for x in features], axis=0)
        spread = stds[stds > 0]
        if spread.size > 1 and spread.max() > limits.FEATURE_SPREAD * spread.min() and spread.max() > 1:
            most, least = int(np.argmax(stds)), int(np.flatnonzero(stds == spread.min())[0])
            return [Verdict("unscaled input", "warning", "", f"the standard deviation of feature {most} is {spread.max():.3g}, that of "
                            f"feature {least} {spread.min():.3g}.",
                            "subtract the mean and divide by the standard deviation of each feature",
                            numbers | {"spread": float(spread.max() / spread.min())})]
    if (mean * mean + std * std) ** 0.5 > limits.INPUT_LARGE:
        return [Verdict("unscaled input", "warning", "", f"the inputs have mean {mean:.3g} and standard deviation {std:.3g}.",
                        "subtract the mean and divide by the standard deviation of each feature, over the training data", numbers)]
    if 0 < (mean * mean + std * std) ** 0.5 < limits.INPUT_SMALL:
        return [Verdict("unscaled input", "warning", "", f"the inputs are tiny: mean {mean:.3g}, standard deviation {std:.3g}.",
                        "divide by the standard deviation of each feature, over the training data", numbers)]
    return []


def out_of_range(labels: Any, classes: int) -> int | None:
    """The first label that is no class, or None."""
    wrong = [int(v) for v in labels if v != IGNORED and not 0 <= v < classes]
    return wrong[0] if wrong else None


def labels(e: Evidence) -> list[Verdict]:
    """Labels out of range, classes that are missing or rare."""
    found = []
    bad = e.bad_label if e.bad_label is not None or not e.classes else out_of_range(e.labels, e.classes)
    if bad is not None and e.classes:
        more = f", or give the model {bad + 1} outputs" if bad >= e.classes else f" ({IGNORED} is ignored)"
        found.append(Verdict("label out of range", "error", "", f"there is a label {bad}, but the model has {e.classes} outputs: classes "
                             f"are 0 to {e.classes - 1}.", "number the classes from 0" + more, {"label": bad, "classes": e.classes}))
        return found
    counts = {k: n for k, n in e.labels.items() if k != IGNORED}
    total, classes = sum(counts.values()), e.classes or max(len(counts), 2)
    if not counts or total < limits.PER_CLASS * classes:
        return found
    missing = [k for k in range(classes) if k not in counts] if e.classes or set(counts) <= {0, 1} else []
    batches = f"{total} labels of {e.label_batches} batches"
    if missing:
        shown = ", ".join(map(str, missing[:8])) + (" ..." if len(missing) > 8 else "")
        found.append(Verdict("missing class", "warning", "", f"{len(missing)} of {classes} classes do not occur in {batches}: {shown}.",
                             "shuffle the data (DataLoader(shuffle=True)); if they are absent from all of it, add samples or make the "
                             "output smaller", {"missing": len(missing), "classes": classes, "labels": total}))
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if len(counts) > 1 and counts[most] > limits.IMBALANCE * counts[least]:
        found.append(Verdict("imbalanced classes", "warning", "", f"in {batches}, class {most} comes {counts[most]} times and class "
                             f"{least} {counts[least]} times; always guessing {most} is right in {counts[most] / total:.0%}.",
                             "give the loss class weights (cross_entropy(weight=...), pos_weight=...), draw with WeightedRandomSampler, "
                             "and judge by balanced accuracy or F1",
                             {"ratio": counts[most] / counts[least], "share": counts[most] / total}))
    return found


def first_loss(e: Evidence) -> list[Verdict]:
    """The loss before training against that of guessing: ln(C)."""
    if not e.classes or e.classes < 2 or e.first_loss is None or not math.isfinite(e.first_loss):
        return []
    if e.inputs and len(e.inputs[0]["shape"]) and e.inputs[0]["shape"][0] < limits.FIRST_BATCH:
        return []
    chance = math.log(e.classes)
    if e.first_loss <= limits.FIRST_LOSS * chance or e.first_loss - chance < 0.7:
        return []
    return [Verdict("first loss", "warning", "", f"the first loss is {e.first_loss:.3g}; guessing among {e.classes} classes costs "
                    f"ln({e.classes}) = {chance:.3g}. The network is sure, and wrong, before it has learnt anything.",
                    "scale the inputs, and initialise the last layer smaller (or with zeros); check that the loss is a mean",
                    {"loss": e.first_loss, "chance": chance})]
