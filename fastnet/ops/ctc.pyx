"""ctc_loss: all alignments of a target with a longer sequence."""
from libc.stdint cimport int64_t
from libc.string cimport memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport launch, max_threads
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

import numpy as np

cdef extern from "groups/index.h" nogil:
    int FN_ctc_forward, FN_ctc_backward
cdef extern from "kernels/ctc.h" nogil:
    enum:
        CTC_LEAD
    ctypedef struct fn_ctc_args:
        const void *x
        const void *gloss
        void *loss
        void *alpha
        void *gx
        const int64_t *targets
        const int64_t *starts
        const int64_t *lengths
        const int64_t *target_lengths
        void *scratch
        Py_ssize_t steps, sequences, classes, width
        int64_t blank
        int zero_infinity


cdef int _launch(int kernel, int dtype, fn_ctc_args *a) except -1:
    a.scratch = block_new(4 * a.width * itemsize(dtype) * max_threads())
    try:
        return launch(kernel, dtype, a, a.sequences, 3.0 * a.steps * a.width * a.sequences)
    finally:
        block_free(a.scratch)


# saved: x, alpha, numbers (starts, lengths, target lengths), targets.  n.i: blank, zero_infinity, width.
cdef void _args(fn_ctc_args *a, const fn_tensor *x, const fn_tensor *alpha, const fn_tensor *numbers, const fn_tensor *targets) noexcept:
    memset(a, 0, sizeof(a[0]))
    a.x, a.alpha, a.targets = x.p, alpha.p, <const int64_t *>targets.p
    a.steps, a.sequences, a.classes, a.width = x.dims[0], x.dims[1], x.dims[2], alpha.dims[2]
    a.starts = <const int64_t *>numbers.p
    a.lengths = a.starts + a.sequences
    a.target_lengths = a.lengths + a.sequences


cdef int ctc_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_ctc_args a
    cdef fn_tensor g
    array_contiguous(&g, gy)
    try:
        array_new(&gin[0], 3, n.saved[0].t.dims, gy.dtype)
        _args(&a, &n.saved[0].t, &n.saved[1].t, &n.saved[2].t, &n.saved[3].t)
        a.gloss, a.gx, a.blank, a.zero_infinity = g.p, gin[0].p, n.i[0], <int>n.i[1]
        return _launch(FN_ctc_backward, gy.dtype, &a)
    finally:
        array_drop(&g)


cdef fn_op CTC = [b"CtcLossBackward0", ctc_backward, False]


