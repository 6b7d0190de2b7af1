"""MLPClassifier and MLPRegressor: scikit-learn's multilayer perceptrons, argument by argument, on fastnet's kernels."""
from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

import fastnet as fn
from fastnet import nn
from fastnet.sklearn.mlp_fit import ACTIVATIONS, build, fit_lbfgs, fit_stochastic, optimizer_for
from fastnet.sklearn.targets import ClassTargets, check_fit_input, draw, half_squared_error, seeded

SOLVERS = ("lbfgs", "sgd", "adam")
RATES = ("constant", "invscaling", "adaptive")


def _stochastic(e: Any) -> bool:
    if e.solver not in ("sgd", "adam"):
        raise AttributeError(f"partial_fit is for the solvers 'sgd' and 'adam', not {e.solver!r}")
    return True


class _MLP(BaseEstimator):
    """What both have in common; the arguments are described in `MLPClassifier`."""

    n_outputs_: int
    _dtype: Any
    _flat: bool

    def __init__(self, hidden_layer_sizes: Any = (100,), activation: str = "relu", *, solver: str = "adam", alpha: float = 0.0001,
                 batch_size: int | str = "auto", learning_rate: str = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5,
                 max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4, verbose: bool = False,
                 warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
                 validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
                 n_iter_no_change: int = 10, max_fun: int = 15000) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    def _check_params(self) -> list[int]:
        """The sizes of the hidden layers; ValueError for an argument that is out of range."""
        name = type(self).__name__
        hidden = self.hidden_layer_sizes
        sizes = [hidden] if isinstance(hidden, Integral) else list(hidden)
        if not all(isinstance(n, Integral) and int(n) > 0 for n in sizes):
            raise ValueError(f"{name}: hidden_layer_sizes must be positive integers, got {hidden!r}")
        for argument, allowed in (("activation", tuple(ACTIVATIONS)), ("solver", SOLVERS), ("learning_rate", RATES)):
            if getattr(self, argument) not in allowed:
                raise ValueError(f"{name}: {argument} must be one of {', '.join(allowed)}, got {getattr(self, argument)!r}")
        for argument in ("max_iter", "n_iter_no_change", "max_fun"):
            value = getattr(self, argument)
            if not isinstance(value, Integral) or int(value) < 1:
                raise ValueError(f"{name}: {argument} must be a positive integer, got {value!r}")
        parts = ("momentum", "beta_1", "beta_2", "validation_fraction")
        for argument in ("alpha", "learning_rate_init", "power_t", "tol", "epsilon", *parts):
            value = getattr(self, argument)
            if not isinstance(value, Real) or not 0 <= float(value) < (1 if argument in parts else math.inf):
                raise ValueError(f"{name}: {argument} must be a number from 0 {'to below 1' if argument in parts else 'on'}, got {value!r}")
        if self.batch_size != "auto" and not (isinstance(self.batch_size, Integral) and self.batch_size > 0):
            raise ValueError(f"{name}: batch_size must be 'auto' or a positive integer, got {self.batch_size!r}")
        if self.early_stopping and self.solver == "lbfgs":
            raise ValueError(f"{name}: early_stopping needs the solver 'sgd' or 'adam', not 'lbfgs'")
        return [int(n) for n in sizes]

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool, classes: Any = None) -> Any:
        hidden = self._check_params()
        if incremental and self.early_stopping:
            raise ValueError(f"{type(self).__name__}: partial_fit cannot hold samples back: early_stopping must be False")
        again = hasattr(self, "_model") and (self.warm_start or incremental)
        X, y, weight = check_fit_input(self, X, y, sample_weight, reset=not again)
        target = self._targets(y, again, classes, X.dtype)
        if again:
            X = X.astype(self._dtype, copy=False)
        else:
            self._rng = draw(self.random_state)
            self._dtype = X.dtype
            with seeded(0):                                   # layers draw weights, which `build` replaces
                self._model = build([X.shape[1], *hidden, self.n_outputs_], self.activation, getattr(fn, X.dtype.name), self._rng)
            self.n_layers_ = len(hidden) + 2
        target = target.astype(X.dtype, copy=False) if target.dtype.kind == "f" else target
        if not again or self.early_stopping != hasattr(self, "validation_scores_"):
            self._begin()
        if self.solver == "lbfgs":
            fit_lbfgs(self, X, target, weight, self._loss)
            return self
        score = None
        if self.early_stopping:
            X, target, weight, score = self._split(X, y, target, weight)
        if not (incremental and again):
            self._optimizer = optimizer_for(self, self._model)
        fit_stochastic(self, X, target, weight, self._loss, score, incremental)
        return self

    def _begin(self) -> None:
        self.n_iter_ = self.t_ = self._waited = 0
        self.loss_curve_: list[float] = []
        self.best_loss_ = math.inf
        if self.early_stopping:
            self.validation_scores_: list[float] = []
            self.best_validation_score_ = -math.inf
        elif hasattr(self, "validation_scores_"):
            del self.validation_scores_, self.best_validation_score_

    def _split(self, X: np.ndarray, y: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> tuple[Any, ...]:
        """The training part, and a function that scores the other."""
        part, held = train_test_split(np.arange(len(X)), test_size=self.validation_fraction, random_state=self._rng,
                                      stratify=self._strata(y))
        held_X, held_y, held_w = X[held], y[held], None if weight is None else weight[held]
        return X[part], target[part], None if weight is None else weight[part], lambda: self._score(held_y, self._output(held_X), held_w)

    def _output(self, X: np.ndarray) -> np.ndarray:
        """What the last layer gives, in pieces that stay in the cache."""
        with fn.no_grad():
            return np.concatenate([self._model(fn.from_numpy(X[i:i + 4096])).numpy() for i in range(0, max(len(X), 1), 4096)])

    def _forward(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "_model")
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), order="C")
        return self._output(X.astype(self._dtype, copy=False))

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The matrices, (inputs, outputs) each."""
        return [layer.weight.detach().numpy().T for layer in self._layers("coefs_")]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of the layers."""
        return [layer.bias.detach().numpy() for layer in self._layers("intercepts_")]

    def _layers(self, name: str) -> list[nn.Linear]:
        if not hasattr(self, "_model"):
            raise AttributeError(f"{type(self).__name__} has no {name} before fit")
        return [layer for layer in self._model if isinstance(layer, nn.Linear)]


