"""`python bench/numerics.py`: rounding errors of convolution's algorithms, layer by layer, against NumPy in float64 (docs/numerics.md)."""
from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numerics_training
import numpy as np

import fastnet as fn
from fastnet.backends import conv

LAYERS = [(8, 64, 56, 1), (32, 64, 32, 1), (32, 128, 16, 1), (32, 256, 8, 1), (32, 512, 4, 1), (8, 128, 28, 1), (8, 256, 14, 1),
          (8, 512, 7, 1), (1, 64, 160, 2), (8, 128, 56, 2), (8, 256, 28, 2), (8, 512, 14, 2), (32, 32, 32, 2), (32, 32, 32, 1),
          (32, 16, 32, 1)]                             # images, channels, size, stride
ALGORITHMS = ("direct", "winograd2", "winograd4")
PASSES = ("y", "gx", "gw")
BOUNDS = {("y", "winograd2"): 1.2, ("y", "winograd4"): 4, ("gx", "winograd2"): 1.2, ("gx", "winograd4"): 4,
          ("gw", "winograd2"): 4, ("gw", "winograd4"): 8}

HEADER = """# Rounding errors of convolutions

Written by `python bench/numerics.py --write docs/numerics.md` (`--train` makes the last section anew); `tests/test_winograd.py` holds
smaller layers to the same bounds.

Convolutions of 3x3 with stride 1 may take Winograd's algorithm: F(2x2, 3x3) with the points 0, 1, -1, or F(4x4, 3x3) with 0, 1, -1, 1/2,
-2, each with the point at infinity; where 4 does not divide an image the last tiles are smaller, with as many of these points. It needs
2.25 or 4 times fewer multiplications than the direct sum and rounds in other places: the sums are shorter, but numbers of different
size are added before and after them. With stride 2, tiles of 4x4 outputs take F(4, 2) with the points 1/2, -1/2, 3/2, -3/2 and infinity
along the even pixels of an axis and F(4, 1) with the first four of them along the odd ones: 1.78 times fewer multiplications. It stands
in the columns of F(4x4), with the same bounds. `fastnet.backends.conv.explain` tells which algorithm a shape
takes; `fastnet.set_float32_matmul_precision("highest")` forbids Winograd's. float64 is always computed directly.

What is measured: the error of y, gx and gw against the definition in float64, as the root of its mean square and as its largest value,
both divided by the root mean square of the exact result. Images are the positive part of normal numbers, weights have the variance
2 / (9 C) (He), gradients are normal; there are as many input as output channels. A ratio is the error divided by that of the direct
algorithm in float32.

"""
FOOTER = """
For scale: TF32, which PyTorch uses for convolutions on GPUs unless it is told not to, rounds every factor to 11 bits, an error of up to
5e-4 for each.

An infinity or a NaN in the input reaches every output of its tile, and can turn into NaN where the direct sum would be infinite; other
tiles and other images are not touched.
"""


def exact(x: np.ndarray, w: np.ndarray, gy: np.ndarray, stride: int) -> dict[str, np.ndarray]:
    """y, gx, gw by the definition, in float64; images are channels last, padding is 1."""
    x, w, gy = (a.astype(np.float64) for a in (x, w, gy))
    _, h, width, _ = x.shape
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    y, gx, gw = np.zeros_like(gy), np.zeros_like(padded), np.zeros_like(w)
    for i in range(3):
        for j in range(3):
            part = np.s_[:, i:i + h:stride, j:j + width:stride]
            y += padded[part] @ w[:, :, i, j].T
            gx[part] += gy @ w[:, :, i, j]
            gw[:, :, i, j] = np.tensordot(gy, padded[part], [[0, 1, 2], [0, 1, 2]])
    return {"y": y, "gx": gx[:, 1:-1, 1:-1], "gw": gw}


def computed(algorithm: str, x: np.ndarray, w: np.ndarray, gy: np.ndarray, stride: int) -> dict[str, np.ndarray]:
    """The same from fastnet in float32."""
    with conv.flags(algorithm=algorithm):
        image = fn.tensor(x).permute(0, 3, 1, 2).detach().requires_grad_()
        weight = fn.tensor(w).requires_grad_()
        y = fn.nn.functional.conv2d(image, weight, stride=stride, padding=1)
        y.backward(fn.tensor(gy).permute(0, 3, 1, 2))
    last = [t.permute(0, 2, 3, 1).numpy() for t in (y.detach(), image.grad)]
    return {"y": last[0], "gx": last[1], "gw": weight.grad.numpy()}