cdef object _numbers(object lengths, Py_ssize_t n, str name):
    numbers = np.asarray(lengths.numpy() if isinstance(lengths, Tensor) else lengths, dtype=np.int64).reshape(-1)
    if numbers.size != n or (n and numbers.min() < 0):
        raise RuntimeError(f"ctc_loss: {name} must be {n} numbers that are not negative, got {numbers.tolist()}")
    return numbers


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Minus the log probability that a sequence spells its target, over all alignments with repeats and blanks.

    Args:
        log_probs: (T, N, C), or (T, C) for one sequence: log-probabilities, as log_softmax gives them.
        targets: (N, S), or all targets one after the other: classes that are not blank.
        input_lengths: of the N sequences, at most T.
        target_lengths: of the N targets, at most S.
        blank: the class of the blank.
        reduction: "mean" (of losses divided by target lengths), "sum" or "none".
        zero_infinity: a target that cannot be spelt costs 0, not infinity, and has no gradient.

    Returns:
        A number, or (N,) with reduction "none".

    Raises:
        RuntimeError: shapes, lengths or classes do not fit.
        ValueError: another reduction.

    The gradient is that of the loss with respect to log_probs; PyTorch's differs by what the backward of log_softmax takes away.
    Graves et al., Connectionist temporal classification, 2006.

    >>> import fastnet
    >>> x = fastnet.log_softmax(fastnet.zeros(3, 1, 2), -1)                      # 3 steps, blank and one label
    >>> fastnet.nn.functional.ctc_loss(x, fastnet.tensor([[1]]), [3], [1]).exp() # 8 / 6: six of eight paths spell it
    tensor(1.3333)
    """
    cdef Tensor x = require_tensor(log_probs, "ctc_loss", "log_probs"), labels = require_tensor(targets, "ctc_loss", "targets")
    cdef Tensor loss, alpha, numbers, flat
    cdef fn_ctc_args a
    cdef fn_node *n
    cdef Py_ssize_t dims[3]
    cdef bint single = x.t.ndim == 2
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"ctc_loss: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    if x.t.ndim not in (2, 3) or not is_float(x.t.dtype):
        raise RuntimeError(f"ctc_loss: log_probs must be float (T, N, C) or (T, C), got {x.dtype} {shape_of(&x.t)}")
    x = (x.unsqueeze(1) if single else x).contiguous()
    if not 0 <= blank < x.t.dims[2]:
        raise RuntimeError(f"ctc_loss: blank {blank} is not one of the {x.t.dims[2]} classes")
    if is_float(labels.t.dtype) or labels.t.ndim > 2:
        raise RuntimeError(f"ctc_loss: targets must be integers (N, S) or (sum of target_lengths,), got {labels.dtype} {shape_of(&labels.t)}")
    if single and labels.t.ndim == 2 and labels.t.dims[0] != 1:
        raise RuntimeError(f"ctc_loss: targets of one sequence must be (S,), got {shape_of(&labels.t)}")
    lengths = _numbers(input_lengths, x.t.dims[1], "input_lengths")
    wanted = _numbers(target_lengths, x.t.dims[1], "target_lengths")
    if lengths.size and lengths.max() > x.t.dims[0]:
        raise RuntimeError(f"ctc_loss: input_lengths {lengths.tolist()} exceed the {x.t.dims[0]} steps of log_probs")
    classes = labels.detach().numpy().astype(np.int64)
    if labels.t.ndim == 2:
        if labels.t.dims[0] != x.t.dims[1] or (wanted.size and wanted.max() > labels.t.dims[1]):
            raise RuntimeError(f"ctc_loss: targets {shape_of(&labels.t)} do not fit {x.t.dims[1]} targets of lengths {wanted.tolist()}")
        classes = np.concatenate([row[:size] for row, size in zip(classes, wanted)] or [np.zeros(0, np.int64)])
    elif classes.size != wanted.sum():
        raise RuntimeError(f"ctc_loss: {classes.size} targets do not fit target_lengths {wanted.tolist()}")
    if classes.size and (classes.min() < 0 or classes.max() >= x.t.dims[2] or (classes == blank).any()):
        raise RuntimeError(f"ctc_loss: targets must be from 0 to {x.t.dims[2] - 1} and not the blank {blank}, got {classes.min()} to {classes.max()}")
    numbers = from_data(np.stack([np.cumsum(wanted) - wanted, lengths, wanted]), -1)
    flat = from_data(classes.reshape(-1) if classes.size else np.zeros(1, np.int64), -1)
    dims[0], dims[1] = x.t.dims[1], x.t.dims[0]
    dims[2] = 2 * (wanted.max() if wanted.size else 0) + 1 + 2 * CTC_LEAD + 16
    loss, alpha = tensor_new(1, dims, x.t.dtype), tensor_new(3, dims, x.t.dtype)
    _args(&a, &x.t, &alpha.t, &numbers.t, &flat.t)
    a.loss, a.blank, a.zero_infinity = loss.t.p, blank, bool(zero_infinity)
    _launch(FN_ctc_forward, x.t.dtype, &a)
    if x.node != NULL and grad_enabled():
        n = record(loss, &CTC, 1, 4)
        n.i[0], n.i[1] = blank, bool(zero_infinity)
        node_input(n, 0, x.node)
        node_save(n, 0, &x.t)
        node_save(n, 1, &alpha.t)
        node_save(n, 2, &numbers.t)
        node_save(n, 3, &flat.t)
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return (loss / from_data(np.maximum(wanted, 1), x.t.dtype)).mean()
    return loss.squeeze(0) if single else loss
