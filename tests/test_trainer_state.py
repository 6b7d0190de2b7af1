"""Trainer: EMA against its formula, early stopping, best weights, which checkpoints there are, resume of what does not fit."""
import json
import math
import os
import signal

import numpy as np
import pytest
from training_cases import batches, network, same, trainer_of, weights

import fastnet as fn
from fastnet.training import EMA, Callback, Checkpoints, EarlyStopping


# ---- EMA

@pytest.mark.parametrize("warmup", [False, True])
def test_ema_against_its_formula(warmup):
    model = fn.nn.Sequential(fn.nn.Linear(4, 3), fn.nn.BatchNorm1d(3), fn.nn.Linear(3, 2))

    class Reference(Callback):
        def __init__(self, buffers):
            self.buffers, self.n = buffers, 0
            self.average = {k: v.numpy().astype("float64") for k, v in model.state_dict().items()}

        def on_step_end(self, trainer):
            self.n += 1
            d = min(0.9, (1 + self.n) / (10 + self.n)) if warmup else 0.9
            for name, value in model.state_dict().items():
                copied = name.endswith("tracked") or self.buffers == "copy" and "running" in name
                self.average[name] = value.numpy() if copied else d * self.average[name] + (1 - d) * value.numpy()
    for buffers in ("average", "copy"):
        reference = Reference(buffers)
        trainer = trainer_of(model, callbacks=[reference], ema=EMA(model, 0.9, warmup, buffers))
        trainer.fit(batches(), epochs=4)
        for name, value in trainer.ema.model_state_dict().items():
            np.testing.assert_allclose(value.numpy(), reference.average[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_ema_is_what_is_measured_and_the_weights_come_back():
    model = network()
    trainer = trainer_of(model, ema=0.99)
    before = weights(model)
    trainer.fit(batches(), batches(), epochs=1)
    mine = weights(model)
    twin = network()
    twin.load_state_dict(trainer.ema.model_state_dict())
    assert trainer.history[-1]["val_loss"] == trainer_of(twin).validate(batches())["loss"] != trainer_of(model).validate(batches())["loss"]
    assert fn.equal(trainer.predict(batches()), trainer_of(twin).predict(batches()))
    assert all((a == b).all() for a, b in zip(mine, weights(model))) and not all((a == b).all() for a, b in zip(before, mine))


def test_ema_of_tied_weights():
    class Tied(fn.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = fn.nn.Linear(4, 4), fn.nn.Linear(4, 4)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))[:, :2]
    model = Tied()
    trainer = trainer_of(model, ema=EMA(model, 0.5, warmup=False))
    trainer.fit(batches(), epochs=1)
    mine, averaged = model.a.weight.numpy(force=True).copy(), trainer.ema.model_state_dict()
    assert fn.equal(averaged["a.weight"], averaged["b.weight"]) and not np.array_equal(mine, averaged["a.weight"].numpy())
    with trainer.ema.applied():
        assert not np.array_equal(model.b.weight.detach().numpy(), mine)
    assert np.array_equal(model.b.weight.detach().numpy(), mine)


# ---- early stopping, best weights

class Scores(Callback):
    """Puts values of our choice into the records."""

    def __init__(self, *values):
        self.values = list(values)

    def on_validation_end(self, trainer):
        trainer.record["val_score"] = self.values[len(trainer.history)]


@pytest.mark.parametrize("options, last", [
    ({"patience": 2}, 4), ({"patience": 1}, 3), ({"patience": 3}, 7), ({"patience": 2, "mode": "max"}, 3),
    ({"patience": 2, "min_delta": 2.5}, 3), ({"patience": 0}, 3)])
def test_early_stopping(options, last):
    scores = Scores(6.0, 4.0, 5.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0)
    trainer = trainer_of(network(), callbacks=[scores, EarlyStopping("val_score", **options)])
    assert len(trainer.fit(batches(), batches(), epochs=7)) == last
    assert len(trainer.fit(batches(), batches(), epochs=1)) == last + 1     # a new fit counts anew


def test_early_stopping_gives_the_best_weights_back():
    best = {}

    class Keep(Callback):
        def on_record(self, trainer):
            best[len(trainer.history)] = weights(trainer.model)
    model = network()
    trainer = trainer_of(model, callbacks=[Scores(5.0, 4.0, 6.0, 7.0), Keep(), EarlyStopping("val_score", patience=2, restore_best=True)])
    trainer.fit(batches(), batches(), epochs=4)
    assert all((a == b).all() for a, b in zip(weights(model), best[2])) and not (best[2][0] == best[4][0]).all()


def test_best_weights_and_which_checkpoints_are_kept(tmp_path):
    kept = {}

    class Keep(Callback):
        def on_record(self, trainer):
            kept[len(trainer.history)] = weights(trainer.model)

        def on_checkpoint(self, trainer):
            files.append(trainer.checkpoint)
    files = []
    model = network()
    trainer = trainer_of(model, callbacks=[Scores(1.0, 3.0, math.nan, 2.0), Keep()], monitor="val_score", mode="max", out=tmp_path)
    trainer.fit(batches(), batches(), epochs=4)
    twin = network(1)
    twin.load_state_dict(fn.load(tmp_path / "best.fnet"))
    assert all((a == b).all() for a, b in zip(weights(twin), kept[2]))
    assert [path.name for path in trainer.checkpoints.files()] == ["step-000000016.fnet", "step-000000012.fnet"] and len(files) == 4
    assert [json.loads(line)["val_score"] for line in open(tmp_path / "log.jsonl")][:2] == [1.0, 3.0]


@pytest.mark.parametrize("name, mode, kept", [("val_accuracy", None, 3.0), ("val_top5", None, 3.0), ("val_mape", None, 1.0),
                                              ("val_accuracy", "min", 1.0)])
def test_which_values_are_better_follows_from_their_name(tmp_path, name, mode, kept):
    class Rename(Callback):
        def on_validation_end(self, trainer):
            trainer.record[name] = [2.0, 3.0, 1.0, 2.0][trainer.epoch - 1]

    stopping = EarlyStopping(name, mode, patience=9)
    trainer = trainer_of(network(), callbacks=[Rename(), stopping], monitor=name, mode=mode, out=tmp_path)
    trainer.fit(batches(), batches(), epochs=4)
    assert trainer.checkpoints.best_value == stopping.best == kept


def test_best_weights_beside_checkpoints_of_ones_own(tmp_path):
    trainer = trainer_of(network(), callbacks=[Scores(1.0, 3.0, 2.0)], monitor="val_score", mode="max", out=tmp_path,
                         checkpoints=Checkpoints(tmp_path / "elsewhere", keep=3))
    trainer.fit(batches(), batches(), epochs=3)
    middle = fn.load(trainer.checkpoints.files()[1])["model"]
    best = fn.load(tmp_path / "best.fnet")
    assert trainer.checkpoints.best_value == 3.0 and all(fn.equal(best[name], middle[name]) for name in middle)


def test_checkpoints_by_steps_and_by_time(tmp_path):
    class Written(Callback):
        def __init__(self):
            self.steps = []

        def on_checkpoint(self, trainer):
            self.steps.append(trainer.step)
    written = Written()
    by_steps = Checkpoints(tmp_path / "a", every_steps=3, every_epochs=2, keep=1)
    trainer_of(network(), callbacks=[written], checkpoints=by_steps).fit(batches(), epochs=4)
    assert written.steps == [3, 6, 8, 9, 12, 12, 15, 16]      # after step 12, and when it turned out to be the epoch's last
    assert len(list((tmp_path / "a").iterdir())) == 1
    written.steps.clear()
    by_time = Checkpoints(tmp_path / "b", every_epochs=None, every_seconds=1e-9)
    trainer_of(network(), callbacks=[written], checkpoints=by_time).fit(batches(), epochs=1)
    assert written.steps == [1, 2, 3, 4, 4]


def test_an_earlier_training_is_neither_mixed_in_nor_lost(tmp_path):
    trainer_of(network(), out=tmp_path).fit(batches(), epochs=2)
    with pytest.raises(ValueError, match="resume=True goes on from them, overwrite=True removes them"):
        trainer_of(network(), out=tmp_path).fit(batches(), epochs=2)
    trainer = trainer_of(network(), out=tmp_path)
    assert trainer.fit(batches(), epochs=1, overwrite=True)["step"] == [4]
    assert trainer.fit(batches(), epochs=1)["step"] == [4, 8]
    other = trainer_of(network(3))
    assert other.resume(tmp_path / "checkpoints").endswith("step-000000008.fnet")
    assert same(other.model, trainer.model) and other.fit(batches(), epochs=2)["step"] == [4, 8, 12]   # the second fit had done one


def test_from_an_older_checkpoint_later_ones_give_way(tmp_path):
    trainer_of(network(), out=tmp_path).fit(batches(), epochs=2)
    back = trainer_of(network(3), out=tmp_path)
    back.resume(os.path.relpath(tmp_path / "checkpoints" / "step-000000004.fnet"))
    assert back.fit(batches(), steps=6)["step"] == [4, 6]
    assert [path.name for path in back.checkpoints.files()] == ["step-000000006.fnet", "step-000000004.fnet"]


def test_resume_of_what_does_not_fit(tmp_path):
    trainer_of(network(), out=tmp_path).fit(batches(), epochs=1)
    wide = fn.nn.Linear(4, 2)
    with pytest.raises(RuntimeError, match="Missing key"):
        trainer_of(wide).resume(tmp_path / "checkpoints")
    with pytest.raises(ValueError, match="the checkpoint has no ema, this trainer has one"):
        trainer_of(network(), ema=0.9).resume(tmp_path / "checkpoints")
    model = network(5)
    before = weights(model)
    partial = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model[0].parameters(), lr=0.1), progress=False)
    with pytest.raises(ValueError, match=r"has parameter groups of \[4\] tensors, this one of \[2\]"):
        partial.resume(tmp_path / "checkpoints")
    assert all((a == b).all() for a, b in zip(before, weights(model)))
    with pytest.raises(FileNotFoundError):
        trainer_of(network(), out=tmp_path / "nowhere").resume()
    with pytest.raises(ValueError, match="is no checkpoint of a Trainer"):
        trainer_of(network()).resume(tmp_path / "best.fnet")
    with pytest.raises(ValueError, match="give the path"):
        trainer_of(network()).resume()


