# What the elementwise ops share: operands made ready for a kernel, the launch, gradients reduced back to an operand's shape.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_node, fn_op
from fastnet._core.tensor cimport Tensor

# An operand: a tensor, or a number (t.st == NULL, t 0-dim over `room`).
cdef struct Operand:
    fn_tensor t                     # of the common dtype
    fn_node *node                   # NULL: it needs no gradient
    double number                   # a number's value
    long long integer               # ... exactly, where it is an int
    char room[8]
    bint owned                      # t.st is a copy made for this op

cdef struct Operands:
    int n
    int dtype                       # common dtype; where it is not floating, t are the tensors as given
    Operand of[3]

# The kinds of object an operand can be.
cdef bint is_operand(object x) noexcept
# Fill o from objects that are Tensor, number or ndarray; o.dtype by PyTorch's promotion.  floating: integers become the default dtype.
cdef int operands_make(Operands *o, str op, int n, object a, object b, object c, bint floating) except -1
cdef int operands_convert(Operands *o, int dtype) except -1     # tensors of another dtype are cast, numbers stored
cdef void operands_drop(Operands *o) noexcept
cdef int promote(int a, int b) noexcept
# y (not yet there) of the broadcast shape of the operands, in the memory order they share.
cdef Tensor output_for(Operands *o, str op, int dtype)
# A number as an operand of `dtype`.
cdef void number_operand(fn_tensor *t, char *room, double value, int dtype) noexcept
# Run a kernel of the elementwise families: y from 1 to 3 operands that broadcast to y; s: 4 numbers or NULL; ns: price of an element.
cdef int run(int kernel, int dtype, fn_tensor *y, int n, const fn_tensor *a, const fn_tensor *b, const fn_tensor *c,
             const double *s, double ns) except -1
# *y = x as `dtype` (a new array, x's memory order).
cdef int array_cast(fn_tensor *y, const fn_tensor *x, int dtype) except -1
# *gin = g (moved) summed over what was broadcast and cast, so that it is a gradient of node x.
cdef int gradient_to(fn_tensor *gin, fn_tensor *g, fn_node *x) except -1
# *gin = kernel(gy, a, b), then gradient_to x.  a and b may be NULL.
cdef int gradient_run(fn_tensor *gin, fn_node *x, int kernel, const fn_tensor *gy, const fn_tensor *a, const fn_tensor *b,
                      const double *s, double ns) except -1
# Keep an operand for backward, and get it back.
cdef void save_operand(fn_node *n, int k, Operand *x) noexcept
cdef const fn_tensor *saved_operand(fn_node *n, int k, fn_tensor *t, char *room) noexcept
# The value of an op whose dtype is not floating: f(*operands) by NumPy, in the common dtype.
cdef Tensor by_numpy(Operands *o, object f)
# y[...] = value, in place, for a tensor that write_check accepted: cast, broadcast.
cdef int assign(Tensor y, const fn_tensor *value) except -1
