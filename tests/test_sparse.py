"""Sparse gradients of embeddings: what they hold, how they add up, what optimizers do with them, and PyTorch on the same."""
import copy

import fastnet as fn
import numpy as np
import pytest
from fastnet import nn
from fastnet.nn import functional as F
from fastnet.ops.sparse import SparseTensor

ROWS, D = 11, 5


def table(rng, **options):
    module = nn.Embedding(ROWS, D, sparse=True, **options)
    with fn.no_grad():
        module.weight.copy_(fn.tensor(rng.standard_normal((ROWS, D)), dtype=fn.float32))
    return module


def expected(index, g):
    """The gradient of a table, by a loop."""
    out = np.zeros((ROWS, D))
    for i, row in zip(np.ravel(index), np.reshape(g, (-1, D))):
        out[i] += row
    return out


def backward(module, index, g):
    (module(fn.tensor(index)) * fn.tensor(g)).sum().backward()


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def batch(rng):
    return np.array([[3, 1, 3], [9, 0, 3]]), rng.standard_normal((2, 3, D)).astype(np.float32)


def test_gradient_holds_the_rows_of_the_batch(rng, batch):
    module = table(rng)
    backward(module, *batch)
    grad = module.weight.grad
    assert isinstance(grad, SparseTensor) and grad.is_sparse and not module.weight.is_sparse and not grad.is_coalesced()
    assert grad.shape == (ROWS, D) and grad.size(0) == ROWS and grad.dtype is fn.float32 and grad.numel() == ROWS * D and grad.dim() == 2
    assert grad._indices().tolist() == [[3, 1, 3, 9, 0, 3]] and grad._nnz() == 6 and (grad.sparse_dim(), grad.dense_dim()) == (1, 1)
    for name in ("indices", "values"):
        with pytest.raises(RuntimeError, match=f"{name}: cannot get {name} of an uncoalesced"):
            getattr(grad, name)()
    one = grad.coalesce()
    assert one.is_coalesced() and one.coalesce() is one and one.indices().tolist() == [[0, 1, 3, 9]]
    np.testing.assert_allclose(one.values().numpy(), expected(*batch)[[0, 1, 3, 9]], rtol=1e-6)
    np.testing.assert_allclose(grad.to_dense().numpy(), expected(*batch), rtol=1e-6)
    np.testing.assert_allclose(grad.norm().item(), np.linalg.norm(expected(*batch)), rtol=1e-6)
    assert "nnz=4" in repr(one) and "size=(11, 5)" in repr(one)


def test_gradients_add_up_and_are_dropped(rng, batch):
    module = table(rng)
    backward(module, *batch)
    backward(module, [9, 2], np.ones((2, D), np.float32))
    both = expected(*batch) + expected([9, 2], np.ones((2, D)))
    assert module.weight.grad._nnz() == 8
    np.testing.assert_allclose(module.weight.grad.to_dense().numpy(), both, rtol=1e-6)
    fn.optim.SGD(module.parameters()).zero_grad(set_to_none=False)
    assert module.weight.grad._nnz() == 0 and not module.weight.grad.to_dense().numpy().any()
    module.zero_grad()
    assert module.weight.grad is None
    backward(module, *batch)
    del module.weight.grad
    assert module.weight.grad is None


@pytest.mark.parametrize("order", ["sparse first", "dense first", "slice", "both in one"])
def test_dense_and_sparse_gradients_of_one_table(rng, batch, order):
    module, index, g = table(rng), *batch
    dense = rng.standard_normal((ROWS, D)).astype(np.float32)
    total = expected(index, g) + dense

    def use_dense():
        (module.weight * fn.tensor(dense)).sum().backward()
    if order == "sparse first":
        backward(module, index, g)
        use_dense()
    elif order == "dense first":
        use_dense()
        backward(module, index, g)
    elif order == "slice":
        backward(module, index, g)
        (module.weight[2:4] * fn.tensor(dense[2:4])).sum().backward()
        total = expected(index, g) + dense * np.isin(np.arange(ROWS), [2, 3])[:, None]
    else:
        ((module(fn.tensor(index)) * fn.tensor(g)).sum() + (module.weight * fn.tensor(dense)).sum()).backward()
    assert not module.weight.grad.is_sparse
    np.testing.assert_allclose(module.weight.grad.numpy(), total, rtol=1e-5, atol=1e-6)


