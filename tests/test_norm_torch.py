"""Normalisation, resizing and sampling against PyTorch, where it is installed: values and gradients over grids of arguments."""
import itertools

import numpy as np
import pytest

import fastnet as fn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: norms, interpolate and grid_sample are not compared with it")
RNG = np.random.default_rng(4)


def agree(name, arrays, args, wrt, dtype, before=(), tol=None):
    """The function of nn.functional gives PyTorch's values and gradients; `before`: arguments between the first input and the others."""
    runs = []
    for lib in (fn, torch):
        xs = [None if a is None else lib.tensor(a) for a in arrays]
        for i in wrt:
            if xs[i] is not None:
                xs[i].requires_grad_(True)
        y = getattr(lib.nn.functional, name)(xs[0], *before, *xs[1:], **args)
        gy = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(dtype)
        y.backward(lib.tensor(gy))
        runs.append([y.detach().numpy(), *(x.grad.numpy() if i in wrt else x.numpy() for i, x in enumerate(xs) if x is not None)])
    tol = tol or (1e-4 if dtype == "float32" else 1e-10)
    for ours, theirs in zip(*runs, strict=True):
        assert ours.shape == theirs.shape, (name, arrays[0].shape, args)
        assert np.abs(ours - theirs).max(initial=0) <= tol * max(1, np.abs(theirs).max(initial=0)), (name, arrays[0].shape, args)


def normal(shape, dtype):
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms(dtype):
    for shape in ((7, 3), (2, 5, 9), (3, 16, 5, 4), (2, 70, 3, 3), (9, 6, 12, 11), (1, 3, 2, 3, 4)):
        c = shape[1:2]
        for affine, training, tracked in itertools.product((True, False), (True, False), (True, False)):
            w, b = (normal(c, dtype), normal(c, dtype)) if affine else (None, None)
            if training or tracked:
                stats = (normal(c, dtype), np.abs(normal(c, dtype)) + 0.5) if tracked else (None, None)
                agree("batch_norm", [normal(shape, dtype), *stats, w, b], {"training": training, "momentum": 0.3}, (0, 3, 4), dtype)
                if len(shape) > 2:
                    args = {"use_input_stats": training, "momentum": 0.3}
                    agree("instance_norm", [normal(shape, dtype), *stats, w, b], args, (0, 3, 4), dtype)
            for groups in {1, c[0]}:
                if len(shape) > 2:
                    agree("group_norm", [normal(shape, dtype), w, b], {"eps": 1e-3}, (0, 1, 2), dtype, before=(groups,))
            for k in (1, len(shape) - 1):
                last = shape[-k:]
                w, b = (normal(last, dtype), normal(last, dtype)) if affine else (None, None)
                agree("layer_norm", [normal(shape, dtype), w, b], {}, (0, 1, 2), dtype, before=(last,))
                agree("rms_norm", [normal(shape, dtype), w], {}, (0, 1), dtype, before=(last,))
        if len(shape) > 2:
            agree("local_response_norm", [normal(shape, dtype)], {"size": 3, "alpha": 0.1}, (0,), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_interpolate(dtype):
    modes = {1: ["nearest", "nearest-exact", "area", "linear"], 2: ["nearest", "nearest-exact", "area", "bilinear", "bicubic"],
             3: ["nearest", "nearest-exact", "area", "trilinear"]}
    for size, in (((7,),), ((7, 5),), ((4, 6, 3),)):
        sizes = [{"size": tuple(2 * n + 1 for n in size)}, {"size": tuple(max(1, n // 2) for n in size)}, {"size": (1,) * len(size)},
                 {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6}, {"scale_factor": 1.7, "recompute_scale_factor": True}]
        for mode, how in itertools.product(modes[len(size)], sizes):
            corners = (False, True) if mode.endswith(("linear", "cubic")) else (None,)
            for corner, antialias in itertools.product(corners, (False, True) if mode[:2] == "bi" else (False,)):
                args = {"mode": mode, "align_corners": corner, "antialias": antialias, **how}
                for c in (3, 20):
                    agree("interpolate", [normal((2, c, *size), dtype)], args, (0,), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_grid_sample(dtype):
    for c, (size, out) in itertools.product((1, 3, 40), (((5, 7), (4, 6)), ((1, 4), (3, 2)), ((3, 4, 5), (2, 3, 2)))):
        modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
        for mode, padding, corners in itertools.product(modes, paddings, (False, True)):
            if mode != "bicubic" or len(size) == 2:
                grid = normal((2, *out, len(size)), dtype) * 1.3
                args = {"mode": mode, "padding_mode": padding, "align_corners": corners}
                agree("grid_sample", [normal((2, c, *size), dtype), grid], args, (0, 1), dtype)
