"""Estimators: scikit-learn's own checks, its perceptrons weight by weight, what is kept, copied, pickled and refused."""
import copy
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn import neural_network  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

import fastnet as fn  # noqa: E402
from fastnet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor  # noqa: E402

X, Y = make_classification(300, 10, n_informative=6, n_classes=3, random_state=0)
TWO = make_classification(300, 10, random_state=1)
MANY = make_multilabel_classification(200, 10, n_classes=4, random_state=0)
NUMBERS = np.stack((X[:, 0] * 2 + X[:, 1], X[:, 2]), 1)
WEIGHT = np.random.default_rng(0).random(300)
ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def hidden(n, k):
    return fn.nn.Sequential(fn.nn.Linear(n, 16), fn.nn.ReLU(), fn.nn.Linear(16, k))


def double(n, k):
    return hidden(n, k).double()


@pytest.mark.parametrize("estimator", [
    MLPClassifier(), MLPRegressor(), NetClassifier(), NetRegressor(),
    NetClassifier(double, epochs=30, lr=0.02, optimizer="rmsprop")], ids=str)
def test_scikit_learns_own_checks(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert len(results) > 50 and {r["status"] for r in results} <= {"passed", "skipped"}
    skipped = [r for r in results if r["status"] == "skipped" and "pandas is not installed" not in str(r["exception"])]
    assert len(skipped) <= 2                              # array API; decision_function


OPTIONS = [
    {}, {"solver": "sgd"}, {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.3},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.01, "n_iter_no_change": 1, "tol": 0.2},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5}, {"activation": "logistic", "batch_size": 32},
    {"activation": "tanh", "alpha": 1.0, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}, {"hidden_layer_sizes": (8, 7), "shuffle": False},
    {"hidden_layer_sizes": (), "activation": "identity", "learning_rate_init": 0.01}, {"hidden_layer_sizes": 5}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_weights_are_those_of_scikit_learn(options):
    options = {"max_iter": 6, "random_state": 3, **options}
    cases = [("Classifier", X, Y, None), ("Classifier", *TWO, WEIGHT), ("Classifier", *MANY, None), ("Regressor", X, NUMBERS[:, 0], WEIGHT),
             ("Regressor", X, NUMBERS, None)]
    for kind, x, y, weight in cases:
        ours = {"Classifier": MLPClassifier, "Regressor": MLPRegressor}[kind](**options)
        if weight is None:
            theirs = getattr(neural_network, f"MLP{kind}")(**options).fit(x, y)
            ours.fit(x, y)
        elif tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 7):
            theirs = getattr(neural_network, f"MLP{kind}")(**options).fit(x, y, weight)
            ours.fit(x, y, weight)
        else:
            continue
        for mine, want in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
            assert mine == pytest.approx(want, rel=1e-9, abs=1e-11)
        assert (ours.n_iter_, ours.t_, ours.n_layers_, ours.n_outputs_, ours.out_activation_) == (
            theirs.n_iter_, theirs.t_, theirs.n_layers_, theirs.n_outputs_, theirs.out_activation_)
        assert ours.predict(x) == pytest.approx(theirs.predict(x))
        if weight is None and y.ndim == 1:
            assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=0.02) and ours.loss_ == ours.loss_curve_[-1]
        if kind == "Classifier":
            assert ours.predict_proba(x) == pytest.approx(theirs.predict_proba(x))


@pytest.mark.parametrize("data", [(X, Y), TWO], ids=["three", "two"])
def test_early_stopping_is_that_of_scikit_learn(data):
    options = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 100, "random_state": 3, "validation_fraction": 0.2}
    ours, theirs = MLPClassifier(**options).fit(*data), neural_network.MLPClassifier(**options).fit(*data)
    assert ours.n_iter_ == theirs.n_iter_ < 100 and ours.validation_scores_ == pytest.approx(theirs.validation_scores_)
    assert ours.best_validation_score_ == max(ours.validation_scores_)
    assert ours.coefs_[0] == pytest.approx(theirs.coefs_[0], rel=1e-9, abs=1e-11)           # the best, not the last


def test_lbfgs_reaches_the_minimum():
    """Convex without hidden layers: there is one."""
    options = {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 1000, "tol": 1e-8, "random_state": 0}
    for name, ours, y in (("MLPClassifier", MLPClassifier, Y), ("MLPRegressor", MLPRegressor, NUMBERS[:, 0] + X[:, 3] ** 2)):
        mine, want = ours(**options).fit(X, y), getattr(neural_network, name)(**options).fit(X, y)
        assert mine.coefs_[0] == pytest.approx(want.coefs_[0], abs=2e-4) and mine.loss_ == pytest.approx(want.loss_, rel=1e-6)
    with pytest.warns(ConvergenceWarning, match="3 iterations"):
        assert MLPClassifier(solver="lbfgs", max_iter=3).fit(X, Y).n_iter_ == 3


