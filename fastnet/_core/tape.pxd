# The tape: nodes, gradient mode, the backward engine.  Plain C data, counted under the GIL.
from libc.stdint cimport uint64_t
from fastnet._core.fn cimport fn_storage, fn_tensor

# What an op's backward does: for every k with n.inputs[k] != NULL, fill gin[k] with a gradient of that input's shape
# (n.inputs[k].acc has the dims): array_new/array_like and a kernel, or array_share of gy where the gradient passes through.
# gy is read only; it may have any strides (an expanded gradient has strides of 0).
ctypedef int (*fn_backward)(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1

cdef struct fn_op:
    const char *name                # as PyTorch prints it: "MulBackward0"
    fn_backward backward
    bint accumulates                # backward adds into gin[0], which the engine hands out: zeros at first, shared by many nodes (views, gathers)

cdef struct fn_saved:
    fn_tensor t                     # st == NULL: only the shape was saved
    uint64_t version

cdef struct fn_node:
    Py_ssize_t refs
    uint64_t seq                    # creation order; an input's is always smaller
    const fn_op *op                 # NULL: a leaf
    fn_tensor acc                   # gradient on its way; its ndim, dims, size, dtype are those of the value at all times
    fn_tensor grad                  # what .grad shows
    void *extra                     # dict: hooks, a Function's context; NULL usually
    int flags
    int n_inputs
    int n_saved
    fn_node **inputs                # NULL entries need no gradient
    fn_saved *saved
    double f[4]                     # the op's own numbers
    Py_ssize_t i[10]
    void *block                     # a block of the op's own, freed with the node
    fn_node *next                   # list of nodes to free

# fn_node.flags
cdef enum:
    IN_HEAP = 1
    FREED = 2                       # backward ran without retain_graph
    RETAIN_GRAD = 4
    CAPTURE = 8                     # autograd.grad wants this gradient
    TENSOR_HOOKS = 16
    MULTI = 32                      # its gradients are left with it by the nodes of its outputs, not in acc

cdef bint grad_enabled() noexcept
cdef bint set_grad_enabled_flag(bint on) noexcept       # returns the old value; per thread

# A node for a value shaped like y.  Inputs and saved are empty; fill them with node_input and node_save.
cdef fn_node *node_new(const fn_op *op, const fn_tensor *y, int n_inputs, int n_saved) except NULL
cdef void node_free(fn_node *n) noexcept
cdef void node_save_shape(fn_node *n, int k, const fn_tensor *x) noexcept
cdef int run_backward(fn_node **roots, fn_tensor *gradients, int n_roots, bint retain_graph, bint accumulate, object captures) except -1
cdef int node_check(fn_node *n) except -1                # RuntimeError: n was freed, or what it saved was modified in place
# For the backward of an op that can add to a gradient while it makes one: what waits at input k of n, or NULL.  The op that adds it to gin[k]
# drops it.  NULL also while somebody looks at what each op gives.
cdef fn_tensor *node_waiting(fn_node *n, int k) noexcept
cdef object node_extra(fn_node *n)                       # the dict, created when first asked for

cdef class Node:
    cdef fn_node *n
    cdef fn_tensor g                # the gradient that run_backward captured

cdef Node node_object(fn_node *n)
cdef int (*hook_runner)(fn_node *n) except -1            # set by the stratum that knows Tensor


cdef inline void node_incref(fn_node *n) noexcept:
    if n != NULL:
        n.refs += 1


cdef inline void node_decref(fn_node *n) noexcept:
    if n != NULL:
        n.refs -= 1
        if n.refs == 0:
            node_free(n)


cdef inline void node_input(fn_node *n, int k, fn_node *x) noexcept:
    """Input k of n is the value of node x; NULL: it needs no gradient."""
    n.inputs[k] = x
    if x != NULL:
        x.refs += 1


cdef inline void node_save(fn_node *n, int k, const fn_tensor *x) noexcept:
    """Keep x, as it is now, for backward."""
    n.saved[k].t = x[0]
    n.saved[k].version = x.st.version
    x.st.refs += 1
