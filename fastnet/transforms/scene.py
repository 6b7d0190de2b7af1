"""Scene: what a transform works on: pictures, and the boxes, labels and masks that go with one."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms import boxes as boxes_
from fastnet.transforms import matrices
from fastnet.transforms.frames import CUBIC, CUBIC_PLAIN, LINEAR, LINEAR_PLAIN, NEAREST, NEAREST_EXACT, Frames

PADDINGS = ("constant", "edge", "reflect", "symmetric")
RESIZE = {"nearest": (NEAREST, NEAREST), "nearest-exact": (NEAREST_EXACT, NEAREST_EXACT), "bilinear": (LINEAR_PLAIN, LINEAR),
          "bicubic": (CUBIC_PLAIN, CUBIC)}


def pixels(image: Any, name: str) -> np.ndarray:
    """The array of an image or a batch; refuses what is none."""
    x = image.detach().numpy() if isinstance(image, fn.Tensor) else image
    if not isinstance(x, np.ndarray):
        advice = "; numpy.asarray(image.convert('RGB')).transpose(2, 0, 1) is one" if type(image).__module__.startswith("PIL") else ""
        raise TypeError(f"{name}: an image must be an array or a tensor, got {type(image).__name__}{advice}")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(f"{name}: an image must be (C, H, W), a batch (N, C, H, W), none of them 0, got {x.shape}")
    if x.dtype not in (np.uint8, np.float32):
        raise TypeError(f"{name}: an image must be uint8 or float32, got {x.dtype}")
    if x.shape[-1] in (1, 3, 4) and min(x.shape[-3:-1]) > 8:
        turn, order = "permute" if isinstance(image, fn.Tensor) else "transpose", (0, 3, 1, 2) if x.ndim == 4 else (2, 0, 1)
        raise ValueError(f"{name}: an image must be (C, H, W), a batch (N, C, H, W), got {x.shape}: are its channels last? "
                         f"x.{turn}{order} puts them first, without a copy")
    return x if x.ndim == 4 else x[None]


def interpolation_of(value: Any, known: Any, name: str) -> str:
    """The interpolation's name, also of an enumeration's member."""
    word = getattr(value, "value", value)
    if word not in known:
        raise ValueError(f"{name}: interpolation must be one of {', '.join(known)}, got {value!r}")
    return word


def fill_of(fill: Any, channels: int, name: str) -> np.ndarray:
    """The colour beyond the picture, a number for each channel."""
    if fill is None or isinstance(fill, (int, float)):
        return np.full(channels, fill or 0, np.float32)
    values = np.asarray(fill, np.float32)
    if values.size not in (1, channels):
        raise ValueError(f"{name}: fill must be a number or one for each of {channels} channels, got {fill!r}")
    return np.broadcast_to(values.reshape(-1), (channels,)).copy()


class Scene:
    """Pictures of one size; with one picture, perhaps boxes (n, 4), what is said of each (labels), and masks.

    Geometry is done on all of them, colours on the picture alone.
    """

    min_size, min_visibility = 1.0, 0.1
    tensor = False                                       # whether the image comes out as a tensor, whatever went in

    def __init__(self, x: np.ndarray, merge: bool = False) -> None:
        self.image = Frames(x, merge)
        self.masks: Frames | None = None
        self.boxes: np.ndarray | None = None
        self.rows: dict[str, Any] = {}                   # of the boxes: labels and so on; lists or arrays
        self.each_mask = False                           # the channels of masks belong to the boxes

    @property
    def n(self) -> int:
        return self.image.n

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.h, self.image.w

    @property
    def channels(self) -> int:
        return self.image.c

    def keep(self, stay: np.ndarray) -> None:
        """Keep some of the boxes, with their labels and masks."""
        if stay.all():
            return
        self.boxes = None if self.boxes is None else self.boxes[stay]
        for name, value in self.rows.items():
            self.rows[name] = value[stay] if isinstance(value, np.ndarray) else [v for v, s in zip(value, stay) if s]
        if self.each_mask and self.masks is not None:
            x = self.masks.done()
            self.masks = Frames(x[:, stay]) if stay.any() else None

    def _moved(self, matrix: Callable[[], np.ndarray]) -> None:
        """Take the boxes along; matrix() goes from the picture before to the picture now."""
        if self.boxes is not None:
            moved, stay = boxes_.clip(boxes_.move(self.boxes, matrix()), *self.size, self.min_size, self.min_visibility)
            self.boxes = moved
            self.keep(stay)

    def _all(self) -> list[Frames]:
        return [self.image] if self.masks is None else [self.image, self.masks]

    def crop(self, top: Any, left: Any, height: int, width: int) -> None:
        """Keep a rectangle that lies inside the picture; top and left may be (N,)."""
        for frames in self._all():
            frames.crop(top, left, height, width)
        self._moved(lambda: matrices.shift(-np.max(left), -np.max(top))[0])

    def flip(self, chosen: Any, axis: int) -> None:
        """Mirror the chosen pictures: axis 0 top to bottom, 1 left to right."""
        if not np.any(chosen):
            return
        for frames in self._all():
            frames.flip(chosen, axis)
        h, w = self.size
        self._moved(lambda: matrices.scale(-1, 1)[0] + [[0, 0, w], [0, 0, 0], [0, 0, 0]] if axis
                    else matrices.scale(1, -1)[0] + [[0, 0, 0], [0, 0, h], [0, 0, 0]])

    def pad(self, left: int, top: int, right: int, bottom: int, fill: Any = 0, mode: str = "constant", name: str = "pad") -> None:
        """Put a border around the picture."""
        if mode not in PADDINGS:
            raise ValueError(f"{name}: padding_mode must be one of {', '.join(PADDINGS)}, got {mode!r}")
        if min(left, top, right, bottom) < 0:
            raise ValueError(f"{name}: padding must not be negative, got {(left, top, right, bottom)}")
        if mode == "reflect" and (max(left, right) >= self.image.w or max(top, bottom) >= self.image.h):
            raise ValueError(f"{name}: reflect needs padding smaller than the image {self.size}, got {(left, top, right, bottom)}")
        if not (left or top or right or bottom):
            return
        if mode == "constant":
            self.image.pad(left, top, right, bottom, fill_of(fill, self.channels, name))
            if self.masks is not None:
                self.masks.pad(left, top, right, bottom, np.zeros(self.masks.c, np.float32))
        else:
            self.image = Frames(np.pad(self.image.done(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode), self.image.merge)  # type: ignore[call-overload]
            if self.masks is not None:
                self.masks = Frames(np.pad(self.masks.done(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode))  # type: ignore[call-overload]
        self._moved(lambda: matrices.shift(left, top)[0])

    def warp(self, matrix: np.ndarray, size: tuple[int, int] | None = None, interpolation: Any = "nearest", fill: Any = 0,
             name: str = "warp") -> None:
        """Look through matrices from the result, of `size` (H, W), to the picture; masks take the nearest pixel."""
        kind = interpolation_of(interpolation, ("nearest", "bilinear"), name)
        h, w = size or self.size
        self.image.warp(matrix, h, w, kind == "nearest", fill_of(fill, self.channels, name))
        if self.masks is not None:
            self.masks.warp(matrix, h, w, True, np.zeros(self.masks.c, np.float32))
        self._moved(lambda: np.linalg.inv(matrix[0]))

    def resize(self, height: int, width: int, interpolation: Any = "bilinear", antialias: bool = True, name: str = "resize") -> None:
        """Resize; masks take the nearest pixel."""
        kind = RESIZE[interpolation_of(interpolation, RESIZE, name)][bool(antialias)]
        if height < 1 or width < 1:
            raise ValueError(f"{name}: size must be positive, got {(height, width)}")
        h, w = self.size
        self.image.resize(kind, height, width)
        if self.masks is not None:
            self.masks.resize(NEAREST_EXACT, height, width)
        self._moved(lambda: matrices.scale(width / w, height / h)[0])

    def resized_crop(self, top: Any, left: Any, height: Any, width: Any, size: tuple[int, int], interpolation: Any = "bilinear",
                     antialias: bool = True, name: str = "resized_crop") -> None:
        """Resize a rectangle that lies inside the picture, (N,) or numbers, to `size` (H, W); masks take the nearest pixel."""
        kind = RESIZE[interpolation_of(interpolation, RESIZE, name)][bool(antialias)]
        self.image.resized_crop(kind, top, left, height, width, size)
        if self.masks is not None:
            self.masks.resized_crop(NEAREST_EXACT, top, left, height, width, size)
        self._moved(lambda: (matrices.scale(size[1] / np.max(width), size[0] / np.max(height))
                             @ matrices.shift(-np.max(left), -np.max(top)))[0])

    def some(self, chosen: np.ndarray, act: Callable[[Scene], None], name: str) -> None:
        """Do something to some of the pictures, which must keep their size and dtype; to the only one whatever it is."""
        if not np.any(chosen):
            return
        if np.all(chosen):
            act(self)
            return
        x = self.image.done()
        part = Scene(x[chosen])
        act(part)
        made = part.image.done()
        if made.shape[1:] != x.shape[1:] or made.dtype != x.dtype:
            raise ValueError(f"{name}: some pictures of a batch became {made.dtype} {made.shape[1:]}, others are {x.dtype} {x.shape[1:]}")
        joined = np.empty_like(x)
        joined[~chosen], joined[chosen] = x[~chosen], made
        self.image = Frames(joined, self.image.merge)


def _like(array: np.ndarray, given: Any) -> Any:
    return fn.from_numpy(array) if isinstance(given, fn.Tensor) else array


def _masks_in(masks: Any, size: tuple[int, int], name: str) -> tuple[np.ndarray, np.dtype]:
    m = masks.detach().numpy() if isinstance(masks, fn.Tensor) else np.asarray(masks)
    if m.ndim not in (2, 3) or m.shape[-2:] != size:
        raise ValueError(f"{name}: masks must be (n, H, W) or (H, W) like the image {size}, got {m.shape}")
    small = m.dtype in (np.bool_, np.uint8)
    if not small and (m.dtype.kind not in "iuf" or m.size and np.abs(m).max() > 2**24):
        raise ValueError(f"{name}: masks must hold numbers up to 2^24, got {m.dtype}")
    x = m.view(np.uint8) if small else m.astype(np.float32)
    return (x if m.ndim == 3 else x[None])[None], m.dtype


def _labels_in(scene: Scene, sample: Mapping, name: str) -> None:
    given = sample["boxes"]
    b = given.detach().numpy() if isinstance(given, fn.Tensor) else np.asarray(given)
    if b.size == 0:
        b = b.reshape(0, 4)
    if b.ndim != 2 or b.shape[1] != 4:
        raise ValueError(f"{name}: boxes must be (n, 4), x1 y1 x2 y2 in pixels, got {b.shape}")
    scene.boxes = b.astype(np.float64)
    labels = sample.get("labels")
    if labels is not None:
        rows = labels.detach().numpy() if isinstance(labels, fn.Tensor) else labels
        if not hasattr(rows, "__len__") or len(rows) != len(b):
            raise ValueError(f"{name}: {len(b)} boxes and labels {labels!r}: one for each is wanted")
        scene.rows["labels"] = rows


def run(sample: Any, act: Callable[[Scene], None], name: str, settle: Callable[[Scene], None] | None = None, new: bool = False) -> Any:
    """Open a sample, act on its scene, and put the result together as the sample was.

    Args:
        sample: an image, (image, ...) or a dict with "image" and perhaps "boxes", "labels", "masks".
        act: what is to be done.
        name: of the transform, for errors.
        settle: called with the scene before, to set it up.
        new: the image of the result is new, also where nothing was done.
    """
    if isinstance(sample, Mapping):
        if "image" not in sample:
            raise ValueError(f"{name}: a dict must have 'image', got {', '.join(map(str, sample))}")
        image = sample["image"]
    else:
        image = sample[0] if isinstance(sample, (tuple, list)) and sample else sample
    x = pixels(image, name)
    scene = Scene(x)
    dtype, flat = None, False
    if isinstance(sample, Mapping):
        if sample.get("masks") is not None:
            m, dtype = _masks_in(sample["masks"], scene.size, name)
            scene.masks, flat = (Frames(m) if m.shape[1] else None), np.ndim(sample["masks"]) == 2
        if sample.get("boxes") is not None:
            _labels_in(scene, sample, name)
            scene.each_mask = dtype is not None and not flat
            if scene.each_mask and len(scene.boxes) != len(sample["masks"]):  # type: ignore[arg-type]
                raise ValueError(f"{name}: {len(scene.boxes)} boxes and {len(sample['masks'])} masks: one for each is wanted")  # type: ignore[arg-type]
    if settle is not None:
        settle(scene)
    act(scene)
    out = scene.image.done()
    out = out.copy(order="K") if new and out is x else out
    made = _like(out if np.ndim(image) == 4 else out[0], image)
    made = fn.from_numpy(made) if scene.tensor and isinstance(made, np.ndarray) else made
    if not isinstance(sample, Mapping):
        if isinstance(sample, (tuple, list)):
            rest = (made, *sample[1:])
            return type(sample)(*rest) if hasattr(sample, "_fields") else type(sample)(rest)
        return made
    result = {**sample, "image": made}
    if scene.boxes is not None:
        given = sample["boxes"]
        kind = np.asarray(given).dtype if not isinstance(given, fn.Tensor) else given.numpy().dtype
        result["boxes"] = _like(scene.boxes.astype(kind if kind.kind == "f" else np.float32), given)
        if "labels" in scene.rows:
            result["labels"] = _like(scene.rows["labels"], sample["labels"])
    if dtype is not None:
        masks = scene.masks.done()[0] if scene.masks is not None else np.zeros((0, *scene.size), np.uint8)
        masks = masks.view(np.bool_) if dtype == np.bool_ else masks.astype(dtype, copy=False)
        result["masks"] = _like(masks[0] if flat else masks, sample["masks"])
    return result
