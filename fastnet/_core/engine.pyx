"""backward from several tensors, grad without touching .grad, gradient modes, and the door for Functions written in Python."""
from cpython.ref cimport PyObject
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

from functools import wraps


cdef list _tensors(object x, str op, str argument):
    if isinstance(x, Tensor):
        return [x]
    if not isinstance(x, (list, tuple)) or not all([isinstance(t, Tensor) for t in x]):
        raise TypeError(f"{op}: {argument} must be a Tensor or a sequence of Tensors, got {type(x).__name__}")
    return list(x)


def _run(list outputs, gradients, bint retain_graph, bint accumulate, captures):
    cdef int k, n = len(outputs)
    cdef fn_node **roots
    cdef fn_tensor *g
    gradients = [None] * n if gradients is None else [gradients] if isinstance(gradients, Tensor) else list(gradients)
    if len(gradients) != n:
        raise ValueError(f"backward: {len(gradients)} gradients for {n} tensors")
    roots = <fn_node **>block_new((n + 1) * sizeof(fn_node *))
    g = NULL
    try:
        g = <fn_tensor *>block_new((n + 1) * sizeof(fn_tensor))
        for k in range(n):
            g[k].st = NULL
        for k in range(n):
            roots[k] = (<Tensor>outputs[k]).node
            initial_gradient(outputs[k], gradients[k], &g[k])
        run_backward(roots, g, n, retain_graph, accumulate, captures)
    finally:
        block_free(roots)
        block_free(g)


