"""Tokenizers: what comes back, what is learned, what is saved, what is refused; byte-pair encoding against a plain definition of it."""
import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastnet as fn
from fastnet.text import BPETokenizer, CharTokenizer, HuggingFaceTokenizer, Tokenizer, WordTokenizer, load_tokenizer
from fastnet.text.pretokenize import pieces

STORY = "the cat sat on the mat; the other cat's hat is on the mat. Those hats, these cats! " * 3 + "ünïcödé 中文字 1234\n\n  x"
SPECIAL = ["<pad>", "<bos>", "<eos>"]


@pytest.fixture(scope="module")
def bpe():
    return BPETokenizer.train(STORY, vocab_size=280, special_tokens=SPECIAL)


def naive_merges(counts, n, min_count=2):
    """The definition: count all pairs anew, join the most frequent one (of equal ones the smallest) everywhere, n times."""
    words = [(list(word), count) for word, count in counts.items()]
    merges = []
    while len(merges) < n:
        pairs = Counter()
        for word, count in words:
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        if not pairs or max(pairs.values()) < min_count:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        words = [(naive_join(word, best, 256 + len(merges)), count) for word, count in words]
        merges.append(best)
    return merges


def naive_join(word, pair, new):
    out = []
    for x in word:
        out.append(x)
        if tuple(out[-2:]) == pair:
            out[-2:] = [new]
    return out


def naive_encode(data, merges):
    word = list(data)
    for i, pair in enumerate(merges):
        word = naive_join(word, pair, 256 + i)
    return word


# --- all of them


def each():
    return [CharTokenizer.train(STORY, SPECIAL), WordTokenizer.train(STORY, special_tokens=["<unk>", *SPECIAL]),
            BPETokenizer.train(STORY, 300, SPECIAL)]


@pytest.mark.parametrize("tokenizer", each(), ids=lambda t: t.kind)
def test_the_common_interface(tokenizer, tmp_path):
    ids = tokenizer.encode(STORY)
    assert isinstance(tokenizer, Tokenizer) and all(type(i) is int and 0 <= i < tokenizer.vocab_size == len(tokenizer) for i in ids)
    assert tokenizer.decode(ids) == (STORY if tokenizer.kind != "word" else tokenizer.decode(tokenizer.encode(tokenizer.decode(ids))))
    assert tokenizer.decode(np.array(ids)) == tokenizer.decode(fn.tensor(ids)) == tokenizer.decode(tuple(ids)) == tokenizer.decode(ids)
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == ""
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    assert list(tmp_path.iterdir()) == [path]
    for again in (type(tokenizer).load(path), Tokenizer.load(str(path)), load_tokenizer(path), Tokenizer.from_dict(tokenizer.to_dict())):
        assert type(again) is type(tokenizer) and again == tokenizer
        assert again.encode(STORY) == ids and again.special_tokens == tokenizer.special_tokens and repr(again) == repr(tokenizer)
    fn.save(tokenizer.to_dict(), tmp_path / "checkpoint.fnet")      # beside a model's weights
    assert Tokenizer.from_dict(fn.load(tmp_path / "checkpoint.fnet")) == tokenizer


@pytest.mark.parametrize("tokenizer", each(), ids=lambda t: t.kind)
def test_special_tokens(tokenizer):
    bos, eos = tokenizer.special_tokens["<bos>"], tokenizer.special_tokens["<eos>"]
    middle = tokenizer.encode("the cat")
    assert tokenizer.encode("<bos>the cat<eos><eos>") == [bos, *middle, eos, eos]
    assert tokenizer.encode("<bos>") == [bos]
    assert tokenizer.decode([bos, *middle, eos], skip_special_tokens=True) == "the cat"
    assert "<bos>" in tokenizer.decode([bos, *middle])
    if tokenizer.kind == "bpe":                            # has all characters of the names
        plain = tokenizer.encode("<bos>", parse_special=False)
        assert bos not in plain and tokenizer.decode(plain) == "<bos>"


def test_the_longer_special_token_wins():
    tokenizer = CharTokenizer("ab>", special_tokens=["<x", "<x>"])
    assert tokenizer.encode("<x>a<xb>") == [1, 2, 0, 3, 4]


