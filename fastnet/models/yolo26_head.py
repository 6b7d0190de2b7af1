"""The head of a YOLO26 detector: distances to the sides of boxes and logits of classes for every cell of three maps."""
from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import fastnet as fn
from fastnet import nn
from fastnet.models.yolo26_blocks import ConvUnit

STRIDES = (8, 16, 32)
MOST = 300                                                # detections of an image


class Raw(NamedTuple):
    """What one head says of every cell: `distances` (N, A, 4) to left, top, right, bottom in strides, and `logits` (N, A, classes)."""
    distances: Any
    logits: Any


class Cells(NamedTuple):
    """The cells of all maps, rows first, the finest map first: their centres (A, 2), x and y in strides, and strides (A, 1) in pixels."""
    centres: Any
    strides: Any


def cells(height: int, width: int, like: Any) -> Cells:
    """The cells of an image whose sides are multiples of 32.

    Args:
        height, width: of the image in pixels.
        like: a tensor whose dtype they get.

    >>> import fastnet as fn
    >>> from fastnet.models.yolo26_head import cells
    >>> made = cells(32, 32, fn.zeros(1))
    >>> made.centres[1].tolist(), made.strides[:, 0].tolist()[-5:]
    ([1.5, 0.5], [16.0, 16.0, 16.0, 16.0, 32.0])
    """
    centres, strides = [], []
    for stride in STRIDES:
        h, w = height // stride, width // stride
        y, x = fn.meshgrid(fn.arange(h, dtype=like.dtype) + 0.5, fn.arange(w, dtype=like.dtype) + 0.5, indexing="ij")
        centres.append(fn.stack([x.reshape(-1), y.reshape(-1)], 1))
        strides.append(fn.full((h * w, 1), float(stride), dtype=like.dtype))
    return Cells(fn.cat(centres), fn.cat(strides))


def decode(distances: Any, at: Cells) -> Any:
    """Boxes x1, y1, x2, y2 in pixels, of the shape of `distances` (..., A, 4)."""
    return fn.cat([at.centres - distances[..., :2], at.centres + distances[..., 2:]], -1) * at.strides


class Detect(nn.Module):
    """Two heads over three maps.

    The one-to-many head learns from several cells for each object, and needs suppression of doubles; the one-to-one head, which in
    training gets the maps without passing gradients to them, learns to give one box for each object.

    Args:
        num_classes: how many.
        channels: of the three maps.
    """

    def __init__(self, num_classes: int, channels: tuple[int, int, int]) -> None:
        super().__init__()
        self.num_classes = num_classes
        inner, wide = max(16, channels[0] // 4), max(channels[0], min(num_classes, 100))
        self.cv2: Any = nn.ModuleList(nn.Sequential(ConvUnit(c, inner, 3), ConvUnit(inner, inner, 3), nn.Conv2d(inner, 4, 1))
                                      for c in channels)
        self.cv3: Any = nn.ModuleList(nn.Sequential(
            nn.Sequential(ConvUnit(c, c, 3, groups=c), ConvUnit(c, wide)),
            nn.Sequential(ConvUnit(wide, wide, 3, groups=wide), ConvUnit(wide, wide)),
            nn.Conv2d(wide, num_classes, 1)) for c in channels)
        with fn.no_grad():
            for level, stride in enumerate(STRIDES):
                self.cv2[level][2].bias.fill_(2.0)
                self.cv3[level][2].bias.fill_(math.log(5 / num_classes / (640 / stride) ** 2))      # five objects of 640x640 pixels
        self.one2one_cv2: Any = copy.deepcopy(self.cv2)
        self.one2one_cv3: Any = copy.deepcopy(self.cv3)

    def read(self, maps: list[Any], one_to_one: bool) -> Raw:
        """What one of the heads says."""
        box, label = (self.one2one_cv2, self.one2one_cv3) if one_to_one else (self.cv2, self.cv3)
        if box is None:
            raise RuntimeError("YOLO26: fuse() has dropped this head")
        distances = [rows(b(x)) for b, x in zip(box, maps)]
        logits = [rows(c(x)) for c, x in zip(label, maps)]
        return Raw(fn.cat(distances, 1), fn.cat(logits, 1))

    def forward(self, maps: list[Any]) -> tuple[Raw | None, Raw | None]:
        """One-to-many and one-to-one; in evaluation None for a head that is not there."""
        many = None if self.cv2 is None else self.read(maps, False)
        one = None if self.one2one_cv2 is None else self.read([x.detach() for x in maps], True)
        return many, one


def rows(x: Any) -> Any:
    """A map (N, C, H, W) as (N, H W, C): a view where channels lie last in memory."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def best(raw: Raw, at: Cells, most: int = MOST) -> Any:
    """The detections of a one-to-one head: of the `most` cells with the best classes the best classes, (N, most, 6).

    Rows are x1, y1, x2, y2, score, class, best first; a cell may give several classes. Where there are fewer cells or classes
    there are fewer rows.
    """
    n, a, k = raw.logits.shape
    cell = raw.logits.max(2).values.topk(min(most, a), 1).indices                      # (N, m)
    logits = raw.logits.gather(1, cell[:, :, None].expand(-1, -1, k)).flatten(1)
    top = logits.topk(min(most, logits.shape[1]), 1)
    place = top.indices.div(k, rounding_mode="floor")
    cell = cell.gather(1, place)
    distances = raw.distances.gather(1, cell[:, :, None].expand(-1, -1, 4))
    boxes = decode(distances, Cells(at.centres[cell], at.strides[cell]))
    label = (top.indices - place * k).to(boxes.dtype)
    return fn.cat([boxes, top.values.sigmoid()[:, :, None], label[:, :, None]], 2)
