"""conv1d, conv2d, conv3d and their transposes, from the definition: a sum over taps of shifted, strided slices."""
import itertools

import numpy as np

from specs import Case, OpSpec, Refused, zeros


def numbers(value, spatial):
    return (value,) * spatial if isinstance(value, int) else tuple(value) * (spatial if len(value) == 1 else 1)


def convolution(spatial):
    def reference(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        batched = x.ndim == spatial + 2
        x = x if batched else x[None]
        stride, dilation, kernel = numbers(stride, spatial), numbers(dilation, spatial), w.shape[2:]
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(dilation, kernel)]
            ends = [(t // 2, t - t // 2) for t in total]
        else:
            ends = [(p, p) for p in numbers(0 if padding == "valid" else padding, spatial)]
        x = np.pad(x, [(0, 0), (0, 0), *ends])
        out = [(s - d * (k - 1) - 1) // t + 1 for s, d, k, t in zip(x.shape[2:], dilation, kernel, stride)]
        xg = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
        wg = w.reshape(groups, -1, *w.shape[1:])
        y = np.zeros((x.shape[0], groups, wg.shape[1], *out))
        for tap in itertools.product(*map(range, kernel)):
            part = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilation, out, stride))
            y += np.einsum("ngc...,gkc->ngk...", xg[(slice(None),) * 3 + part], wg[(slice(None),) * 3 + tap])
        y = y.reshape(x.shape[0], w.shape[0], *out)
        if b is not None:
            y += b.reshape(-1, *[1] * spatial)
        return y if batched else y[0]
    return reference


def transposed(spatial):
    def reference(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        batched = x.ndim == spatial + 2
        x = x if batched else x[None]
        stride, dilation, padding, more = (numbers(v, spatial) for v in (stride, dilation, padding, output_padding))
        kernel, size = w.shape[2:], x.shape[2:]
        whole = [(i - 1) * s + d * (k - 1) + 1 + m for i, s, d, k, m in zip(size, stride, dilation, kernel, more)]
        xg = x.reshape(x.shape[0], groups, x.shape[1] // groups, *size)
        wg = w.reshape(groups, -1, *w.shape[1:])
        y = np.zeros((x.shape[0], groups, w.shape[1], *whole))
        for tap in itertools.product(*map(range, kernel)):
            part = tuple(slice(t * d, t * d + (i - 1) * s + 1, s) for t, d, i, s in zip(tap, dilation, size, stride))
            y[(slice(None),) * 3 + part] += np.einsum("ngc...,gck->ngk...", xg, wg[(slice(None),) * 3 + tap])
        y = y.reshape(x.shape[0], groups * w.shape[1], *whole)
        y = y[(slice(None),) * 2 + tuple(slice(p, n - p) for p, n in zip(padding, whole))]
        if b is not None:
            y = y + b.reshape(-1, *[1] * spatial)
        return y if batched else y[0]
    return reference


def flops(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    spatial = len(w) - 2
    stride, dilation = numbers(stride, spatial), numbers(dilation, spatial)
    pad = [d * (k - 1) / 2 for d, k in zip(dilation, w[2:])] if padding == "same" else numbers(padding, spatial)
    out = [(i + 2 * p - d * (k - 1) - 1) // s + 1 for i, p, d, k, s in zip(x[2:], pad, dilation, w[2:], stride)]
    return 2.0 * x[0] * np.prod(out) * np.prod(w)


CASES1 = [Case(((2, 3, 9), (5, 3, 4), (5,))), Case(((2, 3, 9), (5, 3, 3), None), {"stride": 2, "padding": 1}),
          Case(((3, 7), (4, 3, 1), (4,))), Case(((3, 1), (4, 3, 5), (4,)), {"padding": 2}),
          Case(((2, 4, 11), (6, 2, 3), (6,)), {"groups": 2, "dilation": 2}), Case(((0, 2, 5), (3, 2, 3), (3,))),
          Case(((1, 1, 40), (1, 1, 25), None), {"padding": (12,)}), Case(((1, 2, 8), (3, 2, 4), (3,)), {"padding": "same"})]
CASES2 = [Case(((2, 3, 5, 7), (4, 3, 3, 3), (4,)), {"padding": 1}),
          Case(((1, 1, 1, 1), (1, 1, 1, 1), (1,))),
          Case(((2, 5, 3, 4), (7, 5, 1, 1), (7,))), Case(((2, 5, 5, 4), (7, 5, 1, 1), (7,)), {"stride": 2}),
          Case(((2, 17, 4, 5), (19, 17, 3, 3), None), {"padding": 1, "stride": (2, 1)}),
          Case(((1, 2, 3, 2), (3, 2, 7, 5), (3,)), {"padding": (3, 4)}),                         # kernel larger than the image
          Case(((1, 3, 9, 8), (4, 3, 3, 2), (4,)), {"dilation": (2, 3), "padding": (1, 2)}),
          Case(((1, 6, 5, 5), (9, 2, 3, 3), (9,)), {"groups": 3, "padding": 1}), Case(((2, 4, 6, 5), (4, 1, 3, 3), None), {"groups": 4}),
          Case(((0, 3, 5, 5), (4, 3, 3, 3), (4,)), {"padding": 1}),
          Case(((3, 6, 5), (4, 3, 3, 3), (4,)), {"padding": "valid"}),
          Case(((1, 2, 6, 5), (3, 2, 4, 3), (3,)), {"padding": "same"}), Case(((1, 2, 9, 9), (2, 2, 2, 3), None), {"stride": 3}),
          Case(((1, 2, 8, 11), (2, 1, 2, 2), (2,)), {"stride": 3, "dilation": 2, "padding": 3, "groups": 2}),
          Case(((2, 4, 1, 13), (35, 4, 1, 3), (35,)), {"padding": (0, 1)}), Case(((1, 1, 12, 12), (6, 1, 5, 5), (6,)))]
CASES3 = [Case(((1, 2, 3, 4, 5), (3, 2, 2, 3, 3), (3,)), {"padding": (0, 1, 1)}), Case(((2, 3, 3, 3), (4, 2, 1, 1, 1), (4,))),
          Case(((1, 4, 4, 3, 5), (2, 2, 3, 1, 2), None), {"stride": (1, 2, 2), "padding": (1, 0, 1), "groups": 2}),
          Case(((0, 2, 3, 3, 3), (3, 2, 2, 2, 2), (3,))), Case(((1, 1, 1, 5, 2), (2, 1, 3, 3, 3), (2,)), {"padding": 2, "dilation": 2})]
BACK1 = [Case(((2, 3, 5), (3, 4, 3), (4,)), {"stride": 2}), Case(((3, 5), (3, 2, 4), None), {"padding": 2}),
         Case(((0, 2, 5), (2, 3, 3), (3,))),
         Case(((1, 4, 6), (4, 3, 3), (6,)), {"stride": 3, "output_padding": 2, "groups": 2, "dilation": 2})]
BACK2 = [Case(((2, 3, 4, 3), (3, 5, 3, 3), (5,)), {"stride": 2, "padding": 1, "output_padding": 1}),
         Case(((1, 17, 3, 4), (17, 18, 2, 2), (18,)), {"stride": 2}), Case(((2, 4, 3, 3), (4, 3, 1, 1), None)),
         Case(((4, 3, 5), (4, 2, 3, 2), (4,)), {"stride": (1, 3), "groups": 2, "dilation": (2, 1)}),
         Case(((0, 3, 4, 3), (3, 5, 3, 3), (5,))), Case(((1, 2, 2, 2), (2, 3, 1, 2), (3,)), {"stride": 3, "output_padding": (2, 0)})]
BACK3 = [Case(((1, 2, 2, 3, 2), (2, 3, 2, 2, 3), (3,)), {"stride": (2, 1, 2), "padding": (0, 1, 1)}),
         Case(((2, 3, 2, 3), (2, 1, 3, 1, 2), (2,)), {"groups": 2}), Case(((1, 2, 3, 2, 2), (2, 3, 3, 3, 3), None), {"padding": 1})]

BENCH2 = [Case(((16, 64, 32, 32), (64, 64, 3, 3), None), {"padding": 1}),
          Case(((16, 64, 32, 32), (128, 64, 3, 3), None), {"padding": 1, "stride": 2}),
          Case(((16, 64, 28, 28), (256, 64, 1, 1), None)), Case(((8, 3, 224, 224), (64, 3, 7, 7), None), {"padding": 3, "stride": 2}),
          Case(((16, 32, 28, 28), (64, 32, 5, 5), (64,)), {"padding": 2}), Case(((128, 1, 28, 28), (6, 1, 5, 5), (6,)), {"padding": 2}),
          Case(((128, 6, 14, 14), (16, 6, 5, 5), (16,))), Case(((32, 3, 32, 32), (16, 3, 3, 3), None), {"padding": 1})]


def refused(op, spatial):
    size, k = (8,) * spatial, (3,) * spatial
    x, w = zeros(2, 4, *size), zeros(6, 4, *k)
    return [
        Refused(RuntimeError, rf"{op}: weight .* expects 4 input channels, got input \(2, 3, ", zeros(2, 3, *size), w),
        Refused(RuntimeError, f"{op}: weight .* with groups=2 expects 8 input channels", x, w, None, 1, 0, 1, 2),
        Refused(RuntimeError, f"{op}: .*divisible by groups=4", x, zeros(6, 1, *k), None, 1, 0, 1, 4),
        Refused(RuntimeError, f"{op}: groups must be positive, got 0", x, w, None, 1, 0, 1, 0),
        Refused(RuntimeError, f"{op}: kernel .* with dilation .* is larger than input .* with padding", x, zeros(6, 4, *(11,) * spatial),
                None, 1, 1),
        Refused(RuntimeError, f"{op}: kernel .* with dilation .*4.* is larger", x, w, None, 1, 0, 4),
        Refused(RuntimeError, f"{op}: stride must be positive, got 0", x, w, None, 0),
        Refused(RuntimeError, f"{op}: padding must be not negative, got -1", x, w, None, 1, -1),
        Refused(RuntimeError, f"{op}: dilation must be one number or {spatial}", x, w, None, 1, 0, (1,) * (spatial + 1)),
        Refused(TypeError, f"{op}: stride must be int or a tuple of ints, got 1.5", x, w, None, 1.5),
        Refused(ValueError, f"{op}: padding must be numbers, 'same' or 'valid', got 'full'", x, w, None, 1, "full"),
        Refused(RuntimeError, f"{op}: padding='same' needs a stride of 1", x, w, None, 2, "same"),
        Refused(RuntimeError, f"{op}: input must be ", zeros(8), w),
        Refused(RuntimeError, f"{op}: weight must have {spatial + 2} axes", x, zeros(6, 4)),
        Refused(RuntimeError, f"{op}: input is fastnet.float32, weight is fastnet.float64", x, zeros(*w.shape, dtype="float64")),
        Refused(TypeError, f"{op}: input must be float32 or float64, got fastnet.int64", zeros(*x.shape, dtype="int64"), w),
        Refused(RuntimeError, rf"{op}: bias must have the shape \(6,\), got \(4,\)", x, w, zeros(4)),
        Refused(RuntimeError, f"{op}: input .* has an axis of size 0", zeros(2, 4, *(0,) * spatial), w),
        Refused(RuntimeError, f"{op}: weight .* has an axis of size 0", x, zeros(0, 4, *k)),
        Refused(TypeError, f"{op}: weight must be a Tensor", x, 1.0),
    ]


def refused_transposed(op, spatial):
    size, k = (4,) * spatial, (3,) * spatial
    x, w = zeros(2, 4, *size), zeros(4, 6, *k)
    return [
        Refused(RuntimeError, f"{op}: weight .* expects 4 input channels", zeros(2, 6, *size), w),
        Refused(RuntimeError, f"{op}: output_padding .* must be smaller than stride .* or dilation", x, w, None, 2, 0, 2),
        Refused(RuntimeError, f"{op}: input .* gives no output", x, w, None, 1, 4),
        Refused(RuntimeError, f"{op}: .*divisible by groups=3", x, w, None, 1, 0, 0, 3),
        Refused(RuntimeError, rf"{op}: bias must have the shape \(6,\)", x, w, zeros(4)),
        Refused(TypeError, f"{op}: padding must be int or a tuple of ints, got 'same'", x, w, None, 1, "same"),
    ]


SPECS = [
    OpSpec("conv1d", "fastnet.conv1d", convolution(1), cases=CASES1, tol=4e-6, refused=refused("conv1d", 1), flops=flops,
           bench=[Case(((16, 64, 1024), (64, 64, 3), None), {"padding": 1})]),
    OpSpec("conv2d", "fastnet.conv2d", convolution(2), cases=CASES2, tol=4e-6, refused=refused("conv2d", 2), flops=flops, bench=BENCH2),
    OpSpec("conv3d", "fastnet.conv3d", convolution(3), cases=CASES3, tol=4e-6, refused=refused("conv3d", 3), flops=flops,
           bench=[Case(((2, 32, 16, 16, 16), (32, 32, 3, 3, 3), None), {"padding": 1})]),
    OpSpec("conv_transpose1d", "fastnet.conv_transpose1d", transposed(1), cases=BACK1, tol=4e-6,
           refused=refused_transposed("conv_transpose1d", 1)),
    OpSpec("conv_transpose2d", "fastnet.conv_transpose2d", transposed(2), cases=BACK2, tol=4e-6,
           refused=refused_transposed("conv_transpose2d", 2)),
    OpSpec("conv_transpose3d", "fastnet.conv_transpose3d", transposed(3), cases=BACK3, tol=4e-6,
           refused=refused_transposed("conv_transpose3d", 3)),
]
ELSEWHERE = {"fastnet.get_float32_matmul_precision": "test_winograd.py", "fastnet.set_float32_matmul_precision": "test_winograd.py"}
