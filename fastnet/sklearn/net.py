"""NetClassifier and NetRegressor: any Module as a scikit-learn estimator."""
from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

import fastnet as fn
from fastnet import nn
from fastnet.metrics.scores import softmax
from fastnet.sklearn.net_fit import make_module, make_optimizer, shaped, train
from fastnet.sklearn.targets import ClassTargets, check_fit_input, draw, seeded


class _Net(BaseEstimator):
    """What both have in common; the arguments are described in `NetClassifier`."""

    n_outputs_: int
    _flat: bool

    def __init__(self, module: Any = None, *, loss: Any = None, optimizer: Any = "adam", lr: float = 1e-3, epochs: int = 20,
                 batch_size: int = 64, validation_fraction: float = 0.0, early_stopping: int | None = None, callbacks: Any = None,
                 random_state: Any = None, warm_start: bool = False, verbose: bool = False) -> None:
        self.module = module
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.callbacks = callbacks
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def _check_params(self) -> None:
        name = type(self).__name__
        for argument in ("epochs", "batch_size"):
            value = getattr(self, argument)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name}: {argument} must be a positive integer, got {value!r}")
        if self.early_stopping is not None and (not isinstance(self.early_stopping, Integral) or self.early_stopping < 1):
            raise ValueError(f"{name}: early_stopping must be None or a positive number of epochs, got {self.early_stopping!r}")
        if not isinstance(self.lr, Real) or self.lr < 0:
            raise ValueError(f"{name}: lr must be a number from 0 on, got {self.lr!r}")
        if not isinstance(self.validation_fraction, Real) or not 0 <= self.validation_fraction < 1:
            raise ValueError(f"{name}: validation_fraction must be in [0, 1), got {self.validation_fraction!r}")
        if self.loss is not None and not callable(self.loss):
            raise TypeError(f"{name}: loss must be callable, loss(output, target), or None, got {type(self.loss).__name__}")

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool, classes: Any = None) -> Any:
        self._check_params()
        again = hasattr(self, "module_") and (self.warm_start or incremental)
        X, y, weight = check_fit_input(self, X, y, sample_weight, reset=not again, allow_nd=True)
        target = self._targets(y, again, classes)
        if not again:
            self._rng = draw(self.random_state)
        with seeded(self._rng.randint(2**31)):
            if not again:
                self.module_ = make_module(self.module, X.shape[1], self.n_outputs_, getattr(fn, X.dtype.name), type(self).__name__)
                self.history_: list[dict[str, Any]] = []
            if not (incremental and again):
                self._optimizer = make_optimizer(self.optimizer, self.module_, self.lr, type(self).__name__)
            dtype = self._dtype()
            parts = [X.astype(dtype, copy=False), target.astype(dtype, copy=False) if target.dtype.kind == "f" else target]
            parts += [] if weight is None else [weight.astype(dtype, copy=False)]
            held = None
            if self.validation_fraction and not incremental:
                part, rest = train_test_split(np.arange(len(X)), test_size=self.validation_fraction, random_state=self._rng,
                                              stratify=self._strata(y))
                parts, held = [a[part] for a in parts], [a[rest] for a in parts]
            trainer = train(self, self.module_, self._optimizer, parts, held, self.loss or self._default_loss(),
                            1 if incremental else self.epochs, self._rng)
        self.history_ = self.history_ + [dict(record) for record in trainer.history]
        self.n_iter_ = len(self.history_)
        return self

    def _dtype(self) -> Any:
        """NumPy's dtype of the module's parameters."""
        first = next((p for p in self.module_.parameters()), None)
        return np.float32 if first is None else first.detach().numpy().dtype

    def _forward(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "module_")
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), order="C", allow_nd=True).astype(self._dtype(), copy=False)
        with fn.no_grad():
            pieces = [X[i:i + 1024] for i in range(0, len(X), 1024)]
            return np.concatenate([shaped(self.module_(fn.from_numpy(x)), x, self).numpy() for x in pieces])


