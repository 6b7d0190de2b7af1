"""LSTMLanguageModel, Bert and Seq2Seq: values from their definitions, searches, and that they learn."""
import itertools

import numpy as np
import pytest

import fastnet as fn
from fastnet.models import Bert, LSTMLanguageModel, Seq2Seq, mask_tokens
from fastnet.models.beam import beam_search
from fastnet.models.decoding import CachedDecoder

SMALL = {"d_model": 16, "nhead": 2, "num_encoder_layers": 2, "num_decoder_layers": 2, "dim_feedforward": 32, "dropout": 0.0}


def spread(model, factor=4.0):
    """Weights far from their beginnings, in float64, so that a wrong row would show."""
    model.double()
    with fn.no_grad():
        for p in model.parameters():
            if p.ndim > 1:
                p.mul_(factor)
    return model


# ---- LSTM

@pytest.mark.parametrize("tied", [False, True])
def test_lstm_generation_with_the_state_is_that_without(tied):
    fn.manual_seed(0)
    model = spread(LSTMLanguageModel(17, 12, 12, tie_weights=tied, dropout=0.5))
    ids = fn.randint(0, 17, (3, 4))
    assert model.generate(ids, 20, seed=1).tolist() == model.generate(ids, 20, seed=1, use_cache=False).tolist()
    assert model.training and (model.decoder.weight is model.encoder.weight) == tied


def test_lstm_state_goes_on():
    model = LSTMLanguageModel(17, 6, 10, num_layers=2).double()
    ids = fn.randint(0, 17, (2, 9))
    with fn.no_grad():
        whole, end = model(ids)
        first, state = model(ids[:, :4])
        second, state = model(ids[:, 4:], state)
        assert np.allclose(fn.cat((first, second), 1).numpy(), whole.numpy(), atol=1e-12)
        assert all(np.allclose(a.numpy(), b.numpy()) for a, b in zip(state, end)) and tuple(end[0].shape) == (2, 2, 10)
        z = whole.numpy()[:, :-1]
        want = (np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids.numpy()[:, 1:, None], -1)[..., 0]).mean()
        assert model.loss(ids[:, :-1], ids[:, 1:]).item() == pytest.approx(want)


# ---- BERT

def bert(s, ids, visible, types, layers, heads):
    """Logits of BERT, from its paper and in NumPy."""
    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-12) * s[name + ".LayerNorm.weight"] + s[name + ".LayerNorm.bias"]

    def dense(x, name):
        return x @ s[name + ".weight"].T + s[name + ".bias"]

    def gelu(x):
        return fn.nn.functional.gelu(fn.tensor(x)).numpy()
    n, t = ids.shape
    e = "bert.embeddings"
    words, places, kinds = (s[f"{e}.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type"))
    x = norm(words[ids] + places[:t] + kinds[types], e)
    for i in range(layers):
        at = f"bert.encoder.layer.{i}"
        q, k, v = (dense(x, f"{at}.attention.self.{p}").reshape(n, t, heads, -1).transpose(0, 2, 1, 3) for p in ("query", "key", "value"))
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]) + np.where(visible, 0, -np.inf)[:, None, None]
        p = np.exp(scores - scores.max(-1, keepdims=True))
        y = ((p / p.sum(-1, keepdims=True)) @ v).transpose(0, 2, 1, 3).reshape(n, t, -1)
        x = norm(dense(y, f"{at}.attention.output.dense") + x, f"{at}.attention.output")
        x = norm(dense(gelu(dense(x, f"{at}.intermediate.dense")), f"{at}.output.dense") + x, f"{at}.output")
    y = norm(gelu(dense(x, "cls.predictions.transform.dense")), "cls.predictions.transform")
    return y @ s[f"{e}.word_embeddings.weight"].T + s["cls.predictions.bias"]


BERT = {"vocab_size": 19, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20,
        "max_position_embeddings": 9}


def test_bert_is_the_papers_and_reads_its_checkpoints():
    rng, model = np.random.default_rng(0), Bert(**BERT).eval()
    state = {name: rng.standard_normal(tuple(t.shape)) for name, t in model.state_dict().items()}
    state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"]
    old = {k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v for k, v in state.items()
           if k != "cls.predictions.decoder.weight"}
    old |= {"bert.pooler.dense.weight": np.ones((12, 12)), "cls.seq_relationship.bias": np.ones(2),
            "bert.embeddings.position_ids": np.arange(9)[None], "cls.predictions.decoder.bias": state["cls.predictions.bias"]}
    model.double().load_state_dict(old)
    ids, types = rng.integers(0, 19, (2, 7)), rng.integers(0, 2, (2, 7))
    visible = np.arange(7) < np.array([[7], [4]])
    got = model(fn.tensor(ids), fn.tensor(visible), fn.tensor(types)).detach().numpy()
    want = bert(state, ids, visible, types, 2, 3)
    assert np.allclose(got[visible], want[visible], atol=1e-9)
    encoder = {k.removeprefix("bert."): v for k, v in state.items() if k.startswith("bert.")}
    other = Bert(**BERT).double()
    other.load_state_dict(encoder)
    assert np.allclose(other.eval().encode(fn.tensor(ids)).detach().numpy(), model.encode(fn.tensor(ids)).detach().numpy())
    with pytest.raises(RuntimeError, match="bert.encoder.layer.1.output.dense.bias"):
        other.load_state_dict({k: v for k, v in state.items() if k != "bert.encoder.layer.1.output.dense.bias"})


