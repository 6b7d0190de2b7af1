"""Convolutions beyond their specs: layers, algorithms against each other, which is chosen, memory order, PyTorch."""
import random

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.backends import conv as backend

REPRS = {
    "Conv1d(2, 3, 4)": "Conv1d(2, 3, kernel_size=(4,), stride=(1,))",
    "Conv2d(4, 6, 3, 2, 1, groups=2, bias=False)": "Conv2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=2, bias=False)",
    "Conv2d(4, 6, (3, 1), padding='same', padding_mode='circular')":
        "Conv2d(4, 6, kernel_size=(3, 1), stride=(1, 1), padding=same, padding_mode=circular)",
    "Conv3d(1, 1, 3, dilation=(1, 2, 1))": "Conv3d(1, 1, kernel_size=(3, 3, 3), stride=(1, 1, 1), dilation=(1, 2, 1))",
    "ConvTranspose2d(3, 2, 3, 2, 1, 1)":
        "ConvTranspose2d(3, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))",
}
REFUSED = {
    "Conv2d(3, 4, 3, groups=2)": "Conv2d: in_channels must be divisible by groups, got 3 and 2",
    "Conv2d(4, 3, 3, groups=2)": "Conv2d: out_channels must be divisible by groups",
    "Conv2d(4, 4, 3, padding_mode='mirror')": "Conv2d: padding_mode must be one of",
    "Conv2d(4, 4, 3, padding='full')": "Conv2d: padding must be numbers, same or valid, got 'full'",
    "Conv2d(4, 4, 3, 2, 'same')": "Conv2d: padding='same' needs a stride of 1",
    "Conv2d(4, 4, (3, 3, 3))": "Conv2d: kernel_size must be one number or 2",
    "Conv1d(4, 4, 0)": "Conv1d: kernel_size must be positive, got 0", "Conv3d(4, 0, 1)": "Conv3d: out_channels must be positive",
    "ConvTranspose2d(4, 4, 3, padding='same')": "ConvTranspose2d: padding must be numbers, got 'same'",
    "ConvTranspose1d(4, 4, 3, padding_mode='reflect')": "ConvTranspose1d: only padding_mode 'zeros'",
}


def normal(*shape, seed=0, dtype="float32"):
    return fn.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


@pytest.mark.parametrize("made", REPRS)
def test_repr(made):
    assert repr(eval(f"nn.{made}")) == REPRS[made]


@pytest.mark.parametrize("made", REFUSED)
def test_refused(made):
    with pytest.raises(ValueError) as error:
        eval(f"nn.{made}")
    assert str(error.value).startswith(REFUSED[made])


def test_parameters_start_as_pytorchs():
    fn.manual_seed(0)
    m = nn.Conv2d(8, 32, (3, 5), groups=2)
    bound = 1 / np.sqrt(4 * 15)
    assert tuple(m.weight.shape) == (32, 4, 3, 5) and list(m.state_dict()) == ["weight", "bias"]
    for p in (m.weight, m.bias):
        assert 0.8 * bound < p.abs().max().item() <= bound
    assert tuple(nn.ConvTranspose2d(8, 32, (3, 5), groups=2).weight.shape) == (8, 16, 3, 5)


@pytest.mark.parametrize("mode, numpy_mode", [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
@pytest.mark.parametrize("padding, ends", [((2, 1), ((2, 2), (1, 1))), ("same", ((1, 1), (1, 2))), ("valid", ((0, 0), (0, 0)))])
def test_padding_modes(mode, numpy_mode, padding, ends):
    m, x = nn.Conv2d(3, 4, (3, 4), padding=padding, padding_mode=mode), normal(2, 3, 6, 7)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), *ends], mode=numpy_mode)
    assert np.allclose(m(x).detach().numpy(), fn.conv2d(fn.tensor(padded), m.weight, m.bias).detach().numpy(), atol=1e-6)


def test_output_size_chooses_output_padding():
    m, x = nn.ConvTranspose2d(3, 2, 3, stride=3), normal(2, 3, 4, 5)
    for size in ((12, 15), (13, 17), (14, 16)):
        assert tuple(m(x, output_size=size).shape[2:]) == size
        assert tuple(m(x, output_size=(2, 2, *size)).shape[2:]) == size
    with pytest.raises(ValueError, match="ConvTranspose2d: output_size .* must lie between"):
        m(x, output_size=(15, 15))


