from fastnet._core.tensor import Tensor

Number = int | float | bool

class _Group:
    ...

def adadelta_update(
    params: object, square_avgs: object, acc_deltas: object, steps: int | None = None, *, lr: float = 1.0, rho: float = 0.9,
    eps: float = 1e-06, weight_decay: float = 0.0, maximize: bool = False,
) -> Tensor: ...
def adagrad_update(
    params: object, state_sums: object, steps: int, *, lr: float, lr_decay: float = 0.0, eps: float = 1e-10,
    weight_decay: float = 0.0, maximize: bool = False,
) -> Tensor: ...
def adam_update(
    params: object, exp_avgs: object, exp_avg_sqs: object, max_exp_avg_sqs: object, steps: int, *, lr: float, beta1: object,
    beta2: object, eps: float, weight_decay: float = 0.0, amsgrad: bool = False, maximize: bool = False, decoupled: bool = False,
) -> Tensor: ...
def adamax_update(
    params: object, exp_avgs: object, exp_infs: object, steps: int, *, lr: float, beta1: object, beta2: object, eps: float,
    weight_decay: float = 0.0, maximize: bool = False,
) -> Tensor: ...
def asgd_update(
    params: object, axs: object, etas: object, mus: object, steps: int, *, lr: float, lambd: float = 0.0001, alpha: Number = 0.75,
    t0: float = 1000000.0, weight_decay: float = 0.0, maximize: bool = False,
) -> Tensor: ...
def lion_update(
    params: object, exp_avgs: object, *, lr: float, beta1: object, beta2: object, weight_decay: float = 0.0,
    maximize: bool = False,
) -> Tensor: ...
def nadam_update(
    params: object, exp_avgs: object, exp_avg_sqs: object, mu_products: object, steps: int, *, lr: float, beta1: object,
    beta2: object, eps: float, weight_decay: float = 0.0, momentum_decay: float = 0.004, maximize: bool = False,
    decoupled: bool = False,
) -> Tensor: ...
def radam_update(
    params: object, exp_avgs: object, exp_avg_sqs: object, steps: int, *, lr: float, beta1: object, beta2: object, eps: float,
    weight_decay: float = 0.0, maximize: bool = False, decoupled: bool = False,
) -> Tensor: ...
def rmsprop_update(
    params: object, square_avgs: object, grad_avgs: object, momentum_buffers: object, steps: int | None = None, *, lr: float,
    alpha: Number = 0.99, eps: float = 1e-08, weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    maximize: bool = False,
) -> Tensor: ...
def rprop_update(
    params: object, prevs: object, step_sizes: object, steps: int | None = None, *, etaminus: float = 0.5, etaplus: float = 1.2,
    step_size_min: float = 1e-06, step_size_max: float = 50.0, maximize: bool = False,
) -> Tensor: ...
def sgd_update(
    params: object, momentum_buffers: object, *, lr: float, momentum: float = 0.0, dampening: float = 0.0,
    weight_decay: float = 0.0, nesterov: bool = False, maximize: bool = False,
) -> Tensor: ...
def drop_grad(params: list[Tensor]) -> None: ...
def with_grad(params: list[Tensor], before: list[Tensor] | None = None) -> list[Tensor]: ...
