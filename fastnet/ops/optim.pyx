"""Optimizer updates: each call is one launch over all parameters of a group, whatever their number and sizes.

Every function takes lists of equal length: the parameters, which must have gradients (`with_grad` picks those), and one list for each
kind of state.  State tensors have the parameter's shape and dtype; `steps` are float32 scalars that the update itself advances.
Formulas are PyTorch's.  All checks come before the first write.
"""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/rows.h" nogil:
    int FN_sgd_update, FN_adam_update, FN_nadam_update, FN_radam_update, FN_adamax_update, FN_lion_update, FN_rmsprop_update
    int FN_adagrad_update, FN_adadelta_update, FN_rprop_update, FN_asgd_update, FN_optim_advance, FN_asgd_advance
cdef extern from "kernels/optim.h" nogil:
    enum:
        OPTIM_CHUNK
    ctypedef struct fn_optim_entry:
        void *p
        void *s[3]
        void *g
        float *step
        float *extra[2]
        Py_ssize_t n, chunk
        int first
    ctypedef struct fn_optim_args:
        fn_optim_entry *entry
        Py_ssize_t entries
        const double *lr
        double weight_decay, beta1, beta2, eps, momentum, dampening, lr_decay, nadam_decay, alpha, lambd, t0, low, high
        int maximize, nesterov, amsgrad, decoupled, centered


def with_grad(list params, list before=None) -> list:
    """The tensors of a list that have a dense gradient, in order.

    Args:
        before: an earlier result; returned itself if it holds the same tensors, so that `is` tells whether anything changed.
    """
    cdef Tensor p
    cdef bint same = before is not None
    out = []
    for p in params:
        if p.node != NULL and p.node.grad.st != NULL:
            same = same and len(out) < len(before) and before[len(out)] is p
            out.append(p)
    return before if same and len(out) == len(before) else out


def drop_grad(list params) -> None:
    """Let the tensors of a list have no gradient."""
    cdef Tensor p
    for p in params:
        drop_gradient(p)

include "optim_group.pxi"


def sgd_update(list params, list momentum_buffers, *, double lr, double momentum=0.0, double dampening=0.0, double weight_decay=0.0,
               bint nesterov=False, bint maximize=False):
    """Stochastic gradient descent: b = momentum b + (1 - dampening) g, p -= lr b.

    Args:
        momentum_buffers: None entries are replaced by new tensors (b = g at first); not read without momentum.
        lr, momentum, dampening, weight_decay, nesterov, maximize: as in `optim.SGD`.
    """
    cdef _Group group = _Group("sgd_update", params)
    cdef fn_optim_args a
    cdef Tensor p
    cdef Py_ssize_t i
    cdef Py_ssize_t used[2]
    a.lr, a.momentum, a.dampening, a.weight_decay, a.nesterov, a.maximize, a.decoupled = &lr, momentum, dampening, weight_decay, nesterov, maximize, 0
    if momentum != 0.0:
        used[0] = used[1] = 0
        fresh = [b is None for b in momentum_buffers]
        for i in range(len(momentum_buffers)):
            if fresh[i]:
                p = params[i]
                momentum_buffers[i] = tensor_like(&p.t, p.t.dtype)
        group.lists(params, 0, momentum_buffers, "momentum_buffers")
        for i in range(group.size):
            p = params[i]
            group.turn(p, used).first = fresh[i]
    group.run(params, FN_sgd_update, &a, 5.0 if momentum != 0.0 else 3.0, -1, -1)