def test_the_gradient_is_nobody_elses(rng):
    """Input indices and gradients of other leaves stay as they are when the sparse gradient is scaled, and the other way round."""
    module, index, bias = table(rng), fn.tensor([1, 4]), fn.zeros(2, D, requires_grad=True)
    (module(index) + bias).backward(fn.ones(2, D))
    index.fill_(0)
    module.weight.grad.mul_(3.0)
    assert bias.grad.tolist() == [[1.0] * D] * 2 and module.weight.grad._indices().tolist() == [[1, 4]]
    given = fn.ones(2, D)
    module.zero_grad()
    module(fn.tensor([1, 4])).backward(given)
    module.weight.grad.div_(4.0)
    assert given.tolist() == [[1.0] * D] * 2 and module.weight.grad._values().tolist() == [[0.25] * D] * 2
    assert (-(module.weight.grad * 2 / 4))._values()[0, 0].item() == -0.125


def test_padding_row_and_odd_inputs(rng):
    module = table(rng, padding_idx=3)
    backward(module, [[3, 1], [3, 3]], np.ones((2, 2, D), np.float32))
    assert module.weight.grad._indices().tolist() == [[1]]
    module.zero_grad()
    module(fn.tensor(4)).sum().backward()                # no axes
    assert module.weight.grad._indices().tolist() == [[4]]
    module.zero_grad()
    module(fn.zeros(0, dtype=fn.int64)).sum().backward()
    assert module.weight.grad._nnz() == 0 and module.weight.grad.coalesce()._nnz() == 0
    module.zero_grad()
    module(fn.tensor([4, 2])).T.sum(0).sum().backward()  # an expanded, transposed gradient
    assert module.weight.grad.to_dense()[2].tolist() == [1.0] * D
    doubled = fn.ones(3, 2, dtype=fn.float64, requires_grad=True)
    F.embedding(fn.tensor([2]), doubled, sparse=True).sum().backward()
    assert doubled.grad.dtype is fn.float64


def test_where_a_dense_gradient_comes(rng, batch):
    """Not a leaf, a leaf with hooks, autograd.grad: values are the same, dense."""
    module, index, g = table(rng), *batch
    y = (module(fn.tensor(index)) * fn.tensor(g)).sum()
    np.testing.assert_allclose(fn.autograd.grad(y, module.weight, retain_graph=True)[0].numpy(), expected(index, g), rtol=1e-6)
    assert module.weight.grad is None
    other = fn.ones(2, requires_grad=True)
    fn.autograd.grad(y + other.sum(), other, retain_graph=True)
    assert module.weight.grad is None
    seen = []
    handle = module.weight.register_hook(lambda grad: seen.append(grad.shape))
    y.backward()
    handle.remove()
    assert seen == [(ROWS, D)] and not module.weight.grad.is_sparse
    leaf = fn.tensor(module.weight.tolist(), requires_grad=True)
    (F.embedding(fn.tensor(index), leaf * 2.0, sparse=True) * fn.tensor(g)).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 2 * expected(index, g), rtol=1e-6)


def test_gradients_that_are_set(rng, batch):
    module = table(rng)
    backward(module, *batch)
    grad, other = module.weight.grad, table(rng)
    other.weight.grad = grad
    assert other.weight.grad is grad
    other.weight.grad = fn.ones(ROWS, D)
    assert not other.weight.grad.is_sparse
    other.weight.grad = grad.clone()
    assert other.weight.grad.is_sparse and other.weight.grad is not grad
    for bad in (SparseTensor(fn.tensor([0]), fn.ones(1, D), (ROWS + 1, D)),
                SparseTensor(fn.tensor([0]), fn.ones(1, D).double(), (ROWS, D))):
        with pytest.raises(RuntimeError, match="cannot have a"):
            other.weight.grad = bad
    assert other.weight.grad.is_sparse
    assert (grad + fn.ones(ROWS, D)).shape == (ROWS, D) and (fn.ones(ROWS, D).sum().item() == ROWS * D)
    with pytest.raises(TypeError):
        grad + 1
    with pytest.raises(RuntimeError, match="add: "):
        grad + SparseTensor(fn.tensor([0]), fn.ones(1, D + 1), (ROWS, D + 1))
    assert copy.deepcopy(module).weight.tolist() == module.weight.tolist()


def test_clipping_sees_the_whole_gradient(rng, batch):
    module, dense, index, g = table(rng), fn.tensor([3.0], requires_grad=True), *batch
    backward(module, index, g)
    (dense * 2.0).sum().backward()
    norm = np.sqrt((expected(index, g) ** 2).sum() + 4)
    total = nn.utils.clip_grad_norm_([module.weight, dense], 0.5)
    np.testing.assert_allclose(total.item(), norm, rtol=1e-6)
    np.testing.assert_allclose(module.weight.grad.to_dense().numpy(), expected(index, g) * 0.5 / (norm + 1e-6), rtol=1e-5)
    nn.utils.clip_grad_value_(module.weight, 0.01)
    assert module.weight.grad.is_sparse and np.abs(module.weight.grad.to_dense().numpy()).max() <= 0.01 + 1e-9


