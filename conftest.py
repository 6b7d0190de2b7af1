"""Makes the tests see the installed fastnet, also where the checkout is in sys.path (`python -m pytest`)."""
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
elsewhere = [p for p in sys.path if Path(p).resolve() != ROOT]
if PathFinder.find_spec("fastnet", elsewhere):
    sys.path[:] = elsewhere        # an editable install finds the checkout by itself, or is the only one there is

try:
    import fastnet  # noqa: F401
except ImportError as error:
    pytest.exit(f"the tests need an installed fastnet: pip install '.[test]' ({error})", returncode=3)
