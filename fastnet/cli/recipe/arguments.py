"""Names in a recipe as functions and classes, and their arguments checked against the signature."""
from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from fastnet.cli.recipe.kinds import closest, shown
from fastnet.cli.refused import Refused

SIMPLE = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,), "list": (list,), "None": (), "Tensor": ()}
WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "list": "a list"}
LISTS = ("list[", "tuple[", "Sequence[", "Iterable[")


def find(where: str, name: str, space: Any, names: Iterable[str]) -> Callable[..., Any]:
    """What a name means: one of `names` in the module `space`, or `module:function` on the import path or in this folder."""
    names = list(names)
    if ":" not in name:
        if name not in names:
            raise Refused(f"{where} name: there is no {name!r}; {closest(name, names)} (module:function names your own)")
        return getattr(space, name)
    module, _, attribute = name.partition(":")
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise Refused(f"{where} name: {name}: there is no module {error.name!r} on the import path or in this folder") from None
    except AttributeError:
        raise Refused(f"{where} name: {name}: the module {module} has no {attribute}") from None
    except Exception as error:
        raise Refused(f"{where} name: {name}: importing it failed: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(here)
    if not callable(found):
        raise Refused(f"{where} name: {name} cannot be called")
    return found


def parameters(function: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], bool]:
    """The named parameters of a function, and whether it takes others too; `**options` that go to the class it returns are that one's.

    >>> import fastnet as fn
    >>> from fastnet.cli.recipe.arguments import parameters
    >>> "in_channels" in parameters(fn.models.resnet18)[0]
    True
    """
    signature = inspect.signature(function)
    known = {p.name: p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    more = any(p.kind == p.VAR_KEYWORD for p in signature.parameters.values())
    inner = getattr(function, "__globals__", {}).get(signature.return_annotation) if more else None
    if inspect.isclass(inner):
        passed, more = parameters(inner)
        known = {**{k: p for k, p in passed.items() if p.default is not p.empty}, **known}
    return known, more


def check_arguments(where: str, function: Callable[..., Any], given: dict[str, Any], provided: Iterable[str] = ()) -> None:
    """Refuse arguments that a function does not take, values of another type than it says, and a lack of ones it needs.

    Args:
        where: what the arguments belong to, for the message: ``"[optimizer]"``.
        function: a function or class.
        given: the arguments by name.
        provided: names of the arguments that the run gives itself.

    >>> import fastnet as fn
    >>> from fastnet.cli.recipe.arguments import check_arguments
    >>> check_arguments("[optimizer]", fn.optim.Adam, {"learning_rate": 0.1}, ["params"])
    Traceback (most recent call last):
    fastnet.cli.refused.Refused: [optimizer] learning_rate: Adam takes no such argument; did you mean 'lr'?
    """
    known, more = parameters(function)
    provided = set(provided)
    name = getattr(function, "__name__", str(function))
    for key, value in given.items():
        if key in provided:
            raise Refused(f"{where} {key}: the run gives this argument of {name} itself; leave it out")
        if key not in known:
            if more:
                continue
            free = [k for k in known if k not in provided]
            advice = "did you mean 'lr'?" if key in ("learning_rate", "learningrate") and "lr" in free else closest(key, free)
            raise Refused(f"{where} {key}: {name} takes no such argument; {advice}")
        wanted = expected(known[key].annotation)
        if wanted and not fits(value, wanted):
            raise Refused(f"{where} {key}: {name} expects {' or '.join(WORDS[w] for w in wanted if w in WORDS)}, got {shown(value)}")
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in given and key not in provided:
            advice = f"; --set {key}=..." if where == "MODEL" else ""
            raise Refused(f"{where}: {name} needs {key}{advice}")


def expected(annotation: Any) -> list[str]:
    """The simple types that an annotation names; none where it names another too."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    words = ["list" if word.strip().startswith(LISTS) else word.strip() for word in text.split("|")]
    return words if all(word in SIMPLE for word in words) and set(words) != {"None"} else []


def fits(value: Any, words: list[str]) -> bool:
    """Whether a value is of one of the types; true and false are no numbers."""
    if isinstance(value, bool):
        return "bool" in words
    return isinstance(value, tuple(kind for word in words if word != "bool" for kind in SIMPLE[word]))


def call(where: str, function: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """The function's result; a value that it refuses is told with its place in the recipe."""
    try:
        return function(*args, **given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Refused(f"{where}: {error}") from error
