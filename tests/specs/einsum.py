"""einsum."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros

CASES = [("ij,jk->ik", (3, 4), (4, 5)), ("ij,kj", (3, 4), (5, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
         ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
         ("i,j->ij", (3,), (4,)), ("i,i->", (5,), (5,)), ("ij->ji", (3, 4)), ("ij->", (3, 4)), ("ij->i", (3, 4)), ("ijk->ki", (2, 3, 4)),
         ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("a,b,c->cab", (2,), (3,), (4,)), ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
         ("...i->...", (2, 3, 4)), ("b...,b...->b", (2, 3, 4), (2, 3, 4)), ("ij , jk -> k i", (3, 4), (4, 5)),
         ("ij,jk->ik", (3, 1), (4, 5)), ("ij,ij->ij", (1, 4), (3, 1)), ("ii->i", (4, 4)), ("bii,b->", (2, 3, 3), (2,)),
         ("ijk,ilm,njm,nlk,abc->", (2, 3, 4), (2, 2, 3), (5, 3, 3), (5, 2, 4), (1, 2, 3))]


def reference(*operands, equation):
    return np.einsum(equation.replace("b...,b...->b", "bxy,bxy->b"), *operands)      # NumPy does not sum over "..."


SPECS = [
    OpSpec("einsum", "fastnet.einsum", reference, exact_layout=False, tol=4e-6,
           cases=[Case(shapes, {"equation": equation}) for equation, *shapes in ((c[0], *c[1:]) for c in CASES)],
           call=lambda einsum, *operands, equation: einsum(equation, *operands),
           refused=[Refused(RuntimeError, "einsum: index 'j' of 'ij,jk' is 4 and 5", zeros(3, 4), zeros(5, 6), equation="ij,jk"),
                    Refused(RuntimeError, "einsum: 'ijk' .* does not fit operand 0", zeros(3, 4), equation="ijk"),
                    Refused(ValueError, "einsum: .* names 2 operands, 1 were given", zeros(3, 4), equation="ij,jk"),
                    Refused(ValueError, "einsum: the result 'iz'", zeros(3, 4), equation="ij->iz"),
                    Refused(ValueError, "einsum: 'i1' in", zeros(3, 4), equation="i1")]),
]
