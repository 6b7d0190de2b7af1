"""Token rows and token files: windows, determinism, DataLoader, what a file holds byte by byte, and what is refused."""
import struct

import numpy as np
import pytest

import fastnet as fn
from fastnet.text import TokenFile, Tokens, TokenWriter
from fastnet.utils.data import DataLoader, Subset


def write(path, ids, vocab_size=100, **kwargs):
    with TokenWriter(path, vocab_size, **kwargs) as out:
        out.append(ids)
    return path


@pytest.fixture(params=["memory", "file"])
def row(request, tmp_path):
    """0, 1, 2, ... in memory or in a file."""
    def make(n):
        return Tokens(np.arange(n)) if request.param == "memory" else TokenFile(write(tmp_path / "row.tokens", np.arange(n), max(n, 1)))
    return make


# --- windows


def test_random_windows(row):
    tokens = row(50)
    seen = set()
    for step in range(200):
        x, y = tokens.batch(block=7, batch=4, seed=3, step=step)
        assert x.dtype == y.dtype == fn.int64 and tuple(x.shape) == tuple(y.shape) == (4, 7)
        x, y = x.numpy(), y.numpy()
        assert (x == x[:, :1] + np.arange(7)).all() and (y == x + 1).all()
        seen |= set(x[:, 0].tolist())
    assert seen == set(range(50 - 7))                      # each beginning there is, the last one too


def test_windows_depend_on_seed_and_step_alone(row):
    tokens = row(1000)
    runs = [[x.tolist() for x, _ in tokens.batches(4, 3, seed, steps=5)] for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2] and len(runs[0]) == 5
    assert [x.tolist() for x, _ in tokens.batches(4, 3, 0, steps=2, start=3)] == runs[0][3:]
    endless = tokens.batches(4, 3)
    assert [next(endless)[0].tolist() for _ in range(5)] == runs[0]
    assert runs[0][0] == [[11, 12, 13, 14], [240, 241, 242, 243], [110, 111, 112, 113]]     # on every machine


@pytest.mark.parametrize("n, block, batch", [(0, 3, 2), (1, 3, 2), (2, 3, 2), (4, 3, 2), (7, 3, 2), (8, 3, 2), (20, 3, 4), (20, 1, 50),
                                             (20, 19, 1)])
def test_evaluation_windows_cover_each_token_once(row, n, block, batch):
    tokens = row(n)
    got = [(x.numpy(), y.numpy()) for x, y in tokens.sequential(block, batch)]
    assert all((y == x + 1).all() and len(x) <= batch and x.dtype == np.int64 for x, y in got)
    assert np.concatenate([[0]] + [y.ravel() for _, y in got]).tolist() == list(range(max(n, 1)))
    assert all(x.shape[1] == block for x, _ in got[:-1])
    whole = [x.shape for x, _ in tokens.sequential(block, batch, drop_last=True)]
    assert all(shape[1] == block for shape in whole) and sum(shape[0] for shape in whole) == max(n - 1, 0) // block


def test_windows_as_a_dataset(row):
    tokens = row(22)
    data = tokens.windows(5)
    assert len(data) == 4 and data[3][0].tolist() == [15, 16, 17, 18, 19] and data[-1][1].tolist() == [16, 17, 18, 19, 20]
    assert len(tokens.windows(5, stride=2)) == 9 and tokens.windows(5, stride=2)[8][1].tolist() == [17, 18, 19, 20, 21]
    assert [len(row(n).windows(5)) for n in (0, 5, 6, 10, 11)] == [0, 0, 1, 1, 2]
    for workers in (0, 2):
        batches = list(DataLoader(data, batch_size=3, num_workers=workers))
        assert [x.tolist() for x, _ in batches] == [[list(range(i, i + 5)) for i in (0, 5, 10)], [[15, 16, 17, 18, 19]]]
        assert all(((y - x) == 1).all() for x, y in batches)
    shuffled = [x[0, 0].item() for x, _ in DataLoader(Subset(data, [3, 1]), shuffle=True)]
    assert sorted(shuffled) == [5, 15]
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"index {index} is out of range for 4 windows"):
            data[index]


def test_split(row):
    train, held_out = row(20).split(0.25)
    assert len(train) == 15 and len(held_out) == 5 and held_out.ids.tolist() == [15, 16, 17, 18, 19]
    assert np.shares_memory(train.ids, train.split(0.5)[0].ids)
    assert len(row(20).split(0)[1]) == 0
    with pytest.raises(ValueError, match="validation must lie between 0 and 1, got 2"):
        row(20).split(2)


def test_wrong_windows_are_refused(row):
    tokens = row(5)
    assert tokens.batch(4, 1, 0, 0)[1].tolist() == [[1, 2, 3, 4]]
    with pytest.raises(ValueError, match="a window of 5 and the token after it need 6 tokens, there are 5"):
        tokens.batch(5, 1, 0, 0)
    for wrong in (lambda: tokens.batch(0, 1, 0, 0), lambda: tokens.batch(1, 0, 0, 0), lambda: next(tokens.sequential(0)),
                  lambda: tokens.windows(0), lambda: tokens.windows(1, 0), lambda: tokens.batch(1, 1, -1, 0)):
        with pytest.raises(ValueError):
            wrong()
    for ids in ([[1, 2]], [0.5], np.ones(3)):
        with pytest.raises(ValueError, match="Tokens: ids must be ints with one axis"):
            Tokens(ids)
    assert len(Tokens([])) == 0 and Tokens(fn.tensor([1, 2])).ids.tolist() == [1, 2]


