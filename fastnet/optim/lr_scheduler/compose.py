"""Schedules made of schedules: SequentialLR one after the other, ChainedScheduler all at once."""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from fastnet.optim.lr_scheduler.base import LRScheduler, set_lr
from fastnet.optim.lr_scheduler.plateau import ReduceLROnPlateau
from fastnet.optim.optimizer import Optimizer


class _Composed(LRScheduler):
    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name} does not support `ReduceLROnPlateau`, whose step needs a measure, got one at index {i}.")
            if scheduler.optimizer is not (schedulers[0].optimizer if optimizer is None else optimizer):
                raise ValueError(f"{name} expects all schedulers to belong to the same optimizer, "
                                 f"got {type(scheduler).__name__} with another one at index {i}.")
        self._schedulers, self.optimizer = list(schedulers), schedulers[0].optimizer

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the state_dicts of the schedulers."""
        return {**super().state_dict(), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`."""
        if len(state_dict["_schedulers"]) != len(self._schedulers):
            raise ValueError(f"{type(self).__name__}.load_state_dict: {len(state_dict['_schedulers'])} schedulers in the dict, "
                             f"{len(self._schedulers)} here")
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(state)


class SequentialLR(_Composed):
    """One schedule after the other, each counting from 0 at its milestone.

    Args:
        optimizer: whose groups are set.
        schedulers: all of this optimizer.
        milestones: epochs at which the next one takes over; one fewer than schedulers.
        last_epoch: count to go on from; -1: start.
    """

    def __init__(self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR expects one milestone fewer than schedulers, got {len(milestones)} and {len(schedulers)}")
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        # making the schedulers has moved the rates and their counters: undo both, then start the first alone
        for group in optimizer.param_groups:
            set_lr(group, group["initial_lr"])
        _step_back(self)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _step_back(scheduler: LRScheduler) -> None:
    if isinstance(scheduler, _Composed):
        for part in scheduler._schedulers:
            _step_back(part)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(_Composed):
    """Several schedules at once: each multiplies what the others left.

    Args:
        schedulers: all of one optimizer.
        optimizer: that one; the first scheduler's if None.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self._present()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._present()
