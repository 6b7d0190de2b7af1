"""LRScheduler: the base of all schedules of the learning rate."""
from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.optim.optimizer import Optimizer


def check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def set_lr(group: dict[str, Any], lr: float) -> None:
    """Write the learning rate of a group; a tensor is filled, so that whoever holds it sees the new value."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(lr))
    else:
        group["lr"] = lr


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A number for each group, from one number or a list of them."""
    n = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise ValueError(f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
                         f"param_groups has {n}.")
    return list(value)


def save_callable(function: Any) -> Any:
    """What a state_dict keeps of a callable: nothing of a function, the attributes of an object."""
    return None if isinstance(function, (types.FunctionType, types.BuiltinFunctionType)) else dict(getattr(function, "__dict__", {}))


class LRScheduler:
    """Base of the schedulers: sets `lr` of every parameter group from the count of `step` calls, once at once when made.

    Args:
        optimizer: whose groups are set.
        last_epoch: count to go on from; -1: start, and note the present rates as `initial_lr`.

    A subclass defines `get_lr`, and `_get_closed_form_lr` if it can tell the rate of any epoch at once.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]) if isinstance(group["lr"], Tensor) else group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                               "load the optimizer's state_dict first")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            del self._is_initial

    def get_lr(self) -> list[float]:
        """The rate of each group at `last_epoch`; `get_last_lr` is what users want."""
        raise TypeError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one a group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, after `optimizer.step()`; or to `epoch`, which PyTorch has deprecated."""
        if self._step_count == 1 and not self.optimizer._step_count:
            warnings.warn("lr_scheduler.step() was called before optimizer.step(): the first value of the schedule is skipped. "
                          "Call optimizer.step() first.", UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn("the epoch argument of scheduler.step() is deprecated: call step() without it", UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = getattr(self, "_get_closed_form_lr", None) if epoch is not None else None
        self._set(closed() if closed is not None else self.get_lr())

    def _set(self, rates: list[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(f"{type(self).__name__}: {len(rates)} learning rates for {len(groups)} parameter groups: "
                             "add parameter groups before making the scheduler")
        for group, lr in zip(groups, rates):
            set_lr(group, lr)
        self._last_lr = self._present()

    def _present(self) -> list[float]:
        return [float(group["lr"]) if isinstance(group["lr"], Tensor) else group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict that `fastnet.save` takes."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`; load the optimizer's too, which holds the present rates."""
        self.__dict__.update(state_dict)


class FactorLR(LRScheduler):
    """A schedule that multiplies the present rate at each step, so that several of them can be chained."""

    def _factor(self) -> float:
        """What the rate is multiplied with on the way to `last_epoch`."""
        raise TypeError(f"{type(self).__name__} does not define _factor()")

    def get_lr(self) -> list[float]:
        factor = self._factor()
        return [lr * factor for lr in self._present()] if factor != 1.0 else self._present()


class _Lambdas(LRScheduler):
    """Schedules made of one function, or one a group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
                 last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.lr_lambdas = per_group("lr_lambda", optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and plain functions; of callable objects their attributes."""
        return {**super().state_dict(), "lr_lambdas": [save_callable(function) for function in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`; the functions stay those of this scheduler."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_Lambdas):
    """initial lr * lr_lambda(epoch).

    Args:
        optimizer: whose groups are set.
        lr_lambda: epoch to factor; one function, or a list of one a group.
        last_epoch: count to go on from; -1: start.

    >>> import fastnet as fn
    >>> optimizer = fn.optim.SGD([fn.nn.Parameter(fn.ones(1))], lr=0.5)
    >>> fn.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (epoch + 2)).get_last_lr()
    [0.25]
    """

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for function, base in zip(self.lr_lambdas, self.base_lrs)]


class MultiplicativeLR(_Lambdas):
    """Multiply the present lr by lr_lambda(epoch) at each step.

    Args:
        optimizer: whose groups are set.
        lr_lambda: epoch to factor; one function, or a list of one a group.
        last_epoch: count to go on from; -1: start.
    """

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._present()
        return [lr * function(self.last_epoch) for function, lr in zip(self.lr_lambdas, self._present())]
