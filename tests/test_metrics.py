"""Metrics: BLEU against published values, hand counts and sacrebleu; perplexity against its formula; feeding, merging, what is refused."""
import math
import random

import numpy as np
import pytest

import fastnet as fn
from fastnet.metrics import BLEU, Metric, Perplexity, bleu, perplexity
from fastnet.metrics.bleu_words import words_13a

# The example of sacrebleu's documentation
SAID = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
WANTED = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected.", "No one was surprised."],
          ["The man bit him first.", "The man had bitten the dog."]]


# --- BLEU


def test_published_values():
    assert round(bleu(SAID, WANTED), 2) == 48.53           # as documented there
    assert bleu(["a b c d e"], ["a b c d e"]) == pytest.approx(100)
    # Papineni et al. 2002, example 2: "the" counts twice, as in the reference that has it most often
    metric = BLEU()
    metric.update(["the the the the the the the"], [["the cat is on the mat", "there is a cat on the mat"]])
    assert metric.parts().precisions[0] == pytest.approx(100 * 2 / 7)
    # example 1, first candidate: 17 of 18 words, 10 of 17 pairs
    metric.reset()
    metric.update(["It is a guide to action which ensures that the military always obeys the commands of the party"],
                  [["It is a guide to action that ensures that the military will forever heed Party commands",
                    "It is the guiding principle which guarantees the military forces always being under the command of the Party",
                    "It is the practical guide for the army always to heed the directions of the party"]])
    assert metric.matches[:2].tolist() == [17, 10] and metric.totals[:2].tolist() == [18, 17]


def test_by_hand():
    metric = BLEU()
    metric.update(["the cat sat on the mat"], ["the cat is on the mat today"])
    parts = metric.parts()
    assert parts.precisions == pytest.approx((100 * 5 / 6, 100 * 3 / 5, 100 * 1 / 4, 100 / (2 * 3)))       # the last one smoothed
    assert parts.brevity_penalty == pytest.approx(math.exp(1 - 7 / 6)) and (parts.hypothesis_length, parts.reference_length) == (6, 7)
    assert parts.score == pytest.approx(parts.brevity_penalty * math.prod(parts.precisions) ** 0.25) == metric.compute()
    assert bleu(["the cat sat on the mat"], ["the cat is on the mat today"], smoothing="none") == 0
    for said, closest in (("a b c", 2), ("a b c d", 5), ("a", 2)):                # 2 and 5: of equally close ones, the shorter
        metric = BLEU()
        metric.update([said], [["x y z u v", "x y"]])
        assert metric.reference_length == closest


@pytest.mark.parametrize("text, words", [
    ("Hello, world!", "Hello , world !"), ("3.5 and 1,000.", "3.5 and 1,000 ."), ("x.5 5.x .5", "x . 5 5 . x . 5"),
    ("1-2 a-b -3", "1 - 2 a-b -3"), ("it's \"so\" (he)", "it's \" so \" ( he )"), ("&lt;b&gt; &quot;", "< b > \""),
    ("a-\nb\nc<skipped>", "ab c"), ("ä.ö 中。", "ä . ö 中。"),
    ("[a]{b}~`^_\\/@#$%*+=|;:?", "[ a ] { b } ~ ` ^ _ \\ / @ # $ % * + = | ; : ?"), ("", ""),
])
def test_words_of_13a(text, words):
    assert words_13a(text) == words.split()


def test_options():
    assert bleu(["THE CAT SAT DOWN"], ["the cat sat down"]) == 0
    assert bleu(["THE CAT SAT DOWN"], ["the cat sat down"], lowercase=True) == pytest.approx(100)
    assert bleu(["我 喜欢猫"], ["我喜欢猫"], tokenize="char") == pytest.approx(100) and bleu(["我 喜欢猫"], ["我喜欢猫"]) == 0
    assert bleu(["a b c d."], ["a b c d ."], tokenize="none") < 99 < bleu(["a b c d."], ["a b c d ."])


def test_degenerate_corpora():
    assert BLEU().compute() == bleu([], []) == bleu([""], ["a"]) == bleu(["a"], ["b"]) == bleu(["a b c"], ["a b c"]) == 0
    assert bleu(["", "a b c d e"], ["", "a b c d e"]) == pytest.approx(100)


def test_sacrebleu_agrees():
    theirs = pytest.importorskip("sacrebleu")
    cut = theirs.metrics.bleu._get_tokenizer("13a")()
    rng = random.Random(0)
    marks = [*map(chr, range(32, 127)), *"éß中 .,-0123456789\n", "&quot;", "&amp;", "&amp;lt;", "<skipped>", "-\n"]
    for _ in range(2000):
        text = "".join(rng.choices(marks, k=rng.randrange(12)))
        assert " ".join(words_13a(text)) == cut(text)
    words = "the cat sat on a mat . , dog 3.5 it's".split()
    for _ in range(300):
        n, k = rng.randrange(1, 6), rng.randrange(1, 4)
        said = [" ".join(rng.choices(words[:rng.randrange(1, 10)], k=rng.randrange(14))) for _ in range(n)]
        wanted = [[" ".join(rng.choices(words, k=rng.randrange(1, 14))) for _ in range(k)] for _ in range(n)]
        for smoothing in ("exp", "none"):
            want = theirs.corpus_bleu(said, [list(r) for r in zip(*wanted)], smooth_method=smoothing)
            metric = BLEU(smoothing=smoothing)
            metric.update(said, wanted)
            got = metric.parts()
            assert got.score == pytest.approx(want.score) and got.precisions == pytest.approx(want.precisions)
            assert got[2:] == (pytest.approx(want.bp), want.sys_len, want.ref_len)


