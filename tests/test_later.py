"""The long tail of functions and methods, what scripts ask of other devices, and old names of tensors."""
import ast
import inspect

import numpy as np
import pytest

import fastnet
from fastnet import later


def test_the_table_is_true_and_hides_nothing():
    for name, module in later.HOME.items():
        assert callable(getattr(fastnet, name)), (name, module)
    x = fastnet.tensor([[4.0, 1.0], [1.0, 3.0]])
    for table in (later.BOTH, later.METHODS):
        for name in (n for names in table.values() for n in names.split()):
            assert callable(getattr(x, name))


def test_methods_give_what_functions_give():
    x, y = fastnet.tensor([[4.0, 1.0], [1.0, 3.0]]), fastnet.tensor([[0.5, -1.0], [2.0, 7.0]])
    for _ in range(2):                                    # the first call imports, the second goes there directly
        assert x.det().item() == pytest.approx(11)
        assert fastnet.allclose(x.inverse() @ x, fastnet.eye(2), atol=1e-6)
        assert fastnet.equal(x.fmax(y), fastnet.fmax(x, y)) and fastnet.equal(x.hypot(y), fastnet.hypot(x, y))
    assert x.cpu() is x and x.diff().tolist() == [[-3.0], [2.0]]


@pytest.mark.parametrize("name", later.IN_PLACE.split())
def test_in_place_forms_write_over_the_tensor(name):
    integers = name in ("gcd", "lcm") or name.startswith("bitwise")
    x = fastnet.tensor([[4, 1], [2, 3]]) if integers else fastnet.tensor([[0.4, 0.1], [0.2, 0.3]])
    other = {"tril": (), "triu": (), "cumsum": (0,), "cumprod": (0,)}.get(name)
    if other is None:
        alone = ("bitwise_not deg2rad digamma erfinv frac lgamma logical_not logit nan_to_num rad2deg sgn sinc").split()
        other = () if name in alone else (x.clone(),)
    if name.startswith(("add", "badd")):
        m = x
        x = {"addmv": m[0].clone(), "baddbmm": m[None].clone()}.get(name, x)
        other = {"addmm": (m.clone(), m.clone()), "addmv": (m, m[1]), "addr": (m[0].clone(), m[1])}.get(name, (m[None].clone(),) * 2)
    want = getattr(x, name)(*other).to(x.dtype)
    y = x.clone()
    assert getattr(y, name + "_")(*other) is y
    assert fastnet.equal(y, want)


def test_axes_change_in_place_without_history_only():
    x = fastnet.arange(6).reshape(1, 2, 3)
    assert x.squeeze_() is x and x.shape == (2, 3) and x.t_().shape == (3, 2) and x.unsqueeze_(-1).shape == (3, 2, 1)
    assert x.transpose_(0, 1).tolist() == [[[0], [1], [2]], [[3], [4], [5]]]
    with pytest.raises(RuntimeError, match="unsqueeze_: the tensor requires grad"):
        fastnet.ones(2, requires_grad=True).unsqueeze_(0)


def test_fill_diagonal_wraps_like_numpy():
    for shape in ((3, 3), (7, 3), (3, 7)):
        for wrap in (False, True):
            want = np.zeros(shape, np.float32)
            np.fill_diagonal(want, 5, wrap)
            assert fastnet.zeros(*shape).fill_diagonal_(5, wrap).numpy().tobytes() == want.tobytes()
    with pytest.raises(RuntimeError, match=r"fill_diagonal_: input must be a matrix.*\(3,\)"):
        fastnet.zeros(3).fill_diagonal_(1)


def test_a_script_may_ask_for_other_devices():
    device = fastnet.device("cuda" if fastnet.cuda.is_available() else "mps" if fastnet.backends.mps.is_available() else "cpu")
    assert device.type == "cpu" and fastnet.cuda.device_count() == 0
    fastnet.backends.cudnn.benchmark = True
    fastnet.cuda.manual_seed_all(0)
    assert fastnet.ones(2).to(device).cpu().tolist() == [1.0, 1.0]
    fastnet.backends.cudnn.benchmark = False


