# Part of tensor.pyx: how C makes tensors, puts them on the tape and checks them.

cdef Tensor tensor_new(int ndim, const Py_ssize_t *dims, int dtype):
    cdef Tensor y = Tensor.__new__(Tensor)
    array_new(&y.t, ndim, dims, dtype)
    return y


cdef Tensor tensor_like(const fn_tensor *x, int dtype):
    cdef Tensor y = Tensor.__new__(Tensor)
    array_like(&y.t, x, dtype)
    return y


cdef Tensor tensor_take(fn_tensor *array):
    cdef Tensor y = Tensor.__new__(Tensor)
    y.t = array[0]
    return y


cdef enum:
    ALIASED = 4                     # one more of Tensor.flags: its memory has, or had, another name


cdef Tensor tensor_alias(Tensor x):
    cdef Tensor y = Tensor.__new__(Tensor)
    array_share(&y.t, &x.t)
    x.flags |= ALIASED
    y.flags = x.flags & READ_ONLY | ALIASED
    return y


cdef Tensor tensor_scalar(object value, int dtype):
    cdef Tensor y = Tensor.__new__(Tensor)
    array_new(&y.t, 0, NULL, dtype)
    array_set_item(&y.t, value)
    return y


cdef Tensor require_tensor(object x, str op, str argument):
    if not isinstance(x, Tensor):
        hint = "; fastnet.from_numpy makes one of an array" if isinstance(x, np.ndarray) else ""
        raise TypeError(f"{op}: {argument} must be a Tensor, got {type(x).__name__}{hint}")
    return x


cdef Tensor as_tensor(object x, object op, object argument):
    if isinstance(x, Tensor):
        return x
    if isinstance(x, float):
        return tensor_scalar(x, _default_float)
    if isinstance(x, bool):
        return tensor_scalar(x, FN_BOOL)
    if isinstance(x, int):
        return tensor_scalar(x, FN_I64)
    try:
        return from_data(x, -1)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{op}: {argument} cannot become a tensor: {error}") from None


cdef object shape_of(const fn_tensor *x):
    cdef int d
    if x.ndim == 1:
        return (x.dims[0],)
    if x.ndim == 2:
        return (x.dims[0], x.dims[1])
    return tuple([x.dims[d] for d in range(x.ndim)])


cdef int dtype_index(object dtype) except -1:
    if isinstance(dtype, _dtype_class):
        return dtype.index
    return as_dtype(dtype).index


cdef object dtype_object(int index):
    return _dtypes[index]


cdef int _axis(Tensor x, object dim, str op) except -1:
    cdef Py_ssize_t d = dim
    if not -x.t.ndim <= d < x.t.ndim:
        raise IndexError(f"{op}: dim {d} is out of range for a tensor of {x.t.ndim} axes")
    return <int>(d + x.t.ndim if d < 0 else d)


cdef int write_check(Tensor x, str op) except -1:
    cdef int d
    if x.flags & READ_ONLY:
        raise ValueError(f"{op}: the memory of this tensor of shape {shape_of(&x.t)} is read-only")
    if x.node != NULL and grad_enabled():
        if x.node.op == NULL:
            raise RuntimeError(f"{op}: a leaf that requires gradients cannot be modified in place; use no_grad() for an update")
    if x.base is not None and x.base.node != NULL and grad_enabled():
        if x.base.node.op == NULL:
            raise RuntimeError(f"{op}: a view of a leaf that requires gradients cannot be modified in place; use no_grad() for an update")
        if x.link == NULL:
            raise RuntimeError(f"{op}: a view made under no_grad() of a tensor that requires gradients cannot be modified in place outside it")
    for d in range(x.t.ndim):
        if x.t.strides[d] == 0 and x.t.dims[d] > 1 and x.t.size:
            raise RuntimeError(f"{op}: elements of this tensor of shape {shape_of(&x.t)} share memory (it was expanded); clone it")
    return 0


cdef fn_node *record(Tensor y, const fn_op *op, int n_inputs, int n_saved) except NULL:
    cdef fn_node *n = node_new(op, &y.t, n_inputs, n_saved)
    cdef fn_node *old = y.node
    y.node = n
    node_decref(old)
    return n


