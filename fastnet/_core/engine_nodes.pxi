# Part of engine.pyx: what Python sees of single nodes.

# What shows a graph to people: `autograd.explain` and the doctor.

def node_of(Tensor tensor not None):
    """The node of a tensor, that of a leaf too; None where it requires no gradient."""
    return None if tensor.node == NULL else node_object(tensor.node)


def node_value(Node node not None):
    """The value of a node that the journal noted, as it is now; None for other nodes."""
    cdef fn_tensor y
    if node.g.st == NULL:
        return None
    array_share(&y, &node.g)
    return tensor_take(&y)


def node_facts(Node node not None) -> dict:
    """What a node is: seq (order of creation), shape and dtype of its value, leaf, kind ("op", "function", or "output" of one),
    freed, saved (what backward reads: tensors or None), numbers and integers (the op's own; which of them mean something it knows)."""
    cdef fn_node *n = node.n
    cdef fn_tensor t
    cdef int k
    saved = []
    for k in range(n.n_saved):
        if n.saved[k].t.st == NULL:
            saved.append(None)
        else:
            array_share(&t, &n.saved[k].t)
            saved.append(tensor_take(&t))
    return {"seq": n.seq, "shape": shape_of(&n.acc), "dtype": dtype_object(n.acc.dtype), "leaf": n.op == NULL,
            "kind": "function" if n.flags & MULTI else "output" if n.op == &OUTPUT else "op", "freed": bool(n.flags & FREED),
            "saved": saved, "numbers": [] if n.op == NULL else [n.f[k] for k in range(4)],
            "integers": [] if n.op == NULL else [n.i[k] for k in range(10)]}


def node_hook(Node node not None, hook):
    """Call hook(gradient) when the gradient of the node's value has been computed, as `Tensor.register_hook` does."""
    from fastnet._core.hooks import RemovableHandle
    node.n.flags |= TENSOR_HOOKS
    return RemovableHandle(node_extra(node.n).setdefault("hooks", {}), hook)


def node_backward(Node node not None, Tensor gradient=None, wanted=None) -> list:
    """Run one op's backward by itself and keep the graph.

    Args:
        node: of an op.
        gradient: of its value, of the same shape and dtype; None for the node of a Function, whose outputs' nodes have left theirs.
        wanted: numbers of the inputs to compute a gradient for; None: all that need one.

    Returns:
        A gradient for each input, None for those that need none or are not wanted; for the node of a Function's output: [None].

    Raises:
        RuntimeError: a leaf, a graph that was freed, or a gradient of another shape.
    """
    cdef fn_node *n = node.n
    cdef fn_tensor *gin
    cdef fn_tensor gy
    cdef fn_node **inputs
    cdef int k
    if n.op == NULL or n.flags & FREED:
        raise RuntimeError(f"node_backward: {'a leaf has no backward' if n.op == NULL else 'the graph was freed by an earlier backward'}")
    if not n.flags & MULTI and (gradient is None or not same_shape(&gradient.t, &n.acc) or gradient.t.dtype != n.acc.dtype):
        raise RuntimeError(f"node_backward: {node.name()} needs a gradient of shape {shape_of(&n.acc)}")
    gin = <fn_tensor *>block_new((n.n_inputs + 1) * (sizeof(fn_tensor) + sizeof(fn_node *)))
    inputs = <fn_node **>(gin + n.n_inputs)
    for k in range(n.n_inputs):
        gin[k].st = NULL
        inputs[k] = n.inputs[k]
    gy.st = NULL
    try:
        if wanted is not None:
            for k in range(n.n_inputs):
                if k not in wanted:
                    n.inputs[k] = NULL                   # until the end of this call: an op computes nothing for it
        if gradient is not None:
            array_share(&gy, &gradient.t)
        if n.op.accumulates and n.inputs[0] != NULL:
            array_zeros(&gin[0], &n.inputs[0].acc, n.inputs[0].acc.dtype)
        n.op.backward(n, &gy, gin)
        result = []
        for k in range(n.n_inputs):
            if gin[k].st == NULL:
                rows = None if n.extra == NULL else (<dict>n.extra).pop("rows", None)
                result.append(None if rows is None else rows.to_dense())
            else:
                result.append(tensor_take(&gin[k]))
                gin[k].st = NULL
        return result
    finally:
        array_drop(&gy)
        for k in range(n.n_inputs):
            array_drop(&gin[k])
            n.inputs[k] = inputs[k]
        block_free(gin)


