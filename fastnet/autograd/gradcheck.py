"""gradcheck and gradgradcheck: analytic gradients against central differences."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnet._core.engine import grad
from fastnet._core.tensor import Tensor, from_numpy


class GradcheckError(RuntimeError):
    """Analytic and numerical gradients differ."""


def gradcheck(func: Callable, inputs: Tensor | Sequence, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
              check_grad_dtypes: bool = False, fast_mode: bool = False) -> bool:
    """Compare the gradients of func with central differences, element by element.

    For every output ``y_j`` and every input element ``x_i``: ``|dy_j/dx_i - (y_j(x + eps e_i) - y_j(x - eps e_i)) / (2 eps)|`` must be at
    most ``atol + rtol |numerical|``.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a sequence of arguments; the float64 tensors among them that require gradients are checked.
        eps: the step of the differences; default 1e-6.
        atol, rtol: default 1e-5 and 1e-3.
        raise_exception: raise on a difference; otherwise return False.
        nondet_tol: by how much two runs of backward may differ; default 0.
        check_undefined_grad: also check that backward works where some outputs get no gradient.
        check_grad_dtypes: also check that gradients have the dtype of their inputs.
        fast_mode: compare along one random direction instead of all.

    Returns:
        True; False where they differ and raise_exception is False.

    Raises:
        GradcheckError: they differ; the message names output, input and element.
        ValueError: no input is a float64 tensor that requires gradients.

    >>> import fastnet
    >>> x = fastnet.tensor([0.5, 2.0], dtype=fastnet.float64, requires_grad=True)
    >>> fastnet.autograd.gradcheck(lambda x: x.clone(), x)
    True
    """
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
    if not wanted:
        raise ValueError("gradcheck: no input is a tensor that requires gradients")
    for i in wanted:
        if str(args[i].dtype) != "fastnet.float64":
            raise ValueError(f"gradcheck: input {i} is {args[i].dtype}; differences need float64")
    try:
        _check(func, args, wanted, eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func: Callable, inputs: Tensor | Sequence, grad_outputs: Tensor | Sequence | None = None, *, eps: float = 1e-6,
                  atol: float = 1e-5, rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
                  fast_mode: bool = False) -> bool:
    """Compare the second derivatives of func with central differences of its gradients: `gradcheck` of its backward.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a sequence of arguments; the float64 tensors among them that require gradients are checked.
        grad_outputs: for each output that requires gradients the gradient with which backward begins; None: random ones.
        gen_non_contig_grad_outputs: make the random ones with gaps in memory.
        eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode: as of `gradcheck`.

    Returns:
        True; False where they differ and raise_exception is False.

    Raises:
        GradcheckError: they differ; inputs and outputs that the message names are those of the backward.
        ValueError: no input is a float64 tensor that requires gradients.

    >>> import fastnet
    >>> x = fastnet.tensor([0.5, 2.0], dtype=fastnet.float64, requires_grad=True)
    >>> fastnet.autograd.gradgradcheck(lambda x: x ** 3, x)
    True
    """
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
    tracked = [y for y in _outputs(func, args) if y.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        gap = 2 if gen_non_contig_grad_outputs else 1
        starts = [from_numpy(np.asarray(rng.standard_normal([*y.shape, gap])))[..., 0].to(y.dtype) for y in tracked]
    else:
        starts = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    starts = [g.detach().requires_grad_() for g in starts]

    def backward(*row: Any) -> tuple:
        given, begun = row[:len(args)], row[len(args):]
        ys = [y for y in _outputs(func, given) if y.requires_grad]
        made = grad(ys, [given[i] for i in wanted], begun, create_graph=True, allow_unused=True)
        return tuple(g for g in made if g is not None and g.requires_grad)

    return gradcheck(backward, (*args, *starts), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
                     check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, fast_mode=fast_mode)


def _outputs(func: Callable, args: tuple) -> list[Tensor]:
    result = func(*args)
    return [y for y in (result if isinstance(result, (tuple, list)) else (result,)) if isinstance(y, Tensor)]


def _values(func: Callable, args: tuple) -> list[np.ndarray]:
    return [np.array(y.detach().numpy(), np.float64) for y in _outputs(func, args)]


def _check(func, args, wanted, eps, atol, rtol, nondet_tol, check_undefined, check_dtypes, fast_mode) -> None:
    rng = np.random.default_rng(0)
    tracked = [j for j, y in enumerate(_outputs(func, args)) if y.requires_grad]
    if not tracked:
        raise GradcheckError("gradcheck: no output depends on the inputs")
    for i in wanted:
        x = args[i].detach().numpy()
        numerical = (_along if fast_mode else _columns)(func, args, x, eps, rng)
        for j in tracked:
            analytic = [_rows(func, args, i, j, numerical[j][1], check_dtypes) for _ in range(2)]
            if not _near(analytic[0], analytic[1], nondet_tol, 0.0).all():
                raise GradcheckError(f"gradcheck: two runs of backward differ for output {j}, input {i}")
            _compare(analytic[0], numerical[j][0], atol, rtol, i, j)
        if check_undefined and len(tracked) > 1:
            for j in tracked:
                grad(_outputs(func, args)[j].sum(), [args[i]], allow_unused=True)


def _columns(func, args, x, eps, rng) -> list[tuple[np.ndarray, None]]:
    """d(output)/d(x) for every element of x: arrays (elements of x, elements of the output)."""
    columns = []
    for at in np.ndindex(x.shape):
        keep = x[at]
        x[at] = keep + eps
        up = _values(func, args)
        x[at] = keep - eps
        down = _values(func, args)
        x[at] = keep
        columns.append([((u - d) / (2 * eps)).ravel() for u, d in zip(up, down)])
    count = len(_values(func, args))
    return [(np.array([c[j] for c in columns]), None) for j in range(count)]


def _along(func, args, x, eps, rng) -> list[tuple[np.ndarray, tuple]]:
    """The same contracted with a random direction of x and a random weight of the output: arrays (1, 1)."""
    direction = rng.standard_normal(x.shape)
    keep = x.copy()
    x[...] = keep + eps * direction
    up = _values(func, args)
    x[...] = keep - eps * direction
    down = _values(func, args)
    x[...] = keep
    result = []
    for u, d in zip(up, down):
        weight = rng.standard_normal(u.shape)
        result.append((np.array([[(weight * (u - d)).sum() / (2 * eps)]]), (weight, direction)))
    return result


def _gradient(func, args, i, j, weight, check_dtypes) -> np.ndarray:
    y = _outputs(func, args)[j]
    g, = grad(y, [args[i]], [from_numpy(weight.astype(y.dtype.numpy))], allow_unused=True)
    if g is None:
        return np.zeros(tuple(args[i].shape))
    if check_dtypes and g.dtype is not args[i].dtype:
        raise GradcheckError(f"gradcheck: the gradient of input {i} is {g.dtype}, the input {args[i].dtype}")
    return np.array(g.detach().numpy(), np.float64)


def _rows(func, args, i, j, random, check_dtypes) -> np.ndarray:
    """The analytic counterpart of _columns or _along, shape (elements of x, elements of the output) or (1, 1)."""
    if random is not None:
        weight, direction = random
        return np.array([[(_gradient(func, args, i, j, weight, check_dtypes) * direction).sum()]])
    shape = tuple(_outputs(func, args)[j].shape)
    rows = []
    for at in np.ndindex(shape):
        one = np.zeros(shape)
        one[at] = 1.0
        rows.append(_gradient(func, args, i, j, one, check_dtypes).ravel())
    return np.array(rows).T if rows else np.zeros((args[i].numel(), 0))


def _near(a: np.ndarray, b: np.ndarray, atol: float, rtol: float) -> np.ndarray:
    return np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def _compare(analytic: np.ndarray, numerical: np.ndarray, atol: float, rtol: float, i: int, j: int) -> None:
    wrong = ~_near(analytic, numerical, atol, rtol)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(wrong, np.abs(analytic - numerical), -1)), wrong.shape)
        raise GradcheckError(f"gradcheck: output {j}, input {i}: {int(wrong.sum())} of {wrong.size} derivatives differ; the worst, of "
                             f"output element {int(worst[1])} by input element {int(worst[0])}, is {analytic[worst]:.8g} by backward "
                             f"and {numerical[worst]:.8g} by differences")
