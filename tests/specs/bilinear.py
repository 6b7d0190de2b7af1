"""bilinear, one_hot, and what random draws keep without a reference."""
import numpy as np

from specs import Case, OpSpec, Refused, integers, zeros
from specs.margin import F


def bilinear(a, b, w, bias=None):
    y = np.einsum("...i,oij,...j->...o", a, w, b)
    return y if bias is None else y + bias


SPECS = [
    OpSpec("bilinear", F + "bilinear", bilinear, tol=4e-6, shapes=[((6, 3), (6, 4), (5, 3, 4), (5,)),
                                                                   ((2, 3, 7), (2, 3, 5), (1, 7, 5), None),
                                                                  ((3,), (4,), (2, 3, 4), (2,))],
           refused=[Refused(ValueError, r"\(5, 3, 4\)", zeros(6, 3), zeros(6, 3), zeros(5, 3, 4))]),
    OpSpec("one_hot", F + "one_hot", lambda x, num_classes=-1: np.eye(num_classes if num_classes > 0 else x.max() + 1, dtype="int64")[x],
           make=integers(0, 5), wrt=(), dtypes=("int64",), cases=[Case(((6,),)), Case(((2, 3),), {"num_classes": 7}),
                                                                  Case(((),), {"num_classes": 5})],
           refused=[Refused(RuntimeError, "one_hot: class 3", zeros(2, dtype="int64") + 3, num_classes=2),
                    Refused(RuntimeError, "one_hot: class -1", zeros(2, dtype="int64") - 1), Refused(RuntimeError, "int64", zeros(2))]),
]
ELSEWHERE = {F + "linear_cross_entropy": "test_linear_cross_entropy.py", F + "gumbel_softmax": "test_nn_layers.py",
             F + "feature_alpha_dropout": "test_nn_layers.py", F + "alpha_dropout": "test_nn_layers.py", F + "rrelu": "test_nn_layers.py"}
