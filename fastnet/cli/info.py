"""`fastnet info`: what this installation is."""
from __future__ import annotations

import argparse

import fastnet


def run(args: argparse.Namespace) -> None:
    """Print version, instruction set and why, threads and why, and the OpenMP runtimes."""
    fastnet.show_config()
