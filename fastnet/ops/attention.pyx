"""scaled_dot_product_attention: y = softmax(q k' scale + mask) v, in blocks both ways; the matrix of scores is never stored."""
from libc.math cimport sqrt
from libc.stdint cimport uint64_t
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, flop_cost, launch, max_threads
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.random cimport Generator, generator_of

import math

from fastnet.ops.dropout import dropout
from fastnet.ops.expand import broadcast_shapes, expand
from fastnet.ops.softmax import softmax
from fastnet.ops.where import where

cdef extern from "groups/gemm.h" nogil:
    int FN_attention_forward, FN_attention_backward
cdef extern from "kernels/attention.h" nogil:
    enum:
        ATTENTION_GROUP, FN_MASK_NONE, FN_MASK_KEEP, FN_MASK_ADD
    ctypedef struct fn_attention_args:
        const void *q
        const void *k
        const void *v
        const void *mask
        const void *gy
        void *y
        void *lse
        void *gq
        void *gk
        void *gv
        void *scratch
        Py_ssize_t scratch_size, batch, heads, kv_heads, l, s, e, ev
        Py_ssize_t qs[3]
        Py_ssize_t ks[3]
        Py_ssize_t vs[3]
        Py_ssize_t ys[3]
        Py_ssize_t gs[3]
        Py_ssize_t gqs[3]
        Py_ssize_t gks[3]
        Py_ssize_t gvs[3]
        Py_ssize_t ms[4]
        int mask_kind, causal
        double scale, dropout
        uint64_t key[2]
    Py_ssize_t fn_attention_scratch(const fn_attention_args *a, bint backward)


cdef int _launch(int kernel, int dtype, fn_attention_args *a, Py_ssize_t n, double flops, bint backward) except -1:
    cdef Py_ssize_t width = itemsize(dtype)
    a.scratch_size = fn_attention_scratch(a, backward)
    a.scratch = block_new(a.scratch_size * width * min(max_threads(), max(n, 1)))
    try:
        # few queries are bound by the memory that their keys and values come from
        return launch(kernel, dtype, a, n, flop_cost(flops * width / 4) + byte_cost(width * a.batch * a.kv_heads * a.s * (a.e + a.ev)))
    finally:
        block_free(a.scratch)




cdef int _arrange(fn_tensor *y, const fn_tensor *x) except -1:
    """*y = x, with the last axis contiguous."""
    if x.dims[3] == 1 or x.strides[3] == 1:
        array_share(y, x)
        return 0
    array_new(y, 4, x.dims, x.dtype)
    return array_copy(y, x)


cdef double _flops(const fn_attention_args *a) noexcept:
    return 2.0 * a.batch * a.heads * a.l * a.s * (a.e + a.ev) * (0.5 if a.causal else 1.0)


cdef int _output(fn_tensor *y, const fn_tensor *q, Py_ssize_t ev) except -1:
    """A new (batch, heads, l, ev) in q's order of memory: where q is a transposed view, the way back is free."""
    cdef int order[3]
    cdef int i, d
    cdef Py_ssize_t dims[4]
    cdef Py_ssize_t strides[4]
    for d in range(3):                                   # insertion sort by q's strides, largest first; stable
        i = d
        while i > 0 and q.strides[order[i - 1]] < q.strides[d]:
            order[i] = order[i - 1]
            i -= 1
        order[i] = d
    for i in range(3):
        dims[i] = q.dims[order[i]]
    dims[3] = ev
    array_new(y, 4, dims, q.dtype)
    memcpy(strides, y.strides, sizeof(strides))
    for i in range(3):
        y.dims[order[i]], y.strides[order[i]] = dims[i], strides[i]
    return 0


cdef int _split(fn_tensor *parts, const fn_tensor *packed) except -1:
    """parts[0..2] = queries, keys and values (batch, heads, length, size), views of packed (batch, length, 3, heads, size)."""
    cdef int k, d
    cdef int axes[4]
    axes[:] = [0, 3, 1, 4]
    for k in range(3):
        array_share(&parts[k], packed)
        parts[k].p = packed.p + k * packed.strides[2] * itemsize(packed.dtype)
        parts[k].ndim, parts[k].size = 4, packed.size // 3
        for d in range(4):
            parts[k].dims[d], parts[k].strides[d] = packed.dims[axes[d]], packed.strides[axes[d]]
    return 0