class MLPClassifier(ClassifierMixin, _MLP):
    """A multilayer perceptron that classifies, trained on cross-entropy; arguments and attributes are scikit-learn's.

    Two classes, several, or a table of 0 and 1 (a column per label). It computes in the precision of X: float32 input trains about twice
    as fast as float64. Penalty, initial weights, order of the samples and rules for stopping are scikit-learn's; with "adam" and "sgd" the
    same `random_state` gives its weights to rounding.

    Args:
        hidden_layer_sizes: neurons of the hidden layers.
        activation: "identity", "logistic", "tanh" or "relu".
        solver: "adam", "sgd", or "lbfgs", which takes all samples at once and is good for small data.
        alpha: L2 penalty on the matrices: ``alpha / 2 |W|^2``, divided by the number of samples in the batch.
        batch_size: samples a step; "auto" is min(200, samples).
        learning_rate: of "sgd": "constant"; "invscaling": ``learning_rate_init / (samples seen + 1)^power_t``; "adaptive": a fifth whenever
            there was no progress for `n_iter_no_change` epochs.
        learning_rate_init: the rate of "adam" and "sgd".
        power_t: exponent of "invscaling".
        max_iter: most epochs, or iterations of "lbfgs".
        shuffle: whether every epoch has an order of its own.
        random_state: seed, generator or None: initial weights, order, validation samples.
        tol: least improvement that counts; for "lbfgs" the greatest element of the gradient at which it ends.
        verbose: print a line per epoch.
        warm_start: the next `fit` begins with the weights of the last.
        momentum, nesterovs_momentum: of "sgd".
        early_stopping: hold back `validation_fraction` of the samples, stop when their score does not get better for
            `n_iter_no_change` epochs, and keep the best weights.
        beta_1, beta_2, epsilon: of "adam".
        max_fun: most evaluations of the loss by "lbfgs".

    Attributes after `fit`: `classes_`, `coefs_`, `intercepts_`, `loss_`, `loss_curve_`, `best_loss_`, `validation_scores_`,
    `best_validation_score_`, `n_iter_`, `t_`, `n_layers_`, `n_outputs_`, `out_activation_`, `n_features_in_`, `feature_names_in_`.

    >>> from fastnet.sklearn import MLPClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> MLPClassifier(solver="lbfgs", random_state=0).fit(X, y).predict([[0.2], [2.7]]).tolist()
    ['low', 'high']
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Train.

        Args:
            X: (n, features), dense.
            y: labels (n,), or 0 and 1 (n, labels).
            sample_weight: (n,), how much each sample counts; None: all the same.

        Returns: the estimator.

        Raises: ValueError for arguments out of range, data that does not fit, and a loss that is not finite.
        """
        return self._fit(X, y, sample_weight, False)

    @available_if(_stochastic)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> MLPClassifier:
        """Train for one epoch on these samples; the first call must name all `classes`. For the solvers "adam" and "sgd"."""
        if classes is None and not hasattr(self, "classes_"):
            raise ValueError(f"{type(self).__name__}: classes must be given in the first call of partial_fit")
        if classes is not None and hasattr(self, "classes_") and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(f"{type(self).__name__}: classes {np.unique(classes)} are not those of the first call, {self.classes_}")
        return self._fit(X, y, sample_weight, True, classes)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable labels (n,), or 0 and 1 (n, labels)."""
        return self._encoder_().decide(self._forward(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n, classes), in the order of `classes_`; or of each label."""
        return self._encoder_().probabilities(self._forward(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _encoder_(self) -> ClassTargets:
        check_is_fitted(self, "_model")
        return self._encoder

    def _targets(self, y: np.ndarray, again: bool, classes: Any, dtype: Any) -> np.ndarray:
        if not again:
            self._encoder = ClassTargets(y, classes)
            self.classes_, self.n_outputs_ = self._encoder.classes, self._encoder.outputs
            self.out_activation_ = "softmax" if self._encoder.kind == "multiclass" else "logistic"
        return self._encoder.encode(y, dtype)

    def _strata(self, y: np.ndarray) -> Any:
        return y if self._encoder.kind == "binary" else None          # as scikit-learn, which can hold back samples of any classes so

    def _loss(self, output: Any, target: Any, weight: Any) -> Any:
        return self._encoder.loss(output, target, weight)

    def _score(self, y: np.ndarray, output: np.ndarray, weight: Any) -> float:
        return accuracy_score(y, self._encoder.decide(output), sample_weight=weight)


class MLPRegressor(RegressorMixin, _MLP):
    """A multilayer perceptron that predicts numbers, trained on half the squared error; arguments and attributes are scikit-learn's.

    Args: those of `MLPClassifier`.

    >>> from fastnet.sklearn import MLPRegressor
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> float(MLPRegressor(solver="lbfgs", random_state=0, tol=1e-8).fit(X, [0.0, 1.0, 2.0, 3.0]).predict([[1.5]])[0].round(1))
    1.5
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train.

        Args:
            X: (n, features), dense.
            y: numbers (n,) or (n, outputs).
            sample_weight: (n,), how much each sample counts; None: all the same.

        Returns: the estimator.

        Raises: ValueError for arguments out of range, data that does not fit, and a loss that is not finite.
        """
        return self._fit(X, y, sample_weight, False)

    @available_if(_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch on these samples. For the solvers "adam" and "sgd"."""
        return self._fit(X, y, sample_weight, True)

    def predict(self, X: Any) -> np.ndarray:
        """Numbers (n,) or (n, outputs), as y was."""
        output = self._forward(X)
        return output[:, 0] if self._flat else output

    def _targets(self, y: np.ndarray, again: bool, classes: Any, dtype: Any) -> np.ndarray:
        if again and ((y.ndim == 1) != self._flat or y.ndim == 2 and y.shape[1] != self.n_outputs_):
            raise ValueError(f"{type(self).__name__}: y {y.shape} is not of the form of the first fit, with {self.n_outputs_} outputs")
        self._flat, self.n_outputs_ = y.ndim == 1, 1 if y.ndim == 1 else y.shape[1]
        self.out_activation_ = "identity"
        return y.reshape(len(y), -1).astype(dtype)

    def _strata(self, y: np.ndarray) -> Any:
        return None

    def _loss(self, output: Any, target: Any, weight: Any) -> Any:
        return half_squared_error(output, target, weight)

    def _score(self, y: np.ndarray, output: np.ndarray, weight: Any) -> float:
        return r2_score(y, output[:, 0] if self._flat else output, sample_weight=weight)
