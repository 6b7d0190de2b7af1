"""SparseAdam: Adam for gradients that name a few rows."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import adam_update, with_grad
from fastnet.optim.optimizer import Optimizer, check_betas, check_least, check_lr
from fastnet.optim.rows import Rows

_NAMES = ("step", "exp_avg", "exp_avg_sq")


class SparseAdam(Optimizer):
    """Adam whose step changes, and whose means forget, only the rows that the gradient names: "lazy" Adam.

    p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps), m and v the running means of the gradient and of its square.

    Args:
        params: tensors, named tensors, or dicts of groups; their gradients must be sparse (`nn.Embedding` with ``sparse=True``).
        lr: learning rate.
        betas: decay of the two means.
        eps: keeps the denominator from 0.
        maximize: go up the gradient.

    Raises:
        RuntimeError: in step, if a gradient is dense.

    >>> import fastnet as fn
    >>> table = fn.nn.Embedding(1000, 4, sparse=True)
    >>> before = table.weight.detach().clone()
    >>> optimizer = fn.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(fn.tensor([7, 3, 7])).sum().backward()
    >>> optimizer.step()
    >>> (table.weight != before).any(1).nonzero().tolist()
    [[3], [7]]
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 maximize: bool = False) -> None:
        if isinstance(lr, float | int) and not lr > 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("epsilon value", group["eps"])
        check_betas(group["betas"])

    def _check_rows(self, group: dict[str, Any]) -> None:
        """Sparse gradients are what it is for."""

    def _update_rows(self, group: dict[str, Any], param: Tensor, grad: Any) -> None:
        state = self._state_of(param, group, _NAMES)
        beta1, beta2 = group["betas"]
        unbias = (1 - beta2 ** (float(state["step"]) + 1)) ** 0.5    # Adam divides v by its square before it adds eps
        with Rows(param, grad, state["exp_avg"], state["exp_avg_sq"]) as rows:
            adam_update([rows.param], rows.states[:1], rows.states[1:], [], [state["step"]], lr=group["lr"], beta1=beta1, beta2=beta2,
                        eps=group["eps"] / unbias, maximize=group["maximize"])

    def _update(self, group: dict[str, Any]) -> None:
        if with_grad(group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
