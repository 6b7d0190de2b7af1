"""Products with Jacobians and Hessians, and the matrices themselves, of functions of tensors: torch.autograd.functional's names."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnet._core.engine import enable_grad, grad
from fastnet._core.tensor import Tensor
from fastnet.ops.create import ones_like, zeros_like
from fastnet.ops.join import stack

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _row(x: Any, op: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether x is several tensors, and a tuple of them."""
    several = isinstance(x, (tuple, list))
    row = tuple(x) if several else (x,)
    for i, t in enumerate(row):
        if not isinstance(t, Tensor):
            where = f" at place {i}" if several else ""
            raise TypeError(f"{op}: {name} must be a Tensor or a tuple of Tensors, got {type(t).__name__}{where}")
    return several, row


def _begin(inputs: Any, create_graph: bool, op: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Inputs that gradients are taken with respect to: with the history of those given if the results are to have one."""
    several, row = _row(inputs, op, "inputs")
    return several, tuple(x.expand(x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in row)


def _vector(v: Any, like: tuple[Tensor, ...], several: bool, op: str, what: str) -> tuple[Tensor, ...]:
    """v as one tensor for each of `like`; None: 1, where that is one number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"{op}: v may only be left out where {what} are one number, got shapes {[tuple(x.shape) for x in like]}")
        return (ones_like(like[0].detach()),)
    row = _row(v, op, "v")[1]
    if len(row) != len(like) or any(a.shape != b.shape for a, b in zip(row, like)):
        raise RuntimeError(f"{op}: v must have the shapes of {what}, {[tuple(x.shape) for x in like]}, got {[tuple(x.shape) for x in row]}")
    return row


def _gradients(outputs: Any, inputs: tuple, v: Any, create_graph: bool, strict: bool, op: str, again: bool = False) -> tuple[Tensor, ...]:
    """Gradients of what depends on the inputs; zeros, or an error if strict, for what does not."""
    v = [None] * len(outputs) if v is None else v
    live = [(y, g) for y, g in zip(outputs, v) if y.requires_grad]
    if strict and len(live) < len(outputs):
        raise RuntimeError(f"{op}: an output does not depend on the inputs" + (" (their gradients do not)" if again else "")
                           + "; strict=False gives zeros for it")
    got = grad([y for y, _ in live], inputs, [g for _, g in live], retain_graph=True, create_graph=create_graph,
               allow_unused=True) if live else (None,) * len(inputs)
    if strict and any(g is None for g in got):
        raise RuntimeError(f"{op}: the outputs{' (first gradients)' if again else ''} do not depend on input "
                           f"{[g is None for g in got].index(True)}; strict=False gives zeros for it")
    return tuple(zeros_like(x.detach()) if g is None else g for g, x in zip(got, inputs))


def _end(row: Any, several: bool, create_graph: bool) -> Any:
    made = tuple(x if create_graph else x.detach() for x in row)
    return made if several else made[0]


def _scalar(outputs: tuple[Tensor, ...], op: str) -> None:
    if len(outputs) != 1 or outputs[0].numel() != 1:
        raise RuntimeError(f"{op}: func must return a single number, got shapes {[tuple(y.shape) for y in outputs]}")


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The value of a function, and a vector times its Jacobian: one backward.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        v: of the shapes of the outputs; may be left out for a single number.
        create_graph: give the results a history, so that they can be differentiated.
        strict: raise where outputs and inputs do not depend on each other, instead of giving zeros.

    Returns:
        (outputs, gradients in the shapes of the inputs).

    Raises:
        RuntimeError: v does not fit, or what strict says.

    >>> import fastnet
    >>> from fastnet.autograd.functional import vjp
    >>> vjp(lambda x: x ** 2, fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 10.0]))[1]
    tensor([ 2., 40.])
    """
    with enable_grad():
        several, xs = _begin(inputs, create_graph, "vjp")
        many, ys = _row(func(*xs), "vjp", "what func returns")
        g = _gradients(ys, xs, _vector(v, ys, many, "vjp", "the outputs"), create_graph, strict, "vjp")
    return _end(ys, many, create_graph), _end(g, several, create_graph)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The value of a function, and its Jacobian times a vector: two backwards, since the first one's is linear in what it begins with.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        v: of the shapes of the inputs; may be left out for a single number.
        create_graph: give the results a history, so that they can be differentiated.
        strict: raise where outputs and inputs do not depend on each other, instead of giving zeros.

    Returns:
        (outputs, directional derivatives in the shapes of the outputs).

    Raises:
        RuntimeError: v does not fit, or what strict says.

    >>> import fastnet
    >>> from fastnet.autograd.functional import jvp
    >>> jvp(lambda x: x.sum() * x, fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 0.0]))[1]
    tensor([4., 2.])
    """
    with enable_grad():
        return along(func, _begin(inputs, create_graph, "jvp")[1], v, lambda row: create_graph, strict)


