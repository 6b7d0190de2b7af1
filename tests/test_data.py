"""utils.data: datasets, samplers, collation, DataLoader with and without workers."""
import threading
import time
from collections import Counter, namedtuple

import numpy as np
import pytest

import fastnet as fn
from fastnet.utils import data as D


class Squares(D.Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i, float(i * i)


class Stream(D.IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = D.get_worker_info()
        return iter(range(self.n) if info is None else range(info.id, self.n, info.num_workers))


def rows(n=10):
    return D.TensorDataset(fn.arange(n * 3).reshape(n, 3), fn.arange(n))


def test_tensor_dataset_and_subsets():
    data = rows()
    assert len(data) == 10 and data[4][0].tolist() == [12, 13, 14] and data[-1][1].item() == 9
    part = D.Subset(data, [5, 2, 2])
    assert len(part) == 3 and part[1][1].item() == 2
    assert [x.tolist() for x in part.getbatch([2, 0])] == [[[6, 7, 8], [15, 16, 17]], [2, 5]]
    nested = D.Subset(part, [0, 1])
    assert nested.getbatch([0])[1].tolist() == [5]
    assert not hasattr(D.Subset(Squares(3), [0]), "getbatch")
    for bad in ((fn.ones(3), fn.ones(4)), (), (fn.tensor(1.0),)):
        with pytest.raises(ValueError, match="TensorDataset"):
            D.TensorDataset(*bad)


def test_concat_stack_and_chain():
    both = Squares(3) + Squares(2)
    assert isinstance(both, D.ConcatDataset) and len(both) == 5 and [both[i][0] for i in range(5)] == [0, 1, 2, 0, 1] and both[-1] == (1,
                                                                                                                                       1.0)
    with pytest.raises(IndexError):
        both[5]
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2]
    assert D.StackDataset(Squares(3), range(3))[2] == ((2, 4.0), 2) and D.StackDataset(a=range(3))[1] == {"a": 1}
    with pytest.raises(ValueError):
        D.StackDataset(range(3), range(4))
    with pytest.raises(TypeError):
        D.ConcatDataset([Stream(2)])


def test_random_split():
    g = fn.Generator().manual_seed(1)
    parts = D.random_split(range(10), [0.75, 0.25], generator=g)
    assert [len(p) for p in parts] == [8, 2] and sorted(i for p in parts for i in p.indices) == list(range(10))
    again = D.random_split(range(10), [8, 2], generator=fn.Generator().manual_seed(1))
    assert [p.indices for p in again] == [p.indices for p in parts]
    for bad in ([3, 3], [0.5, 0.7]):
        with pytest.raises(ValueError, match="random_split|Sum"):
            D.random_split(range(10), bad)


def test_samplers():
    fn.manual_seed(0)
    assert list(D.SequentialSampler(range(4))) == [0, 1, 2, 3]
    orders = [list(D.RandomSampler(range(50))) for _ in range(2)]
    assert orders[0] != orders[1] and all(sorted(order) == list(range(50)) for order in orders)
    assert len(list(D.RandomSampler(range(5), num_samples=12))) == 12
    assert Counter(list(D.RandomSampler(range(5), num_samples=10))) == {i: 2 for i in range(5)}
    drawn = list(D.RandomSampler(range(3), replacement=True, num_samples=200))
    assert len(drawn) == 200 and set(drawn) == {0, 1, 2}
    assert sorted(D.SubsetRandomSampler([7, 3, 5])) == [3, 5, 7]
    weighted = list(D.WeightedRandomSampler([0.0, 1.0, 3.0], 4000))
    assert 0 not in weighted and abs(weighted.count(2) / 4000 - 0.75) < 0.05
    assert sorted(D.WeightedRandomSampler([1.0, 1.0, 1.0], 3, replacement=False)) == [0, 1, 2]
    assert list(D.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]] and len(D.BatchSampler(range(5), 2, False)) == 3
    g = fn.Generator().manual_seed(5)
    first = list(D.RandomSampler(range(9), generator=g))
    assert first == list(D.RandomSampler(range(9), generator=fn.Generator().manual_seed(5)))
    for bad in (lambda: D.BatchSampler([1], 0, False), lambda: D.RandomSampler(range(3), num_samples=-1), lambda: D.RandomSampler([]),
                lambda: D.WeightedRandomSampler([1.0], 0), lambda: D.BatchSampler([1], 1, "no")):
        with pytest.raises(ValueError):
            bad()


