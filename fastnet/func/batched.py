"""vmap: a function of single things called for each of a batch; stack_module_state: the parameters of several modules as a batch."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module
from fastnet.ops.join import stack
from fastnet.ops.random import get_rng_state, set_rng_state


def _rebuilt(x: Any, parts: list[Any]) -> Any:
    """A tuple, named tuple or list like x, of other parts."""
    return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)


def _dims(x: Any, dim: Any, what: str) -> Any:
    """The axis of each tensor in x, in x's structure; dim may be one for all of them."""
    if isinstance(x, dict):
        if isinstance(dim, dict) and dim.keys() != x.keys():
            raise ValueError(f"vmap: {what} has the keys {list(dim)}, the value {list(x)}")
        return {k: _dims(v, dim[k] if isinstance(dim, dict) else dim, what) for k, v in x.items()}
    if isinstance(x, (tuple, list)):
        if isinstance(dim, (tuple, list)) and len(dim) != len(x):
            raise ValueError(f"vmap: {what} has {len(dim)} entries for {len(x)} values")
        return [_dims(v, dim[k] if isinstance(dim, (tuple, list)) else dim, what) for k, v in enumerate(x)]
    if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool)):
        raise ValueError(f"vmap: {what} must be integers, None, or tuples, lists and dicts like the value, got {dim!r}")
    if not isinstance(x, Tensor):
        if dim is not None and what == "out_dims":
            raise ValueError(f"vmap: the function must return Tensors, or tuples, lists and dicts of them, got {type(x).__name__}")
        if dim is not None:
            raise ValueError(f"vmap: {what} is {dim} for a {type(x).__name__}, which has no axes; it takes None")
        return None
    if dim is not None and what == "in_dims" and not -x.ndim <= dim < x.ndim:
        raise ValueError(f"vmap: {what} is {dim} for a tensor of {x.ndim} axes")
    return dim


def _sizes(x: Any, dims: Any) -> Iterator[int]:
    if isinstance(x, dict):
        x, dims = list(x.values()), list(dims.values())
    if isinstance(x, (tuple, list)):
        for part, d in zip(x, dims):
            yield from _sizes(part, d)
    elif dims is not None:
        yield x.shape[dims]


def _one(x: Any, dims: Any, i: int) -> Any:
    """Number i of the batch."""
    if isinstance(x, dict):
        return {k: _one(v, dims[k], i) for k, v in x.items()}
    if isinstance(x, (tuple, list)):
        return _rebuilt(x, [_one(v, d, i) for v, d in zip(x, dims)])
    return x if dims is None else x.select(dims, i)


def _together(results: list[Any], dims: Any) -> Any:
    first = results[0]
    if isinstance(first, dict):
        return {k: _together([r[k] for r in results], dims[k]) for k in first}
    if isinstance(first, (tuple, list)):
        return _rebuilt(first, [_together([r[k] for r in results], dims[k]) for k in range(len(first))])
    if dims is not None:
        return stack(results, dims)
    if isinstance(first, Tensor) and len({r.detach().numpy().tobytes() for r in results}) > 1:
        raise ValueError("vmap: out_dims is None for a result that is not the same for all")
    return first


def vmap(func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None) -> Callable:
    """A function that calls func for each of a batch and stacks what it returns.

    It is a loop: as fast as the calls one after the other, and func may do anything. Gradients of each sample are
    ``vmap(grad(loss), in_dims=(None, 0, 0))``.

    Args:
        func: takes and returns tensors, or tuples, lists and dicts of them.
        in_dims: the axis of the batch in each positional argument: a number, or a tuple with a number, None (the argument is the same for
            all) or a structure like the argument for each. Keyword arguments are the same for all.
        out_dims: where the axis goes in the results, in the same way; None: the result is the same for all.
        randomness: what random numbers func may draw: "error": none; "different": others for each; "same": the same for each.
        chunk_size: either way; one is computed at a time.

    Returns:
        A function of func's arguments.

    Raises:
        ValueError: (when called) in_dims or out_dims do not fit, no argument has the axis, its sizes differ or are 0, a result
            with out_dims None is not the same for all.
        RuntimeError: (when called) random numbers were drawn under "error".

    >>> import fastnet
    >>> fastnet.vmap(fastnet.dot)(fastnet.tensor([[1.0, 2.0], [3.0, 4.0]]), fastnet.ones(2, 2))
    tensor([3., 7.])
    >>> fastnet.vmap(fastnet.func.grad(lambda x: x ** 2))(fastnet.tensor([1.0, 2.0, 3.0]))
    tensor([2., 4., 6.])
    """
    if randomness not in ("error", "different", "same"):
        raise ValueError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")

    @wraps(func)
    def function(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_dims, int):
            dims = _dims(args, in_dims, "in_dims")
        elif isinstance(in_dims, (tuple, list)) and len(in_dims) == len(args):
            dims = _dims(args, tuple(in_dims), "in_dims")
        else:
            raise ValueError(f"vmap: in_dims must be a number or have one entry for each of {len(args)} arguments, got {in_dims!r}")
        sizes = {*_sizes(args, dims)}
        if len(sizes) != 1 or 0 in sizes:
            raise ValueError("vmap: no argument has an axis of the batch" if not sizes else
                             f"vmap: the axes of the batch must have one size, not 0, got {sorted(sizes)}")
        before = get_rng_state()
        results = []
        for i in range(sizes.pop()):
            if randomness == "same":
                set_rng_state(before)
            results.append(func(*_one(args, dims, i), **kwargs))
            if randomness == "error" and not i and not bool((get_rng_state() == before).all()):
                raise RuntimeError("vmap: the function draws random numbers; say randomness='different' or 'same'")
        return _together(results, _dims(results[0], out_dims, "out_dims"))
    return function


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of modules of one kind, each stacked along a new first axis, for an ensemble by `vmap`.

    Args:
        models: modules of the same class, all in training or all in evaluation.

    Returns:
        (parameters, buffers), dicts by name; the stacked parameters are leaves that require gradients if the modules' do.

    Raises:
        RuntimeError: there are none, or they differ in class, mode or requires_grad.

    >>> import fastnet as fn
    >>> models = [fn.nn.Linear(2, 1) for _ in range(3)]
    >>> parameters, buffers = fn.func.stack_module_state(models)
    >>> call = lambda p, x: fn.func.functional_call(models[0], p, x)
    >>> fn.vmap(call, in_dims=(0, None))(parameters, fn.ones(5, 2)).shape
    fastnet.Size([3, 5, 1])
    """
    rows = list(models)
    if not rows:
        raise RuntimeError("stack_module_state: there are no models")
    if len({type(m) for m in rows}) > 1 or len({m.training for m in rows}) > 1:
        raise RuntimeError("stack_module_state: models must be of one class, and all in training or all in evaluation")
    parts: list[dict[str, Tensor]] = []
    for named in ("named_parameters", "named_buffers"):
        tables = [dict(getattr(m, named)()) for m in rows]
        made = {}
        for name in tables[0]:
            needs = {t[name].requires_grad for t in tables}
            if len(needs) > 1:
                raise RuntimeError(f"stack_module_state: {name!r} requires gradients in some models only")
            made[name] = stack([t[name].detach() for t in tables])
            if needs.pop():
                made[name].requires_grad_()
        parts.append(made)
    return parts[0], parts[1]
