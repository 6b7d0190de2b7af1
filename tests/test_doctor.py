"""The gradient doctor: a verdict for each illness, none for healthy networks."""
import math

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.doctor import diagnose, first_nonfinite

CE = nn.CrossEntropyLoss()
X, Y = load_digits("train")
X = X.reshape(len(X), -1)


@pytest.fixture(autouse=True)
def seeded():
    fn.manual_seed(0)


def mlp(activation=nn.ReLU, depth=2, width=64, norm=False):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(64, width), *([nn.BatchNorm1d(width)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def batches(x=X, y=Y, n=8, size=64):
    order = np.random.default_rng(0).permutation(len(x))
    return [(fn.from_numpy(x[i]), fn.from_numpy(y[i])) for i in np.array_split(order[:n * size], n)]


def sgd(model, lr=0.1):
    return fn.optim.SGD(model.parameters(), lr=lr)


def names(report):
    return [v.name for v in report.verdicts]


# ---- healthy networks

def images(channels, side):
    g = np.random.default_rng(0)
    return [(fn.from_numpy(g.standard_normal((32, channels, side, side)).astype(np.float32)), fn.from_numpy(g.integers(0, 10, 32)))
            for _ in range(6)]


def text():
    words = np.random.default_rng(0).integers(0, 65, (6, 8, 25))
    return [(fn.from_numpy(w[:, :-1].copy()), fn.from_numpy(w[:, 1:].copy())) for w in words]


def language(output, target):
    return nn.functional.cross_entropy((output[0] if isinstance(output, tuple) else output).reshape(-1, 65), target.reshape(-1))


def cnn():
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))


def kaiming():
    model = mlp(depth=4)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model


HEALTHY = {
    "ResNet-50, few samples": (lambda: fn.models.resnet50(num_classes=10, width=8), CE,
                               lambda: [(x[:8], y[:8]) for x, y in images(3, 64)[:2]], lambda p: fn.optim.SGD(p, lr=0.01)),
    "perceptron": (kaiming, CE, batches, lambda p: fn.optim.SGD(p, lr=0.1)),
    "perceptron, Adam": (mlp, CE, batches, lambda p: fn.optim.Adam(p, lr=3e-3)),
    "convolutions": (cnn, CE, batches, lambda p: fn.optim.SGD(p, lr=0.05, momentum=0.9)),
    "LeNet": (fn.models.LeNet5, CE, lambda: images(1, 28), lambda p: fn.optim.SGD(p, lr=0.01, momentum=0.9)),
    "ResNet-18": (lambda: fn.models.resnet18(num_classes=10, width=16, stem="cifar"), CE, lambda: images(3, 32)[:4],
                  lambda p: fn.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=5e-4)),
    "ResNet-18, zero residuals": (lambda: fn.models.resnet18(num_classes=10, width=8, stem="cifar", zero_init_residual=True), CE,
                                  lambda: images(3, 16), lambda p: fn.optim.SGD(p, lr=0.05)),
    "LSTM": (lambda: fn.models.LSTMLanguageModel(65, 64, 64, tie_weights=True), language, text, lambda p: fn.optim.Adam(p, lr=2e-3)),
    "GPT": (lambda: fn.models.GPT(vocab_size=65, block_size=32, n_layer=3, n_head=4, n_embd=64), language, text,
            lambda p: fn.optim.AdamW(p, lr=1e-3)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_no_false_alarm(name):
    make, loss, data, optimizer = HEALTHY[name]
    model = make()
    assert not diagnose(model, loss, data(), optimizer=optimizer(model.parameters())).verdicts
    assert not diagnose(model, loss, data()[:2]).verdicts


# ---- ill ones

def test_vanishing_and_two_cures():
    report = diagnose(mlp(nn.Sigmoid, 10), CE, batches())
    verdict, = report.named("vanishing")
    assert report.depth_ratio == verdict.numbers["ratio"] < 1e-5 and verdict.layer == "0" and "BatchNorm" in verdict.cure
    assert "vanishing" not in names(diagnose(mlp(nn.Sigmoid, 10, norm=True), CE, batches()))
    assert "vanishing" not in names(diagnose(kaiming(), CE, batches()))


def test_the_ratio_is_that_of_the_gradients():
    """Against gradients of the layers' outputs that hooks give."""
    model, (x, y) = mlp(nn.Tanh, 3), batches(n=1, size=64)[0]
    norms, h = [], x
    for layer in model:
        h = layer(h)
        if isinstance(layer, nn.Linear) and layer is model[-1] or isinstance(layer, nn.Tanh):
            h.register_hook(lambda g: norms.append(float(np.linalg.norm(g.numpy()))))
    CE(h, y).backward()
    report = diagnose(model, CE, [(x, y)])
    np.testing.assert_allclose(list(report.flow().values()), norms[::-1], rtol=1e-4)
    assert report.depth_ratio == pytest.approx(norms[-1] / norms[0], rel=1e-4)


def test_exploding_with_depth():
    model = mlp(depth=8)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.6)
    verdict, = diagnose(model, CE, batches()).named("exploding")
    assert verdict.numbers["ratio"] > 1e3


