"""torch.func's names: functions that give a function's gradient, Jacobian or Hessian, and a module called with other parameters."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastnet._core.engine import enable_grad
from fastnet._core.engine import grad as tape_grad
from fastnet._core.tensor import Tensor
from fastnet.autograd import functional
from fastnet.autograd.recorded.walk import leaves_behind
from fastnet.func.batched import _rebuilt, stack_module_state, vmap
from fastnet.nn.module import Module
from fastnet.ops.create import zeros_like
from fastnet.ops.join import stack

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "stack_module_state", "vjp", "vmap"]


def _tracked(x: Any, leaves: list[Tensor]) -> Any:
    """x (a tensor, or tuples, lists and dicts of them) as tensors to take gradients with respect to, which are noted in leaves."""
    if isinstance(x, Tensor):
        leaf = x.expand(x.shape) if x.requires_grad else x.detach().requires_grad_()
        leaves.append(leaf)
        return leaf
    if isinstance(x, dict):
        return {name: _tracked(value, leaves) for name, value in x.items()}
    if isinstance(x, (tuple, list)):
        return _rebuilt(x, [_tracked(value, leaves) for value in x])
    raise TypeError(f"func: an argument to differentiate by must be a Tensor, or a tuple, list or dict of them, got {type(x).__name__}")


def _like(x: Any, given: Iterable[Any]) -> Any:
    """The tensors of `given` in the structure of x."""
    if isinstance(x, Tensor):
        return next(given)  # type: ignore[call-overload]
    if isinstance(x, dict):
        return {name: _like(value, given) for name, value in x.items()}
    return _rebuilt(x, [_like(value, given) for value in x])


def _open(y: Tensor, leaves: list[Tensor]) -> bool:
    """Whether y also depends on what others differentiate by, so that its gradients need a history."""
    return bool(leaves_behind([y], [x for x in leaves if x.is_leaf]))


def _given(x: Any, leaves: list[Tensor]) -> Any:
    """What goes out: tensors keep a history only where it leads to what others differentiate by."""
    if isinstance(x, Tensor):
        return x if not x.requires_grad or _open(x, leaves) else x.detach()
    if isinstance(x, dict):
        return {name: _given(value, leaves) for name, value in x.items()}
    return _rebuilt(x, [_given(value, leaves) for value in x]) if isinstance(x, (tuple, list)) else x


def _pick(args: tuple, argnums: int | tuple[int, ...], op: str) -> tuple[int, ...]:
    row = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not row or any(not -len(args) <= k < len(args) for k in row):
        raise RuntimeError(f"{op}: argnums {argnums} does not name arguments of {len(args)}")
    places = tuple(k % len(args) for k in row)
    if len(set(places)) < len(places):
        raise RuntimeError(f"{op}: argnums {argnums} names an argument twice")
    return places


def _gradients(y: Tensor, leaves: list[Tensor], g: Tensor | None = None, keep: bool = False) -> list[Tensor]:
    if not y.requires_grad:
        return [zeros_like(x.detach()) for x in leaves]
    recorded = _open(y, leaves) or (g is not None and g.requires_grad)
    made = tape_grad(y, leaves, g, retain_graph=True if keep else None, create_graph=recorded, allow_unused=True)
    return [zeros_like(x.detach()) if m is None else m for m, x in zip(made, leaves)]


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that gives the gradient of func and its value.

    Args:
        func: returns a tensor of one element, or with has_aux a tuple of it and anything else.
        argnums: by which positional argument to differentiate, or by which; an argument may be a tuple, list or dict of tensors.
        has_aux: whether func returns something besides.

    Returns:
        A function of func's arguments: (gradient, value) or (gradient, (value, aux)). It may be differentiated again.

    Raises:
        RuntimeError: (when called) func does not return one number, or argnums is out of range.

    >>> import fastnet
    >>> fastnet.func.grad_and_value(lambda x: x ** 3)(fastnet.tensor(2.0))
    (tensor(12.), tensor(8.))
    """
    def function(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        places = _pick(args, argnums, "grad")
        leaves: list[Tensor] = []
        with enable_grad():
            row = list(args)
            for k in places:
                row[k] = _tracked(args[k], leaves)
            result = func(*row, **kwargs)
            y, aux = result if has_aux else (result, None)
            if not isinstance(y, Tensor) or y.numel() != 1 or y.ndim:
                what = f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
                raise RuntimeError(f"grad: func must return a 0-dim tensor, got {what}")
            given = iter(_gradients(y, leaves, keep=has_aux))       # aux may share the graph
        made = tuple(_like(args[k], given) for k in places)
        value = _given((y, aux) if has_aux else y, leaves)
        return made[0] if isinstance(argnums, int) else made, value
    return function


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that gives the gradient of func, which returns one number.

    Args:
        func: returns a 0-dim tensor, or with has_aux a tuple of it and anything else.
        argnums: by which positional argument to differentiate, or by which; an argument may be a tuple, list or dict of tensors.
        has_aux: whether func returns something besides; the function then gives (gradient, aux).

    Raises:
        RuntimeError: (when called) func does not return one number, or argnums is out of range.

    >>> import fastnet
    >>> from fastnet.func import grad
    >>> grad(fastnet.sin)(fastnet.tensor(0.0)), grad(grad(lambda x: x ** 3))(fastnet.tensor(2.0))
    (tensor(1.), tensor(12.))
    """
    both = grad_and_value(func, argnums, has_aux)

    def function(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g
    return function


def vjp(func: Callable, *primals: Tensor, has_aux: bool = False) -> tuple:
    """The value of func, and a function that takes a vector times its Jacobian.

    Args:
        func: takes the primals, returns a tensor, or with has_aux a tuple of it and anything else.
        primals: tensors.
        has_aux: whether func returns something besides.

    Returns:
        (value, function) or (value, function, aux); the function takes a tensor of the value's shape and returns a tuple with a gradient
        for each of the primals.

    >>> import fastnet
    >>> y, back = fastnet.func.vjp(lambda x: x ** 2, fastnet.tensor([1.0, 2.0]))
    >>> back(fastnet.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    leaves: list[Tensor] = []
    with enable_grad():
        result = func(*[_tracked(x, leaves) for x in primals])
    y, aux = result if has_aux else (result, None)

    def back(cotangent: Tensor) -> tuple[Tensor, ...]:
        with enable_grad():
            return tuple(_gradients(y, leaves, cotangent, keep=True))

    value = _given(y, leaves)
    return (value, back, _given(aux, leaves)) if has_aux else (value, back)


def jvp(func: Callable, primals: tuple[Tensor, ...], tangents: tuple[Tensor, ...]) -> tuple[Any, Any]:
    """The value of func and its directional derivative, by two backwards.

    Args:
        func: takes the primals, returns a tensor or a tuple of tensors.
        primals: a tuple of tensors.
        tangents: a tuple of tensors of the same shapes.

    Returns:
        (value, derivative along the tangents). They may be differentiated again.

    Raises:
        TypeError: primals or tangents are no tuple.
        RuntimeError: tangents have other shapes.

    >>> import fastnet
    >>> fastnet.func.jvp(lambda x: x ** 2, (fastnet.tensor([1.0, 2.0]),), (fastnet.tensor([1.0, 10.0]),))[1]
    tensor([ 2., 40.])
    """
    for name, row in (("primals", primals), ("tangents", tangents)):
        if not isinstance(row, (tuple, list)):
            raise TypeError(f"jvp: {name} must be a tuple of Tensors, got {type(row).__name__}")
    leaves: list[Tensor] = []
    with enable_grad():
        xs = tuple(_tracked(x, leaves) for x in primals)
        return functional.along(func, xs, tangents, lambda row: any(_open(x, leaves) for x in row), False)


def jacrev(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """A function that gives the Jacobian of func, by one backward for each element of its value.

    Args:
        func: returns a tensor.
        argnums: by which positional argument, a tensor, to differentiate, or by which.

    Returns:
        A function of func's arguments, which gives a tensor of the value's shape followed by the argument's (a tuple of them for several
        arguments). It may be differentiated again.

    >>> import fastnet
    >>> fastnet.func.jacrev(lambda x: x ** 2)(fastnet.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    def function(*args: Any) -> Any:
        places = _pick(args, argnums, "jacrev")
        leaves: list[Tensor] = []
        with enable_grad():
            row = list(args)
            for k in places:
                row[k] = _tracked(args[k], leaves)
            y = func(*row)
            if not isinstance(y, Tensor):
                raise TypeError(f"jacrev: func must return a Tensor, got {type(y).__name__}")
            rows = []
            for i in range(y.numel()):
                one = zeros_like(y.detach()).reshape(-1)
                one[i] = 1.0
                rows.append(_gradients(y, leaves, one.reshape(y.shape), keep=True))
            made = tuple(stack([r[k] for r in rows]).reshape([*y.shape, *x.shape]) if rows else x.detach().new_zeros(*y.shape, *x.shape)
                         for k, x in enumerate(leaves))
        return made[0] if isinstance(argnums, int) else made
    return function


def jacfwd(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """A function that gives what `jacrev` gives, by a `jvp` for each element of the argument: for few of them and many results.

    Args:
        func: returns a tensor.
        argnums: by which positional argument, a tensor, to differentiate, or by which.

    >>> import fastnet
    >>> fastnet.func.jacfwd(lambda x: x ** 2)(fastnet.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    def function(*args: Any) -> Any:
        made = []
        for k in _pick(args, argnums, "jacfwd"):
            x = args[k]

            def of_one(v: Tensor, k: int = k) -> Any:
                return func(*args[:k], v, *args[k + 1:])
            if not x.numel():
                y = of_one(x)
                made.append(y.detach().new_zeros(*y.shape, *x.shape))
                continue
            columns = []
            for i in range(x.numel()):
                one = zeros_like(x.detach()).reshape(-1)
                one[i] = 1.0
                columns.append(jvp(of_one, (x,), (one.reshape(x.shape),))[1])
            y = stack(columns, -1)
            made.append(y.reshape([*y.shape[:-1], *x.shape]))
        return made[0] if isinstance(argnums, int) else tuple(made)
    return function


def hessian(func: Callable, argnums: int = 0) -> Callable:
    """A function that gives the Hessian of func, which returns a number: ``jacrev(grad(func))``.

    Args:
        func: returns a 0-dim tensor.
        argnums: by which positional argument, a tensor, to differentiate.

    >>> import fastnet
    >>> fastnet.func.hessian(lambda x: x[0] ** 2 * x[1])(fastnet.tensor([1.0, 2.0]))
    tensor([[4., 2.],
            [2., 0.]])
    """
    return jacrev(grad(func, argnums), argnums)


def functional_call(module: Module, parameters: dict[str, Tensor], args: Any = (), kwargs: dict[str, Any] | None = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers, which are put back afterwards.

    Args:
        module: any module.
        parameters: tensors by the names that `named_parameters` and `named_buffers` give; those that are missing stay the module's.
        args: the arguments of the call, a tuple; anything else is the only argument.
        kwargs: keyword arguments.
        tie_weights: a parameter that the module holds under several names is replaced under all of them.
        strict: raise where a name is missing, too.

    Returns:
        What the module returns.

    Raises:
        KeyError: a name that the module does not have, or with strict one that is missing.

    >>> import fastnet as fn
    >>> layer, w = fn.nn.Linear(2, 1, bias=False), fn.tensor([[1.0, 2.0]], requires_grad=True)
    >>> fn.func.functional_call(layer, {"weight": w}, fn.ones(1, 2))
    tensor([[3.]], grad_fn=<LinearBackward0>)
    """
    homes: dict[str, tuple[Module, dict, str]] = {}
    for prefix, child in module.named_modules(remove_duplicate=False):
        for table in (child._parameters, child._buffers):
            homes |= {f"{prefix}.{name}" if prefix else name: (child, table, name) for name, t in table.items() if t is not None}
    for name in parameters:
        if name not in homes:
            raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}")
    if strict and (missing := [name for name in homes if name not in parameters]):
        raise KeyError(f"functional_call: strict, but {', '.join(map(repr, missing))} missing")
    new = {name: parameters[name] for name in parameters}
    if tie_weights:
        tied = {id(homes[name][1][homes[name][2]]): t for name, t in parameters.items()}
        new |= {name: tied[id(table[word])] for name, (_, table, word) in homes.items() if id(table[word]) in tied and name not in new}
    before = [(*homes[name], homes[name][1][homes[name][2]]) for name in new]
    try:
        for name, t in new.items():
            child, table, word = homes[name]
            table[word] = child.__dict__[word] = t
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
    finally:
        for child, table, word, t in before:
            table[word] = child.__dict__[word] = t
