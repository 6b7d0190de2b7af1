"""recurrent: one direction of one layer of RNN, LSTM or GRU over all steps, and its gradients.

The products with the input, and those of the gradients of the weights, are over all steps at once; what must go step by step is one kernel.
"""
from libc.string cimport memcpy, memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, flop_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.gemm cimport *

cdef extern from "groups/gemm.h" nogil:
    int FN_recurrent_pack, FN_recurrent_forward, FN_recurrent_backward
cdef extern from "kernels/recurrent.h" nogil:
    enum:
        FN_RNN_TANH, FN_RNN_RELU, FN_LSTM, FN_GRU
    ctypedef struct fn_recurrent_pack_args:
        const void *w
        void *to
        Py_ssize_t k, n, rs, cs
    ctypedef struct fn_recurrent_args:
        void *gates
        void *hidden
        void *ggates
        void *ghidden
        void *cells
        void *outputs
        void *y
        const void *w
        const void *w_project
        const void *b_n
        void *h
        void *c
        const void *h0
        const void *c0
        const void *gy
        void *gh
        void *gc
        void *gm
        void *before
        void *projected
        const Py_ssize_t *offset
        const Py_ssize_t *count
        Py_ssize_t steps, n, size, p
        int kind, reverse
    Py_ssize_t fn_recurrent_packed(Py_ssize_t k, Py_ssize_t n)

# saved (and inputs, as far as they go)
cdef enum:
    X, H0, C0, W_IH, W_HH, B_IH, B_HH, W_HR, GATES, HIDDEN, CELLS, OUTPUTS, Y, N_SAVED
    N_INPUTS = 8
KINDS = {"RNN_TANH": FN_RNN_TANH, "RNN_RELU": FN_RNN_RELU, "LSTM": FN_LSTM, "GRU": FN_GRU}


cdef inline Py_ssize_t gates_of(int kind) noexcept:
    return 4 if kind == FN_LSTM else (3 if kind == FN_GRU else 1)


cdef int pack(int dtype, const void *w, Py_ssize_t k, Py_ssize_t n, Py_ssize_t rs, Py_ssize_t cs, void *to) except -1:
    cdef fn_recurrent_pack_args a
    a.w, a.to, a.k, a.n, a.rs, a.cs = w, to, k, n, rs, cs
    return launch(FN_recurrent_pack, dtype, &a, n, 0)


cdef char *pack_recurrent(int dtype, int kind, const fn_tensor *w, const fn_tensor *w_hr, bint backward, fn_recurrent_args *a) except NULL:
    """Blocks of panels of W_hh and W_hr, as the kernel wants them; the caller frees what is returned."""
    cdef Py_ssize_t h = a.size, p = a.p, wide = gates_of(kind) * h, first, second = 0, width = itemsize(dtype)
    cdef Py_ssize_t part = 2 * h if kind == FN_GRU else wide
    cdef const char *last = w.p + 2 * h * p * width      # GRU: the rows of n
    cdef char *to
    first = fn_recurrent_packed(part, p) if backward else fn_recurrent_packed(p, part)
    if kind == FN_GRU:
        second = fn_recurrent_packed(h, h)
    to = <char *>block_new((first + second + (fn_recurrent_packed(p, h) + fn_recurrent_packed(h, p) if w_hr.st != NULL else 0)) * width)
    a.w = to
    a.w_project = to + (first + second) * width if w_hr.st != NULL else NULL
    try:
        if backward:
            pack(dtype, w.p, part, p, p, 1, to)
            if kind == FN_GRU:
                pack(dtype, last, h, p, p, 1, to + first * width)
            if w_hr.st != NULL:
                pack(dtype, w_hr.p, p, h, h, 1, <void *>a.w_project)
        else:
            pack(dtype, w.p, p, part, 1, p, to)
            if kind == FN_GRU:
                pack(dtype, last, p, h, 1, p, to + first * width)
            if w_hr.st != NULL:
                pack(dtype, w_hr.p, h, p, 1, h, <void *>a.w_project)
    except:
        block_free(to)
        raise
    return to


cdef double _cost(const fn_recurrent_args *a, Py_ssize_t rows, int kind, int dtype, bint backward) noexcept:
    return flop_cost(2.0 * rows * a.p * gates_of(kind) * a.size * itemsize(dtype) / 4) + rows * a.size * (8.0 if backward else 12.0)


cdef int product(int dtype, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const void *a, Py_ssize_t a_rs, Py_ssize_t a_cs, const void *b,
                 Py_ssize_t b_rs, Py_ssize_t b_cs, void *c) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, m, n, k)
    gemm_a(&g, a, a_rs, a_cs)
    gemm_b(&g, b, b_rs, b_cs)
    gemm_c(&g, c, n, 1)
    return gemm(dtype, &g)


