"""Every public name has a docstring, and the examples in docstrings give what they show."""
import doctest
import importlib
import importlib.util
import inspect
import pkgutil

import pytest

import fastnet

EXECUTABLE = ("fastnet.__main__",)                       # modules that do something when they are imported
NEEDS = {"fastnet.onnx": "onnx", "fastnet.sklearn": "sklearn"}       # packages that are of no use without another one


def modules():
    yield fastnet
    for info in pkgutil.walk_packages(fastnet.__path__, "fastnet."):
        missing = [other for name, other in NEEDS.items() if info.name.startswith(name) and importlib.util.find_spec(other) is None]
        if info.name not in EXECUTABLE and not missing:
            yield importlib.import_module(info.name)


def documented():
    """(qualified name, object) of what the modules define: functions, classes, methods, properties; compiled ones too."""
    for module in modules():
        yield module.__name__, module
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != module.__name__:
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for member, inner in vars(value).items():
                    inner = getattr(inner, "__func__", inner)
                    if getattr(inner, "__module__", module.__name__) == module.__name__ and getattr(inner, "__doc__", None):
                        yield f"{module.__name__}.{name}.{member}", inner


def examples():
    seen = set()
    for name, value in documented():
        doc = getattr(value, "__doc__", None)
        if isinstance(doc, str) and ">>>" in doc and id(value) not in seen:
            seen.add(id(value))
            yield name, doc


@pytest.fixture
def as_found():
    """Examples may choose threads, an ISA, a seed or print options."""
    threads, isa = fastnet.get_num_threads(), fastnet.get_isa()
    yield
    fastnet.set_num_threads(threads)
    fastnet.set_isa(isa)


@pytest.mark.parametrize("name, doc", [pytest.param(n, d, id=n.removeprefix("fastnet.")) for n, d in examples()])
def test_the_example_gives_what_it_shows(as_found, name, doc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    test = doctest.DocTestParser().get_doctest(doc, {}, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def public():
    """What users see: the names of the packages that mirror PyTorch's."""
    names = ["fastnet", "fastnet.nn", "fastnet.nn.functional", "fastnet.nn.init", "fastnet.nn.utils", "fastnet.optim",
             "fastnet.optim.lr_scheduler", "fastnet.utils.data", "fastnet.autograd", "fastnet.text", "fastnet.metrics",
             "fastnet.models", "fastnet.datasets", "fastnet.transforms", "fastnet.transforms.functional"]
    names += [name for name, other in NEEDS.items() if importlib.util.find_spec(other)]
    for home in [*names, "fastnet.ops.boxes"]:
        space = importlib.import_module(home)
        for name, value in vars(space).items():
            ours = (getattr(value, "__module__", None) or "").startswith("fastnet")
            if not name.startswith("_") and ours and (inspect.isclass(value) or callable(value)):
                yield f"{home}.{name}", value


def test_every_public_name_has_a_docstring():
    silent = [name for name, value in public() if not (value.__doc__ or "").strip()]
    assert not silent, f"no docstring: {', '.join(sorted(silent))}"


def test_every_public_op_shows_an_example():
    """In-place variants refer to the op whose name they have."""
    ops = {name: value.__doc__ or "" for name, value in public() if value.__module__.startswith("fastnet.ops")}
    silent = sorted(name for name, doc in ops.items() if ">>>" not in doc and not name.endswith("_"))
    assert not silent, f"no example: {', '.join(silent)}"
