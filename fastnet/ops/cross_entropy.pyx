"""cross_entropy and nll_loss over classes: one read of the logits forward, one read and one write backward."""
from libc.stdint cimport int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *
from fastnet.ops.bounds cimport check_index
from fastnet.ops.reduction cimport *

cdef extern from "groups/rows.h" nogil:
    int FN_cross_entropy_forward, FN_cross_entropy_backward, FN_nll_forward, FN_nll_backward
cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum
cdef extern from "kernels/cross_entropy.h" nogil:
    ctypedef struct fn_cross_entropy_forward_args:
        const void *x
        const void *prob
        const void *weight
        const int64_t *index
        void *loss
        void *mass
        void *lse
        double smoothing
        int64_t ignore
        Py_ssize_t n
    ctypedef struct fn_cross_entropy_backward_args:
        const void *x
        const void *prob
        const void *weight
        const void *lse
        const void *gy
        const void *total
        const int64_t *index
        void *gx
        void *gprob
        double smoothing
        int64_t ignore
        Py_ssize_t n, gy_stride

# saved: x as rows, its targets, lse, the class weights, the total mass
cdef enum:
    X, TARGET, LSE, WEIGHT, TOTAL, SAVED


cdef int _backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, int kernel) except -1:
    """n.i: rows, classes, reduction, ignore_index, whether targets are probabilities; n.f[0]: smoothing, n.f[1]: 1 / rows or 1."""
    cdef fn_cross_entropy_backward_args a
    cdef fn_tensor *x = &n.saved[X].t
    cdef fn_tensor *t = &n.saved[TARGET].t
    cdef fn_tensor g
    array_new(&g, gy.ndim, gy.dims, gy.dtype)
    try:
        array_copy(&g, gy)
        if n.f[1] != 1.0:
            rescale(&g, n.f[1], False)
        a.x, a.lse, a.weight, a.total = x.p, NULL, NULL, NULL
        if n.saved[LSE].t.st != NULL:
            a.lse = n.saved[LSE].t.p
        if n.saved[WEIGHT].t.st != NULL:
            a.weight = n.saved[WEIGHT].t.p
        if n.saved[TOTAL].t.st != NULL:
            a.total = n.saved[TOTAL].t.p
        a.gy, a.gy_stride = g.p, 1 if n.i[2] == NONE else 0
        a.index, a.prob, a.gx, a.gprob = NULL, NULL, NULL, NULL
        if n.i[4]:
            a.prob = t.p
        else:
            a.index = <int64_t *>t.p
        if n.inputs[0] != NULL:
            array_like(&gin[0], x, x.dtype)
            a.gx = gin[0].p
        if n.n_inputs > 1 and n.inputs[1] != NULL:
            array_like(&gin[1], t, t.dtype)
            a.gprob = gin[1].p
        a.smoothing, a.ignore, a.n = n.f[0], n.i[3], n.i[1]
        return launch(kernel, x.dtype, &a, n.i[0], byte_cost(3.0 * itemsize(x.dtype) * x.size))
    finally:
        array_drop(&g)


cdef int cross_entropy_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, FN_cross_entropy_backward)


cdef int nll_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, FN_nll_backward)


cdef fn_op CROSS_ENTROPY = [b"CrossEntropyLossBackward0", cross_entropy_backward, False]
cdef fn_op NLL = [b"NllLossBackward0", nll_backward, False]


cdef int _check(Tensor x, Tensor t, object weight, bint prob, str op) except -1:
    cdef int axis = 0 if x.t.ndim <= 1 else 1
    cdef int d, k = 0
    cdef Tensor w
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be floating-point, got {x.dtype}")
    if x.t.ndim == 0:
        raise ValueError(f"{op}: input needs an axis of classes, got a 0-dim tensor")
    if prob:
        if not same_shape(&x.t, &t.t) or t.t.dtype != x.t.dtype:
            raise ValueError(f"{op}: target {t.dtype} of shape {shape_of(&t.t)}: probabilities must have dtype and shape of the input, "
                             f"{x.dtype} {shape_of(&x.t)}")
    else:
        if t.t.dtype == FN_BOOL or is_float(t.t.dtype):
            raise TypeError(f"{op}: target must hold integer class indices, got {t.dtype} of shape {shape_of(&t.t)} for input {shape_of(&x.t)}")
        bad = t.t.ndim != x.t.ndim - 1
        for d in range(x.t.ndim):
            if d != axis and not bad:
                bad = t.t.dims[k] != x.t.dims[d]
                k += 1
        if bad:
            raise ValueError(f"{op}: target of shape {shape_of(&t.t)} does not fit input of shape {shape_of(&x.t)}, whose classes are axis {axis}")
    if weight is not None:
        w = require_tensor(weight, op, "weight")
        if w.t.ndim != 1 or w.t.dims[0] != x.t.dims[axis] or w.t.dtype != x.t.dtype:
            raise ValueError(f"{op}: weight must be {x.dtype} of shape ({x.t.dims[axis]},), got {w.dtype} of shape {shape_of(&w.t)}")
        if w.node != NULL and grad_enabled():
            raise ValueError(f"{op}: weight must not require gradients")
    return axis


cdef int _share_contiguous(fn_node *n, int k, fn_tensor *x) noexcept:
    if x.st != NULL:
        node_save(n, k, x)
    return 0