def test_partial_fit_and_warm_start():
    whole = MLPClassifier(random_state=0, shuffle=False, batch_size=300, max_iter=4, tol=0).fit(X, Y)
    parts = MLPClassifier(random_state=0, shuffle=False, batch_size=300)
    for _ in range(4):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
        parts = pickle.loads(pickle.dumps(parts))             # the moments of Adam are kept
    assert np.array_equal(parts.coefs_[0], whole.coefs_[0]) and parts.n_iter_ == 4 and len(parts.loss_curve_) == 4
    warm = MLPClassifier(random_state=0, max_iter=2, warm_start=True).fit(X, Y)
    first = warm.loss_
    assert warm.fit(X, Y).loss_ < first and warm.n_iter_ == 4
    net = NetClassifier(hidden, epochs=2, warm_start=True, random_state=0).fit(X, Y)
    assert net.fit(X, Y).n_iter_ == 4 and net.history_[-1]["train_loss"] < net.history_[0]["train_loss"]
    net = NetRegressor(hidden, random_state=0)
    for _ in range(3):
        net = pickle.loads(pickle.dumps(net.partial_fit(X, NUMBERS)))
    assert net.n_iter_ == 3 and net.predict(X).shape == (300, 2)
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


@pytest.mark.parametrize("estimator", [MLPClassifier(max_iter=5), NetClassifier(hidden, epochs=3), MLPRegressor(max_iter=5)])
def test_copies_of_a_fitted_estimator(estimator):
    before = fn.get_rng_state()
    fitted = clone(estimator).set_params(random_state=0).fit(X, Y)
    assert fn.get_rng_state().tolist() == before.tolist()      # a fit draws from a stream of its own
    other = clone(estimator).set_params(random_state=0).fit(X, Y)
    for twin in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted)), other):
        assert np.array_equal(twin.predict(X), fitted.predict(X))
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)


def test_pipelines_searches_and_tables():
    pandas = pytest.importorskip("pandas")
    images, digits = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier((32,), max_iter=30, random_state=0, learning_rate_init=0.01))
    assert cross_val_score(model, images[:900], digits[:900], cv=3).mean() > 0.88
    search = GridSearchCV(NetClassifier(hidden, epochs=5, random_state=0), {"lr": [1e-5, 1e-2]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"lr": 1e-2}
    table = pandas.DataFrame(X, columns=[f"x{i}" for i in range(10)])
    fitted = MLPClassifier(max_iter=3).fit(table, np.array(["a", "b", "c"])[Y])
    assert fitted.feature_names_in_.tolist() == list(table.columns) and set(fitted.predict(table)) <= {"a", "b", "c"}
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table[table.columns[::-1]])