def test_bert_loss_is_over_masked_tokens_and_learns():
    fn.manual_seed(0)
    model = Bert(**BERT | {"dropout": 0.0})
    ids = fn.tensor(np.tile(np.arange(2, 11), (16, 1)))   # each place has its own token
    x, y = mask_tokens(ids, 1, 19, 0.3, seed=3)
    with fn.no_grad():
        z, chosen = model(x).numpy().astype(np.float64), y.numpy() != -100
        want = (np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids.numpy()[..., None], -1)[..., 0])[chosen].mean()
    assert model.loss(x, y).item() == pytest.approx(want, rel=1e-4)
    optimizer = fn.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(60):
        x, y = mask_tokens(ids, 1, 19, 0.3, seed=3, step=step)
        optimizer.zero_grad()
        loss = model.loss(x, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 and not [n for n, p in model.named_parameters() if p.grad is None]


def test_mask_tokens_has_the_papers_shares():
    ids = fn.tensor(np.random.default_rng(0).integers(0, 1000, (100, 400)))
    x, y = (t.numpy() for t in mask_tokens(ids, 1, 1000, special=(0, 1), seed=5))
    ids, chosen = ids.numpy(), y != -100
    assert abs(chosen.mean() - 0.15) < 0.01 and (x == ids)[~chosen].all() and (y == ids)[chosen].all() and not chosen[ids < 2].any()
    assert abs((x == 1)[chosen].mean() - 0.8) < 0.02 and abs((x == ids)[chosen].mean() - 0.1) < 0.02


# ---- Seq2Seq

@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("beam", [1, 3])
def test_translation_with_the_cache_is_that_without(norm_first, beam):
    fn.manual_seed(1)
    model = spread(Seq2Seq(13, 11, norm_first=norm_first, **SMALL), 2.0)
    source = fn.tensor([[3, 4, 5, 2], [6, 2, 0, 0], [7, 8, 2, 0]])
    options = {"bos": 1, "eos": 2, "max_length": 12, "beam": beam}
    found = model.translate(source, **options)
    assert found == model.translate(source, use_cache=False, **options) and model.training
    assert any(found) and not any({0, 2} & set(ids) for ids in found)
    alone = [model.translate(source[i:i + 1, :n], **options)[0] for i, n in enumerate((4, 2, 3))]
    assert alone == found                                 # padding and neighbours change nothing


@pytest.mark.parametrize("norm_first", [False, True])
def test_logits_with_the_cache_are_those_without(norm_first):
    """Also where rows change places between two tokens, as beams do, and where sources are filled up."""
    fn.manual_seed(1)
    model = spread(Seq2Seq(13, 11, norm_first=norm_first, **SMALL), 2.0).eval()
    rng = np.random.default_rng(0)
    source = fn.tensor([[3, 4, 5, 2], [6, 2, 0, 0], [6, 2, 0, 0]])
    with fn.no_grad():
        memory, padding = model.encode(source)
        step, ids, rows = CachedDecoder(model, memory, padding, 6), np.array([[1], [1], [1]]), None
        for length in range(1, 7):
            got, whole = step(fn.tensor(ids), rows).numpy(), model(source, fn.tensor(ids)).numpy()[:, -1]
            for i, n in enumerate((4, 2, 2)):             # each alone, and without padding
                want = model(source[i:i + 1, :n], fn.tensor(ids[i:i + 1])).numpy()[0, -1]
                assert np.allclose(got[i], want, atol=1e-10) and np.allclose(whole[i], want, atol=1e-10), (length, i)
            order = np.array([0, 2, 1]) if length % 2 else np.array([0, 2, 2])
            ids = np.concatenate([ids[order], rng.integers(3, 11, (3, 1))], 1)
            rows = fn.tensor(order)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 3.0])
@pytest.mark.parametrize("seed", range(12))
def test_a_wide_beam_finds_the_best_of_all(seed, penalty):
    logits, longest = np.random.default_rng(seed).standard_normal((5, 5)) * 2, 3
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def score(ids, ended):
        text = [1, *ids, *([2] if ended else [])]
        return sum(logp[a, b] for a, b in zip(text, text[1:])) / ((5 + len(text) - 1) / 6) ** penalty
    tokens = (1, 3, 4)
    every = [(ids, True) for n in range(longest) for ids in itertools.product(tokens, repeat=n)]
    every += [(ids, False) for ids in itertools.product(tokens, repeat=longest)]
    best = max(every, key=lambda e: score(*e))
    table = fn.tensor(logits)
    assert beam_search(lambda ids, rows: table[ids[:, -1]], 1, 1, 2, 0, longest, 50, penalty) == [list(best[0])]


