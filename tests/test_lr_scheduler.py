"""optim.lr_scheduler: every schedule against its written-out formula, chained, resumed, refused."""
import io
import math
import warnings

import pytest

import fastnet as fn
from fastnet.optim import SGD, Adam
from fastnet.optim import lr_scheduler as lrs

N = 30


def sgd(*rates, momentum=0.9):
    return SGD([{"params": [fn.nn.Parameter(fn.ones(1))], "lr": lr} for lr in rates or (0.5,)], lr=0.1, momentum=momentum)


def run(scheduler, n=N, key="lr"):
    """What the first group holds at epochs 0 to n - 1."""
    out = []
    for _ in range(n):
        group = scheduler.optimizer.param_groups[0]
        out.append(group["betas"][0] if key == "beta" else group[key])
        scheduler.optimizer.step()
        scheduler.step()
    return out


def cosine(a, b, part):
    return b + (a - b) * (1 + math.cos(math.pi * part)) / 2


def restarts(epoch, first, factor):
    length = first
    while epoch >= length:
        epoch, length = epoch - length, length * factor
    return epoch / length


FORMULAS = {  # made from an optimizer with lr = 0.5: rate at epoch t
    "LambdaLR(o, lambda t: 0.9 ** t)": lambda t: 0.5 * 0.9**t,
    "MultiplicativeLR(o, lambda t: 1 - 0.01 * t)": lambda t: 0.5 * math.prod(1 - 0.01 * k for k in range(1, t + 1)),
    "StepLR(o, 4, 0.3)": lambda t: 0.5 * 0.3 ** (t // 4),
    "MultiStepLR(o, [3, 7, 7], 0.5)": lambda t: 0.5 * 0.5 ** sum(t >= m for m in (3, 7, 7)),
    "ConstantLR(o, 0.25, 6)": lambda t: 0.5 * (0.25 if t < 6 else 1),
    "LinearLR(o, 0.2, 0.8, 10)": lambda t: 0.5 * (0.2 + 0.6 * min(t, 10) / 10),
    "ExponentialLR(o, 0.9)": lambda t: 0.5 * 0.9**t,
    "PolynomialLR(o, 12, 1.5)": lambda t: 0.5 * (1 - min(t, 12) / 12) ** 1.5,
    "CosineAnnealingLR(o, 8, 0.01)": lambda t: cosine(0.5, 0.01, t / 8),
    "CosineAnnealingWarmRestarts(o, 3, 2, 0.01)": lambda t: cosine(0.5, 0.01, restarts(t, 3, 2)),
    "CosineAnnealingWarmRestarts(o, 5)": lambda t: cosine(0.5, 0.0, (t % 5) / 5),
    "CyclicLR(o, 0.1, 0.7, 4, 2)": lambda t: 0.1 + 0.6 * ((t % 6) / 4 if t % 6 <= 4 else (6 - t % 6) / 2),
    "CyclicLR(o, 0.1, 0.7, 3, mode='triangular2')": lambda t: 0.1 + 0.6 * (1 - abs(t % 6 - 3) / 3) / 2 ** (t // 6),
    "CyclicLR(o, 0.1, 0.7, 3, mode='exp_range', gamma=0.9)": lambda t: 0.1 + 0.6 * (1 - abs(t % 6 - 3) / 3) * 0.9**t,
    "CyclicLR(o, 0.1, 0.7, 3, scale_fn=lambda c: 1 / c)": lambda t: 0.1 + 0.6 * (1 - abs(t % 6 - 3) / 3) / (1 + t // 6),
    "OneCycleLR(o, 1.0, total_steps=31, pct_start=10 / 31)": lambda t: cosine(0.04, 1.0, t / 9) if t <= 9 else cosine(1.0, 4e-6,
                                                                                                                      (t - 9) / 21),
    "OneCycleLR(o, 1.0, epochs=1, steps_per_epoch=31, pct_start=10 / 31, anneal_strategy='linear', three_phase=True)":
        lambda t: (0.04 + 0.96 * t / 9 if t <= 9 else 1 - 0.96 * (t - 9) / 9 if t <= 18 else 0.04 + (4e-6 - 0.04) * (t - 18) / 12),
}


@pytest.mark.parametrize("made", FORMULAS)
def test_formula(made):
    scheduler = eval(f"lrs.{made}", {"lrs": lrs, "o": sgd()})
    assert run(scheduler) == pytest.approx([FORMULAS[made](t) for t in range(N)], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("made", FORMULAS)
def test_resume_from_state_dicts(made):
    whole = run(eval(f"lrs.{made}", {"lrs": lrs, "o": sgd()}))
    first = eval(f"lrs.{made}", {"lrs": lrs, "o": sgd()})
    run(first, 11)
    file = io.BytesIO()
    fn.save({"scheduler": first.state_dict(), "optimizer": first.optimizer.state_dict()}, file)
    file.seek(0)
    state = fn.load(file)
    second = eval(f"lrs.{made}", {"lrs": lrs, "o": sgd()})
    second.load_state_dict(state["scheduler"])
    second.optimizer.load_state_dict(state["optimizer"])
    assert run(second, N - 11) == pytest.approx(whole[11:], rel=1e-12, abs=1e-15)
    assert second.get_last_lr() == [second.optimizer.param_groups[0]["lr"]]


@pytest.mark.parametrize("made", [made for made in FORMULAS if made.split("(")[0] not in ("MultiplicativeLR", "CyclicLR", "OneCycleLR")])
def test_the_epoch_argument_seeks(made):
    scheduler = eval(f"lrs.{made}", {"lrs": lrs, "o": sgd()})
    scheduler.optimizer.step()
    for epoch in (17, 5, 9):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step(epoch)
        assert scheduler.get_last_lr()[0] == pytest.approx(FORMULAS[made](epoch), rel=1e-9, abs=1e-12)


def test_momentum_moves_against_the_rate():
    momenta = run(lrs.CyclicLR(sgd(), 0.1, 0.7, 4, 2, base_momentum=0.8, max_momentum=0.95), key="momentum")
    assert momenta == pytest.approx([0.95 - 0.15 * ((t % 6) / 4 if t % 6 <= 4 else (6 - t % 6) / 2) for t in range(N)])
    adam = Adam([fn.nn.Parameter(fn.ones(1))], lr=0.1)
    betas = run(lrs.OneCycleLR(adam, 1.0, total_steps=31, pct_start=10 / 31, base_momentum=0.8, max_momentum=0.9), key="beta")
    assert betas == pytest.approx([cosine(0.9, 0.8, t / 9) if t <= 9 else cosine(0.8, 0.9, (t - 9) / 21) for t in range(N)])
    assert adam.param_groups[0]["betas"][1] == 0.999


def test_groups_have_rates_of_their_own():
    optimizer = sgd(0.5, 0.2)
    scheduler = lrs.LambdaLR(optimizer, [lambda t: 0.5**t, lambda t: 1.0])
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25, 0.2] and [g["initial_lr"] for g in optimizer.param_groups] == [0.5, 0.2]
    assert scheduler.base_lrs == [0.5, 0.2]


def test_chained_schedules_multiply():
    optimizer = sgd()
    chained = lrs.ChainedScheduler([lrs.ConstantLR(optimizer, 0.1, 5), lrs.ExponentialLR(optimizer, 0.9)])
    assert run(chained) == pytest.approx([0.5 * (0.1 if t < 5 else 1) * 0.9**t for t in range(N)])
    assert chained.get_last_lr() == [optimizer.param_groups[0]["lr"]]


def test_sequential_schedules_take_turns():
    optimizer = sgd()
    warmup, decay, last = lrs.LinearLR(optimizer, 0.1, 1.0, 5), lrs.CosineAnnealingLR(optimizer, 10), lrs.ConstantLR(optimizer, 0.5, 100)
    scheduler = lrs.SequentialLR(optimizer, [warmup, decay, last], [5, 15])
    expected = [0.5 * (0.1 + 0.9 * t / 5) if t < 5 else cosine(0.5, 0, (t - 5) / 10) if t < 15 else 0.25 for t in range(N)]
    assert run(scheduler) == pytest.approx(expected, abs=1e-12)
    state = scheduler.state_dict()
    assert len(state["_schedulers"]) == 3 and state["last_epoch"] == N
    scheduler.load_state_dict(state)


def test_plateau():
    optimizer = sgd()
    scheduler = lrs.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=0.1, cooldown=2, min_lr=0.1)
    rates = []
    for loss in [1.0, 0.95, 0.95, 0.95,          # three steps without a tenth less: halved, then two that do not count
                 0.95, 0.95, 0.95, 0.95, 0.95,   # halved again
                 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]:
        scheduler.step(loss)
        rates.append(scheduler.get_last_lr()[0])
    assert rates == [0.5] * 3 + [0.25] * 5 + [0.125] * 5 + [0.1] * 2
    up = lrs.ReduceLROnPlateau(sgd(), mode="max", factor=0.1, patience=0, threshold_mode="abs", threshold=0.1)
    for measure in (0.5, 0.65, 0.7):
        up.step(fn.tensor(measure))
    assert up.get_last_lr() == [pytest.approx(0.05)] and up.best == pytest.approx(0.65)
    other = lrs.ReduceLROnPlateau(sgd(), mode="max")
    other.load_state_dict(up.state_dict())
    assert other.best == up.best and other.num_bad_epochs == up.num_bad_epochs


def test_warm_restarts_take_fractions():
    scheduler = lrs.CosineAnnealingWarmRestarts(sgd(), 4, 2)
    for epoch in (0.5, 3.25, 4.0, 11.5, 13.0):
        scheduler.step(epoch)
        assert scheduler.get_last_lr()[0] == pytest.approx(cosine(0.5, 0, restarts(epoch, 4, 2)))


def test_a_step_before_the_optimizers_is_noticed():
    scheduler = lrs.StepLR(sgd(), 1)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = lrs.StepLR(sgd(), 1)
        scheduler.optimizer.step()
        scheduler.step()


def test_a_tensor_rate_is_filled_in_place():
    rate = fn.tensor(0.5)
    optimizer = SGD([fn.nn.Parameter(fn.ones(1))], lr=rate)
    scheduler = lrs.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.25 and scheduler.get_last_lr() == [0.25]


def test_resuming_at_an_epoch_needs_initial_rates():
    with pytest.raises(KeyError, match="initial_lr"):
        lrs.StepLR(sgd(), 2, last_epoch=3)
    optimizer = sgd()
    optimizer.param_groups[0]["initial_lr"] = 0.5
    assert lrs.LambdaLR(optimizer, lambda t: 0.5**t, last_epoch=2).get_last_lr() == [0.5 * 0.5**3]


@pytest.mark.parametrize("make, error, message", [
    (lambda o: lrs.StepLR(3, 1), TypeError, "not an Optimizer"), (lambda o: lrs.StepLR(o, 0), ValueError, "step_size"),
    (lambda o: lrs.LambdaLR(o, [abs, abs]), ValueError, "same length"), (lambda o: lrs.LambdaLR(o, 3), TypeError, "function"),
    (lambda o: lrs.ConstantLR(o, 1.5), ValueError, "factor"), (lambda o: lrs.LinearLR(o, 0.0), ValueError, "start_factor"),
    (lambda o: lrs.LinearLR(o, 0.5, 1.5), ValueError, "end_factor"), (lambda o: lrs.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor"),
    (lambda o: lrs.ReduceLROnPlateau(o, mode="best"), ValueError, "mode"), (lambda o: lrs.CyclicLR(o, 0.1, 1.0, mode="x"), ValueError,
                                                                            "mode"),
    (lambda o: lrs.OneCycleLR(o, 1.0), ValueError, "total_steps"), (lambda o: lrs.OneCycleLR(o, 1.0, total_steps=-1), ValueError,
                                                                    "total_steps"),
    (lambda o: lrs.OneCycleLR(o, 1.0, total_steps=5, pct_start=2.0), ValueError, "pct_start"),
    (lambda o: lrs.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0"), (lambda o: lrs.SequentialLR(o, [], []), ValueError,
                                                                           "at least one"),
    (lambda o: lrs.SequentialLR(o, [lrs.StepLR(o, 1)], [3]), ValueError, "milestone"),
    (lambda o: lrs.ChainedScheduler([lrs.StepLR(o, 1), lrs.StepLR(sgd(), 1)]), ValueError, "same optimizer"),
    (lambda o: lrs.ChainedScheduler([lrs.ReduceLROnPlateau(o)]), ValueError, "ReduceLROnPlateau"),
    (lambda o: run(lrs.OneCycleLR(o, 1.0, total_steps=5), 9), ValueError, "Tried to step"),
])
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(sgd())