class Recurrent(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.rnn, self.out = nn.RNN(4, 32, batch_first=True, nonlinearity="relu"), nn.Linear(32, 2)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=gain)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def test_exploding_in_time():
    data = [(fn.randn(32, 40, 4), fn.randint(0, 2, (32,))) for _ in range(4)]
    verdict, = diagnose(Recurrent(3.0), CE, data).named("exploding")
    assert verdict.layer.startswith("rnn.") and "clip" in verdict.cure and verdict.numbers["gradient_over_weight"] > 100
    assert not diagnose(Recurrent(1.0), CE, data).verdicts


@pytest.mark.parametrize("functional", (False, True))
def test_dead_relu(functional):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(64, 64), nn.Linear(64, 10)

        def forward(self, x):
            return self.b(nn.functional.relu(self.a(x)))
    model = Net() if functional else mlp(depth=1)
    first = model.a if functional else model[0]
    with fn.no_grad():
        first.bias[:48] = -10.0
    verdict, = diagnose(model, CE, batches()).named("dead relu")
    assert verdict.layer == ("relu after a" if functional else "0") and 0.75 <= verdict.numbers["dead"] < 0.9
    assert verdict.severity == "warning" and "LeakyReLU" in verdict.cure


class Reader(nn.Module):
    """A recurrent layer over the rows of the digits, and what its last state says."""

    def __init__(self, kind, scale=1.0, **options):
        super().__init__()
        self.rnn, self.scale = kind(8, 32, batch_first=True, **options), scale
        self.out = nn.Linear(self.rnn.hidden_size * (2 if options.get("bidirectional") else 1), 10)

    def forward(self, x):
        return self.out(self.rnn(x.view(-1, 8, 8) * self.scale)[0][:, -1])


@pytest.mark.parametrize("kind, options", [(nn.LSTM, {}), (nn.LSTM, {"num_layers": 2, "bidirectional": True}), (nn.GRU, {}), (nn.RNN, {})])
def test_gates_that_are_stuck(kind, options):
    assert "saturated" not in names(diagnose(Reader(kind, **options), CE, batches()))
    if options:                                            # the second layer's input is small: look at the gates themselves
        model = Reader(kind, **options)
        with fn.no_grad():
            for name, p in model.rnn.named_parameters():
                if "bias" in name:
                    p.fill_(-9.0)
    else:
        model = Reader(kind, 200.0)
    verdict, = diagnose(model, CE, batches()).named("saturated")
    assert verdict.layer == "rnn" and verdict.numbers["saturated"] > 0.5 and "are stuck" in str(verdict)


def test_the_gates_are_those_of_the_formula():
    """An LSTM's, step by step in NumPy; an open forget gate is not stuck."""
    from fastnet.doctor.watch import Watch
    model, (x, _) = Reader(nn.LSTM, 40.0), batches(n=1)[0]
    with fn.no_grad():
        model.rnn.bias_hh_l0[32:64] = 30.0                 # every forget gate is open
    watch = Watch(model)
    watch.arm()
    model(x)
    watch.disarm()
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy().astype(np.float64) for p in model.rnn.parameters())
    h = c = np.zeros((len(x), 32))
    found = []
    for t in range(8):
        i, f, g, o = np.split(40.0 * x.numpy().reshape(-1, 8, 8)[:, t] @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, 1)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c = f * c + i * g
        h = o * np.tanh(c)
        found.append([np.mean(i * (1 - i) < 0.0125), np.mean(f < 0.0127), np.mean(1 - g * g < 0.05), np.mean(o * (1 - o) < 0.0125)])
    want = np.mean(found, 0)
    gates = watch.evidence.layers["rnn"].gates
    assert list(gates) == ["input gate", "forget gate", "cell input", "output gate"] and gates["forget gate"] == want[1] == 0
    assert np.allclose(list(gates.values()), want, atol=0.03) and watch.evidence.layers["rnn"].saturated == np.mean(list(gates.values()))


@pytest.mark.parametrize("activation", (nn.Sigmoid, nn.Tanh))
def test_saturated(activation):
    model = mlp(activation, 2)
    with fn.no_grad():
        model[0].weight.mul_(100.0)
    verdict, = diagnose(model, CE, batches()).named("saturated")
    assert verdict.layer == "0" and verdict.numbers["saturated"] > 0.5
    last = nn.Sequential(nn.Linear(64, 1), nn.Sigmoid(), nn.Flatten(0))     # a probability at the end may be sure of itself
    with fn.no_grad():
        last[0].weight.mul_(1000.0)
    assert "saturated" not in names(diagnose(last, nn.BCELoss(), batches(X, (Y > 4).astype(np.float32))))


