"""Finds the compiled modules, which lie in one shared object: it is opened once, and what they have in common is there once."""
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import spec_from_file_location

import fastnet._native as _native


class Finder:
    """A finder of `sys.meta_path` for the modules that `fastnet._native` lists."""

    path = _native.__file__
    names = frozenset(_native.names.split())

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """The spec of a compiled module; None for any other name."""
        return spec_from_file_location(name, cls.path, loader=ExtensionFileLoader(name, cls.path)) if name in cls.names else None


sys.meta_path.insert(0, Finder)
