"""What the exporters of ONNX are tried with: a function of tensors, and its inputs."""
import numpy as np

import fastnet as fn
from fastnet.nn import functional as F

RANDOM = np.random.default_rng(0)


def floats(*shape, low=-2.0, high=2.0):
    return fn.from_numpy(RANDOM.uniform(low, high, shape).astype(np.float32))


def whole(*shape, low=0, high=3):
    return fn.from_numpy(RANDOM.integers(low, high, shape))


def floats_(*shape):
    """The same in each call: a weight."""
    return CONSTANTS.setdefault(shape, floats(*shape))


CONSTANTS: dict = {}
K, B, M, V, B4 = floats(6, 4, 3, 3), floats(6), floats(4), floats(4, low=0.5), floats(4)
X = floats(4, 3, 6)
UNIT = floats(4, 3, 6, low=-0.9, high=0.9)
ABOVE = floats(4, 3, 6, low=1.1, high=3)
INT = whole(4, 3, 6, low=-5, high=6)
IMAGE = floats(2, 4, 9, 11)
ODD = fn.tensor([[float("nan"), float("inf")], [1.0, -float("inf")]])
W = floats(8, 6)
MASK = X > 0

unary = {
    name: X
    for name in "neg abs sign floor ceil square exp sin cos tan atan sinh cosh asinh erf erfc exp2 expm1 trunc round sigmoid "
    "tanh relu".split()
}
unary |= {name: UNIT for name in "asin acos atanh".split()}
unary |= {name: ABOVE for name in "sqrt rsqrt reciprocal log log2 log10 log1p acosh".split()}
activations = (
    "relu6 hardtanh leaky_relu elu celu selu gelu silu softplus logsigmoid hardsigmoid hardswish softsign mish tanhshrink "
    "hardshrink softshrink glu"
).split()

