# The functions of fastnet.ops.batch_norm that Python sees.

cdef dict ACTIVATIONS = {None: NORM_ACT_NONE, "relu": NORM_ACT_RELU, "relu6": NORM_ACT_RELU6, "leaky_relu": NORM_ACT_LEAKY,
                         "silu": NORM_ACT_SILU, "hardswish": NORM_ACT_HARDSWISH}


cdef Tensor _optional(object t, str op, str name):
    return None if t is None else require_tensor(t, op, name)


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5, *, activation=None,
               negative_slope=0.01, residual=None):
    """Normalise each channel over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    The statistics are those of the input (training) or the running ones.  An activation and a sum that would follow can be had in the
    same pass: act(y + residual).

    Args:
        input: (N, C) or (N, C, ...), up to 5 axes.
        running_mean, running_var: (C,); in training they move towards the input's statistics (the unbiased variance), in place; None:
            there are none.
        weight, bias: (C,) or None.
        training: whether to use the input's statistics.
        momentum: by what part the running statistics move.
        eps: added to the variance.
        activation: None, "relu", "relu6", "leaky_relu", "silu" or "hardswish", applied to the result.
        negative_slope: of leaky_relu.
        residual: of input's shape, added before the activation; None: nothing.

    Raises:
        ValueError: training on one value for each channel; a bad eps or activation.
        RuntimeError: shapes or dtypes do not fit; no running statistics outside training.

    >>> import fastnet
    >>> x = fastnet.tensor([[1.0, 5.0], [3.0, 9.0]])
    >>> fastnet.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    >>> fastnet.nn.functional.batch_norm(x, None, None, training=True, activation="relu")
    tensor([[0.0000, 0.0000],
            [1.0000, 1.0000]])
    """
    cdef Tensor x = require_tensor(input, "batch_norm", "input"), mean = _optional(running_mean, "batch_norm", "running_mean")
    cdef Norm how
    how.groups, how.fixed, how.momentum, how.eps, how.slope = 0, not training, momentum, eps, negative_slope
    if activation not in ACTIVATIONS:
        raise ValueError(f"batch_norm: activation must be one of {', '.join(map(repr, ACTIVATIONS))}, got {activation!r}")
    how.act = ACTIVATIONS[activation]
    if not (eps > 0 or (eps == 0 and not training)):
        raise ValueError(f"batch_norm: eps must be positive{'' if training else ' or 0'}, got {eps}")
    if training and x.t.ndim >= 2 and x.t.size == x.t.dims[1] != 0:
        raise ValueError(f"batch_norm: training needs more than 1 value per channel, got input {shape_of(&x.t)}")
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("batch_norm: running_mean and running_var must be given outside training")
    return norm_forward(x, mean, _optional(running_var, "batch_norm", "running_var"), _optional(weight, "batch_norm", "weight"),
                        _optional(bias, "batch_norm", "bias"), _optional(residual, "batch_norm", "residual"), &how, "batch_norm")


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalise groups of channels of each image: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        input: (N, C, ...).
        num_groups: into how many groups of equal size the channels are divided.
        weight, bias: (C,) or None.
        eps: added to the variance.

    Raises:
        ValueError, RuntimeError: one value in a group; num_groups does not divide C; shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.nn.functional.group_norm(fastnet.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    cdef Tensor x = require_tensor(input, "group_norm", "input")
    cdef Norm how
    if x.t.ndim < 2:
        raise RuntimeError(f"group_norm: input must have at least 2 axes (N, C, ...), got shape {shape_of(&x.t)}")
    if not hasattr(num_groups, "__index__") or num_groups <= 0 or x.t.dims[1] % num_groups:
        raise RuntimeError(f"group_norm: num_groups must be a positive divisor of the {x.t.dims[1]} channels of input {shape_of(&x.t)}, got {num_groups}")
    if not eps >= 0:
        raise ValueError(f"group_norm: eps must not be negative, got {eps}")
    if x.t.size and x.t.size // x.t.dims[0] == num_groups:
        raise ValueError(f"group_norm: each of the {num_groups} groups needs more than 1 value, got input {shape_of(&x.t)}")
    how.groups, how.fixed, how.momentum, how.eps, how.slope, how.act = num_groups, False, 0.0, eps, 0.0, NORM_ACT_NONE
    wide = x.t.ndim > 5
    y = norm_forward(input.flatten(2) if wide else x, None, None, _optional(weight, "group_norm", "weight"),
                     _optional(bias, "group_norm", "bias"), None, &how, "group_norm")
    return y.reshape(input.shape) if wide else y


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    """Normalise each channel of each image: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        input: (N, C, ...), 3 to 5 axes.
        running_mean, running_var: (C,); moved towards the mean of the images' statistics, in place; None: there are none.
        weight, bias: (C,) or None.
        use_input_stats: False: normalise by the running statistics.
        momentum: by what part they move.
        eps: added to the variance.

    Raises:
        ValueError, RuntimeError: one value in a channel; shapes or dtypes do not fit; no running statistics where they are needed.

    >>> import fastnet
    >>> fastnet.nn.functional.instance_norm(fastnet.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    cdef Tensor x = require_tensor(input, "instance_norm", "input"), mean = _optional(running_mean, "instance_norm", "running_mean")
    cdef Norm how
    if x.t.ndim < 3:
        raise RuntimeError(f"instance_norm: input must have 3 to 5 axes (N, C, ...), got shape {shape_of(&x.t)}")
    if not eps >= 0:
        raise ValueError(f"instance_norm: eps must not be negative, got {eps}")
    if use_input_stats and x.t.size == x.t.dims[0] * x.t.dims[1] != 0:
        raise ValueError(f"instance_norm: each channel of an image needs more than 1 value, got input {shape_of(&x.t)}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("instance_norm: running_mean and running_var must be given without use_input_stats")
    how.groups, how.fixed, how.momentum, how.eps, how.slope, how.act = x.t.dims[1] if use_input_stats else 0, not use_input_stats, momentum, eps, 0.0, NORM_ACT_NONE
    return norm_forward(x, mean, _optional(running_var, "instance_norm", "running_var"), _optional(weight, "instance_norm", "weight"),
                        _optional(bias, "instance_norm", "bias"), None, &how, "instance_norm")
