"""Layers that the specs of ops do not reach: what they hold, what they refuse, what is random in them."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.nn import functional as F

REPRS = {
    "Linear(2, 3)": "Linear(in_features=2, out_features=3, bias=True)",
    "Linear(2, 3, bias=False)": "Linear(in_features=2, out_features=3, bias=False)",
    "Bilinear(2, 3, 4)": "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)",
    "Identity(3)": "Identity()", "Flatten()": "Flatten(start_dim=1, end_dim=-1)",
    "Unflatten(1, (2, 3))": "Unflatten(dim=1, unflattened_size=(2, 3))", "Dropout()": "Dropout(p=0.5, inplace=False)",
    "AlphaDropout(0.1, True)": "AlphaDropout(p=0.1, inplace=True)", "ReLU()": "ReLU()", "ReLU(inplace=True)": "ReLU(inplace=True)",
    "LeakyReLU(inplace=True)": "LeakyReLU(negative_slope=0.01, inplace=True)", "ReLU6()": "ReLU6()", "ELU()": "ELU(alpha=1.0)",
    "SELU()": "SELU()", "CELU()": "CELU(alpha=1.0)", "GELU()": "GELU(approximate='none')", "SiLU()": "SiLU()", "Mish()": "Mish()",
    "Softplus()": "Softplus(beta=1.0, threshold=20.0)", "Softsign()": "Softsign()", "Sigmoid()": "Sigmoid()", "Tanh()": "Tanh()",
    "Hardtanh()": "Hardtanh(min_val=-1.0, max_val=1.0)", "Hardsigmoid()": "Hardsigmoid()", "Hardswish()": "Hardswish()",
    "LogSigmoid()": "LogSigmoid()", "Softmax(dim=1)": "Softmax(dim=1)", "LogSoftmax(1)": "LogSoftmax(dim=1)",
    "Softmin()": "Softmin(dim=None)",
    "Tanhshrink()": "Tanhshrink()", "Hardshrink()": "Hardshrink(0.5)", "Softshrink()": "Softshrink(0.5)",
    "Threshold(0.1, 2)": "Threshold(threshold=0.1, value=2)", "PReLU(3)": "PReLU(num_parameters=3)", "GLU()": "GLU(dim=-1)",
    "RReLU()": "RReLU(lower=0.125, upper=0.3333333333333333)", "MSELoss()": "MSELoss()", "CrossEntropyLoss()": "CrossEntropyLoss()",
    "CosineSimilarity()": "CosineSimilarity()",
}


@pytest.mark.parametrize("made", REPRS)
def test_repr(made):
    assert repr(eval(f"nn.{made}")) == REPRS[made]


PAIRS = {  # module: the function of nn.functional that it must equal
    "LeakyReLU(0.2)": lambda x: F.leaky_relu(x, 0.2), "ReLU6()": F.relu6, "ELU(0.7)": lambda x: F.elu(x, 0.7), "SELU()": F.selu,
    "CELU(0.7)": lambda x: F.celu(x, 0.7), "GELU('tanh')": lambda x: F.gelu(x, approximate="tanh"), "SiLU()": F.silu, "Mish()": F.mish,
    "Softplus(2.0, 10.0)": lambda x: F.softplus(x, 2.0, 10.0), "Softsign()": F.softsign, "Sigmoid()": F.sigmoid, "Tanh()": F.tanh,
    "ReLU()": F.relu, "Hardtanh(-2.0, 0.5)": lambda x: F.hardtanh(x, -2.0, 0.5), "Hardsigmoid()": F.hardsigmoid, "Hardswish()": F.hardswish,
    "LogSigmoid()": F.logsigmoid, "Softmax(0)": lambda x: F.softmax(x, 0), "LogSoftmax(1)": lambda x: F.log_softmax(x, 1),
    "Softmin(1)": lambda x: F.softmin(x, 1), "Tanhshrink()": F.tanhshrink, "Hardshrink(0.3)": lambda x: F.hardshrink(x, 0.3),
    "Softshrink(0.3)": lambda x: F.softshrink(x, 0.3), "Threshold(0.1, 20.0)": lambda x: F.threshold(x, 0.1, 20.0),
    "PReLU()": lambda x: F.leaky_relu(x, 0.25), "GLU()": F.glu, "RReLU().eval()": lambda x: F.leaky_relu(x, (1 / 8 + 1 / 3) / 2),
    "Flatten(0)": lambda x: x.reshape(-1), "Dropout().eval()": lambda x: x, "Identity()": lambda x: x,
}


@pytest.mark.parametrize("made", PAIRS)
def test_module_is_its_function(made):
    x = fn.tensor(np.random.default_rng(0).standard_normal((4, 6)).astype("float32"))
    assert np.allclose(eval(f"nn.{made}")(x).detach().numpy(), PAIRS[made](x).detach().numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("made", ["ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardtanh", "Hardswish",
                                  "Hardsigmoid"])
def test_inplace_writes_into_the_input(made):
    x = fn.tensor(np.random.default_rng(0).standard_normal((4, 6)).astype("float32"))
    expected = getattr(nn, made)()(x).tolist()
    y = getattr(nn, made)(inplace=True)(x)
    assert y.tolist() == expected and x.tolist() == expected


def test_linear_draws_within_its_bound():
    layer = nn.Linear(25, 400)
    for param in (layer.weight, layer.bias):
        values = param.detach().numpy()
        assert np.abs(values).max() <= 0.2 and np.abs(values).max() > 0.19 and abs(values.mean()) < 0.03
    assert nn.Linear(3, 2, dtype=fn.float64).weight.dtype == fn.float64 and nn.Linear(3, 2, bias=False).bias is None
    assert nn.Linear(0, 2)(fn.ones(3, 0)).shape == (3, 2)


@pytest.mark.parametrize("make, error, message", [
    (lambda: nn.Linear(-1, 2), ValueError, "in_features"), (lambda: nn.Linear(2, 1.5), TypeError, "out_features"),
    (lambda: nn.Linear(2, 2, device="cuda"), RuntimeError, "cuda"), (lambda: nn.Dropout(1.5), ValueError, "between 0 and 1"),
    (lambda: nn.GELU("erf"), ValueError, "approximate"), (lambda: nn.Hardtanh(1.0, -1.0), ValueError, "max_val"),
    (lambda: nn.Unflatten("a", (1, 2)), TypeError, "dim"), (lambda: nn.Unflatten(1, (2, 3))(fn.ones(2, 5)), RuntimeError, "does not fit"),
    (lambda: nn.MultiMarginLoss(p=3), ValueError, "p must"), (lambda: nn.MSELoss(reduction="avg"), ValueError, "reduction"),
    (lambda: nn.TripletMarginLoss(margin=0.0), ValueError, "margin"), (lambda: nn.CELU(0.0), ValueError, "alpha"),
])
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_embedding():
    table = nn.Embedding(5, 3, padding_idx=-2)
    assert table.weight.detach().numpy()[3].tolist() == [0, 0, 0] and repr(table) == "Embedding(5, 3, padding_idx=3)"
    y = table(fn.tensor([[3, 1], [1, 0]]))
    assert y.shape == (2, 2, 3) and np.array_equal(y.detach().numpy()[0, 1], table.weight.detach().numpy()[1])
    y.sum().backward()
    assert table.weight.grad.numpy()[:, 0].tolist() == [1, 2, 0, 0, 0]
    given = fn.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(given)
    assert not frozen.weight.requires_grad and frozen(fn.tensor([2, 0])).tolist() == [[4, 5], [0, 1]]
    scaled = nn.Embedding.from_pretrained(given, freeze=False, max_norm=1.0)(fn.tensor([2]))
    assert np.allclose(scaled.detach().numpy(), np.array([[4, 5]]) / np.sqrt(41), rtol=1e-5)
    for bad in (lambda: nn.Embedding(3, 2, padding_idx=3),
                lambda: nn.Embedding(3, 2, _weight=fn.ones(2, 2))):
        with pytest.raises(ValueError, match="Embedding"):
            bad()


def test_unflatten():
    assert nn.Unflatten(1, (2, -1))(fn.ones(3, 8)).shape == (3, 2, 4)
    assert nn.Unflatten(-1, (2, 4))(fn.ones(3, 8)).shape == (3, 2, 4)


def test_loss_modules_are_their_functions_and_keep_weights_as_buffers():
    rng = np.random.default_rng(0)
    x, y = (fn.tensor(rng.standard_normal((5, 4)).astype("float32")) for _ in range(2))
    classes = fn.tensor([0, 3, 1, 2, 2])
    weight = fn.tensor([1.0, 2.0, 0.5, 1.0])
    for reduction in ("mean", "sum", "none"):
        pairs = [(nn.MSELoss(reduction=reduction)(x, y), F.mse_loss(x, y, reduction=reduction)),
                 (nn.L1Loss(reduction=reduction)(x, y), F.l1_loss(x, y, reduction=reduction)),
                 (nn.HuberLoss(reduction, 0.3)(x, y), F.huber_loss(x, y, reduction, 0.3)),
                 (nn.SmoothL1Loss(reduction=reduction, beta=0.3)(x, y), F.smooth_l1_loss(x, y, reduction=reduction, beta=0.3)),
                 (nn.CrossEntropyLoss(weight, label_smoothing=0.1, reduction=reduction, ignore_index=3)(x, classes),
                  F.cross_entropy(x, classes, weight, label_smoothing=0.1, reduction=reduction, ignore_index=3)),
                 (nn.NLLLoss(weight, reduction=reduction)(x, classes), F.nll_loss(x, classes, weight, reduction=reduction)),
                 (nn.BCEWithLogitsLoss(pos_weight=weight, reduction=reduction)(x, y.sigmoid()),
                  F.binary_cross_entropy_with_logits(x, y.sigmoid(), pos_weight=weight, reduction=reduction))]
        for a, b in pairs:
            assert np.array_equal(a.numpy(), b.numpy())
    assert list(nn.CrossEntropyLoss(weight).state_dict()) == ["weight"] and nn.CrossEntropyLoss().weight is None
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="broadcast"):
        F.mse_loss(fn.ones(3, 2), fn.ones(2))


def test_binary_cross_entropy_at_the_ends():
    x = fn.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(x, fn.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
    assert loss.tolist() == [0.0, 0.0, 100.0, 100.0]
    loss.sum().backward()
    assert np.isfinite(x.grad.numpy()).all() and x.grad.tolist()[:2] == [0.0, 0.0]


def test_dropout_zeroes_and_scales():
    fn.manual_seed(0)
    x = fn.ones(200, 200, requires_grad=True)
    y = nn.Dropout(0.3)(x)
    values = y.detach().numpy()
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.7)} and abs((values == 0).mean() - 0.3) < 0.01
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), values)
    assert nn.Dropout(1.0)(fn.ones(5)).tolist() == [0.0] * 5


@pytest.mark.parametrize("layer, shape", [(nn.Dropout1d, (50, 40, 3)), (nn.Dropout2d, (50, 40, 2, 3)), (nn.Dropout3d, (50, 40, 2, 1, 3))])
def test_dropout_of_whole_channels(layer, shape):
    fn.manual_seed(0)
    y = layer(0.3)(fn.ones(*shape)).numpy().reshape(50 * 40, -1)
    assert (y == y[:, :1]).all() and abs((y[:, 0] == 0).mean() - 0.3) < 0.04
    assert repr(layer(0.3)) == f"{layer.__name__}(p=0.3, inplace=False)"


def test_alpha_dropout_keeps_mean_and_variance():
    fn.manual_seed(0)
    x = fn.randn(400, 400)
    y = F.alpha_dropout(x, 0.2, training=True).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02 and len(np.unique(y)) < x.numel() * 0.85
    assert F.alpha_dropout(x, 0.2) is x


def test_rrelu_draws_a_slope_for_each_negative_element():
    fn.manual_seed(0)
    x = fn.full((100, 100), -2.0, requires_grad=True)
    y = nn.RReLU(0.1, 0.3)(x)
    slopes = y.detach().numpy() / -2
    assert 0.1 <= slopes.min() < 0.11 and 0.29 < slopes.max() <= 0.3 and abs(slopes.mean() - 0.2) < 0.005
    y.sum().backward()
    assert np.allclose(x.grad.numpy(), slopes) and F.rrelu(fn.ones(3), training=True).tolist() == [1.0] * 3


def test_gumbel_softmax_draws_classes():
    fn.manual_seed(0)
    logits = fn.tensor(np.log([[0.1, 0.2, 0.7]])).expand(20000, 3)
    hard = F.gumbel_softmax(logits, hard=True).numpy()
    assert np.allclose(hard.sum(1), 1, atol=1e-6) and np.allclose(hard.mean(0), [0.1, 0.2, 0.7], atol=0.02)
    soft = F.gumbel_softmax(logits, tau=0.5).numpy()
    assert np.allclose(soft.sum(1), 1, atol=1e-6) and len(np.unique(soft)) > 1000
    with pytest.raises(ValueError, match="tau"):
        F.gumbel_softmax(logits, tau=0.0)


def test_feature_alpha_dropout_drops_whole_channels():
    x = fn.tensor(np.random.default_rng(2).standard_normal((200, 50, 9)).astype("float32"))
    y = nn.FeatureAlphaDropout(0.3)(x).numpy()
    dropped = np.ptp(y, axis=2) == 0
    assert abs(dropped.mean() - 0.3) < 0.02 and len(set(y[dropped].ravel().tolist())) == 1
    assert abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05
    assert F.feature_alpha_dropout(x, 0.3) is x and not F.feature_alpha_dropout(x, 1.0, training=True).numpy().any()
    with pytest.raises(ValueError, match="feature_alpha_dropout: p"):
        F.feature_alpha_dropout(x, 1.5)
    with pytest.raises(RuntimeError, match="feature_alpha_dropout: input"):
        F.feature_alpha_dropout(fn.ones(3), 0.5, training=True)


def test_softmax2d_is_over_channels():
    x = fn.tensor(np.random.default_rng(2).standard_normal((2, 3, 4, 5)).astype("float32"))
    np.testing.assert_allclose(nn.Softmax2d()(x).numpy().sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(nn.Softmax2d()(x[0]).numpy(), nn.Softmax2d()(x).numpy()[0])
    with pytest.raises(ValueError, match="Softmax2d"):
        nn.Softmax2d()(x[0, 0])


def test_glu_keeps_channels_last():
    x = fn.tensor(np.random.default_rng(2).standard_normal((2, 6, 4, 5)).astype("float32"))
    y = F.glu(x.contiguous(memory_format=fn.channels_last), 1)
    assert y.is_contiguous(memory_format=fn.channels_last)
    np.testing.assert_array_equal(y.numpy(), F.glu(x, 1).numpy())


def test_a_loss_that_is_made_of_what_it_should_be_called_with():
    x = fn.ones(4, 3)
    for kind in (nn.MSELoss, nn.CrossEntropyLoss, nn.BCELoss, nn.L1Loss):
        with pytest.raises(TypeError, match=rf"a loss is made first and then called: {kind.__name__}\(\)\(input, target\)"):
            kind(x, x)
    with pytest.raises(TypeError, match="linear: input must be a Tensor, got ndarray; fastnet.from_numpy makes one of an array"):
        nn.Linear(3, 2)(x.numpy())


@pytest.mark.parametrize("args, options", [((), {}), ((1, 2), {}), ((), {"x": 1})])
def test_a_wrong_call_of_linear_names_it(args, options):
    with pytest.raises(TypeError, match="Linear"):
        nn.Linear(3, 4)(*args, **options)
    assert nn.Linear.forward.__qualname__ == "Linear.forward"
