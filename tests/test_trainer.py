"""Trainer: fit against the loop written by hand, accumulation, clipping, schedulers, callbacks, what is refused."""
import math

import numpy as np
import pytest
from training_cases import batches, data, network, same, trainer_of, weights

import fastnet as fn
from fastnet.training import BatchTransform, Callback, NonFiniteLoss
from fastnet.training.callback import EVENTS
from fastnet.training.schedule import by_step

LRS = fn.optim.lr_scheduler


# ---- the loop

def test_a_fit_is_the_loop_written_by_hand():
    model, twin = network(), network()
    history = trainer_of(model).fit(batches(), batches(n=10), epochs=3)
    optimizer, losses = fn.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9), []
    for _ in range(3):
        total = 0.0
        for x, y in batches():
            optimizer.zero_grad()
            loss = fn.nn.functional.mse_loss(twin(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / 20)
    assert same(model, twin) and history["train_loss"] == losses and history["epoch"] == [1, 2, 3] and history["step"] == [4, 8, 12]
    with fn.no_grad():
        assert history[-1]["val_loss"] == pytest.approx(np.mean([((model(x) - y) ** 2).mean().item() for x, y in batches(n=10)]), rel=1e-6)


@pytest.mark.parametrize("form", ["numpy batches", "lists", "tuple of arrays", "dataset", "loader", "generator"])
def test_data_of_every_form(form):
    x, y = data()
    forms = {"numpy batches": [(x[i:i + 5], y[i:i + 5]) for i in range(0, 20, 5)], "lists": [list(b) for b in batches()],
             "tuple of arrays": (x, y), "dataset": fn.utils.data.TensorDataset(fn.tensor(x), fn.tensor(y)),
             "loader": fn.utils.data.DataLoader(fn.utils.data.TensorDataset(fn.tensor(x), fn.tensor(y)), batch_size=5),
             "generator": (b for b in batches())}
    size = 5 if form in ("tuple of arrays", "dataset") else None
    trainer = trainer_of(network(), lr=0.0)
    assert trainer.fit(forms[form], epochs=1, batch_size=size)[-1]["step"] == 4
    assert trainer.history[-1]["train_loss"] == pytest.approx(trainer.validate(batches())["loss"], rel=1e-5)


def test_whoever_wants_to_know_the_epoch_is_told():
    class Told(fn.utils.data.Dataset):
        def __init__(self):
            self.epochs = []

        def set_epoch(self, epoch):
            self.epochs.append(epoch)

        def __len__(self):
            return 4

        def __getitem__(self, i):
            return np.ones(4, "float32"), np.ones(2, "float32")

    class Order(fn.utils.data.SequentialSampler):
        set_epoch, epochs = Told.set_epoch, []
    data = [Told(), Told()]
    both = fn.utils.data.Subset(fn.utils.data.ConcatDataset(data), [1, 5])
    sampler = Order(both)
    trainer_of(network()).fit(fn.utils.data.DataLoader(both, sampler=sampler), epochs=3)
    assert data[0].epochs == data[1].epochs == sampler.epochs == [0, 1, 2]


def test_a_batch_size_leaves_batches_as_they_are():
    x, y = data()
    history = trainer_of(network()).fit((x, y), batches(), epochs=1, batch_size=10)
    assert history[-1]["step"] == 2


def test_inputs_of_several_parts_and_batches_of_any_form():
    class Sum(fn.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = fn.nn.Linear(4, 2)

        def forward(self, a, b):
            return self.fc(a + b)
    x, y = data()
    model = Sum()
    assert trainer_of(model).fit([(x, x, y)], epochs=1)[-1]["step"] == 1

    def batch_loss(model, batch):
        output = model(batch["a"], batch["a"])
        return fn.nn.functional.mse_loss(output, batch["y"]), output, batch["y"]
    other = fn.Trainer(model, None, fn.optim.SGD(model.parameters(), lr=0.0), batch_loss=batch_loss, progress=False)
    assert other.fit([{"a": x, "y": y}], [{"a": x, "y": y}], epochs=1)[-1]["val_loss"] > 0


def test_steps_end_a_fit_in_the_middle_and_a_second_fit_goes_on():
    trainer = trainer_of(network())
    assert trainer.fit(batches(), steps=6)["step"] == [4, 6]
    assert trainer.fit(batches(), epochs=1)["step"] == [4, 6, 10]
    assert trainer.fit(batches(), epochs=5, steps=2)["step"][-1] == 12


def test_records_between_the_epochs():
    history = trainer_of(network()).fit(batches(size=2), batches(), epochs=2, validate_every=4)
    assert history["step"] == [4, 8, 10, 12, 16, 20] and history["epoch"] == [1, 1, 1, 2, 2, 2]
    assert all(record["val_loss"] > 0 for record in history)


def test_modes_are_given_back_and_gradients_are_off_in_validation():
    seen = []

    class Spy(fn.nn.Module):
        def forward(self, x):
            seen.append((self.training, fn.is_grad_enabled()))
            return x
    spy, frozen = Spy(), fn.nn.Dropout(0.9)
    model = fn.nn.Sequential(fn.nn.Linear(4, 2), spy, frozen)

    class Freeze(Callback):
        def on_fit_start(self, trainer):
            frozen.eval()
    trainer_of(model, callbacks=[Freeze()]).fit(batches(size=20), batches(size=20), epochs=2)
    assert seen == [(True, True), (False, False)] * 2 and not frozen.training and spy.training


def test_predict():
    model = network()
    trainer, (x, y) = trainer_of(model), data()
    with fn.no_grad():
        want = model(fn.tensor(x)).numpy()
    for given, more in ((batches(), {}), (fn.tensor(x), {}), (x, {"batch_size": 6}), ((x, y), {"batch_size": 6}), ([x[:9], x[9:]], {}),
                        ([(x[:9],), (x[9:],)], {}), (fn.tensor(x).split(7), {}), ([(x, y)], {"has_target": True})):
        np.testing.assert_allclose(trainer.predict(given, **more).numpy(), want, atol=1e-6)
    assert not any(param.grad is not None for param in model.parameters())


# ---- accumulation, clipping

@pytest.mark.parametrize("small, k", [(4, 2), (3, 3), (3, 10)])
def test_accumulation_equals_the_big_batch(small, k):
    """20 samples: a last group of fewer batches, the last of fewer samples, counts by its samples."""
    x, y = (fn.tensor(part, dtype=fn.float64) for part in data())
    models = network(dtype=fn.float64), network(dtype=fn.float64)
    parts = [(x[i:i + small], y[i:i + small]) for i in range(0, 20, small)]
    whole = [(x[i:i + small * k], y[i:i + small * k]) for i in range(0, 20, small * k)]
    histories = [trainer_of(models[0], accumulate=k).fit(parts, epochs=3), trainer_of(models[1]).fit(whole, epochs=3)]
    assert same(*models, tolerance=1e-14) and histories[0]["step"] == histories[1]["step"]
    np.testing.assert_allclose(histories[0]["train_loss"], histories[1]["train_loss"], rtol=1e-13)


def test_clipping_by_norm_then_by_value():
    class Look(Callback):
        def on_backward_end(self, trainer):
            self.before = [p.grad.numpy().copy() for p in trainer.parameters]

        def on_step_end(self, trainer):
            self.after = [p.grad.numpy().copy() for p in trainer.parameters]
    look = Look()
    trainer = trainer_of(network(), callbacks=[look], clip_norm=0.5, clip_value=0.1)
    trainer.fit(batches(size=20), epochs=1)
    norm = math.sqrt(sum((g.astype("float64") ** 2).sum() for g in look.before))
    assert norm > 0.5 and trainer.grad_norm == pytest.approx(norm, rel=1e-5)
    for before, after in zip(look.before, look.after):
        np.testing.assert_allclose(after, np.clip(before * 0.5 / norm, -0.1, 0.1), rtol=1e-5, atol=1e-7)


# ---- schedulers

def rates(scheduler_of, interval=None):
    """The rate of each step, over 3 epochs of 4 steps."""
    class Rates(Callback):
        def __init__(self):
            self.seen = []

        def on_step_start(self, trainer):
            self.seen.append(trainer.optimizer.param_groups[0]["lr"])
    model, look = network(), Rates()
    optimizer = fn.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    trainer = fn.Trainer(model, fn.nn.MSELoss(), optimizer, scheduler_of(optimizer), scheduler_interval=interval, callbacks=[look],
                         progress=False)
    trainer.fit(batches(), epochs=3)
    return look.seen


def test_schedulers_that_count_epochs_and_those_that_count_steps():
    assert rates(lambda o: LRS.StepLR(o, 1, 0.5)) == [1.0] * 4 + [0.5] * 4 + [0.25] * 4
    assert rates(lambda o: LRS.StepLR(o, 4, 0.5), "step") == [1.0] * 4 + [0.5] * 4 + [0.25] * 4
    assert rates(lambda o: LRS.LambdaLR(o, lambda n: 1 / (n + 1))) == [1.0] * 4 + [0.5] * 4 + [1 / 3] * 4
    one = rates(lambda o: LRS.OneCycleLR(o, 1.0, total_steps=12, anneal_strategy="linear", pct_start=0.5))
    np.testing.assert_allclose(one[:6], np.linspace(0.04, 1, 6), rtol=1e-12)
    assert one[6] > one[-1] and len(set(one)) == 12
    cyclic = rates(lambda o: LRS.CyclicLR(o, 0.0, 1.0, step_size_up=2))
    np.testing.assert_allclose(cyclic, [0, 0.5, 1, 0.5] * 3, atol=1e-12)
    assert len(set(rates(lambda o: LRS.OneCycleLR(o, 1.0, total_steps=12), "epoch"))) == 3


def test_a_plateau_goes_by_the_monitored_value():
    class Constant(Callback):
        def on_validation_end(self, trainer):
            trainer.record["val_score"] = 1.0
    seen, model = [], network()
    optimizer = fn.optim.SGD(model.parameters(), lr=1.0)
    trainer = fn.Trainer(model, fn.nn.MSELoss(), optimizer, LRS.ReduceLROnPlateau(optimizer, patience=0), monitor="val_score",
                         callbacks=[Constant()], progress=False)
    for _ in range(3):
        seen += [optimizer.param_groups[0]["lr"]]
        trainer.fit(batches(), batches(), epochs=1)
    assert seen == [1.0, 1.0, 0.1]                        # the second record is not better than the first
    with pytest.raises(ValueError, match="there is no 'val_f1' to monitor; there are train_loss"):
        fn.Trainer(model, fn.nn.MSELoss(), optimizer, LRS.ReduceLROnPlateau(optimizer), monitor="val_f1",
                   progress=False).fit(batches(), epochs=1)


def test_what_counts_steps():
    optimizer = fn.optim.SGD([fn.nn.Parameter(fn.ones(1))], lr=1.0, momentum=0.9)
    composed = LRS.SequentialLR(optimizer, [LRS.LinearLR(optimizer), LRS.CyclicLR(optimizer, 0.1, 1.0)], [5])
    assert by_step(composed) and by_step(LRS.ChainedScheduler([composed]))
    assert not by_step(LRS.SequentialLR(optimizer, [LRS.LinearLR(optimizer), LRS.ExponentialLR(optimizer, 0.9)], [5]))


# ---- callbacks

def test_the_order_of_events():
    class Journal(Callback):
        def __init__(self):
            self.said = []
    for event in EVENTS:
        setattr(Journal, event, lambda self, trainer, event=event: self.said.append(event))
    journal = Journal()
    trainer_of(network(), accumulate=2, callbacks=[journal]).fit(batches(size=10), batches(), epochs=2)
    step = ["on_step_start", "on_batch_start", "on_batch_start", "on_backward_end", "on_step_end"]
    epoch = ["on_epoch_start", *step, "on_validation_end", "on_record", "on_epoch_end"]
    assert journal.said == ["on_fit_start", *epoch, *epoch, "on_fit_end"]
    journal.said.clear()
    with pytest.raises(ZeroDivisionError):
        trainer_of(network(), callbacks=[journal]).fit((1 / 0 for _ in range(1)), epochs=1)
    assert journal.said == ["on_fit_start", "on_epoch_start", "on_exception"]


def test_a_callback_may_replace_the_batch_add_to_the_record_and_stop():
    class Meddle(Callback):
        def on_batch_start(self, trainer):
            x, y = trainer.batch
            trainer.batch = x * 0, y * 0 + 3

        def on_validation_end(self, trainer):
            trainer.record["val_more"] = 7.0

        def on_step_end(self, trainer):
            trainer.stop = trainer.step == 6
    model = fn.nn.Linear(4, 2)
    fn.nn.init.zeros_(model.bias)
    history = trainer_of(model, lr=0.0, callbacks=[Meddle()]).fit(batches(), batches(), epochs=9)
    assert history["train_loss"] == [9.0, 9.0] and history["step"] == [4, 6] and history["val_more"] == [7.0, 7.0]


def test_mixed_batches():
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((6, 1, 4, 4)).astype("float32"), rng.integers(0, 3, 6)
    model, seen = fn.nn.Sequential(fn.nn.Flatten(), fn.nn.Linear(16, 3)), []

    class Look(Callback):
        def on_backward_end(self, trainer):
            seen.append(trainer.batch)
    optimizer = fn.optim.SGD(model.parameters(), lr=0.0)
    mixing = BatchTransform(fn.transforms.MixUp(num_classes=3))
    trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), optimizer, callbacks=[mixing, Look()], progress=False)
    history = trainer.fit([batch], [batch], epochs=1)
    (x, y), = seen
    share = y.numpy().max(1).min()                        # of the larger part, where the two labels differ
    assert 0 < share < 1 and y.shape == (6, 3) and history[-1]["val_loss"] > 0
    other = [np.abs(x.numpy() - s * batch[0] - (1 - s) * np.roll(batch[0], 1, 0)).max() for s in (share, 1 - share)]
    assert min(other) < 1e-6


