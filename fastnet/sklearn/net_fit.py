"""How NetClassifier and NetRegressor are trained: on `fastnet.Trainer`."""
from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.training import EarlyStopping, Trainer

OPTIMIZERS = {"adam": fn.optim.Adam, "adamw": fn.optim.AdamW, "rmsprop": fn.optim.RMSprop, "sgd": fn.optim.SGD}


def make_module(module: Any, features: int, outputs: int, dtype: Any, name: str) -> nn.Module:
    """The network of one fit: a copy of a Module, or what a factory makes of the numbers of features and outputs, or of nothing."""
    if module is None:
        return nn.Sequential(nn.Linear(features, 100, dtype=dtype), nn.ReLU(), nn.Linear(100, outputs, dtype=dtype))
    if isinstance(module, nn.Module):
        return copy.deepcopy(module)
    if not callable(module):
        raise TypeError(f"{name}: module must be a Module, a callable that makes one, or None, got {type(module).__name__}")
    takes = [p for p in inspect.signature(module).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needs = [p for p in takes if p.default is p.empty]
    made = module(features, outputs) if len(needs) == 2 else module() if not needs else None
    if not isinstance(made, nn.Module):
        found = f"has {len(needs)} arguments without default" if made is None else f"made a {type(made).__name__}"
        raise TypeError(f"{name}: module must make a Module from (n_features, n_outputs) or from no arguments; it {found}")
    return made


def make_optimizer(optimizer: Any, module: nn.Module, lr: float, name: str) -> Any:
    """The optimizer of one fit: by name, or what a callable makes of parameters and ``lr=``."""
    if isinstance(optimizer, str) and optimizer not in OPTIMIZERS:
        raise ValueError(f"{name}: optimizer must be one of {', '.join(OPTIMIZERS)}, or a callable, got {optimizer!r}")
    return (OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer)(module.parameters(), lr=lr)


def weighted(loss: Any, name: str) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The loss module, as a mean that sample weights take part in.

    Raises: ValueError for a loss that cannot give one value per sample.
    """
    if not hasattr(loss, "reduction"):
        raise ValueError(f"{name}: sample_weight needs a loss with reduction='none', such as those of fastnet.nn, got {loss!r}")
    single = copy.deepcopy(loss)
    single.reduction = "none"

    def mean(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        each = single(output, target)
        if each.ndim > 1:
            each = each.reshape(each.shape[0], -1).mean(1)
        return (each * weight).sum() / weight.sum()
    return mean


class Batches:
    """Samples in batches, in a new order in each pass if there is a generator."""

    def __init__(self, arrays: list[np.ndarray], size: int, rng: np.random.RandomState | None) -> None:
        self.arrays, self.size, self.rng = arrays, size, rng

    def __len__(self) -> int:
        return -(-len(self.arrays[0]) // self.size)

    def __iter__(self) -> Iterator[list[Tensor]]:
        n = len(self.arrays[0])
        order = np.arange(n) if self.rng is None else self.rng.permutation(n)
        for i in range(0, n, self.size):
            rows = order[i:i + self.size]
            if len(self.arrays) == 2 or self.arrays[2][rows].any():             # weights that are all zero mean nothing
                yield [fn.from_numpy(a[rows]) for a in self.arrays]


def train(e: Any, module: nn.Module, optimizer: Any, parts: list[np.ndarray], held: list[np.ndarray] | None, loss: Any, epochs: int,
          rng: np.random.RandomState) -> Trainer:
    """Fit a module; `parts` and `held` are X, target and, if there are any, weights.

    Returns: the trainer, with its history.
    """
    with_weights = weighted(loss, type(e).__name__) if len(parts) == 3 else None

    def batch_loss(model: nn.Module, batch: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        output = shaped(model(batch[0]), batch[1], e)
        return (loss(output, batch[1]) if with_weights is None else with_weights(output, batch[1], batch[2])), output, batch[1]

    callbacks = list(e.callbacks or ())
    if e.early_stopping:
        callbacks.append(EarlyStopping(patience=e.early_stopping, restore_best=True))
    trainer = Trainer(module, None, optimizer, batch_loss=batch_loss, callbacks=callbacks, progress=None if e.verbose else False)
    trainer.fit(Batches(parts, e.batch_size, rng), None if held is None else Batches(held, e.batch_size, None), epochs=epochs)
    module.eval()
    return trainer


def shaped(output: Any, target: Any, e: Any) -> Tensor:
    """The output of the module, checked: (n, outputs)."""
    if isinstance(output, Tensor) and output.ndim == 1 and e.n_outputs_ == 1:
        output = output[:, None]
    if not isinstance(output, Tensor) or tuple(output.shape) != (target.shape[0], e.n_outputs_):
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(f"{type(e).__name__}: the module must give ({target.shape[0]}, {e.n_outputs_}) for this batch, got {found}")
    return output