def sparse_adam(p, g, state, t, lr=0.1, b1=0.9, b2=0.999, eps=1e-3):
    m, v = state
    for i in np.flatnonzero(g.any(1)):
        m[i] = b1 * m[i] + (1 - b1) * g[i]
        v[i] = b2 * v[i] + (1 - b2) * g[i] ** 2
        p[i] -= lr * np.sqrt(1 - b2 ** t) / (1 - b1 ** t) * m[i] / (np.sqrt(v[i]) + eps)


def adagrad(p, g, state, t, lr=0.1, decay=0.01):
    state[0] += g * g
    p -= lr / (1 + (t - 1) * decay) * g / (np.sqrt(state[0]) + 1e-10)


def sgd(p, g, state, t):
    p += 0.1 * g


OPTIMIZERS = [(lambda p: fn.optim.SparseAdam(p, lr=0.1, eps=1e-3), sparse_adam),
              (lambda p: fn.optim.Adagrad(p, lr=0.1, lr_decay=0.01), adagrad),
              (lambda p: fn.optim.SGD(p, lr=0.1, maximize=True), sgd)]


@pytest.mark.parametrize("make, formula", OPTIMIZERS)
@pytest.mark.parametrize("contiguous", [True, False])
def test_steps_of_rows(rng, make, formula, contiguous):
    module = table(rng)
    if not contiguous:
        module.weight = nn.Parameter(fn.tensor(module.weight.detach().numpy().T.copy()).T)
    p, state = module.weight.detach().numpy().astype(np.float64), np.zeros((2, ROWS, D))
    optimizer = make(module.parameters())
    for t in range(1, 5):
        index, g = rng.integers(0, ROWS - 1, (3, 2)), rng.standard_normal((3, 2, D)).astype(np.float32)
        optimizer.zero_grad()
        backward(module, index, g)
        version = module.weight._version
        optimizer.step()
        assert module.weight._version > version
        formula(p, expected(index, g), state, t)
        np.testing.assert_allclose(module.weight.detach().numpy(), p, rtol=2e-5, atol=2e-6)


def test_one_optimizer_with_sparse_and_dense_parameters(rng, batch):
    module, dense = table(rng), nn.Parameter(fn.ones(3))
    optimizer = fn.optim.Adagrad([module.weight, dense], lr=0.1)
    backward(module, *batch)
    (dense * 2.0).sum().backward()
    before = module.weight.detach().clone()
    optimizer.step()
    assert np.allclose(dense.tolist(), 0.9) and (module.weight != before).any(1).nonzero().flatten().tolist() == [0, 1, 3, 9]
    again = fn.optim.Adagrad([module.weight, dense], lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    assert np.array_equal(again.state[module.weight]["sum"].numpy(), optimizer.state[module.weight]["sum"].numpy())


def test_a_model_is_checked_and_trained(rng):
    model = nn.Sequential(nn.Embedding(ROWS, D, sparse=True), nn.Flatten(), nn.Linear(2 * D, 3))
    x, y = fn.tensor(rng.integers(0, ROWS, (8, 2))), fn.tensor(rng.integers(0, 3, 8))
    assert fn.gradcheck_model(model, nn.CrossEntropyLoss(), (x, y))
    optimizer = fn.optim.SGD(model.parameters(), lr=0.5)
    history = fn.Trainer(model, nn.CrossEntropyLoss(), optimizer, clip_norm=1.0, accumulate=2, progress=False).fit([(x, y)] * 2, epochs=20)
    assert model[0].weight.grad is None or model[0].weight.grad.is_sparse
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]


def test_what_is_refused(rng, batch):
    module = table(rng)
    backward(module, *batch)
    before = module.weight.detach().clone()
    for make in (fn.optim.Adam, fn.optim.AdamW, fn.optim.RMSprop, fn.optim.Lion, fn.optim.NAdam):
        with pytest.raises(RuntimeError, match=f"{make.__name__} does not support sparse gradients"):
            make(module.parameters()).step()
    for options in ({"momentum": 0.9}, {"weight_decay": 0.1}):
        with pytest.raises(RuntimeError, match=f"SGD: {next(iter(options))} is not supported with sparse"):
            fn.optim.SGD(module.parameters(), lr=0.1, **options).step()
    with pytest.raises(RuntimeError, match="Adagrad: weight_decay"):
        fn.optim.Adagrad(module.parameters(), weight_decay=0.1).step()
    assert fn.equal(before, module.weight.detach())
    module.weight.grad = fn.ones(ROWS, D)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients"):
        fn.optim.SparseAdam(module.parameters()).step()
    with pytest.raises(ValueError, match="learning rate"):
        fn.optim.SparseAdam(module.parameters(), lr=0.0)
    with pytest.raises(RuntimeError, match="scale_grad_by_freq is not supported with sparse"):
        F.embedding(fn.tensor([1]), module.weight, scale_grad_by_freq=True, sparse=True)
    with pytest.raises(ValueError, match="mode 'max'"):
        F.embedding_bag(fn.tensor([[1]]), module.weight, mode="max", sparse=True)