def errors(n: int, c: int, h: int, stride: int, seed: int = 0) -> Iterator[tuple[str, str, float, float]]:
    """(pass, algorithm, rms error, largest error) of one layer."""
    rng = np.random.default_rng(seed)
    x = np.maximum(rng.standard_normal((n, h, h, c), dtype=np.float32), 0)
    w = rng.standard_normal((c, c, 3, 3), dtype=np.float32) * np.float32(np.sqrt(2 / (9 * c)))
    gy = rng.standard_normal((n, h // stride, h // stride, c), dtype=np.float32)
    want = exact(x, w, gy, stride)
    for algorithm in ALGORITHMS if stride == 1 else ("direct", "winograd4"):
        got = computed(algorithm, x, w, gy, stride)
        for name in PASSES:
            scale, error = np.sqrt(np.mean(want[name]**2)), got[name] - want[name]
            yield name, algorithm, float(np.sqrt(np.mean(error**2)) / scale), float(np.abs(error).max() / scale)


def tables(layers: list[tuple[int, int, int, int]]) -> tuple[str, list[str]]:
    """The tables in Markdown, and a line for each bound that does not hold."""
    rows: dict[str, list[str]] = {name: [] for name in PASSES}
    missed = []
    for n, c, h, stride in layers:
        found = {(name, algorithm): (rms, most) for name, algorithm, rms, most in errors(n, c, h, stride)}
        layer = f"N{n} {c}@{h}" + (f"/{stride}" if stride > 1 else "")
        for name in PASSES:
            plain = found[name, "direct"][0]
            cells = [layer, f"{plain:.1e}", f"{found[name, 'direct'][1]:.1e}"]
            for algorithm in ALGORITHMS[1:]:
                if (name, algorithm) not in found:
                    cells += ["-"] * 3
                    continue
                rms, most = found[name, algorithm]
                cells += [f"{rms:.1e}", f"{rms / plain:.2f}", f"{most:.1e}"]
                if rms > BOUNDS[name, algorithm] * plain:
                    missed.append(f"{layer}, {name}, {algorithm}: {rms / plain:.2f} times the direct error, "
                                  f"{BOUNDS[name, algorithm]} are allowed")
            rows[name].append("| " + " | ".join(cells) + " |")
        print(f"{layer} done", file=sys.stderr)
    text = ""
    for name, title in zip(PASSES, ("Output", "Gradient of the input", "Gradient of the weight")):
        text += (f"## {title}\n\nAllowed ratios: {BOUNDS[name, 'winograd2']:g} for F(2x2), {BOUNDS[name, 'winograd4']:g} for F(4x4).\n\n"
                 "| images, channels@size/stride | direct rms | largest | F(2x2) rms | ratio | largest | F(4x4) rms | ratio | largest |\n"
                 "|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows[name]) + "\n\n")
    return text.rstrip() + "\n", missed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python bench/numerics.py", description=__doc__)
    parser.add_argument("--write", metavar="FILE", help="write the page; default: print it")
    parser.add_argument("--quick", action="store_true", help="only the two smallest layers")
    parser.add_argument("--train", action="store_true", help="train a ResNet-18 with and without Winograd's algorithm, too; some minutes")
    parser.add_argument("--data", metavar="DIR", help="folder of Fashion-MNIST's files, for --train")
    args = parser.parse_args(argv)
    text, missed = tables(LAYERS[-2:] if args.quick else LAYERS)
    page = HEADER + text + FOOTER
    if args.train:
        page += "\n" + numerics_training.section(args.data)
    elif args.write and Path(args.write).exists():       # what was trained before stays
        page += "".join(re.findall(r"\n## Training\n.*", Path(args.write).read_text(), re.S))
    if args.write:
        Path(args.write).write_text(page)
    else:
        print(page, end="")
    print(*missed, sep="\n", end="\n" if missed else "", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