cdef int _no_double(object create_graph, str op) except -1:
    if create_graph:
        raise ValueError(f"{op}: create_graph=True is not available: gradients are computed by hand-written kernels, not recorded")
    return 0


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None) -> None:
    """Add the gradients of the sum of tensors to the ``.grad`` of the leaves.

    Args:
        tensors: a tensor or several.
        grad_tensors: for each the gradient to begin with; None: 1, for a tensor of one element.
        retain_graph: keep the graph for another backward.
        create_graph: must be False.
        inputs: leaves; only these get gradients.  Default: all.

    Raises:
        RuntimeError: a tensor has no history, or needs a gradient to begin with.

    >>> import fastnet
    >>> x = fastnet.ones(2, requires_grad=True)
    >>> fastnet.autograd.backward(x, fastnet.tensor([1.0, 2.0]))
    >>> x.grad
    tensor([1., 2.])
    """
    cdef Tensor x
    _no_double(create_graph, "backward")
    outputs = _tensors(tensors, "backward", "tensors")
    if inputs is None:
        _run(outputs, grad_tensors, bool(retain_graph), True, None)
        return
    leaves = _tensors(inputs, "backward", "inputs")
    if not leaves:
        raise RuntimeError("backward: inputs is empty")
    for x, g in zip(leaves, grad(outputs, leaves, grad_tensors, retain_graph, allow_unused=True)):
        if g is not None:
            x.grad = g if x.grad is None else x.grad.detach() + g


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None, is_grads_batched=False,
         materialize_grads=False):
    """The gradients of the sum of outputs with respect to inputs; no ``.grad`` changes.

    Args:
        outputs: a tensor or several.
        inputs: a tensor or several that the outputs depend on; leaves or not.
        grad_outputs: for each output the gradient to begin with; None: 1, for a tensor of one element.
        retain_graph: keep the graph for another backward.
        create_graph: must be False.
        allow_unused: give None for an input that no output depends on, instead of an error.
        is_grads_batched: must be False.
        materialize_grads: give zeros for an input that no output depends on.

    Returns:
        A tuple with one gradient for each input.

    Raises:
        RuntimeError: an input needs no gradient, or no output depends on it.

    >>> import fastnet
    >>> x = fastnet.tensor(3.0, requires_grad=True)
    >>> fastnet.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    cdef Tensor x
    cdef Node w
    cdef fn_tensor g
    _no_double(create_graph, "grad")
    if is_grads_batched:
        raise ValueError("grad: is_grads_batched=True is not available; call grad for each row")
    wanted = _tensors(inputs, "grad", "inputs")
    if not wanted:
        raise ValueError("grad: inputs is empty")
    captures, nodes = {}, []
    for x in wanted:
        if x.node == NULL:
            raise RuntimeError(f"grad: an input of shape {tuple(x.shape)} does not require gradients")
        w = node_object(x.node)
        nodes.append(captures.setdefault(<size_t>x.node, w))
    _run(_tensors(outputs, "grad", "outputs"), grad_outputs, bool(retain_graph), False, list(captures.values()))
    result = []
    for x, w in zip(wanted, nodes):
        if w.g.st != NULL:
            array_share(&g, &w.g)
            result.append(tensor_take(&g))
        elif materialize_grads:
            array_zeros(&g, &x.t, x.t.dtype)
            result.append(tensor_take(&g))
        elif allow_unused:
            result.append(None)
        else:
            raise RuntimeError(f"grad: no output depends on an input of shape {tuple(x.shape)}; allow_unused=True gives None for it")
    return tuple(result)


class set_grad_enabled:
    """Turn recording on or off; a function, a context manager and a decorator.

    >>> import fastnet
    >>> with fastnet.set_grad_enabled(False):
    ...     fastnet.is_grad_enabled()
    False
    """

    def __init__(self, mode):
        self.before = set_grad_enabled_flag(mode)
        self.mode = mode

    def __enter__(self):
        set_grad_enabled_flag(self.mode)

    def __exit__(self, *_):
        set_grad_enabled_flag(self.before)

    def __call__(self, function):
        set_grad_enabled_flag(self.before)
        mode = self.mode

        @wraps(function)
        def wrapped(*args, **kwargs):
            before = set_grad_enabled_flag(mode)
            try:
                return function(*args, **kwargs)
            finally:
                set_grad_enabled_flag(before)
        return wrapped


class no_grad:
    """Record nothing inside: a context manager and a decorator.

    >>> import fastnet
    >>> x = fastnet.ones(2, requires_grad=True)
    >>> with fastnet.no_grad():
    ...     (x * 2).requires_grad
    False
    """
    mode = False

    def __new__(cls, function=None):
        self = object.__new__(cls)
        return self if function is None else self(function)

    def __enter__(self):
        self.before = set_grad_enabled_flag(self.mode)

    def __exit__(self, *_):
        set_grad_enabled_flag(self.before)

    def __call__(self, function):
        mode = self.mode

        @wraps(function)
        def wrapped(*args, **kwargs):
            before = set_grad_enabled_flag(mode)
            try:
                return function(*args, **kwargs)
            finally:
                set_grad_enabled_flag(before)
        return wrapped


class enable_grad(no_grad):
    """Record inside, within a `no_grad`: a context manager and a decorator."""
    mode = True


class inference_mode(no_grad):
    """The same as `no_grad`; ``inference_mode(False)`` changes nothing."""

    def __new__(cls, mode=True):
        self = object.__new__(cls)
        if callable(mode):
            return self(mode)
        self.mode = grad_enabled() and not mode
        return self


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return grad_enabled()


# Functions written in Python: one node for the Function, one small node for each of its outputs.

cdef int _function_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef Tensor g
    cdef int k
    extra = node_extra(n)
    arrived = extra.pop("gradients", {})
    results = extra["call"]([arrived.get(i) for i in range(extra["outputs"])])
    for k in range(n.n_inputs):
        if n.inputs[k] == NULL:
            continue
        if results[k] is None:
            array_zeros(&gin[k], &n.inputs[k].acc, n.inputs[k].acc.dtype)
            continue
        g = require_tensor(results[k], extra["name"], "what backward returns")
        if not same_shape(&g.t, &n.inputs[k].acc) or g.t.dtype != n.inputs[k].acc.dtype:
            raise RuntimeError(f"{extra['name']}: backward returned a {g.dtype} gradient of shape {shape_of(&g.t)} for input {k}, "
                               f"which is {dtype_object(n.inputs[k].acc.dtype)} of shape {shape_of(&n.inputs[k].acc)}")
        array_share(&gin[k], &g.t)
    return 0


cdef int _output_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    array_share(&g, gy)
    node_extra(n.inputs[0]).setdefault("gradients", {})[n.i[0]] = tensor_take(&g)
    return 0


cdef fn_op FUNCTION = [b"FunctionBackward", _function_backward, False]
cdef fn_op OUTPUT = [b"FunctionOutputBackward", _output_backward, False]


def record_function(str name, list inputs, list outputs, call) -> None:
    """Put the outputs (fresh tensors; None: not differentiable) of a Python Function on the tape.

    call(gradients) gets one gradient or None for each output and returns one or None for each input.
    """
    cdef Tensor x, y
    cdef fn_node *n
    cdef fn_node *o
    cdef int k
    cdef Tensor first = next(t for t in outputs if t is not None)
    n = node_new(&FUNCTION, &first.t, len(inputs), 0)
    try:
        n.flags |= MULTI
        node_extra(n).update(call=call, outputs=len(outputs), name=name)
        for k in range(n.n_inputs):
            if isinstance(inputs[k], Tensor):
                node_input(n, k, (<Tensor>inputs[k]).node)
        for k in range(len(outputs)):
            if outputs[k] is not None:
                y = outputs[k]
                o = record(y, &OUTPUT, 1, 0)
                o.i[0] = k
                node_input(o, 0, n)
    finally:
        node_decref(n)


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


def node_backward(Node node not None, Tensor gradient=None) -> list:
    """Run one op's backward by itself and keep the graph.

    Args:
        node: of an op.
        gradient: of its value, of the same shape and dtype; None for the node of a Function, whose outputs' nodes have left theirs.

    Returns:
        A gradient for each input, None for those that need none; for the node of a Function's output: [None].

    Raises:
        RuntimeError: a leaf, a graph that was freed, or a gradient of another shape.
    """
    cdef fn_node *n = node.n
    cdef fn_tensor *gin
    cdef fn_tensor gy
    cdef int k
    if n.op == NULL or n.flags & FREED:
        raise RuntimeError(f"node_backward: {'a leaf has no backward' if n.op == NULL else 'the graph was freed by an earlier backward'}")
    if not n.flags & MULTI and (gradient is None or not same_shape(&gradient.t, &n.acc) or gradient.t.dtype != n.acc.dtype):
        raise RuntimeError(f"node_backward: {node.name()} needs a gradient of shape {shape_of(&n.acc)}")
    gin = <fn_tensor *>block_new((n.n_inputs + 1) * sizeof(fn_tensor))
    for k in range(n.n_inputs):
        gin[k].st = NULL
    gy.st = NULL
    try:
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
        block_free(gin)