def adam_update(list params, list exp_avgs, list exp_avg_sqs, list max_exp_avg_sqs, list steps, *, double lr, double beta1, double beta2,
                double eps, double weight_decay=0.0, bint amsgrad=False, bint maximize=False, bint decoupled=False):
    """Adam; with decoupled, AdamW.

    Args:
        max_exp_avg_sqs: read only with amsgrad.
        lr, beta1, beta2, eps, weight_decay, amsgrad, maximize: as in `optim.Adam`.
        decoupled: weight decay shrinks the parameter instead of being added to the gradient.
    """
    cdef _Group group = _Group("adam_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, exp_avgs, "exp_avgs")
    group.lists(params, 1, exp_avg_sqs, "exp_avg_sqs")
    if amsgrad:
        group.lists(params, 2, max_exp_avg_sqs, "max_exp_avg_sqs")
    group.scalars(params, 0, steps, "steps")
    a.lr, a.beta1, a.beta2, a.eps, a.weight_decay, a.nadam_decay = &lr, beta1, beta2, eps, weight_decay, 0.0
    a.amsgrad, a.maximize, a.decoupled = amsgrad, maximize, decoupled
    group.run(params, FN_adam_update, &a, 9.0 if amsgrad else 7.0, FN_optim_advance, -1)


def nadam_update(list params, list exp_avgs, list exp_avg_sqs, list mu_products, list steps, *, double lr, double beta1, double beta2,
                 double eps, double weight_decay=0.0, double momentum_decay=4e-3, bint maximize=False, bint decoupled=False):
    """NAdam: Adam with Nesterov momentum.

    Args:
        mu_products: float32 scalars, 1 before the first step.
        lr, beta1, beta2, eps, weight_decay, momentum_decay, maximize, decoupled: as in `optim.NAdam`.
    """
    cdef _Group group = _Group("nadam_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, exp_avgs, "exp_avgs")
    group.lists(params, 1, exp_avg_sqs, "exp_avg_sqs")
    group.scalars(params, 0, steps, "steps")
    group.scalars(params, 1, mu_products, "mu_products")
    a.lr, a.beta1, a.beta2, a.eps, a.weight_decay, a.nadam_decay = &lr, beta1, beta2, eps, weight_decay, momentum_decay
    a.maximize, a.decoupled = maximize, decoupled
    group.run(params, FN_nadam_update, &a, 7.0, FN_optim_advance, -1)


def radam_update(list params, list exp_avgs, list exp_avg_sqs, list steps, *, double lr, double beta1, double beta2, double eps,
                 double weight_decay=0.0, bint maximize=False, bint decoupled=False):
    """RAdam: Adam whose step is rectified while its variance estimate is young.

    Args:
        lr, beta1, beta2, eps, weight_decay, maximize, decoupled: as in `optim.RAdam`.
    """
    cdef _Group group = _Group("radam_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, exp_avgs, "exp_avgs")
    group.lists(params, 1, exp_avg_sqs, "exp_avg_sqs")
    group.scalars(params, 0, steps, "steps")
    a.lr, a.beta1, a.beta2, a.eps, a.weight_decay, a.nadam_decay = &lr, beta1, beta2, eps, weight_decay, 0.0
    a.maximize, a.decoupled = maximize, decoupled
    group.run(params, FN_radam_update, &a, 7.0, FN_optim_advance, -1)


def adamax_update(list params, list exp_avgs, list exp_infs, list steps, *, double lr, double beta1, double beta2, double eps,
                  double weight_decay=0.0, bint maximize=False):
    """Adamax: Adam with the infinity norm.

    Args:
        lr, beta1, beta2, eps, weight_decay, maximize: as in `optim.Adamax`.
    """
    cdef _Group group = _Group("adamax_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, exp_avgs, "exp_avgs")
    group.lists(params, 1, exp_infs, "exp_infs")
    group.scalars(params, 0, steps, "steps")
    a.lr, a.beta1, a.beta2, a.eps, a.weight_decay, a.nadam_decay = &lr, beta1, beta2, eps, weight_decay, 0.0
    a.maximize, a.decoupled = maximize, 0
    group.run(params, FN_adamax_update, &a, 7.0, FN_optim_advance, -1)


def lion_update(list params, list exp_avgs, *, double lr, double beta1, double beta2, double weight_decay=0.0, bint maximize=False):
    """Lion: p -= lr sign(beta1 m + (1 - beta1) g), with decoupled weight decay.

    Args:
        lr, beta1, beta2, weight_decay, maximize: as in `optim.Lion`.
    """
    cdef _Group group = _Group("lion_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, exp_avgs, "exp_avgs")
    a.lr, a.beta1, a.beta2, a.weight_decay, a.maximize, a.decoupled = &lr, beta1, beta2, weight_decay, maximize, 1
    group.run(params, FN_lion_update, &a, 5.0, -1, -1)


def rmsprop_update(list params, list square_avgs, list grad_avgs, list momentum_buffers, steps=None, *, double lr, double alpha=0.99,
                   double eps=1e-8, double weight_decay=0.0, double momentum=0.0, bint centered=False, bint maximize=False):
    """RMSprop.

    Args:
        grad_avgs: read only if centered.  momentum_buffers: read only with momentum.
        steps: counted where given; the formula does not need them.
        lr, alpha, eps, weight_decay, momentum, centered, maximize: as in `optim.RMSprop`.
    """
    cdef _Group group = _Group("rmsprop_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, square_avgs, "square_avgs")
    if centered:
        group.lists(params, 1, grad_avgs, "grad_avgs")
    if momentum != 0.0:
        group.lists(params, 2, momentum_buffers, "momentum_buffers")
    if steps is not None:
        group.scalars(params, 0, steps, "steps")
    a.lr, a.alpha, a.eps, a.weight_decay, a.momentum, a.nadam_decay = &lr, alpha, eps, weight_decay, momentum, 0.0
    a.centered, a.maximize, a.decoupled = centered, maximize, 0
    group.run(params, FN_rmsprop_update, &a, 5.0 + 2.0 * centered + 2.0 * (momentum != 0.0), -1 if steps is None else FN_optim_advance, -1)


def adagrad_update(list params, list state_sums, list steps, *, double lr, double lr_decay=0.0, double eps=1e-10, double weight_decay=0.0,
                   bint maximize=False):
    """Adagrad.

    Args:
        lr, lr_decay, eps, weight_decay, maximize: as in `optim.Adagrad`.
    """
    cdef _Group group = _Group("adagrad_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, state_sums, "state_sums")
    group.scalars(params, 0, steps, "steps")
    a.lr, a.lr_decay, a.eps, a.weight_decay, a.maximize, a.decoupled, a.nadam_decay = &lr, lr_decay, eps, weight_decay, maximize, 0, 0.0
    group.run(params, FN_adagrad_update, &a, 5.0, FN_optim_advance, -1)


def adadelta_update(list params, list square_avgs, list acc_deltas, steps=None, *, double lr=1.0, double rho=0.9, double eps=1e-6,
                    double weight_decay=0.0, bint maximize=False):
    """Adadelta.

    Args:
        steps: counted where given; the formula does not need them.
        lr, rho, eps, weight_decay, maximize: as in `optim.Adadelta`.
    """
    cdef _Group group = _Group("adadelta_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, square_avgs, "square_avgs")
    group.lists(params, 1, acc_deltas, "acc_deltas")
    if steps is not None:
        group.scalars(params, 0, steps, "steps")
    a.lr, a.alpha, a.eps, a.weight_decay, a.maximize, a.decoupled, a.nadam_decay = &lr, rho, eps, weight_decay, maximize, 0, 0.0
    group.run(params, FN_adadelta_update, &a, 7.0, -1 if steps is None else FN_optim_advance, -1)


def rprop_update(list params, list prevs, list step_sizes, steps=None, *, double etaminus=0.5, double etaplus=1.2, double step_size_min=1e-6,
                 double step_size_max=50.0, bint maximize=False):
    """Rprop: step sizes grow while the sign of the gradient stays, and shrink when it turns.

    Args:
        prevs: the last gradients, 0 at first.  step_sizes: lr at first.
        steps: counted where given; the formula does not need them.
        etaminus, etaplus, step_size_min, step_size_max, maximize: as in `optim.Rprop`.
    """
    cdef _Group group = _Group("rprop_update", params)
    cdef fn_optim_args a
    cdef double lr = 0.0
    group.lists(params, 0, prevs, "prevs")
    group.lists(params, 1, step_sizes, "step_sizes")
    if steps is not None:
        group.scalars(params, 0, steps, "steps")
    a.lr, a.beta1, a.beta2, a.low, a.high, a.weight_decay = &lr, etaminus, etaplus, step_size_min, step_size_max, 0.0
    a.maximize, a.decoupled, a.nadam_decay = maximize, 0, 0.0
    group.run(params, FN_rprop_update, &a, 7.0, -1 if steps is None else FN_optim_advance, -1)


def asgd_update(list params, list axs, list etas, list mus, list steps, *, double lr, double lambd=1e-4, double alpha=0.75, double t0=1e6,
                double weight_decay=0.0, bint maximize=False):
    """Averaged stochastic gradient descent.

    Args:
        axs: the averages.  etas: float32 scalars, lr at first.  mus: float32 scalars, 1 at first.
        lr, lambd, alpha, t0, weight_decay, maximize: as in `optim.ASGD`.
    """
    cdef _Group group = _Group("asgd_update", params)
    cdef fn_optim_args a
    group.lists(params, 0, axs, "axs")
    group.scalars(params, 0, steps, "steps")
    group.scalars(params, 1, etas, "etas")
    group.scalars(params, 2, mus, "mus")
    a.lr, a.lambd, a.alpha, a.t0, a.weight_decay, a.maximize, a.decoupled, a.nadam_decay = &lr, lambd, alpha, t0, weight_decay, maximize, 0, 0.0
    group.run(params, FN_asgd_update, &a, 5.0, FN_optim_advance, FN_asgd_advance)