# inputs: q, k, v, or one that holds all three; saved: q, k, v, y, lse, mask.  n.block: the arguments of forward, whose pointers are stale.
cdef int attention_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_attention_args a = (<fn_attention_args *>n.block)[0]
    cdef fn_tensor g
    cdef fn_tensor made[3]
    cdef int k
    made[0].st = made[1].st = made[2].st = NULL
    _arrange(&g, gy)
    try:
        if n.n_inputs == 1:
            array_new(&gin[0], 5, n.inputs[0].acc.dims, gy.dtype)
            _split(made, &gin[0])
        else:
            for k in range(3):
                _output(&made[k], &n.saved[k].t, n.saved[k].t.dims[3])
        a.q, a.k, a.v, a.y, a.lse = n.saved[0].t.p, n.saved[1].t.p, n.saved[2].t.p, n.saved[3].t.p, n.saved[4].t.p
        a.mask = n.saved[5].t.p if n.saved[5].t.st != NULL else NULL
        a.gy, a.gq, a.gk, a.gv = g.p, made[0].p, made[1].p, made[2].p
        memcpy(a.gs, g.strides, sizeof(a.gs))
        memcpy(a.gqs, made[0].strides, sizeof(a.gqs))
        memcpy(a.gks, made[1].strides, sizeof(a.gks))
        memcpy(a.gvs, made[2].strides, sizeof(a.gvs))
        if made[0].size == 0 or made[1].size == 0 or made[2].size == 0:
            for k in range(3):
                array_fill_zero(&made[k])
        else:
            _launch(FN_attention_backward, gy.dtype, &a, a.batch * a.kv_heads, 2.5 * _flops(&a), True)
        for k in range(3):
            if n.n_inputs == 3 and n.inputs[k] != NULL:
                array_share(&gin[k], &made[k])
        return 0
    finally:
        array_drop(&g)
        for k in range(3):
            array_drop(&made[k])


cdef fn_op ATTENTION = [b"ScaledDotProductAttentionBackward0", attention_backward, False]


