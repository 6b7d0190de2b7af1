"""Carry out a recipe: a new run, or one that is resumed."""
from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import fastnet
from fastnet.cli.recipe import build, folder, text
from fastnet.cli.recipe.check import check
from fastnet.cli.recipe.toml import change, normalised, read
from fastnet.cli.refused import Refused
from fastnet.doctor import GradientDoctor
from fastnet.training import Callback, NonFiniteLoss, TensorBoard
from fastnet.training.lock import FolderInUse


def load(path: str | Path, settings: list[str]) -> dict[str, Any]:
    """A recipe from a file, changed by `--set`, checked and filled up."""
    tree = normalised(read(path))
    for setting in settings:
        change(tree, setting)
    tree.setdefault("name", Path(path).stem)
    return check(tree)


def train(tree: dict[str, Any], overwrite: bool = False) -> None:
    """A new run of a checked recipe."""
    out = folder.new(tree.get("out") or f"runs/{tree['name']}", overwrite)
    tree.pop("out", None)
    carry_out(tree, out, resume=False)


def resume(out: Path, settings: list[str]) -> None:
    """Go on with a run from its newest checkpoint."""
    tree = normalised(read(out / "recipe.toml"))
    for setting in settings:
        change(tree, setting)
    carry_out(check(tree), out, resume=True)


def carry_out(tree: dict[str, Any], out: Path, resume: bool) -> None:
    """Load, train, write."""
    if "threads" in tree:
        fastnet.set_num_threads(tree["threads"])
    found = build.data(tree)
    build.fill_model(tree, found.facts)
    build.fill_loss_and_metrics(tree, found)
    from fastnet.training.rng import seed_everything
    seed_everything(tree["seed"])
    network = build.model(tree)
    train, validation = build.loaders(tree, found)
    table, begin = tree["trainer"], 0
    callbacks: list[Callback] = [Described(tree, out, found.facts)]
    if table.get("tensorboard"):
        callbacks.append(TensorBoard(out / "tensorboard"))
    doctor = GradientDoctor(on_verdict=False) if table.get("doctor") else None
    trainer = build.trainer(tree, network, len(train), out, validation is not None, callbacks=[*callbacks, *([doctor] if doctor else [])])
    size = sum(p.numel() for p in network.parameters())
    held = "" if found.validation is None else f" and {len(found.validation):,} to validate on"
    print(f"{tree['name']}: {len(found.train):,} samples to train on{held}; {tree['model']['name']} of {size:,} parameters", flush=True)
    try:
        if resume:
            trainer.resume()
            begin = trainer.step
        trainer.fit(train, validation, table.get("epochs"), table.get("steps"), validate_every=table.get("validate_every"), resume=resume)
    except NonFiniteLoss as error:
        diagnosis(out, doctor)
        raise Refused(f"{error}; --set optimizer.lr=X sets the rate, --set trainer.clip_norm=1.0 clips") from None
    except FolderInUse as error:
        raise Refused(str(error)) from None
    except (ValueError, TypeError, RuntimeError) as error:
        if any(":" in tree[section]["name"] for section in ("data", "model", "loss", "optimizer")):
            raise                                         # code of the user's own: where it failed matters
        advice = "; pictures of several sizes need Resize, CenterCrop or RandomResizedCrop in both lists of [transforms]"
        raise Refused(f"{error} (samples have shape {tuple(found.facts['shape'])}){advice * ('stack' in str(error))}") from error
    if resume and trainer.step == begin and not trainer.interrupted:
        raise Refused(f"{out}: all of its {trainer.epoch} epochs are done; --set trainer.epochs=N goes further")
    diagnosis(out, doctor)
    finish(tree, out, trainer, found.facts)


def diagnosis(out: Path, doctor: GradientDoctor | None) -> None:
    """Print what the gradient doctor found, with the cures; all that it saw goes to doctor.txt."""
    if doctor is not None:
        report = doctor.report()
        (out / "doctor.txt").write_text(f"{report}\n", encoding="utf-8")
        for verdict in report.verdicts:
            print(f"doctor: {verdict}")


class Described(Callback):
    """Writes recipe.toml, environment.json and data.json when a fit begins: then all of the recipe has been found to work.

    Args:
        tree, out, facts: see `folder.describe`.
    """

    def __init__(self, tree: dict[str, Any], out: Path, facts: dict[str, Any]) -> None:
        self.tree, self.out, self.facts = tree, out, facts

    def on_fit_start(self, trainer: Any) -> None:
        """Write."""
        folder.describe(self.out, self.tree, self.facts)


def finish(tree: dict[str, Any], out: Path, trainer: Any, facts: dict[str, Any]) -> None:
    """Weights, curve and the last line."""
    if trainer.interrupted:
        raise KeyboardInterrupt(f"fastnet resume {out} goes on")
    weights = trainer.model.state_dict() if trainer.ema is None else trainer.ema.model_state_dict()
    fastnet.save(weights, out / "weights.fnet")
    records = trainer.history.records
    trainer.history.to_csv(out / "curve.csv")
    trainer.history.save_svg(out / "loss.svg", title=tree["name"])
    last = "  ".join(f"{k} {v:.4g}" for k, v in records[-1].items() if k.startswith(("train_", "val_")) and isinstance(v, (int, float)))
    epochs = records[-1]["epoch"]
    print(f"{last} after {epochs} epoch{'s' * (epochs > 1)} in {records[-1]['seconds']:.1f} s")
    with nullcontext() if trainer.ema is None else trainer.ema.applied():
        writes = facts["kind"] == "text" and text.save(tree, trainer.model, facts, out)
    print(f"wrote weights.fnet, best.fnet,{' model.fnet,' * writes} log.jsonl, curve.csv and loss.svg to {out}"
          f"{f'; fastnet generate {out}/model.fnet goes on with a prompt' * (writes and tree['model']['name'] != 'Bert')}")
