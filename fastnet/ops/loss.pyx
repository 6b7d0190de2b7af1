"""Losses of pairs (prediction, target), element by element: value, sum and both gradients in one pass each."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport reduce_array, rescale, squeeze_axes
from fastnet.ops.reduction cimport *

import warnings

from fastnet.ops.expand import broadcast_tensors

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum
    int FN_loss_mse, FN_loss_l1, FN_loss_smooth_l1, FN_loss_huber, FN_loss_bce, FN_loss_bce_logits, FN_loss_kl, FN_loss_kl_log
    int FN_loss_soft_margin, FN_loss_hinge, FN_loss_mse_backward, FN_loss_l1_backward, FN_loss_smooth_l1_backward, FN_loss_huber_backward
    int FN_loss_bce_backward, FN_loss_bce_logits_backward, FN_loss_kl_backward, FN_loss_kl_log_backward, FN_loss_soft_margin_backward
    int FN_loss_hinge_backward
cdef extern from "kernels/loss.h" nogil:
    enum:
        LOSS_PIECE
    ctypedef struct fn_loss_args:
        const void *x
        const void *t
        const void *w
        const void *p
        const void *gy
        void *y
        void *part
        void *gx
        void *gt
        Py_ssize_t n, gy_stride
        double a, scale

# saved: prediction, target, weight, weight of positives
cdef enum:
    X, T, W, P, SAVED


cdef int pair_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """n.i[0]: kernel; n.i[1]: reduction; n.f: the loss's own number, the factor of the mean."""
    cdef fn_loss_args a
    cdef fn_tensor g
    cdef fn_tensor *x = &n.saved[X].t
    if n.i[1] == NONE:
        arrange(&g, gy, x)
    else:
        array_contiguous(&g, gy)
    try:
        a.x, a.t, a.gy, a.gx, a.gt = x.p, n.saved[T].t.p, g.p, NULL, NULL
        a.w = n.saved[W].t.p if n.saved[W].t.st != NULL else NULL
        a.p = n.saved[P].t.p if n.saved[P].t.st != NULL else NULL
        if n.inputs[0] != NULL:
            array_like(&gin[0], x, x.dtype)
            a.gx = gin[0].p
        if n.inputs[1] != NULL:
            array_like(&gin[1], x, x.dtype)
            a.gt = gin[1].p
        a.n, a.gy_stride, a.a, a.scale = x.size, 1 if n.i[1] == NONE else 0, n.f[0], n.f[1]
        if x.size == 0:
            return 0
        return launch(<int>n.i[0], x.dtype, &a, (x.size + LOSS_PIECE - 1) // LOSS_PIECE, n.f[2] + byte_cost(3.0 * itemsize(x.dtype) * x.size))
    finally:
        array_drop(&g)


cdef int arrange(fn_tensor *y, const fn_tensor *x, const fn_tensor *like) except -1:
    """*y = x in the memory order of like, which is dense."""
    if same_layout(x, like):
        array_share(y, x)
        return 0
    array_like(y, like, x.dtype)
    return array_copy(y, x)


cdef fn_op MSE = [b"MseLossBackward0", pair_backward, False]
cdef fn_op L1 = [b"L1LossBackward0", pair_backward, False]
cdef fn_op SMOOTH_L1 = [b"SmoothL1LossBackward0", pair_backward, False]
cdef fn_op HUBER = [b"HuberLossBackward0", pair_backward, False]
cdef fn_op BCE = [b"BinaryCrossEntropyBackward0", pair_backward, False]
cdef fn_op BCE_LOGITS = [b"BinaryCrossEntropyWithLogitsBackward0", pair_backward, False]
cdef fn_op KL = [b"KlDivBackward0", pair_backward, False]
cdef fn_op SOFT_MARGIN = [b"SoftMarginLossBackward0", pair_backward, False]
cdef fn_op HINGE = [b"HingeEmbeddingLossBackward0", pair_backward, False]


cdef Tensor _fit(Tensor t, Tensor x, str op, str argument):
    """t in the dtype and shape of x; integer targets become floating-point."""
    cdef int k, d
    if t.t.dtype != x.t.dtype:
        t = t.to(x.dtype)
    if same_shape(&t.t, &x.t):
        return t
    for k in range(1, t.t.ndim + 1):
        if k > x.t.ndim or t.t.dims[t.t.ndim - k] not in (1, x.t.dims[x.t.ndim - k]):
            raise ValueError(f"{op}: {argument} of shape {shape_of(&t.t)} does not fit input of shape {shape_of(&x.t)}")
    return t.expand(shape_of(&x.t))


cdef Tensor _pair(object input, object target, object weight, object positive, int mode, bint broadcast, double own, int kernel, int backward,
                  const fn_op *op, double cost, str name):
    cdef Tensor x = require_tensor(input, name, "input"), t = require_tensor(target, name, "target"), y, extra
    cdef fn_loss_args a
    cdef fn_tensor px, pt, pw, pp, part, value
    cdef fn_node *n
    cdef Py_ssize_t dims[1]
    cdef double count = 1.0
    if not is_float(x.t.dtype):
        if not is_float(t.t.dtype):
            raise TypeError(f"{name}: input must be floating-point, got {x.dtype}")
        x = x.to(t.dtype)
    elif t.t.dtype == FN_F64 and x.t.dtype == FN_F32:
        x = x.to(t.dtype)
    if not same_shape(&x.t, &t.t):
        if not broadcast:
            raise ValueError(f"{name}: target of shape {shape_of(&t.t)} must have the shape of the input, {shape_of(&x.t)}")
        warnings.warn(f"{name}: target of shape {shape_of(&t.t)} and input of shape {shape_of(&x.t)} differ and are broadcast; "
                      "this is seldom meant", stacklevel=2)
        try:
            x, t = broadcast_tensors(x, t)
        except RuntimeError:
            raise ValueError(f"{name}: target of shape {shape_of(&t.t)} does not fit input of shape {shape_of(&x.t)}") from None
    t = _fit(t, x, name, "target")
    px.st = pt.st = pw.st = pp.st = part.st = value.st = NULL
    try:
        if is_dense(&x.t):
            array_share(&px, &x.t)
        else:
            array_new(&px, x.t.ndim, x.t.dims, x.t.dtype)
            array_copy(&px, &x.t)
        arrange(&pt, &t.t, &px)
        a.x, a.t, a.w, a.p, a.y, a.part, a.n, a.a = px.p, pt.p, NULL, NULL, NULL, NULL, px.size, own
        if weight is not None:
            extra = _fit(_constant(weight, name, "weight"), x, name, "weight")
            arrange(&pw, &extra.t, &px)
            a.w = pw.p
        if positive is not None:
            extra = _fit(_constant(positive, name, "pos_weight"), x, name, "pos_weight")
            arrange(&pp, &extra.t, &px)
            a.p = pp.p
        dims[0] = (px.size + LOSS_PIECE - 1) // LOSS_PIECE
        cost *= px.size
        if mode == NONE:
            array_like(&value, &px, px.dtype)
            a.y = value.p
            launch(kernel, px.dtype, &a, dims[0], cost + byte_cost(3.0 * itemsize(px.dtype) * px.size))
        else:
            array_new(&part, 1, dims, px.dtype)
            a.part = part.p
            launch(kernel, px.dtype, &a, dims[0], cost + byte_cost(2.0 * itemsize(px.dtype) * px.size))
            if dims[0] == 1:
                value = part
                part.st = NULL
            else:
                reduce_array(&value, &part, 1, FN_reduce_sum, FN_reduce_sum)
            squeeze_axes(&value, 1)
            value.size = 1
            if mode == MEAN:
                count = 1.0 / px.size
                rescale(&value, count, False)
        y = tensor_take(&value)
        value.st = NULL
        if grad_enabled() and (x.node != NULL or t.node != NULL):
            n = record(y, op, 2, SAVED)
            node_input(n, 0, x.node)
            node_input(n, 1, t.node)
            node_save(n, X, &px)
            node_save(n, T, &pt)
            if pw.st != NULL:
                node_save(n, W, &pw)
            if pp.st != NULL:
                node_save(n, P, &pp)
            n.i[0], n.i[1] = backward, mode
            n.f[0], n.f[1], n.f[2] = own, count, cost
        return y
    finally:
        array_drop(&px)
        array_drop(&pt)
        array_drop(&pw)
        array_drop(&pp)
        array_drop(&part)
        array_drop(&value)


cdef Tensor _constant(object x, str op, str argument):
    cdef Tensor t = require_tensor(x, op, argument)
    if t.node != NULL and grad_enabled():
        raise ValueError(f"{op}: {argument} must not require gradients")
    return t


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)^2.

    Args:
        input, target: tensors of one shape; others are broadcast, with a warning.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".
        weight: a factor for each element; the mean is then over the sum of the weights.

    >>> import fastnet
    >>> fastnet.nn.functional.mse_loss(fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 4.0]))
    tensor(2.)
    """
    return _weighted(input, target, weight, reduction_of(reduction, size_average, reduce, "mse_loss"), 0.0, FN_loss_mse, FN_loss_mse_backward, &MSE,
                     "mse_loss")


cdef Tensor _weighted(object input, object target, object weight, int mode, double own, int kernel, int backward, const fn_op *op, str name):
    """A loss whose weighted mean is over the sum of the weights."""
    if weight is None or mode != MEAN:
        return _pair(input, target, weight, None, mode, True, own, kernel, backward, op, 0.0, name)
    total = _fit(_constant(weight, name, "weight"), require_tensor(input, name, "input"), name, "weight").sum()
    return _pair(input, target, weight, None, SUM, True, own, kernel, backward, op, 0.0, name) / total


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|.

    Args:
        input, target: tensors of one shape; others are broadcast, with a warning.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".
        weight: a factor for each element; the mean is then over the sum of the weights.

    >>> import fastnet
    >>> fastnet.nn.functional.l1_loss(fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 4.0]))
    tensor(1.)
    """
    return _weighted(input, target, weight, reduction_of(reduction, size_average, reduce, "l1_loss"), 0.0, FN_loss_l1, FN_loss_l1_backward, &L1,
                     "l1_loss")


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2.

    Args:
        input, target: tensors of one shape; others are broadcast, with a warning.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".
        beta: where the parabola ends, not negative; 0 is l1_loss.

    >>> import fastnet
    >>> fastnet.nn.functional.smooth_l1_loss(fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    return _pair(input, target, None, None, reduction_of(reduction, size_average, reduce, "smooth_l1_loss"), True, beta, FN_loss_smooth_l1,
                 FN_loss_smooth_l1_backward, &SMOOTH_L1, 0.0, "smooth_l1_loss")


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d^2 / 2 where d = |input - target| <= delta, else delta (d - delta / 2).

    Args:
        input, target: tensors of one shape; others are broadcast, with a warning.
        reduction: "mean", "sum" or "none".
        delta: where the parabola ends, positive.
        weight: a factor for each element; the mean is then over the sum of the weights.

    >>> import fastnet
    >>> fastnet.nn.functional.huber_loss(fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    return _weighted(input, target, weight, reduction_of(reduction, None, None, "huber_loss"), delta, FN_loss_huber, FN_loss_huber_backward, &HUBER,
                     "huber_loss")


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(target log input + (1 - target) log(1 - input)), with logarithms not below -100.

    Args:
        input: probabilities, from 0 to 1.
        target: of the same shape, from 0 to 1.
        weight: a factor for each element, broadcast.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: shapes differ, or input is not within [0, 1].

    >>> import fastnet
    >>> fastnet.nn.functional.binary_cross_entropy(fastnet.tensor([0.5]), fastnet.tensor([1.0]))
    tensor(0.6931)
    """
    cdef Tensor x = require_tensor(input, "binary_cross_entropy", "input")
    if is_float(x.t.dtype) and x.t.size:
        low, high = x.detach().amin().item(), x.detach().amax().item()
        if low < 0 or high > 1:
            raise ValueError(f"binary_cross_entropy: input must lie in [0, 1], its values reach from {low} to {high}; "
                             "for logits use binary_cross_entropy_with_logits")
    return _pair(x, target, weight, None, reduction_of(reduction, size_average, reduce, "binary_cross_entropy"), False, 0.0, FN_loss_bce,
                 FN_loss_bce_backward, &BCE, 2.0, "binary_cross_entropy")


def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    """binary_cross_entropy of sigmoid(input), without overflow.

    Args:
        input: logits.
        target: of the same shape, from 0 to 1.
        weight: a factor for each element, broadcast.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".
        pos_weight: the weight of the part of target, broadcast.

    Raises:
        ValueError: shapes do not fit.

    >>> import fastnet
    >>> fastnet.nn.functional.binary_cross_entropy_with_logits(fastnet.tensor([0.0]), fastnet.tensor([1.0]))
    tensor(0.6931)
    """
    return _pair(input, target, weight, pos_weight, reduction_of(reduction, size_average, reduce, "binary_cross_entropy_with_logits"), False, 0.0,
                 FN_loss_bce_logits, FN_loss_bce_logits_backward, &BCE_LOGITS, 2.0, "binary_cross_entropy_with_logits")


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target (log target - input), the Kullback-Leibler divergence of log-probabilities from a target.

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms with log_target; of the same shape.
        size_average, reduce: older spellings of reduction.
        reduction: "batchmean" (the sum over the first size: the divergence as mathematics has it), "mean", "sum" or "none".
        log_target: whether target holds logarithms.

    >>> import fastnet
    >>> fastnet.nn.functional.kl_div(fastnet.tensor([[0.5, 0.5]]).log(), fastnet.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    cdef bint per_row = isinstance(reduction, str) and reduction == "batchmean" and size_average is None and reduce is None
    cdef int mode = SUM if per_row else reduction_of(reduction, size_average, reduce, "kl_div")
    y = _pair(input, target, None, None, mode, True, 1.0 if log_target else 0.0, FN_loss_kl_log if log_target else FN_loss_kl,
              FN_loss_kl_log_backward if log_target else FN_loss_kl_backward, &KL, 1.0, "kl_div")
    return y / (<Tensor>input).t.dims[0] if per_row and (<Tensor>input).t.ndim else y


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target input)).

    Args:
        input: scores.
        target: 1 or -1, of the same shape.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".

    >>> import fastnet
    >>> fastnet.nn.functional.soft_margin_loss(fastnet.tensor([0.0]), fastnet.tensor([1.0]))
    tensor(0.6931)
    """
    return _pair(input, target, None, None, reduction_of(reduction, size_average, reduce, "soft_margin_loss"), False, 0.0, FN_loss_soft_margin,
                 FN_loss_soft_margin_backward, &SOFT_MARGIN, 1.0, "soft_margin_loss")


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1.

    Args:
        input: distances.
        target: 1 or -1, of the same shape.
        margin: the distance that is far enough.
        size_average, reduce: older spellings of reduction.
        reduction: "mean", "sum" or "none".

    >>> import fastnet
    >>> fastnet.nn.functional.hinge_embedding_loss(fastnet.tensor([0.25, 0.25]), fastnet.tensor([1.0, -1.0]))
    tensor(0.5000)
    """
    return _pair(input, target, None, None, reduction_of(reduction, size_average, reduce, "hinge_embedding_loss"), True, margin, FN_loss_hinge,
                 FN_loss_hinge_backward, &HINGE, 0.0, "hinge_embedding_loss")
