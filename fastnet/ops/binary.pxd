# Ops of two operands that one kernel of the binary family computes.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_node, fn_op
from fastnet._core.tensor cimport Tensor

# What backward reads: nothing; each operand for the other's gradient; the result and the second operand; both operands.
cdef enum:
    SAVE_NONE
    SAVE_CROSS
    SAVE_RESULT
    SAVE_BOTH

cdef struct Binary:
    const char *name
    int kernel
    int saves
    bint floating                   # integers become float32
    double ns                       # of an element, where it is arithmetic rather than memory that counts
    object (*integers)(const Binary *op, int dtype, double s0)       # the op on integer arrays: a NumPy function
    fn_op op

cdef double ONES[4]                 # numbers for kernels whose s0 is a factor

# a op b for any operands; s0: the kernel's number.
cdef Tensor binary(object a, object b, const Binary *op, double s0)
# a = a op b, in a's memory; returns a.
cdef object inplace(object a, object b, const Binary *op, double s0)
