"""The doctor at work: everything put back, training unchanged, what is sampled and shown."""
import io
import math
import re

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet._core.tape import journal
from fastnet.doctor import GradientDoctor, diagnose, gradient_flow, preserved
from fastnet.doctor.evidence import Layer
from fastnet.doctor.rules import _wall
from fastnet.doctor.sample import part, rms, rows
from fastnet.utils.data import TensorDataset
from test_doctor import CE, Faulty, X, Y, batches, kaiming, mlp, seeded, sgd  # noqa: F401


def test_diagnose_leaves_all_as_it_was():
    model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10)).eval()
    optimizer = fn.optim.Adam(model.parameters(), lr=1e-2)
    x, y = batches()[0]
    CE(model(x), y).backward()
    optimizer.step()
    state = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    gradients = [p.grad.numpy().copy() for p in model.parameters()]
    moments = [{k: np.array(v.numpy()) for k, v in s.items()} for s in optimizer.state_dict()["state"].values()]
    numbers = fn.get_rng_state().tolist(), np.random.get_state()[1].tolist()
    report = diagnose(model, CE, batches(), optimizer=optimizer)
    assert report.samples == 8 and report.losses[-1][1] < report.losses[0][1]
    assert all((state[k] == v.numpy()).all() for k, v in model.state_dict().items())
    assert all((g == p.grad.numpy()).all() for g, p in zip(gradients, model.parameters()))
    for before, after in zip(moments, optimizer.state_dict()["state"].values()):
        assert all((before[k] == after[k].numpy()).all() for k in before)
    assert numbers == (fn.get_rng_state().tolist(), np.random.get_state()[1].tolist())
    assert not model.training and "_hooked" not in model.__dict__ and not model._forward_hooks


def test_an_error_in_the_model_leaves_nothing_behind():
    model = Faulty(lambda y: y.reshape(3, 3))
    outer = []
    journal(outer)
    try:
        with pytest.raises(RuntimeError):
            diagnose(model, CE, batches())
    finally:
        assert journal(None) is outer
    assert "_hooked" not in model.__dict__ and not model._forward_hooks


def test_anomaly_detection_goes_on_around_a_diagnosis():
    noted = []
    journal(noted)
    try:
        diagnose(mlp(), CE, batches(n=2))
        assert journal(noted) is noted
        fn.ones(1, requires_grad=True) * 2
    finally:
        journal(None)
    assert noted[-1].name() == "MulBackward0"


def test_preserved_after_an_error():
    model = mlp()
    before = model[0].weight.tolist()
    with pytest.raises(KeyError), preserved(model):
        nn.init.zeros_(model[0].weight)
        raise KeyError
    assert model[0].weight.tolist() == before


def train(callbacks):
    fn.manual_seed(1)
    model = nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Flatten(),
                          nn.Dropout(0.2), nn.Linear(288, 10))
    trainer = fn.Trainer(model, CE, fn.optim.Adam(model.parameters()), callbacks=callbacks, accumulate=2, clip_norm=1.0, progress=False)
    trainer.fit(TensorDataset(fn.from_numpy(X[:640]), fn.from_numpy(Y[:640])), epochs=2, batch_size=32)
    return model


@pytest.mark.parametrize("every", (None, 1, 7))
def test_the_callback_changes_no_bit_of_the_training(every):
    doctor = GradientDoctor(every=every)
    plain, watched = train([]), train([doctor])
    assert all((p.numpy() == q.numpy()).all() for p, q in zip(plain.state_dict().values(), watched.state_dict().values()))
    report = doctor.report()
    assert report.steps == 20 and report.samples == {None: 3, 1: 20, 7: 3}[every]
    assert not report.verdicts and "_hooked" not in watched.__dict__
    assert list(report.layers) == ["1", "2", "6"] and report.layers["2"].activation == "Relu"
    assert [layer.normalised for layer in report.layers.values()] == [True, False, False]


def test_a_plain_loop():
    model = mlp()
    optimizer = sgd(model)
    with GradientDoctor(model, optimizer, every=2) as doctor:
        for x, y in batches():
            optimizer.zero_grad()
            loss = CE(model(x), y)
            loss.backward()
            doctor.after_backward(loss, y)
            optimizer.step()
            doctor.after_step()
    report = doctor.report()
    assert report.samples == 4 and report.steps == 8 and [s for s, _ in report.losses] == [0, 2, 4, 6]
    assert all(1e-4 < w.update < 1e-1 for w in report.parameters.values() if len(w.shape) > 1)
    expected = float(np.linalg.norm(model[0].weight.grad.numpy())) / 64
    assert report.parameters["0.weight"].gradients[-1] == pytest.approx(expected, rel=0.5)


def test_a_loss_that_is_not_finite_ends_the_fit_with_a_verdict():
    said = []
    model = Faulty(lambda y: (y - 100.0).log())
    trainer = fn.Trainer(model, CE, sgd(model), callbacks=[GradientDoctor(on_verdict=said.append)], progress=False)
    with pytest.raises(FloatingPointError, match=r"the loss became nan(?s:.*)\nGradientDoctor: error: not finite(?s:.*)log"):
        trainer.fit(batches(), epochs=1)
    assert [v.name for v in said] == ["not finite"] and "log" in said[0].explanation and "_hooked" not in model.__dict__


