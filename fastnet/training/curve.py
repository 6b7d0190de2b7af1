"""A picture of loss curves as SVG, written without any library."""
from __future__ import annotations

import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 20, 40, 50
COLOURS = ("#4c78a8", "#e4593b", "#54a24b", "#b279a2")


def loss_curve(curves: dict[str, list[float]], title: str, axis: str = "epoch") -> str:
    """Curves over epochs on a logarithmic axis, as the text of an SVG file.

    Args:
        curves: name -> one positive loss an epoch, all of one length.
        title: text above the picture.
        axis: text below it.

    >>> from fastnet.training.curve import loss_curve
    >>> loss_curve({"training": [2.0, 1.0, 0.5]}, "digits")[:4]
    '<svg'
    """
    tiny = 1e-12                                          # a loss of exactly 0 has no logarithm
    values = [max(v, tiny) for curve in curves.values() for v in curve]
    low, high = math.log10(min(values)), math.log10(max(values))
    if high - low < 0.1:
        low, high = low - 0.05, high + 0.05
    count = max(len(curve) for curve in curves.values())

    def x(epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((epoch - 1) / (count - 1) if count > 1 else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(max(value, tiny))) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">{escape(title)}</text>']
    for value in ticks(low, high):
        parts += [f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                  f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>']
    for epoch in sorted({1, *(round(1 + i * (count - 1) / 6) for i in range(7))}):
        parts.append(f'<text x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{epoch}</text>')
    parts += [f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="black" fill="none"/>',
              f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(axis)}</text>',
              f'<text transform="rotate(-90 18 {HEIGHT / 2})" x="18" y="{HEIGHT / 2}" text-anchor="middle">loss</text>']
    for at, (name, curve) in enumerate(curves.items()):
        colour, points = COLOURS[at % len(COLOURS)], [f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(curve, 1)]
        mark = f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        if len(curve) == 1:
            mark = f'<circle cx="{x(1):.1f}" cy="{y(curve[0]):.1f}" r="4" fill="{colour}"/>'
        parts += [mark, f'<text x="{WIDTH - RIGHT - 8}" y="{TOP + 16 + 18 * at}" text-anchor="end" fill="{colour}">{escape(name)}</text>']
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float) -> list[float]:
    """Round values (1, 2, 5 times a power of ten) between 10**low and 10**high; only powers of ten where the range is wide.

    >>> from fastnet.training.curve import ticks
    >>> ticks(-1.1, 0.5)
    [0.1, 0.2, 0.5, 1.0, 2.0]
    """
    steps = (1,) if high - low > 3 else (1, 2, 5)
    values = [m * 10.0 ** e for e in range(math.floor(low), math.ceil(high) + 1) for m in steps]
    inside = [v for v in values if low <= math.log10(v) <= high]
    return inside if len(inside) > 1 else [float(f"{10 ** (low + (high - low) * i / 3):.3g}") for i in range(4)]
