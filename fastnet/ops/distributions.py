"""Draws made of uniform and normal numbers: normal, randperm, multinomial, and the rarer in-place ones."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet._core.dtypes import as_dtype, int64
from fastnet._core.tensor import Tensor, attach, from_numpy
from fastnet.ops.random import Generator, bernoulli, rand, randint, randn


def normal(mean: Tensor | float = 0.0, std: Tensor | float = 1.0, size: Any = None, *, generator: Generator | None = None,
           dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers of normal distributions.

    Args:
        mean, std: numbers with size, or tensors that broadcast.
        size: the shape, if both are numbers.
        generator: default: the global one.
        dtype: float32 (default) or float64, if both are numbers.
        requires_grad: record operations on the result.

    Raises:
        ValueError: std is negative.

    >>> import fastnet
    >>> fastnet.normal(fastnet.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    low = std.detach().amin().item() if isinstance(std, Tensor) and std.numel() else std if not isinstance(std, Tensor) else 0
    if low < 0:
        raise ValueError(f"normal: std must not be negative, got {low}")
    tensors = [x.detach() for x in (mean, std) if isinstance(x, Tensor)]
    if tensors:
        if size is not None:
            raise ValueError("normal: size is given by the tensors")
        shape = np.broadcast_shapes(*[tuple(x.shape) for x in tensors])
        z = randn(shape, generator=generator, dtype=tensors[0].dtype)
    else:
        if size is None:
            raise TypeError("normal: size must be given if mean and std are numbers")
        z = randn(size, generator=generator, dtype=dtype)
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    y = z * std + mean
    return y.requires_grad_() if requires_grad else y


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The integers 0 ... n - 1 in random order.

    Args:
        n: how many.
        generator: default: the global one.
        dtype: default int64.
        device: "cpu" or None.
        requires_grad: record operations on the result (floating-point dtypes).

    >>> import fastnet
    >>> fastnet.randperm(4).sort().values
    tensor([0, 1, 2, 3])
    """
    if n < 0:
        raise ValueError(f"randperm: n must not be negative, got {n}")
    keys = randint(0, 2**63 - 1, (n,), generator=generator, device=device).numpy()
    y = from_numpy(np.argsort(keys, kind="stable").astype(as_dtype(dtype, int64).numpy))
    return y.requires_grad_() if requires_grad else y


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn with probabilities proportional to the values of each row.

    Args:
        input: weights, not negative, (n) or (rows, n).
        num_samples: how many for each row.
        replacement: whether an index may be drawn again.
        generator: default: the global one.

    Returns:
        int64, (num_samples) or (rows, num_samples).

    Raises:
        ValueError: weights are negative, not finite or all 0, or too few for num_samples.

    >>> import fastnet
    >>> fastnet.multinomial(fastnet.tensor([0.0, 1.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    if input.ndim not in (1, 2) or not input.is_floating_point():
        raise ValueError(f"multinomial: input must be floating-point with one or two axes, got {input.dtype} of shape {tuple(input.shape)}")
    w = np.atleast_2d(input.detach().numpy()).astype(np.float64)
    if not np.isfinite(w).all() or (w < 0).any() or (w.sum(1) <= 0).any():
        raise ValueError("multinomial: weights must be finite and not negative, and not all 0")
    if num_samples < 1:
        raise ValueError(f"multinomial: num_samples must be positive, got {num_samples}")
    if not replacement and (np.count_nonzero(w, axis=1) < num_samples).any():
        raise ValueError(f"multinomial: cannot draw {num_samples} different indices from rows with fewer positive weights")
    if replacement:
        u = rand(len(w), num_samples, generator=generator, dtype="float64").numpy()
        total = np.cumsum(w, axis=1)
        index = np.stack([np.searchsorted(c, v * c[-1], side="right") for c, v in zip(total, u, strict=True)])
    else:                                                # the smallest exponential times: each w[i] is a rate
        u = rand(*w.shape, generator=generator, dtype="float64").numpy()
        with np.errstate(divide="ignore"):
            times = np.where(w > 0, -np.log1p(-u) / w, np.inf)
        index = np.argsort(times, axis=1, kind="stable")[:, :num_samples]
    return from_numpy(np.ascontiguousarray(index[0] if input.ndim == 1 else index, dtype=np.int64))


def bernoulli_(self: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 1 with probability p, else 0, in place.

    >>> import fastnet
    >>> fastnet.tensor([5.0]).bernoulli_(1.0).item()
    1.0
    """
    if isinstance(p, Tensor):
        return self.copy_(bernoulli(p.expand(self.shape), generator=generator).to(self.dtype))
    return self.copy_(bernoulli(self.detach(), p, generator=generator))


def random_(self: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """Fill with integers in [low, high), in place; one argument is `high`; none: all that the dtype counts exactly.

    >>> import fastnet
    >>> fastnet.tensor([5]).random_(3, 4).item()
    3
    """
    if high is None:
        exact = {"float32": 2**24 + 1, "float64": 2**53 + 1, "int64": 2**63, "int32": 2**31, "uint8": 2**8, "bool": 2}[self.dtype.name]
        low, high = 0, low or exact
    return self.copy_(randint(low, high, tuple(self.shape), generator=generator).to(self.dtype))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the exponential distribution of rate lambd, in place.

    >>> import fastnet
    >>> fastnet.tensor([-1.0]).exponential_().item() >= 0
    True
    """
    if not lambd > 0:
        raise ValueError(f"exponential_: lambd must be positive, got {lambd}")
    u = rand(tuple(self.shape), generator=generator, dtype=self.dtype).numpy()
    return self.copy_(from_numpy((-np.log1p(-u) / lambd).astype(u.dtype)))


def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with the exponentials of normal numbers, in place.

    >>> import fastnet
    >>> fastnet.tensor([-1.0]).log_normal_(0, 0).item()
    1.0
    """
    return self.copy_(normal(mean, std, tuple(self.shape), generator=generator, dtype=self.dtype).exp())


def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution, in place.

    >>> import fastnet
    >>> import math
    >>> math.isfinite(fastnet.tensor([0.0]).cauchy_().item())
    True
    """
    u = rand(tuple(self.shape), generator=generator, dtype=self.dtype).numpy()
    return self.copy_(from_numpy((median + sigma * np.tan(math.pi * (u - 0.5))).astype(u.dtype)))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of trials until the first success of probability p, in place.

    >>> import fastnet
    >>> fastnet.tensor([0.0]).geometric_(1.0).item()
    1.0
    """
    if not 0 < p <= 1:
        raise ValueError(f"geometric_: p must be above 0 and at most 1, got {p}")
    u = rand(tuple(self.shape), generator=generator, dtype="float64").numpy()
    trials = np.ones_like(u) if p == 1 else np.maximum(1, np.ceil(np.log1p(-u) / math.log1p(-p)))
    return self.copy_(from_numpy(trials).to(self.dtype))


attach(bernoulli_=bernoulli_, random_=random_, exponential_=exponential_, log_normal_=log_normal_, cauchy_=cauchy_, geometric_=geometric_,
       multinomial=multinomial)
