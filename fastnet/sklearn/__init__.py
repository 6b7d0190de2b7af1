"""sklearn: networks as scikit-learn estimators, for pipelines, cross-validation and searches.  Needs scikit-learn."""
try:
    import sklearn  # noqa: F401
except ImportError:
    raise ImportError("fastnet.sklearn needs scikit-learn: pip install 'fastnet[sklearn]'") from None

from fastnet.sklearn.mlp import MLPClassifier, MLPRegressor
from fastnet.sklearn.net import NetClassifier, NetRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "NetClassifier", "NetRegressor"]