def test_gradient_divided_by_frequency(rng, batch):
    module, index, g = nn.Embedding(ROWS, D, padding_idx=1, scale_grad_by_freq=True), *batch
    backward(module, index, g)
    want = expected(index, g) / np.maximum(np.bincount(index.ravel(), minlength=ROWS), 1)[:, None]
    want[1] = 0
    np.testing.assert_allclose(module.weight.grad.numpy(), want, rtol=1e-5, atol=1e-7)
    bag = nn.EmbeddingBag(ROWS, D, scale_grad_by_freq=True, mode="sum")
    (bag(fn.tensor(index)) * fn.tensor(g[:, 0])).sum().backward()
    want = expected(index, g[:, :1].repeat(3, 1)) / np.maximum(np.bincount(index.ravel(), minlength=ROWS), 1)[:, None]
    np.testing.assert_allclose(bag.weight.grad.numpy(), want, rtol=1e-5, atol=1e-7)


def test_pytorch_divides_by_the_same_frequency(batch):
    torch, grads = pytest.importorskip("torch"), []
    for nn_, tensor in ((nn, fn.tensor), (torch.nn, torch.tensor)):
        module = nn_.Embedding(ROWS, D, scale_grad_by_freq=True)
        (module(tensor(batch[0])) * tensor(batch[1])).sum().backward()
        grads.append(np.asarray(module.weight.grad))
    np.testing.assert_allclose(*grads, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags(rng, mode):
    bag = nn.EmbeddingBag(ROWS, D, sparse=True, mode=mode, padding_idx=2)
    g = rng.standard_normal((2, D)).astype(np.float32)
    (bag(fn.tensor([4, 4, 2, 7]), fn.tensor([0, 3])) * fn.tensor(g)).sum().backward()
    assert bag.weight.grad.is_sparse and bag.weight.grad.coalesce().indices().tolist() == [[4, 7]]
    want = expected([4, 4, 7], np.stack([g[0], g[0], g[1] * (2 if mode == "mean" else 1)]) / (2 if mode == "mean" else 1))
    np.testing.assert_allclose(bag.weight.grad.to_dense().numpy(), want, rtol=1e-5)


@pytest.mark.parametrize("name, options", [("SGD", {"lr": 0.1}), ("SparseAdam", {"lr": 0.1}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.1})])
def test_pytorch_takes_the_same_steps(rng, name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = table(rng, padding_idx=2), torch.nn.Embedding(ROWS, D, padding_idx=2, sparse=True)
    theirs.load_state_dict({"weight": torch.from_numpy(ours.weight.detach().numpy().copy())})
    a, b = getattr(fn.optim, name)(ours.parameters(), **options), getattr(torch.optim, name)(theirs.parameters(), **options)
    for _ in range(4):
        a.zero_grad(), b.zero_grad()
        for _ in range(2):
            index, g = rng.integers(0, ROWS, (4, 2)), rng.standard_normal((4, 2, D)).astype(np.float32)
            backward(ours, index, g)
            (theirs(torch.from_numpy(index)) * torch.from_numpy(g)).sum().backward()
        mine, other = ours.weight.grad.coalesce(), theirs.weight.grad.coalesce()
        assert mine.indices().tolist() == other.indices().tolist()
        np.testing.assert_allclose(mine.values().numpy(), other.values().numpy(), rtol=1e-5, atol=1e-6)
        a.step(), b.step()
        np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_nothing_is_left_behind(rng, batch):
    """No memory grows; a table of another shape has lost its gradient."""
    module = table(rng)
    optimizer = fn.optim.SparseAdam(module.parameters())
    live = []
    for _ in range(6):
        optimizer.zero_grad()
        backward(module, *batch)
        optimizer.step()
        live.append(fn.memory_stats()["live_bytes"])
    assert live[-1] == live[2]
    module.weight.data = fn.ones(2, 3)
    assert module.weight.grad is None


def test_indices_are_checked_when_it_is_made():
    values = fn.ones(2, D)
    for bad in ([0, ROWS], [-1, 0]):
        with pytest.raises(RuntimeError, match=rf"indices must be rows of a table \({ROWS}, {D}\), got {min(bad)} to {max(bad)}"):
            SparseTensor(fn.tensor(bad), values, (ROWS, D))
    with pytest.raises(TypeError, match="SparseTensor: indices must be int64, got fastnet.float32"):
        SparseTensor(fn.ones(2), values, (ROWS, D))
    assert SparseTensor(fn.tensor([0, ROWS - 1]), values, (ROWS, D))._nnz() == 2
    assert SparseTensor(fn.zeros(0, dtype=fn.int64), values[:0], (0, D)).to_dense().shape == (0, D)
