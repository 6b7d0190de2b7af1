"""fastnet.summary: shapes, parameters, FLOPs and memory against published numbers, formulas and the arena's own measure."""
import gc

import pytest

import fastnet as fn
from fastnet import nn
from fastnet.nn import functional as F
from fastnet.nn.module import Module
from fastnet.profiling.flops import formula

# GMACs and parameters as torchvision's documentation of its weights gives them.
PUBLISHED = {"resnet18": (1.814, 11_689_512), "resnet50": (4.089, 25_557_032), "vgg16": (15.47, 138_357_544),
             "mobilenet_v2": (0.301, 3_504_872), "efficientnet_b0": (0.386, 5_288_548)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers_of_models(name):
    found = fn.summary(getattr(fn.models, name)(), (1, 3, 224, 224))
    macs, parameters = PUBLISHED[name]
    assert abs(found.macs / 1e9 - macs) < 1e-3
    assert found.parameters == found.trainable == parameters
    assert found.parameter_bytes == 4 * parameters
    assert 2 * found.macs < found.flops < 2.2 * found.macs


@pytest.mark.parametrize("layer, shape, macs", [
    (nn.Conv1d(6, 4, 5, stride=2, groups=2), (2, 6, 21), 2 * 4 * 9 * 3 * 5),
    (nn.Conv2d(3, 8, (3, 5), padding=(1, 2)), (2, 3, 7, 9), 2 * 8 * 63 * 3 * 15),
    (nn.Conv3d(2, 4, 3), (1, 2, 5, 5, 5), 4 * 27 * 2 * 27),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (2, 4, 5, 5), 2 * 4 * 25 * 3 * 9),
    (nn.Linear(5, 7), (2, 3, 5), 6 * 35),
    (nn.LSTM(5, 8, 2, bidirectional=True), (4, 3, 5), 2 * 12 * 32 * ((5 + 8) + (16 + 8))),
    (nn.GRU(5, 8), (4, 3, 5), 12 * 24 * 13),
    (nn.RNNCell(5, 8), (3, 5), 3 * 8 * 13),
    (nn.Embedding(10, 4), (2, 3), 0),
    (nn.BatchNorm2d(3), (2, 3, 4, 4), 0),
])
def test_multiply_adds_of_layers(layer, shape, macs):
    found = fn.summary(layer, shape, dtypes=fn.int64 if isinstance(layer, nn.Embedding) else None)
    assert found.macs == macs
    assert found.flops >= 2 * macs


def test_every_layer_of_nn_that_computes_has_a_formula():
    without = {n for n in dir(nn) if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), Module) and "Loss" not in n}
    without = {n for n in without if not any(c in vars(fn.profiling.flops)["FORMULAS"] for c in getattr(nn, n).__mro__)}
    assert without == {"CosineSimilarity", "LocalResponseNorm", "Module", "ModuleDict", "ModuleList", "MultiheadAttention",
                       "PairwiseDistance", "ParameterDict", "ParameterList", "RNNBase", "Sequential", "Transformer", "TransformerDecoder",
                       "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"}
    assert formula(nn.Sequential()) is None


def test_gpt_by_the_formula_of_transformers():
    batch, length, width, layers, heads, words = 2, 24, 32, 3, 4, 50
    model = fn.models.GPT(words, block_size=length, n_embd=width, n_layer=layers, n_head=heads)
    found = fn.summary(model, (batch, length), dtypes=fn.int64)
    pairs = length * (length + 1) // 2                   # causal
    expected = batch * (length * (12 * width * width * layers + width * words) + layers * 2 * pairs * width)
    assert found.macs == expected
    assert found.parameters == sum(p.numel() for p in model.parameters())


def test_tied_weights_count_once():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Tanh(), nn.Linear(4, 4, bias=False))
    model[2].weight = model[0].weight
    found = fn.summary(model, (2, 4))
    assert found.parameters == 16 and found["2"].parameters == 0 and "weight is shared" in found["2"].note and found.macs == 64


def test_attention_and_custom_modules_count_their_own_products():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.child = nn.Parameter(fn.rand(6, 6)), nn.Linear(6, 2)

        def forward(self, x):
            return self.child(F.relu(x @ self.w) @ self.w)
    found = fn.summary(Twice(), (5, 6))
    assert found.macs == 5 * (36 + 36 + 12) and found["child"].macs == 60
    assert "counted as they ran" in found[0].note
    found = fn.summary(Convolving(), (2, 8, 9, 9))
    assert found.macs == 2 * (81 * 16 * 8 * 9 + 81 * 16 * 16 + 81 * 16 * 9 + 16 * 16 * 16 * 4)
    found = fn.summary(nn.MultiheadAttention(8, 2, batch_first=True), [(3, 4, 8), (3, 5, 8), (3, 5, 8)])
    assert found.macs == 3 * (4 * 64 + 2 * 5 * 64 + 2 * 4 * 5 * 8 + 4 * 64)
    assert found[0].input == [(3, 4, 8), (3, 5, 8), (3, 5, 8)] and found[0].output == [(3, 4, 8), (3, 4, 5)]


class Convolving(nn.Module):
    """3x3, 1x1, depthwise and strided, by functions."""

    def __init__(self):
        super().__init__()
        for name, shape in {"a": (16, 8, 3, 3), "b": (16, 16, 1, 1), "c": (16, 1, 3, 3), "d": (16, 16, 2, 2)}.items():
            setattr(self, name, nn.Parameter(fn.rand(*shape)))

    def forward(self, x):
        x = F.conv2d(F.conv2d(x, self.a, padding=1), self.b)
        return F.conv2d(F.conv2d(x, self.c, padding=1, groups=16), self.d, stride=2)