def test_greedy_search_follows_the_likeliest_token():
    fn.manual_seed(3)
    model = spread(Seq2Seq(13, **SMALL), 2.0)
    source, ids = fn.tensor([[5, 6, 7, 2]]), [1]
    while len(ids) < 9:
        z = model(source, fn.tensor([ids])).detach().numpy()[0, -1]
        z[0] = -np.inf
        if z.argmax() == 2:
            break
        ids.append(int(z.argmax()))
    assert model.translate(source, 1, 2, max_length=8) == [ids[1:]]


def test_beam_search_sees_what_greed_misses():
    """After bos, 3 is a little likelier than 4; but after 3 all is uncertain, and after 4 comes the end for sure."""
    p = np.full((6, 6), 1e-9)
    p[1, 3], p[1, 4], p[3, [2, 3, 4, 5]], p[4, 2], p[5, 2] = 0.55, 0.45, 0.25, 1.0, 1.0
    logits = fn.tensor(np.log(p))

    def step(ids, rows):
        return logits[ids[:, -1]]
    assert beam_search(step, 1, 1, 2, 0, 4, 2, 0.0) == [[4]]
    assert beam_search(step, 1, 1, 2, 0, 4, 1, 0.0)[0][:1] == [3]


def test_ties_and_shapes_of_seq2seq():
    one, two, free = Seq2Seq(13, **SMALL), Seq2Seq(13, 11, **SMALL), Seq2Seq(13, tied=False, **SMALL)
    assert one.source_embedding.weight is one.target_embedding.weight is one.generator.weight
    assert two.source_embedding.weight is not two.target_embedding.weight is two.generator.weight
    assert free.generator.weight is not free.target_embedding.weight is not free.source_embedding.weight
    assert tuple(two(fn.ones(2, 3, dtype=fn.int64), fn.ones(2, 4, dtype=fn.int64)).shape) == (2, 4, 11)


def test_seq2seq_learns_to_reverse():
    fn.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Seq2Seq(9, **SMALL | {"num_encoder_layers": 1, "num_decoder_layers": 1, "d_model": 32, "dim_feedforward": 64})
    optimizer = fn.optim.Adam(model.parameters(), lr=1e-2)
    schedule = fn.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=300)

    def batch(n):
        words = rng.integers(3, 9, (n, 4))
        end, begin = np.full((n, 1), 2), np.full((n, 1), 1)
        return fn.tensor(np.concatenate([words, end], 1)), fn.tensor(np.concatenate([begin, words[:, ::-1], end], 1))
    for _ in range(300):
        optimizer.zero_grad()
        loss = model.loss(*batch(32))
        loss.backward()
        optimizer.step()
        schedule.step()
    source, target = batch(20)
    right = sum(a == b[1:-1] for a, b in zip(model.translate(source, 1, 2, 10, beam=2), target.tolist()))
    assert right >= 18, (right, loss.item())


@pytest.mark.parametrize("make, message", [
    (lambda: LSTMLanguageModel(9, 4, 5, tie_weights=True), "tie_weights needs embedding_dim 4 to be hidden_size 5"),
    (lambda: LSTMLanguageModel(0), "vocab_size must be a whole number"),
    (lambda: LSTMLanguageModel(9)(fn.tensor([1])), r"ids must be \(N, T\)"),
    (lambda: Bert(10, hidden_size=10, num_attention_heads=3), "hidden_size 10 must be a multiple"),
    (lambda: Bert(**BERT)(fn.ones(1, 10, dtype=fn.int64)), r"T up to 9, got \(1, 10\)"),
    (lambda: Bert(**BERT)(fn.ones(1, 4, dtype=fn.int64), fn.ones(1, 3)), r"attention_mask \(1, 3\) must be shaped"),
    (lambda: Seq2Seq(10, d_model=10, nhead=3), "d_model 10 must be even and a multiple of nhead 3"),
    (lambda: Seq2Seq(10, padding_idx=10), "padding_idx 10 is outside"),
    (lambda: Seq2Seq(10, **SMALL).loss(fn.ones(2, 3, dtype=fn.int64), fn.ones(2, 1, dtype=fn.int64)), r"T > 1"),
    (lambda: Seq2Seq(10, **SMALL).translate(fn.ones(1, 3, dtype=fn.int64), 1, 10), "eos 10 is outside the vocabulary of 10"),
    (lambda: Seq2Seq(10, **SMALL).translate(fn.ones(1, 3, dtype=fn.int64), 1, 2, beam=0), "beam must be at least 1, got 0"),
    (lambda: mask_tokens(fn.ones(1, 3, dtype=fn.int64), 1, 10, 1.5), "probability must lie between 0 and 1"),
])
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
