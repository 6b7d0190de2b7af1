"""The GEMM kernels under every op: every layout, tails around every tile, split k, batches, epilogues, any split of the range."""
import ctypes

import numpy as np
import pytest

from fastnet._core import launch

SIZE = ctypes.c_ssize_t
ACTIVATIONS = (lambda z: z, lambda z: np.maximum(z, 0), np.tanh, lambda z: 1 / (1 + np.exp(-z)))


class Args(ctypes.Structure):
    """fn_gemm_args."""
    _fields_ = ([(name, ctypes.c_void_p) for name in ("a", "b", "c", "bias", "scratch")]
                + [(name, SIZE) for name in ("m", "n", "k", "a_rs", "a_cs", "b_rs", "b_cs", "c_rs", "c_cs")]
                + [(name, SIZE) for name in ("bias_rs", "bias_cs", "nbatch")]
                + [(name, SIZE * 8) for name in ("batch", "a_bs", "b_bs", "c_bs")]
                + [(name, ctypes.c_int32) for name in ("accumulate", "act", "how", "pack", "deep", "block")]
                + [(name, SIZE) for name in ("batches", "units", "reduce_units", "scratch_size", "splits", "split_k")]
                + [(name, SIZE) for name in ("supers", "super_rows", "panels", "chunks")]
                + [("unit_flops", ctypes.c_double), ("after", ctypes.c_void_p)])


class Plan(ctypes.Structure):
    """fn_gemm_plan_args."""
    _fields_ = [("gemm", ctypes.POINTER(Args))]


