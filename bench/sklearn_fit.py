"""Time to fit a perceptron, against scikit-learn's: `python bench/sklearn_fit.py`; one thread, least of three."""
import os
import sys
import time
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", FASTNET_NUM_THREADS="1")

import numpy as np  # noqa: E402
from sklearn import neural_network  # noqa: E402
from sklearn.datasets import load_digits, make_classification  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

import fastnet.sklearn  # noqa: E402


def fit_seconds(library, options, data, dtype, repeats=3):
    """(least seconds, mean accuracy)."""
    train_x, test_x, train_y, test_y = data
    train_x, test_x = train_x.astype(dtype), test_x.astype(dtype)
    times, scores = [], []
    for seed in range(repeats):
        model = library.MLPClassifier(random_state=seed, **options)
        start = time.perf_counter()
        model.fit(train_x, train_y)
        times.append(time.perf_counter() - start)
        scores.append(model.score(test_x, test_y))
    return min(times), np.mean(scores)


def main():
    """Print a line per data set and precision; the accuracies must be within a percent of each other."""
    warnings.simplefilter("ignore")                       # both stop before they converge
    images, digits = load_digits(return_X_y=True)
    small = train_test_split(images / 16, digits, random_state=0)
    large = train_test_split(*make_classification(20000, 50, n_informative=20, n_classes=4, random_state=0), random_state=0)
    far = 0
    for name, data, options in (("digits, (100,)", small, {"max_iter": 30}), ("15,000 x 50, (100,)", large, {"max_iter": 10}),
                                ("15,000 x 50, (256, 256)", large, {"max_iter": 4, "hidden_layer_sizes": (256, 256)})):
        for dtype in (np.float64, np.float32):
            (theirs, want), (ours, got) = (fit_seconds(lib, options, data, dtype) for lib in (neural_network, fastnet.sklearn))
            far += abs(got - want) > 0.01
            print(f"{name}, {np.dtype(dtype)}: scikit-learn {theirs:.3f} s, accuracy {want:.4f}; fastnet {ours:.3f} s, {got:.4f}; "
                  f"{theirs / ours:.1f} times")
    return far


if __name__ == "__main__":
    sys.exit(main())
