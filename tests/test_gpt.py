"""fastnet.models.GPT: GPT-2's function and names, its cache, and a character model that learns."""
import inspect

import numpy as np
import pytest

import fastnet as fn
from fastnet.models import GPT
from fastnet.models.positions import apply_rotary, rotary_tables, sinusoidal_positions

SIZES = {"vocab_size": 23, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 8}
NAMES = ["ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight", "attn.c_proj.bias", "ln_2.weight",
         "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"]


def random_state(seed=0, v=23, t=16, layers=2, e=8):
    """A checkpoint of GPT-2, with values that leave nothing near zero."""
    rng, shapes = np.random.default_rng(seed), {"wte.weight": (v, e), "wpe.weight": (t, e)}
    inner = [(e,), (e,), (e, 3 * e), (3 * e,), (e, e), (e,), (e,), (e,), (e, 4 * e), (4 * e,), (4 * e, e), (e,)]
    for i in range(layers):
        shapes |= {f"h.{i}.{name}": shape for name, shape in zip(NAMES, inner)}
    shapes |= {"ln_f.weight": (e,), "ln_f.bias": (e,)}
    return {name: rng.standard_normal(shape) * 0.5 for name, shape in shapes.items()}


def gpt2(s, ids, heads=2):
    """Logits of GPT-2, from its paper and in NumPy."""
    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-5) * s[name + ".weight"] + s[name + ".bias"]

    def dense(x, name):
        return x @ s[name + ".weight"] + s[name + ".bias"]
    n, t = ids.shape
    x = s["wte.weight"][ids] + s["wpe.weight"][:t]
    for i in range(max(int(name.split(".")[1]) for name in s if name.startswith("h.")) + 1):
        qkv = dense(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn")
        q, k, v = (a.reshape(n, t, heads, -1).transpose(0, 2, 1, 3) for a in np.split(qkv, 3, -1))
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]) + np.where(np.tri(t), 0, -np.inf)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        y = (p / p.sum(-1, keepdims=True)) @ v
        x = x + dense(y.transpose(0, 2, 1, 3).reshape(n, t, -1), f"h.{i}.attn.c_proj")
        z = dense(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")
        x = x + dense(0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z ** 3))), f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ s["wte.weight"].T


@pytest.mark.parametrize("prefix, head, masks", [("", False, True), ("transformer.", True, False), ("transformer.", False, True)])
def test_a_checkpoint_of_gpt2_gives_its_logits(prefix, head, masks):
    state = random_state()
    file = {prefix + name: value.astype(np.float32) for name, value in state.items()}
    if head:
        file["lm_head.weight"] = state["wte.weight"].astype(np.float32)
    if masks:
        file |= {f"{prefix}h.{i}.attn.{m}": np.ones((1, 1, 16, 16)) for i in range(2) for m in ("bias", "masked_bias")}
    model = GPT(**SIZES)
    model.load_state_dict(file)
    ids = np.random.default_rng(1).integers(0, 23, (3, 11))
    logits = model(fn.tensor(ids))
    assert np.allclose(logits.detach().numpy(), gpt2(state, ids), rtol=2e-4, atol=2e-4)
    z = gpt2(state, ids[:, :-1])
    want = (np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids[:, 1:, None], -1)[..., 0]).mean()
    assert model.loss(fn.tensor(ids[:, :-1]), fn.tensor(ids[:, 1:])).item() == pytest.approx(want, rel=1e-4)


def test_names_are_gpt2s():
    names = list(GPT(**SIZES).state_dict())
    assert names == [*random_state(), "lm_head.weight"]
    with pytest.raises(RuntimeError, match="h.1.attn.c_attn.weight"):
        GPT(**SIZES).load_state_dict({k: v for k, v in random_state().items() if k != "h.1.attn.c_attn.weight"})


