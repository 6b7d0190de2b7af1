"""transforms.functional against torchvision's, where that is installed: the same bytes, or off by one level where sums are rounded."""
import numpy as np
import pytest
from images import picture

from fastnet.transforms import functional as F

pytest.importorskip("torchvision")
import torch  # noqa: E402
from torchvision.transforms import InterpolationMode  # noqa: E402
from torchvision.transforms.v2 import functional as V  # noqa: E402

START, END = [[0, 0], [52, 0], [52, 36], [0, 36]], [[2, 1], [50, 0], [51, 34], [1, 36]]
# name, arguments, the largest difference of bytes, and the part of them that may differ at all
CASES = [
    ("crop", (-2, 3, 20, 60), 0, 0), ("center_crop", ([60, 21],), 0, 0), ("pad", ([1, 2, 3, 4], 7), 0, 0), ("pad", ([1, 2, 3, 4], 0,
                                                                                                                    "reflect"), 0, 0),
    ("horizontal_flip", (), 0, 0), ("resize", ([17],), 1, 0.3), ("resize", ([50, 11],), 1, 0.3), ("resize", ([20, 100], "nearest"), 0, 0),
    ("resize", ([20, 100], "nearest-exact"), 0, 0), ("resize", ([18, 26], "bicubic"), 12, 0.3), ("resized_crop", (3, 4, 20, 30, [24, 24]),
                                                                                                 1, 0.3),
    ("rotate", (33, "nearest"), 255, 0.002), ("rotate", (33, "bilinear", True), 1, 0.002), ("rotate", (90, "nearest", True), 0, 0),
    ("affine", (20, [3, -2], 1.3, [10, -5], "bilinear"), 1, 0.002), ("affine", (-7, [3, -2], 0.6, [0, 9], "nearest"), 255, 0.002),
    ("perspective", (START, END, "bilinear"), 1, 0.002), ("adjust_brightness", (1.4,), 0, 0), ("adjust_contrast", (0.3,), 1, 0.01),
    ("adjust_saturation", (1.7,), 1, 0.01), ("adjust_hue", (-0.2,), 1, 0.01), ("adjust_sharpness", (1.8,), 1, 0.02), ("rgb_to_grayscale",
                                                                                                                      (3,), 0, 0),
    ("invert", (), 0, 0), ("solarize", (100,), 0, 0), ("posterize", (3,), 0, 0), ("autocontrast", (), 1, 0.05), ("equalize", (), 0, 0),
    ("gaussian_blur", ([5, 7], [1.3, 0.6]), 1, 0.01),
]


@pytest.mark.parametrize(("name", "arguments", "levels", "share"), CASES, ids=[f"{c[0]}{c[1]}" for c in CASES])
def test_bytes(name, arguments, levels, share):
    x = picture((3, 37, 53))
    theirs = [InterpolationMode(a) if a in ("nearest", "nearest-exact", "bilinear", "bicubic") else a for a in arguments]
    want, got = getattr(V, name)(torch.from_numpy(x), *theirs).numpy(), getattr(F, name)(x, *arguments)
    off = np.abs(want.astype(int) - got)
    assert got.shape == want.shape and off.max() <= levels and (off > 0).mean() <= share, (off.max(), (off > 0).mean())


@pytest.mark.parametrize(("name", "arguments"), [c[:2] for c in CASES if c[0] not in ("solarize", "pad",
                                                                                      "equalize") and "nearest" not in c[1]],
                         ids=lambda v: str(v))
def test_floats(name, arguments):
    x = picture((3, 37, 53), np.float32)
    theirs = [InterpolationMode(a) if a in ("nearest", "nearest-exact", "bilinear", "bicubic") else a for a in arguments]
    want, got = getattr(V, name)(torch.from_numpy(x), *theirs).numpy(), getattr(F, name)(x, *arguments)
    assert np.abs(want - got).max() <= 2e-5