def along(func: Callable, xs: tuple[Tensor, ...], v: Any, keep: Callable[[tuple[Tensor, ...]], bool], strict: bool) -> tuple[Any, Any]:
    """What `jvp` does with inputs that need gradients; keep tells, of the outputs and v, whether the results get a history."""
    v = _vector(v, xs, True, "jvp", "the inputs")
    many, ys = _row(func(*xs), "jvp", "what func returns")
    create_graph = keep((*ys, *v))
    starts = tuple(zeros_like(y.detach()).requires_grad_() for y in ys)
    back = _gradients(ys, xs, starts, True, strict, "jvp")
    g = _gradients(back, starts, v, create_graph, strict, "jvp", True)
    return _end(ys, many, create_graph), _end(g, many, create_graph)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The value of a function that returns a number, and a vector times its Hessian: two backwards, and no matrix.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: a tensor or a tuple of tensors.
        v: of the shapes of the inputs; may be left out for a single number.
        create_graph: give the results a history, so that they can be differentiated.
        strict: raise where the output or its gradient does not depend on the inputs, instead of giving zeros.

    Returns:
        (output, products in the shapes of the inputs).

    Raises:
        RuntimeError: the output is not one number, v does not fit, or what strict says.

    >>> import fastnet
    >>> from fastnet.autograd.functional import vhp
    >>> vhp(lambda x: (x ** 3).sum(), fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    return _second(func, inputs, v, create_graph, strict, "vhp")


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The value of a function that returns a number, and its Hessian times a vector.

    The Hessian is symmetric where second derivatives are continuous, so this is `vhp`, with its arguments, results and errors.

    >>> import fastnet
    >>> from fastnet.autograd.functional import hvp
    >>> hvp(lambda x: (x ** 3).sum(), fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    return _second(func, inputs, v, create_graph, strict, "hvp")


def _second(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool, op: str) -> tuple[Any, Any]:
    with enable_grad():
        several, xs = _begin(inputs, create_graph, op)
        v = _vector(v, xs, several, op, "the inputs")
        many, ys = _row(func(*xs), op, "what func returns")
        _scalar(ys, op)
        first = _gradients(ys, xs, None, True, strict, op)
        g = _gradients(first, xs, v, create_graph, strict, op, True)
    return _end(ys, many, create_graph), _end(g, several, create_graph)


def _plain(vectorize: bool, strategy: str, op: str, name: str) -> None:
    if vectorize:
        raise ValueError(f"{op}: vectorize=True is not available; there is one backward for each row")
    if strategy != "reverse-mode":
        raise ValueError(f"{op}: {name} must be 'reverse-mode', got {strategy!r}")


def jacobian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode") -> Any:
    """The Jacobian of a function: all derivatives of its outputs with respect to its inputs; one backward for each element of the outputs.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        create_graph: give the result a history, so that it can be differentiated.
        strict: raise where outputs and inputs do not depend on each other, instead of giving zeros.
        vectorize: must be False.
        strategy: must be "reverse-mode".

    Returns:
        A tensor of the output's shape followed by the input's; a tuple of them for several inputs or outputs, a tuple (for outputs) of
        tuples (for inputs) for both.

    Raises:
        RuntimeError: what strict says.
        ValueError: vectorize, or another strategy.

    >>> import fastnet
    >>> from fastnet.autograd.functional import jacobian
    >>> jacobian(lambda x: x ** 2, fastnet.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _plain(vectorize, strategy, "jacobian", "strategy")
    with enable_grad():
        several, xs = _begin(inputs, create_graph, "jacobian")
        many, ys = _row(func(*xs), "jacobian", "what func returns")
        made = []
        for y in ys:
            rows = []
            for i in range(y.numel()):
                one = zeros_like(y.detach()).reshape(-1)
                one[i] = 1.0
                rows.append(_gradients((y,), xs, (one.reshape(y.shape),), create_graph, strict, "jacobian"))
            blocks = [stack([row[k] for row in rows]).reshape([*y.shape, *x.shape]) if rows else x.detach().new_zeros(*y.shape, *x.shape)
                      for k, x in enumerate(xs)]
            made.append(_end(blocks, several, create_graph))
    return tuple(made) if many else made[0]


def hessian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode") -> Any:
    """The Hessian of a function that returns a number: the Jacobian of its gradient.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: a tensor or a tuple of tensors.
        create_graph: give the result a history, so that it can be differentiated.
        strict: raise where the output or its gradient does not depend on the inputs, instead of giving zeros.
        vectorize: must be False.
        outer_jacobian_strategy: must be "reverse-mode".

    Returns:
        A tensor of the input's shape twice; for several inputs a tuple of tuples: place (i, j) is of inputs i and j.

    Raises:
        RuntimeError: the output is not one number, or what strict says.
        ValueError: vectorize, or another strategy.

    >>> import fastnet
    >>> from fastnet.autograd.functional import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1], fastnet.tensor([1.0, 2.0]))
    tensor([[4., 2.],
            [2., 0.]])
    """
    _plain(vectorize, outer_jacobian_strategy, "hessian", "outer_jacobian_strategy")
    several = _row(inputs, "hessian", "inputs")[0]

    def first(*xs: Tensor) -> Any:
        ys = _row(func(*xs), "hessian", "what func returns")[1]
        _scalar(ys, "hessian")
        g = _gradients(ys, xs, None, True, strict, "hessian")
        return g if several else g[0]

    return jacobian(first, inputs, create_graph, strict)