cdef int recurrent_gradients(fn_node *n, fn_tensor *gy, fn_recurrent_args *a, fn_tensor *made, fn_tensor *gin) except -1:
    """After the kernel: the large products.  made: ggates, ghidden, before, projected, gh, gc."""
    cdef int dtype = gy.dtype, kind = a.kind
    cdef Py_ssize_t h = a.size, p = a.p, wide = gates_of(kind) * h, width = itemsize(dtype)
    cdef Py_ssize_t rows = n.saved[X].t.dims[0], inputs = n.saved[X].t.dims[1], part = 2 * h if kind == FN_GRU else wide
    cdef int k
    for k in range(N_INPUTS):
        if n.inputs[k] != NULL and k != H0 and k != C0:
            array_new(&gin[k], n.inputs[k].acc.ndim, n.inputs[k].acc.dims, dtype)
    if n.inputs[X] != NULL:
        product(dtype, rows, inputs, wide, made[0].p, wide, 1, n.saved[W_IH].t.p, inputs, 1, gin[X].p)
    if n.inputs[W_IH] != NULL:
        product(dtype, wide, inputs, rows, made[0].p, 1, wide, n.saved[X].t.p, inputs, 1, gin[W_IH].p)
    if n.inputs[W_HH] != NULL:
        product(dtype, part, p, rows, made[0].p, 1, wide, made[2].p, p, 1, gin[W_HH].p)
        if kind == FN_GRU:
            product(dtype, h, p, rows, made[1].p, 1, h, made[2].p, p, 1, gin[W_HH].p + part * p * width)
    if n.inputs[W_HR] != NULL:
        product(dtype, p, h, rows, made[3].p, 1, p, n.saved[OUTPUTS].t.p, h, 1, gin[W_HR].p)
    if n.inputs[B_IH] != NULL:
        gemm_column_sum(dtype, rows, wide, made[0].p, wide, 1, gin[B_IH].p)
    if n.inputs[B_HH] != NULL:
        gemm_column_sum(dtype, rows, part, made[0].p, wide, 1, gin[B_HH].p)
        if kind == FN_GRU:
            gemm_column_sum(dtype, rows, h, made[1].p, h, 1, gin[B_HH].p + part * width)
    if n.inputs[H0] != NULL:
        array_share(&gin[H0], &made[4])
    if n.inputs[C0] != NULL:
        array_share(&gin[C0], &made[5])
    return 0


cdef void _saved_args(fn_node *n, fn_recurrent_args *a) noexcept:
    memset(a, 0, sizeof(a[0]))
    a.kind, a.reverse, a.steps, a.n, a.size, a.p = <int>n.i[0], <int>n.i[1], n.i[2], n.i[3], n.i[4], n.i[5]
    a.offset = <const Py_ssize_t *>n.block
    a.count = a.offset + a.steps
    a.gates, a.hidden, a.cells, a.outputs = n.saved[GATES].t.p, n.saved[HIDDEN].t.p, n.saved[CELLS].t.p, n.saved[OUTPUTS].t.p
    a.y, a.h0, a.c0 = n.saved[Y].t.p, n.saved[H0].t.p, n.saved[C0].t.p


cdef int recurrent_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_recurrent_args a
    cdef fn_tensor g
    cdef fn_tensor made[7]
    cdef Py_ssize_t dims[2]
    cdef Py_ssize_t rows = n.saved[X].t.dims[0], width = itemsize(gy.dtype)
    cdef int k
    cdef char *weights = NULL
    g.st = NULL
    for k in range(7):
        made[k].st = NULL
        made[k].p = NULL
    _saved_args(n, &a)
    try:
        array_contiguous(&g, gy)
        for k in range(7):
            dims[0] = rows if k < 4 else a.n
            dims[1] = gates_of(a.kind) * a.size if k == 0 else (a.size if k == 1 or k >= 5 else a.p)
            if (k != 1 or a.kind == FN_GRU) and (k != 5 or a.kind == FN_LSTM) and (k not in (3, 6) or n.saved[W_HR].t.st != NULL):
                array_new(&made[k], 2, dims, gy.dtype)
        memcpy(made[4].p, g.p + rows * a.p * width, a.n * a.p * width)
        if a.kind == FN_LSTM:
            memcpy(made[5].p, g.p + (rows + a.n) * a.p * width, a.n * a.size * width)
        a.gy, a.ggates, a.ghidden, a.before, a.projected = g.p, made[0].p, made[1].p, made[2].p, made[3].p
        a.gh, a.gc, a.gm = made[4].p, made[5].p, made[6].p
        weights = pack_recurrent(gy.dtype, a.kind, &n.saved[W_HH].t, &n.saved[W_HR].t, True, &a)
        launch(FN_recurrent_backward, gy.dtype, &a, a.n, _cost(&a, rows, a.kind, gy.dtype, True))
        return recurrent_gradients(n, &g, &a, made, gin)
    finally:
        block_free(weights)
        array_drop(&g)
        for k in range(7):
            array_drop(&made[k])


