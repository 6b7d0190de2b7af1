"""gradcheck_model: healthy models pass, wrong backwards are caught and named, kinks are told from errors."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import gradcheck_model, nn

CE = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def seeded():
    fn.manual_seed(0)


class Scaled(fn.autograd.Function):
    """2 x whose backward forgets the 2 by `wrong`."""

    @staticmethod
    def forward(ctx, x, wrong):
        ctx.wrong = wrong
        return x.detach() * 2

    @staticmethod
    def backward(ctx, gy):
        return gy * 2 * ctx.wrong, None


class Net(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.first, self.last, self.function = nn.Linear(6, 5), nn.Linear(5, 3), function

    def forward(self, x):
        return self.last(self.function(self.first(x)))


def batch(*shape, classes=3):
    return fn.randn(*shape), fn.randint(0, classes, (shape[0],))


HEALTHY = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), (5, 6)),
    "dropout": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(8, 3)), (5, 6)),
    "batch norm, pooling": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                                                  nn.Flatten(), nn.Linear(36, 3)), (4, 2, 6, 6)),
    "LSTM": (lambda: nn.Sequential(nn.LSTM(3, 4, batch_first=True), Last(), nn.Linear(4, 3)), (3, 5, 3)),
    "residual": (lambda: fn.models.resnet18(num_classes=3, width=4, stem="cifar"), (4, 3, 8, 8)),
    "attention": (lambda: nn.Sequential(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), First(), nn.Linear(6, 3)), (3, 4, 6)),
}


class Last(nn.Module):
    def forward(self, x):
        return x[0][:, -1]


class First(nn.Module):
    def forward(self, x):
        return x[:, 0]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_pass(name):
    make, shape = HEALTHY[name]
    model, data = make(), batch(*shape)
    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    seed = fn.get_rng_state().tolist()
    report = gradcheck_model(model, CE, data, points=3)
    assert report and report.worst.error < 1e-5, report
    assert fn.get_rng_state().tolist() == seed and all(p.grad is None for p in model.parameters())
    assert all((before[k] == v.numpy()).all() and before[k].dtype == v.numpy().dtype for k, v in model.state_dict().items())


@pytest.mark.parametrize("wrong, band", [(1.0, None), (1.001, "uncomfortable"), (1.5, "wrong"), (-1.0, "wrong")])
def test_a_wrong_backward_is_caught_and_named(wrong, band):
    report = gradcheck_model(Net(lambda x: Scaled.apply(x, wrong)), CE, batch(5, 6))
    assert bool(report) == (band is None)
    if band:
        assert report.worst.name.startswith("first.") and report.worst.band == band
        assert report.worst.error == pytest.approx(abs(wrong - 1) / max(1, abs(wrong)), rel=1e-3)
        assert {p.name: p.band for p in report.parameters}["last.weight"] in ("happy", "ok")
        assert f"fails: {report.worst.name} has a relative error of" in repr(report)


def test_a_detached_path_is_an_error():
    report = gradcheck_model(Net(lambda x: x.detach().tanh()), CE, batch(5, 6))
    assert not report and report.worst.missing and "backward gives it no gradient" in repr(report)


def test_kinks_are_reported_not_blamed():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with fn.no_grad():
        model[0].weight.zero_()                           # every unit lies at the corner of its ReLU
        model[0].bias.zero_()
    report = gradcheck_model(model, nn.MSELoss(), (fn.randn(4, 2), fn.randn(4, 1)))
    assert report and {p.name: p.kinks for p in report.parameters}["0.bias"] == 3 and "at kinks were left out" in repr(report)


def test_a_kink_within_the_step_is_no_error():
    """w lies 2e-6 above the corner: the step of 1e-5 goes over it, a smaller one does not."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    with fn.no_grad():
        model[0].weight.fill_(2e-6)
        model[0].bias.zero_()
    report = gradcheck_model(model, lambda y, t: (y * t).sum(), (fn.ones(1, 1), fn.ones(1, 1)))
    assert report and not any(p.kinks for p in report.parameters)


class Counting(nn.Module):
    """Multiplies by how often it was called, which is a buffer."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 3)
        self.register_buffer("calls", fn.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.body(x) * self.calls


def test_buffers_are_the_same_for_every_evaluation():
    model = Counting()
    assert gradcheck_model(model, CE, batch(5, 6)).worst.error < 1e-6 and model.calls.item() == 0


def test_batch_loss_and_frozen_parameters():
    model = Net(fn.tanh)
    model.last.requires_grad_(False)
    report = gradcheck_model(model, None, {"x": fn.randn(4, 6)}, batch_loss=lambda m, b: m(b["x"]).square().mean())
    assert report and [p.name.split(".")[0] for p in report.parameters] == ["first"] * 2


def test_what_is_refused():
    model, data = Net(fn.tanh), batch(5, 6)
    for arguments in ((model, None, data), (model.requires_grad_(False), CE, data)):
        with pytest.raises(ValueError, match="either loss|no parameter requires"):
            gradcheck_model(*arguments)
    model.requires_grad_(True)
    with pytest.raises(ValueError, match="one element"):
        gradcheck_model(model, lambda y, t: y, data)
    with pytest.raises(ValueError, match="the loss is nan"):
        gradcheck_model(model, lambda y, t: y.sum() * float("nan"), data)
    with pytest.raises(ValueError, match="must be positive"):
        gradcheck_model(model, CE, data, points=0)
    generator = np.random.default_rng(0)
    with pytest.raises(RuntimeError, match="two evaluations"):
        gradcheck_model(model, lambda y, t: y.sum() * generator.random(), data)
