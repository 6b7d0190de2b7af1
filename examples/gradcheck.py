"""Write an operation of your own, with its backward by hand, and let finite differences check it."""
import numpy as np

import fastnet as fn
from fastnet.autograd import Function, gradcheck


class Softplus(Function):
    """log(1 + exp(x)), without overflow; its derivative is the sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return fn.tensor(np.logaddexp(0.0, x.detach().numpy()))

    @staticmethod
    def backward(ctx, gy):
        x, = ctx.saved_tensors
        return gy * x.sigmoid()


class Wrong(Softplus):
    """The same with a mistake in the backward."""

    @staticmethod
    def backward(ctx, gy):
        x, = ctx.saved_tensors
        return gy * x.tanh()


x = fn.tensor(np.linspace(-3.0, 3.0, 7), requires_grad=True)          # float64: differences need the digits
print("softplus:", gradcheck(Softplus.apply, (x,)))
print("a wrong backward:", gradcheck(Wrong.apply, (x,), raise_exception=False))

# A layer of the library, by the same check
layer = fn.nn.Linear(4, 3).to(fn.float64)
batch = fn.tensor(np.random.default_rng(0).standard_normal((5, 4)), requires_grad=True)
print("linear and cross-entropy:", gradcheck(lambda t: fn.nn.functional.cross_entropy(layer(t), fn.tensor([0, 2, 1, 1, 0])), (batch,)))
