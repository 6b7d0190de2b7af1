from fastnet._core.tensor import Tensor

Tensors = list[Tensor]

def adadelta_update(
    params: Tensors, square_avgs: Tensors, acc_deltas: Tensors, steps: Tensors | None = None, *, lr: float = 1.0, rho: float = 0.9,
    eps: float = 1e-06, weight_decay: float = 0.0, maximize: bool = False,
) -> None: ...
def adagrad_update(
    params: Tensors, state_sums: Tensors, steps: Tensors, *, lr: float, lr_decay: float = 0.0, eps: float = 1e-10,
    weight_decay: float = 0.0, maximize: bool = False,
) -> None: ...
def adam_update(
    params: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors, max_exp_avg_sqs: Tensors, steps: Tensors, *, lr: float, beta1: float,
    beta2: float, eps: float, weight_decay: float = 0.0, amsgrad: bool = False, maximize: bool = False, decoupled: bool = False,
) -> None: ...
def adamax_update(
    params: Tensors, exp_avgs: Tensors, exp_infs: Tensors, steps: Tensors, *, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float = 0.0, maximize: bool = False,
) -> None: ...
def asgd_update(
    params: Tensors, axs: Tensors, etas: Tensors, mus: Tensors, steps: Tensors, *, lr: float, lambd: float = 0.0001, alpha: float = 0.75,
    t0: float = 1000000.0, weight_decay: float = 0.0, maximize: bool = False,
) -> None: ...
def lion_update(
    params: Tensors, exp_avgs: Tensors, *, lr: float, beta1: float, beta2: float, weight_decay: float = 0.0,
    maximize: bool = False,
) -> None: ...
def nadam_update(
    params: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors, mu_products: Tensors, steps: Tensors, *, lr: float, beta1: float,
    beta2: float, eps: float, weight_decay: float = 0.0, momentum_decay: float = 0.004, maximize: bool = False,
    decoupled: bool = False,
) -> None: ...
def radam_update(
    params: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors, steps: Tensors, *, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float = 0.0, maximize: bool = False, decoupled: bool = False,
) -> None: ...
def rmsprop_update(
    params: Tensors, square_avgs: Tensors, grad_avgs: Tensors, momentum_buffers: list[Tensor | None], steps: Tensors | None = None,
    *, lr: float, alpha: float = 0.99, eps: float = 1e-08, weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    maximize: bool = False,
) -> None: ...
def rprop_update(
    params: Tensors, prevs: Tensors, step_sizes: Tensors, steps: Tensors | None = None, *, etaminus: float = 0.5, etaplus: float = 1.2,
    step_size_min: float = 1e-06, step_size_max: float = 50.0, maximize: bool = False,
) -> None: ...
def sgd_update(
    params: Tensors, momentum_buffers: list[Tensor | None], *, lr: float, momentum: float = 0.0, dampening: float = 0.0,
    weight_decay: float = 0.0, nesterov: bool = False, maximize: bool = False,
) -> None: ...
def drop_grad(params: list[Tensor]) -> None: ...
def with_grad(params: list[Tensor], before: list[Tensor] | None = None) -> list[Tensor]: ...
