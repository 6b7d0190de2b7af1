# What the in-place ops share.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_node
from fastnet._core.tensor cimport Tensor
from fastnet.ops.elementwise cimport Operand, Operands

# A copy of the operand's values takes its place.
cdef int copy_operand(Operand *operand) except -1
# ... if it overlaps x, which is to be written, without being x; always: even then.
cdef int unalias(Operand *operand, const fn_tensor *x, bint always) except -1
# Refuse a result that x (o.of[0]) cannot hold, then write_check.
cdef int check_inplace(Tensor x, Operands *o, int dtype, str op) except -1
# After an in-place op: n, whose inputs may include x's node, becomes x's node, and views of the same memory follow.
cdef int replace_node(Tensor x, fn_node *n) except -1