# name: (function, inputs)
CASES = {f"{name}": (lambda x, name=name: getattr(fn, name)(x), (x,)) for name, x in unary.items()}
CASES |= {name: (lambda x, name=name: getattr(F, name)(x), (X,)) for name in activations}
CASES |= {
    "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), (X,)),
    "softplus beta": (lambda x: F.softplus(x, 3.0, 2.0), (X,)),
    "leaky_relu slope": (lambda x: F.leaky_relu(x, 0.3), (X,)),
    "elu alpha": (lambda x: F.elu(x, 0.5), (X,)),
    "celu alpha": (lambda x: F.celu(x, 0.5), (X,)),
    "threshold": (lambda x: F.threshold(x, 0.5, -3.0), (X,)),
    "prelu": (lambda x, w: F.prelu(x, w), (IMAGE, floats(4))),
    "log1p near 0": (lambda x: fn.log1p(x * 1e-7) * 1e7, (X,)),
    "or": (lambda m, x: (m + m, m + (x > 1)), (MASK, X)),
    "norm in float64": (lambda x: fn.linalg.vector_norm(x, 2, 1, dtype=fn.float64), (X,)),
    "isnan": (lambda x: (x.isnan(), x.isinf(), x.isfinite()), (ODD,)),
    "round decimals": (lambda x: x.round(decimals=2), (X,)),
    "numbers": (lambda x: (2 * x + 1 - x / 4) ** 2 - (1 - x) * 3 + 2 / (x + 9), (X,)),
    "add alpha": (lambda x, y: fn.add(x, y, alpha=3) - fn.sub(x, y, alpha=2) + fn.rsub(x, y), (X, X)),
    "int and float": (lambda i, x: (i + x, i * 2, i + 0.5, i / 2, x + (i > 0)), (INT, X)),
    "int division": (
        lambda i: (i // 4, i % 4, i.fmod(4), fn.div(i, 3, rounding_mode="floor"), fn.div(i, 3, rounding_mode="trunc")),
        (INT,),
    ),
    "float division": (lambda x, y: (x // y, x % y, x.fmod(y), fn.div(x, y, rounding_mode="trunc")), (X, ABOVE)),
    "maximum": (lambda x, y: (fn.maximum(x, y), fn.minimum(x, y), fn.max(x, other=y)), (X, UNIT)),
    "pow": (lambda x: (x**3, x**0.5, x**2, 2**x, x**-1), (ABOVE,)),
    "lerp": (lambda x, y: (x.lerp(y, 0.3), x.lerp(y, y), x.addcmul(x, y, value=2), x.addcdiv(x, y)), (X, ABOVE)),
    "clamp": (lambda x: (x.clamp(-1, 1), x.clamp(min=0.5), x.clamp(max=0.5), x.clamp_min(0), x.clamp_max(0)), (X,)),
    "clamp tensor": (lambda x, y: x.clamp(min=y), (X, UNIT)),
    "compare": (lambda x, y: (x == y, x != y, x < y, x <= 0, x > 0.5, x >= y), (X, UNIT)),
    "compare ints": (lambda i, x: (i == 2, i > x, i <= 1, i > 0.5), (INT, X)),
    "logic": (
        lambda a, b: (a & b, a | b, a ^ b, ~a, fn.logical_and(a, b), fn.logical_not(a), fn.logical_or(a, b), fn.logical_xor(a, b)),
        (MASK, X < 1),
    ),
    "bits": (lambda i: (i & 3, i | 8, i ^ 5, ~i), (INT,)),
    "where": (lambda m, x: (fn.where(m, x, 0.0), fn.where(m, x, -x), x.masked_fill(m, -1.0)), (MASK, X)),
    "cast": (lambda x: (x.long(), x.to(fn.int32), x.bool(), x.double().float(), x.type(fn.int64)), (X,)),
    "reductions": (
        lambda x: (x.sum(), x.sum(1), x.mean((1, 2), keepdim=True), x.prod(-1), x.amax(1), x.amin((0, 2)), x.logsumexp(1)),
        (X,),
    ),
    "sum of bools": (lambda x: ((x > 0).sum(1), (x > 0).any(2), (x > 0).all(), (x > 0).float().mean()), (X,)),
    "extremes": (
        lambda x: (x.max(), x.min(), *x.max(1), *x.min(2, keepdim=True), x.argmax(), x.argmin(1), x.argmax(2, keepdim=True)),
        (X,),
    ),
    "var": (lambda x: (x.var(), x.var(1), x.std((1, 2), keepdim=True), x.var(2, unbiased=False), *fn.var_mean(x, 1), x.var(0)), (X,)),
    "norm": (lambda x: (x.norm(), x.norm(1, 2), x.norm(dim=(1, 2)), F.normalize(x, dim=1)), (X,)),
    "cumsum": (lambda x: (x.cumsum(1), (x > 0).cumsum(-1)), (X,)),
    "softmax": (lambda x: (F.softmax(x, -1), F.log_softmax(x, 1), F.softmin(x, 2)), (X,)),
    "topk": (lambda x: (*x.topk(2, -1), *x.topk(2, 1, largest=False), *x.sort(2, descending=True), x.argsort(1)), (X,)),
    "views": (
        lambda x: (x.view(x.shape[0], -1), x.reshape(-1, 6), x.flatten(1), x.unflatten(-1, (2, 3)), x.ravel(), x.view(-1, 2, 9)),
        (X,),
    ),
    "permute": (lambda x: (x.permute(2, 0, 1), x.transpose(1, 2), x[0].t(), x[0].T, x.mT, x.movedim(0, 2), x.swapaxes(-1, 0)), (X,)),
    "squeeze": (lambda x: (x.unsqueeze(1), x[:, :1].squeeze(1), x[:, :1, :1].squeeze(), x.unsqueeze(-1).squeeze(-1)), (X,)),
    "expand": (lambda x: (x[:, :1].expand(-1, 5, -1), x.expand(2, *x.shape), fn.broadcast_to(x[:, :, :1], x.shape)), (X,)),
    "repeat": (
        lambda x: (x.repeat(1, 2, 3), x.repeat(2, 1, 1, 1), fn.tile(x, (2,)), x.repeat_interleave(2, 1), x.repeat_interleave(2)),
        (X,),
    ),
    "flip": (lambda x: (x.flip(1), x.flip(0, 2), x.roll(2, 1), x.roll((1, -1), (1, 2)), fn.flipud(x), fn.fliplr(x)), (X,)),
    "join": (lambda x, i: (fn.cat([x, x], 1), fn.stack([x, x], 2), fn.hstack([x, x]), fn.cat([x, i], -1)), (X, INT)),
    "split": (lambda x: (*x.split(2, 2), *x.chunk(3, 1), *x.unbind(1), *x.split([1, 2], 1), *fn.tensor_split(x, 4, 2)), (X,)),
    "getitem": (
        lambda x: (x[:, 1], x[..., -1], x[:, :, ::2], x[:, None, 1:], x[:, -2:, 1:-1], x[0], x[:, :, 1:5:3], x[..., None, 0]),
        (X,),
    ),
    "getitem tensors": (lambda x, i: (x[i], x[:, i], x[i, i], x[:, [0, 2]], x[i, i, :2], x[i[:, None], i]), (X, whole(4))),
    "loop": (lambda x: sum(row * k for k, row in enumerate(x.permute(1, 0, 2))), (X,)),
    "select": (lambda x, i: (x.select(1, 2), x.narrow(2, 1, 3), x.index_select(1, i), fn.take(x[0], i)), (X, whole(5))),
    "gather": (lambda x, i: (x.gather(1, i), fn.take_along_dim(x, i, 2)), (X, whole(4, 3, 6))),
    "scatter": (lambda x, i: (x.scatter(2, i, x), x.scatter(2, i, 5.0), x.scatter_add(2, i, x)), (X, fn.arange(6).expand(4, 3, 6).clone())),
    "triangle": (lambda x: (x.tril(), x.triu(1), (x > 0).tril(-1)), (X,)),
    "pad": (
        lambda x: (
            F.pad(x, (1, 2)),
            F.pad(x, (1, 0, 2, 1), value=3.0),
            F.pad(x, (1, 2), mode="reflect"),
            F.pad(x, (2, 1), mode="replicate"),
            F.pad(x, (2, 1), mode="circular"),
            F.pad(x, (-1, 2)),
        ),
        (X,),
    ),
    "new": (
        lambda x: (
            fn.zeros_like(x) + x,
            fn.ones(x.shape) * x,
            fn.full((x.shape[0], 2), 3.0),
            x.new_zeros(x.shape[0]) + x[:, 0, 0],
            fn.arange(x.shape[0]) + 1,
            fn.full_like(x, 2.0),
        ),
        (X,),
    ),
    "meshgrid": (lambda x: fn.meshgrid(x[0, 0], x[0, 1, :4], indexing="ij"), (X,)),
    "one_hot": (lambda i: F.one_hot(i, 4), (whole(4, 3),)),
    "matmul": (
        lambda x, w: (x @ w.T, x @ x.mT, x[0] @ w[0], fn.bmm(x, x.mT), fn.mm(x[0], w.T), fn.mv(x[0], w[0]), fn.dot(w[0], w[1])),
        (X, W),
    ),
    "einsum": (lambda x, w: fn.einsum("nij,oj->nio", x, w), (X, W)),
    "addmm": (lambda x, w, b: fn.addmm(b, x[0], w.T), (X, W, floats(8))),
    "linear": (lambda x, w, b: (F.linear(x, w, b), F.linear(x, w), F.linear(x[:, 0], w, b), F.linear(x[:, 0], w)), (X, W, floats(8))),
    "embedding": (lambda i: F.embedding(i, W), (whole(4, 5, high=8),)),
    "conv2d": (
        lambda x: (
            F.conv2d(x, K, B),
            F.conv2d(x, K, None, 2, 1),
            F.conv2d(x, K, B, (2, 1), (0, 2), (1, 2)),
            F.conv2d(x, K, B, padding="same"),
            F.conv2d(x, floats_(8, 2, 3, 3), None, groups=2),
        ),
        (IMAGE,),
    ),
    "conv1d": (lambda x: F.conv1d(x, floats_(5, 3, 4), None, 1, "same"), (X,)),
    "conv3d": (lambda x: F.conv3d(x.unsqueeze(1), floats_(5, 1, 2, 3, 3), floats_(5), padding=1), (IMAGE,)),
    "conv_transpose": (
        lambda x: (
            F.conv_transpose2d(x, floats_(4, 6, 3, 3), floats_(6), 2, 1, 1),
            F.conv_transpose2d(x, floats_(4, 2, 2, 2), stride=2, groups=2),
        ),
        (IMAGE,),
    ),
    "no batch": (lambda x: (F.conv2d(x, K), F.max_pool2d(x, 2), F.avg_pool2d(x, 3)), (IMAGE[0].clone(),)),
    "max_pool": (
        lambda x: (
            F.max_pool2d(x, 3, 2, 1),
            F.max_pool2d(x, 2),
            F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            F.max_pool2d(x, 2, 1, dilation=2),
        ),
        (IMAGE,),
    ),
    "avg_pool": (
        lambda x: (F.avg_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), F.avg_pool2d(x, 2, divisor_override=3)),
        (IMAGE,),
    ),
    "ceil_mode": (
        lambda x: (F.max_pool2d(x, 2, 2, ceil_mode=True), F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False)),
        (IMAGE,),
    ),
    "ceil_mode without the last window": (
        lambda x: (
            F.max_pool2d(x, 2, 2, 1, ceil_mode=True),
            F.max_pool2d(x, 1, (2, 3), ceil_mode=True),
            F.avg_pool2d(x, 2, 2, 1, True),
            F.avg_pool2d(x, 3, 4, 1, True, False),
        ),
        (IMAGE,),
    ),
    "adaptive": (
        lambda x: (
            F.adaptive_avg_pool2d(x, 1),
            F.adaptive_avg_pool2d(x, (2, 5)),
            F.adaptive_max_pool2d(x, 1),
            F.adaptive_max_pool2d(x, (3, 11)),
        ),
        (IMAGE,),
    ),
    "pool1d": (lambda x: (F.max_pool1d(x, 2), F.avg_pool1d(x, 3, 1, 1), F.lp_pool1d(x, 2, 2)), (X,)),
    "interpolate": (
        lambda x: (
            F.interpolate(x, scale_factor=2),
            F.interpolate(x, size=(5, 20)),
            F.interpolate(x, size=(5, 7), mode="nearest-exact"),
            F.interpolate(x, scale_factor=2, mode="bilinear"),
            F.interpolate(x, (20, 6), mode="bilinear", align_corners=True),
            F.interpolate(x, (20, 22), mode="bicubic"),
            F.interpolate(x, (3, 5), mode="area"),
        ),
        (IMAGE,),
    ),
    "interpolate to one": (
        lambda x: (
            F.interpolate(x, (1, 7), mode="bilinear"),
            F.interpolate(x, (5, 1), mode="bilinear"),
            F.interpolate(x[:, :, 0], 1, mode="linear"),
            F.interpolate(x[:, None], (3, 1, 13), mode="trilinear"),
        ),
        (IMAGE,),
    ),
    "antialias": (
        lambda x: (
            F.interpolate(x, (5, 1), mode="bilinear", antialias=True),
            F.interpolate(x, (13, 7), mode="bilinear", antialias=True),
            F.interpolate(x, (4, 22), mode="bicubic", antialias=True),
        ),
        (IMAGE,),
    ),
    "scale_factor in float32": (lambda x: F.interpolate(x[..., :9, :10], scale_factor=(1.7, 2.3), mode="bilinear"), (IMAGE,)),
    "pixel_shuffle": (lambda x: (F.pixel_shuffle(x, 2), F.channel_shuffle(x, 2)), (IMAGE,)),
    "batch_norm": (lambda x: (F.batch_norm(x, M, V, B4, M), F.batch_norm(x, M, V), F.batch_norm(x[:, :, 0, 0], M, V, B4)), (IMAGE,)),
    "batch statistics": (lambda x: F.batch_norm(x, None, None, B4, M, True), (IMAGE,)),
    "group_norm": (
        lambda x: (F.group_norm(x, 2, B4, M), F.group_norm(x, 4), F.instance_norm(x, weight=B4, bias=M), F.instance_norm(x)),
        (IMAGE,),
    ),
    "layer_norm": (
        lambda x: (F.layer_norm(x, (6,), W[0], W[1]), F.layer_norm(x, (3, 6)), F.rms_norm(x, (6,), W[0]), F.rms_norm(x, (6,))),
        (X,),
    ),
    "local_response_norm": (lambda x: F.local_response_norm(x, 3, 0.1), (IMAGE,)),
    "attention": (
        lambda q, m: (
            F.scaled_dot_product_attention(q, q, q),
            F.scaled_dot_product_attention(q, q, q, is_causal=True),
            F.scaled_dot_product_attention(q, q[:, :5], q[:, :5], m[:, :5], scale=0.3),
            F.scaled_dot_product_attention(q, q, q, fn.zeros(9, 9) + 1),
        ),
        (IMAGE[:, 0].clone(), floats(9, 9) > -1),
    ),
    "shared heads": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True), (floats(2, 4, 5, 8), floats(2, 2, 5, 8))
    ),
    "index_add": (lambda x, i: (x.index_add(1, i, x, alpha=2), x + x.new_tensor([1.0] * 6)), (X, whole(3))),
    "dropout": (lambda x: F.dropout(x, 0.5, False) + F.dropout2d(x, 0.5, False), (X,)),
    "second names": (
        lambda x: (
            fn.absolute(x),
            fn.negative(x),
            fn.multiply(x, x),
            fn.subtract(x, 2 * x),
            fn.divide(x, 2),
            fn.true_divide(x, 3),
            fn.greater(x, 0),
            fn.greater_equal(x, 0),
            fn.less(x, 0),
            fn.less_equal(x, 0),
            fn.not_equal(x, 0),
            fn.clip(x, -1, 1),
            fn.fix(x),
            x.clone().contiguous().detach().positive(),
            x.int(),
            x.byte() * 0,
            x.type_as(x > 0),
            fn.arctan(x),
            fn.arcsinh(x),
            fn.arcsin(x / 3),
            fn.arccos(x / 3),
            fn.arctanh(x / 3),
            fn.arccosh(x + 4),
        ),
        (X,),
    ),
    "second names of views": (
        lambda x: (
            fn.concat([x, x], 1),
            fn.concatenate([x, x], 2),
            x.swapdims(0, 1),
            fn.moveaxis(x, 0, -1),
            fn.vstack([x, x]),
            (x + 1).view_as(x),
            x.reshape_as(x),
            x[:, :1].expand_as(x),
            *x.split_with_sizes([2, 4], 2),
            *x.hsplit(3),
            *x.mT.movedim(1, 0).vsplit(2),
            *x.dsplit(2),
            fn.dstack([x, x]),
            fn.column_stack([x, x]),
            *fn.std_mean(x, 1),
            x[0].t(),
            *fn.broadcast_tensors(x, x[:1]),
        ),
        (X,),
    ),
    "more convolutions": (
        lambda x: (
            F.conv_transpose1d(x, floats_(3, 2, 4), None, 2),
            F.conv_transpose3d(x[:, None, None], floats_(1, 2, 2, 2, 2)),
            F.dropout1d(x, 0.5, False),
            F.dropout3d(x[:, None], 0.5, False),
        ),
        (X,),
    ),
    "of the batch's size": (
        lambda x: (
            fn.empty(x.shape).fill_(2.0) + x,
            fn.empty_like(x).zero_() - x,
            x.new_full((x.shape[0],), 2.0) * x[:, 0, 0],
            x.new_empty(x.shape).copy_(x[:1]),
            x.new_ones(x.shape[0]) + fn.zeros(x.shape[0]) + fn.ones_like(x[:, 0, 0]),
            x / x.shape[0] + (x.shape[0] - 1),
            fn.ones(x.shape[0], x.shape[0]).tril(),
            x.repeat(x.shape[0], 1, 1),
        ),
        (X,),
    ),
    "losses": (lambda x, y: ((x - y).abs().mean(), F.cosine_similarity(x, y, 1)), (X, UNIT)),
}
