"""Probability distributions under torch.distributions' names: samples with and without gradients, densities, entropies, divergences."""
from fastnet.distributions.discrete import Bernoulli, Categorical, OneHotCategorical, Poisson
from fastnet.distributions.distribution import Distribution, Independent
from fastnet.distributions.kl import kl_divergence, register_kl
from fastnet.distributions.multivariate_normal import MultivariateNormal
from fastnet.distributions.scale import Cauchy, Exponential, Laplace, LogNormal, Normal, Uniform

__all__ = ["Bernoulli", "Categorical", "Cauchy", "Distribution", "Exponential", "Independent", "Laplace", "LogNormal", "MultivariateNormal",
           "Normal", "OneHotCategorical", "Poisson", "Uniform", "kl_divergence", "register_kl"]
