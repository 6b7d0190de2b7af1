"""Matrix products: matmul in every combination of ranks, mm, bmm, mv, dot."""
import numpy as np

from specs import Case, OpSpec, Refused, integers, zeros

DENSE = [(256, 256), (512, 512), (1024, 1024)]

# Sums may be grouped by the strides of the operands, hence exact_layout=False.
SPECS = [
    OpSpec("matmul", "fastnet.matmul", np.matmul, exact_layout=False, tol=2e-6,
           shapes=[((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
                   ((2, 3, 4), (4,)), ((4,), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 5)), ((1, 3, 4), (2, 4, 5)),
                   ((2, 3, 4), (1, 4, 5)), ((3, 1, 2, 4), (4, 5)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)),
                   ((0, 2, 3), (0, 3, 4)), ((2, 0, 3), (3, 4)), ((13, 35), (35, 21)), ((2, 7, 17), (2, 17, 9))],
           bench=[(s, s) for s in DENSE] + [((8, 12, 128, 64), (8, 12, 64, 128))],
           flops=lambda a, b: 2.0 * np.prod(a) * b[-1],
           refused=[Refused(RuntimeError, r"matmul: input \(2, 3\) and other \(4, 5\)", zeros(2, 3), zeros(4, 5)),
                    Refused(RuntimeError, r"matmul: input \(2, 3, 4\) and other \(3, 4, 5\)", zeros(2, 3, 4), zeros(3, 4, 5)),
                    Refused(RuntimeError, "matmul: both arguments need at least one axis", zeros(), zeros(2)),
                    Refused(RuntimeError, "matmul: input is fastnet.float32, other is fastnet.float64", zeros(2, 2),
                            zeros(2, 2, dtype="float64")),
                    Refused(TypeError, "matmul: other must be a Tensor, got list", zeros(2, 2), [1.0, 2.0])]),
    OpSpec("mm", "fastnet.mm", np.matmul, exact_layout=False, tol=2e-6,
           shapes=[((3, 4), (4, 5)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((9, 33), (33, 70))],
           bench=[(s, s) for s in DENSE], flops=lambda a, b: 2.0 * a[0] * a[1] * b[1],
           refused=[Refused(RuntimeError, r"mm: expected 2 and 2 axes, got input \(3,\) and mat2 \(3, 4\)", zeros(3), zeros(3, 4)),
                    Refused(RuntimeError, r"mm: input \(2, 3\) and other \(4, 5\)", zeros(2, 3), zeros(4, 5))]),
    OpSpec("bmm", "fastnet.bmm", np.matmul, exact_layout=False, tol=2e-6,
           shapes=[((2, 3, 4), (2, 4, 5)), ((0, 2, 3), (0, 3, 4)), ((3, 1, 17), (3, 17, 1))],
           bench=[((96, 128, 64), (96, 64, 128))], flops=lambda a, b: 2.0 * a[0] * a[1] * a[2] * b[2],
           refused=[Refused(RuntimeError, r"bmm: expected 3 and 3 axes with equal first ones, got input \(1, 2, 3\) and mat2 \(2, 3, 4\)",
                            zeros(1, 2, 3), zeros(2, 3, 4))]),
    OpSpec("mv", "fastnet.mv", np.matmul, exact_layout=False, tol=2e-6, shapes=[((3, 4), (4,)), ((1, 1), (1,)), ((40, 33), (33,))],
           bench=[((4096, 4096), (4096,))], flops=lambda a, b: 2.0 * a[0] * a[1],
           refused=[Refused(RuntimeError, r"mv: expected 2 and 1 axes, got input \(3,\) and vec \(3,\)", zeros(3), zeros(3))]),
    OpSpec("dot", "fastnet.dot", np.dot, exact_layout=False, tol=2e-6,
           shapes=[((4,), (4,)), ((0,), (0,)), ((1,), (1,)), ((2000,), (2000,))],
           bench=[((1 << 20,), (1 << 20,))], flops=lambda a, b: 2.0 * a[0],
           refused=[Refused(RuntimeError, r"dot: input \(3,\) and other \(4,\)", zeros(3), zeros(4))]),
    OpSpec("matmul", "fastnet.Tensor.matmul", np.matmul, wrt=(), dtypes=("int64", "int32"), make=integers(-9, 9),
           cases=[Case(((3, 4), (4, 5))), Case(((2, 3, 4), (4,)))]),
]