@pytest.mark.parametrize("tokenizer", each(), ids=lambda t: t.kind)
@pytest.mark.parametrize("ids, error, message", [
    ([0, 10**6], ValueError, "id 1000000 at position 1 is outside the vocabulary of"),
    ([-1], ValueError, "id -1 at position 0"),
    ([0.5], TypeError, "flat sequence of ints, got 0.5 at position 0"),
    ([[0, 1]], TypeError, "flat sequence of ints"),
    ([True], TypeError, "flat sequence of ints"),
])
def test_wrong_ids_are_refused(tokenizer, ids, error, message):
    with pytest.raises(error, match=message):
        tokenizer.decode(ids)


@pytest.mark.parametrize("make", [lambda s: CharTokenizer("a", s), lambda s: WordTokenizer("a", ["<unk>", *s]),
                                  lambda s: BPETokenizer([], s)])
def test_wrong_special_tokens_are_refused(make):
    with pytest.raises(ValueError, match="'<x>' is given twice"):
        make(["<x>", "<x>"])
    with pytest.raises(ValueError, match="must be text that is not empty, got ''"):
        make([""])


@pytest.mark.parametrize("kind", [CharTokenizer, WordTokenizer, BPETokenizer])
def test_only_text_is_trained_on_and_encoded(kind):
    with pytest.raises(TypeError, match="iterable of str, got an item of type bytes"):
        kind.train([b"abc"])
    with pytest.raises(TypeError, match="text must be str, got bytes"):
        kind.train("abc abc").encode(b"abc")
    assert kind.train(["ab", "cab"]).encode("ab") == kind.train(iter(["ab", "cab"])).encode("ab")


@pytest.mark.parametrize("content, message", [
    ("no json", "this is no JSON file"),
    ("[]", "this is no tokenizer of fastnet"),
    ('{"fastnet_tokenizer": 1, "kind": "other"}', "this is no tokenizer of fastnet"),
    ('{"fastnet_tokenizer": 2, "kind": "char"}', "format 2 is not known"),
    ('{"fastnet_tokenizer": 1, "kind": "char"}', "the description is damaged"),
    ('{"fastnet_tokenizer": 1, "kind": "bpe", "special_tokens": [], "alphabet": "00", "merges": []}', "each of the 256 bytes once"),
])
def test_other_files_are_refused_by_name(tmp_path, content, message):
    path = tmp_path / "some-file.json"
    path.write_text(content)
    for load in (load_tokenizer, Tokenizer.load):
        with pytest.raises(ValueError, match=message) as caught:
            load(path)
        assert "some-file.json" in str(caught.value)
    CharTokenizer("a").save(path)
    with pytest.raises(ValueError, match="this is a CharTokenizer"):
        BPETokenizer.load(path)
    with pytest.raises(FileNotFoundError):
        load_tokenizer(tmp_path / "absent")


# --- characters and words


def test_characters():
    tokenizer = CharTokenizer.train(["bca", "a\U0001f600"], ["<pad>", "<unk>"], unk_token="<unk>")
    assert tokenizer.encode("abc\U0001f600") == [2, 3, 4, 5] and tokenizer.encode("z<pad>") == [1, 0]
    assert CharTokenizer("ba").encode("ab") == [1, 0]
    with pytest.raises(ValueError, match=re.escape("character 'z' (U+007A) at position 1 is not in the vocabulary")):
        CharTokenizer("ab").encode("azb")
    for wrong, message in ((("aba",), "'a' is given twice"), ((["ab"],), "single characters, got 'ab'"),
                           (("a", ["a"]), "'a' is a character and a special token"), (("a", [], "<unk>"), "is none of the special tokens")):
        with pytest.raises(ValueError, match=message):
            CharTokenizer(*wrong)


def test_words():
    tokenizer = WordTokenizer.train("b b b, a a c. c well-known don't", vocab_size=5)
    assert [tokenizer.decode([i]) for i in range(5)] == ["<unk>", "b", "a", "c", ","]
    assert tokenizer.encode("a B c?") == [2, 0, 3, 0]
    assert WordTokenizer.train("b b a", min_count=2).vocab_size == 2
    everything = WordTokenizer.train("He said (twice): “well-known, isn't it?”")
    assert everything.decode(everything.encode("He  said (twice): “well-known,\nisn't it?”")) == "He said (twice): “well-known, isn't it?”"
    assert WordTokenizer(["a"], ["<eos>"], unk_token=None).encode("a a<eos>") == [1, 1, 0]
    with pytest.raises(ValueError, match="'b' is not in the vocabulary"):
        WordTokenizer(["a"], [], unk_token=None).encode("a b")
    with pytest.raises(ValueError, match="vocab_size 0 has no room for 1 special"):
        WordTokenizer.train("a", vocab_size=0)
    with pytest.raises(ValueError, match="'a' is given twice"):
        WordTokenizer(["a", "a"])
    with pytest.raises(ValueError, match="'<unk>' is given twice"):
        WordTokenizer(["<unk>"])


