"""autocontrast, equalize and sharpness: what depends on the whole of a channel, or on a pixel's neighbours."""
from __future__ import annotations

import numpy as np

from fastnet.transforms.frames import Frames
from fastnet.transforms.scene import Scene


def _bytes(x: np.ndarray) -> np.ndarray:
    return x if x.dtype == np.uint8 else np.clip(x * np.float32(255.999), 0, 255).astype(np.uint8)


def _looked_up(x: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Each byte of x (N, C, H, W) replaced by its entry in the table (N, C, 256) of its channel."""
    out = np.empty_like(x)
    for i, channels in enumerate(x):
        for k, channel in enumerate(channels):
            np.take(tables[i, k], channel, out=out[i, k])
    return out


def _counts(x: np.ndarray) -> np.ndarray:
    """How often each byte occurs in each channel: (N, C, 256)."""
    return np.array([[np.bincount(channel.reshape(-1), minlength=256) for channel in channels] for channels in x])


def autocontrast(scene: Scene) -> None:
    """Stretch each channel from black to white."""
    x = scene.image.done()
    if x.dtype == np.uint8:
        found = _counts(x) > 0
        low, high = (e.astype(float)[..., None, None] for e in (found.argmax(2), 255 - found[..., ::-1].argmax(2)))
    else:
        low, high = x.min((2, 3), keepdims=True).astype(float), x.max((2, 3), keepdims=True).astype(float)
    bound = 255.0 if x.dtype == np.uint8 else 1.0
    flat = low == high
    low, span = np.where(flat, 0.0, low), np.where(flat, bound, high - low)
    if x.dtype == np.uint8:
        tables = np.clip((np.arange(256.0) - low[..., 0]) * bound / span[..., 0], 0, 255).astype(np.uint8)
        made = _looked_up(x, tables)
    else:
        made = np.clip((x - low.astype(np.float32)) / span.astype(np.float32), 0, 1)
    scene.image = Frames(made, scene.image.merge)


def equalize(scene: Scene) -> None:
    """Spread the values of each channel evenly."""
    x = scene.image.done()
    pixels = _bytes(x)
    tables = np.empty((*pixels.shape[:2], 256), np.uint8)
    for i, channels in enumerate(_counts(pixels)):
        for k, counts in enumerate(channels):
            step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
            before = np.concatenate([[0], np.cumsum(counts)[:-1]])
            first = np.concatenate([[0], np.full(255, step // 2)])
            tables[i, k] = np.arange(256) if step == 0 else np.minimum((before + first) // step, 255)
    made = _looked_up(pixels, tables)
    scene.image = Frames(made if x.dtype == np.uint8 else made.astype(np.float32) / np.float32(255), scene.image.merge)


def sharpness(scene: Scene, factor: np.ndarray) -> None:
    """Away from a smoothed picture, by factor (N,) or (1,); the outermost pixels stay."""
    if min(scene.size) <= 2:
        return
    given = scene.image.done()
    x = given.astype(np.float32)
    rows = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    inner = x[:, :, 1:-1, 1:-1]
    smooth = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * inner) / np.float32(13)
    if given.dtype == np.uint8:
        smooth = np.rint(smooth)
    inner += (smooth - inner) * (1 - factor).astype(np.float32)[:, None, None, None]
    made = np.clip(x, 0, 255 if given.dtype == np.uint8 else 1)
    scene.image = Frames(made.astype(given.dtype, copy=False), scene.image.merge)
