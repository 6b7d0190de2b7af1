"""Finds the compiled modules, which lie in one shared object: it is opened once, and what they have in common is there once."""
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import spec_from_file_location

try:
    import fastnet._native as _native
except ModuleNotFoundError as error:
    if error.name != "fastnet._native":
        raise
    raise ModuleNotFoundError(f"fastnet in {__file__.rpartition('/')[0]} is source code that is not compiled: after `pip install .` start "
                              "Python in another folder, or compile here: python setup.py build_ext --inplace", name=error.name) from None


class Finder:
    """A finder of `sys.meta_path` for the modules that `fastnet._native` lists."""

    path = _native.__file__
    names = frozenset(_native.names.split())

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """The spec of a compiled module; None for any other name."""
        return spec_from_file_location(name, cls.path, loader=ExtensionFileLoader(name, cls.path)) if name in cls.names else None


sys.meta_path.insert(0, Finder)