class NetClassifier(ClassifierMixin, _Net):
    """Any Module as a classifier, trained by `fastnet.Trainer`.

    The module gives logits, (n, classes), for a batch (n, features) or (n, ...); it computes in the dtype of its parameters.

    Args:
        module: a Module, which is copied for each fit; or a callable that makes one of ``(n_features, n_outputs)``, or of no arguments;
            None is one hidden layer of 100 rectified units, in the dtype of X.
        loss: ``loss(output, target)``, a mean over the batch; None is cross-entropy. The target is an index of `classes_`.
        optimizer: "adam", "adamw", "rmsprop", "sgd"; or a callable: ``optimizer(parameters, lr=lr)``.
        lr: learning rate.
        epochs: passes over the data.
        batch_size: samples a step.
        validation_fraction: part of the samples held back and measured after each epoch; 0 holds nothing back.
        early_stopping: stop after so many epochs without a better loss, on the validation samples if there are any, and take the best
            weights; None never stops.
        callbacks: of `fastnet.training.Callback`; they are used as they are, not copied.
        random_state: seed, generator or None: initial weights, dropout, order, validation samples.
        warm_start: the next `fit` begins with the weights of the last.
        verbose: the Trainer's progress.

    Attributes after `fit`: `classes_`, `module_`, `history_` (a dict per epoch), `n_iter_`, `n_features_in_`, `feature_names_in_`.

    >>> import fastnet as fn
    >>> from fastnet.sklearn import NetClassifier
    >>> net = NetClassifier(lambda n, k: fn.nn.Sequential(fn.nn.Linear(n, 8), fn.nn.ReLU(), fn.nn.Linear(8, k)), lr=0.05, random_state=0)
    >>> net.fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]).predict([[0.2], [2.7]]).tolist()
    ['low', 'high']
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetClassifier:
        """Train.

        Args:
            X: (n, features) or (n, ...), dense.
            y: labels (n,).
            sample_weight: (n,), how much each sample counts; needs a loss with a `reduction`, as those of `fastnet.nn` have.

        Returns: the estimator.
        """
        return self._fit(X, y, sample_weight, False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> NetClassifier:
        """Train for one epoch on these samples, holding none back; the first call must name all `classes`."""
        if classes is None and not hasattr(self, "classes_"):
            raise ValueError(f"{type(self).__name__}: classes must be given in the first call of partial_fit")
        if classes is not None and hasattr(self, "classes_") and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(f"{type(self).__name__}: classes {np.unique(classes)} are not those of the first call, {self.classes_}")
        return self._fit(X, y, sample_weight, True, classes)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable labels (n,)."""
        logits = self._forward(X)
        return self.classes_[logits.argmax(1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n, classes), in the order of `classes_`: the softmax of the module's output."""
        return softmax(self._forward(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _targets(self, y: np.ndarray, again: bool, classes: Any) -> np.ndarray:
        if not again:
            self._encoder = ClassTargets(y, classes, binary=False)
            self.classes_, self.n_outputs_ = self._encoder.classes, self._encoder.outputs
        return self._encoder.encode(y, np.float64)

    def _strata(self, y: np.ndarray) -> Any:
        """The labels, if every class can be on both sides."""
        counts, held = np.unique(y, return_counts=True)[1], int(len(y) * self.validation_fraction)
        return y if counts.min() > 1 and len(counts) <= min(held, len(y) - held - 1) else None

    def _default_loss(self) -> nn.Module:
        return nn.CrossEntropyLoss()


class NetRegressor(RegressorMixin, _Net):
    """Any Module as a regressor, trained by `fastnet.Trainer`.

    The module gives (n, outputs), or (n,) for one output; it computes in the dtype of its parameters.

    Args: those of `NetClassifier`; `loss` None is the mean squared error, and the target is (n, outputs).

    >>> import fastnet as fn
    >>> from fastnet.sklearn import NetRegressor
    >>> net = NetRegressor(fn.nn.Linear(1, 1), lr=0.1, epochs=300).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> float(net.predict([[3.0]])[0].round(2))
    7.0
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetRegressor:
        """Train.

        Args:
            X: (n, features) or (n, ...), dense.
            y: numbers (n,) or (n, outputs).
            sample_weight: (n,), how much each sample counts; needs a loss with a `reduction`, as those of `fastnet.nn` have.

        Returns: the estimator.
        """
        return self._fit(X, y, sample_weight, False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetRegressor:
        """Train for one epoch on these samples, holding none back."""
        return self._fit(X, y, sample_weight, True)

    def predict(self, X: Any) -> np.ndarray:
        """Numbers (n,) or (n, outputs), as y was."""
        output = self._forward(X)
        return output[:, 0] if self._flat else output

    def _targets(self, y: np.ndarray, again: bool, classes: Any) -> np.ndarray:
        if again and ((y.ndim == 1) != self._flat or y.ndim == 2 and y.shape[1] != self.n_outputs_):
            raise ValueError(f"{type(self).__name__}: y {y.shape} is not of the form of the first fit, with {self.n_outputs_} outputs")
        self._flat, self.n_outputs_ = y.ndim == 1, 1 if y.ndim == 1 else y.shape[1]
        return y.reshape(len(y), -1).astype(np.float64)

    def _strata(self, y: np.ndarray) -> Any:
        return None

    def _default_loss(self) -> nn.Module:
        return nn.MSELoss()
