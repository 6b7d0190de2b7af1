"""Probability distributions under torch.distributions' names: samples with and without gradients, densities, entropies, divergences."""
import re as _re
import sys as _sys

from fastnet.distributions import constraints, transforms
from fastnet.distributions.counts import Binomial, Geometric, Multinomial, NegativeBinomial
from fastnet.distributions.discrete import Bernoulli, Categorical, OneHotCategorical, Poisson
from fastnet.distributions.distribution import Distribution, Independent
from fastnet.distributions.extremes import Gumbel, HalfCauchy, HalfNormal, Kumaraswamy, Pareto, Weibull
from fastnet.distributions.gamma import Beta, Chi2, Dirichlet, FisherSnedecor, Gamma, InverseGamma, StudentT
from fastnet.distributions.kl import kl_divergence, register_kl
from fastnet.distributions.mixture import MixtureSameFamily
from fastnet.distributions.multivariate_normal import MultivariateNormal
from fastnet.distributions.relaxed import OneHotCategoricalStraightThrough, RelaxedBernoulli, RelaxedOneHotCategorical
from fastnet.distributions.scale import Cauchy, Exponential, Laplace, LogNormal, Normal, Uniform
from fastnet.distributions.transformed import LogisticNormal, TransformedDistribution
from fastnet.distributions.transforms import (
    AffineTransform, ComposeTransform, ExpTransform, PowerTransform, SigmoidTransform, SoftplusTransform, StickBreakingTransform,
    TanhTransform, Transform,
)

__all__ = [
    "AffineTransform", "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "ComposeTransform", "Dirichlet", "Distribution",
    "ExpTransform", "Exponential", "FisherSnedecor", "Gamma", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent",
    "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "LogisticNormal", "MixtureSameFamily", "Multinomial", "MultivariateNormal",
    "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "PowerTransform",
    "RelaxedBernoulli", "RelaxedOneHotCategorical", "SigmoidTransform", "SoftplusTransform", "StickBreakingTransform", "StudentT",
    "TanhTransform", "Transform", "TransformedDistribution", "Uniform", "Weibull", "constraints", "kl_divergence", "register_kl",
    "transforms",
]

# PyTorch has a module for each, such as `distributions.log_normal`: here that is another name of the module that has the class.
for _name in __all__:
    _one = globals()[_name]
    if isinstance(_one, type) and issubclass(_one, Distribution):
        _word = {"StudentT": "studentT", "FisherSnedecor": "fishersnedecor"}.get(_name, _re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _name).lower())
        globals()[_word] = _sys.modules.setdefault(f"{__name__}.{_word}", _sys.modules[_one.__module__])
