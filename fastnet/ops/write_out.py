"""What `out=` means: the result is computed, held to PyTorch's rules, and written into the tensors that were given."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from fastnet._core.engine import is_grad_enabled, no_grad
from fastnet._core.tensor import Tensor
from fastnet.ops.about import can_cast

CREATE = frozenset("arange empty eye full linspace logspace ones rand randint randn randperm zeros".split())  # made in out's dtype
EXACT = frozenset("""
    addbmm addmm addmv addr argmax argmin argsort baddbmm bmm chain_matmul dot gather ger index_select inner kthvalue masked_select
    matmul median mm mode multinomial mv nonzero outer sort take_along_dim tensordot topk tril triu vdot where""".split())


def _differentiated(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.requires_grad
    return isinstance(value, (list, tuple)) and any(map(_differentiated, value))


def write_out(function: Callable[..., Any], out: Any, args: tuple, options: dict[str, Any]) -> Any:
    """Write `function(*args, **options)` into `out`.

    Args:
        function: gives a tensor, or a tuple of tensors.
        out: a tensor, or a tuple of as many as the function gives.  One of another shape gets the shape and memory of its own,
            with a warning unless it had no element.
        args: what the function takes.
        options: what it takes by name.

    Returns:
        out; for a named tuple one of its kind.

    Raises:
        TypeError: out is neither.
        RuntimeError: gradients were to be recorded, the result cannot be cast to out's dtype, out is read-only or its elements share
            memory, or it has a tensor twice.

    >>> import fastnet
    >>> fastnet.mul(fastnet.ones(2), 3, out=fastnet.empty(0))
    tensor([3., 3.])
    """
    name = function.__name__
    outs = tuple(out) if isinstance(out, (list, tuple)) else (out,)
    for one in outs:
        if not isinstance(one, Tensor):
            raise TypeError(f"{name}: out must be a Tensor or a tuple of them, got {type(one).__name__}")
    if len(set(map(id, outs))) < len(outs):
        raise RuntimeError(f"{name}: out has the same tensor twice: each result needs one of its own")
    if is_grad_enabled() and any(map(_differentiated, (*args, *options.values(), *outs))):
        raise RuntimeError(f"{name}: functions with out=... are not differentiated, but one of the arguments requires gradients; "
                           "use no_grad()")
    leaf = name in CREATE and options.pop("requires_grad", False)
    if name in CREATE:
        if options.get("dtype") is None:
            options["dtype"] = outs[0].dtype
        if options["dtype"] != outs[0].dtype:
            raise RuntimeError(f"{name}: dtype {options['dtype']} does not match dtype {outs[0].dtype} of out")
    with no_grad():
        result = function(*args, **options)
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(outs) or isinstance(result, tuple) != isinstance(out, (list, tuple)):
            raise TypeError(f"{name}: out must be {f'a tuple of {len(results)} tensors' if isinstance(result, tuple) else 'one tensor'}")
        for value, one in zip(results, outs):
            if value.dtype != one.dtype and (name in EXACT or len(outs) > 1 or not can_cast(value.dtype, one.dtype)):
                raise RuntimeError(f"{name}: a result of {value.dtype} cannot be stored in out, which is {one.dtype}")
        for value, one in zip(results, outs):
            if value.shape == one.shape:
                try:
                    one.copy_(value)
                except (RuntimeError, ValueError) as error:
                    raise RuntimeError(f"{name}: out cannot be written: {error}") from None
                continue
            if one.numel():
                warnings.warn(f"{name}: out of shape {tuple(one.shape)} was resized to {tuple(value.shape)}; give one of that shape or an "
                              "empty one", UserWarning, stacklevel=2)
            one.data = value.to(one.dtype, copy=True)
    if leaf:
        outs[0].requires_grad_()
    return result._make(outs) if hasattr(result, "_make") else outs if isinstance(result, tuple) else out
