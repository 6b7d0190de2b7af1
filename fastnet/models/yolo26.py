"""YOLO26: a detector that gives its boxes without suppression of doubles, written from its published sizes and formulas."""
from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import fastnet as fn
from fastnet import nn
from fastnet.models.blocks import at_least, loaded
from fastnet.models.yolo26_blocks import C2PSA, SPPF, C3k2, ConvUnit
from fastnet.models.yolo26_head import MOST, Cells, Detect, Raw, best, cells, decode

# depth (repeats), width (channels), channels at most, and whether the fine maps have the blocks of the coarse ones
SCALES = {"n": (0.5, 0.25, 1024, False), "s": (0.5, 0.5, 1024, False), "m": (0.5, 1.0, 512, True), "l": (1.0, 1.0, 512, True),
          "x": (1.0, 1.5, 512, True)}


class YOLO26(nn.Module):
    """A detector: a backbone, three maps with 1/8, 1/16 and 1/32 of the image's sides, and two heads on them.

    In training, and from `raw`, the result is what both heads say of every cell: `fastnet.models.DetectionLoss` takes it. In evaluation it
    is (N, 300, 6): x1, y1, x2, y2 in pixels, score and class, the best first, fewer than 300 rows where there are fewer cells. With
    ``head = "one2many"`` it is (N, 4 + num_classes, A) instead: boxes and scores of all cells, among which are doubles
    (`fastnet.models.detections`).

    Names in the `state_dict` are those of the known checkpoints: layers are counted from 0 to 23, the head is the last.

    Args:
        num_classes: how many.
        scale: "n", "s", "m", "l" or "x"; or (depth, width, most): factors on the repeats and channels of the largest, channels at most.
        in_channels: channels of the images, whose values are from 0 to 1.
        head: which head answers in evaluation: "one2one" or "one2many".

    x: (N, in_channels, H, W), sides multiples of 32.

    >>> import fastnet as fn
    >>> model = fn.models.YOLO26(3, scale=(0.5, 0.125, 256)).eval()
    >>> with fn.no_grad():
    ...     tuple(model(fn.zeros(1, 3, 64, 96)).shape)
    (1, 300, 6)
    """

    lr_scales = {"model.23.cv3.": 3.0, "model.23.one2one_cv3.": 3.0}               # what learns classes learns faster: `MuSGD.groups`

    def __init__(self, num_classes: int = 80, scale: str | Sequence[float] = "n", in_channels: int = 3, *,
                 head: str = "one2one") -> None:
        super().__init__()
        at_least("YOLO26", num_classes=num_classes, in_channels=in_channels)
        if head not in ("one2one", "one2many"):
            raise ValueError(f"YOLO26: head must be 'one2one' or 'one2many', got {head!r}")
        depth, width, most, large = _scale(scale)
        self.num_classes, self.in_channels, self.head = num_classes, in_channels, head
        c = [math.ceil(min(base, most) * width / 8) * 8 for base in (64, 128, 256, 512, 1024)]
        twice, fine = max(round(2 * depth), 1), "c3k" if large else "plain"
        half = [math.ceil(min(base, most) * width / 8) * 8 for base in (256, 512, 1024)]
        layers = {
            0: ConvUnit(in_channels, c[0], 3, 2), 1: ConvUnit(c[0], c[1], 3, 2),
            2: C3k2(c[1], c[2], twice, fine, 0.25), 3: ConvUnit(c[2], c[2], 3, 2),
            4: C3k2(c[2], c[3], twice, fine, 0.25), 5: ConvUnit(c[3], c[3], 3, 2),
            6: C3k2(c[3], c[3], twice, "c3k"), 7: ConvUnit(c[3], c[4], 3, 2),
            8: C3k2(c[4], c[4], twice, "c3k"), 9: SPPF(c[4]), 10: C2PSA(c[4], twice),
            13: C3k2(c[4] + c[3], half[1], twice, "c3k"), 16: C3k2(half[1] + c[3], half[0], twice, "c3k"),
            17: ConvUnit(half[0], half[0], 3, 2), 19: C3k2(half[0] + half[1], half[1], twice, "c3k"),
            20: ConvUnit(half[1], half[1], 3, 2), 22: C3k2(half[1] + c[4], half[2], 1, "attention"),
            23: Detect(num_classes, (half[0], half[1], half[2]))}
        self.model = nn.ModuleDict({str(i): layer for i, layer in layers.items()})

    def maps(self, x: Any) -> list[Any]:
        """The three maps that the heads read, with 1/8, 1/16 and 1/32 of the image's sides."""
        layer = self.model
        for i in range(5):
            x = layer[str(i)](x)
        x4 = x
        x6 = layer["6"](layer["5"](x4))
        x10 = layer["10"](layer["9"](layer["8"](layer["7"](x6))))
        x13 = layer["13"](fn.cat([twice(x10), x6], 1))
        p3 = layer["16"](fn.cat([twice(x13), x4], 1))
        p4 = layer["19"](fn.cat([layer["17"](p3), x13], 1))
        return [p3, p4, layer["22"](fn.cat([layer["20"](p4), x10], 1))]

    def raw(self, x: Any) -> tuple[Raw | None, Raw | None, Cells]:
        """What the one-to-many and the one-to-one head say of every cell (None: `fuse` has dropped it), and the cells."""
        if x.ndim != 4 or x.shape[1] != self.in_channels or x.shape[2] % 32 or x.shape[3] % 32 or not x.shape[2] * x.shape[3]:
            raise ValueError(f"YOLO26: x must be (N, {self.in_channels}, H, W) with sides that are multiples of 32, got {tuple(x.shape)}")
        many, one = self.model["23"](self.maps(x))
        return many, one, cells(x.shape[2], x.shape[3], x)

    def answer(self, many: Raw | None, one: Raw | None, at: Cells) -> Any:
        """What evaluation gives, of what `raw` gave."""
        if self.head == "one2one":
            return best(_there(one), at)
        many = _there(many)
        return fn.cat([decode(many.distances, at), many.logits.sigmoid()], 2).transpose(1, 2)

    def forward(self, x: Any) -> Any:
        made = self.raw(x)
        return made if self.training else self.answer(*made)

    def fuse(self) -> YOLO26:
        """A copy for inference: batch norms are folded into the convolutions, the head that does not answer is gone.

        >>> import fastnet as fn
        >>> model = fn.models.yolo26n(num_classes=2).eval()
        >>> sum(p.numel() for p in model.fuse().parameters()) < sum(p.numel() for p in model.parameters())
        True
        """
        from fastnet.nn.utils.fusion import fuse_conv_bn_eval
        made = copy.deepcopy(self).eval()
        heads = made.model["23"]
        if self.head == "one2one":
            heads.cv2 = heads.cv3 = None
        else:
            heads.one2one_cv2 = heads.one2one_cv3 = None
        for unit in made.modules():
            if isinstance(unit, ConvUnit) and isinstance(unit.bn, nn.BatchNorm2d):
                unit.conv = fuse_conv_bn_eval(unit.conv, unit.bn)
                unit.bn = nn.Identity()
        return made

    def predict(self, images: Any, size: int = 640, score: float = 0.25, iou: float = 0.7, most: int = MOST) -> Any:
        """Find objects in pictures of any size.

        Args:
            images: a picture or a list of them: Pillow images; uint8 arrays or tensors, (H, W, C) or (C, H, W); or float ones, from 0 to 1.
            size: the longer side in pixels to which each is resized, proportions kept; it is rounded up to a multiple of 32.
            score: detections with smaller scores are left out.
            iou: of one-to-many detections that overlap more than this the better stays; the one-to-one head needs none.
            most: detections of a picture at most; the one-to-one head has no more than 300.

        Returns: for each picture a dict of "boxes" (n, 4), x1, y1, x2, y2 in pixels of the picture, "scores" (n,) and "labels" (n,), as
            `MeanAveragePrecision` takes them; for one picture its dict.

        >>> import numpy as np, fastnet as fn
        >>> found = fn.models.YOLO26(2, (0.5, 0.125, 128)).predict(np.zeros((30, 50, 3), np.uint8), size=64, score=0.9)
        >>> tuple(found["boxes"].shape), found["labels"].dtype
        ((0, 4), fastnet.int64)
        """
        from fastnet.models.yolo26_predict import predict
        return predict(self, images, size, score, iou, most)


