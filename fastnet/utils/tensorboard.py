"""utils.tensorboard: SummaryWriter, tensorboardX's, which takes tensors of fastnet."""
from __future__ import annotations

import os
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor


def _plain(value: Any) -> Any:
    """Tensors as arrays, also in lists and dicts."""
    if isinstance(value, Tensor):
        return np.ascontiguousarray(value.detach().numpy())
    if isinstance(value, (list, tuple)) and any(isinstance(part, (Tensor, list, tuple)) for part in value):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


class SummaryWriter:
    """Writes scalars, histograms, images, text and figures that TensorBoard shows.

    It has the methods of tensorboardX's class, which are PyTorch's, but for `add_graph`: there is no graph of a module to write. A
    `Trainer` writes its records with the callback `fastnet.training.TensorBoard`.

    Args:
        log_dir: folder for the event files; None: a new one in ``runs``.
        args, options: for ``tensorboardX.SummaryWriter``.

    Raises: ImportError without tensorboardX, which `pip install 'fastnet[tensorboard]'` brings.
    """

    def __init__(self, log_dir: str | os.PathLike | None = None, *args: Any, **options: Any) -> None:
        try:
            import tensorboardX  # type: ignore[import-not-found]
        except ImportError:
            raise ImportError("SummaryWriter needs tensorboardX: pip install 'fastnet[tensorboard]'") from None
        self._writer = tensorboardX.SummaryWriter(None if log_dir is None else os.fspath(log_dir), *args, **options)

    def __getattr__(self, name: str) -> Any:
        if name == "_writer" or name in ("add_graph", "add_onnx_graph"):
            raise AttributeError(f"SummaryWriter: {name} is not there: fastnet has no graph of a module to write")
        found = getattr(self._writer, name)
        if not name.startswith("add_"):
            return found
        return lambda *args, **options: found(*map(_plain, args), **_plain(options))

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self._writer.close()
