"""Sentence pairs: files, splits, ids, batches by length within a budget, padding."""
import itertools

import numpy as np
import pytest

import fastnet as fn
from fastnet.text import CharTokenizer, LengthBatchSampler, PadCollate, PairDataset, read_pairs, train_validation_split, write_pairs
from fastnet.utils.data import DataLoader

# --- files


def test_files_of_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes("\ufeffa b\tc d \r\n\n  \nälter\t中文\nlast\tone".encode())
    assert read_pairs(path) == [("a b", "c d"), ("älter", "中文"), ("last", "one")]
    write_pairs(path, read_pairs(path))
    assert path.read_bytes().decode() == "a b\tc d\nälter\t中文\nlast\tone\n"
    assert read_pairs(str(path)) == [("a b", "c d"), ("älter", "中文"), ("last", "one")]
    path.write_text("1\tGo.\tVa !\tCC-BY\n2\tHi.\tSalut.\n")
    assert read_pairs(path, columns=(2, 1)) == [("Va !", "Go."), ("Salut.", "Hi.")]


@pytest.mark.parametrize("content, columns, message", [
    (b"a\tb\n\nc d\n", None, "pairs.tsv, line 3: expected two columns with a tab between, got 1: 'c d'$"),
    (b"a\tb\nc\td\te\n", None, r"pairs.tsv, line 2: expected two columns .* got 3: .*; columns=\(0, 1\) reads the first two"),
    (b"a\tb\tc\nd\te\n", (0, 2), "pairs.tsv, line 2: expected at least 3 columns, got 2"),
    (b"a\tb\n\tc\n", None, "pairs.tsv, line 2: the source is empty"),
    (b"a\tb\nc\t \n", None, "pairs.tsv, line 2: the target is empty"),
    (b"a\tb\nc\t\xff\n", None, "pairs.tsv, line 2: not UTF-8: byte 0xff at column 3"),
    (b"\n\n", None, "pairs.tsv: there is no sentence pair in it"),
    (b"a\tb\n", (-1, 0), "columns are counted from 0"),
])
def test_wrong_lines_are_named(tmp_path, content, columns, message):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_pairs(path, columns)


@pytest.mark.parametrize("pair", [("a\tb", "c"), ("a", "b\n"), ("", "a"), ("a", " ")])
def test_what_a_line_cannot_hold_is_not_written(tmp_path, pair):
    with pytest.raises(ValueError, match="pair 1 has a sentence that is empty or has a tab or a line break"):
        write_pairs(tmp_path / "pairs.tsv", [("x", "y"), pair])
    assert not (tmp_path / "pairs.tsv").exists()


def test_splits():
    items = list(range(1000))
    train, held_out = train_validation_split(items, 0.1, seed=5)
    assert len(held_out) == 100 and sorted(train + held_out) == items and train == sorted(train) and held_out == sorted(held_out)
    assert (train, held_out) == train_validation_split(items, 100, seed=5) != train_validation_split(items, 100, seed=6)
    assert 30 < np.mean(held_out) / 10 < 70
    assert held_out[:5] == [9, 12, 21, 27, 31]              # on every machine
    assert train_validation_split([], 0.5) == ([], []) and train_validation_split("ab", 0) == (["a", "b"], [])
    for wrong in (1.5, -0.1, 1001, -1):
        with pytest.raises(ValueError, match="validation must be a share"):
            train_validation_split(items, wrong)


# --- batches


def check(batches, lengths, max_tokens, max_size=None):
    lengths = np.asarray(lengths).reshape(len(lengths), -1)
    assert sorted(itertools.chain(*batches)) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * lengths[batch].max(0).sum() <= max_tokens and (max_size is None or len(batch) <= max_size)


@pytest.mark.parametrize("shape", [(300,), (300, 1), (300, 2), (300, 3)])
@pytest.mark.parametrize("max_size", [None, 4])
@pytest.mark.parametrize("shuffle", [True, False])
def test_each_sample_once_within_the_budget(shape, max_size, shuffle):
    lengths = np.random.default_rng(0).integers(0, 30, shape)
    sampler = LengthBatchSampler(lengths, 100, max_size, shuffle, seed=3)
    passes = [list(sampler) for _ in range(3)]
    for batches in passes:
        check(batches, lengths, 100, max_size)
        assert len(batches) == len(sampler)
    assert (passes[0] == passes[1]) == (not shuffle)
    sampler.set_epoch(1)
    assert list(sampler) == passes[1] and list(sampler) == passes[2]
    again = LengthBatchSampler(lengths.tolist(), 100, max_size, shuffle, seed=3)
    assert list(again) == passes[0]
    if shuffle:
        assert list(LengthBatchSampler(lengths, 100, max_size, seed=4)) != passes[0]


