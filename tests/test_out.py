"""`out=`: results in tensors that are given, under PyTorch's rules."""
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet.ops.out import NAMES

A = fn.tensor([[1.0, -2.0, 3.0], [4.0, 0.5, -6.0]])
OWN = ("zeros", "ones", "empty", "rand", "randn")
CALLS = {
    "add": (lambda out: fn.add(A, 1, alpha=2, out=out), A.numpy() + 2),
    "exp": (lambda out: fn.exp(A, out=out), np.exp(A.numpy())),
    "where": (lambda out: fn.where(A > 0, A, 0.0, out=out), np.maximum(A.numpy(), 0)),
    "sum": (lambda out: fn.sum(A, 1, out=out), A.numpy().sum(1)),
    "mm": (lambda out: fn.mm(A, A.t(), out=out), A.numpy() @ A.numpy().T),
    "addmm": (lambda out: fn.addmm(fn.ones(2), A, A.t(), out=out), A.numpy() @ A.numpy().T + 1),
    "cat": (lambda out: fn.cat([A, A], 1, out=out), np.concatenate([A.numpy()] * 2, 1)),
    "stack": (lambda out: fn.stack((A, A), out=out), np.stack([A.numpy()] * 2)),
    "zeros": (lambda out: fn.zeros(2, 3, out=out), np.zeros((2, 3))),
    "full": (lambda out: fn.full((2,), 7, out=out), np.full(2, 7.0)),
    "arange": (lambda out: fn.arange(4, out=out), np.arange(4.0)),
    "hypot": (lambda out: fn.hypot(A, A, out=out), np.hypot(A.numpy(), A.numpy())),
}


@pytest.mark.parametrize("name", CALLS)
def test_results_are_written(name):
    call, expected = CALLS[name]
    whole = fn.full((*expected.shape, 2), -1.0)
    for out in (fn.empty(expected.shape), fn.empty(0), whole[..., 1]):    # the last: strided, over memory that others show
        assert call(out) is out
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(whole[..., 1].numpy(), expected, rtol=1e-6)
    assert (whole[..., 0] == -1).all()
    assert call(None).shape == expected.shape
    with pytest.warns(UserWarning, match=f"{name}: out of shape .* was resized"):
        assert call(fn.empty(5)).shape == expected.shape
    with pytest.raises(TypeError, match=f"{name}: out must be a Tensor"):
        call(3)


def test_names_take_it_and_stay_what_they_are():
    for name in NAMES | set(OWN):
        f = getattr(fn, name)
        assert f is getattr(fn, name) and pickle.loads(pickle.dumps(f)) is f and f.__doc__, name
        with pytest.raises(TypeError):
            f(*[object()] * 9, out=object())
    assert fn.add(A, A, out=A.clone()).data_ptr() != A.data_ptr()


def test_dtypes():
    assert fn.add(A, A, out=fn.empty(2, 3, dtype=fn.float64)).dtype == fn.float64
    assert fn.eq(A, A, out=fn.empty(2, 3)).tolist() == [[1.0] * 3] * 2
    assert fn.arange(3, out=fn.empty(0, dtype=fn.int64)).dtype == fn.int64
    assert fn.randn(3, out=fn.empty(0, dtype=fn.float64)).dtype == fn.float64
    for call in (lambda: fn.add(A, A, out=fn.empty(2, 3, dtype=fn.int64)), lambda: fn.mm(A, A.t(), out=fn.empty(2, 2, dtype=fn.float64)),
                 lambda: fn.argmax(A, out=fn.empty((), dtype=fn.int32)), lambda: fn.zeros(3, dtype=fn.float64, out=fn.empty(3)),
                 lambda: fn.max(A, 1, out=(fn.empty(0), fn.empty(0)))):
        with pytest.raises(RuntimeError, match="out"):
            call()


def test_several_results():
    values, indices = fn.empty(0), fn.empty(0, dtype=fn.int64)
    result = fn.max(A, 1, out=(values, indices))
    assert result.values is values and result.indices is indices and values.tolist() == [3.0, 4.0] and indices.tolist() == [2, 0]
    fn.sort(A, out=(values := fn.empty(2, 3), fn.empty(2, 3, dtype=fn.int64)))
    np.testing.assert_array_equal(values.numpy(), np.sort(A.numpy()))
    for out in (fn.empty(2), (fn.empty(2),)):
        with pytest.raises(TypeError, match="sort: out must be a tuple of 2"):
            fn.sort(A, out=out)
    with pytest.raises(TypeError, match="add: out must be one tensor"):
        fn.add(A, A, out=(fn.empty(0),))


def test_gradients_are_refused():
    w = fn.ones(2, 3, requires_grad=True)
    for call in (lambda: fn.add(w, A, out=fn.empty(2, 3)), lambda: fn.exp(A, out=w), lambda: fn.cat([A, w], out=fn.empty(0))):
        with pytest.raises(RuntimeError, match="out=... are not differentiated"):
            call()
    with fn.no_grad():
        assert fn.add(w, A, out=w) is w and w.requires_grad
    np.testing.assert_array_equal(w.detach().numpy(), A.numpy() + 1)


def test_memory_of_out():
    x = fn.arange(6.0)
    fn.add(x[:3], x[1:4], out=x[2:5])                       # the operands are read before anything is written
    assert x.tolist() == [0.0, 1.0, 1.0, 3.0, 5.0, 5.0]
    before = A.tolist()
    for call in (lambda: fn.add(A, 1, out=fn.empty(1, 3).expand(2, 3)), lambda: fn.add(A, fn.ones(7), out=A)):
        with pytest.raises(RuntimeError):
            call()
    assert A.tolist() == before
    with pytest.raises(RuntimeError, match=r"add: out cannot be written: .*share memory"):
        fn.add(A, 1, out=fn.empty(1, 3).expand(2, 3))


def test_a_tensor_twice_in_out():
    values = fn.zeros(2)
    with pytest.raises(RuntimeError, match="max: out has the same tensor twice"):
        fn.max(fn.tensor([[1.0, 3.0], [2.0, 0.0]]), 1, out=(values, values))
    assert values.tolist() == [0.0, 0.0]