# --- byte pairs


def test_the_pieces_are_gpt2s():
    cut = pieces()
    assert cut("I'll don't  go\n\n to 12²Ⅷ_a!!?") == ["I", "'ll", " don", "'t", " ", " go", "\n\n", " to", " 12²Ⅷ", "_", "a", "!!?"]
    assert cut("a \x1c b\u3000\u00a0c ") == ["a", " \x1c", " b", "\u3000", "\u00a0", "c", " "]
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert "".join(cut(everything)) == everything
    for c in map(chr, range(sys.maxunicode + 1)):          # one class for each character, that of its category
        category = unicodedata.category(c)
        if category[0] in "LN" or c == "_":
            alone = "L" if category[0] == "L" else "N" if category[0] == "N" else "mark"
            beside = {"L": "a" + c, "N": "1" + c, "mark": "!" + c}[alone]
            assert cut(beside) == [beside], (hex(ord(c)), category)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=9).map(str.encode), st.integers(1, 5), max_size=8), st.integers(0, 12))
def test_merges_are_those_of_the_definition(counts, n):
    from fastnet.text.bpe_train import learn
    assert learn(counts, n, 2) == naive_merges(counts, n)


@settings(max_examples=60, deadline=None)
@given(st.text("aab", max_size=40))
def test_encoding_is_that_of_the_definition(word):
    merges = naive_merges({b"aaaabaab": 3, b"abab": 4, b"baa": 2, b"aaaa": 5}, 8)
    assert BPETokenizer(merges).encode(word) == naive_encode(word.encode(), merges)


def test_a_whole_text_is_that_of_the_definition(bpe):
    counts = Counter(piece.encode() for piece in pieces()(STORY))
    assert bpe.merges == naive_merges(counts, 280 - 256 - 3) and bpe.vocab_size == 280
    assert bpe.encode(STORY) == [i for piece in pieces()(STORY) for i in naive_encode(piece.encode(), bpe.merges)]
    assert bpe.encode(STORY) == bpe.encode(STORY)          # from the cache


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.binary(max_size=30))
def test_nothing_is_lost(text, data):
    tokenizer = BPETokenizer(naive_merges({b"the cat": 3, "äöü中文".encode(): 2}, 9), ["<eos>"])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data
    assert tokenizer.decode(tokenizer.encode_bytes(data)) == data.decode("utf-8", "replace")


def test_a_long_word_and_a_full_cache(bpe, monkeypatch):
    monkeypatch.setattr("fastnet.text.bpe.CACHE", 3)
    word = "thecat" * 20000                                # minutes, if merging were quadratic
    assert bpe.decode(bpe.encode(word)) == word
    assert bpe.decode(bpe.encode(STORY)) == STORY and len(bpe._cache) <= 3


def test_training_stops_where_it_should():
    assert BPETokenizer.train("", 1000).vocab_size == 256
    assert BPETokenizer.train("abcd abcd", 1000).vocab_size == 256 + 3           # what occurs once is no pair
    assert BPETokenizer.train("ab", 1000, min_count=1).merges == [(97, 98)]
    assert BPETokenizer.train("ab<eos>ab<eos>", 1000, ["<eos>"]).merges == [(97, 98)]
    for wrong, message in (({"vocab_size": 256, "special_tokens": ["<eos>"]}, "vocab_size 256 has no room"),
                           ({"min_count": 0}, "min_count must be at least 1")):
        with pytest.raises(ValueError, match=message):
            BPETokenizer.train("ab", **wrong)


@pytest.mark.parametrize("merges, message", [
    ([(97, 256)], "merge 0 joins 97 and 256, but only 256 ids exist"),
    ([(-1, 5)], "merge 0 joins -1 and 5"),
    ([(97, 98), (97, 98)], "given twice"),
])
def test_wrong_merges_are_refused(merges, message):
    with pytest.raises(ValueError, match=message):
        BPETokenizer(merges)


# --- files of others


