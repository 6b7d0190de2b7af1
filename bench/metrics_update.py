"""Time of one update of each metric, outputs of 128 x 10: `python bench/metrics_update.py`; microseconds, the least of several runs."""
import time

import numpy as np

import fastnet as fn
from fastnet import metrics


def microseconds(metric, output, target, calls=500, runs=5):
    """The least mean time of an update."""
    best = np.inf
    for _ in range(runs):
        metric.reset()
        start = time.perf_counter()
        for _ in range(calls):
            metric.update(output, target)
        best = min(best, (time.perf_counter() - start) / calls)
    return 1e6 * best


def main():
    """Print a line per metric."""
    rng = np.random.default_rng(0)
    output, labels = fn.tensor(rng.standard_normal((128, 10)), dtype=fn.float32), fn.tensor(rng.integers(0, 10, 128))
    for make in (metrics.Accuracy, metrics.TopKAccuracy, metrics.Precision, metrics.Recall, metrics.F1Score, metrics.ConfusionMatrix,
                 metrics.JaccardIndex, metrics.AUROC, metrics.AveragePrecision):
        print(f"{make.__name__:<28}{microseconds(make(), output, labels):6.1f}")
    for make in (metrics.MeanSquaredError, metrics.MeanAbsoluteError, metrics.R2Score, metrics.PearsonCorrCoef):
        print(f"{make.__name__:<28}{microseconds(make(), output, output):6.1f}")


if __name__ == "__main__":
    main()
