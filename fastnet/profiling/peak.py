"""The most that this machine does: multiply-adds in registers, measured in some ten milliseconds."""
from __future__ import annotations

import ctypes
from time import perf_counter
from typing import Any

import fastnet as fn
from fastnet._core.launch import _launch_by_name  # type: ignore[attr-defined]

FLOP = 2 * 12 * (1 << 16)                                # operations of one unit of csrc/kernels/peak.h


class _Args(ctypes.Structure):
    """fn_peak_args."""
    _fields_ = [(name, ctypes.c_void_p) for name in ("x", "z", "y", "sum")]


def peak_flops(dtype: Any = None, threads: int | None = None) -> float:
    """Operations a second (a multiply-add is 2) that `threads` threads reach in registers; the best of twelve short runs.

    Args:
        dtype: float32 or float64; the default dtype if None.
        threads: how many; as many as kernels use if None.

    >>> from fastnet.profiling import peak_flops
    >>> peak_flops(threads=1) > 1e8
    True
    """
    dtype, threads = dtype or fn.get_default_dtype(), threads or fn.get_num_threads()
    # On a busy machine threads wait for each other at every launch: together they reach at least what one does.
    return max(_measured(dtype, n) for n in {1, threads})


def _measured(dtype: Any, threads: int) -> float:
    units = 32 * threads
    sums = fn.zeros(units, dtype=fn.float64)
    args, best = _Args(sum=sums.data_ptr()), float("inf")
    for _ in range(12):
        start = perf_counter()
        _launch_by_name("peak_fma", 0 if dtype == fn.float32 else 1, ctypes.addressof(args), 0, units, threads)
        best = min(best, perf_counter() - start)
    return units * FLOP / best
