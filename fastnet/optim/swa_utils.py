"""AveragedModel, SWALR, update_bn: averages of weights over a training (Izmailov et al., 2018), under PyTorch's names."""
from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module
from fastnet.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from fastnet.optim.lr_scheduler.base import LRScheduler
from fastnet.optim.optimizer import Optimizer


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """A function for `AveragedModel(avg_fn=...)`: decay average + (1 - decay) weights.

    Args:
        decay: from 0 to 1.
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay must be between 0 and 1, got {decay}")
    return lambda average, weights, count: decay * average + (1 - decay) * weights


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list, list, Any], None]:
    """A function for `AveragedModel(multi_avg_fn=...)`: as `get_ema_avg_fn`, for all tensors at once, in place.

    Args:
        decay: from 0 to 1.
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_multi_avg_fn: decay must be between 0 and 1, got {decay}")

    def average(averages: list[Tensor], weights: list[Tensor], count: Any) -> None:
        for a, w in zip(averages, weights):
            a.lerp_(w, 1 - decay) if a.is_floating_point() else a.copy_(w)
    return average


class AveragedModel(Module):
    """A copy of a model whose weights are the average of those that `update_parameters` was shown.

    Args:
        model: a Module; copied.
        device: "cpu" or None.
        avg_fn: (average, weights, number of updates so far) -> the new average; None: the plain mean.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: average buffers too; False: copy them.

    `fastnet.training.EMA` is what `Trainer(ema=...)` uses.

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(1, 1)
    >>> mean = fn.optim.swa_utils.AveragedModel(model)
    >>> mean.update_parameters(model)
    >>> bool((mean.module.weight == model.weight).all())
    True
    """

    def __init__(self, model: Module, device: Any = None, avg_fn: Callable | None = None, multi_avg_fn: Callable | None = None,
                 use_buffers: bool = False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", fn.tensor(0, dtype=fn.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take in the present weights of a model.

        Args:
            model: of the same structure.
        """
        mine: list[Tensor] = list(self.module.parameters())
        theirs: list[Tensor] = list(model.parameters())
        buffers = list(self.module.buffers()), list(model.buffers())
        if self.use_buffers:
            mine, theirs = mine + buffers[0], theirs + buffers[1]
        with fn.no_grad():
            count = int(self.n_averaged)
            if count == 0:
                for a, w in zip(mine, theirs):
                    a.detach().copy_(w)
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn([a.detach() for a in mine], [w.detach() for w in theirs], count)
            else:
                mean = self.avg_fn or (lambda a, w, n: a + (w - a) / (n + 1))
                for a, w in zip(mine, theirs):
                    a.detach().copy_(mean(a.detach(), w.detach(), count))
            if not self.use_buffers:
                for a, w in zip(*buffers):
                    a.detach().copy_(w)
            self.n_averaged.add_(1)


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of batch norm anew, as the mean over all batches: those of an average of weights are unknown.

    Args:
        loader: batches: the inputs, or tuples that begin with them.
        model: its batch norms are changed.
        device: "cpu" or None.

    >>> import fastnet as fn
    >>> model = fn.nn.BatchNorm1d(1)
    >>> fn.optim.swa_utils.update_bn([fn.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean
    tensor([2.])
    """
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, BatchNorm3d))]
    if not norms:
        return
    before, momenta = model.training, [m.momentum for m in norms]
    model.train()
    try:
        for m in norms:
            m.reset_running_stats()
            m.momentum = None
        with fn.no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else x.to(device))
    finally:
        for m, momentum in zip(norms, momenta):
            m.momentum = momentum
        model.train(before)


class SWALR(LRScheduler):
    """From the present learning rate to a constant one, and then that: for the time in which weights are averaged.

    Args:
        optimizer: whose groups are set.
        swa_lr: the constant rate, or one for each group.
        anneal_epochs: how long it takes to get there.
        anneal_strategy: "cos" or "linear".
        last_epoch: count to go on from; -1: start.

    >>> import fastnet as fn
    >>> optimizer = fn.optim.SGD([fn.nn.Parameter(fn.ones(1))], lr=1.0)
    >>> scheduler = fn.optim.swa_utils.SWALR(optimizer, 0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10, anneal_strategy: str = "cos",
                 last_epoch: int = -1) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an integer from 0 on, got {anneal_epochs!r}")
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(optimizer.param_groups)
        if len(rates) != len(optimizer.param_groups):
            raise ValueError(f"SWALR: {len(rates)} rates for {len(optimizer.param_groups)} groups")
        for group, rate in zip(optimizer.param_groups, rates):
            group["swa_lr"] = rate
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _part(self, epoch: float) -> float:
        t = max(0.0, min(1.0, epoch / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self.anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        if self.anneal_epochs == 0:
            return [group["swa_lr"] for group in self.optimizer.param_groups]
        before, now = self._part(max(0, self.last_epoch - 1)), self._part(self.last_epoch)
        rates = []
        for group in self.optimizer.param_groups:
            start = group["swa_lr"] if before == 1 else (group["lr"] - before * group["swa_lr"]) / (1 - before)
            rates.append(now * group["swa_lr"] + (1 - now) * start)
        return rates
