# Ops of one operand whose backward is one kernel of the gradient and the input or the output.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_op
from fastnet._core.tensor cimport Tensor

# What backward reads.  SAVE_NOTHING: its kernel takes gy alone; SAVE_ZERO: there is no kernel, the gradient is 0.
cdef enum:
    SAVE_INPUT
    SAVE_OUTPUT
    SAVE_NOTHING
    SAVE_ZERO

cdef struct Unary:
    int kernel, backward            # backward: a binary kernel of gy and what was saved
    int saves
    double s[4]                     # the op's numbers, for both kernels
    double ns                       # price of an element
    fn_op op

# A new op, for ever.  name: PyTorch's; integers: a NumPy function for integer tensors, None: they become float32.
cdef Unary *unary_new(str name, int kernel, int backward, int saves, double s0, double ns, object integers) except NULL
# y = op(input); s: 4 numbers instead of the op's own, or NULL.
cdef Tensor unary(object input, const Unary *op, const double *s)
# input = op(input) in its memory; returns input.
cdef Tensor unary_inplace(object input, const Unary *op, const double *s)
