"""Training by steps: the loop that `fastnet train chars` and `fastnet train translate` share, its progress and its records."""
from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.cli.progress import REDRAW, Progress
from fastnet.cli.refused import Refused
from fastnet.training import Callback, NonFiniteLoss, Trainer
from fastnet.training.curve import loss_curve
from fastnet.training.evaluate import evaluating
from fastnet.training.progress import BAR, duration

Records = list[dict[str, float]]


class StepProgress(Progress):
    """How far a training of `steps` steps is; what `tell` prints stays above the line that is redrawn."""

    def __init__(self, steps: int, stream: Any = None) -> None:
        super().__init__(1, steps, stream)

    def at(self, step: int, loss: float) -> None:
        """After each step; draws at most every REDRAW seconds."""
        if self.live and monotonic() - self.last > REDRAW:
            part = step / self.steps
            left = duration((monotonic() - self.start) * (1 / part - 1))
            self.show(f"step {step}/{self.steps} [{'#' * round(BAR * part):{BAR}}] loss {loss:.4f}  {left} left")

    def tell(self, text: str) -> None:
        """Lines that stay."""
        if self.live:
            print("\r\033[K", end="", file=self.stream)
        self.last = 0.0
        print(text, file=self.stream, flush=True)


def optimizer_for(model: Any, args: argparse.Namespace) -> Any:
    """AdamW whose weight decay leaves biases and norms alone."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return fastnet.optim.AdamW([{"params": matrices, "weight_decay": args.weight_decay}, {"params": others, "weight_decay": 0.0}],
                               lr=args.lr, betas=(0.9, 0.99))


class Looks(Callback):
    """Measures, prints and saves after every few steps.

    Args:
        progress: draws.
        look: called with the progress and the record, the model in evaluation mode; adds to the record.
    """

    def __init__(self, progress: StepProgress, look: Callable[[StepProgress, dict[str, float]], None]) -> None:
        self.progress, self.look = progress, look
        self.records: Records = []
        self.begin, self.total, self.tokens, self.steps = perf_counter(), 0.0, 0, 0

    def on_step_end(self, trainer: Trainer) -> None:
        """Count."""
        self.total, self.tokens, self.steps = self.total + trainer.loss_value, self.tokens + trainer.batch[1].numel(), self.steps + 1
        self.progress.at(trainer.step, trainer.loss_value)

    def on_record(self, trainer: Trainer) -> None:
        """Look."""
        self.records.append({"step": trainer.step, "train_loss": self.total / self.steps,
                             "tokens_per_second": self.tokens / (perf_counter() - self.begin), "seconds": trainer.seconds})
        with evaluating(trainer.model):
            self.look(self.progress, self.records[-1])
        self.begin, self.total, self.tokens, self.steps = perf_counter(), 0.0, 0, 0


def fit(model: Any, loss_of: Callable[..., Tensor], batches: Iterator[tuple[Tensor, Tensor]], args: argparse.Namespace,
        look: Callable[[StepProgress, dict[str, float]], None]) -> Records:
    """Train for args.steps steps; every args.every steps and at the end `look` measures, prints and saves.

    The learning rate rises to args.lr over the first twentieth and falls to nothing; gradients are cut to norm 1.
    """
    optimizer = optimizer_for(model, args)
    schedule = fastnet.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.steps + 1, pct_start=0.05)
    progress = StepProgress(args.steps)
    with progress:
        looks = Looks(progress, look)
        trainer = Trainer(model, None, optimizer, schedule, batch_loss=lambda model, batch: (loss_of(*batch), None, None), clip_norm=1.0,
                          callbacks=[looks], progress=False)
        try:
            trainer.fit(batches, steps=args.steps, validate_every=args.every)
        except NonFiniteLoss:
            raise Refused(f"the loss became {trainer.loss_value} in step {trainer.step + 1}; try a --lr below {args.lr:g}") from None
        if trainer.interrupted:
            raise KeyboardInterrupt
    return looks.records


def write_records(out: Path, args: argparse.Namespace, records: Records, title: str) -> None:
    """log.json, curve.csv and loss.svg."""
    settings = {k: v for k, v in vars(args).items() if isinstance(v, (str, int, float, list)) and k != "out"}
    settings |= {"threads": fastnet.get_num_threads(), "version": fastnet.__version__}
    (out / "log.json").write_text(json.dumps({"settings": settings, "records": records}, indent=1) + "\n")
    with open(out / "curve.csv", "w", newline="") as file:
        table = csv.DictWriter(file, records[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows({k: f"{v:.6g}" for k, v in r.items()} for r in records)
    curves = {"training": [r["train_loss"] for r in records], "validation": [r["validation_loss"] for r in records]}
    (out / "loss.svg").write_text(loss_curve(curves, title, f"times {args.every} steps"))
