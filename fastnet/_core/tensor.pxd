# Tensor: a C array, its node on the tape, nothing else.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_node, fn_op, grad_enabled

# Tensor.flags
cdef enum:
    IS_VIEW = 1                     # made by a view op: shares its storage with another tensor
    READ_ONLY = 2                   # over read-only foreign memory

cdef class Tensor:
    cdef fn_tensor t                # t.st is owned
    cdef fn_node *node              # owned; NULL: needs no gradient
    cdef int flags
    cdef Tensor base                # of a view: the tensor whose memory it shows, itself no view; None: not a view
    cdef void *views                # the views that live, a list through next_view: an in-place op gives each a new history
    cdef void *next_view
    cdef void **link                # what points to this view in the list
    cdef object __weakref__

cdef inline void view_of(Tensor y, Tensor base) noexcept:
    """y, just made, is one more view of base.  Views made under no_grad have no history to follow: they are not in the list."""
    y.base = base
    if not grad_enabled():
        return
    y.next_view, y.link = base.views, &base.views
    if base.views != NULL:
        (<Tensor>base.views).link = &y.next_view
    base.views = <void *>y

cdef inline void view_forget(Tensor y) noexcept:
    if y.link != NULL:
        y.link[0] = y.next_view
        if y.next_view != NULL:
            (<Tensor>y.next_view).link = y.link

# New tensors.  They need no gradient until `record` puts them on the tape.
cdef Tensor tensor_new(int ndim, const Py_ssize_t *dims, int dtype)      # contiguous, not initialised
cdef Tensor tensor_like(const fn_tensor *x, int dtype)                   # dense, in x's memory order
cdef Tensor tensor_take(fn_tensor *array)                                # takes the array's reference over
cdef Tensor tensor_alias(Tensor x)                                       # same storage, shape and strides; for the caller to change into a view
cdef Tensor tensor_scalar(object value, int dtype)                       # 0-dim
cdef Tensor as_tensor(object x, object op, object argument)              # Tensor as it is; number, bool, sequence, ndarray: a new one; else TypeError
cdef Tensor from_data(object data, int dtype)                            # a copy; dtype < 0: PyTorch's rule
cdef Tensor require_tensor(object x, str op, str argument)               # TypeError unless a Tensor
cdef object shape_of(const fn_tensor *x)                                 # a plain tuple
cdef int dtype_index(object dtype) except -1                             # fastnet dtype, NumPy dtype, float, int, bool -> number
cdef object dtype_object(int index)

# In-place ops: `write_check` first (refuses leaves and views that need gradients, and read-only memory), then `written`.
cdef int write_check(Tensor x, str op) except -1
cdef inline void written(Tensor x) noexcept:
    x.t.st.version += 1

# The gradient with which backward begins at y: 1 for one element, or the one given.
cdef int initial_gradient(Tensor y, object gradient, fn_tensor *g) except -1

# x has no gradient from now on.
cdef int drop_gradient(Tensor x) except -1

# Put y on the tape: y = op(...).  Replaces y's node; the caller fills inputs (node_input) and saved (node_save).
cdef fn_node *record(Tensor y, const fn_op *op, int n_inputs, int n_saved) except NULL

# The number protocol, indexing and assignment of Tensor: each stratum above fills in its functions.
ctypedef object (*unary_slot)(object)
ctypedef object (*binary_slot)(object, object)
cdef struct Operators:
    binary_slot add, sub, mul, truediv, floordiv, mod, pow, matmul, and_, or_, xor, lshift, rshift
    binary_slot iadd, isub, imul, itruediv, ifloordiv, imod, ipow, iand, ior, ixor
    binary_slot eq, ne, lt, le, gt, ge
    unary_slot neg, abs, invert
    binary_slot getitem
    object (*setitem)(object, object, object)
cdef Operators operators