def test_metrics_in_training_and_validation():
    class Count(fn.metrics.Metric):
        sums = ("n",)

        def __init__(self):
            self.reset()

        def reset(self):
            self.n = 0

        def update(self, output, target):
            assert not output.requires_grad and output.shape == target.shape
            self.n += len(target)

        def compute(self):
            return np.float32(self.n)
    trainer = trainer_of(network(), metrics={"n": Count()}, train_metrics={"n": Count()}, accumulate=3)
    history = trainer.fit(batches(), batches(n=10), epochs=2)
    assert history["train_n"] == [20.0, 20.0] and history["val_n"] == [10.0, 10.0] and type(history[0]["val_n"]) is float


# ---- a loss that is not finite

def test_a_loss_that_is_not_finite():
    spoiled = [*batches(), (fn.full((5, 4), math.nan), fn.zeros(5, 2)), *batches()]
    model, clean = network(), network()
    with pytest.raises(NonFiniteLoss, match=r"became nan in epoch 1, step 5 \(batch 5 of the epoch\)"):
        trainer_of(model).fit(spoiled, epochs=1)
    trainer_of(clean).fit(batches(), epochs=1)
    assert same(model, clean)
    skipping, twice = network(), network()
    trainer = trainer_of(skipping, nonfinite="skip")
    trainer.fit(spoiled, epochs=1)
    trainer_of(twice).fit(batches() + batches(), epochs=1)
    assert same(skipping, twice) and trainer.skipped == 1 and trainer.step == 8

    class Spoil(Callback):                                # a loss that is finite, with a gradient that is not
        def on_backward_end(self, trainer):
            if trainer.batches == 2:
                trainer.parameters[0].grad.fill_(math.inf)
    careful, once = network(), network()
    with pytest.raises(NonFiniteLoss, match="norm of the gradients became inf in epoch 1, step 2"):
        trainer_of(careful, callbacks=[Spoil()], clip_norm=1.0).fit(batches(), epochs=1)
    trainer_of(once, clip_norm=1.0).fit(batches()[:1], epochs=1)
    assert same(careful, once)
    careless = network()
    trainer_of(careless, nonfinite="ignore").fit(spoiled, epochs=1)
    assert np.isnan(weights(careless)[0]).any()


