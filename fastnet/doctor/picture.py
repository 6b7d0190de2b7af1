"""A picture of gradient flow: the norm of the gradient at each layer, first to last, on a logarithmic axis; SVG without any library."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from fastnet.training.curve import COLOURS, ticks

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 720, 420, 80, 20, 40
LINE = 18                                                 # height of a line of the legend


def gradient_flow(curves: Mapping[str, Sequence[float]], names: Sequence[str] = (), title: str = "gradient flow",
                  axis: str = "norm of dL/d(output)") -> str:
    """Curves over layers as the text of an SVG file.

    Args:
        curves: name -> a positive number for each layer, first to last; zeros and what is not finite leave a gap.
        names: of the layers, below the picture; none: their numbers.
        title, axis: text above, and at the left.

    Raises:
        ValueError: there is no number to draw.

    >>> from fastnet.doctor.picture import gradient_flow
    >>> gradient_flow({"sigmoid": [1e-6, 1e-3, 1.0]})[:4]
    '<svg'
    """
    values = [v for curve in curves.values() for v in curve if math.isfinite(v) and v > 0]
    if not values:
        raise ValueError("gradient_flow: no curve has a positive, finite number")
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = max(0.05, 0.05 * (high - low))
    low, high = low - margin, high + margin
    count = max(map(len, curves.values()))
    bottom = 30 + (min(150, 7 * max(map(len, names))) if names else 20)
    last = HEIGHT - bottom

    def x(i: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((i + 0.5) / count)

    def y(value: float) -> float:
        return TOP + (last - TOP) * (high - math.log10(value)) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">{escape(title)}</text>']
    shown = ticks(low, high)
    for value in shown[::max(1, len(shown) // 9)]:
        parts += [f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                  f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>']
    every = max(1, math.ceil(count / 40))
    for i in range(0, count, every):
        if names:
            parts.append(f'<text transform="translate({x(i) + 4:.1f} {last + 12}) rotate(-60)" text-anchor="end">{escape(names[i])}</text>')
        else:
            parts.append(f'<text x="{x(i):.1f}" y="{last + 20}" text-anchor="middle">{i + 1}</text>')
    if not names:
        parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">layer, from input to output</text>')
    parts += [f'<path d="M{LEFT} {TOP}V{last}H{WIDTH - RIGHT}" stroke="black" fill="none"/>',
              f'<text transform="translate(16 {(TOP + last) / 2}) rotate(-90)" text-anchor="middle">{escape(axis)}</text>']
    for at, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[at % len(COLOURS)]
        points = [(x(i), y(v)) for i, v in enumerate(curve) if math.isfinite(v) and v > 0]
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        if len(curves) > 1:
            parts.append(f'<text x="{WIDTH - RIGHT - 8}" y="{last - 8 - LINE * (len(curves) - 1 - at)}" text-anchor="end" '
                         f'fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
