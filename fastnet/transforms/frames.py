"""Frames: pictures with the work that is still to be done on them, in as few passes over the pixels as leave the result as it is."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet.ops.image import image_pass
from fastnet.transforms import matrices

WINDOW, WARP, WARP_NEAREST, NEAREST, NEAREST_EXACT, LINEAR, CUBIC, LINEAR_PLAIN, CUBIC_PLAIN, BLUR = range(10)
KEEP, BRIGHTNESS, CONTRAST, SATURATION, HUE, HSV, GREY, INVERT, SOLARIZE, POSTERIZE = range(10)
MOST_OPS = 16
_WINDOW = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0], np.int64)


class Frames:
    """Pictures of one size: crops, flips, padding, one warp or resize, and colours are collected and done in one pass.

    What is collected gives the bytes that one step after the other would give: a step that cannot join the pass begins another. Two warps
    become one only if `merge` is set. Of float results the last bits may differ.

    Args:
        x: (N, C, H, W), uint8 or float32.
    """

    def __init__(self, x: np.ndarray, merge: bool = False) -> None:
        self.merge = merge
        self._begin(x)

    def _begin(self, x: np.ndarray) -> None:
        self.x = x
        self.n, self.c, self.h, self.w = x.shape
        self.source, self.changed, self.taps = WINDOW, False, (0, 0)
        self.plan = np.empty((self.n, 16), np.int64)
        self.plan[:] = _WINDOW
        self.plan[:, 5], self.plan[:, 7] = self.h, self.w
        self.real: np.ndarray | None = None
        self.fill: np.ndarray | None = None
        self.ops: list[tuple[Any, Any]] = []
        self.norm: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def floats(self) -> bool:
        """Whether pixels are float32 when the work is done."""
        return self.norm is not None or self.x.dtype != np.uint8

    def done(self) -> np.ndarray:
        """The pictures, (N, C, H, W), all work done."""
        if not (self.changed or self.ops or self.norm is not None):
            return self.x
        n, k = self.n, len(self.ops)
        code, param = np.zeros((n, k), np.int32), np.zeros((n, k, 4), np.float32)
        for i, (op, values) in enumerate(self.ops):
            code[:, i] = op
            param[:, i] = values
        real = np.zeros((n, 9)) if self.real is None else self.real
        fill = np.zeros(self.c, np.float32) if self.fill is None else self.fill
        plan, matrix, codes, params, beyond = (fn.from_numpy(a) for a in (
            self.plan, np.ascontiguousarray(real.reshape(n, 9), np.float64), code, param, fill))
        scale, shift = (None, None) if self.norm is None else (fn.from_numpy(a.astype(np.float32)) for a in self.norm)
        bound = 255.0 if self.x.dtype == np.uint8 else 1.0
        self._begin(image_pass(fn.from_numpy(self.x), self.h, self.w, self.source, plan, matrix, codes, params, beyond,
                               scale, shift, self.taps, bound, scale is not None).numpy())
        return self.x

    def _plain(self) -> None:
        """Only a window of the pictures is pending, or nothing."""
        if self.source != WINDOW or self.ops or self.norm is not None:
            self.done()

    def _span(self) -> np.ndarray:
        """The part of x that is seen through the window, (n, 4): rows from, to, columns from, to."""
        p = self.plan
        rows, cols = p[:, 0] * (self.h - 1) + p[:, 1], p[:, 2] * (self.w - 1) + p[:, 3]
        return np.stack([np.maximum(np.minimum(p[:, 1], rows), p[:, 4]), np.minimum(np.maximum(p[:, 1], rows) + 1, p[:, 5]),
                         np.maximum(np.minimum(p[:, 3], cols), p[:, 6]), np.minimum(np.maximum(p[:, 3], cols) + 1, p[:, 7])], 1)

    def _fill_with(self, fill: np.ndarray) -> None:
        """What is beyond the pictures has this colour from now on; where another one shows already, it is painted first."""
        if self.fill is not None and not np.array_equal(self.fill, fill):
            self.done()
        if self.changed:
            h, w = self.x.shape[2:]
            self.plan[:, 4:8] = np.clip(self._span(), 0, [h, h, w, w])
        self.fill = fill

    def _matrix(self) -> np.ndarray:
        """From places in the window to places in x."""
        p = self.plan
        m = matrices.shift(p[:, 3] + (p[:, 2] < 0), p[:, 1] + (p[:, 0] < 0), self.n)
        m[:, 0, 0], m[:, 1, 1] = p[:, 2], p[:, 0]
        return m

    def crop(self, top: Any, left: Any, height: int, width: int) -> None:
        """Keep a rectangle that lies inside; each picture may have its own corner."""
        if any(np.any(op == CONTRAST) for op, _ in self.ops):
            self.done()
        p, at = self.plan, 0 if self.source == WINDOW else 10
        if self.source in (WARP, WARP_NEAREST):
            self.real = self.real @ matrices.shift(left, top, self.n)
        else:
            p[:, at + 1] += p[:, at] * top
            p[:, at + 3] += p[:, at + 2] * left
        self.h, self.w, self.changed = height, width, True

    def flip(self, chosen: Any, axis: int) -> None:
        """Mirror the chosen pictures top to bottom (axis 0) or left to right (1)."""
        size = (self.h, self.w)[axis]
        p, at = self.plan, (0 if self.source == WINDOW else 10) + 2 * axis
        if self.source in (WARP, WARP_NEAREST):
            m = matrices.shift(0, 0, self.n)
            m[:, 1 - axis, 1 - axis] = np.where(chosen, -1, 1)
            m[:, 1 - axis, 2] = np.where(chosen, size, 0)
            self.real = self.real @ m
        else:
            p[:, at + 1] += np.where(chosen, p[:, at] * (size - 1), 0)
            p[:, at] = np.where(chosen, -p[:, at], p[:, at])
        self.changed = True

    def pad(self, left: int, top: int, right: int, bottom: int, fill: np.ndarray) -> None:
        """Put a border of one colour around the pictures."""
        self._plain()
        self._fill_with(fill)
        p = self.plan
        p[:, 1] -= p[:, 0] * top
        p[:, 3] -= p[:, 2] * left
        self.h, self.w, self.changed = self.h + top + bottom, self.w + left + right, True

    def warp(self, matrix: np.ndarray, height: int, width: int, nearest: bool, fill: np.ndarray) -> None:
        """Look at the pictures through matrices (N, 3, 3) or (1, 3, 3)."""
        kind = WARP_NEAREST if nearest else WARP
        alike = self.fill is not None and np.array_equal(self.fill, fill)
        joined = self.merge and alike and self.source == kind and not self.ops and self.norm is None
        if not joined:
            self._plain()
            self._fill_with(fill)
        self.real = (self.real if joined else self._matrix()) @ matrix
        flat = (self.real[:, 2, :2] == 0).all() and (self.real[:, 2, 2] != 0).all()
        if flat:
            self.real = self.real / self.real[:, 2:, 2:]
        self.source, self.h, self.w, self.changed = kind, height, width, True

    def _filter(self, kind: int, out: tuple[int, int], taps: tuple[int, int], top: Any, left: Any, sizes: tuple[Any, Any]) -> None:
        """A part of what is seen becomes what the filter looks at; its mirroring is left for afterwards."""
        self._plain()
        p = self.plan
        if self.fill is not None and (self._span() != self._whole()).any() or kind in (NEAREST, NEAREST_EXACT) and (p[:, 0:3:2] < 0).any():
            self.done()
            p = self.plan
        for axis, first in enumerate((top, left)):
            at, size, sign = 2 * axis, sizes[axis], p[:, 2 * axis]
            p[:, at + 1] += sign * first - np.where(sign < 0, size - 1, 0)
            p[:, at + 11] = np.where(sign < 0, out[axis] - 1, 0)
            p[:, at + 10] = sign
            p[:, at] = 1
            p[:, 8 + axis], p[:, 14 + axis] = size, out[axis]
        self.source, (self.h, self.w), self.taps, self.changed = kind, out, taps, True

    def _whole(self) -> np.ndarray:
        """The span of a window that shows nothing beyond the pictures."""
        p = self.plan
        rows, cols = p[:, 0] * (self.h - 1) + p[:, 1], p[:, 2] * (self.w - 1) + p[:, 3]
        return np.stack([np.minimum(p[:, 1], rows), np.maximum(p[:, 1], rows) + 1,
                         np.minimum(p[:, 3], cols), np.maximum(p[:, 3], cols) + 1], 1)

    def resize(self, kind: int, height: int, width: int) -> None:
        """Resize to one size."""
        if (height, width) != (self.h, self.w):
            self.resized_crop(kind, 0, 0, self.h, self.w, (height, width))

    def resized_crop(self, kind: int, top: Any, left: Any, height: Any, width: Any, size: tuple[int, int]) -> None:
        """Resize a rectangle that lies inside the picture; each picture may have its own."""
        reach = {CUBIC: 2.0, LINEAR: 1.0}.get(kind)
        taps = [4 if reach is None else int(np.ceil(reach * max(1.0, np.max(part) / out))) * 2 + 2
                for part, out in zip((height, width), size)]
        self._filter(kind, size, (taps[0], taps[1]), top, left, (height, width))

    def blur(self, size: tuple[int, int], sigma: np.ndarray) -> None:
        """Blur by a Gaussian of `size` rows and columns; sigma (N, 2) down and across."""
        self._filter(BLUR, (self.h, self.w), size, 0, 0, (self.h, self.w))
        self.real = np.zeros((self.n, 9))
        self.real[:, :2], self.real[:, 2:4] = size, sigma

    def color(self, code: Any, values: Any) -> None:
        """Change colours: one of the codes above, and its numbers (N, 4) or (4,), each of them the same for all pictures or not."""
        if self.norm is not None or len(self.ops) == MOST_OPS or (self.source != WINDOW and np.any(np.equal(code, CONTRAST))):
            self.done()
        self.ops.append((code, values))

    def to_float(self, scale: float) -> None:
        """Bytes become float32, times scale."""
        self.norm = (np.full(self.c, scale), np.zeros(self.c))

    def normalize(self, mean: np.ndarray, std: np.ndarray) -> None:
        """(value - mean) / std for each channel."""
        scale, shift = (np.ones(self.c), np.zeros(self.c)) if self.norm is None else self.norm
        self.norm = (scale / std, (shift - mean) / std)