def test_a_jump_of_the_gradient_is_one_only_before_convergence():
    shrinking = [10.0 * 0.5 ** i for i in range(12)]
    assert _wall([*shrinking, 5.0]) is None               # above what came before, but not above the beginning
    assert _wall([1.0] * 6 + [500.0, 1.0]) == (500.0, 1.0) and _wall([1.0] * 3 + [500.0]) is None


def test_between_watched_steps_nothing_is_there():
    model = mlp()
    optimizer = sgd(model)
    doctor = GradientDoctor(model, optimizer, every=5)
    hooked = []
    for x, y in batches()[:6]:
        hooked.append("_hooked" in model.__dict__)
        CE(model(x), y).backward()
        doctor.after_backward()
        optimizer.step()
        doctor.after_step()
    assert hooked == [True, False, False, False, False, True]
    others = model.register_forward_hook(lambda *_: None)
    doctor.detach()
    assert model._hooked and len(model._forward_hooks) == 1
    others.remove()


# ---- what is shown

def test_the_report_prints_and_draws(tmp_path):
    model = mlp(nn.Sigmoid, 10)
    report = diagnose(model, CE, batches(), optimizer=sgd(model))
    text = repr(report)
    assert re.search(r"^0 +Linear\+Sigmoid +64x64 ", text, re.M) and "error: vanishing in 0" in text and "Cure: " in text
    assert not report.healthy and repr(diagnose(kaiming(), CE, batches())).endswith("No complaint.")
    report.save_svg(tmp_path / "flow.svg", "a < b")
    svg = (tmp_path / "flow.svg").read_text()
    assert svg.startswith("<svg") and "a &lt; b" in svg and svg.count("<circle") == 11
    assert gradient_flow({"a": [1.0, 0.0, math.nan], "b": [2.0, 3.0, 1e-9]}).count("<circle") == 4
    with pytest.raises(ValueError, match="no curve has"):
        gradient_flow({"a": [0.0]})


def test_plot(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    assert len(diagnose(mlp(), CE, batches()).plot().lines) == 1


def test_the_gradient_of_a_recurrence_of_which_only_the_last_output_is_read():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.out = nn.LSTM(4, 32, batch_first=True), nn.Linear(32, 3)

        def forward(self, x):
            return self.out(self.cell(x)[0][:, -1])

    model, x, y = Last(), fn.randn(16, 80, 4), fn.randint(0, 3, (16,))
    last = model.cell(x)[0].detach()[:, -1].requires_grad_()
    CE(model.out(last), y).backward()
    assert diagnose(model, CE, [(x, y)]).layers["cell"].gradient == pytest.approx(np.linalg.norm(last.grad.numpy()), rel=1e-4)


@pytest.mark.parametrize("on_verdict, shown", [(None, True), (False, False)])
def test_a_fit_that_shows_its_progress_names_what_is_ill(on_verdict, shown):
    stream, model = io.StringIO(), mlp()
    trainer = fn.Trainer(model, CE, sgd(model, lr=30.0), callbacks=[GradientDoctor(on_verdict=on_verdict)],
                         progress=fn.training.Progress(stream=stream))
    trainer.fit(batches(), epochs=1)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + shown and ("learning rate too high" in lines[-1] and lines[-1].startswith("GradientDoctor: ")) == shown


def test_samples():
    g = np.random.default_rng(0)
    x = g.standard_normal((256, 16, 24, 24)).astype(np.float32) + 1
    sample = rows(x, True)
    assert sample.shape[1] == 16 and 2000 < sample.size < 20000
    np.testing.assert_allclose(sample.mean(), x.mean(), atol=0.05)
    assert rows(x[:2, :, :1, :1], True).tolist() == x[:2, :, 0, 0].tolist()
    assert part(np.arange(10.0)).tolist() == list(range(10)) and len(part(g.standard_normal((5000, 100)))) < 20000
    assert rms(np.array([1e30, 1e30], np.float32)) == pytest.approx(1e30)
    layer = Layer("a", "Relu", "Relu")
    layer.see(np.array([[0.0, 1.0], [0.0, 0.0]]), (2, 2))
    layer.see(np.array([[0.0, 0.0], [2.0, 0.0]]), (2, 2))
    assert layer.zeros == 0.75 and layer.dead == 0 and layer.rows == 4


def test_what_is_refused():
    with pytest.raises(ValueError, match="either loss or batch_loss"):
        diagnose(mlp(), None, batches())
    with pytest.raises(ValueError, match="steps must be"):
        diagnose(mlp(), CE, batches(), steps=0)
    with pytest.raises(ValueError, match="no batch"):
        diagnose(mlp(), CE, [])
    model = mlp()
    with pytest.raises(ValueError, match="closure"):
        diagnose(model, CE, batches(), optimizer=fn.optim.LBFGS(model.parameters()))
    with pytest.raises(ValueError, match="every must be"):
        GradientDoctor(every=0)
    with pytest.raises(RuntimeError, match="no model yet"):
        GradientDoctor().report()
