"""`python bench/augment.py`: microseconds an image on one thread: crop, flip, colour, normalise; against torchvision where it is there."""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# name: size of the images, of a batch, and the pipeline as text, which both libraries read: T is its module of transforms
CASES = {
    "32x32: crop, flip, colour, normalise": (32, 256,
                                             "T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ColorJitter(.4, .4, .4, .1), FLOAT"),
    "32x32: crop, flip, normalise": (32, 256, "T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), FLOAT"),
    "32x32: RandAugment, normalise": (32, 256, "T.RandAugment(), FLOAT"),
    "224x224: crop, flip, colour, normalise": (
        256, 16, "T.RandomCrop(224), T.RandomHorizontalFlip(), T.ColorJitter(.4, .4, .4, .1), FLOAT"),
    "224x224: resized crop, flip, colour, normalise": (
        320, 16, "T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ColorJitter(.4, .4, .4, .1), FLOAT"),
    "224x224: resized crop, flip, normalise": (320, 16, "T.RandomResizedCrop(224), T.RandomHorizontalFlip(), FLOAT"),
    "224x224: affine, normalise": (224, 16, "T.RandomAffine(20, (.1, .1), (.8, 1.2), interpolation=BILINEAR), FLOAT"),
    "224x224: blur, normalise": (224, 16, "T.GaussianBlur(9), FLOAT"),
    "224x224: RandAugment, normalise": (224, 16, "T.RandAugment(), FLOAT"),
}


def images(size: int, n: int) -> np.ndarray:
    """Smooth noise, (N, H, W, 3), as a decoder leaves it."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (n, size // 4 + 2, size // 4 + 2, 3)).astype(np.float32)
    return np.repeat(np.repeat(small, 4, 1), 4, 2)[:, :size, :size].astype(np.uint8)


def fastnet_ways(case: str) -> dict[str, Callable[[], object]]:
    """One image at a time, and whole batches."""
    import fastnet as fn
    from fastnet import transforms as T
    fn.set_num_threads(1)
    size, n, text = CASES[case]
    pipeline = eval(f"T.Compose([{text.replace('FLOAT', 'T.ToFloat(), T.Normalize(MEAN, STD)')}])",
                    {"T": T, "MEAN": MEAN, "STD": STD, "BILINEAR": "bilinear"})
    x = images(size, n).transpose(0, 3, 1, 2)
    return {"fastnet": lambda: [pipeline(x[i], key=(0, 0, i)) for i in range(n)], "fastnet-batch": lambda: pipeline(x, key=(0, 0,
                                                                                                                            range(n)))}


def torchvision_ways(case: str) -> dict[str, Callable[[], object]]:
    """One image at a time, from tensors and from Pillow's images, the two ways that torchvision has."""
    import torch
    from PIL import Image
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import v2 as T
    torch.set_num_threads(1)
    size, n, text = CASES[case]
    names = {"T": T, "torch": torch, "MEAN": MEAN, "STD": STD, "BILINEAR": InterpolationMode.BILINEAR}
    floats = "T.ToDtype(torch.float32, scale=True), T.Normalize(MEAN, STD)"
    tensors = eval(f"T.Compose([{text.replace('FLOAT', floats)}])", names)
    pillow = eval(f"T.Compose([{text.replace('FLOAT', 'T.ToImage(), ' + floats)}])", names)
    x = images(size, n)
    planes = [torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in x]
    pixels = [torch.from_numpy(image).permute(2, 0, 1) for image in x]
    pictures = [Image.fromarray(image) for image in x]
    return {"torchvision-tensor": lambda: [tensors(image) for image in planes],
            "torchvision-pixels": lambda: [tensors(image) for image in pixels],
            "torchvision-pillow": lambda: [pillow(image) for image in pictures]}


def measure(library: str, case: str, seconds: float) -> None:
    """Print the best time of an image for each way of a library, in microseconds."""
    for name, run in (fastnet_ways if library == "fastnet" else torchvision_ways)(case).items():
        run()
        best, end = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.process_time()                 # one thread: what others do on the core does not count
            run()
            best = min(best, time.process_time() - start)
        print(name, best / CASES[case][1] * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that has torchvision (default: this one)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, in turns (default 3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement (default 0.5)")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="the core that all run on")
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--measure", nargs=2, metavar=("LIBRARY", "CASE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.sched_setaffinity(0, [args.cpu])
    if args.measure:
        measure(*args.measure, args.seconds)
        return
    print("| images | " + "fastnet, one by one | fastnet, batch | torchvision, best of its ways | times |\n|---|---|---|---|---|")
    for case in (c for c in CASES if args.only in c):
        best: dict[str, float] = {}
        for _ in range(args.rounds):
            for library, python in (("fastnet", sys.executable), ("torchvision", args.python)):
                done = subprocess.run([python, __file__, "--measure", library, case, "--seconds", str(args.seconds), "--cpu",
                                       str(args.cpu)],
                                      capture_output=True, text=True)
                if done.returncode and library == "fastnet":
                    raise SystemExit(done.stderr)
                for line in done.stdout.splitlines():
                    name, us = line.split()
                    best[name] = min(best.get(name, float("inf")), float(us))
        theirs = {name: us for name, us in best.items() if name.startswith("torchvision")}
        peer, us = min(theirs.items(), key=lambda item: item[1]) if theirs else ("not installed", float("nan"))
        print(f"| {case} | {best['fastnet']:.1f} us | {best['fastnet-batch']:.1f} us | {us:.1f} us ({peer.partition('-')[2]}) "
              f"| {us / best['fastnet']:.1f}, {us / best['fastnet-batch']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
