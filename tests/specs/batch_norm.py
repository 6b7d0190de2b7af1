"""Batch, group and instance norm, with an activation and a residual, and with running statistics."""
import numpy as np

from specs import Case, OpSpec, Refused, normal, positive, zeros

HOME = "fastnet.nn.functional."


def per_channel(v, x):
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def affine(y, weight, bias):
    y = y if weight is None else y * per_channel(weight, y)
    return y if bias is None else y + per_channel(bias, y)


def act(z, activation, slope=0.01):
    if activation is None:
        return z
    return {"relu": lambda: np.maximum(z, 0), "relu6": lambda: np.clip(z, 0, 6), "leaky_relu": lambda: np.where(z > 0, z, slope * z),
            "silu": lambda: z / (1 + np.exp(-z)), "hardswish": lambda: z * np.clip(z + 3, 0, 6) / 6}[activation]()


def batch_norm(x, mean, var, weight=None, bias=None, residual=None, training=True, momentum=0.1, eps=1e-5, activation=None,
               negative_slope=0.01):
    axes = (0, *range(2, x.ndim))
    if training:
        y = (x - per_channel(x.mean(axes), x)) / np.sqrt(per_channel(x.var(axes), x) + eps)
    else:
        y = (x - per_channel(mean, x)) / np.sqrt(per_channel(var, x) + eps)
    y = affine(y, weight, bias)
    return act(y if residual is None else y + residual, activation, negative_slope)


def copy(t):
    return None if t is None else t.detach().clone()


def call_batch_norm(f, x, mean, var, weight=None, bias=None, residual=None, training=True, **args):
    """The running statistics move: on copies, so that a test's inputs stay as they are.  test_norm.py looks at them."""
    return f(x, copy(mean), copy(var), weight, bias, training, residual=residual, **args)


