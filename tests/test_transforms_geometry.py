"""Geometry of transforms.functional against exact references: crops, flips, padding, warps, resizing, blur."""
import numpy as np
import pytest
from images import layouts, picture, resized, warped

import fastnet
from fastnet.transforms import functional as F

DTYPES = [np.uint8, np.float32]
SHAPES = [(3, 7, 9), (1, 1, 1), (3, 1, 6), (2, 5, 1), (5, 8, 8), (2, 3, 16, 33)]


def close(got, want, dtype):
    """Bytes: the nearest ones; floats: to 2e-5."""
    got = np.asarray(got)
    assert got.dtype == dtype and got.shape == want.shape
    want = np.clip(want, 0, 255) if dtype == np.uint8 else want
    assert np.abs(got - want).max(initial=0) <= (0.502 if dtype == np.uint8 else 2e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_crops_flips_and_padding_move_pixels(isa, shape, dtype):
    x = picture(shape, dtype)
    for name, given in layouts(x):
        h, w = x.shape[-2:]
        assert np.array_equal(F.hflip(given), x[..., ::-1]), name
        assert np.array_equal(F.vflip(given), x[..., ::-1, :]), name
        assert np.array_equal(F.crop(given, h // 2, w // 3, h - h // 2, w - w // 3), x[..., h // 2:, w // 3:]), name
        wide = np.pad(x, ((0, 0),) * (x.ndim - 2) + ((2, 4), (1, 3)))
        assert np.array_equal(F.pad(given, (1, 2, 3, 4)), wide), name
        assert np.array_equal(F.crop(given, -2, -1, h + 6, w + 4), wide), name
        assert isinstance(F.hflip(given), type(given))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_padding_modes(mode):
    x = picture((3, 6, 5))
    assert np.array_equal(F.pad(x, (1, 2, 3, 4), padding_mode=mode), np.pad(x, ((0, 0), (2, 4), (1, 3)), mode))


def test_a_fill_for_each_channel():
    y = F.pad(picture((3, 2, 2)), 1, fill=(1, 2, 3))
    assert y[:, 0, 0].tolist() == y[:, -1, -1].tolist() == [1, 2, 3]


def test_the_middle():
    x = picture((1, 5, 8))
    assert np.array_equal(F.center_crop(x, (3, 4)), x[:, 1:4, 2:6])
    assert np.array_equal(F.center_crop(x, (7, 8)), np.pad(x, ((0, 0), (1, 1), (0, 0))))


MATRICES = {"turned": [[0.81, 0.58, -2.317], [-0.583, 0.812, 4.129], [0, 0, 1]], "small": [[2.5, 0, -3.2], [0, 1.7, 0.4], [0, 0, 1]],
            "perspective": [[1.1, 0.2, -1.0], [0.05, 0.9, 0.3], [0.01, 0.02, 1.0]], "the same": np.eye(3),
            "far away": [[1, 0, 1e9], [0, 1, 0], [0, 0, 1]]}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_warps(isa, name, dtype, interpolation):
    from fastnet.transforms.scene import Scene
    matrix = np.array(MATRICES[name], float)
    for shape in [(3, 9, 11), (1, 6, 5), (4, 1, 1)]:
        x, fill = picture(shape, dtype), 77 if dtype == np.uint8 else 0.25
        want = warped(x, matrix, (8, 13), interpolation == "nearest", fill)
        for _, given in [*layouts(x)][:4]:
            scene = Scene(given[None])
            scene.warp(matrix[None], (8, 13), interpolation, fill)
            close(scene.image.done()[0], want, dtype)


def test_a_quarter_turn_moves_pixels():
    x = picture((3, 8, 9))
    for interpolation in ("nearest", "bilinear"):
        assert np.array_equal(F.rotate(x, 90, interpolation, expand=True), np.rot90(x, 1, (1, 2)))
        assert np.array_equal(F.rotate(x, 180, interpolation), x[:, ::-1, ::-1])
        assert np.array_equal(F.rotate(x, -90, interpolation, expand=True), np.rot90(x, -1, (1, 2)))
    assert np.array_equal(F.affine(x[:, :8, :8], 90, (0, 0), 1.0, 0.0), np.rot90(x[:, :8, :8], -1, (1, 2)))


def test_known_points_of_an_affine():
    x = np.zeros((1, 11, 11), np.uint8)
    x[0, 5, 7] = 200                                                          # two to the right of the centre
    assert np.argwhere(F.affine(x, 90, (0, 0), 1.0, 0.0)[0]).tolist() == [[7, 5]]          # clockwise: below it
    assert np.argwhere(F.rotate(x, 90)[0]).tolist() == [[3, 5]]                            # counter-clockwise: above it
    assert np.argwhere(F.affine(x, 0, (-3, 1), 1.0, 0.0)[0]).tolist() == [[6, 4]]
    assert F.affine(x, 0, (0, 0), 2.0, 0.0, "bilinear")[0, 5, 9] == 200


def test_the_matrix_of_an_affine_is_its_factors():
    """Shear along x, then along y, turn, zoom: about the centre, then move."""
    from fastnet.transforms import matrices
    turn, zoom, (sx, sy), (u, v), (x, y) = np.radians(25), 1.3, np.radians([12, -7]), (3, -2), (4, 9)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    forward = zoom * rotation @ [[1, 0], [-np.tan(sy), 1]] @ [[1, -np.tan(sx)], [0, 1]]
    matrix = matrices.affine((20, 30), 25.0, (u, v), zoom, (12.0, -7.0), (x, y))[0]
    for p in ([0, 0], [30, 0], [7, 19]):
        to = forward @ np.subtract(p, (x, y)) + (x + u, y + v)
        assert np.allclose(matrix @ [*to, 1], [*p, 1])


def test_perspective_takes_points_to_points():
    x = np.zeros((1, 20, 30), np.uint8)
    start, end = [[0, 0], [30, 0], [30, 20], [0, 20]], [[3, 2], [27, 4], [29, 18], [1, 19]]
    from fastnet.transforms.matrices import perspective
    matrix = perspective(start, end)[0]
    for (a, b), (u, v) in zip(start, end):
        p = matrix @ [u, v, 1]
        assert np.allclose(p[:2] / p[2], (a, b), atol=1e-9)
    assert F.perspective(x, start, end, fill=9)[0, 0, 0] == 9


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_resizing(two_isas, mode, antialias, dtype):
    for shape, size in [((3, 13, 17), (7, 6)), ((3, 8, 5), (21, 11)), ((1, 1, 1), (3, 2)), ((2, 9, 4), (9, 1)), ((3, 40, 33), (5, 47))]:
        x = picture(shape, dtype)
        for _, given in [*layouts(x)][:4]:
            close(F.resize(given, size, mode, antialias=antialias), resized(x, size, mode, antialias), dtype)


def test_a_resized_crop_is_a_crop_resized_and_flips_go_along():
    x = picture((3, 20, 24))
    want = resized(x[:, 3:14, 5:22], (8, 9))
    close(F.resized_crop(x, 3, 5, 11, 17, (8, 9)), want, np.uint8)
    close(F.resized_crop(x[..., ::-1], 3, 2, 11, 17, (8, 9)), want[..., ::-1], np.uint8)


def test_sizes_of_resize():
    x = picture((1, 20, 50))
    for size, more, want in [(10, {}, (10, 25)), (10, {"max_size": 20}, (8, 20)), (None, {"max_size": 25}, (10, 25)), ((7, 3), {}, (7, 3))]:
        assert F.resize(x, size, **more).shape[1:] == want


def test_letterbox_keeps_proportions():
    x = np.full((3, 10, 20), 200, np.uint8)
    y = F.letterbox(x, 40)
    assert y.shape == (3, 40, 40) and (y[:, 10:30] == 200).all() and (y[:, :10] == 114).all() and (y[:, 30:] == 114).all()
    assert np.array_equal(F.letterbox(x, (20, 20), scaleup=False), np.pad(x, ((0, 0), (5, 5), (0, 0)), constant_values=114))


@pytest.mark.parametrize("dtype", DTYPES)
def test_blur(two_isas, dtype):
    for shape, size, sigma in [((3, 9, 14), (5, 3), (1.3, 0.4)), ((1, 4, 4), (1, 7), (2.0, 2.0)), ((2, 6, 30), (3, 5), (0.7, 0.9))]:
        x = picture(shape, dtype)
        kernels = [np.exp(-0.5 * ((np.arange(k) - k // 2) / s) ** 2) for k, s in zip(size, sigma)]
        across, down = (k / k.sum() for k in kernels)
        wide = np.pad(x.astype(float), ((0, 0), (size[1] // 2,) * 2, (size[0] // 2,) * 2), "reflect")
        want = sum(d * a * wide[:, i:i + shape[1], j:j + shape[2]] for i, d in enumerate(down) for j, a in enumerate(across))
        for _, given in [*layouts(x)][:4]:
            close(F.gaussian_blur(given, size, sigma), want, dtype)
        close(F.hflip(F.gaussian_blur(x, size, sigma)), want[..., ::-1], dtype)


def test_erase_and_what_is_given_stays():
    x = picture((3, 6, 7))
    before = x.copy()
    y = F.erase(x, 1, 2, 3, 4, [1, 2, 3])
    assert np.array_equal(x, before) and (y[1, 1:4, 2:6] == 2).all() and np.array_equal(y[:, 4:], x[:, 4:])
    same = F.resize(x, (6, 7))
    assert same is not x and not np.shares_memory(same, x)
    t = fastnet.from_numpy(before.copy())
    F.hflip(t), F.adjust_hue(t, 0.2)
    assert np.array_equal(t.numpy(), before)
