"""The stubs name what the compiled modules have, with the same parameters."""
import ast
import importlib
import inspect
from pathlib import Path

import pytest

import fastnet
from fastnet._modules import Finder
from fastnet.ops.out import NAMES

ROOT = Path(fastnet.__file__).parent
STUBS = sorted(p for p in ROOT.rglob("*.pyi"))


def parameters(node: ast.FunctionDef) -> list[str]:
    a = node.args
    named = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]
    return [p.arg for p in named]


def functions(module) -> dict[str, object]:
    return {name: f for name, f in vars(module).items()
            if getattr(f, "__module__", None) == module.__name__ and callable(f) and not name.startswith("_") and not inspect.isclass(f)}


@pytest.mark.parametrize("path", STUBS, ids=lambda p: str(p.relative_to(ROOT)))
def test_stub_and_module_agree(path):
    module = importlib.import_module(".".join(("fastnet", *path.relative_to(ROOT).with_suffix("").parts)))
    stub = {node.name: parameters(node) for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    ours = {name for name, f in functions(module).items() if getattr(fastnet, name, None) is f and name in NAMES}
    assert stub == {name: [*inspect.signature(f).parameters, *(["out"] if name in ours else [])] for name, f in functions(module).items()}


def test_every_compiled_module_with_functions_has_a_stub():
    compiled = Finder.names
    assert {"fastnet.ops.softmax", "fastnet._core.launch"} <= compiled and STUBS
    for name in compiled:
        stub = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".pyi")
        assert not functions(importlib.import_module(name)) or stub.exists(), name


def test_stub_of_tensor_names_its_methods():
    tree = ast.parse((ROOT / "_core" / "tensor.pyi").read_text())
    stub = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Tensor")
    named = {n.name for n in stub.body if isinstance(n, ast.FunctionDef)} | {n.target.id for n in stub.body if isinstance(n, ast.AnnAssign)}
    assert {name for name in vars(fastnet.Tensor) if not name.startswith("_")} <= named