def test_default_collate():
    Point = namedtuple("Point", "x y")
    tensors = D.default_collate([fn.ones(2), fn.zeros(2)])
    assert tensors.tolist() == [[1, 1], [0, 0]]
    assert D.default_collate([np.float32(1), np.float32(2)]).dtype == fn.float32
    assert D.default_collate([np.ones(2, "int32")] * 3).dtype == fn.int32 and D.default_collate([np.ones(2)] * 3).shape == (3, 2)
    assert D.default_collate([1, 2]).dtype == fn.int64 and D.default_collate([1.0, 2.0]).dtype == fn.float64
    assert D.default_collate([True, False]).dtype == fn.bool_
    assert D.default_collate(["a", "b"]) == ["a", "b"]
    nested = D.default_collate([{"a": (1, [2.0]), "b": "x"}, {"a": (3, [4.0]), "b": "y"}])
    assert nested["a"][0].tolist() == [1, 3] and nested["a"][1][0].tolist() == [2.0, 4.0] and nested["b"] == ["x", "y"]
    point = D.default_collate([Point(1, 2), Point(3, 4)])
    assert isinstance(point, Point) and point.y.tolist() == [2, 4]
    with pytest.raises(RuntimeError, match="equal size"):
        D.default_collate([(1, 2), (1,)])
    with pytest.raises(TypeError, match="found"):
        D.default_collate([object()])
    converted = D.default_convert({"a": np.ones(2), "b": (np.zeros(1), "t")})
    assert converted["a"].tolist() == [1, 1] and converted["b"][0].tolist() == [0] and converted["b"][1] == "t"


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_order(workers):
    for data in (Squares(11), rows(11)):
        batches = list(D.DataLoader(data, batch_size=4, num_workers=workers))
        assert [batch[-1].shape[0] for batch in batches] == [4, 4, 3] and isinstance(batches[0], list)
        assert len(list(D.DataLoader(data, 4, drop_last=True, num_workers=workers))) == 2
    assert [batch[0].tolist() for batch in D.DataLoader(Squares(3), 2, num_workers=workers)] == [[0, 1], [2]]
    assert D.DataLoader(Squares(3), 2, num_workers=workers).collate_fn is D.default_collate


def test_whole_batches_equal_single_samples():
    data = rows(9)
    order = [[3, 1], [8, 0, 0]]
    fast = list(D.DataLoader(data, batch_sampler=order))
    slow = list(D.DataLoader(data, batch_sampler=order, collate_fn=lambda samples: D.default_collate(samples)))
    assert [[t.tolist() for t in batch] for batch in fast] == [[t.tolist() for t in batch] for batch in slow]
    fast[0][0].zero_()
    assert data[3][0].tolist() == [9, 10, 11]              # a batch is a copy


@pytest.mark.parametrize("workers", [0, 2])
def test_shuffle_is_a_permutation_and_follows_its_generator(workers):
    def epochs(seed):
        g = fn.Generator().manual_seed(seed)
        loader = D.DataLoader(rows(20), 3, shuffle=True, generator=g, num_workers=workers)
        return [[i for batch in loader for i in batch[1].tolist()] for _ in range(2)]
    a, b, c = epochs(1), epochs(1), epochs(2)
    assert a == b and a != c and a[0] != a[1] and all(sorted(order) == list(range(20)) for order in a)


def test_lengths_samplers_and_single_samples():
    loader = D.DataLoader(Squares(10), 3)
    assert len(loader) == 4 and len(D.DataLoader(Squares(10), 3, drop_last=True)) == 3
    with pytest.raises(TypeError):
        len(D.DataLoader(Stream(5), 2))
    assert [b[0].tolist() for b in D.DataLoader(Squares(10), 2, sampler=[9, 1, 4])] == [[9, 1], [4]]
    assert list(D.DataLoader(Squares(3), batch_size=None)) == [[0, 0.0], [1, 1.0], [2, 4.0]]
    assert list(D.DataLoader(["a", "b"], batch_size=None)) == ["a", "b"]
    assert [b for b in D.DataLoader([1, 2, 3], 2, collate_fn=sum)] == [3, 3]


def test_getitems_is_used():
    class Many(Squares):
        def __getitems__(self, indices):
            return [(i, -1.0) for i in indices]
    assert next(iter(D.DataLoader(Many(4), 2)))[1].tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_streams(workers):
    batches = [b.tolist() for b in D.DataLoader(Stream(10), 2, num_workers=workers)]
    assert sorted(i for b in batches for i in b) == list(range(10))
    if workers == 0:
        assert batches == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert all(len(b) == 2 for b in (b.tolist() for b in D.DataLoader(Stream(9), 2, drop_last=True, num_workers=workers)))
    assert sorted(D.DataLoader(Stream(4), None, num_workers=workers)) == [0, 1, 2, 3]


def test_workers_know_themselves_and_start_once():
    started, seen = [], set()

    class Who(Squares):
        def __getitem__(self, i):
            info = D.get_worker_info()
            seen.add((info.id, info.num_workers, threading.current_thread().name))
            assert info.dataset is self
            return info.seed

    loader = D.DataLoader(Who(8), 1, num_workers=2, worker_init_fn=started.append, persistent_workers=True)
    seeds = [b.item() for b in loader]
    assert sorted(started) == [0, 1] and {s[:2] for s in seen} == {(0, 2), (1, 2)} and seeds[1] == seeds[0] + 1
    assert len(list(loader)) == 8 and sorted(started) == [0, 1] and len(seen) == 2
    again = D.DataLoader(Squares(4), 1, num_workers=2, worker_init_fn=started.append)
    list(again), list(again)
    assert sorted(started) == [0, 0, 0, 1, 1, 1]


