# The functions of fastnet.ops.view that Python sees, and the dtype that reads the same bits anew.

def view(input, *shape, size=None, dtype=None):
    """The same memory under another shape, or as another dtype of the same width.

    Images lie channels last where the library made them: where only that is in the way, and nothing else shows their memory, the tensor
    first goes into row-major order.  No other thread may compute with it meanwhile.

    Args:
        shape: sizes, as integers or one tuple; one may be -1 and is inferred.  Or a dtype, which reads the same bits anew.

    Raises:
        RuntimeError: the number of elements differs, or the strides of the tensor do not allow it (`reshape` copies then).

    >>> import fastnet
    >>> fastnet.arange(6).view(2, -1).shape
    fastnet.Size([2, 3])
    """
    cdef Tensor x = require_tensor(input, "view", "input")
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t strides[8]
    cdef int ndim
    if dtype is not None or (len(shape) == 1 and not isinstance(shape[0], (tuple, list, int)) and not hasattr(shape[0], "__index__")):
        return _reinterpreted(x, dtype_index(shape[0] if dtype is None else dtype))
    ndim = sizes_of(dims, shape, size, "view", "shape")
    infer(dims, ndim, &x.t, "view")
    if not restride(&x.t, ndim, dims, strides):
        _into_rows(x)
        if not restride(&x.t, ndim, dims, strides):
            raise RuntimeError(f"view: shape {_tuple(ndim, dims)} needs a copy of x, {shape_of(&x.t)} with strides {x.stride()}; "
                               "use reshape")
    return restrided(x, ndim, dims, strides)


cdef Py_ssize_t _kept(const fn_node *n, const fn_storage *st, int deep) noexcept:
    """How often a node, and those up to `deep` steps before it (an op in place, a hook), saved a memory."""
    cdef Py_ssize_t times = 0
    cdef int k
    for k in range(n.n_saved):
        times += n.saved[k].t.st == st
    for k in range(n.n_inputs if deep else 0):
        if n.inputs[k] != NULL:
            times += _kept(n.inputs[k], st, deep - 1)
    return times


cdef bint _alone(Tensor x, Py_ssize_t held) noexcept:
    """Whether the memory of x, to which the caller holds `held` references, has no other name: only the tape, which wants the values."""
    cdef Py_ssize_t others = x.t.st.refs - held
    if x.base is not None or x.t.st.owner != NULL:
        return False
    if x.node == NULL:
        return others == 0
    if x.node.op == NULL:                                # a leaf: what an optimizer keeps for it lies as it does
        return False
    # The flags tell whether there ever was another name (tensor_alias); what later ops saved is not counted.
    return not x.flags or others == _kept(x.node, x.t.st, 2)


cdef int _into_rows(Tensor x) except -1:
    """Put a tensor that is channels last into row-major order, unless others may count on its memory: views, arrays, a leaf's optimizer."""
    cdef fn_tensor old
    cdef Tensor rows
    if x.t.ndim < 3 or not is_channels_last(&x.t) or not _alone(x, 1):
        return 0
    array_share(&old, &x.t)                              # other threads run while the copy does
    try:
        rows = tensor_new(old.ndim, old.dims, old.dtype)
        array_copy(&rows.t, &old)
        if x.t.st == old.st and _alone(x, 2):
            rows.t.st.version = old.st.version           # what was saved is not thought to have changed
            x.t, rows.t = rows.t, x.t
    finally:
        array_drop(&old)
    return 0


cdef Tensor _reinterpreted(Tensor x, int dtype):
    cdef Tensor y
    if itemsize(dtype) != itemsize(x.t.dtype):
        raise RuntimeError(f"view: {x.dtype} elements cannot be read as {dtype_object(dtype)}, which is not as wide")
    if dtype == x.t.dtype:
        return reshaped(x, x.t.ndim, x.t.dims)
    y = alias(x)
    y.t.dtype = dtype
    return y


def reshape(input, *sizes, shape=None):
    """The same elements, in row-major order, under another shape: a view where strides allow, else a copy.

    Args:
        shape: sizes, as integers or one tuple; one may be -1 and is inferred.

    Raises:
        RuntimeError: the number of elements differs.

    >>> import fastnet
    >>> fastnet.reshape(fastnet.arange(6), (3, 2)).shape
    fastnet.Size([3, 2])
    """
    cdef Tensor x = require_tensor(input, "reshape", "input")
    cdef Py_ssize_t dims[8]
    cdef int ndim = sizes_of(dims, sizes, shape, "reshape", "shape")
    infer(dims, ndim, &x.t, "reshape")
    return reshaped(x, ndim, dims)


def view_as(input, other):
    """``input.view(other.shape)``.

    >>> import fastnet
    >>> fastnet.arange(4).view_as(fastnet.zeros(2, 2)).shape
    fastnet.Size([2, 2])
    """
    return view(input, shape_of(&require_tensor(other, "view_as", "other").t))


def reshape_as(input, other):
    """``input.reshape(other.shape)``.

    >>> import fastnet
    >>> fastnet.arange(4).reshape_as(fastnet.zeros(2, 2)).shape
    fastnet.Size([2, 2])
    """
    return reshape(input, shape_of(&require_tensor(other, "reshape_as", "other").t))


def flatten(input, start_dim=0, end_dim=-1):
    """The axes from start_dim to end_dim as one; a view where strides allow.

    >>> import fastnet
    >>> fastnet.zeros(2, 3, 4).flatten(1).shape
    fastnet.Size([2, 12])
    """
    cdef Tensor x = require_tensor(input, "flatten", "input")
    cdef Py_ssize_t dims[8]
    cdef int first = axis_of(start_dim, x.t.ndim, "flatten", "start_dim")
    cdef int last = axis_of(end_dim, x.t.ndim, "flatten", "end_dim")
    cdef int d, n = 0
    if first > last:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in a tensor of {x.t.ndim} axes")
    if first == last and x.t.ndim:
        return x
    dims[0] = 1
    for d in range(x.t.ndim):
        if first < d <= last:
            dims[n - 1] *= x.t.dims[d]
        else:
            dims[n] = x.t.dims[d]
            n += 1
    return reshaped(x, max(n, 1), dims)


def ravel(input):
    """One axis with all elements; the tensor itself or a view where strides allow.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).ravel().shape
    fastnet.Size([6])
    """
    return flatten(input)


attach(view=view, reshape=reshape, view_as=view_as, reshape_as=reshape_as, flatten=flatten, ravel=ravel)