def kernel(name, dtype, args, units, pieces):
    """Run a kernel on its range, cut into pieces, last one first."""
    cuts = [units * i // pieces for i in range(pieces + 1)]
    for begin, end in reversed(list(zip(cuts, cuts[1:]))):
        launch._launch_by_name(name, dtype, ctypes.addressof(args), begin, end)


def gemm(a, b, c, bias=None, accumulate=0, act=0, pieces=1):
    """c (+)= act(a.b + bias) by the kernels; returns the plan."""
    dtype, width = (0 if a.dtype == np.float32 else 1), a.itemsize
    g = Args(a=a.ctypes.data, b=b.ctypes.data, c=c.ctypes.data, m=c.shape[-2], n=c.shape[-1], k=a.shape[-1], accumulate=accumulate, act=act)
    for name, x in (("a", a), ("b", b), ("c", c)):
        strides = [s // width for s in x.strides]
        setattr(g, f"{name}_rs", strides[-2])
        setattr(g, f"{name}_cs", strides[-1])
        for d, s in enumerate(strides[:-2]):
            getattr(g, f"{name}_bs")[d] = s
    g.nbatch = c.ndim - 2
    for d in range(c.ndim - 2):
        g.batch[d] = c.shape[d]
    if bias is not None:
        g.bias, g.bias_cs = bias.ctypes.data, bias.strides[0] // width
    plan = Plan(ctypes.pointer(g))
    kernel("gemm_plan", dtype, plan, 1, 1)
    scratch = np.full(g.scratch_size, np.nan, a.dtype)
    g.scratch = scratch.ctypes.data
    kernel("gemm", dtype, g, g.units, pieces)
    if g.splits > 1:
        kernel("gemm_reduce", dtype, g, g.reduce_units, pieces)
    return g


def check(a, b, c, bias=None, accumulate=0, act=0):
    """c against NumPy in float64; the same bits for other splits of the range; nothing outside of c touched."""
    base = c
    while isinstance(base.base, np.ndarray):
        base = base.base
    before = base.copy()
    what = f"{a.shape} {a.strides} . {b.shape} {b.strides} -> {c.strides}, bias {bias is not None}, {accumulate}, {act}"
    want = a.astype("float64") @ b.astype("float64")
    size = np.abs(a).astype("float64") @ np.abs(b).astype("float64") + 1
    if accumulate:
        want = want + c
    if bias is not None:
        want = want + bias
    gemm(a, b, c, bias, accumulate, act)
    got, after = c.copy(), base.copy()
    error = np.abs(got - ACTIVATIONS[act](want)) / size
    assert error.max(initial=0) < (3e-6 if a.dtype == np.float32 else 1e-14), what
    for pieces in (2, 5):
        base[...] = before
        gemm(a, b, c, bias, accumulate, act, pieces)
        assert np.array_equal(base, after), f"{what}: the bits depend on the split"
    c[...] = 0
    outside = base != 0
    base[...] = before
    c[...] = 0
    assert np.array_equal(base[outside], before[outside]), f"{what}: something outside of C changed"


LAYOUTS = {
    "rows": lambda x: np.ascontiguousarray(x),
    "columns": lambda x: np.asfortranarray(x),
    "padded": lambda x: embed(x, (slice(None), slice(2, -3)), (x.shape[0], x.shape[1] + 5)),
    "strided": lambda x: embed(x, (slice(1, None, 2), slice(1, None, 3)), (2 * x.shape[0] + 1, 3 * x.shape[1] + 1)),
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "repeated": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


def embed(x, where, shape):
    wide = np.full(shape, 7, x.dtype)
    wide[where] = x
    return wide[where]


def normal(rng, *shape, dtype="float32"):
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_of_every_tile(isa, dtype):
    rng = np.random.default_rng(0)
    for n in [*range(1, 35), 47, 48, 49, 63, 64, 65, 95, 127, 130]:
        m, k = int(rng.integers(1, 27)), int(rng.integers(1, 40))
        for other in ("rows", "columns"):
            a, b = normal(rng, m, k, dtype=dtype), LAYOUTS[other](normal(rng, k, n, dtype=dtype))
            check(a, b, normal(rng, m, n, dtype=dtype), accumulate=n % 2)
            check(np.ascontiguousarray(b.T), np.asfortranarray(a.T), normal(rng, n, m, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout(isa, dtype):
    rng = np.random.default_rng(1)
    for m, n, k in [(5, 7, 9), (1, 40, 20), (40, 1, 20), (26, 70, 33), (50, 130, 300)]:
        for left in LAYOUTS:
            for right in LAYOUTS:
                into = list(LAYOUTS)[int(rng.integers(0, 4))]
                bias = normal(rng, 2 * n, dtype=dtype)[::2] if rng.random() < 0.5 else None
                check(LAYOUTS[left](normal(rng, m, k, dtype=dtype)), LAYOUTS[right](normal(rng, k, n, dtype=dtype)),
                      LAYOUTS[into](normal(rng, m, n, dtype=dtype)), bias, int(rng.integers(0, 2)), int(rng.integers(0, 4)))


def test_long_k_is_split_by_shape_alone(isa):
    rng = np.random.default_rng(2)
    for m, n, k in [(3, 5, 4000), (1, 1, 6000), (20, 70, 3000), (1, 100, 5000)]:
        for left in ("rows", "columns"):
            for right in ("rows", "columns"):
                a, b = LAYOUTS[left](normal(rng, m, k)), LAYOUTS[right](normal(rng, k, n))
                assert gemm(a, b, normal(rng, m, n)).splits > 1
                check(a, b, normal(rng, m, n), normal(rng, n), 1, 1)
                check(a, b, np.asfortranarray(normal(rng, m, n)), act=2)


def test_deep_products_visit_c_again(isa):
    rng = np.random.default_rng(3)
    check(np.asfortranarray(normal(rng, 900, 2100)), normal(rng, 2100, 70), normal(rng, 900, 70), normal(rng, 70), act=1)


def test_tall_products_in_any_number_of_ranges(isa):
    """More rows than columns: units are ordered by blocks of rows, the last of which is smaller; A and B by rows and by columns."""
    rng = np.random.default_rng(9)
    for left in ("rows", "columns"):
        for right in ("rows", "columns"):
            a, b, c = LAYOUTS[left](normal(rng, 1000, 70)), LAYOUTS[right](normal(rng, 70, 300)), np.zeros((1000, 300), "float32")
            assert gemm(a, b, c).block == 8
            check(a, b, c, normal(rng, 300))
            gemm(a, b, c)
            want = c.copy()
            for pieces in (3, 7, 64, 211):
                c[...] = np.nan
                gemm(a, b, c, pieces=pieces)
                assert np.array_equal(c, want), f"{left}, {right}: {pieces} ranges"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slabs_of_a_transposed_matrix(isa, dtype):
    """Narrow tiles turn slabs of A: tails of their rows, of k and of panels, more than one slab each way."""
    rng = np.random.default_rng(9)
    for m, n, k in ((65, 77, 300), (203, 90, 257), (100, 130, 5)):
        check(np.asfortranarray(normal(rng, m, k, dtype=dtype)), normal(rng, k, n, dtype=dtype), normal(rng, m, n, dtype=dtype),
              normal(rng, n, dtype=dtype), accumulate=k % 2, act=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_row_and_a_matrix_from_memory(isa, dtype):
    """Beyond 2^18 elements the matrix is read in four places, or k is cut: tails of columns, k and vectors; both layouts, bias."""
    rng = np.random.default_rng(8)
    for n, k in ((701, 613), (257, 1100), (9, 40000), (3001, 97)):
        a, b = normal(rng, 1, k, dtype=dtype), normal(rng, k, n, dtype=dtype)
        for matrix in (b, np.ascontiguousarray(b.T).T):
            check(a, matrix, normal(rng, 1, n, dtype=dtype), bias=normal(rng, n, dtype=dtype), accumulate=1)
            check(matrix.T, a.T, normal(rng, n, 1, dtype=dtype))


def test_empty_sizes(isa):
    for m, n, k in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)]:
        a, b, bias = np.ones((m, k), "float32"), np.ones((k, n), "float32"), np.arange(n, dtype="float32")
        for accumulate in (0, 1):
            check(a, b, np.full((m, n), 2, "float32"), bias, accumulate, 1)


def test_batches_broadcast_and_fold(isa):
    rng = np.random.default_rng(4)
    for batch in [(3,), (2, 3), (1, 4), (0,), (2, 1, 3)]:
        a, b = normal(rng, *batch, 5, 9), normal(rng, *batch, 9, 21)
        for x in (a, np.broadcast_to(a[:1], a.shape), a.swapaxes(-1, -2).copy().swapaxes(-1, -2)):
            for y in (b, np.broadcast_to(b[:1], b.shape), b.swapaxes(-1, -2).copy().swapaxes(-1, -2)):
                check(x, y, normal(rng, *batch, 5, 21), normal(rng, 21))
    one = np.broadcast_to(normal(rng, 9, 21), (6, 9, 21))
    check(normal(rng, 6, 3, 9)[:, :1], one, embed(normal(rng, 6, 1, 21), (slice(None), slice(1, 2)), (6, 4, 21)))
    c = np.zeros((6, 4, 21), "float32")
    g = gemm(normal(rng, 6, 4, 9), one, c)
    assert (g.nbatch, g.batches) == (0, 1) and max(g.m, g.n) == 24            # 6 batches of 4 rows became 24 rows


def test_nan_and_infinity_reach_exactly_their_row_and_column(isa):
    for m, n, k in [(9, 70, 20), (2, 33, 40), (1, 70, 40)]:
        for bad in (np.nan, np.inf):
            for right in ("rows", "columns"):
                a, b = np.ones((m, k), "float32"), np.ones((k, n), "float32")
                a[m - 1, k - 1] = bad
                b[0, n - 1] = bad
                c = np.zeros((m, n), "float32")
                gemm(a, LAYOUTS[right](b), c, act=1)
                wrong = ~np.isfinite(c)
                assert wrong[m - 1].all() and wrong[:, n - 1].all() and not wrong[:m - 1, :n - 1].any()
