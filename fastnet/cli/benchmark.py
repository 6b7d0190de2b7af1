"""`fastnet bench`: a short measurement of this installation, each result checked; the full benchmark is in the source tree."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import fastnet
from fastnet.cli.options import positive
from fastnet.cli.refused import Refused


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("bench", help="measure this installation for a few seconds", description="Matrix product, convolution, "
                                  "training steps and memory, each checked against NumPy in float64, with the percent of this "
                                  "machine's measured peak. The benchmark against other libraries is in the source tree: "
                                  "python bench --quick.")
    command.add_argument("--threads", type=positive(int), metavar="N", help="threads (default: all)")
    command.add_argument("--seconds", type=positive(float), default=0.5, metavar="X", help="time for each case (default: 0.5)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print a line a case: the shortest time, and what it means. The peak is the highest of those measured before and after each case."""
    from fastnet.profiling import peak_flops
    if args.threads:
        fastnet.set_num_threads(args.threads)
    threads, peak = fastnet.get_num_threads(), peak_flops()
    found: list[tuple[str, float, float, str]] = []
    for name, make in CASES.items():
        step, check, work, unit = make()
        for _ in range(2):
            step()
        check()
        best, begin = float("inf"), perf_counter()
        while perf_counter() - begin < args.seconds:
            start = perf_counter()
            step()
            best = min(best, perf_counter() - start)
        peak = max(peak, peak_flops())
        found.append((name, best, work / best, unit))
    print(f"fastnet {fastnet.__version__}, {fastnet.get_isa()}, {threads} thread{'s' * (threads > 1)}, "
          f"peak {peak / 1e9:.0f} GFLOP/s in float32, measured")
    for name, best, rate, unit in found:
        share = f"  {rate / peak:6.1%} of peak" if unit == "GFLOP/s" else ""
        print(f"{name:38} {best * 1e6:9.1f} us  {rate / 1e9:7.1f} {unit}{share}")


Case = tuple[Callable[[], Any], Callable[[], None], float, str]


def close(what: str, got: Any, want: np.ndarray) -> None:
    """Refuse a result that is wrong: then a time says nothing."""
    error = float(np.abs(np.asarray(got, np.float64) - want).max() / max(1.0, float(np.abs(want).max())))
    if not error < 1e-4:
        raise Refused(f"{what}: the result is off by {error:.1e}; this installation computes wrongly, please report it with fastnet info")


def gemm() -> Case:
    """A square matrix product."""
    rng, n = np.random.default_rng(0), 768
    a, b = (rng.standard_normal((n, n)).astype(np.float32) for _ in range(2))
    x, y = fastnet.from_numpy(a), fastnet.from_numpy(b)
    return (lambda: x @ y), (lambda: close("matmul", x @ y, a.astype(np.float64) @ b)), 2.0 * n ** 3, "GFLOP/s"


def convolution() -> Case:
    """A 3x3 convolution; the rate counts the operations of the direct sum, so that Winograd's algorithm may pass the peak."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((8, 64, 32, 32)).astype(np.float32), (rng.standard_normal((64, 64, 3, 3)) / 24).astype(np.float32)
    tx, tw = fastnet.from_numpy(x).contiguous(memory_format=fastnet.channels_last), fastnet.from_numpy(w)

    def step() -> Any:
        return fastnet.nn.functional.conv2d(tx, tw, padding=1)

    def check() -> None:
        padded = np.pad(x[:1].astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        close("conv2d", step()[:1], np.einsum("nchwij,kcij->nkhw", windows, w, optimize=True))
    return step, check, 2.0 * 8 * 64 * 64 * 9 * 32 * 32, "GFLOP/s"


def training_step(sizes: tuple[int, ...], batch: int) -> Case:
    """Forward, backward and Adam of a perceptron."""
    fastnet.manual_seed(0)
    rng, nn = np.random.default_rng(0), fastnet.nn
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    model = nn.Sequential(*layers[:-1])
    optimizer = fastnet.optim.Adam(model.parameters())
    x = fastnet.from_numpy(rng.standard_normal((batch, sizes[0])).astype(np.float32))
    y = fastnet.from_numpy(rng.integers(0, sizes[-1], batch))

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    def check() -> None:
        h = x.numpy().astype(np.float64)
        for i, layer in enumerate(model[::2]):
            h = (np.maximum(h, 0) if i else h) @ layer.weight.detach().numpy().T.astype(np.float64) + layer.bias.detach().numpy()
        with fastnet.no_grad():
            close("perceptron", model(x), h)
    return step, check, 6.0 * batch * sum(a * b for a, b in zip(sizes, sizes[1:])), "GFLOP/s"


def addition() -> Case:
    """Two large arrays added: memory alone."""
    n = 1 << 24
    x, y = fastnet.ones(n), fastnet.full((n,), 2.0)
    return (lambda: x + y), (lambda: close("add", (x + y)[::1000], np.array(3.0))), 12.0 * n, "GB/s"


CASES: dict[str, Callable[[], Case]] = {
    "matmul 768x768x768": gemm, "conv2d 8x64x32x32, 3x3, 64": convolution,
    "training step 784-256-256-10, batch 64": lambda: training_step((784, 256, 256, 10), 64),
    "training step 8-64-64-4, batch 16": lambda: training_step((8, 64, 64, 4), 16), "add of 64 MiB arrays": addition}