def test_layout_is_channels_last_and_any_input_or_weight_layout_serves():
    x, w = normal(2, 5, 6, 7), normal(8, 5, 3, 3, seed=1)
    y = fn.conv2d(x, w)
    assert y.is_contiguous(memory_format=fn.channels_last)
    last = fn.conv2d(x.contiguous(memory_format=fn.channels_last), w.contiguous(memory_format=fn.channels_last))
    assert y.numpy().tobytes() == last.numpy().tobytes()
    wide = normal(2, 6, 12, 7)
    assert np.array_equal(fn.conv2d(wide[:, :5, ::2], w).numpy(), fn.conv2d(wide[:, :5, ::2].contiguous(), w).numpy())


@pytest.mark.parametrize("wanted", range(1, 8))
def test_only_wanted_gradients_are_computed(wanted):
    leaves = [normal(2, 3, 5, 5), normal(4, 3, 3, 3, seed=1), normal(4, seed=2)]
    for k, leaf in enumerate(leaves):
        leaf.requires_grad_(bool(wanted >> k & 1))
    fn.conv2d(*leaves, padding=1).square().sum().backward()
    assert [leaf.grad is not None for leaf in leaves] == [bool(wanted >> k & 1) for k in range(3)]


def test_batch_of_none_has_gradients_of_zero():
    x, w, b = fn.zeros(0, 3, 5, 5, requires_grad=True), normal(4, 3, 3, 3).requires_grad_(), normal(4).requires_grad_()
    fn.conv2d(x, w, b).sum().backward()
    assert tuple(x.grad.shape) == (0, 3, 5, 5) and not w.grad.numpy().any() and not b.grad.numpy().any()


# name: input, weight, stride, padding, dilation, groups
SHAPES = {
    "1x1": ((2, 5, 7, 6), (9, 5, 1, 1), 1, 0, 1, 1), "3x3": ((2, 16, 9, 10), (24, 16, 3, 3), 1, 1, 1, 1),
    "3x3 odd": ((1, 7, 5, 13), (5, 7, 3, 3), 1, (1, 0), 1, 1), "3x3 wide": ((1, 33, 6, 6), (70, 33, 3, 3), 1, 1, 1, 1),
    "depthwise": ((2, 19, 7, 8), (19, 1, 3, 3), 1, 1, 1, 19), "depthwise s2": ((1, 16, 9, 8), (32, 1, 5, 5), 2, 2, 1, 16),
    "groups": ((1, 12, 6, 7), (20, 3, 3, 3), 1, 1, 1, 4), "7x7 s2": ((1, 3, 15, 14), (8, 3, 7, 7), 2, 3, 1, 1),
    "one channel": ((2, 1, 9, 11), (6, 1, 5, 5), 1, 2, 1, 1), "few in": ((2, 6, 9, 10), (16, 6, 5, 5), 1, 0, 1, 1),
    "groups of four": ((2, 40, 7, 18), (40, 4, 3, 3), 1, 1, 1, 10), "groups of five": ((1, 12, 9, 10), (15, 4, 3, 3), 1, (0, 1), 1, 3),
    "groups of four, strides": ((2, 40, 17, 38), (40, 4, 3, 3), 2, 1, 1, 10),
    "groups, strides, dilations": ((1, 12, 13, 20), (12, 4, 3, 4), (2, 3), (1, 2), (1, 2), 3),
    "groups, long strides": ((1, 8, 11, 12), (8, 4, 1, 2), (2, 3), 0, 1, 2),
    "groups, strides": ((2, 16, 9, 11), (16, 8, 3, 3), 2, 1, 1, 2),
    "3x3 s2": ((2, 16, 17, 20), (24, 16, 3, 3), 2, 1, 1, 1), "3x3 s2 odd": ((1, 7, 5, 26), (5, 7, 3, 3), 2, (2, 0), 1, 1),
    "few out": ((2, 16, 7, 9), (5, 16, 3, 3), 1, 1, (2, 1), 1), "1x1 strides": ((2, 5, 8, 7), (9, 5, 1, 1), (2, 3), 0, 1, 1),
    "few in, strides": ((2, 2, 11, 9), (12, 2, 4, 3), (2, 3), 1, 1, 1),
}


