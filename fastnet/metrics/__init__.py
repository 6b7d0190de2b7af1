"""metrics: numbers about a whole data set, computed from pieces of it: classes that are fed, and functions for one piece."""
from fastnet.metrics.accuracy import Accuracy, TopKAccuracy
from fastnet.metrics.areas import AUROC, AveragePrecision
from fastnet.metrics.bleu import BLEU, BLEUParts, bleu
from fastnet.metrics.confusion_matrix import ConfusionMatrix
from fastnet.metrics.counts import ClassificationMetric
from fastnet.metrics.curves import ROC, PrecisionRecallCurve
from fastnet.metrics.f_score import F1Score, FBetaScore, Precision, Recall
from fastnet.metrics.mean_average_precision import MAPResult, MeanAveragePrecision
from fastnet.metrics.metric import Metric
from fastnet.metrics.overlap import Dice, JaccardIndex
from fastnet.metrics.perplexity import Perplexity, perplexity
from fastnet.metrics.regression import MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError
from fastnet.metrics.scores import ScoreMetric
from fastnet.metrics.variance import ExplainedVariance, PearsonCorrCoef, R2Score

__all__ = [
    "AUROC", "Accuracy", "AveragePrecision", "BLEU", "BLEUParts", "ClassificationMetric", "ConfusionMatrix", "Dice", "ExplainedVariance",
    "F1Score", "FBetaScore", "JaccardIndex", "MAPResult", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanAveragePrecision",
    "MeanSquaredError", "Metric", "PearsonCorrCoef", "Perplexity", "Precision", "PrecisionRecallCurve", "R2Score", "ROC", "Recall",
    "ScoreMetric", "TopKAccuracy", "bleu", "perplexity",
]
