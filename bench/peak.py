"""The yardsticks: how many multiply-adds and how many bytes a second this machine gives, through fastnet's own launcher."""
from __future__ import annotations

import ctypes
from time import perf_counter

import numpy as np

import fastnet
from fastnet._core.launch import _launch_by_name

FLOP, BLOCK = 2 * 12 * (1 << 16), 4096                    # the units of csrc/kernels/peak.h
BYTES = 64 * 2**20
STREAMS = {"read": 1, "copy": 2, "triad": 3, "update": 2}  # arrays that each element of the pattern moves


class Args(ctypes.Structure):
    """fn_peak_args."""
    _fields_ = [(name, ctypes.c_void_p) for name in ("x", "z", "y", "sum")]


arrays: dict[str, fastnet.Tensor] = {}


def probe(dtype: str, pattern: str, threads: int) -> dict[str, float]:
    """Best of twelve short launches: `flops` on the active instruction set, `bytes` of the pattern."""
    if not arrays:
        arrays.update({k: fastnet.tensor(np.ones(BYTES // 4, np.float32)) for k in "xyz"}, sum=fastnet.tensor(np.ones(BYTES // BLOCK // 4)))
    args = Args(**{k: v.data_ptr() for k, v in arrays.items()})
    number = {"float32": 0, "float64": 1}[dtype]

    def rate(kernel: str, units: int, work: float) -> float:
        best = float("inf")
        for _ in range(12):
            start = perf_counter()
            _launch_by_name(kernel, number, ctypes.addressof(args), 0, units, threads)
            best = min(best, perf_counter() - start)
        return work / best
    units, blocks = 64 * threads, BYTES // (4 << number) // BLOCK
    return {"flops": rate("peak_fma", units, units * FLOP),
            "bytes": rate(f"peak_{pattern}", blocks, STREAMS[pattern] * BYTES)}