def passes(shape, dtype):
    """y, gx, gw with what is chosen now."""
    x_shape, w_shape, stride, padding, dilation, groups = shape
    x, w = normal(*x_shape, dtype=dtype).requires_grad_(), normal(*w_shape, seed=1, dtype=dtype).requires_grad_()
    y = fn.conv2d(x, w, None, stride, padding, dilation, groups)
    y.backward(normal(*y.shape, seed=2, dtype=dtype))
    return [t.detach().numpy() for t in (y, x.grad, w.grad)]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_algorithms_agree(name, dtype):
    """Every algorithm that can serve a shape, against direct in float64."""
    shape = SHAPES[name]
    with backend.flags(algorithm="direct"):
        expected = passes(shape, "float64")
    found = backend.explain(*shape[:2], *shape[2:], dtype=getattr(fn, dtype))
    for algorithm in found["forward"].verdicts:
        with backend.flags(algorithm=algorithm):
            for reference, value in zip(expected, passes(shape, dtype)):
                scale = max(1, np.abs(reference).max())
                assert np.abs(value - reference).max() <= (3e-5 if dtype == "float32" else 1e-11) * scale, algorithm


@pytest.mark.parametrize("stride", [1, 2])
def test_results_larger_than_the_caches(stride):
    """Whose lines are written past them, of y or of gx."""
    shape = ((1, 16, 420, 424), (16, 4, 3, 3), stride, 1, 1, 4)
    results = []
    for algorithm in ("planar", "direct"):
        with backend.flags(algorithm=algorithm):
            results.append(passes(shape, "float32")[:2])
    for value, reference in zip(*results):
        assert np.abs(value - reference).max() <= 3e-5 * np.abs(reference).max()


@pytest.mark.parametrize("name", SHAPES)
def test_gradcheck_of_every_algorithm(name):
    x_shape, w_shape, stride, padding, dilation, groups = SHAPES[name]
    x, w = (normal(*s, seed=i, dtype="float64").requires_grad_() for i, s in enumerate((x_shape, w_shape)))
    found = backend.explain(*SHAPES[name], dtype=fn.float64)
    for algorithm in {a for choice in found.values() for a, (can, _) in choice.verdicts.items() if can}:
        with backend.flags(algorithm=algorithm):
            gx, gw = fn.autograd.grad((fn.conv2d(x, w, None, stride, padding, dilation, groups) ** 2).sum(), (x, w))
            rng = np.random.default_rng(3)
            for leaf, gradient in ((x, gx), (w, gw)):
                way = rng.standard_normal(tuple(leaf.shape))
                ends = []
                for step in (1e-5, -1e-5):
                    moved = [fn.tensor(t.detach().numpy() + step * way) if t is leaf else t.detach() for t in (x, w)]
                    ends.append((fn.conv2d(*moved, None, stride, padding, dilation, groups) ** 2).sum().item())
                slope = float((gradient.numpy() * way).sum())
                assert abs((ends[0] - ends[1]) / 2e-5 - slope) <= 1e-6 * max(1, abs(slope)), algorithm