cdef fn_op RECURRENT = [b"RecurrentBackward0", recurrent_backward, False]


cdef int add_biases(int kind, Py_ssize_t h, Tensor b_ih, Tensor b_hh, fn_tensor *to) except -1:
    """*to = b_ih + b_hh; of a GRU's candidate b_ih alone, since r multiplies b_hn."""
    cdef fn_tensor part = to[0]
    array_copy(to, &b_ih.t)
    part.dims[0] = part.size = 2 * h if kind == FN_GRU else part.dims[0]
    cdef fn_tensor other = b_hh.t
    other.dims[0] = other.size = part.size
    return array_accumulate(&part, &other)


cdef Tensor _float(object x, int dtype, str name):
    """None stays None; what is there is contiguous."""
    cdef Tensor t
    if x is None:
        return None
    t = require_tensor(x, "recurrent", name)
    if t.t.dtype != dtype:
        raise RuntimeError(f"recurrent: input is {dtype_object(dtype)}, {name} is {t.dtype}; they must agree")
    return t if is_contiguous(&t.t) else t.contiguous()


def _check(parts, counts, gates, kind):
    """Refuse what does not fit, before a kernel trusts it."""
    x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr = parts
    wide = w_ih.shape[0] if w_ih.ndim == 2 else 0
    size = wide // gates
    n, p = h0.shape if h0.ndim == 2 else (-1, -1)
    expected = {"w_ih": (w_ih, (wide, x.shape[-1])), "w_hh": (w_hh, (wide, p)), "b_ih": (b_ih, (wide,)), "b_hh": (b_hh, (wide,)),
                "w_hr": (w_hr, (p, size)), "c_0": (c0, (n, size))}
    for name, (t, shape) in expected.items():
        if t is not None and t.shape != shape:
            raise RuntimeError(f"recurrent: {name} must be {shape}, got {tuple(t.shape)}")
    if x.ndim != 2 or n < 0 or wide != gates * size or (w_hr is None and p != size) or (b_ih is None) != (b_hh is None) or (
            (c0 is None) == (kind == FN_LSTM)):
        raise RuntimeError(f"recurrent: input {tuple(x.shape)}, h_0 {tuple(h0.shape)}, w_ih {tuple(w_ih.shape)} and the other arguments "
                           "do not fit")
    if sum(counts) != x.shape[0] or (counts and not 0 <= min(counts) <= max(counts) <= n) or list(counts) != sorted(counts, reverse=True):
        raise RuntimeError(f"recurrent: counts must not grow, pass {n} or differ in sum from the {x.shape[0]} rows of input, got {counts}")


