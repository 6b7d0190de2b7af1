"""How well regions of pixels cover each other: intersection over union, and Dice."""
from __future__ import annotations

import numpy as np

from fastnet.metrics.counts import ClassificationMetric, ratio


class JaccardIndex(ClassificationMetric):
    """Intersection over union (IoU) of what was said and what was right, per class: ``TP / (TP + FP + FN)``; Jaccard, 1901.

    For segmentation, output (N, C, H, W) and target (N, H, W); pixels of all images are counted together, as in Pascal VOC and Cityscapes.

    Args: see `ClassificationMetric`. The mean over classes, "mIoU", is ``average="macro"``, the default; `ignore_index` is the label of
        pixels that do not count, such as 255.

    >>> import numpy as np
    >>> from fastnet.metrics import JaccardIndex
    >>> metric = JaccardIndex(average="none")
    >>> metric.update(np.array([[[0, 0], [1, 1]]]), np.array([[[0, 1], [1, 1]]]))
    >>> metric.compute().round(4)
    array([0.5   , 0.6667])
    """

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``hits / (said + right - hits)``."""
        return ratio(hits, said + right - hits)


class Dice(ClassificationMetric):
    """Twice the intersection over the sum of the areas, per class: ``2 TP / (2 TP + FP + FN)``, which is F1 of pixels; Dice, 1945.

    Pixels of all images are counted together.

    Args: see `ClassificationMetric`; the mean over classes is the default.

    >>> import numpy as np
    >>> from fastnet.metrics import Dice
    >>> metric = Dice(task="binary")
    >>> metric.update(np.array([[[0.1, 0.2], [0.8, 0.9]]]), np.array([[[0, 1], [1, 1]]]))
    >>> metric.compute()
    0.8
    """

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``2 hits / (said + right)``."""
        return ratio(2 * hits, said + right)