def test_a_module_of_ones_own():
    module = hidden(10, 3)
    before = module[0].weight.detach().numpy().copy()
    seen = []

    class Steps(fn.training.Callback):
        def on_step_end(self, trainer):
            seen.append(trainer.step)

    net = NetClassifier(module, optimizer=lambda p, lr: fn.optim.SGD(p, lr=lr, momentum=0.9), lr=0.05, epochs=40, batch_size=100,
                        validation_fraction=0.25, early_stopping=5, callbacks=[Steps()], random_state=0, loss=fn.nn.CrossEntropyLoss())
    net.fit(X, Y, WEIGHT)
    assert np.array_equal(module[0].weight.detach().numpy(), before) and not net.module_.training
    assert len(seen) == 3 * net.n_iter_ and net.score(X, Y) > 0.6 and {"train_loss", "val_loss"} <= net.history_[0].keys()
    best = min(range(net.n_iter_), key=lambda i: net.history_[i]["val_loss"])
    assert net.n_iter_ in (40, best + 6)
    assert net.predict_proba(X).sum(1) == pytest.approx(np.ones(300), rel=1e-5)
    assert net.predict_log_proba(X) == pytest.approx(np.log(net.predict_proba(X)))

    class Small(fn.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.out = fn.nn.Conv2d(1, 4, 3), fn.nn.Linear(4, 10)

        def forward(self, x):
            return self.out(fn.relu(self.conv(x)).mean((2, 3)))

    images, digits = load_digits(return_X_y=True)
    images = images[:200].reshape(-1, 1, 8, 8) / 16
    conv = NetClassifier(Small, epochs=2).fit(images, digits[:200])
    assert conv.predict(images).shape == (200,) and conv.n_features_in_ == 1
    flat = NetRegressor(lambda: fn.nn.Sequential(fn.nn.Linear(10, 1), fn.nn.Flatten(0)), loss=fn.nn.functional.l1_loss, epochs=2)
    assert flat.fit(X, NUMBERS[:, 0]).predict(X).shape == (300,)


def test_weights_of_zero_are_as_if_the_samples_were_not_there():
    kept = WEIGHT > 0.5
    options = {"random_state": 0, "batch_size": 300}
    for make in (lambda: MLPClassifier(max_iter=5, **options), lambda: NetClassifier(double, epochs=5, **options)):
        some = make().fit(X, Y, kept.astype(float))
        assert some.predict_proba(X) == pytest.approx(make().fit(X[kept], Y[kept]).predict_proba(X))
    broken = kept.astype(float)
    broken[:40] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NetRegressor(batch_size=20, epochs=1).fit(X, NUMBERS, broken)          # batches without weight


@pytest.mark.parametrize("call, error, message", [
    (lambda: MLPClassifier(activation="relu6").fit(X, Y), ValueError, "MLPClassifier: activation must be one of identity, logistic, tanh"),
    (lambda: MLPClassifier(solver="lion").fit(X, Y), ValueError, "solver must be one of lbfgs, sgd, adam, got 'lion'"),
    (lambda: MLPClassifier((10, 0)).fit(X, Y), ValueError, r"hidden_layer_sizes must be positive integers, got \(10, 0\)"),
    (lambda: MLPRegressor(alpha=-1).fit(X, Y), ValueError, "MLPRegressor: alpha must be a number from 0 on, got -1"),
    (lambda: MLPRegressor(momentum=1).fit(X, Y), ValueError, "momentum must be a number from 0 to below 1, got 1"),
    (lambda: MLPRegressor(max_iter=0).fit(X, Y), ValueError, "max_iter must be a positive integer, got 0"),
    (lambda: MLPRegressor(batch_size=0).fit(X, Y), ValueError, "batch_size must be 'auto' or a positive integer, got 0"),
    (lambda: MLPClassifier(solver="lbfgs", early_stopping=True).fit(X, Y), ValueError, "early_stopping needs the solver"),
    (lambda: MLPClassifier(early_stopping=True).partial_fit(X, Y, [0, 1, 2]), ValueError, "partial_fit cannot hold samples back"),
    (lambda: MLPClassifier().partial_fit(X, Y), ValueError, "classes must be given in the first call"),
    (lambda: MLPClassifier().partial_fit(X, Y, [0, 1]), ValueError, r"y has classes \[2\] that are not among \[0, 1\]"),
    (lambda: MLPClassifier(max_iter=2).fit(X, Y).partial_fit(X, Y, [0, 1]), ValueError, "are not those of the first call"),
    (lambda: MLPClassifier().fit(X, Y, -WEIGHT), ValueError, "[Nn]egative"),
    (lambda: MLPClassifier().fit(X, Y, 0 * WEIGHT), ValueError, "zero"),
    (lambda: MLPRegressor(learning_rate_init=1e30, solver="sgd").fit(X, NUMBERS), ValueError, "the loss is (nan|inf) after epoch"),
    (lambda: MLPRegressor().fit(X, np.full(300, "a")), ValueError, "could not convert string to float"),
    (lambda: NetClassifier(epochs=0).fit(X, Y), ValueError, "NetClassifier: epochs must be a positive integer, got 0"),
    (lambda: NetClassifier(validation_fraction=1).fit(X, Y), ValueError, r"validation_fraction must be in \[0, 1\)"),
    (lambda: NetClassifier(early_stopping=0).fit(X, Y), ValueError, "early_stopping must be None or a positive number of epochs"),
    (lambda: NetClassifier(module=3).fit(X, Y), TypeError, "module must be a Module, a callable that makes one, or None, got int"),
    (lambda: NetClassifier(lambda n: None).fit(X, Y), TypeError, "it has 1 arguments without default"),
    (lambda: NetClassifier(lambda: 3).fit(X, Y), TypeError, "it made a int"),
    (lambda: NetClassifier(hidden(10, 4)).fit(X, Y), ValueError, r"the module must give \(64, 3\) for this batch, got \(64, 4\)"),
    (lambda: NetClassifier(optimizer="lion").fit(X, Y), ValueError, "optimizer must be one of adam, adamw, rmsprop, sgd, or a callable"),
    (lambda: NetClassifier(loss="mse").fit(X, Y), TypeError, "loss must be callable"),
    (lambda: NetRegressor(loss=lambda a, b: a.sum()).fit(X, NUMBERS, WEIGHT), ValueError, "sample_weight needs a loss with reduction"),
    (lambda: NetClassifier().fit(*MANY), ValueError, r"y has several columns; labels must be \(n,\)"),
])
def test_what_is_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_sparse_input_is_refused_and_the_extra_is_named():
    sparse = pytest.importorskip("scipy.sparse")
    for estimator in (MLPClassifier(), NetRegressor()):
        with pytest.raises(TypeError, match="[Ss]parse"):
            estimator.fit(sparse.csr_matrix(X), Y)
    code = "import sys; sys.modules['sklearn'] = None\nimport fastnet.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "fastnet.sklearn needs scikit-learn: pip install 'fastnet[sklearn]'" in done.stderr


def test_the_page_and_the_example(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/sklearn.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    for script, pattern, least in ((tmp_path / "page.py", r"(?:digits|dropout): ([\d.]+)", 0.95),
                                   (ROOT / "examples/tabular.py", r"(?:MLPClassifier:|accuracy) ([\d.]+)%", 94)):
        done = subprocess.run([sys.executable, "-W", "ignore", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        found = [float(value) for value in re.findall(pattern, done.stdout)]
        assert len(found) == 2 and min(found) >= least, (done.stdout, done.stderr)