cdef Tensor _attend(Tensor q, Tensor k, Tensor v, Tensor mask, double dropout_p, bint causal, double scale, Tensor packed=None):
    """All have four axes; mask is broadcast to (batch, heads, l, s), bool or of q's dtype, or None; q, k and v may be views of packed."""
    cdef fn_attention_args a
    cdef fn_tensor ql, kl, vl, y, lse
    cdef Tensor out
    cdef fn_node *n
    cdef Py_ssize_t units
    cdef int dtype = q.t.dtype
    ql.st = kl.st = vl.st = y.st = lse.st = NULL
    a.batch, a.heads, a.kv_heads, a.l, a.s, a.e, a.ev = (q.t.dims[0], q.t.dims[1], k.t.dims[1], q.t.dims[2], k.t.dims[2], q.t.dims[3],
                                                         v.t.dims[3])
    a.causal, a.scale, a.dropout, a.mask_kind, a.mask, a.gy = causal, scale, dropout_p, FN_MASK_NONE, NULL, NULL
    a.gq = a.gk = a.gv = NULL
    a.key[0] = a.key[1] = 0
    try:
        _arrange(&ql, &q.t)
        _arrange(&kl, &k.t)
        _arrange(&vl, &v.t)
        _output(&y, &ql, a.ev)
        array_new(&lse, 3, q.t.dims, dtype)
        a.q, a.k, a.v, a.y, a.lse = ql.p, kl.p, vl.p, y.p, lse.p
        memcpy(a.qs, ql.strides, sizeof(a.qs))
        memcpy(a.ks, kl.strides, sizeof(a.ks))
        memcpy(a.vs, vl.strides, sizeof(a.vs))
        memcpy(a.ys, y.strides, sizeof(a.ys))
        memcpy(a.gs, y.strides, sizeof(a.gs))
        if mask is not None:
            a.mask, a.mask_kind = mask.t.p, FN_MASK_KEEP if mask.t.dtype == FN_BOOL else FN_MASK_ADD
            memcpy(a.ms, mask.t.strides, sizeof(a.ms))
        if dropout_p > 0.0:                              # whole groups of numbers for each row of weights
            generator_of(None, "scaled_dot_product_attention").take(a.key, a.batch * a.heads * a.l * ((a.s + 63) // 64 * 64), itemsize(dtype))
        units = a.batch * a.heads * ((a.l + ATTENTION_GROUP - 1) // ATTENTION_GROUP)
        if y.size:
            _launch(FN_attention_forward, dtype, &a, units, _flops(&a), False)
        out = tensor_take(&y)
        y.st = NULL
        if grad_enabled() and (q.node != NULL or k.node != NULL or v.node != NULL or (packed is not None and packed.node != NULL)):
            n = record(out, &ATTENTION, 3 if packed is None else 1, 6)
            n.block = block_new(sizeof(fn_attention_args))
            (<fn_attention_args *>n.block)[0] = a
            if packed is not None:
                node_input(n, 0, packed.node)
            else:
                node_input(n, 0, q.node)
                node_input(n, 1, k.node)
                node_input(n, 2, v.node)
            node_save(n, 0, &ql)
            node_save(n, 1, &kl)
            node_save(n, 2, &vl)
            node_save(n, 3, &out.t)
            node_save(n, 4, &lse)
            if mask is not None:
                node_save(n, 5, &mask.t)
        return out
    finally:
        array_drop(&ql)
        array_drop(&kl)
        array_drop(&vl)
        array_drop(&y)
        array_drop(&lse)


def _composed(query, key, value, attn_mask, dropout_p, scale, heads):
    """The same from its parts: for a mask that needs a gradient."""
    if heads != 1:
        key, value = key.repeat_interleave(heads, -3), value.repeat_interleave(heads, -3)
    blind = (attn_mask == -math.inf).all(-1, keepdim=True)            # queries that see no key: their weights are 0
    scores = where(blind, 0.0, (query * scale) @ key.transpose(-2, -1) + attn_mask)
    return dropout(where(blind, 0.0, softmax(scores, -1)), dropout_p) @ value


cdef int _refuse(Tensor q, Tensor k, Tensor v, Tensor mask, double dropout_p, bint is_causal, bint enable_gqa) except -1:
    op = "scaled_dot_product_attention"
    shapes = f"query {tuple(q.shape)}, key {tuple(k.shape)}, value {tuple(v.shape)}"
    if not is_float(q.t.dtype) or k.dtype != q.dtype or v.dtype != q.dtype:
        raise RuntimeError(f"{op}: query, key and value must be float32 or float64 alike, got {q.dtype}, {k.dtype}, {v.dtype}")
    if q.ndim < 2 or k.ndim < 2 or v.ndim < 2:
        raise RuntimeError(f"{op}: query, key and value need at least two axes, (..., length, size), got {shapes}")
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(f"{op}: query and key must agree in their last axis, key and value in the one before, got {shapes}")
    if enable_gqa and (q.ndim < 3 or k.ndim < 3 or v.ndim < 3 or k.shape[-3] != v.shape[-3] or not k.shape[-3] or q.shape[-3] % k.shape[-3]):
        raise RuntimeError(f"{op}: enable_gqa needs query heads (axis -3) to be a multiple of key and value heads, got {shapes}")
    if mask is not None and is_causal:
        raise RuntimeError(f"{op}: attn_mask must be None where is_causal is True")
    if mask is not None and mask.t.dtype != q.t.dtype and mask.t.dtype != FN_BOOL:
        raise RuntimeError(f"{op}: attn_mask must be bool or {q.dtype}, got {mask.dtype}")
    if not 0.0 <= dropout_p <= 1.0:
        raise ValueError(f"{op}: dropout_p must be from 0 to 1, got {dropout_p}")
    return 0


cdef double _scale(const fn_tensor *q) noexcept:
    cdef Py_ssize_t e = q.dims[q.ndim - 1]
    return 1.0 / sqrt(<double>e) if e else 1.0


cdef bint _plain(Tensor q, Tensor k, Tensor v, double dropout_p) noexcept:
    """Four axes each, nothing to broadcast, nothing to refuse: most calls."""
    cdef fn_tensor *a = &q.t
    cdef fn_tensor *b = &k.t
    cdef fn_tensor *c = &v.t
    return (a.ndim == 4 and b.ndim == 4 and c.ndim == 4 and is_float(a.dtype) and b.dtype == a.dtype and c.dtype == a.dtype
            and b.dims[0] == a.dims[0] and c.dims[0] == a.dims[0] and b.dims[1] == a.dims[1] and c.dims[1] == a.dims[1]
            and b.dims[3] == a.dims[3] and c.dims[2] == b.dims[2] and 0.0 <= dropout_p <= 1.0)


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(query key' scale + mask) value, without storing the scores: memory grows with the length, not with its square.

    Args:
        query: (..., heads, L, E).
        key: (..., heads, S, E).
        value: (..., heads, S, Ev).
        attn_mask: broadcast to (..., heads, L, S): bool, True where a query may see a key, or numbers that are added to the scores.
        dropout_p: probability with which a weight becomes 0; applied whenever it is not 0.
        is_causal: query i sees keys 0 to i; attn_mask must be None then.
        scale: default 1 / sqrt(E).
        enable_gqa: key and value may have fewer heads than query; each serves the same number of query heads, in order.

    Returns:
        (..., heads, L, Ev); zeros where a query sees no key.

    Raises:
        RuntimeError: shapes or dtypes do not fit.
        ValueError: dropout_p is not a probability.

    Dao et al., FlashAttention: fast and memory-efficient exact attention with IO-awareness, 2022.

    >>> import fastnet
    >>> q = fastnet.ones(1, 2, 3, 4)
    >>> fastnet.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True).shape
    fastnet.Size([1, 2, 3, 4])
    """
    cdef Tensor q = require_tensor(query, "scaled_dot_product_attention", "query")
    cdef Tensor k = require_tensor(key, "scaled_dot_product_attention", "key")
    cdef Tensor v = require_tensor(value, "scaled_dot_product_attention", "value"), mask = None
    cdef int kept
    if attn_mask is not None:
        mask = require_tensor(attn_mask, "scaled_dot_product_attention", "attn_mask")
    if mask is None and _plain(q, k, v, dropout_p):
        return _attend(q, k, v, None, dropout_p, is_causal, _scale(&q.t) if scale is None else float(scale))
    _refuse(q, k, v, mask, dropout_p, is_causal, enable_gqa)
    by = _scale(&q.t) if scale is None else float(scale)
    heads = q.shape[-3] // k.shape[-3] if enable_gqa else 1
    if mask is not None and mask.node != NULL and grad_enabled():
        return _composed(q, k, v, mask, dropout_p, by, heads)
    kept = 3 if enable_gqa else 2                        # axes that are not broadcast
    try:
        lead = broadcast_shapes(q.shape[:-kept], k.shape[:-kept], v.shape[:-kept])
        if mask is not None:
            full = (*lead, *q.shape[-kept:-1], k.shape[-2])
            if broadcast_shapes(mask.shape, full) != full:
                raise RuntimeError("")
    except RuntimeError:
        raise RuntimeError(f"scaled_dot_product_attention: query {tuple(q.shape)}, key {tuple(k.shape)}, value {tuple(v.shape)}"
                           f"{'' if mask is None else f', attn_mask {tuple(mask.shape)}'} do not broadcast") from None
    q, k, v = [t if t.shape[:-kept] == lead else expand(t, (*lead, *t.shape[-kept:])) for t in (q, k, v)]
    if mask is not None:
        mask = expand(mask, full)
    shape = (*q.shape[:-1], v.shape[-1])
    q, k, v = [_four(t) for t in (q, k, v)]
    out = _attend(q, k, v, None if mask is None else _four(mask), dropout_p, is_causal, by)
    return out if len(shape) == 4 else out.reshape(shape)


def packed_attention(packed, dropout_p=0.0, is_causal=False):
    """Self-attention of queries, keys and values that lie in one tensor, whose gradient is written in one piece.

    Args:
        packed: (batch, length, 3, heads, size), as a linear layer makes it: queries, keys, values.
        dropout_p, is_causal: as of `scaled_dot_product_attention`.

    Returns:
        (batch, heads, length, size), `scaled_dot_product_attention` of the three.

    Raises:
        RuntimeError: another shape, or no floating-point dtype.
        ValueError: dropout_p is not a probability.

    >>> import fastnet
    >>> from fastnet.ops.attention import packed_attention
    >>> packed_attention(fastnet.ones(1, 5, 3, 2, 4), is_causal=True).shape
    fastnet.Size([1, 2, 5, 4])
    """
    cdef Tensor x = require_tensor(packed, "packed_attention", "packed"), t
    cdef fn_tensor parts[3]
    cdef int k
    if not is_float(x.t.dtype) or x.t.ndim != 5 or x.t.dims[2] != 3:
        raise RuntimeError(f"packed_attention: packed must be float32 or float64 (batch, length, 3, heads, size), got {x.dtype} "
                           f"{shape_of(&x.t)}")
    if not 0.0 <= dropout_p <= 1.0:
        raise ValueError(f"packed_attention: dropout_p must be from 0 to 1, got {dropout_p}")
    _split(parts, &x.t)
    q, k_, v = [tensor_take(&parts[k]) for k in range(3)]
    return _attend(q, k_, v, None, dropout_p, is_causal, _scale(&x.t), x)


def _four(t):
    """(batch, heads, rows, columns)."""
    while t.ndim < 4:
        t = t.unsqueeze(0)
    return t if t.ndim == 4 else t.reshape(-1, *t.shape[-3:])