def test_an_error_in_a_worker_is_raised_here():
    class Broken(Squares):
        def __getitem__(self, i):
            if i == 5:
                raise KeyError("sample five")
            return i
    loader = D.DataLoader(Broken(8), 2, num_workers=2)
    got = []
    with pytest.raises(KeyError, match="sample five"):
        for batch in loader:
            got.append(batch.tolist())
    assert got == [[0, 1], [2, 3]]


def test_timeout_and_leaving_early():
    class Slow(Squares):
        def __getitem__(self, i):
            time.sleep(0.4)
            return i
    with pytest.raises(RuntimeError, match="timed out after 0.05"):
        next(iter(D.DataLoader(Slow(2), 1, num_workers=1, timeout=0.05)))
    before = threading.active_count()
    for _ in D.DataLoader(Squares(1000), 1, num_workers=2):
        break
    time.sleep(0.2)
    assert threading.active_count() <= before


@pytest.mark.parametrize("options", [
    {"num_workers": -1}, {"timeout": -1}, {"pin_memory_device": "cuda"}, {"multiprocessing_context": "fork"},
    {"prefetch_factor": 2}, {"persistent_workers": True}, {"worker_init_fn": print}, {"num_workers": 1, "prefetch_factor": 0},
    {"in_order": False}, {"sampler": [0], "shuffle": True}, {"batch_sampler": [[0]], "batch_size": 2},
    {"batch_sampler": [[0]], "drop_last": True},
    {"batch_size": None, "drop_last": True}, {"batch_size": 0}, {"batch_size": 1.5},
])
def test_refused(options):
    with pytest.raises(ValueError):
        D.DataLoader(Squares(3), **options)


def test_refused_for_streams_and_later():
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}, {"batch_size": 0}):
        with pytest.raises(ValueError):
            D.DataLoader(Stream(3), **options)
    loader = D.DataLoader(Squares(3))
    with pytest.raises(ValueError, match="after DataLoader is initialized"):
        loader.batch_size = 5


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", ["batches at once", "samples", "own batch sampler", "single samples", "stream"])
def test_a_pass_from_its_middle(kind, workers):
    """Batch k of a pass is batch k, and only what is asked for is fetched."""
    class Counted(Squares):
        fetched = ()

        def __getitem__(self, i):
            self.fetched += (int(i),)
            return super().__getitem__(i)

    def loader():
        g = fn.Generator().manual_seed(4)
        if kind == "batches at once":
            return D.DataLoader(rows(20), 3, shuffle=True, generator=g, num_workers=workers)
        if kind == "samples":
            return D.DataLoader(Counted(20), 3, sampler=D.WeightedRandomSampler([1.0] * 20, 20, generator=g), num_workers=workers)
        if kind == "own batch sampler":
            return D.DataLoader(Counted(20), batch_sampler=[[3, 4], [5], [0, 1], [2]], num_workers=workers)
        if kind == "single samples":
            return D.DataLoader(Counted(5), None, num_workers=workers)
        return D.DataLoader(Stream(20), 3, num_workers=workers)

    def plain(batch):
        if isinstance(batch, (list, tuple)):
            return [plain(part) for part in batch]
        return batch.tolist() if hasattr(batch, "tolist") else batch
    whole = [plain(batch) for batch in loader()]
    for first in (0, 1, 3, len(whole), len(whole) + 2):
        rest = loader()
        assert [plain(batch) for batch in rest.iterate(first)] == whole[first:]
        if hasattr(rest.dataset, "fetched") and kind != "single samples":
            assert len(rest.dataset.fetched) == sum(len(batch[0]) for batch in whole[first:])


def test_the_order_is_the_same_with_any_number_of_workers():
    def order(workers):
        fn.manual_seed(3)
        return [x.tolist() for _ in range(2) for x in D.DataLoader(Squares(9), 2, shuffle=True, collate_fn=fn.tensor, num_workers=workers)]
    assert order(0)[:5] == order(1)[:5] == order(2)[:5]


def test_pin_memory_warns_and_changes_nothing():
    data = D.TensorDataset(fn.arange(4))
    with pytest.warns(UserWarning, match="pin_memory=True does nothing") as caught:
        loader = D.DataLoader(data, batch_size=2, pin_memory=True)
    assert caught[0].filename == __file__ and [x.tolist() for x, in loader] == [[0, 1], [2, 3]] and fn.ones(1).is_cpu
    assert fn.arange(3).type(fn.FloatTensor).dtype == fn.float32 and fn.ones(2).type(fn.LongTensor).dtype == fn.int64
