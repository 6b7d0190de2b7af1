"""Colours of transforms.functional against plain references, pixel by pixel; what is refused."""
import colorsys

import numpy as np
import pytest
from images import layouts, picture

import fastnet
from fastnet import transforms as T
from fastnet.transforms import functional as F

DTYPES = [np.uint8, np.float32]


def white(x):
    return 255 if x.dtype == np.uint8 else 1


def grey(x):
    g = 0.2989 * x[0].astype(float) + 0.587 * x[1] + 0.114 * x[2]
    return np.floor(g) if x.dtype == np.uint8 else g


def blend(x, y, factor):
    return np.clip(factor * x.astype(float) + (1 - factor) * y, 0, white(x))


def close(got, want, x):
    """Bytes are rounded down; a sum that is nearly whole may fall to either side."""
    assert got.dtype == x.dtype and got.shape == want.shape
    if x.dtype == np.uint8:
        assert (got >= np.floor(want - 1e-3)).all() and (got <= np.floor(want + 1e-3)).all()
    else:
        assert np.abs(got - want).max() <= 1e-5


def through(x, function):
    """Each pixel's r, g, b from 0 to 1 through a function of three numbers."""
    pixels = (x.astype(float) / white(x)).reshape(3, -1).T
    return np.array([function(*p) for p in pixels]).T.reshape(x.shape)