# ---- what is refused

@pytest.mark.parametrize("options, message", [
    ({"accumulate": 0}, "accumulate must be a positive integer"), ({"clip_norm": 0}, "clip_norm must be above zero"),
    ({"clip_value": -1.0}, "clip_value must be above zero"), ({"nonfinite": "hide"}, "nonfinite must be"),
    ({"scheduler_interval": "step"}, "without a scheduler"), ({"scheduler_interval": "month"}, "scheduler_interval must be"),
    ({"mode": "least"}, "mode must be"), ({"checkpoints": True}, "needs out="), ({"ema": 1.0}, "decay must be in"),
    ({"batch_loss": print}, "either loss or batch_loss")])
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        trainer_of(network(), **options)


def test_calls_that_make_no_sense():
    trainer, (x, y), other = trainer_of(network()), data(), fn.optim.SGD(network().parameters(), lr=0.1)
    for call, kind, message in (
            (lambda: trainer.fit(batches()), ValueError, "give epochs or steps"),
            (lambda: trainer.fit(batches(), epochs=0), ValueError, "epochs must be a positive integer"),
            (lambda: trainer.fit((x, y), epochs=1), TypeError, "a tuple of arrays gives samples, not batches: give batch_size"),
            (lambda: trainer.fit(x, epochs=1), TypeError, "must be a DataLoader or another iterable of batches, got ndarray"),
            (lambda: trainer.fit([], epochs=1), ValueError, "the training data has no batch in epoch 1"),
            (lambda: trainer.fit(iter(batches()), epochs=2), ValueError, "no batch in epoch"),
            (lambda: trainer.fit([x], epochs=1), TypeError, r"a batch must be \(inputs..., target\), got a Tensor"),
            (lambda: trainer.fit([{"x": x}], epochs=1), TypeError, "got a dict of 1; Trainer.batch_loss"),
            (lambda: trainer.validate([]), ValueError, "the data has no batch"),
            (lambda: trainer.fit(batches(), epochs=1, resume=True), ValueError, "give Trainer out= or checkpoints="),
            (lambda: fn.Trainer(print, fn.nn.MSELoss(), trainer.optimizer), TypeError, "model must be a fastnet.nn.Module"),
            (lambda: fn.Trainer(trainer.model, fn.nn.MSELoss(), None), TypeError, "optimizer must be one of fastnet.optim"),
            (lambda: trainer_of(network(), callbacks=[print]), TypeError, "callbacks must be"),
            (lambda: trainer_of(network(), callbacks=fn.training.EarlyStopping()), TypeError, "callbacks must be a list"),
            (lambda: trainer_of(network(), metrics=[]), TypeError, "metrics must be a dict"),
            (lambda: trainer_of(network(), metrics={"a": "accuracy"}), TypeError, r"metrics\['a'\] must be an object with update"),
            (lambda: trainer_of(network(), metrics={"a": fn.metrics.Accuracy}), TypeError, "got the class Accuracy"),
            (lambda: fn.Trainer(network(), fn.nn.MSELoss(), trainer.optimizer), ValueError, "no parameter of the model"),
            (lambda: fn.Trainer(trainer.model, fn.nn.MSELoss, trainer.optimizer), TypeError, "loss is the class MSELoss; give an object"),
            (lambda: fn.Trainer(trainer.model, 3, trainer.optimizer), TypeError, "loss must be callable, got int"),
            (lambda: fn.Trainer(trainer.model, fn.nn.MSELoss(), trainer.optimizer, fn.optim.lr_scheduler.StepLR(other, 1)), ValueError,
             "scheduler is of another optimizer"),
            (lambda: fn.Trainer(trainer.model, fn.nn.MSELoss(), trainer.optimizer, fn.optim.lr_scheduler.StepLR), TypeError,
             "scheduler is the class StepLR"),
            (lambda: fn.Trainer(trainer.model, fn.nn.MSELoss(reduction="none"), trainer.optimizer).fit(batches(), epochs=1),
             TypeError, "loss must be a tensor of one element, got shape"),
            (lambda: fn.Trainer(trainer.model, lambda y, target: 0.0, trainer.optimizer).fit(batches(), epochs=1), TypeError,
             "one element, got float")):
        with pytest.raises(kind, match=message):
            call()
    model = network()
    optimizer = fn.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    short = fn.Trainer(model, fn.nn.MSELoss(), optimizer, LRS.OneCycleLR(optimizer, 1.0, total_steps=7), progress=False)
    with pytest.raises(ValueError, match=r"8 steps are to be made, but OneCycleLR\(total_steps=7\) has 7 left"):
        short.fit(batches(), epochs=2)
    with pytest.raises(ValueError, match="LBFGS"):
        fn.Trainer(model, fn.nn.MSELoss(), fn.optim.LBFGS(model.parameters()))
