"""The loss of a YOLO26 detector, how it becomes the batch loss of a Trainer, and how its weight moves from one head to the other."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet.models.yolo26_assign import Objects, assign, objects_of
from fastnet.models.yolo26_head import Cells, Raw, decode
from fastnet.models.yolo26_predict import detections
from fastnet.ops.boxes import complete_box_iou_loss
from fastnet.training.callback import Callback


class DetectionLoss(nn.Module):
    """What a `YOLO26` loses: for each head classes, overlaps and sides of boxes, over the cells that task-aligned assignment chooses.

    ``cls`` is the binary cross entropy of all cells and classes, whose targets are the weights of the assigned cells; ``box`` the sum of
    weight times (1 - complete IoU), ``l1`` that of weight times the mean difference of the four distances, as parts of the image's sides;
    all three are divided by the sum of the weights, or by 1 where that is less. The one-to-many head lets `many` cells learn each
    object; the one-to-one head chooses among `one` and keeps the best.

    Args:
        num_classes: how many.
        box, cls, l1: factors of the three.
        many, one: cells of an object, see above.
        smallest: sides of boxes below this, in pixels, count as that long where cells are chosen.
        share: of the one-to-many head in the sum of both, from the first to the last epoch; the other head has the rest. A
            `ShiftHeads` callback moves it along.
        reduction: "mean" over the images of a batch, or "sum": times their number, as YOLO's recipes have it.

    >>> import fastnet as fn
    >>> model, loss = fn.models.YOLO26(2, (0.5, 0.125, 128)), fn.models.DetectionLoss(2)
    >>> batch = {"boxes": [fn.tensor([[8.0, 8.0, 40.0, 30.0]]), fn.zeros(0, 4)], "labels": [fn.tensor([1]), fn.tensor([])]}
    >>> value = loss(model(fn.rand(2, 3, 64, 64)), batch)
    >>> value.backward(), value.item() > 0
    (None, True)
    """

    def __init__(self, num_classes: int, box: float = 7.5, cls: float = 0.5, l1: float = 1.5, many: int = 10, one: int = 7,
                 smallest: float = 16.0, share: tuple[float, float] = (0.8, 0.1), reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum"):
            raise ValueError(f"DetectionLoss: reduction must be 'mean' or 'sum', got {reduction!r}")
        if len(share) != 2 or not all(0 <= v <= 1 for v in share):
            raise ValueError(f"DetectionLoss: share must be two numbers from 0 to 1, got {share!r}")
        for name, value in (("num_classes", num_classes), ("many", many), ("one", one)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"DetectionLoss: {name} must be a whole number of at least 1, got {value!r}")
        for name, number in (("box", box), ("cls", cls), ("l1", l1), ("smallest", smallest)):
            if not number >= 0:
                raise ValueError(f"DetectionLoss: {name} must not be negative, got {number!r}")
        self.num_classes, self.gains, self.many, self.one = num_classes, (float(box), float(cls), float(l1)), many, one
        self.smallest, self.share, self.reduction = float(smallest), tuple(share), reduction
        self.weight = self.share[0]

    def at_epoch(self, epoch: int, epochs: int) -> None:
        """Set the share of the one-to-many head for an epoch, counted from 0, of `epochs`: it moves in a straight line."""
        first, last = self.share
        self.weight = first + (last - first) * min(1.0, max(0, epoch) / max(1, epochs - 1))

    def terms(self, raw: Raw, at: Cells, objects: Objects, size: tuple[float, float], one_to_one: bool) -> tuple[Any, Any, Any]:
        """box, cls and l1 of one head, without their factors.

        Args:
            raw: what the head says.
            at: its cells.
            objects: what is there.
            size: height and width of the images in pixels.
            one_to_one: whether the best cell of each object is kept alone.
        """
        with fn.no_grad():
            boxes = decode(raw.distances, at).numpy()
            centres = (at.centres * at.strides).numpy()
        chosen = assign(boxes, raw.logits.detach().numpy(), centres, objects, self.one if one_to_one else self.many,
                        1 if one_to_one else self.many, self.smallest)
        norm = max(float(chosen.weight.sum()), 1.0)
        cell = fn.from_numpy(chosen.cell)
        weight = fn.from_numpy(chosen.weight)
        label = fn.from_numpy(chosen.cell * self.num_classes + objects.label[chosen.object])
        place = fn.from_numpy(chosen.cell % len(centres))
        centre, stride = at.centres[place], at.strides[place]
        truth = fn.from_numpy(objects.box[chosen.object])
        distance = raw.distances.reshape(-1, 4).index_select(0, cell)
        predicted = decode(distance, Cells(centre, stride))
        box = (complete_box_iou_loss(predicted, truth) * weight).sum() / norm
        # binary cross entropy with logits is softplus(z) - z t, and t is 0 nearly everywhere
        logits = raw.logits.reshape(-1)
        cls = (nn.functional.softplus(logits).sum() - (logits.index_select(0, label) * weight).sum()) / norm
        sides = fn.tensor([size[1], size[0], size[1], size[0]], dtype=distance.dtype)
        wanted = fn.cat([centre - truth[:, :2] / stride, truth[:, 2:] / stride - centre], 1)
        l1 = (((distance - wanted).abs() * stride / sides).mean(1) * weight).sum() / norm
        return box, cls, l1

    def forward(self, output: tuple[Raw | None, Raw | None, Cells], targets: Any) -> Any:
        """The loss, one number.

        Args:
            output: what a `YOLO26` gives in training, or its `raw`.
            targets: a dict with "boxes", a list of (n, 4), x1, y1, x2, y2 in pixels, and "labels", a list of (n,), as `collate_boxes`
                makes it.
        """
        if not isinstance(output, tuple) or len(output) != 3:
            raise TypeError(f"DetectionLoss: output must be what a YOLO26 gives in training, or its raw, got {type(output).__name__}")
        many, one, at = output
        if many is None or one is None:
            raise RuntimeError("DetectionLoss: fuse() has dropped a head")
        objects = objects_of(targets, self.num_classes, many.logits)
        if len(targets["boxes"]) != many.logits.shape[0] or many.logits.shape[2] != self.num_classes:
            raise ValueError(f"DetectionLoss: logits {tuple(many.logits.shape)} do not fit {len(targets['boxes'])} images with "
                             f"{self.num_classes} classes")
        last = np.rint((at.centres[-1] + 0.5).numpy() * at.strides[-1].numpy())
        size = float(last[1]), float(last[0])                                    # the last cell lies in the lower right corner
        total = 0.0
        for raw, share, alone in ((many, self.weight, False), (one, 1 - self.weight, True)):
            for gain, term in zip(self.gains, self.terms(raw, at, objects, size, alone)):
                total = total + share * gain * term
        return total * len(targets["boxes"]) if self.reduction == "sum" else total

    def extra_repr(self) -> str:
        return f"{self.num_classes}, box={self.gains[0]:g}, cls={self.gains[1]:g}, l1={self.gains[2]:g}, reduction={self.reduction!r}"


class DetectionStep:
    """The ``batch_loss`` of a Trainer for a `YOLO26` and batches of `collate_boxes` whose images are numbers from 0 to 1.

    In evaluation it also gives the detections, as `MeanAveragePrecision` takes them.

    Args:
        loss: a `DetectionLoss`.
        score: detections with smaller scores are left out.

    >>> import fastnet as fn
    >>> model = fn.models.YOLO26(2, (0.5, 0.125, 128)).eval()
    >>> batch = {"boxes": [fn.zeros(0, 4)], "labels": [fn.tensor([])], "image": fn.rand(1, 3, 64, 64)}
    >>> with fn.no_grad():
    ...     loss, found, there = fn.models.DetectionStep(fn.models.DetectionLoss(2))(model, batch)
    >>> sorted(found[0]), sorted(there[0])
    (['boxes', 'labels', 'scores'], ['boxes', 'labels'])
    """

    def __init__(self, loss: DetectionLoss, score: float = 0.001) -> None:
        self.loss, self.score = loss, score

    def __call__(self, model: Any, batch: Any) -> tuple[Any, Any, Any]:
        raw = model(batch["image"]) if model.training else model.raw(batch["image"])
        loss = self.loss(raw, batch)
        if model.training:
            return loss, None, None
        there = [{"boxes": box, "labels": label} for box, label in zip(batch["boxes"], batch["labels"])]
        return loss, detections(model.answer(*raw), self.score), there


class ShiftHeads(Callback):
    """Moves the weight of a `DetectionLoss` from the one-to-many to the one-to-one head, a step each epoch.

    Args:
        loss: whose `share` says from where to where.
        epochs: how many there will be.
    """

    def __init__(self, loss: DetectionLoss, epochs: int) -> None:
        self.loss, self.epochs = loss, epochs

    def on_epoch_start(self, trainer: Any) -> None:
        """Set the weight of this epoch."""
        self.loss.at_epoch(trainer.epoch - 1, self.epochs)