def test_little_is_padding():
    lengths = np.random.default_rng(0).integers(1, 100, 2000)
    used = sum(len(batch) * lengths[batch].max() for batch in LengthBatchSampler(lengths, 1000))
    assert lengths.sum() > 0.95 * used
    sizes = [len(batch) for batch in LengthBatchSampler([10] * 100, 100)]
    assert sizes == [10] * 10                              # the budget is used up


def test_odd_samplers():
    assert list(LengthBatchSampler([], 5)) == [] and len(LengthBatchSampler([], 5)) == 0
    assert list(LengthBatchSampler([5], 5)) == [[0]]
    # a new batch forgets the lengths of the one before
    assert list(LengthBatchSampler([[9, 1], [1, 9], [9, 1]], 20, shuffle=False)) == [[1], [0, 2]]
    assert sorted(map(len, LengthBatchSampler([0, 0, 0, 5], 5))) == [1, 3]
    for args, message in (((([3, 9]), 8), "sample 1 alone has 9 tokens, more than max_tokens=8"), (([[4, 5]], 8), "sample 0 alone has 9"),
                          (([1], 0), "at least 1"), (([1], 5, 0), "at least 1"), (([0.5], 5), "must be ints"),
                          ((np.ones((3, 0), int), 5), "must be ints of shape"), (([[[1]]], 5), r"\(N,\) or \(N, k\)")):
        with pytest.raises(ValueError, match=message):
            LengthBatchSampler(*args)
    with pytest.raises(ValueError, match="epoch must not be negative"):
        LengthBatchSampler([1], 5).set_epoch(-1)


def test_padding():
    x = PadCollate(-1)([[1, 2, 3], np.array([4]), fn.tensor([5, 6]), []])
    assert x.dtype == fn.int64 and x.tolist() == [[1, 2, 3], [4, -1, -1], [5, 6, -1], [-1, -1, -1]]
    assert tuple(PadCollate()([[], []]).shape) == (2, 0)
    for batch, message in (([], "the batch is empty"), ([([1], [2]), ([1],)], "a tuple of 2 sequences"), ([([1],), [1]], "a tuple of 1"),
                           ([[0.5]], "must be ints"), ([[[1]]], "must be ints with one axis")):
        with pytest.raises(ValueError, match=message):
            PadCollate()(batch)


@pytest.mark.parametrize("workers", [0, 2])
def test_pairs_through_a_loader(workers):
    tokenizer = CharTokenizer("abc", ["<pad>", "<bos>", "<eos>"])
    pairs = [("a" * i, "bc" * (i % 4)) for i in range(20)]
    data = PairDataset(pairs, tokenizer)
    assert len(data) == 20 and data.lengths.tolist() == [[i + 1, 2 * (i % 4) + 2] for i in range(20)]
    sampler = LengthBatchSampler(data.lengths, max_tokens=80)
    seen = []
    for source, target in DataLoader(data, batch_sampler=sampler, collate_fn=PadCollate(), num_workers=workers):
        assert source.numel() + target.numel() <= 80 and source.shape[0] == target.shape[0]
        for s, t in zip(source.tolist(), target.tolist()):
            s, t = (tokenizer.decode([i for i in ids if i]) for ids in (s, t))
            assert s.endswith("<eos>") and t.startswith("<bos>") and t.endswith("<eos>")
            seen.append((s[:-5], t[5:-5]))
    assert sorted(seen) == sorted(pairs)


def test_sentences_are_not_searched_for_special_tokens():
    tokenizer = CharTokenizer("<eos>", ["<bos>", "<eos>"])
    other = CharTokenizer("xy", ["<bos>", "<eos>"])
    assert [ids.tolist() for ids in PairDataset([("<eos>", "x")], tokenizer, other)[0]] == [[2, 3, 4, 5, 6, 1], [0, 2, 1]]
    assert PairDataset([], tokenizer).lengths.shape == (0, 2)
    with pytest.raises(ValueError, match="the target tokenizer has no special token '<bos>', only \\['<eos>'\\]"):
        PairDataset([], tokenizer, CharTokenizer("a", ["<eos>"]))
    with pytest.raises(ValueError, match="the source tokenizer has no special token '</s>'"):
        PairDataset([], tokenizer, eos="</s>")