def test_old_constructors():
    assert fastnet.FloatTensor([1, 2]).dtype == fastnet.float32 and fastnet.LongTensor([1, 2]).dtype == fastnet.int64
    assert fastnet.DoubleTensor(2, 3).shape == (2, 3) and isinstance(fastnet.ones(1), fastnet.FloatTensor)
    assert not isinstance(fastnet.ones(1), fastnet.LongTensor)
    with pytest.raises(TypeError, match="FloatTensor: give sizes or one sequence"):
        fastnet.FloatTensor(1, "a")
    x = fastnet.autograd.Variable(fastnet.ones(2), requires_grad=True)
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="volatile"):
        fastnet.autograd.Variable(fastnet.ones(2), volatile=True)


def test_questions_about_dtypes():
    assert fastnet.is_tensor(fastnet.ones(1)) and fastnet.numel(fastnet.ones(2, 3)) == 6
    assert fastnet.result_type(fastnet.tensor([1]), 1.5) == fastnet.float32
    assert fastnet.result_type(fastnet.tensor([1.0], dtype=fastnet.float64), fastnet.tensor(1)) == fastnet.float64
    assert fastnet.promote_types(fastnet.uint8, fastnet.int64) == fastnet.int64
    assert fastnet.can_cast(fastnet.int64, fastnet.float32) and not fastnet.can_cast(fastnet.float32, fastnet.uint8)
    with pytest.raises(RuntimeError, match="is_nonzero"):
        fastnet.ones(2).is_nonzero()
    assert fastnet.ones(1).is_nonzero() and not fastnet.is_nonzero(fastnet.zeros(1))
    assert fastnet.is_floating_point(fastnet.ones(1)) and not fastnet.is_complex(fastnet.ones(1))
    assert fastnet.is_same_size(fastnet.ones(2), fastnet.zeros(2)) and not fastnet.ones(2).is_same_size(fastnet.ones(3))
    x = fastnet.ones(1, requires_grad=True)
    assert not fastnet.detach(x).requires_grad and fastnet.detach(x).data_ptr() == x.data_ptr()


def test_writing_in_place():
    x, index = fastnet.zeros(2, 3), fastnet.tensor([2, 0])
    assert x.index_fill_(1, index, 5) is x and x.tolist() == [[5, 0, 5], [5, 0, 5]]
    assert x.index_copy_(1, index, fastnet.tensor([[1.0, 2.0], [3.0, 4.0]])) is x and x.tolist() == [[2, 0, 1], [4, 0, 3]]
    y = fastnet.ones(2)
    assert y.scatter_reduce_(0, fastnet.tensor([1, 1]), fastnet.tensor([2.0, 3.0]), "sum") is y and y.tolist() == [1, 6]


def test_gradients_at_special_places():
    x = fastnet.zeros(2, 2, requires_grad=True)
    fastnet.linalg.matrix_norm(x, "nuc").backward()
    assert not x.grad.isnan().any()
    a = fastnet.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=fastnet.float64, requires_grad=True)        # singular
    fastnet.linalg.det(a).backward()
    assert np.allclose(a.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]])
    rows = fastnet.zeros(30, 2, requires_grad=True)
    fastnet.cdist(rows, rows).sum().backward()
    assert not rows.grad.isnan().any()
    with pytest.raises(fastnet.linalg.LinAlgError, match="Singular"):
        fastnet.linalg.inv(fastnet.zeros(2, 2))


def test_numpys_names_of_axes():
    x = fastnet.tensor([[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]])
    for name in ("sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "std", "var", "any", "all"):
        f = getattr(fastnet, name)
        assert fastnet.equal(f(x, axis=1, keepdims=True), f(x, dim=1, keepdim=True))
        assert fastnet.equal(getattr(x, name)(axis=0), f(x, 0))
    assert fastnet.equal(x.max(axis=1).values, x.max(1).values) and x.sum(axis=[0, 1]).item() == 24
    assert fastnet.equal(fastnet.cat((x, x), axis=1), fastnet.cat((x, x), 1))
    with pytest.raises(TypeError, match="sum: dim=0 and axis=1 are two names"):
        x.sum(dim=0, axis=1)


def test_type_checkers_see_every_name():
    tree = ast.parse(inspect.getsource(fastnet))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname or alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert later.HOME.items() <= seen.items()
    assert {"Trainer", "diagnose", "estimate", "gradcheck_model", "load", "profile", "save", "summary"} <= set(seen)