@pytest.mark.parametrize("name", ["few out", "groups of four", "groups of four, strides", "groups, strides", "few in", "3x3"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_infinite_pixel_reaches_the_taps_that_see_it(name, dtype):
    """In the weight gradient, and no NaN comes to the others."""
    x_shape, w_shape, stride, padding, dilation, groups = SHAPES[name]
    zeros = fn.zeros(*w_shape, dtype=getattr(fn, dtype))
    for at in ((0, 0), (-1, -1), (3, -1)):
        x, w = normal(*x_shape, dtype=dtype), zeros.clone().requires_grad_()
        x[0, 0, at[0], at[1]] = float("inf")
        mark = fn.zeros(*x_shape)
        mark[0, 0, at[0], at[1]] = 1
        seen = zeros.clone().requires_grad_()
        gy = normal(*fn.conv2d(x, zeros, None, stride, padding, dilation, groups).shape, dtype=dtype)
        with backend.flags(algorithm="direct"):
            fn.conv2d(mark.to(w.dtype), seen, None, stride, padding, dilation, groups).backward(gy)
        verdicts = backend.explain(*SHAPES[name], dtype=w.dtype)["weight"].verdicts
        for algorithm in [a for a in ("planar", "direct") if verdicts[a][0]]:
            with backend.flags(algorithm=algorithm):
                w.grad = None
                fn.conv2d(x, w, None, stride, padding, dilation, groups).backward(gy)
            assert not w.grad.isnan().any() and (w.grad.isinf() == (seen.grad != 0)).all(), (algorithm, at)


def test_the_choice_is_explained():
    able, reason = backend.explain((1, 4, 9, 9), (4, 1, 3, 3), groups=4)["weight"].verdicts["planar"]
    assert able and "depthwise" in reason
    found = backend.explain((8, 64, 28, 28), (256, 64, 1, 1))
    assert {c.algorithm for c in found.values()} == {"gemm"} and "matrix product" in found["input"].reason
    assert backend.explain((8, 64, 28, 28), (64, 64, 7, 7), padding=3)["forward"].algorithm == "direct"
    assert backend.explain((2, 64, 64, 64), (2, 64, 1, 1))["forward"].algorithm == "planar"
    assert backend.explain((8, 64, 28), (64, 32, 3), transposed=True, stride=2, output_padding=1)["weight"].algorithm == "direct"
    with pytest.raises(RuntimeError, match="conv2d: weight .* expects 3 input channels"):
        backend.explain((1, 2, 5, 5), (4, 3, 3, 3))
    with pytest.raises(ValueError, match="algorithm must be None or one of .*direct.*, got 'fft'"), backend.flags(algorithm="fft"):
        pass


# Rows long enough that their middle is read in place and their ends are copied; one or two vectors of channels, several classes.
LONG = [((3, 9, 35, 88), (21, 9, 1, 5), (2, 1), (0, 3), 1, 1), ((1, 3, 12, 150), (16, 3, 3, 3), 2, 1, 1, 1),
        ((1, 7, 9, 70), (30, 7, 3, 3), (1, 2), (1, 2), (2, 1), 1), ((2, 3, 23, 61), (13, 3, 4, 4), (3, 2), (1, 0), 1, 1),
        ((1, 18, 8, 64), (20, 9, 3, 2), 1, (1, 2), (1, 3), 2)]


def definition(x, w, gy, stride, padding, dilation, groups):
    """y, gx, gw in float64 of a convolution tap by tap; stride, padding and dilation have a number for each axis."""
    x, w, gy = (a.astype("float64") for a in (x, w, gy))
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    y, gx, gw = np.zeros_like(gy), np.zeros_like(padded), np.zeros_like(w)
    n, k, c = len(x), w.shape[0] // groups, w.shape[1]
    for g, *tap in np.ndindex(groups, *w.shape[2:]):
        made = slice(None), slice(g * k, g * k + k)
        seen = slice(None), slice(g * c, g * c + c), *(slice(t * d, t * d + (o - 1) * s + 1, s)
                                                       for t, d, o, s in zip(tap, dilation, gy.shape[2:], stride))
        at = made[1], slice(None), *tap
        pixels, gpixels = padded[seen].reshape(n, c, -1), gy[made].reshape(n, k, -1)
        y[made] += (w[at] @ pixels).reshape(y[made].shape)
        gx[seen] += (w[at].T @ gpixels).reshape(gx[seen].shape)
        gw[at] = (gpixels @ pixels.swapaxes(1, 2)).sum(0)
    inside = slice(None), slice(None), *(slice(p, p + i) for p, i in zip(padding, x.shape[2:]))
    return y, gx[inside], gw


@pytest.mark.parametrize("shape", LONG)
def test_long_rows(shape):
    x_shape, w_shape, *args, groups = shape
    args = [v if isinstance(v, tuple) else (v, v) for v in args]
    out = [(i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, s, p, d in zip(x_shape[2:], w_shape[2:], *args)]
    drawn = [normal(*s, seed=i, dtype="float64").numpy() for i, s in enumerate((x_shape, w_shape, (x_shape[0], w_shape[0], *out)))]
    expected = definition(*drawn, *args, groups)
    for algorithm in (None, "direct", "planar", "scatter"):
        for dtype, most in (("float32", 3e-6), ("float64", 1e-13)):
            with backend.flags(algorithm=algorithm):
                for reference, value in zip(expected, passes(shape, dtype)):
                    assert np.abs(value - reference).max() <= most * np.abs(reference).max(), (algorithm, dtype)


LARGE = [*LONG, ((3, 24, 33, 31), (70, 24, 3, 3), 1, 1, 1, 1), ((2, 3, 64, 65), (16, 3, 7, 7), 2, 3, 1, 1),
         ((2, 40, 20, 21), (64, 40, 3, 3), 2, 1, 1, 1), ((1, 8, 40, 40), (8, 2, 5, 5), 1, 2, 1, 4),
         ((1, 5, 90, 40), (24, 5, 5, 5), 1, 2, 1, 1), ((3, 1, 40, 44), (6, 1, 5, 5), 1, 2, 1, 1)]


@pytest.mark.parametrize("shape", LARGE)
def test_bits_do_not_depend_on_threads(shape):
    """Larger than the specs' shapes, so that there are many boxes, classes and splits."""
    before, results = fn.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 8):
            fn.set_num_threads(threads)
            results.append([a.tobytes() for a in passes(shape, "float32")])
    finally:
        fn.set_num_threads(before)
    assert all(r == results[0] for r in results)


def configurations(count):
    """Random calls: spatial axes, transposed or not, shapes, arguments."""
    rnd = random.Random(3)
    while count:
        n, back, groups = rnd.choice((1, 2, 2, 2, 3)), rnd.random() < 0.35, rnd.choice((1, 1, 1, 2, 3))
        ci, co = groups * rnd.choice((1, 2, 3, 5, 8, 16, 17, 33)), groups * rnd.choice((1, 2, 4, 6, 16, 20, 33, 64))
        kernel, stride = ([rnd.choice(c) for _ in range(n)] for c in ((1, 1, 2, 3, 3, 5 if n < 3 else 2), (1, 1, 2, 3)))
        dilation, padding = ([rnd.choice(c) for _ in range(n)] for c in ((1, 1, 2), (0, 0, 1, 2, 3)))
        size = [rnd.randint(1, 12 if n < 3 else 6) for _ in range(n)]
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
        args = {"stride": tuple(stride), "padding": tuple(padding), "dilation": tuple(dilation), "groups": groups}
        if back:
            more = [rnd.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
            args["output_padding"] = tuple(more)
            out = [(i - 1) * s - 2 * p + r + m for i, s, p, r, m in zip(size, stride, padding, reach, more)]
        else:
            out = [i + 2 * p - r + 1 for i, p, r in zip(size, padding, reach)]
        batch = rnd.choice((1, 1, 2, 3))
        if min(out) > 0 and batch * np.prod(size) * ci * co * np.prod(kernel) < 1e8:
            count -= 1
            channels = (ci, co // groups) if back else (co, ci // groups)
            shapes = (batch, ci, *size), (*channels, *kernel), (co,) if rnd.random() < 0.6 else None
            yield f"conv_transpose{n}d" if back else f"conv{n}d", shapes, args


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_pytorch_over_a_grid_of_configurations(dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: 400 configurations are not compared with it")
    for name, shapes, args in configurations(400):
        arrays = [None if s is None else np.random.default_rng(i).standard_normal(s).astype(dtype) for i, s in enumerate(shapes)]
        ours = [None if a is None else fn.tensor(a).requires_grad_() for a in arrays]
        theirs = [None if a is None else torch.tensor(a, requires_grad=True) for a in arrays]
        y, expected = getattr(fn, name)(*ours, **args), getattr(torch.nn.functional, name)(*theirs, **args)
        gy = np.random.default_rng(9).standard_normal(tuple(expected.shape)).astype(dtype)
        y.backward(fn.tensor(gy))
        expected.backward(torch.tensor(gy))
        pairs = [(y, expected)] + [(a.grad, b.grad) for a, b in zip(ours, theirs) if a is not None]
        for value, reference in pairs:
            value, reference = value.detach().numpy(), reference.detach().numpy()
            scale = max(1, np.abs(reference).max(initial=0))
            assert value.shape == reference.shape, (name, shapes, args)
            assert np.abs(value - reference).max(initial=0) <= (5e-5 if dtype == "float32" else 1e-11) * scale, (name, shapes, args)


@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
def test_sizes_that_would_overflow_are_refused(name):
    x, w = fn.ones(1, 1, 4, 4), fn.ones(1, 1, 3, 3)
    for op in (fn.conv2d, fn.conv_transpose2d):
        with pytest.raises(RuntimeError, match=rf"{name} must be at most 2\*\*40"):
            op(x, w, **{name: 2 ** 62})
