"""metrics: numbers about a whole data set, computed from pieces of it: classes that are fed, and functions for one piece."""
from fastnet.metrics.bleu import BLEU, BLEUParts, bleu
from fastnet.metrics.metric import Metric
from fastnet.metrics.perplexity import Perplexity, perplexity

__all__ = ["BLEU", "BLEUParts", "Metric", "Perplexity", "bleu", "perplexity"]
