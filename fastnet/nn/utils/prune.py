"""prune: parameters whose least important elements are held at 0 by a mask."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.nn.parameter import Parameter
from fastnet.nn.utils.weight_norm import Computed, keep, release, take_parameter
from fastnet.ops.norm import vector_norm

__all__ = ["BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "RandomStructured", "RandomUnstructured",
           "custom_from_mask", "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured", "random_structured",
           "random_unstructured", "remove"]


class _Masked(Computed):
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Any, args: Any) -> None:
        self.put(module, getattr(module, self.name + "_orig") * getattr(module, self.name + "_mask"))


def _hook(module: Any, name: str) -> _Masked | None:
    rows = (hook for hook, *_ in module._forward_pre_hooks.values())
    return next((h for h in rows if isinstance(h, _Masked) and h.name == name), None)


def _mask(module: Any, name: str, mask: Tensor) -> None:
    """Put a mask on a parameter, or in the place of the one it has."""
    hook = _hook(module, name)
    if hook is None:
        weight = take_parameter(module, name, "prune")
        module.register_parameter(name + "_orig", weight)
        module.register_buffer(name + "_mask", mask)
        hook = _Masked(name)
        keep(module, hook)
    else:
        setattr(module, name + "_mask", mask)
    hook(module, ())


class BasePruningMethod:
    """What chooses a mask. A class of its own has a PRUNING_TYPE and `compute_mask`; `apply` puts it on a parameter.

    PRUNING_TYPE: "unstructured": it sees the elements that are still there, as a vector; "structured": the slices along `dim` that are;
    "global": everything.
    """

    PRUNING_TYPE = "global"
    dim = -1

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask: ones and zeros of the shape of t.

        Args:
            t: how important each element is.
            default_mask: the mask so far.
        """
        raise TypeError(f"{type(self).__name__} does not define compute_mask")

    def combined(self, t: Tensor, mask: Tensor) -> Tensor:
        """The mask of a tensor that has one already.

        Args:
            t: how important each element is.
            mask: the mask so far.
        """
        new = mask.clone()
        if self.PRUNING_TYPE == "structured":
            dim = self.dim % t.ndim
            left = (mask != 0).any(dim=tuple(i for i in range(t.ndim) if i != dim)) if t.ndim > 1 else mask != 0
            at = left.nonzero().squeeze(1)
            part = self.compute_mask(t.index_select(dim, at), default_mask=new.index_select(dim, at))
            return new.index_copy(dim, at, part.to(new.dtype))
        if self.PRUNING_TYPE == "unstructured":
            at = mask.reshape(-1).nonzero().squeeze(1)
            part = self.compute_mask(t.reshape(-1)[at], default_mask=new.reshape(-1)[at])
            return new.reshape(-1).index_copy(0, at, part.to(new.dtype)).reshape(mask.shape)
        return self.compute_mask(t, default_mask=new).to(new.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any) -> BasePruningMethod:
        """Prune a parameter.

        Args:
            module: whose.
            name: which; it becomes `name_orig` times the buffer `name_mask`.
            args, kwargs: of the method.
            importance_scores: how important each element is, of the parameter's shape; None: the parameter.

        Raises:
            RuntimeError: there is no such parameter.
            ValueError: importance_scores has another shape.
        """
        method = cls(*args, **kwargs)
        weight = getattr(module, name + ("_orig" if _hook(module, name) else ""), None)
        if not isinstance(weight, Parameter):
            raise RuntimeError(f"prune: {type(module).__name__} has no parameter {name!r}")
        score = weight if importance_scores is None else importance_scores
        if score.shape != weight.shape:
            raise ValueError(f"prune: importance_scores {tuple(score.shape)} must have the shape of {name!r}, {tuple(weight.shape)}")
        mask = getattr(module, name + "_mask") if _hook(module, name) else fastnet.ones_like(weight.detach())
        _mask(module, name, method.combined(score.detach(), mask))
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A tensor times its mask.

        Args:
            t: the tensor.
            default_mask: the mask so far; None: ones.
            importance_scores: how important each element is; None: t.
        """
        mask = fastnet.ones_like(t.detach()) if default_mask is None else default_mask
        return t * self.combined((t if importance_scores is None else importance_scores).detach(), mask)


def _count(amount: float | int, n: int) -> int:
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or amount < 0 or (isinstance(amount, float) and amount > 1):
        raise ValueError(f"prune: amount must be a number of elements or a part from 0.0 to 1.0, got {amount!r}")
    k = amount if isinstance(amount, int) else round(amount * n)
    if k > n:
        raise ValueError(f"prune: amount is {amount}, only {n} are left")
    return k


class _Amount(BasePruningMethod):
    def __init__(self, amount: float | int) -> None:
        _count(amount, 2**62)
        self.amount = amount


class Identity(BasePruningMethod):
    """Prune nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(_Amount):
    """Prune elements by chance.

    Args:
        amount: how many, or which part of those that are left.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        mask = default_mask.clone()
        mask[fastnet.rand(t.numel()).argsort()[:_count(self.amount, t.numel())]] = 0
        return mask


class L1Unstructured(_Amount):
    """Prune the smallest elements.

    Args:
        amount: how many, or which part of those that are left.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        mask = default_mask.clone()
        mask[t.abs().argsort(stable=True)[:_count(self.amount, t.numel())]] = 0
        return mask


