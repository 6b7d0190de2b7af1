"""A group of one process, wrappers and samplers for it; assert_close; functions that work in place."""
import numpy as np
import pytest

import fastnet as torch
import fastnet.distributed as dist
from fastnet import nn
from fastnet.nn.parallel import DistributedDataParallel
from fastnet.testing import assert_close
from fastnet.utils.data.distributed import DistributedSampler


@pytest.fixture
def group(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    dist.init_process_group(backend="nccl", init_method="env://")
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


def test_one_process_talks_to_itself(group):
    x, into = torch.arange(3.0), [torch.zeros(3)]
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "nccl")
    assert dist.is_available() and dist.is_initialized()
    assert dist.all_reduce(x, op=dist.ReduceOp.AVG) is None and dist.broadcast(x, src=0) is None and dist.reduce(x, 0) is None
    assert dist.all_reduce(x, async_op=True).wait() and dist.barrier() is None and dist.all_gather(into, x) is None
    assert x.tolist() == into[0].tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match="must be a ReduceOp"):
        dist.all_reduce(x, op="sum")
    for call, word in ((lambda: dist.broadcast(x, src=1), "only process 0"), (lambda: dist.all_gather([], x), "for each process, 1"),
                       (lambda: dist.all_gather([x], x[:1]), "a tensor of shape"),
                       (lambda: dist.init_process_group("gloo"), "called before")):
        with pytest.raises(ValueError, match=word):
            call()
    model = DistributedDataParallel(nn.Linear(2, 1), device_ids=None, find_unused_parameters=True)
    with model.no_sync():
        model(torch.ones(3, 2)).sum().backward()
    assert list(model.state_dict()) == ["module.weight", "module.bias"] and model.module.weight.grad.tolist() == [[3.0, 3.0]]
    assert len(DistributedSampler(range(7))) == 7
    dist.destroy_process_group()
    assert not dist.is_initialized()


def test_without_a_group_or_with_several(monkeypatch):
    for call in (dist.get_rank, dist.barrier, dist.destroy_process_group, lambda: dist.all_reduce(torch.ones(1)),
                 lambda: DistributedDataParallel(nn.Linear(2, 1)), lambda: DistributedSampler(range(3))):
        with pytest.raises(ValueError, match="there is no group"):
            call()
    with pytest.raises(RuntimeError, match="world_size must be 1 and rank 0, got 2 and 0"):
        dist.init_process_group("gloo", world_size=2, rank=0)
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "3")
    with pytest.raises(RuntimeError, match="got 4 and 3"):
        dist.init_process_group("gloo")
    assert not dist.is_initialized()


@pytest.mark.parametrize("n, parts", [(10, 3), (9, 3), (2, 5), (7, 1)])
@pytest.mark.parametrize("drop_last", [False, True])
def test_samplers_share_out_all_indices(n, parts, drop_last):
    for epoch in (0, 1):
        rows = [DistributedSampler(range(n), parts, k, drop_last=drop_last) for k in range(parts)]
        for row in rows:
            row.set_epoch(epoch)
        taken = [list(row) for row in rows]
        assert {len(t) for t in taken} == {len(rows[0])} and len(rows[0]) == (n // parts if drop_last else -(-n // parts))
        every = sum(taken, [])
        assert (len(set(every)) == len(every)) if drop_last else set(every) == set(range(n))
    first = DistributedSampler(range(50), 2, 0)
    before = list(first)
    first.set_epoch(1)
    assert list(first) != before
    with pytest.raises(ValueError, match="rank must be"):
        DistributedSampler(range(3), 2, 2)


def test_assert_close():
    x = torch.tensor([1.0, 2.0])
    assert_close(x, x + 1e-6)
    assert_close({"a": [x, 1.0]}, {"a": (x, 1.0 + 1e-9)})
    assert_close(torch.tensor([float("nan")]), torch.tensor([float("nan")]), equal_nan=True)
    assert_close(x, x.double(), check_dtype=False)
    for a, b, options, said in ((x, x + torch.tensor([0.0, 0.5]), {}, r"1 of 2 elements differ, most at \(1,\): 2.0 and 2.5, by 0.5"),
                                (x, x.double(), {}, "the dtypes differ"), (x, x[:1], {}, "the shapes differ"),
                                (x, [1.0, 2.0], {}, "the types differ"),
                                ([x, x], [x], {}, "the lengths differ"), ({"a": x}, {"b": x}, {}, "the keys differ"),
                                ({"a": [x, x]}, {"a": [x, -x]}, {}, r"2 of 2 elements differ\['a'\]\[1\]"),
                                (torch.tensor([3]), torch.tensor([4]), {}, r"rtol 0, atol 0"),
                                (torch.tensor([float("nan")]), torch.tensor([float("nan")]), {}, "by inf"),
                                (x, x + 1, {"msg": lambda said: "mine: " + said}, "mine: 2 of 2"), (x, x + 1, {"msg": "no"}, "^no$")):
        with pytest.raises(AssertionError, match=said):
            assert_close(a, b, **options)
    assert_close(x, x + 0.4, rtol=0, atol=0.5)
    with pytest.raises(ValueError, match="give both"):
        assert_close(x, x, rtol=1.0)


def test_functions_in_place_are_methods():
    x = torch.tensor([1.0, 4.0])
    assert torch.sqrt_(x) is x and x.tolist() == [1.0, 2.0] and torch.zero_(x).tolist() == [0.0, 0.0]
    assert np.allclose(torch.exp_(x).numpy(), 1)
    with pytest.raises(AttributeError):
        torch.nothing_  # noqa: B018
    assert torch.equal(torch.layer_norm(torch.arange(4.0), (4,)), nn.functional.layer_norm(torch.arange(4.0), (4,)))


def test_names_of_files_and_errors():
    from fastnet.nn.modules.batchnorm import _BatchNorm
    from fastnet.nn.modules.conv import _ConvNd
    import fastnet.nn.modules.loss as loss
    assert isinstance(nn.BatchNorm2d(2), _BatchNorm) and isinstance(nn.Conv1d(1, 1, 1), _ConvNd) and nn.modules.conv._ConvNd is _ConvNd
    assert issubclass(nn.MSELoss, loss._Loss) and nn.modules.Linear is nn.Linear and nn.modules.Module is nn.Module
    assert torch.OutOfMemoryError is torch.cuda.OutOfMemoryError is MemoryError

    class Warmup(torch.optim.lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base * (self.last_epoch + 1) / 4 for base in self.base_lrs]
    sgd = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    plan = Warmup(sgd)
    sgd.step()
    plan.step()
    assert plan.get_last_lr() == [0.5]


def test_profiles_of_printing():
    x = torch.tensor([1.23456, 2.0])
    torch.set_printoptions(precision=1, sci_mode=True)
    try:
        assert repr(x) == "tensor([1.2e+00, 2.0e+00])"
        torch.set_printoptions(profile="short")
        assert repr(x) == "tensor([1.23, 2.00])"
        torch.set_printoptions(profile="full", precision=3)
        assert repr(torch.zeros(1001)).count("0.") == 1001 and repr(x) == "tensor([1.235, 2.000])"
        with pytest.raises(ValueError, match="set_printoptions: profile"):
            torch.set_printoptions(profile="long")
    finally:
        torch.set_printoptions(profile="default")
    assert repr(x) == "tensor([1.2346, 2.0000])" and "..." in repr(torch.zeros(1001))
