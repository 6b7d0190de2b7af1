# Part of tape.pyx: nodes as Python sees them, and what a profile asks.


cdef class Node:
    """A node as Python sees it: what ``grad_fn`` shows, and what `run_backward` captures."""

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