def test_a_training_that_was_stopped_early_is_over_when_it_is_resumed(tmp_path):
    def fit():
        trainer = trainer_of(network(), callbacks=[Scores(3.0, 4.0, 5.0, 5.0), EarlyStopping("val_score", patience=2)], out=tmp_path)
        return trainer.fit(batches(), batches(), epochs=4, resume=True)
    assert len(fit()) == 3 and len(fit()) == 3


def test_validation_after_an_interrupted_fit():
    class Interrupt(Callback):
        def on_step_end(self, trainer):
            signal.raise_signal(signal.SIGINT)
    trainer = trainer_of(network(), callbacks=[Interrupt()])
    assert len(trainer.fit(batches(), batches(), epochs=3)) == 0 and trainer.interrupted and trainer.step == 1
    assert trainer.validate(batches())["loss"] > 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    class Twice(Callback):
        def on_step_end(self, trainer):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer_of(network(), callbacks=[Twice()]).fit(batches(), epochs=1)


def test_metrics_of_several_numbers(tmp_path):
    class Several(fn.metrics.Metric):
        def reset(self):
            pass

        def update(self, output, target):
            pass

        def compute(self):
            return {"low": np.float32(0.25), "high": fn.tensor(0.75), "name": "text"}

    class Table(Several):
        def compute(self):
            return np.ones((2, 2), np.float16)
    trainer = trainer_of(network(), metrics={"s": Several(), "t": Table()}, out=tmp_path)
    record = trainer.fit(batches(), batches(), epochs=1)[-1]
    assert record["val_s_low"] == 0.25 and record["val_s_high"] == 0.75 and "val_s_name" not in record and record["val_t"].shape == (2, 2)
    assert json.loads(open(tmp_path / "log.jsonl").readline())["val_t"] == [[1.0, 1.0], [1.0, 1.0]]
    again = trainer_of(network(), metrics={"s": Several(), "t": Table()}, out=tmp_path)
    again.resume()
    assert (again.history[-1]["val_t"] == 1).all()