# --- files


@pytest.mark.parametrize("vocab_size, dtype", [(1, "<u2"), (65536, "<u2"), (65537, "<u4"), (2**32, "<u4")])
def test_what_a_file_holds(tmp_path, vocab_size, dtype):
    ids = [0, vocab_size - 1, vocab_size // 2]
    path = write(tmp_path / "file", ids, vocab_size)
    data = path.read_bytes()
    size = np.dtype(dtype).itemsize
    assert data[:32] == b"FNTOKENS" + struct.pack("<HHIQQ", 1, size, 0, vocab_size, 3)
    assert data[32:] == np.array(ids, dtype).tobytes()
    tokens = TokenFile(str(path))
    assert isinstance(tokens.ids.base, np.memmap) and tokens.ids.dtype == dtype and tokens.ids.tolist() == ids
    assert tokens.vocab_size == vocab_size and len(tokens) == 3
    assert tokens.batch(1, 1, 0, 0)[1].item() in ids
    with pytest.raises(ValueError, match="read-only"):
        tokens.ids[0] = 1


def test_writing_in_pieces(tmp_path):
    path = tmp_path / "file"
    with TokenWriter(path, 100, mode="x") as out:
        for piece in ([1, 2], [], np.array([3], dtype=np.uint8), fn.tensor([4, 5]), range(6, 8)):
            out.append(piece)
    with TokenWriter(path, 100, mode="a") as out:
        out.append([8])
        assert out.count == 8
    assert TokenFile(path).ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    with pytest.raises(ValueError, match="is closed"):
        out.append([1])
    out.close()
    with pytest.raises(FileExistsError):
        TokenWriter(path, 100, mode="x")
    with pytest.raises(ValueError, match="holds ids of a vocabulary of 100, not 99"):
        TokenWriter(path, 99, mode="a")
    assert len(TokenFile(path)) == 8
    before = TokenFile(path)
    assert len(TokenFile(write(path, [], 5))) == 0                      # "w" begins anew
    assert before.ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]              # and leaves who reads the old one alone
    assert TokenFile(write(tmp_path / "new", [1], mode="a")).ids.tolist() == [1]


@pytest.mark.parametrize("ids, message", [
    ([1, 2, 100], "id 100 at position 2 is outside the vocabulary of 100"),
    ([-1], "id -1 at position 0"),
    ([70000], "id 70000 at position 0"),
    ([0.5], r"must be ints with one axis, got shape \(1,\) of float64"),
    ([[1]], r"got shape \(1, 1\)"),
    ([True], "of bool"),
])
def test_wrong_ids_are_not_written(tmp_path, ids, message):
    with TokenWriter(tmp_path / "file", 100) as out:
        out.append([5])
        with pytest.raises(ValueError, match=message):
            out.append(ids)
    assert TokenFile(tmp_path / "file").ids.tolist() == [5]


def test_an_interrupted_file_is_refused(tmp_path):
    path = write(tmp_path / "file", [1, 2])
    with pytest.raises(KeyboardInterrupt):
        with TokenWriter(path, 100, mode="a") as out:
            out.append([3])
            raise KeyboardInterrupt
    for again in (lambda: TokenFile(path), lambda: TokenWriter(path, 100, mode="a")):
        with pytest.raises(ValueError, match="file is not complete: its writer was not closed"):
            again()


@pytest.mark.parametrize("change, message", [
    (lambda b: b[:10], "is no token file: it begins with b'FNTOKENS'"),
    (lambda b: b"PK" + b[2:], "is no token file"),
    (lambda b: b[:-1], "has 35 bytes, but 2 ids take 36"),
    (lambda b: b + b"..", "has 38 bytes, but 2 ids take 36"),
    (lambda b: b[:8] + b"\2" + b[9:], "has format 2"),
    (lambda b: b[:10] + b"\3" + b[11:], "is damaged: 3 bytes an id"),
])
def test_damaged_files_are_refused_by_name(tmp_path, change, message):
    path = write(tmp_path / "file", [1, 2])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as caught:
        TokenFile(path)
    assert str(path) in str(caught.value)


def test_a_wrong_writer_is_refused(tmp_path):
    for kwargs in ({"vocab_size": 0}, {"vocab_size": 2**32 + 1}, {"vocab_size": 5, "mode": "r"}):
        with pytest.raises(ValueError, match="TokenWriter: (vocab_size|mode) must"):
            TokenWriter(tmp_path / "file", **kwargs)
    assert not (tmp_path / "file").exists()


def test_a_large_file_is_not_read(tmp_path):
    """A sparse file of 8 GB: windows come from everywhere in it at once."""
    path = write(tmp_path / "file", [7], 50000)
    n = 4 * 10**9
    with open(path, "r+b") as file:
        file.seek(24)
        file.write(struct.pack("<Q", n))
        try:
            file.truncate(32 + 2 * n)
        except OSError:
            pytest.skip("this file system has no sparse files")
    tokens = TokenFile(path)
    assert len(tokens) == n and len(tokens.windows(1024)) == (n - 1) // 1024
    x, y = tokens.batch(block=64, batch=8, seed=0, step=0)
    assert tuple(x.shape) == (8, 64) and not y.numpy().any()
    assert tokens.ids[0] == 7 and len(tokens.split(0.5)[1]) == n // 2
