"""beta input + alpha product, products of vectors, tensordot."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros


def add(product):
    return lambda input, a, b, beta=1, alpha=1: (beta * input if beta else 0) + alpha * product(a, b)


FACTORS = [{}, {"beta": 0.5, "alpha": -2.0}, {"beta": 0}]


def stack_sum(a, b):
    return (a @ b).sum(0)


def inner(a, b):
    return np.tensordot(a, b, (-1, -1))


# Where beta is 0, input has no gradient: those cases ask for the others only.
SPECS = [
    OpSpec("addmm", "fastnet.addmm", add(np.matmul), exact_layout=False, tol=2e-6,
           shapes=[((3, 5), (3, 4), (4, 5)), ((5,), (3, 4), (4, 5)), ((1, 1), (9, 17), (17, 33)), ((3, 5), (3, 0), (0, 5))],
           args=FACTORS[:2], bench=[((512,), (128, 784), (784, 512))],
           flops=lambda i, a, b: 2.0 * a[0] * a[1] * b[1],
           refused=[Refused(RuntimeError, r"addmm: input \(4,\) cannot be expanded to \(3, 5\)", zeros(4), zeros(3, 4), zeros(4, 5)),
                    Refused(RuntimeError, r"addmm: mat1 must have 2 axes, got \(4,\)", zeros(5), zeros(4), zeros(4, 5)),
                    Refused(TypeError, "addmm: input must be a Tensor, got float", 1.0, zeros(3, 4), zeros(4, 5))]),
    OpSpec("addmm_beta_0", "fastnet.Tensor.addmm", add(np.matmul), exact_layout=False, tol=2e-6, wrt=(1, 2),
           cases=[Case(((3, 5), (3, 4), (4, 5)), {"beta": 0})]),
    OpSpec("addmv", "fastnet.addmv", add(np.matmul), exact_layout=False, tol=2e-6, shapes=[((3,), (3, 4), (4,)), ((1,), (3, 4), (4,))],
           args=FACTORS[:2],
           refused=[Refused(RuntimeError, r"addmv: vec must have 1 axes, got \(4, 5\)", zeros(3), zeros(3, 4), zeros(4, 5))]),
    OpSpec("baddbmm", "fastnet.baddbmm", add(np.matmul), exact_layout=False, tol=2e-6, args=FACTORS[:2],
           shapes=[((2, 3, 5), (2, 3, 4), (2, 4, 5)), ((5,), (2, 3, 4), (2, 4, 5)), ((2, 1, 1), (2, 3, 4), (2, 4, 5))],
           refused=[Refused(RuntimeError, r"baddbmm: batch1 must have 3 axes", zeros(3), zeros(3, 4), zeros(2, 4, 5))]),
    OpSpec("addbmm", "fastnet.addbmm", add(stack_sum), exact_layout=False, tol=2e-6, args=FACTORS[:2],
           shapes=[((3, 5), (2, 3, 4), (2, 4, 5)), ((1,), (2, 3, 4), (2, 4, 5))],
           refused=[Refused(RuntimeError, r"addbmm: batch2 must have 3 axes", zeros(3), zeros(2, 3, 4), zeros(4, 5))]),
    OpSpec("addr", "fastnet.addr", add(np.outer), shapes=[((3, 5), (3,), (5,)), ((1,), (3,), (5,))], args=FACTORS[:2],
           refused=[Refused(RuntimeError, r"addr: vec1 must have 1 axes", zeros(3), zeros(3, 1), zeros(5))]),
    OpSpec("outer", "fastnet.outer", np.outer, shapes=[((3,), (5,)), ((1,), (1,)), ((0,), (3,))],
           refused=[Refused(RuntimeError, r"outer: input must have 1 axes, got \(3, 1\)", zeros(3, 1), zeros(5)),
                    Refused(TypeError, "outer: vec2 must be a Tensor", zeros(3), 2.0)]),
    OpSpec("inner", "fastnet.inner", inner, exact_layout=False, tol=2e-6, shapes=[((4,), (4,)), ((2, 3, 4), (5, 4)),
           ((0, 4), (2, 4))],
           refused=[Refused(RuntimeError, r"inner: the last axes of input \(3,\) and other \(4,\) differ", zeros(3), zeros(4))]),
    OpSpec("tensordot", "fastnet.tensordot", lambda a, b, dims=2: np.tensordot(a, b, dims), exact_layout=False, tol=2e-6,
           cases=[Case(((2, 3, 4), (3, 4, 5))), Case(((2, 3), (4,)), {"dims": 0}), Case(((2, 3, 4), (4, 2)), {"dims": ([0, 2], [1, 0])}),
                  Case(((2, 3), (3, 4)), {"dims": ([-1], [0])})],
           refused=[Refused(RuntimeError, "tensordot: axes .* differ in size", zeros(2, 3), zeros(4, 5), 1),
                    Refused(ValueError, "tensordot: dims is 3", zeros(2, 3), zeros(4, 5), 3),
                    Refused(ValueError, "tensordot: 1 axes of a cannot go together with 2", zeros(2, 3), zeros(3, 2), ([0], [0, 1]))]),
]