class LnStructured(_Amount):
    """Prune the slices along an axis whose norm is smallest.

    Args:
        amount: how many, or which part of those that are left.
        n: of the norm.
        dim: the axis.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float | int, n: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.n, self.dim = n, dim

    def scores(self, t: Tensor) -> Tensor:
        """How important each slice is."""
        dim = self.dim % t.ndim
        return vector_norm(t, float(self.n), tuple(i for i in range(t.ndim) if i != dim)) if t.ndim > 1 else t.abs()

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        size = t.shape[self.dim]
        least = self.scores(t).argsort(stable=True)[:_count(self.amount, size)]
        return default_mask.clone().index_fill(self.dim % t.ndim, least, 0.0)


class RandomStructured(LnStructured):
    """Prune slices along an axis by chance.

    Args:
        amount: how many, or which part of those that are left.
        dim: the axis.
    """

    def __init__(self, amount: float | int, dim: int = -1) -> None:
        super().__init__(amount, 1, dim)

    def scores(self, t: Tensor) -> Tensor:
        """Random numbers."""
        return fastnet.rand(t.shape[self.dim])


class CustomFromMask(BasePruningMethod):
    """Prune by a given mask.

    Args:
        mask: ones and zeros of the parameter's shape.
    """

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Any, name: str) -> Any:
    """Give a parameter a mask of ones; arguments as `l1_unstructured`'s."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float | int) -> Any:
    """Prune elements by chance; arguments as `l1_unstructured`'s."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: float | int, importance_scores: Tensor | None = None) -> Any:
    """Prune the smallest elements of a parameter.

    Args:
        module: a Module.
        name: the parameter, which becomes `name_orig` times the buffer `name_mask`, before each forward.
        amount: how many elements, or which part of those that are left.
        importance_scores: how important each element is; None: the parameter.

    Returns:
        The module.

    Raises:
        ValueError: amount is no such number.
        RuntimeError: there is no such parameter.

    >>> import fastnet
    >>> layer = fastnet.nn.utils.prune.l1_unstructured(fastnet.nn.Linear(4, 5), "weight", amount=0.25)
    >>> (layer.weight == 0).sum(), [name for name, _ in layer.named_parameters()]
    (tensor(5), ['bias', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float | int, dim: int) -> Any:
    """Prune slices along an axis by chance; arguments as `ln_structured`'s."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Any, name: str, amount: float | int, n: float, dim: int, importance_scores: Tensor | None = None) -> Any:
    """Prune the slices along an axis whose norm is smallest.

    Args:
        module, name, amount, importance_scores: as `l1_unstructured`'s; the amount is of slices.
        n: of the norm.
        dim: the axis.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prune by a mask.

    Args:
        module, name: as `l1_unstructured`'s.
        mask: ones and zeros of the parameter's shape.
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[Sequence[Any]], pruning_method: Any,
                        importance_scores: dict[tuple[Any, str], Tensor] | None = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one vector.

    Args:
        parameters: pairs of a module and a name.
        pruning_method: a class such as `L1Unstructured`.
        importance_scores: by pairs, how important each element is; the parameter where there are none.
        kwargs: of the method, such as `amount`.

    Raises:
        ValueError: the method is not unstructured.
    """
    pairs = [(module, name) for module, name in parameters]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise ValueError(f"global_unstructured: {pruning_method.__name__} is {method.PRUNING_TYPE}, not unstructured")
    weights = [getattr(m, name + ("_orig" if _hook(m, name) else "")).detach() for m, name in pairs]
    scores = [(importance_scores or {}).get(pair, w).detach() for pair, w in zip(pairs, weights)]
    masks = [getattr(m, name + "_mask") if _hook(m, name) else fastnet.ones_like(w) for (m, name), w in zip(pairs, weights)]
    whole = method.combined(fastnet.cat([s.reshape(-1) for s in scores]), fastnet.cat([m.reshape(-1) for m in masks]))
    for (module, name), w, mask in zip(pairs, weights, whole.split([w.numel() for w in weights])):
        _mask(module, name, mask.reshape(w.shape).clone())


def remove(module: Any, name: str) -> Any:
    """Make a pruned parameter a plain one again, with the zeros it has.

    Args:
        module: whose.
        name: which.

    Raises:
        ValueError: it is not pruned.
    """
    release(module, _Masked, name, "prune.remove")
    weight = getattr(module, name + "_orig")             # stays the object, which an optimizer may have
    weight.data = weight.detach() * getattr(module, name + "_mask")
    delattr(module, name + "_orig")
    delattr(module, name + "_mask")
    vars(module).pop(name, None)
    module.register_parameter(name, weight)
    return module


def is_pruned(module: Any) -> bool:
    """Whether a module, or one inside it, has a pruned parameter.

    Args:
        module: any.
    """
    return any(isinstance(hook, _Masked) for m in module.modules() for hook, *_ in m._forward_pre_hooks.values())