def recurrent(kind, input, counts, h_0, c_0, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None, reverse=False):
    """One direction of one recurrent layer; the building block of nn.RNN, nn.LSTM and nn.GRU, which check the arguments.

    Args:
        kind: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input: (rows, features): the steps one after the other.
        counts: rows of each step, never growing: sequences sorted by length.
        h_0: (sequences, P) and c_0 (sequences, H) or None: first states.
        w_ih, w_hh, b_ih, b_hh, w_hr: weights in PyTorch's layout; biases both or none; w_hr (P, H): the projection of an LSTM.
        reverse: begin with the last step.

    Returns:
        y (rows, P), final h (sequences, P), final c (sequences, H) or None.

    Raises:
        RuntimeError: shapes, counts or dtypes do not fit.

    >>> import fastnet
    >>> from fastnet.ops.recurrent import recurrent
    >>> y, h, c = recurrent("RNN_RELU", fastnet.ones(3, 2), (1, 1, 1), fastnet.zeros(1, 1), None, fastnet.ones(1, 2), fastnet.ones(1, 1))
    >>> y.tolist(), h.tolist(), c
    ([[2.0], [4.0], [6.0]], [[6.0]], None)
    """
    cdef int which = KINDS[kind]
    cdef Tensor x = require_tensor(input, "recurrent", "input")
    cdef int dtype = x.t.dtype
    names = ("input", "h_0", "c_0", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr")
    parts = [_float(t, dtype, name) for t, name in zip((x, h_0, c_0, w_ih, w_hh, b_ih, b_hh, w_hr), names)]
    counts = tuple(counts)
    _check(parts, counts, gates_of(which), which)
    out = _forward(which, parts, counts, bool(reverse))
    rows, n, p = parts[0].shape[0], parts[1].shape[0], parts[1].shape[1]
    y, h = out[:rows * p].view(rows, p), out[rows * p:(rows + n) * p].view(n, p)
    return y, h, out[(rows + n) * p:].view(n, parts[2].shape[1]) if which == FN_LSTM else None


cdef Tensor _forward(int kind, list parts, tuple counts, bint reverse):
    cdef fn_recurrent_args a
    cdef Tensor x = parts[X], h0 = parts[H0], c0 = parts[C0], w_ih = parts[W_IH], w_hh = parts[W_HH], b_ih = parts[B_IH], b_hh = parts[B_HH]
    cdef Tensor w_hr = parts[W_HR], out, t
    cdef fn_tensor made[4]
    cdef fn_tensor bias, project
    cdef fn_gemm_args g
    cdef fn_node *n
    cdef Py_ssize_t rows = x.t.dims[0], wide = w_ih.t.dims[0], total, width = itemsize(x.t.dtype), at = 0, k
    cdef Py_ssize_t dims[2]
    cdef int dtype = x.t.dtype
    cdef char *weights = NULL
    cdef Py_ssize_t *steps = NULL
    memset(&a, 0, sizeof(a))
    a.kind, a.reverse, a.steps, a.n, a.p, a.size = kind, reverse, len(counts), h0.t.dims[0], h0.t.dims[1], wide // gates_of(kind)
    bias.st = project.st = NULL
    for k in range(4):
        made[k].st = NULL
        made[k].p = NULL
    try:
        steps = <Py_ssize_t *>block_new(2 * (a.steps + 1) * sizeof(Py_ssize_t))
        for k in range(a.steps):
            steps[k], steps[a.steps + k] = at, counts[k]
            at += steps[a.steps + k]
        a.offset, a.count = steps, steps + a.steps
        for k in range(4):                               # gates, hidden, cells, outputs
            dims[0], dims[1] = rows, wide if k == 0 else a.size
            if k == 0 or (k == 1 and kind == FN_GRU) or (k == 2 and kind == FN_LSTM) or (k == 3 and w_hr is not None):
                array_new(&made[k], 2, dims, dtype)
        gemm_begin(&g, rows, wide, x.t.dims[1])
        gemm_a(&g, x.t.p, x.t.dims[1], 1)
        gemm_b(&g, w_ih.t.p, 1, x.t.dims[1])
        gemm_c(&g, made[0].p, wide, 1)
        if b_ih is not None:
            array_new(&bias, 1, &wide, dtype)
            add_biases(kind, a.size, b_ih, b_hh, &bias)
            g.bias, g.bias_cs = bias.p, 1
        gemm(dtype, &g)
        total = (rows + a.n) * a.p + (a.n * a.size if kind == FN_LSTM else 0)
        out = tensor_new(1, &total, dtype)
        a.gates, a.hidden, a.cells, a.outputs = made[0].p, made[1].p, made[2].p, made[3].p
        a.y, a.h, a.c = out.t.p, out.t.p + rows * a.p * width, out.t.p + (rows + a.n) * a.p * width
        memcpy(a.h, h0.t.p, a.n * a.p * width)
        if kind == FN_LSTM:
            memcpy(a.c, c0.t.p, a.n * a.size * width)
        if kind == FN_GRU and b_hh is not None:
            a.b_n = b_hh.t.p + 2 * a.size * width
        if w_hr is not None:
            project = w_hr.t
        weights = pack_recurrent(dtype, kind, &w_hh.t, &project, False, &a)
        launch(FN_recurrent_forward, dtype, &a, a.n, _cost(&a, rows, kind, dtype, False))
        if grad_enabled() and any([t is not None and t.node != NULL for t in parts]):
            n = record(out, &RECURRENT, N_INPUTS, N_SAVED)
            n.i[0], n.i[1], n.i[2], n.i[3], n.i[4], n.i[5] = kind, reverse, a.steps, a.n, a.size, a.p
            n.block = steps
            steps = NULL
            for k in range(N_INPUTS):
                t = parts[k]
                if t is not None:
                    node_input(n, <int>k, t.node)
                    node_save(n, <int>k, &t.t)           # the biases for a recorded backward alone
            for k in range(4):
                if made[k].st != NULL:
                    node_save(n, <int>(GATES + k), &made[k])
            node_save(n, Y, &out.t)
        return out
    finally:
        block_free(weights)
        block_free(steps)
        array_drop(&bias)
        for k in range(4):
            array_drop(&made[k])