def test_learning_rates():
    def judged(optimizer, lr):
        model = mlp()
        return [n for n in names(diagnose(model, CE, batches(), optimizer=optimizer(model.parameters(), lr=lr))) if "rate" in n]
    assert judged(fn.optim.SGD, 30.0) == judged(fn.optim.Adam, 1.0) == ["learning rate too high"]
    assert judged(fn.optim.SGD, 1e-6) == judged(fn.optim.Adam, 1e-8) == judged(fn.optim.SGD, 1e-14) == ["learning rate too low"]
    assert judged(fn.optim.SGD, 0.1) == judged(fn.optim.Adam, 1e-2) == []


class Faulty(nn.Module):
    def __init__(self, fault):
        super().__init__()
        self.body, self.head, self.fault = nn.Linear(64, 10), nn.Linear(10, 10), fault

    def forward(self, x):
        return self.head(self.fault(self.body(x)))


class Log(nn.Module):
    def forward(self, x):
        return (x * 0).log()


@pytest.mark.parametrize("fault, where, op, layer", [
    (Log(), "forward", "LogBackward0", "fault"),
    (lambda y: y / (y * 0), "forward", "DivBackward0", ""),
    (lambda y: (y * 0).sqrt(), "backward", "SqrtBackward0", ""),
])
def test_the_first_op_that_is_not_finite(fault, where, op, layer):
    model = Faulty(fault)
    report = diagnose(model, CE, batches())
    verdict, = report.named("not finite")
    finding = first_nonfinite(model, lambda m, b: CE(m(b[0]), b[1]), batches()[0])
    assert (finding.where, finding.op, finding.layer) == (where, op, layer)
    assert report.steps == 1 and op.removesuffix("Backward0").lower() in verdict.explanation.lower()
    assert all(p.grad is None for p in model.parameters()) and not any("_hooked" in m.__dict__ for m in model.modules())


def test_parameters_and_inputs_that_are_not_finite():
    model = mlp()
    with fn.no_grad():
        model[2].weight[3, 3] = math.nan
    assert diagnose(model, CE, batches()).verdicts[0].explanation.startswith("the parameter 2.weight already holds nan")
    x = X.copy()
    x[:, 5] = np.inf
    assert "tensor 0 of the batch" in diagnose(mlp(), CE, batches(x)).verdicts[0].explanation
    assert first_nonfinite(mlp(), lambda m, b: CE(m(b[0]), b[1]), batches()[0]).where == "nowhere"


def test_unused_and_not_optimized_parameters():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare, self.frozen = nn.Linear(64, 10), nn.Linear(3, 3), nn.Linear(3, 3).requires_grad_(False)

        def forward(self, x):
            return self.used(x)
    verdict, = diagnose(Net(), CE, batches()).verdicts
    assert verdict.name == "unused parameter" and "spare.weight, spare.bias never" in verdict.explanation
    model = mlp()
    verdict, = diagnose(model, CE, batches(), optimizer=fn.optim.SGD(list(model.parameters())[2:], lr=0.1)).verdicts
    assert verdict.name == "not optimized" and verdict.layer == "0.weight"


@pytest.mark.parametrize("change", (lambda x: (x * 255).round(), lambda x: x * 1e-5, lambda x: x * 100 + 50,
                                    lambda x: np.where(np.arange(64) == 20, x * 1e5, x)))
def test_unscaled_inputs(change):
    assert "unscaled input" in names(diagnose(mlp(), CE, batches(change(X).astype(np.float32))))
    normalised = nn.Sequential(nn.BatchNorm1d(64), mlp())
    assert "unscaled input" not in names(diagnose(normalised, CE, batches(change(X).astype(np.float32))))


def test_labels():
    assert names(diagnose(mlp(), CE, batches(X[Y != 4], Y[Y != 4]))) == ["missing class"]
    rare = (Y != 4) | (np.arange(len(Y)) % 20 == 0)
    assert names(diagnose(mlp(), CE, batches(X[rare], Y[rare], 16))) == ["imbalanced classes"]
    verdict, = diagnose(mlp(), CE, batches(X, Y + 1)).verdicts
    assert verdict.name == "label out of range" and "11 outputs" in verdict.cure
    assert names(diagnose(mlp(), CE, batches(X, Y - 1)))[0] == "label out of range"
    binary = nn.Sequential(nn.Linear(64, 1), nn.Flatten(0))
    assert names(diagnose(binary, nn.BCEWithLogitsLoss(), batches(X, np.zeros(len(X), np.float32)))) == ["missing class"]
    ignored = np.where(np.arange(len(Y)) % 2, Y, -100)
    assert not diagnose(mlp(), CE, batches(X, ignored)).verdicts


def test_first_loss_and_constant_output():
    model = mlp()
    with fn.no_grad():
        model[-1].weight.mul_(100.0)
    assert names(diagnose(model, CE, batches())) == ["first loss"]
    model = mlp()
    with fn.no_grad():
        model[0].weight.zero_()
    assert "constant output" in names(diagnose(model, CE, batches()))
