"""Metrics of a Trainer: what they are where the network has diverged."""
import math

import pytest

import fastnet as fn
from fastnet.training import Callback


def test_metrics_of_a_network_that_has_diverged_are_nan_and_the_fit_goes_on():
    class Spoil(Callback):
        def on_epoch_start(self, trainer):
            with fn.no_grad():
                trainer.parameters[0].fill_(math.nan if trainer.epoch == 2 else 0.1)
    data = [(fn.randn(6, 3), fn.randint(0, 2, (6,)))] * 2
    model = fn.nn.Linear(3, 2)
    metrics = {"accuracy": fn.metrics.Accuracy(), "confidence": fn.metrics.Perplexity()}
    trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), fn.optim.SGD(model.parameters(), lr=0.1), metrics=metrics, nonfinite="ignore",
                         train_metrics={"accuracy": fn.metrics.Accuracy()}, callbacks=[Spoil()], progress=False)
    with pytest.warns(RuntimeWarning, match="no target has been counted"):
        history = trainer.fit(data, data, epochs=2)
    assert 0 <= history[0]["val_accuracy"] <= 1 and math.isnan(history[1]["val_accuracy"]) and math.isnan(history[1]["val_loss"])
    with pytest.raises(ValueError, match="Accuracy.update: output is NaN for 6 of 6 targets"):
        trainer.validate(data)

    class Refusing(fn.metrics.Accuracy):
        def update(self, output, target):
            raise ValueError("something else")
    with fn.no_grad():
        trainer.parameters[0].fill_(0.1)
        trainer.parameters[1].fill_(0.1)
    with pytest.raises(ValueError, match="something else"):
        fn.Trainer(model, fn.nn.CrossEntropyLoss(), trainer.optimizer, metrics={"m": Refusing()}, progress=False).fit(data, data, epochs=1)
