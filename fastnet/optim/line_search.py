"""A line search for steps that satisfy the strong Wolfe conditions: bracket, then zoom in (Nocedal and Wright, chapter 3.5)."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

DECREASE, CURVATURE, MOST = 1e-4, 0.9, 25  # f(t) <= f(0) + DECREASE t f'(0), |f'(t)| <= CURVATURE |f'(0)|; evaluations

Point = tuple[float, float, Any, float]  # t, value, gradient, slope


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two values with their slopes is least, kept within [low, high]; the middle where there is no such place."""
    (t1, f1, _, s1), (t2, f2, _, s2) = (a, b) if a[0] <= b[0] else (b, a)
    if t2 > t1:
        d1 = s1 + s2 - 3 * (f1 - f2) / (t1 - t2)
        square = d1 * d1 - s1 * s2
        if square >= 0:
            root = math.sqrt(square)
            below = s2 - s1 + 2 * root
            if below != 0:
                return min(max(t2 - (t2 - t1) * (s2 + root - d1) / below, low), high)
    return (low + high) / 2


def strong_wolfe(along: Callable[[float], tuple[float, Any, float]], t: float, value: float, gradient: Any, slope: float, size: float,
                 tolerance: float) -> tuple[float, float, Any]:
    """A step t that meets the strong Wolfe conditions, or the best one found.

    Args:
        along: t to the value there, its gradient, and its slope along the line.
        t: the first guess.
        value, gradient, slope: at t = 0; the slope is negative.
        size: largest element of the direction.
        tolerance: stop zooming when the bracket is shorter than this.

    Returns: t, and value and gradient there.
    """
    zero: Point = (0.0, value, gradient, slope)
    low, high, used = zero, None, 0
    while used < MOST:  # go on until a bracket holds a good point
        new: Point = (t, *along(t))
        used += 1
        if not math.isfinite(new[1]) or new[1] > value + DECREASE * t * slope or (used > 1 and new[1] >= low[1]):
            high = new
            break
        if abs(new[3]) <= -CURVATURE * slope:
            return new[:3]
        if new[3] >= 0:
            low, high = new, low
            break
        t = cubic_minimum(low, new, t + 0.01 * (t - low[0]), t * 10)
        low = new
    while high is not None and used < MOST and abs(high[0] - low[0]) * size > tolerance:
        begin, end = sorted((low[0], high[0]))
        margin = 0.1 * (end - begin)
        t = (begin + end) / 2 if not math.isfinite(high[1]) else cubic_minimum(low, high, begin + margin, end - margin)
        new = (t, *along(t))
        used += 1
        if not math.isfinite(new[1]) or new[1] > value + DECREASE * t * slope or new[1] >= low[1]:
            high = new
            continue
        if abs(new[3]) <= -CURVATURE * slope:
            return new[:3]
        if new[3] * (high[0] - low[0]) >= 0:
            high = low
        low = new
    return low[:3]