def gpt2_files(folder):
    """vocab.json and merges.txt, from the format's description: bytes as printable characters, merges, the special token last."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in printable}
    letters.update({b: chr(256 + i) for i, b in enumerate(sorted(set(range(256)) - set(printable)))})
    names = sorted(letters.values())
    merges = [("\u0120", "t"), ("h", "e"), ("\u0120t", "he")]
    vocab = {name: i for i, name in enumerate([*names, *map("".join, merges), "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    return folder / "vocab.json", folder / "merges.txt", vocab


def test_the_files_of_gpt2(tmp_path):
    vocab_file, merges_file, vocab = gpt2_files(tmp_path)
    tokenizer = BPETokenizer.from_gpt2(vocab_file, merges_file)
    assert tokenizer.special_tokens == {"<|endoftext|>": 259} and tokenizer.vocab_size == 260
    want = [vocab["a"], vocab["\u0120the"], vocab["\u0120t"], vocab["he"], vocab["\u010a"], 259]
    got = tokenizer.encode("a the") + tokenizer.encode(" t") + tokenizer.encode("he\n<|endoftext|>")
    assert got == want and tokenizer.decode(got) == "a the the\n<|endoftext|>"
    assert Tokenizer.from_dict(tokenizer.to_dict()).encode("a the") == want[:2]
    merges_file.write_text("#version: 0.2\nh e\n\u0120 t\n", encoding="utf-8")
    with pytest.raises(ValueError, match="merge 0 of .*merges.txt does not make id 256; read tokenizer.json with HuggingFaceTokenizer"):
        BPETokenizer.from_gpt2(vocab_file, merges_file)
    vocab_file.write_text(json.dumps({name: i + 1 for name, i in vocab.items()}))
    with pytest.raises(ValueError, match="are not 256 bytes, merges, special tokens"):
        BPETokenizer.from_gpt2(vocab_file, merges_file)


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    path = tmp_path / "tokenizer.json"
    path.write_text('{"version": "1.0", "model": {"type": "BPE"}}')
    for load in (HuggingFaceTokenizer, load_tokenizer):
        with pytest.raises(ImportError, match="pip install tokenizers"):
            load(path)


def test_tokenizer_json_of_hugging_face(tmp_path, bpe):
    """The same merges in their library and in ours encode alike."""
    library = pytest.importorskip("tokenizers")
    vocab_file, merges_file, vocab = gpt2_files(tmp_path)
    names = [None] * 256
    for name, i in vocab.items():
        if i < 256:
            names[i] = name
    ours = BPETokenizer.from_gpt2(vocab_file, merges_file)
    letters = {b: names[i] for i, b in enumerate(ours.alphabet)}
    tokens = [b"%c" % b for b in range(256)]
    for a, b in bpe.merges:
        tokens.append(tokens[a] + tokens[b])
    spelled = ["".join(letters[b] for b in token) for token in tokens]
    model = library.models.BPE({name: i for i, name in enumerate(spelled)}, [(spelled[a], spelled[b]) for a, b in bpe.merges])
    theirs = library.Tokenizer(model)
    theirs.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = library.decoders.ByteLevel()
    theirs.add_special_tokens(SPECIAL)
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    read = load_tokenizer(path)
    assert isinstance(read, HuggingFaceTokenizer) and read.vocab_size == bpe.vocab_size and read.special_tokens == bpe.special_tokens
    text = STORY + "<bos>it's  \n\n\t A²Ⅷ_x ½ é\u0301 \u00a0\u2003 end  "
    assert read.encode(text) == bpe.encode(text)
    assert read.decode(read.encode(text)) == text and read.decode(read.encode("<bos>a"), skip_special_tokens=True) == "a"
    read.save(tmp_path / "again.json")
    assert load_tokenizer(tmp_path / "again.json").encode(text) == read.encode(text)
    with pytest.raises(ValueError, match="parse_special=False is not supported"):
        read.encode("a", parse_special=False)
    path.write_text('{"version": "1.0", "model": {}}')
    with pytest.raises(ValueError, match="tokenizer.json cannot be read"):
        HuggingFaceTokenizer(path)


def test_the_package_is_imported_when_it_is_first_used(tmp_path):
    code = ("import sys, fastnet; assert not any(name.startswith(('fastnet.text', 'fastnet.metrics')) for name in sys.modules); "
            "fastnet.text.CharTokenizer('a'); fastnet.metrics.bleu; assert 'tokenizers' not in sys.modules; fastnet.texts")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)     # not the sources
    assert "AttributeError: module 'fastnet' has no attribute 'texts'" in done.stderr