cdef Tensor _loss(Tensor x, Tensor t, object weight, int64_t ignore, int mode, double smoothing, bint prob, int forward, const fn_op *op, str name):
    cdef fn_cross_entropy_forward_args a
    cdef fn_tensor px, pt, pw, lse, loss, mass, total, value
    cdef fn_node *n
    cdef Tensor y
    cdef Rows r, rt
    cdef int axis = _check(x, t, weight, prob, name), d, k = 0
    cdef Py_ssize_t dims[8]
    cdef double count = 1.0
    px.st = pt.st = pw.st = lse.st = loss.st = mass.st = total.st = value.st = NULL
    if not prob and t.t.dtype != FN_I64:
        t = t.to("int64")
    for d in range(x.t.ndim):
        if d != axis:
            dims[k] = x.t.dims[d]
            k += 1
    try:
        arrange_rows(&px, &x.t, 1 << axis, &r)
        if prob:
            arrange_rows(&pt, &t.t, 1 << axis, &rt)
        else:
            array_contiguous(&pt, &t.t)
            check_index(&pt, x.t.dims[axis], ignore, name, "target")
        if weight is not None:
            array_contiguous(&pw, &(<Tensor>weight).t)
        array_new(&loss, k, dims, x.t.dtype)
        array_new(&mass, k, dims, x.t.dtype)
        array_new(&lse, k, dims, x.t.dtype)
        a.x, a.loss, a.mass, a.lse = px.p, loss.p, mass.p, lse.p
        a.index, a.prob, a.weight = NULL, NULL, NULL
        if prob:
            a.prob = pt.p
        else:
            a.index = <int64_t *>pt.p
        if pw.st != NULL:
            a.weight = pw.p
        a.smoothing, a.ignore, a.n = smoothing, ignore, r.n
        launch(forward, x.t.dtype, &a, r.outer, byte_cost(2.0 * itemsize(x.t.dtype) * x.t.size) + 20.0 * r.outer)
        if mode == NONE:
            value = loss
            loss.st = NULL
        else:
            reduce_array(&value, &loss, axes_mask(None, k, name), FN_reduce_sum, FN_reduce_sum)
            if mode == MEAN and prob:
                count = 1.0 / r.outer if r.outer else <double>float("nan")
                rescale(&value, count, False)
            elif mode == MEAN:
                reduce_array(&total, &mass, axes_mask(None, k, name), FN_reduce_sum, FN_reduce_sum)
                if x.t.dtype == FN_F32:
                    (<float *>value.p)[0] /= (<float *>total.p)[0]
                else:
                    (<double *>value.p)[0] /= (<double *>total.p)[0]
            squeeze_axes(&value, axes_mask(None, k, name))
        y = tensor_take(&value)
        value.st = NULL
        if grad_enabled() and (x.node != NULL or (prob and t.node != NULL)):
            n = record(y, op, 2 if prob else 1, SAVED)
            node_input(n, 0, x.node)
            if prob:
                node_input(n, 1, t.node)
            _share_contiguous(n, X, &px)
            _share_contiguous(n, TARGET, &pt)
            _share_contiguous(n, LSE, &lse)
            _share_contiguous(n, WEIGHT, &pw)
            _share_contiguous(n, TOTAL, &total)
            n.i[0], n.i[1], n.i[2], n.i[3], n.i[4] = r.outer, r.n, mode, ignore, prob
            n.f[0], n.f[1] = smoothing, count
        return y
    finally:
        array_drop(&px)
        array_drop(&pt)
        array_drop(&pw)
        array_drop(&lse)
        array_drop(&loss)
        array_drop(&mass)
        array_drop(&total)
        array_drop(&value)


def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
    """-log softmax(input)[target], the negative log-likelihood of classes under logits.

    Args:
        input: logits, (C,), (N, C) or (N, C, d1, ...).
        target: class indices, integers of the input's shape without C; or probabilities, of the input's shape and dtype.
        weight: a weight for each class, (C,).
        size_average, reduce: older spellings of reduction.
        ignore_index: targets of this value count nothing (class indices only).
        reduction: "mean" (over the weights of the targets; over the rows for probabilities), "sum" or "none".
        label_smoothing: the share of the target that is spread evenly over all classes, from 0 to 1.

    Raises:
        ValueError: shapes do not fit, or label_smoothing is not from 0 to 1.
        IndexError: a class index is outside [0, C).
        TypeError: a dtype is wrong.

    >>> import fastnet
    >>> fastnet.nn.functional.cross_entropy(fastnet.tensor([[0.0, 0.0]]), fastnet.tensor([1]))
    tensor(0.6931)
    """
    cdef Tensor x = require_tensor(input, "cross_entropy", "input"), t = require_tensor(target, "cross_entropy", "target")
    cdef int mode = reduction_of(reduction, size_average, reduce, "cross_entropy")
    cdef bint prob = same_shape(&x.t, &t.t) and is_float(t.t.dtype)
    cdef double smoothing = label_smoothing
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing}")
    return _loss(x, t, weight, ignore_index, mode, smoothing, prob, FN_cross_entropy_forward, &CROSS_ENTROPY, "cross_entropy")


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-input[target], the negative log-likelihood of classes under log-probabilities.

    Args:
        input: log-probabilities, (C,), (N, C) or (N, C, d1, ...).
        target: class indices, integers of the input's shape without C.
        weight: a weight for each class, (C,).
        size_average, reduce: older spellings of reduction.
        ignore_index: targets of this value count nothing.
        reduction: "mean" (over the weights of the targets), "sum" or "none".

    Raises:
        ValueError: shapes do not fit.
        IndexError: a class index is outside [0, C).
        TypeError: a dtype is wrong.

    >>> import fastnet
    >>> fastnet.nn.functional.nll_loss(fastnet.tensor([[-0.5, -2.0]]), fastnet.tensor([1]))
    tensor(2.)
    """
    cdef Tensor x = require_tensor(input, "nll_loss", "input"), t = require_tensor(target, "nll_loss", "target")
    cdef int mode = reduction_of(reduction, size_average, reduce, "nll_loss")
    return _loss(x, t, weight, ignore_index, mode, 0.0, False, FN_nll_forward, &NLL, "nll_loss")