cdef int initial_gradient(Tensor y, object gradient, fn_tensor *g) except -1:
    """The gradient with which backward begins at y."""
    cdef Tensor given
    if y.node == NULL:
        raise RuntimeError("backward: this tensor does not require gradients and has no history")
    if gradient is None:
        if y.t.size != 1:
            raise RuntimeError(f"backward: a tensor of shape {shape_of(&y.t)} needs a gradient of that shape; only one element has a "
                               "gradient of 1 by itself")
        array_like(g, &y.t, y.t.dtype)
        array_set_item(g, 1.0)
        return 0
    given = as_tensor(gradient, "backward", "gradient")
    if not same_shape(&given.t, &y.t) or given.t.dtype != y.t.dtype:
        raise RuntimeError(f"backward: gradient is {given.dtype} of shape {shape_of(&given.t)}, the tensor is {y.dtype} of shape "
                           f"{shape_of(&y.t)}")
    array_share(g, &given.t)
    return 0


cdef object _grad(Tensor x):
    """What .grad shows: None, a dense tensor, or the rows that an op left with the node (`fastnet.ops.sparse`)."""
    cdef fn_tensor g
    cdef Tensor y
    if x.node == NULL:
        return None
    if x.node.grad.st == NULL:
        return None if x.node.extra == NULL else (<dict>x.node.extra).get("rows")
    if x.node.extra != NULL:
        y = (<dict>x.node.extra).get("recorded")         # a gradient with a history: the tensor itself, which in-place ops may give another
        if y is not None and y.t.p == x.node.grad.p:
            return y
    array_share(&g, &x.node.grad)
    return tensor_take(&g)


cdef int drop_gradient(Tensor x) except -1:
    if x.node != NULL:
        array_drop(&x.node.grad)
        if x.node.extra != NULL:
            (<dict>x.node.extra).pop("rows", None)
            (<dict>x.node.extra).pop("recorded", None)
    return 0


cdef int _set_grad(Tensor x, object value) except -1:
    if value is None:
        return drop_gradient(x)
    cdef bint rows = getattr(value, "is_sparse", False)
    if not rows and not isinstance(value, Tensor):
        raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
    if x.node == NULL:
        raise RuntimeError("grad: this tensor does not require gradients; call requires_grad_() first")
    if tuple(value.shape) != shape_of(&x.t) or value.dtype != dtype_object(x.t.dtype):
        raise RuntimeError(f"grad: a {x.dtype} tensor of shape {shape_of(&x.t)} cannot have a {value.dtype} gradient of shape "
                           f"{tuple(value.shape)}")
    drop_gradient(x)
    if rows:
        node_extra(x.node)["rows"] = value
    else:
        array_share(&x.node.grad, &(<Tensor>value).t)
        if (<Tensor>value).node != NULL:
            (<Tensor>value).flags |= ALIASED
            node_extra(x.node)["recorded"] = value
    return 0


cdef int _hooks(fn_node *n) except -1:
    cdef Tensor g, given
    cdef fn_tensor array
    if n.acc.st == NULL or n.extra == NULL:
        return 0
    for hook in list(node_extra(n).get("hooks", {}).values()):
        array_share(&array, &n.acc)
        given = tensor_take(&array)
        result = hook(given)
        if result is None:
            continue
        g = require_tensor(result, "register_hook", "the hook's result")
        if not same_shape(&g.t, &n.acc) or g.t.dtype != n.acc.dtype:
            raise RuntimeError(f"register_hook: a hook turned a gradient of shape {shape_of(&n.acc)} into {g.dtype} of shape {shape_of(&g.t)}")
        array_drop(&n.acc)
        array_share(&n.acc, &g.t)
    return 0


hook_runner = _hooks


def attach(**functions) -> None:
    """Make functions whose first argument is a tensor methods of Tensor."""
    cdef PyTypeObject *type_ = <PyTypeObject *>Tensor
    (<object>fn_type_dict(type_)).update(functions)
    PyType_Modified(type_)