def _scale(scale: Any) -> tuple[float, float, float, bool]:
    if isinstance(scale, str):
        if scale not in SCALES:
            raise ValueError(f"YOLO26: scale must be one of {', '.join(SCALES)}, or (depth, width, most channels), got {scale!r}")
        return SCALES[scale]
    if not isinstance(scale, Sequence) or len(scale) != 3 or not all(isinstance(v, (int, float)) and v > 0 for v in scale):
        raise ValueError(f"YOLO26: scale must be one of {', '.join(SCALES)}, or (depth, width, most channels), got {scale!r}")
    return (*scale, False)


def _there(raw: Raw | None) -> Raw:
    if raw is None:
        raise RuntimeError("YOLO26: fuse() has dropped the head that is to answer")
    return raw


def twice(x: Any) -> Any:
    """The map with every pixel four times."""
    return nn.functional.interpolate(x, scale_factor=2, mode="nearest")


def yolo26n(num_classes: int = 80, *, weights: Any = None, **options: Any) -> YOLO26:
    """YOLO26-n, 2.6 million parameters; options as of `YOLO26`, weights: path of a checkpoint."""
    return loaded(YOLO26(num_classes, "n", **options), weights)


def yolo26s(num_classes: int = 80, *, weights: Any = None, **options: Any) -> YOLO26:
    """YOLO26-s, 10 million parameters; options as of `YOLO26`, weights: path of a checkpoint."""
    return loaded(YOLO26(num_classes, "s", **options), weights)


def yolo26m(num_classes: int = 80, *, weights: Any = None, **options: Any) -> YOLO26:
    """YOLO26-m, 22 million parameters; options as of `YOLO26`, weights: path of a checkpoint."""
    return loaded(YOLO26(num_classes, "m", **options), weights)


def yolo26l(num_classes: int = 80, *, weights: Any = None, **options: Any) -> YOLO26:
    """YOLO26-l, 26 million parameters; options as of `YOLO26`, weights: path of a checkpoint."""
    return loaded(YOLO26(num_classes, "l", **options), weights)


def yolo26x(num_classes: int = 80, *, weights: Any = None, **options: Any) -> YOLO26:
    """YOLO26-x, 59 million parameters; options as of `YOLO26`, weights: path of a checkpoint."""
    return loaded(YOLO26(num_classes, "x", **options), weights)