@pytest.mark.parametrize("call, error, message", [
    (lambda: bleu("a", ["a"]), TypeError, "must be lists of sentences"),
    (lambda: bleu(["a"], "a"), TypeError, "must be lists of sentences"),
    (lambda: bleu([1], ["a"]), TypeError, "sentences must be str, got int"),
    (lambda: bleu(["a"], [[b"a"]]), TypeError, "sentences must be str, got bytes"),
    (lambda: bleu(["a", "b"], ["a"]), ValueError, "2 hypotheses, but references for 1"),
    (lambda: bleu(["a"], [[]]), ValueError, "a hypothesis has no reference"),
    (lambda: BLEU(tokenize="intl"), ValueError, "tokenize must be one of 13a, char, none, got 'intl'"),
    (lambda: BLEU(smoothing="floor"), ValueError, "smoothing must be one of exp, none, got 'floor'"),
])
def test_wrong_sentences_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- feeding and merging


def test_pieces_and_parts_give_the_value_of_the_whole():
    whole, first, second = BLEU(), BLEU(), BLEU()
    whole.update(SAID, WANTED)
    for said, wanted in zip(SAID, WANTED):
        first.update([said], [wanted])
    assert first.parts() == whole.parts()
    first.reset()
    assert first.compute() == 0
    first.update(SAID[:1], WANTED[:1])
    second.update(SAID[1:], WANTED[1:])
    before = second.parts()
    assert first.merge(second) is first and first.parts() == whole.parts() and second.parts() == before
    first.update(SAID, WANTED)
    assert second.parts() == before                        # nothing is shared
    assert BLEU().merge(BLEU(), whole).parts() == whole.parts()
    with pytest.raises(ValueError, match="BLEU.merge: lowercase is False here and True there"):
        whole.merge(BLEU(), BLEU(lowercase=True))
    with pytest.raises(TypeError, match="BLEU.merge: got a Perplexity"):
        whole.merge(Perplexity())


def test_a_failed_update_adds_nothing():
    metric = BLEU()
    with pytest.raises(ValueError):
        metric.update(["a b c d", "b"], ["a b c d", []])
    assert metric.hypothesis_length == 0 and not metric.totals.any()


def test_a_metric_of_ones_own():
    class Mean(Metric):
        sums = ("total", "count")

        def __init__(self):
            self.reset()

        def reset(self):
            self.total, self.count = np.zeros(2), 0

        def update(self, x):
            self.total, self.count = self.total + x, self.count + 1

        def compute(self):
            return self.total / self.count

    a, b = Mean(), Mean()
    a.update([1, 2])
    b.update([3, 4])
    assert a.merge(b).compute().tolist() == [2, 3] and repr(a) == "Mean()" and repr(Perplexity(0)) == "Perplexity(ignore_index=0)"


# --- perplexity


@pytest.mark.parametrize("kind", ["tensor", "array"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_perplexity(kind, dtype):
    rng = np.random.default_rng(0)
    x, y = (3 * rng.standard_normal((4, 5, 7))).astype(dtype), rng.integers(0, 7, (4, 5))
    y[0, :2] = y[3] = 3
    logp = x.astype(np.float64) - np.log(np.exp(x.astype(np.float64)).sum(-1, keepdims=True))
    chosen = np.take_along_axis(logp, y[..., None], -1)[..., 0]
    make = fn.tensor if kind == "tensor" else np.asarray
    assert perplexity(make(x), make(y)) == pytest.approx(np.exp(-chosen.mean()), rel=1e-5)
    want = np.exp(-chosen[y != 3].mean())
    assert perplexity(make(x), make(y), ignore_index=3) == pytest.approx(want, rel=1e-5)
    metric, other = Perplexity(3), Perplexity(3)
    metric.update(make(x[:1]), make(y[:1]))
    other.update(make(x[1:]), make(y[1:]))
    assert metric.merge(other).compute() == pytest.approx(want, rel=1e-5) and metric.count == (y != 3).sum()
    loss = fn.nn.functional.cross_entropy(fn.tensor(x[0]), fn.tensor(y[0]))
    third = Perplexity()
    third.update_loss(loss, 5)
    third.update_loss(math.log(2), 0)
    assert third.compute() == pytest.approx(perplexity(x[0], y[0]), rel=1e-5)


def test_odd_perplexities():
    assert math.isnan(Perplexity().compute()) and math.isnan(perplexity(np.zeros((2, 3)), [-100, -100]))
    assert perplexity(np.array([[0.0, 1e4]]), [0]) == math.inf and perplexity(np.zeros(8), 3) == pytest.approx(8)
    with pytest.raises(ValueError, match=r"logits \(2, 3\) must be targets \(3,\) and one more axis"):
        perplexity(np.zeros((2, 3)), [0, 1, 2])
    with pytest.raises(IndexError):
        perplexity(np.zeros((1, 3)), [3])
    with pytest.raises(ValueError, match="tokens must not be negative"):
        Perplexity().update_loss(1.0, -1)
