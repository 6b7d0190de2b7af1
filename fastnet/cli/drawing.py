"""Pictures with the boxes that were found, as SVG: the pixels are a PNG inside, frames and names lie over them."""
from __future__ import annotations

import base64
import struct
import zlib
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#f032e6", "#9a6324", "#800000", "#808000")
ACROSS = 4                                                # pictures in a row of a sheet
SIDE = 240                                                # of a picture on a sheet


def png(image: Any) -> bytes:
    """The file of an image, uint8 or float from 0 to 1, (3, H, W) or (1, H, W).

    >>> import numpy as np
    >>> from fastnet.cli.drawing import png
    >>> png(np.zeros((3, 2, 2), np.uint8))[:4]
    b'\\x89PNG'
    """
    x = np.asarray(image)
    x = np.rint(x * 255).clip(0, 255).astype(np.uint8) if x.dtype.kind == "f" else x
    c, h, w = x.shape
    rows = np.concatenate([np.zeros((h, 1), np.uint8), x.transpose(1, 2, 0).reshape(h, w * c)], 1)         # each row: no filter

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", w, h, 8, 2 if c == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b"")


def layer(image: Any, found: dict[str, Any], names: list[str], scale: float) -> str:
    """A picture with its frames, its upper left corner at 0, 0."""
    _, h, w = np.shape(image)
    data = base64.b64encode(png(image)).decode()
    parts = [f'<image width="{w * scale:.0f}" height="{h * scale:.0f}" href="data:image/png;base64,{data}"/>']
    for box, score, label in zip(*(np.asarray(found[key]) for key in ("boxes", "scores", "labels"))):
        x1, y1, x2, y2 = (float(v) * scale for v in box)
        colour = COLOURS[int(label) % len(COLOURS)]
        parts.append(f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" fill="none" stroke="{colour}" '
                     f'stroke-width="2"/><text x="{x1:.1f}" y="{max(y1 - 3, 11):.1f}" font-family="sans-serif" font-size="12" '
                     f'fill="{colour}" stroke="#fff" stroke-width="3" paint-order="stroke">{escape(names[int(label)])} {score:.2f}</text>')
    return "".join(parts)


def drawing(image: Any, found: dict[str, Any], names: list[str]) -> str:
    """One picture in its own size."""
    _, h, w = np.shape(image)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}">{layer(image, found, names, 1)}</svg>\n'


def sheet(images: list[Any], found: list[dict[str, Any]], names: list[str]) -> str:
    """Several pictures in rows.

    Args:
        images: (C, H, W) each.
        found: of each "boxes", "scores" and "labels".
        names: of the classes.
    """
    parts = []
    for i, (image, one) in enumerate(zip(images, found)):
        x, y = i % ACROSS * (SIDE + 6), i // ACROSS * (SIDE + 6)
        parts.append(f'<g transform="translate({x},{y})">{layer(image, one, names, SIDE / max(np.shape(image)[1:]))}</g>')
    w, h = min(ACROSS, len(images)) * (SIDE + 6) - 6, -(-len(images) // ACROSS) * (SIDE + 6) - 6
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}">{"".join(parts)}</svg>\n'
