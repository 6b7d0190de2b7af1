# Part of tape.pyx: nodes as Python sees them, what a profile asks, and the journal in which nodes can be noted as they are made.


cdef class Node:
    """A node as Python sees it: what ``grad_fn`` shows, what `run_backward` captures, and what the journal notes."""

    def __cinit__(self):
        self.n = NULL
        self.g.st = NULL

    def __dealloc__(self):
        array_drop(&self.g)
        node_decref(self.n)

    def name(self) -> str:
        return _name(self.n)

    @property
    def next_functions(self):
        return tuple([(None if self.n.inputs[k] == NULL else node_object(self.n.inputs[k]), 0) for k in range(self.n.n_inputs)])

    def __eq__(self, other):
        return isinstance(other, Node) and (<Node>other).n == self.n

    def __hash__(self):
        return <Py_ssize_t>self.n

    def __repr__(self):
        return f"<{self.name()}>"


cdef Node node_object(fn_node *n):
    cdef Node w = Node.__new__(Node)
    node_incref(n)
    w.n = n
    return w


def _record_backward(list into):
    """From now on append (start, end, Python thread, number, name) of every node that is differentiated to `into`; None: nothing.

    Number 0 is a whole backward.  Returns the list that was in use before.
    """
    global _record
    before = _record
    _record = into
    return before


def _newest() -> int:
    """The number of the node that was made last; numbers grow."""
    return _sequence


cdef object _journal = None


cdef int _note(fn_node *n, const fn_tensor *y) except -1:
    """Keep the node and its value, which may not be computed yet, in the journal."""
    cdef Node w
    if n.op == NULL:
        return 0
    w = node_object(n)
    if y.st != NULL:
        array_share(&w.g, y)
    _journal.append(w)
    return 0


def journal(into):
    """Note every op from now on in a list, as Nodes that hold their values; None ends it.

    Args:
        into: `into.append(node)` is called for each op that is recorded, in any thread; None: note nothing.

    Returns:
        The list that was in use, or None.
    """
    global _journal, _noter
    before, _journal = _journal, into
    _noter = NULL
    if into is not None:
        _noter = _note
    return before


cdef int _tell(fn_node *n, const fn_tensor *gin) except -1:
    cdef Node w
    cdef int k
    gradients = []
    for k in range(n.n_inputs):
        if gin[k].st == NULL:
            gradients.append(None)
        else:
            w = node_object(n)
            array_share(&w.g, &gin[k])
            gradients.append(w)
    _on_gradients(node_object(n), gradients)
    return 0


def on_gradients(call):
    """Call `call(node, gradients)` after the backward of each op; None ends it.

    Args:
        call: gets the Node of the op and a list with a Node for each input, whose `engine.node_value` is the gradient, or None. What it
            raises ends the backward.

    Returns:
        What was called before, or None.
    """
    global _on_gradients
    before, _on_gradients = _on_gradients, call
    return before


def gradient_watcher():
    """What `on_gradients` was given last, or None: a recorded backward calls it itself."""
    return _on_gradients


def release(Node node not None) -> None:
    """Free what a node saved, as a backward does that does not keep the graph."""
    cdef fn_node *dead = NULL
    node.n.flags |= FREED
    _release(node.n, &dead)
    _free_list(dead)
