"""`fastnet export`: a trained network as an ONNX file."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fastnet.cli.refused import Refused


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("export", help="write a network as an ONNX file, which other programs run", description="Write a "
                                  "network as an ONNX file; batches may have any size. It needs the package onnx.")
    command.add_argument("model", metavar="RUN", help="folder of a run, or one of its files (best.fnet, checkpoints/step-*.fnet)")
    command.add_argument("-o", "--output", metavar="FILE", default="model.onnx", help="the file (default: model.onnx)")
    command.add_argument("--input", metavar="N,C,H,W", help="shape of the example input (default: two samples of the run's data)")
    command.add_argument("--dynamic", metavar="AXIS,...", default="0", help="axes of the input that may have other sizes (default: 0, the "
                         "batch)")
    command.add_argument("--opset", type=int, default=18, metavar="N", help="version of ONNX's operators (default: 18)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the file."""
    import fastnet
    from fastnet.cli.recipe.trained import open_run
    from fastnet.cli.summarize import shape_of
    trained = open_run(args.model)
    shape = shape_of(args.input) if args.input else [2, *trained.facts["shape"]]
    try:
        axes = [int(axis) for axis in args.dynamic.split(",") if axis]
    except ValueError:
        raise Refused(f"--dynamic {args.dynamic}: expected numbers of axes between commas, such as 0,2,3") from None
    tokens = fastnet.int64 if trained.facts["kind"] == "text" else next(trained.model.parameters()).dtype
    names = {0: "batch", 2: "height", 3: "width"} if len(shape) == 4 else {0: "batch", 1: "length"}
    try:
        made = fastnet.onnx.export(trained.model, fastnet.zeros(*shape, dtype=tokens), args.output, opset_version=args.opset,
                                   dynamic_axes={"input": {axis: names.get(axis, f"axis_{axis}") for axis in axes}})
    except (RuntimeError, ValueError, TypeError) as error:
        raise Refused(str(error)) from None
    size = Path(args.output).stat().st_size
    print(f"{args.output}: {len(made.graph.node)} nodes, {size / 1e6:.1f} MB, from {trained.weights}")
