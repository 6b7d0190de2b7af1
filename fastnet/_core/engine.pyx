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
    cdef list found = list(x) if hasattr(x, "__iter__") and not isinstance(x, (str, dict)) else [None]
    if not all([isinstance(t, Tensor) for t in found]):
        raise TypeError(f"{op}: {argument} must be a Tensor or a sequence of Tensors, got {type(x).__name__}")
    return found


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


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None) -> None:
    """Add the gradients of the sum of tensors to the ``.grad`` of the leaves.

    Args:
        tensors: a tensor or several.
        grad_tensors: for each the gradient to begin with; None: 1, for a tensor of one element.
        retain_graph: keep the graph for another backward; default: where create_graph is True.
        create_graph: record the backward itself, so that the gradients have a history and can be differentiated again. A ``.grad`` then
            refers to its leaf and the leaf to it: set it to None when it is done with, or use `grad`.
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
    outputs = _tensors(tensors, "backward", "tensors")
    if create_graph:
        from fastnet.autograd.recorded.walk import recorded_backward
        recorded_backward(outputs, grad_tensors, retain_graph, None if inputs is None else _tensors(inputs, "backward", "inputs"))
        return
    if inputs is None:
        _run(outputs, grad_tensors, bool(retain_graph), True, None)
        return
    leaves = _tensors(inputs, "backward", "inputs")
    if not leaves:
        raise RuntimeError("backward: inputs is empty")
    for x, g in zip(leaves, grad(outputs, leaves, grad_tensors, retain_graph, allow_unused=True)):
        if g is not None:
            x.grad = g if x.grad is None else x.grad.detach() + g
            for call in node_hooks(node_object(x.node))[1]:
                call()


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None,
         is_grads_batched=False, materialize_grads=False):
    """The gradients of the sum of outputs with respect to inputs; no ``.grad`` changes.

    Args:
        outputs: a tensor or several.
        inputs: a tensor or several that the outputs depend on; leaves or not.
        grad_outputs: for each output the gradient to begin with; None: 1, for a tensor of one element.
        retain_graph: keep the graph for another backward; default: where create_graph is True.
        create_graph: record the backward itself, so that the gradients have a history and can be differentiated again.
        only_inputs: must be True; `backward` is what adds to the ``.grad`` of leaves.
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
    if not only_inputs:
        raise ValueError("grad: only_inputs=False is not available; call backward")
    if is_grads_batched:
        raise ValueError("grad: is_grads_batched=True is not available; call grad for each row")
    wanted = _tensors(inputs, "grad", "inputs")
    if not wanted:
        raise ValueError("grad: inputs is empty")
    for x in wanted:
        if x.node == NULL:
            raise RuntimeError(f"grad: an input of shape {tuple(x.shape)} does not require gradients")
    if create_graph:
        from fastnet.autograd.recorded.walk import recorded_grad
        return recorded_grad(_tensors(outputs, "grad", "outputs"), wanted, grad_outputs, retain_graph, allow_unused, materialize_grads)
    captures, nodes = {}, []
    for x in wanted:
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


def _under(mode, function):
    """The function, with recording on or off while it runs."""
    @wraps(function)
    def wrapped(*args, **kwargs):
        before = set_grad_enabled_flag(mode)
        try:
            return function(*args, **kwargs)
        finally:
            set_grad_enabled_flag(before)
    return wrapped


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
        return _under(self.mode, function)


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
        return _under(self.mode, function)


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
    arrived = node_extra(n.inputs[0]).setdefault("gradients", {})
    before, given = arrived.get(n.i[0]), tensor_take(&g)
    arrived[n.i[0]] = given if before is None else before + given      # several nodes can stand for one output (node_link)
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


include "engine_nodes.pxi"