def test_the_default_sizes_are_gpt2_smalls():
    def count(v, t, layers, e):
        return v * e + t * e + layers * (12 * e ** 2 + 13 * e) + 2 * e
    assert count(50257, 1024, 12, 768) == 124439808       # what is known of GPT-2 small
    assert sum(p.numel() for p in GPT(**SIZES).parameters()) == count(23, 16, 2, 8)
    defaults = {k: v.default for k, v in inspect.signature(GPT).parameters.items()}
    assert [defaults[k] for k in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")] == [50257, 1024, 12, 12, 768]


def test_the_head_is_the_embedding():
    model = GPT(**SIZES)
    assert model.lm_head.weight is model.wte.weight
    model.load_state_dict({k: fn.tensor(v) for k, v in random_state().items()}, assign=True)
    assert model.lm_head.weight is model.wte.weight and model.wte.weight.dtype == fn.float64


@pytest.mark.parametrize("position", ["learned", "rotary"])
@pytest.mark.parametrize("prompt", [1, 5, 16, 20])
def test_generation_with_the_cache_is_that_without(position, prompt):
    fn.manual_seed(3)
    model = GPT(**SIZES, position=position, dropout=0.3).double()
    ids = np.random.default_rng(2).integers(0, 23, (2, prompt))
    with fn.no_grad():
        for p in model.parameters():
            p.mul_(8.0)                                   # far from uniform, so that a wrong row would show
    for options in ({"temperature": 0}, {"seed": 4}, {"top_k": 3, "top_p": 0.9, "temperature": 1.3, "seed": 5}):
        with_cache = model.generate(ids, 40, **options)   # far beyond block_size
        assert with_cache.tolist() == model.generate(ids, 40, use_cache=False, **options).tolist()
        assert with_cache[:, :prompt].tolist() == ids.tolist() and tuple(with_cache.shape) == (2, prompt + 40)
    assert model.training


@pytest.mark.parametrize("position", ["learned", "rotary"])
def test_features_come_the_same_in_pieces(position):
    fn.manual_seed(0)
    model = GPT(**SIZES, position=position).double().eval()
    ids = fn.randint(0, 23, (2, 13))
    with fn.no_grad():
        whole, cache, parts = model.features(ids), model.cache(2), []
        for a, b in ((0, 1), (1, 6), (6, 7), (7, 13)):
            parts.append(model.features(ids[:, a:b], cache))
        assert np.allclose(fn.cat(parts, 1).numpy(), whole.numpy(), atol=1e-12) and cache.filled == 13
        with pytest.raises(ValueError, match=r"block_size 16, got \(2, 4\) after 13 tokens"):
            model.features(ids[:, :4], cache)


def test_generate_takes_rows_and_a_stream():
    model = GPT(**SIZES)
    one = model.generate([1, 2], 4, seed=1)
    assert one.dtype == fn.int64 and tuple(one.shape) == (6,)
    assert [int(t[0]) for t in model.stream(fn.tensor([1, 2]), 4, seed=1)] == one.tolist()[2:]
    assert model.generate([1, 2], 4, seed=1).tolist() == one.tolist() != model.generate([1, 2], 4, seed=2).tolist()
    assert model.generate([1, 2], 0).tolist() == [1, 2]


@pytest.mark.parametrize("make, error, message", [
    (lambda: GPT(10, n_embd=10, n_head=3), ValueError, "n_embd 10 must be a multiple of n_head 3"),
    (lambda: GPT(0), ValueError, "vocab_size must be a whole number of at least 1"),
    (lambda: GPT(10, position="none"), ValueError, "position must be 'learned' or 'rotary', got 'none'"),
    (lambda: GPT(**SIZES)(fn.zeros(2, 17, dtype=fn.int64)), ValueError, r"T up to block_size 16, got \(2, 17\)"),
    (lambda: GPT(**SIZES)(fn.zeros(3, dtype=fn.int64)), ValueError, r"ids must be \(N, T\)"),
    (lambda: GPT(**SIZES)(fn.tensor([[23]])), IndexError, "23"),
    (lambda: GPT(**SIZES).generate([], 3), ValueError, "prompt must be ints"),
    (lambda: GPT(**SIZES).generate([3, 23], 3), IndexError, "token 23, outside the vocabulary of 23"),
    (lambda: GPT(**SIZES).generate([3], -1), ValueError, "max_new_tokens must not be negative"),
    (lambda: GPT(**SIZES).generate([3], 1, temperature=-1), ValueError, "temperature"),
    (lambda: GPT(**SIZES).loss(fn.tensor([[1, 2]]), fn.tensor([[1]])), ValueError, "must have the same shape"),
])
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_rotary_products_depend_on_the_distance():
    rng = np.random.default_rng(0)
    q, k = (fn.tensor(rng.standard_normal((1, 6))).expand(9, 6) for _ in range(2))
    cos, sin = (t.double() for t in rotary_tables(9, 6))
    scores = (apply_rotary(q, cos, sin) @ apply_rotary(k, cos, sin).t()).numpy()
    for d in range(-8, 9):
        assert np.ptp(np.diagonal(scores, d)) < 1e-5
    x = rng.standard_normal((4, 6))                       # from the definition: complex numbers, turned
    z = (x[:, :3] + 1j * x[:, 3:]) * np.exp(1j * np.arange(2, 6)[:, None] * 10000.0 ** (-np.arange(3) / 3))
    got = fn.models.RotaryEmbedding(6)(fn.tensor(x), start=2).numpy()
    assert np.allclose(got, np.concatenate([z.real, z.imag], 1), atol=1e-6)


def test_sinusoidal_positions_are_the_papers():
    table = sinusoidal_positions(50, 12).numpy()
    for position, i in ((0, 0), (7, 2), (49, 5)):
        angle = position / 10000 ** (2 * i / 12)
        assert table[position, 2 * i:2 * i + 2] == pytest.approx([np.sin(angle), np.cos(angle)], abs=1e-6)


def test_a_character_model_learns():
    """From seed 0, 300 steps on the help texts: below 2.6 nats a character, where the frequencies of the characters give 3.5."""
    from fastnet.datasets import python_topics
    from fastnet.text import CharTokenizer, Tokens
    text = python_topics()[:200_000]
    tokenizer = CharTokenizer.train(text)
    train, validation = Tokens(np.array(tokenizer.encode(text), np.int32)).split(0.1)
    counts = np.bincount(train.ids, minlength=tokenizer.vocab_size) + 1
    assert -np.log(counts / counts.sum())[validation.ids].mean() > 3.3
    fn.manual_seed(0)
    model = GPT(tokenizer.vocab_size, 32, n_layer=2, n_head=2, n_embd=64)
    optimizer = fn.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99))
    schedule = fn.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=300, pct_start=0.1)
    for x, y in train.batches(32, 16, seed=0, steps=300):
        optimizer.zero_grad()
        model.loss(x, y).backward()
        optimizer.step()
        schedule.step()
    with fn.no_grad():
        losses = [(model.loss(x, y).item(), x.numel()) for x, y in validation.sequential(32, 64)]
    loss = sum(a * n for a, n in losses) / sum(n for _, n in losses)
    assert loss < 2.6, loss
    assert tokenizer.decode(model.generate(tokenizer.encode("The "), 20, seed=0)).startswith("The ")