def test_rows_follow_the_tree():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.ReLU(), nn.Sequential(shared, nn.LSTM(4, 3)))
    found = fn.summary(model, (2, 4), depth=1)
    assert [(r.name, r.depth) for r in found] == [("", 0), ("0", 1), ("1", 1), ("2", 1), ("2.0", 2), ("2.1", 2)]
    assert found["0"].calls == 2 and "2 calls" in found["0"].note and found["2.0"].parameters == 0 and "is 0" in found["2.0"].note
    assert found["2.1"].output == [(2, 3), [(1, 3), (1, 3)]]
    assert found["1"].calls == 0 and found["1"].note == "fused with 0"
    assert found.parameters == sum(p.numel() for p in model.parameters()) == found["0"].parameters + found["2.1"].parameters
    assert found.macs == 2 * 2 * 16 + 2 * 12 * 7
    text = str(found)
    assert "2.1" not in text and "LSTM" not in text and "multiply-add is 2" in text
    with pytest.raises(KeyError, match="no module is called 'x'"):
        found["x"]


def test_frozen_parameters_are_not_trainable_and_kwargs_reach_the_model():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x, *, y):
            return self.a(x), {"y": self.b(y)}
    net = Net()
    net.a.requires_grad_(False)
    found = fn.summary(net, {"x": fn.rand(4, 3), "y": fn.rand(5, 3)}, columns=("trainable", "flops"))
    assert (found.parameters, found.trainable) == (16, 8)
    assert found[0].output == [(4, 2), (5, 2)]
    assert "trainable" in str(found).splitlines()[0]


def test_nothing_changes():
    fn.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 2))
    model[1].eval()
    model[5].weight.grad = fn.ones(2, 144)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    modes, state, call = [m.training for m in model.modules()], fn.get_rng_state(), Module.__call__
    fn.summary(model, (2, 1, 8, 8))
    fn.summary(model, (2, 1, 8, 8), mode="eval")
    assert [m.training for m in model.modules()] == modes and (fn.get_rng_state() == state).all() and Module.__call__ is call
    assert all((v == before[k]).all() for k, v in model.state_dict().items())
    assert (model[5].weight.grad == 1).all() and model[0].weight.grad is None


def test_an_exception_leaves_no_trace():
    class Bad(nn.Module):
        def forward(self, x):
            raise KeyError("oops")
    model = nn.Sequential(nn.BatchNorm1d(3), Bad())
    call = Module.__call__
    with pytest.raises(KeyError, match="oops"):
        fn.summary(model, (4, 3))
    assert Module.__call__ is call and (model[0].running_mean == 0).all()
    assert fn._core.launch._record_launches(None) is None
    assert fn.summary(model[0], (4, 3)).parameters == 6


def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1),
                         nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, 10))


@pytest.mark.parametrize("make, shape", [
    (cnn, (64, 1, 8, 8)),
    (lambda: nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)), (128, 784)),
    (lambda: fn.models.resnet18(10, stem="cifar", width=16), (8, 3, 32, 32)),
], ids=["cnn", "mlp", "resnet"])
def test_estimated_memory_of_a_training_step(make, shape):
    gc.collect()
    before = fn.memory_stats()["live_bytes"]
    model = make()
    found = fn.summary(model, shape)
    optimizer = fn.optim.Adam(model.parameters())
    x, y = fn.rand(*shape), fn.zeros(shape[0], dtype=fn.int64)
    for _ in range(2):
        fn.reset_peak_memory_stats()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    peak = fn.memory_stats()["peak_bytes"] - before
    assert 0.8 < found.training_bytes / peak < 1.25
    assert fn.summary(model, shape, optimizer=optimizer).training_bytes == pytest.approx(found.training_bytes, rel=0.02)


@pytest.mark.parametrize("arguments, error, message", [
    ((3, (1, 2)), TypeError, "model must be a Module"), ((nn.ReLU(), 3), TypeError, "input must be a shape"),
    ((nn.ReLU(), (2, -1)), ValueError, "at least 0"), ((nn.ReLU(), ()), TypeError, "input must be a shape")])
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        fn.summary(*arguments)


def test_what_batch_norm_refuses_in_training_has_a_hint():
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="more than 1 value per channel.*mode='eval' may do"):
        fn.summary(net, (1, 3))
    assert fn.summary(net, (1, 3), mode="eval")[0].output == (1, 3)


def test_what_takes_integers_has_a_hint():
    net = nn.Embedding(5, 3)
    with pytest.raises(TypeError, match="index must hold integers.*dtypes=fastnet.int64"):
        fn.summary(net, (2, 4))
    assert fn.summary(net, (2, 4), dtypes=fn.int64)[0].output == (2, 4, 3)


def test_refused_options():
    for options, error in (({"mode": "test"}, "mode must be"), ({"columns": ("size",)}, "columns must be"),
                           ({"dtypes": [fn.float32] * 2}, "2 dtypes")):
        with pytest.raises(ValueError, match=error):
            fn.summary(nn.ReLU(), (2, 3), **options)
    with pytest.raises(TypeError, match="optimizer must be"):
        fn.summary(nn.ReLU(), (2, 3), optimizer="adam")
