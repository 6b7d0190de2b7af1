"""A run that is there, opened again: its recipe, what it knows of its data, and its network with weights."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastnet
from fastnet.cli.recipe import build, folder
from fastnet.cli.recipe.check import check
from fastnet.cli.recipe.toml import read
from fastnet.cli.refused import Refused
from fastnet.serialization import DamagedFile
from fastnet.training import EMA


@dataclass
class Trained:
    """A run: `tree` is its recipe, `facts` is data.json, `model` is in evaluation mode."""
    out: Path
    tree: dict[str, Any]
    facts: dict[str, Any]
    model: Any
    weights: Path


def open_run(path: str) -> Trained:
    """A run from its folder, or from one of its files: weights.fnet, best.fnet or a checkpoint.

    Of a folder weights.fnet is taken, or, where the run has not ended, the newest checkpoint.
    """
    place = Path(path)
    if place.is_file():
        out = next((p for p in place.resolve().parents[:2] if (p / "recipe.toml").is_file()), None)
        if out is None:
            raise Refused(f"{path}: neither its folder nor the one above has the recipe.toml of a run")
        weights = place
    else:
        out = folder.run_of(path)
        found = [out / "weights.fnet", *sorted((out / "checkpoints").glob("step-*.fnet"), reverse=True)]
        if not any(p.is_file() for p in found):
            raise Refused(f"{path} has neither weights.fnet nor a checkpoint")
        weights = next(p for p in found if p.is_file())
    tree = check(read(out / "recipe.toml"), paths=False)
    try:
        facts = json.loads((out / "data.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{out / 'data.json'}: {error}") from None
    if "threads" in tree:
        fastnet.set_num_threads(tree["threads"])
    model = build.model(tree)
    try:
        load_weights(model, fastnet.load(weights), weights)
    except (DamagedFile, RuntimeError, ValueError) as error:
        raise Refused(f"{weights}: {error}") from None
    return Trained(out, tree, facts, model.eval(), weights)


def load_weights(model: Any, tree: Any, path: Path) -> None:
    """Put what a file holds into the model: a `state_dict`, or a checkpoint, whose averaged weights are taken where it has them."""
    if not isinstance(tree, dict):
        raise Refused(f"{path} holds no weights")
    model.load_state_dict(tree["model"] if "fastnet_checkpoint" in tree else tree)
    if tree.get("fastnet_checkpoint") and tree["ema"]:
        ema = EMA(model)
        ema.load_state_dict(tree["ema"])
        model.load_state_dict(ema.model_state_dict())
