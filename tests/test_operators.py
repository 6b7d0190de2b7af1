"""The operators of Python on tensors: values and dtypes as NumPy and PyTorch have them, numbers and arrays on either side, refusals."""
import operator

import numpy as np
import pytest

import fastnet
from fastnet import tensor

X, Y = np.array([1.5, -2.0, 7.0], "f"), np.array([2.0, 4.0, -0.5], "f")
M, N = np.array([7, -7, 5]), np.array([2, 3, -4])
B, C = np.array([True, True, False]), np.array([True, False, False])
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
BITS = [operator.and_, operator.or_, operator.xor]


def t(a):
    return fastnet.from_numpy(a) if isinstance(a, np.ndarray) else a


def same(got, want, dtype=None):
    got = got.numpy()
    assert got.dtype == (dtype or np.asarray(want).dtype) and got.shape == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=3e-7, atol=1e-6)


@pytest.mark.parametrize("f", ARITHMETIC, ids=lambda f: f.__name__)
def test_floats(f):
    same(f(t(X), t(Y)), f(X, Y))
    same(f(t(X), 2), f(X, 2), "float32")
    same(f(t(X), 2.5), f(X, 2.5), "float32")
    same(f(3.5, t(X)), f(3.5, X), "float32")
    same(f(3, t(X)), f(3, X), "float32")
    same(f(t(X.astype("d")), t(Y)), f(X.astype("d"), Y), "float64")
    same(f(t(X), t(np.float64(2.0) * np.ones(()))), f(X, 2.0), "float32")            # a 0-dim tensor does not widen


@pytest.mark.parametrize("f", ARITHMETIC, ids=lambda f: f.__name__)
def test_integers(f):
    wants = "float32" if f is operator.truediv else "int64"
    same(f(t(M), t(N)), f(M, N), wants)
    same(f(t(M), 3), f(M, 3), wants)
    same(f(10, t(N)), f(10, N), wants)
    same(f(t(M), 2.5), f(M, 2.5), "float32")
    same(f(t(M.astype("int32")), t(N)), f(M, N), wants)


@pytest.mark.parametrize("f", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons(f):
    for a, b in ((X, Y), (M, N), (X, 1.5), (M, 5), (X, M), (B, C)):
        same(f(t(a), t(b)), f(a, b), "bool")
    same(f(2.0, t(X)), f(2.0, X), "bool")


@pytest.mark.parametrize("f", BITS, ids=lambda f: f.__name__)
def test_bits(f):
    same(f(t(B), t(C)), f(B, C), "bool")
    same(f(t(M), t(N)), f(M, N), "int64")
    same(f(t(M), 3), f(M, 3), "int64")
    same(f(6, t(M)), f(6, M), "int64")
    with pytest.raises((TypeError, RuntimeError), match="float32"):
        f(t(X), t(Y))


def test_shifts():
    same(t(M) << 2, M << 2)
    same(t(M) >> 1, M >> 1)


def test_unary():
    same(-t(X), -X)
    same(+t(X), X)
    same(abs(t(X)), abs(X))
    same(-t(M), -M)
    same(abs(t(M)), abs(M))
    same(~t(B), ~B)
    same(~t(M), ~M)
    with pytest.raises((TypeError, RuntimeError)):
        ~t(X)
    with pytest.raises((TypeError, RuntimeError), match="bool"):
        -t(B)
    with pytest.raises((TypeError, RuntimeError), match="bool"):
        t(B) - t(C)


def test_powers():
    same(t(X) ** 2, X ** 2)
    same(t(abs(X)) ** t(Y), abs(X) ** Y)
    same(t(abs(X)) ** 0.5, abs(X) ** 0.5)
    same(2 ** t(X), 2 ** X, "float32")
    same(t(X) ** -1, 1 / X)
    same(t(M) ** 2, M ** 2)
    with pytest.raises(TypeError):
        pow(t(X), 2, 3)
    with pytest.raises(RuntimeError, match="negative"):
        t(M) ** -1


def test_matmul():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    same(t(a) @ t(b), a @ b)
    for wrong in (2, 2.0, t(np.zeros((2, 2)))):
        with pytest.raises((TypeError, RuntimeError)):
            t(a) @ wrong


def test_arrays_and_numpy_numbers_on_either_side():
    same(X * t(Y), X * Y)
    same(np.float32(2) * t(Y), 2 * Y, "float32")
    same(t(Y) * np.float64(2), 2 * Y, "float32")
    assert isinstance(X * t(Y), fastnet.Tensor) and isinstance(np.float32(2) * t(Y), fastnet.Tensor)


IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow]


@pytest.mark.parametrize("f", IN_PLACE, ids=lambda f: f.__name__)
def test_in_place(f):
    x = t(abs(X))
    before, version = x.data_ptr(), x._version
    y = f(x, 2.0)
    assert y is x and x.data_ptr() == before and x._version > version
    want = abs(X)
    np.testing.assert_allclose(x.numpy(), f(want, 2.0), rtol=3e-7)


def test_in_place_refuses_what_does_not_fit():
    i = t(M.copy())
    with pytest.raises(RuntimeError, match="float32.*int64|int64.*float32"):
        i += 1.5
    with pytest.raises(RuntimeError):
        i /= 2
    assert i.tolist() == M.tolist()
    x = tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"\(2,\)"):
        x += tensor([[1.0, 2.0], [3.0, 4.0]])
    b = t(np.array([True, False]))
    b &= t(np.array([True, True]))
    b |= False
    b ^= True
    assert b.tolist() == [False, True]


@pytest.mark.parametrize("other", [None, {"a": 1}, [1, 2, 3], object(), 1j])
def test_what_is_no_operand_is_refused(other):
    for f in [*ARITHMETIC, operator.pow, operator.lt, *BITS]:
        for a, b in ((t(X), other), (other, t(X))):
            with pytest.raises((TypeError, RuntimeError)):
                f(a, b)


def test_equality_with_what_is_no_operand():
    x = tensor([1.0])
    assert (x == None) is False and (x != None) is True and (x == "a") is False         # noqa: E711


def test_the_rest_of_the_protocol():
    x = t(X)
    assert len(x) == 3 and [v.item() for v in x] == X.tolist() and 7.0 in x
    assert bool(x[0]) and int(x[2]) == 7 and float(x[0]) == 1.5 and list(range(10))[t(M)[0]] == 7
    assert hash(x) == hash(x) and np.asarray(x).base is not None and memoryview(x).shape == (3,)
    for wrong in (lambda: bool(x), lambda: int(x), lambda: range(5)[x[0]], lambda: x[3], lambda: x[0, 0], lambda: len(x[0]),
                  lambda: iter(x[0]), lambda: x["a"], lambda: operator.delitem(x, 0), lambda: x(), lambda: hash([x])):
        with pytest.raises((TypeError, RuntimeError, IndexError, ValueError)):
            wrong()