REFERENCES = {
    "adjust_brightness": (lambda x, f: blend(x, 0, f), [0.0, 0.6, 1.0, 2.5]),
    "adjust_contrast": (lambda x, f: blend(x, grey(x).mean(), f), [0.0, 0.6, 1.0, 2.5]),
    "adjust_saturation": (lambda x, f: blend(x, grey(x), f), [0.0, 0.6, 1.0, 2.5]),
    "invert": (lambda x: white(x) - x.astype(float), None),
    "solarize": (lambda x, t: np.where(x >= t, white(x) - x.astype(float), x), [0.0, 0.5, 100.0]),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_single_colours(isa, name, dtype):
    reference, factors = REFERENCES[name]
    for shape in [(3, 5, 7), (3, 1, 1), (3, 4, 40)]:
        x = picture(shape, dtype)
        for f in factors or [()]:
            arguments = (f,) if factors else ()
            for layout, given in layouts(x):
                close(np.asarray(getattr(F, name)(given, *arguments)), reference(x, *arguments), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shift", [-0.5, -0.11, 0.0, 0.3])
def test_hue(isa, dtype, shift):
    x = picture((3, 6, 21), dtype)
    x[:, 0, :3] = [[0, 1, 1], [0, 0, 0.5], [0, 0, 0]] if dtype == np.float32 else [[0, 255, 9], [0, 0, 9], [0, 0, 9]]

    def turned(r, g, b):
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb((h + shift) % 1, s, v)
    close(F.adjust_hue(x, shift), through(x, turned) * (255.999 if dtype == np.uint8 else 1), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_hsv(isa, dtype):
    x = picture((3, 6, 21), dtype)

    def scaled(r, g, b):
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb(h * 1.2 % 1, min(s * 1.5, 1), min(v * 0.8, 1))
    want = through(x, scaled)
    close(F.adjust_hsv(x, 1.2, 1.5, 0.8), want * 255 + 0.5 if dtype == np.uint8 else want, x)
    same = F.adjust_hsv(x, 1.0, 1.0, 1.0)
    assert np.array_equal(same, x) if dtype == np.uint8 else np.allclose(same, x, atol=1e-6)


def test_grey_has_the_channels_that_are_wanted():
    x = picture((3, 4, 5))
    assert np.array_equal(F.rgb_to_grayscale(x), grey(x)[None])
    assert np.array_equal(F.rgb_to_grayscale(x, 3), np.stack([grey(x)] * 3))
    assert np.array_equal(F.rgb_to_grayscale(x[:1], 3), np.repeat(x[:1], 3, 0))


def test_an_image_of_one_channel_has_no_hue_to_change():
    x = picture((1, 4, 5))
    assert np.array_equal(F.adjust_hue(x, 0.3), x) and np.array_equal(F.adjust_saturation(x, 0.3), x)
    close(F.adjust_contrast(x, 0.5), blend(x, x.mean(), 0.5), x)


def test_posterize_keeps_bits():
    x = picture((3, 9, 9))
    for bits in range(9):
        assert np.array_equal(F.posterize(x, bits), x & (256 - 2 ** (8 - bits)))
    y = x.astype(np.float32) / 255
    assert np.allclose(F.posterize(y, 2), np.minimum(np.floor(y * 4), 3) / 4)


def test_autocontrast_and_equalize():
    x = picture((2, 8, 8)) // 3 + 40
    x[1] = 7
    y = F.autocontrast(x)
    assert y[0].min() == 0 and y[0].max() == 255 and (y[1] == 7).all()
    assert (np.diff(y[0].ravel()[x[0].ravel().argsort(kind="stable")].astype(int)) >= 0).all()
    assert np.allclose(F.autocontrast(x[:1].astype(np.float32) / 255)[0], (x[0] - x[0].min()) / np.ptp(x[0]), atol=1e-5)
    ramp = np.repeat(np.arange(0, 64, dtype=np.uint8), 16).reshape(1, 32, 32)
    level = F.equalize(ramp)
    assert level[0, 0, 0] == 0 and level.max() == 255 and np.abs(np.diff(np.unique(level).astype(int)) - 255 / 63).max() <= 2
    assert (F.equalize(np.full((1, 4, 4), 9, np.uint8)) == 9).all()


def test_sharpness():
    x = np.zeros((1, 5, 5), np.uint8)
    x[0, 2, 2] = 130
    smooth = F.adjust_sharpness(x, 0.0)
    assert smooth[0, 2, 2] == 50 and smooth[0, 1, 1] == 10 and smooth[0, 0].tolist() == [0] * 5
    assert F.adjust_sharpness(x // 130 * 125, 0.0)[0, 1, 1] == 10             # 125 / 13, rounded
    assert np.array_equal(F.adjust_sharpness(x, 1.0), x) and F.adjust_sharpness(x, 2.0)[0, 2, 2] == 210
    assert np.array_equal(F.adjust_sharpness(x[:, :2], 0.0), x[:, :2])


def test_dtypes_and_normalize():
    x = picture((3, 4, 5))
    y = F.to_dtype(x, fastnet.float32, scale=True)
    assert y.dtype == np.float32 and np.abs(y - x / 255).max() <= 1e-7
    assert np.array_equal(F.to_dtype(y, np.uint8, scale=True), x)
    assert np.array_equal(F.to_dtype(x, "float32"), x.astype(np.float32))
    assert np.array_equal(F.to_dtype(y * 255, "uint8"), (y * 255).astype(np.uint8))
    levels = np.array([[[0.0, 0.003, 0.5, 0.998, 1.0, 1.5, -1.0]]], np.float32)
    assert F.to_dtype(levels, "uint8", scale=True).tolist() == [[[0, 0, 127, 255, 255, 255, 0]]]
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.25]
    want = (x / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    assert np.abs(F.normalize(y, mean, std) - want).max() <= 1e-6
    both = T.Compose([T.ToFloat(), T.Normalize(mean, std)])(x)
    assert np.abs(both - want).max() <= 1e-6 and both.strides[0] == 4           # channels last in memory


@pytest.mark.parametrize(("call", "error"), [
    (lambda: F.adjust_brightness(picture((2, 3, 3)), 1.0), "adjust_brightness.*channels.*2"),
    (lambda: F.adjust_brightness(picture((3, 3, 3)), -1.0), "brightness_factor"),
    (lambda: F.adjust_hue(picture((3, 3, 3)), 0.6), "hue_factor"),
    (lambda: F.posterize(picture((3, 3, 3)), 9), "bits"),
    (lambda: F.normalize(picture((3, 3, 3), np.float32), [0.5, 0.5], [1, 1]), "mean has 2 values for 3"),
    (lambda: F.normalize(picture((3, 3, 3), np.float32), [0.5], [0]), "std not 0"),
    (lambda: F.to_dtype(picture((3, 3, 3)), "int32"), "dtype"),
    (lambda: F.hflip(np.zeros((3, 3), np.uint8)), r"hflip|horizontal_flip.*\(3, 3\)"),
    (lambda: F.hflip(np.zeros((3, 0, 3), np.uint8)), r"\(3, 0, 3\)"),
    (lambda: F.resize(picture((3, 3, 3)), 0), "size"),
    (lambda: F.resize(picture((3, 3, 3)), 4, "lanczos"), "interpolation.*lanczos"),
    (lambda: F.rotate(picture((3, 3, 3)), 4, "bicubic"), "interpolation"),
    (lambda: F.rotate(picture((3, 3, 3)), 4, expand=True, center=(0, 0)), "expand"),
    (lambda: F.rotate(picture((3, 3, 3)), 4, fill=(1, 2)), "fill"),
    (lambda: F.affine(picture((3, 3, 3)), 0, (0, 0), 0.0, 0), "scale"),
    (lambda: F.perspective(picture((3, 3, 3)), [[0, 0]], [[0, 0]]), "startpoints"),
    (lambda: F.perspective(picture((3, 3, 3)), [[0, 0], [2, 0], [2, 2], [0, 2]], [[0, 0]] * 4), "quadrangle"),
    (lambda: F.gaussian_blur(picture((3, 3, 3)), 4), "odd"),
    (lambda: F.gaussian_blur(picture((3, 3, 3)), 7), "half of the kernel"),
    (lambda: F.gaussian_blur(picture((3, 3, 3)), 3, 0.0), "sigma"),
    (lambda: F.pad(picture((3, 3, 3)), -1), "negative"),
    (lambda: F.pad(picture((3, 3, 3)), 3, padding_mode="reflect"), "reflect"),
    (lambda: F.pad(picture((3, 3, 3)), 1, padding_mode="wrap"), "padding_mode"),
    (lambda: F.resized_crop(picture((3, 3, 3)), 0, 0, 4, 3, 2), "not inside"),
    (lambda: F.erase(picture((3, 3, 3)), 0, 0, 4, 3, 2), "not inside"),
])
def test_values_that_are_refused(call, error):
    with pytest.raises(ValueError, match=error):
        call()


@pytest.mark.parametrize("call", [
    lambda: F.normalize(picture((3, 3, 3)), [0.5], [0.5]),
    lambda: F.hflip(np.zeros((3, 3, 3))),
    lambda: F.hflip([[1]]),
    lambda: F.hflip({"image": picture((3, 3, 3))}),
])
def test_types_that_are_refused(call):
    with pytest.raises(TypeError):
        call()
