"""The orders in which the axes of a tensor can lie in memory."""
from __future__ import annotations


class memory_format(str):  # noqa: N801 - PyTorch's spelling
    """The order of the axes in memory, such as ``fastnet.channels_last``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"fastnet.{self}"

    def __reduce__(self) -> str:
        return str(self)


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