def group_norm(x, weight=None, bias=None, num_groups=1, eps=1e-5):
    rows = x.reshape(x.shape[0], num_groups, int(np.prod(x.shape[1:])) // num_groups)
    y = (rows - rows.mean(2, keepdims=True)) / np.sqrt(rows.var(2, keepdims=True) + eps)
    return affine(y.reshape(x.shape), weight, bias)


def instance_norm(x, mean=None, var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    axes = tuple(range(2, x.ndim))
    if not use_input_stats:
        return batch_norm(x, mean, var, weight, bias, training=False, eps=eps)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return affine(y, weight, bias)


def call_instance_norm(f, x, mean=None, var=None, weight=None, bias=None, use_input_stats=True, **args):
    return f(x, copy(mean), copy(var), weight, bias, use_input_stats, **args)


def among(*values):
    """Inputs that keep what is activated away from the kinks: weights are small, bias and residual are some of a few values."""
    return lambda rng, shape: rng.choice(values, shape) * 1.0


def fused(activation, shape, **args):
    c, centre = (shape[1],), among(-6.0, 0.0, 6.0) if activation == "hardswish" else among(-3.0, 3.0)
    makes = [normal, normal, positive, among(-0.3, 0.2, 0.3), centre, among(-6.0, 0.0, 6.0)]
    return [Case((shape, None, None, c, c, None), {"activation": activation, **args}, makes),
            Case((shape, None, None, c, c, shape), {"activation": activation, **args}, makes),
            Case((shape, c, c, c, c, shape), {"activation": activation, "training": False, **args}, makes)]


def plain(*shapes):
    return [Case((s, None, None, *more)) for s in shapes for more in ((), ((s[1],), (s[1],)))]


ACTIVATIONS = [case for a in ("relu", "relu6", "silu", "hardswish") for case in fused(a, (2, 5, 3, 4))]
ACTIVATIONS += [case for slope in (0.2, -0.5) for case in fused("leaky_relu", (2, 5, 3, 4), negative_slope=slope)]
ACTIVATIONS += [*fused("relu", (3, 67, 7, 9)), *fused("silu", (40, 3)), *fused(None, (2, 18, 3, 7))]
MOMENTS = [normal, normal, positive, normal, normal, normal]

SPECS = [
    OpSpec("batch_norm", HOME + "batch_norm", batch_norm, call=call_batch_norm, make=MOMENTS, wrt=(0, 3, 4, 5), tol=2e-5, tol64=1e-11,
           grad_tol=1e-7,
           cases=[*(Case(c.shapes + (None,) * (6 - len(c.shapes)), c.args, c.make or MOMENTS) for c in [
               *plain((5, 3), (2, 1), (2, 3, 7), (3, 5, 4, 6), (40, 3, 5), (2, 2, 3, 4, 5), (70, 17),
                      (2, 1, 19, 15), (9, 70, 13), (3, 1100)),
               *ACTIVATIONS,
               Case(((6, 4, 3), (4,), (4,))), Case(((6, 4, 3), (4,), (4,), (4,), None), {"momentum": 1.0, "eps": 0.1}),
               Case(((4, 3, 2, 2), (3,), (3,), (3,), (3,)), {"training": False}),
               Case(((1, 3), (3,), (3,)), {"training": False, "eps": 0.0}),
               Case(((0, 3, 4), (3,), (3,), (3,), (3,)), {"training": False}), Case(((4, 0, 2), None, None)),
               Case(((2, 3, 5), None, None, None, (3,))),
           ])],
           refused=[
               Refused(ValueError, "batch_norm: training needs more than 1 value", zeros(1, 3, 1, 1), None, None, training=True),
               Refused(RuntimeError, "batch_norm: running_mean and running_var must be given", zeros(2, 3), None, None, training=False),
               Refused(RuntimeError, "batch_norm: running_mean and running_var must be given", zeros(2, 3), zeros(3), None, training=False),
               Refused(RuntimeError, "batch_norm: .*together", zeros(2, 3), zeros(3), None, training=True),
               Refused(RuntimeError, r"batch_norm: weight must have the shape \(3,\)", zeros(2, 3), None, None, zeros(4), training=True),
               Refused(RuntimeError, r"batch_norm: .*bias is .*float64", zeros(2, 3), None, None, zeros(3), zeros(3, dtype="float64")),
               Refused(RuntimeError, "batch_norm: residual must be .*2, 3", zeros(2, 3), None, None, training=True, residual=zeros(2, 4)),
               Refused(RuntimeError, "batch_norm: input must have 2 to 5 axes", zeros(3), None, None, training=True),
               Refused(TypeError, "batch_norm: input must be float", zeros(2, 3, dtype="int64"), None, None, training=True),
               Refused(ValueError, "batch_norm: eps must be positive", zeros(2, 3), None, None, training=True, eps=0.0),
               Refused(ValueError, "batch_norm: activation must be one of", zeros(2, 3), None, None, training=True, activation="swish"),
           ],
           bench=[Case(((32, 64, 32, 32), None, None, (64,), (64,), None), {"activation": "relu"}, MOMENTS)]),
    OpSpec("group_norm", HOME + "group_norm", group_norm, tol=2e-5, tol64=1e-11, grad_tol=1e-7,
           call=lambda f, x, weight=None, bias=None, num_groups=1, **args: f(x, num_groups, weight, bias, **args),
           cases=[Case(((2, 6, 3, 4), (6,), (6,)), {"num_groups": g}) for g in (1, 2, 3, 6)]
           + [Case(((3, 4), None, None), {"num_groups": 2}), Case(((2, 8, 5), (8,), None), {"num_groups": 4, "eps": 0.1}),
              Case(((2, 3, 40, 3), (3,), (3,)), {"num_groups": 1}), Case(((1, 70, 2, 2, 3), None, (70,)), {"num_groups": 5}),
              Case(((2, 600, 3), (600,), (600,)), {"num_groups": 2}), Case(((0, 4, 3), (4,), (4,)), {"num_groups": 2}),
              Case(((2, 4, 2, 1, 3, 2), (4,), (4,)), {"num_groups": 2})],
           refused=[
               Refused(RuntimeError, "group_norm: num_groups must be a positive divisor of the 6 channels", zeros(2, 6), num_groups=4),
               Refused(RuntimeError, "group_norm: num_groups", zeros(2, 6), num_groups=0),
               Refused(RuntimeError, "group_norm: input must have at least 2 axes", zeros(6), num_groups=2),
               Refused(ValueError, "group_norm: .*more than 1 value", zeros(2, 6), num_groups=6),
               Refused(ValueError, "group_norm: eps", zeros(2, 6), num_groups=2, eps=-1.0),
               Refused(RuntimeError, r"group_norm: weight must have the shape \(6,\)", zeros(2, 6), zeros(2), num_groups=2),
           ]),
    OpSpec("instance_norm", HOME + "instance_norm", instance_norm, call=call_instance_norm, make=MOMENTS[:5], wrt=(0, 3, 4), tol=2e-5,
           tol64=1e-11, grad_tol=1e-7,
           cases=[Case(s + (None,) * (5 - len(s)), args, MOMENTS[:5]) for s, args in [
               (((2, 3, 7),), {}), (((2, 3, 4, 5), None, None, (3,), (3,)), {}), (((3, 20, 2, 2, 3), None, None, (20,)), {"eps": 0.1}),
               (((2, 3, 50), (3,), (3,), (3,), (3,)), {"momentum": 0.3}), (((2, 3, 5), (3,), (3,)), {"use_input_stats": False}),
               (((2, 70, 9), (70,), (70,), (70,), (70,)), {"use_input_stats": False})]],
           refused=[
               Refused(ValueError, "instance_norm: .*more than 1 value", zeros(2, 3, 1)),
               Refused(RuntimeError, "instance_norm: input must have 3 to 5 axes", zeros(2, 3)),
               Refused(RuntimeError, "instance_norm: running_mean and running_var must be given", zeros(2, 3, 4), use_input_stats=False),
               Refused(ValueError, "instance_norm: eps", zeros(2, 3, 4), eps=-1.0),
           ]),
]
