"""Size and device: two small values that PyTorch's users expect."""
from __future__ import annotations


class Size(tuple):
    """A shape: a tuple with numel()."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of that shape."""
        n = 1
        for size in self:
            n *= size
        return n

    def __repr__(self) -> str:
        return f"fastnet.Size([{', '.join(map(str, self))}])"


class device:
    """Where a tensor lives: always the CPU.

    Raises:
        RuntimeError: any other device is asked for.
    """

    __slots__ = ()
    type = "cpu"
    index = None

    def __init__(self, type: object = "cpu", index: int | None = None) -> None:
        if not (isinstance(type, device) or (isinstance(type, str) and type in ("cpu", "cpu:0"))) or index not in (None, 0):
            raise RuntimeError(f"device {type!r}: fastnet computes on the CPU only; use device='cpu' or leave it out")

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device)

    def __hash__(self) -> int:
        return hash("cpu")