# What a recorded backward asks (`fastnet.autograd.recorded`), which walks the graph in Python.

def node_seq(Node node not None) -> int:
    """The number of a node; an input's is always smaller."""
    return node.n.seq


def node_begin(Tensor tensor not None, gradient) -> Tensor:
    """The gradient with which backward begins at a tensor: the given one where it fits, with its history, or 1.

    Raises:
        RuntimeError: the tensor has no history, or the gradient another shape or dtype.
    """
    cdef fn_tensor g
    initial_gradient(tensor, gradient, &g)
    given = tensor_take(&g)
    return gradient if isinstance(gradient, Tensor) else given


def node_open(Node node not None) -> None:
    """See that a node can be differentiated.

    Raises:
        RuntimeError: the graph was freed, or what the node saved was modified in place.
    """
    node_check(node.n)


def node_link(Tensor value, Node node not None, Py_ssize_t output=0) -> Tensor:
    """A tensor over value's memory whose history is the node; for a Function's node that of its numbered output.

    Args:
        value: of the shape and dtype of the node's value; None: zeros, for what was not kept because nothing reads it.
        node: the node.
        output: which output of a Function.

    Raises:
        RuntimeError: value is not shaped like the node's value.
    """
    cdef fn_tensor t
    cdef Tensor y
    cdef fn_node *n
    cdef int d
    if value is None:
        array_new(&t, 0, NULL, node.n.acc.dtype)
        array_set_item(&t, 0.0)
        t.ndim, t.size = node.n.acc.ndim, node.n.acc.size
        for d in range(t.ndim):
            t.dims[d], t.strides[d] = node.n.acc.dims[d], 0
    else:
        array_share(&t, &value.t)
    y = tensor_take(&t)
    if node.n.flags & MULTI:
        n = record(y, &OUTPUT, 1, 0)
        n.i[0] = output
        node_input(n, 0, node.n)
        return y
    if not same_shape(&y.t, &node.n.acc) or y.t.dtype != node.n.acc.dtype:
        raise RuntimeError(f"node_link: a value of shape {shape_of(&y.t)} cannot stand for {node.name()} of shape {shape_of(&node.n.acc)}")
    node_incref(node.n)
    y.node = node.n
    return y


def node_hold(Node node not None, Tensor gradient) -> Node:
    """A Node of the same op that holds a gradient, as `on_gradients` passes it on; None stays None."""
    cdef Node w
    if gradient is None:
        return None
    w = node_object(node.n)
    array_share(&w.g, &gradient.t)
    return w


def node_block(Node node not None, Py_ssize_t size) -> bytes:
    """The first bytes of the block that an op keeps for its backward."""
    return (<char *>node.n.block)[:size]


def node_hooks(Node node not None) -> tuple:
    """The hooks on a node's gradient, those for when `.grad` of a leaf has grown, and whether `.grad` of another value is kept."""
    extra = node_extra(node.n) if node.n.flags & TENSOR_HOOKS else {}
    return list(extra.get("hooks", {}).values()), list(extra.get("after", {}).values()), (node.n.flags & RETAIN_GRAD) != 0


def node_call(Node node not None) -> tuple:
    """The backward of a Function written in Python, and its number of outputs."""
    extra = node_extra(node.n)
    return extra["call"], extra["outputs"]
