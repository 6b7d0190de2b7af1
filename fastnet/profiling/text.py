"""Numbers and tables as text."""
from __future__ import annotations

from collections.abc import Sequence


def amount(x: float, unit: str = "") -> str:
    """1234567 as "1.23 M", with a unit behind the prefix; 0 as "0"."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(x) >= size:
            return f"{x / size:.{2 if x / size < 100 else 1}f} {prefix}{unit}"
    return f"{x:.3g}" + (f" {unit}" if unit else "")


def size(x: float) -> str:
    """Bytes as "1.5 MiB"."""
    for step, prefix in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(x) >= step:
            return f"{x / step:.1f} {prefix}"
    return f"{x:.0f} B"


def seconds(x: float) -> str:
    """Seconds as "12.3 ms"."""
    for step, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if x >= step:
            return f"{x / step:.{2 if x / step < 100 else 0}f} {unit}"
    return "0" if x <= 0 else f"{x * 1e9:.0f} ns"


def duration(x: float) -> str:
    """Seconds as people say them: "2 h 05 min", "3 min 20 s", "4.2 s"."""
    if x < 60:
        return f"{x:.2g} s" if x < 10 else f"{x:.0f} s"
    minutes, rest = divmod(round(x), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], last: bool = False, width: int | None = None) -> str:
    """Columns under their heads with a rule between; the first to the left, and with `last` the last one, the others to the right.

    With `width` the last column takes what is left of it, at least 12 letters, and the first is cut where that is not enough.
    """
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    if width is not None:
        room = width - sum(widths[1:-1]) - 2 * (len(widths) - 1)
        widths[0] = min(widths[0], room - min(widths[-1], 12))
        widths[-1] = min(widths[-1], room - widths[0])

    def line(row: Sequence[str]) -> str:
        cells = [cut(c, w) for c, w in zip(row, widths)]
        cells = [c.ljust(w) if i == 0 or (last and i == len(row) - 1) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        return "  ".join(cells).rstrip()
    return "\n".join([line(head), "-" * (sum(widths) + 2 * (len(widths) - 1)), *map(line, rows)])


def cut(word: str, width: int) -> str:
    """The word, with ".." for what does not fit."""
    return word if len(word) <= width else word[:max(0, width - 2)] + ".."
