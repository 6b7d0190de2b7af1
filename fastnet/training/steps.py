"""The inner loop: steps over batches, each with forward, backward, clipping and update."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.training.batch import samples, tensors
from fastnet.training.evaluate import updated

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer

_END = object()


class NonFiniteLoss(FloatingPointError):
    """The loss, or with `clip_norm` the norm of the gradients, became NaN or infinite; the weights are those before that step."""


def run_steps(t: Trainer, source: Iterator[Any], limit: int | None) -> bool:
    """Make steps until `limit` of them are done, the batches are gone, or `t.stop` or `t.pause` is set.

    The batches of a step are fetched before the first goes through the model, so that each counts in proportion to its samples: the
    gradients are those of the mean over all samples of the step, for a last step of fewer batches too.

    Returns: whether the batches are gone.
    """
    model, optimizer, batch_loss, accumulate = t.model, t.optimizer, t.batch_loss, t.accumulate
    scheduler = t.scheduler if t.schedule.each_step else None
    on = t.handlers
    step_start, batch_start, backward_end, step_end = on["on_step_start"], on["on_batch_start"], on["on_backward_end"], on["on_step_end"]
    clip = t.clip_norm is not None or t.clip_value is not None
    ema, metrics, sums = t.ema, list(t.train_metrics.values()), t.sums
    made = 0
    while made != limit:
        if accumulate == 1:
            batch = next(source, _END)
            if batch is _END:
                return True
            group: Any = (tensors(batch),)
            count = samples(group[0])
        else:
            group = [tensors(batch) for batch in islice(source, accumulate)]
            if not group:
                return True
            count = sum(map(samples, group))
        t.batches += len(group)
        t.batch = group[0]
        for handle in step_start:
            handle(t)
        optimizer.zero_grad()
        mean, parts = 0.0, []
        for batch in group:
            t.batch = batch
            for handle in batch_start:
                handle(t)
            loss, output, target = batch_loss(model, t.batch)
            try:
                value = loss.item()
            except (RuntimeError, AttributeError):
                raise TypeError(_no_loss(loss)) from None
            if value - value != 0.0 and not _accept(t, "loss", value):
                break
            if len(group) == 1:
                mean = value
                loss.backward()
            else:
                share = samples(batch) / count
                mean += value * share
                (loss * share).backward()
            if metrics:
                parts.append((output.detach() if isinstance(output, Tensor) else output, target))
        else:
            t.loss_value = mean
            for handle in backward_end:
                handle(t)
            if not clip or _clip(t):
                optimizer.step()
                if ema is not None:
                    ema.update()
                if scheduler is not None:
                    scheduler.step()
                t.step += 1
                sums[0] += mean * count
                sums[1] += count
                for output, target in parts:
                    for metric in metrics:
                        updated(metric, output, target, mean)
                for handle in step_end:
                    handle(t)
                made += 1
        loss = output = target = None                     # a step's graph is gone before the next begins
        if t.stop or t.pause:
            return False
    return False


def _no_loss(loss: Any) -> str:
    got = f"shape {tuple(loss.shape)}; a loss with reduction='mean' is one number" if isinstance(loss, Tensor) else type(loss).__name__
    return f"Trainer: the loss must be a tensor of one element, got {got}"


def _accept(t: Trainer, what: str, value: float) -> bool:
    """Whether to go on with a value that is not finite."""
    if t.nonfinite == "ignore":
        return True
    if t.nonfinite == "skip":
        t.skipped += 1
        t.optimizer.zero_grad()
        return False
    if what == "loss":
        t.loss_value = value
    raise NonFiniteLoss(f"fit: the {what} became {value} in epoch {t.epoch}, step {t.step + 1} (batch {t.batches} of the epoch); the "
                        "weights are those before this step. A lower learning rate, clip_norm=1.0 or scaled inputs are the usual cures")


def _clip(t: Trainer) -> bool:
    """Clip the gradients; whether to go on with them."""
    if t.clip_norm is not None:
        t.grad_norm = fn.nn.utils.clip_grad_norm_(t.parameters, t.clip_norm).item()
        if t.grad_norm - t.grad_norm != 0.0 and not _accept(t, "norm of the gradients", t.grad_norm):
            return False
    if t.clip_value is not None:
        fn.nn.utils.clip_grad_value_(t.parameters, t.clip_value)
    return True
