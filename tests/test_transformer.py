"""MultiheadAttention and the Transformer, without PyTorch: causality, padding, what is refused, training."""
import numpy as np
import pytest

import fastnet as fn


def draw(*shape, seed=0):
    return fn.from_numpy(np.random.default_rng([seed, *shape]).standard_normal(shape).astype("float32"))


def test_weights_are_the_same_with_and_without_storing_them():
    attention = fn.nn.MultiheadAttention(12, 3, batch_first=True)
    x, y = draw(2, 5, 12), draw(2, 7, 12, seed=1)
    mask = fn.ones(5, 7, dtype=fn.bool).triu(2)
    stored, weights = attention(x, y, y, attn_mask=mask, average_attn_weights=False)
    result = attention(x, y, y, attn_mask=mask, need_weights=False)[0]
    np.testing.assert_allclose(stored.detach().numpy(), result.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(weights.sum(-1).detach().numpy(), 1, atol=1e-6)
    assert not weights.detach().numpy()[:, :, mask.numpy()].any()


def test_no_query_sees_what_comes_after_it():
    layer = fn.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = draw(1, 6, 8)
    changed = x.clone()
    changed[0, 4:] = 7.0
    mask = fn.nn.Transformer.generate_square_subsequent_mask(6)
    for hint in (True, False):
        a, b = (layer(t, src_mask=mask, is_causal=hint).detach().numpy() for t in (x, changed))
        np.testing.assert_allclose(a[0, :4], b[0, :4], atol=1e-6)
        assert np.abs(a[0, 4:] - b[0, 4:]).max() > 0.1
    encoder = fn.nn.TransformerEncoder(layer, 2).eval()
    np.testing.assert_allclose(encoder(x, mask).detach().numpy()[0, :4], encoder(changed, mask).detach().numpy()[0, :4], atol=1e-6)


def test_padding_is_not_seen():
    model = fn.nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()
    src, tgt, padding = draw(2, 5, 8), draw(2, 3, 8, seed=1), fn.zeros(2, 5, dtype=fn.bool)
    padding[1, 3:] = True
    changed = src.clone()
    changed[1, 3:] = -9.0
    a, b = (model(s, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding).detach().numpy() for s in (src, changed))
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_copies_are_independent_and_names_are_pytorchs():
    model = fn.nn.Transformer(8, 2, 2, 1, 16)
    names = set(model.state_dict())
    assert {"encoder.layers.1.self_attn.in_proj_weight", "decoder.layers.0.multihead_attn.out_proj.bias", "encoder.norm.weight",
            "decoder.layers.0.norm3.bias", "encoder.layers.0.linear1.weight"} <= names and len(names) == 46
    first, second = (layer.linear1.weight for layer in model.encoder.layers)
    assert first is not second and np.abs(first.detach().numpy()).max() <= (6 / 24) ** 0.5


def test_it_learns_to_copy_backwards():
    fn.manual_seed(0)
    model = fn.nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, batch_first=True)
    table, head = fn.nn.Embedding(8, 16), fn.nn.Linear(16, 8)
    place = draw(1, 6, 16)
    optimizer = fn.optim.Adam([*model.parameters(), *table.parameters(), *head.parameters()], lr=3e-3)
    mask = fn.nn.Transformer.generate_square_subsequent_mask(6)
    for step in range(120):
        tokens = fn.randint(0, 8, (16, 6))
        back = tokens.flip(1)
        before = fn.cat((fn.zeros(16, 1, dtype=fn.int64), back[:, :-1]), 1)
        logits = head(model(table(tokens) + place, table(before) + place, tgt_mask=mask))
        loss = fn.nn.functional.cross_entropy(logits.reshape(-1, 8), back.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1.0


@pytest.mark.parametrize("wrong, match", [
    (lambda a, x: a(x, x, x, is_causal=True), "is_causal needs attn_mask"),
    (lambda a, x: a(x, x[0], x[0]), "must have 2 or 3 axes alike"),
    (lambda a, x: a(x, x[..., :3], x), "with embed_dim=8"),
    (lambda a, x: a(x, x, x, key_padding_mask=fn.zeros(3, 9, dtype=fn.bool)), r"key_padding_mask must be \(3, 4\)"),
    (lambda a, x: a(x, x, x, attn_mask=fn.zeros(5, 4)), "attn_mask must be"),
    (lambda a, x: a(x, x, x, attn_mask=fn.zeros(4, 4, dtype=fn.int64)), "attn_mask must be bool or"),
])
def test_refused(wrong, match):
    with pytest.raises(RuntimeError, match="MultiheadAttention: .*" + match):
        wrong(fn.nn.MultiheadAttention(8, 2, batch_first=True), draw(3, 4, 8))


def test_sizes_are_refused():
    with pytest.raises(ValueError, match="embed_dim 8 must be a positive multiple of num_heads 3"):
        fn.nn.MultiheadAttention(8, 3)
    with pytest.raises(RuntimeError, match="activation must be"):
        fn.nn.TransformerEncoderLayer(8, 2, activation="tanh")
    with pytest.raises(RuntimeError, match="same number of sequences"):
        fn.nn.Transformer(8, 2, 1, 1, 8)(draw(3, 2, 8), draw(3, 4, 8))
