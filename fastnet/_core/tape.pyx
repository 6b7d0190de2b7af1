"""The tape: nodes are plain C blocks; backward walks them newest first."""
from cpython.ref cimport Py_DECREF, Py_INCREF
from _thread import get_ident
from time import perf_counter_ns
from libc.string cimport memcpy, memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_free, block_new, storage_decref, storage_incref

cdef extern from *:
    """
    #if defined(_MSC_VER)
    static __declspec(thread) int fn_no_grad;
    #else
    static __thread int fn_no_grad;
    #endif
    """
    int fn_no_grad

cdef uint64_t _sequence = 0
cdef list _record = None                    # where a profile wants to read about backward
cdef object _on_gradients = None            # who looks at the gradients that each op gives (tape_node.pxi)
cdef int (*_noter)(fn_node *, const fn_tensor *) except -1        # notes new nodes while somebody watches; NULL usually (tape_node.pxi)
_noter = NULL


cdef bint grad_enabled() noexcept:
    return fn_no_grad == 0


cdef bint set_grad_enabled_flag(bint on) noexcept:
    global fn_no_grad
    cdef bint was = fn_no_grad == 0
    fn_no_grad = not on
    return was


cdef fn_node *node_new(const fn_op *op, const fn_tensor *y, int n_inputs, int n_saved) except NULL:
    global _sequence
    cdef size_t head = (sizeof(fn_node) + 15) & ~<size_t>15
    cdef fn_node *n = <fn_node *>block_new(head + n_saved * sizeof(fn_saved) + n_inputs * sizeof(fn_node *))
    cdef int k
    _sequence += 1
    n.refs, n.seq, n.op = 1, _sequence, op
    n.acc = y[0]
    n.acc.st = NULL
    n.grad.st = NULL
    n.extra = NULL
    n.block = NULL
    n.flags = 0
    n.n_inputs, n.n_saved = n_inputs, n_saved
    n.saved = <fn_saved *>(<char *>n + head)
    n.inputs = <fn_node **>(n.saved + n_saved)
    for k in range(n_inputs):
        n.inputs[k] = NULL
    for k in range(n_saved):
        n.saved[k].t.st = NULL
    if _noter != NULL:
        _noter(n, y)
    return n


cdef void node_save_shape(fn_node *n, int k, const fn_tensor *x) noexcept:
    n.saved[k].t = x[0]
    n.saved[k].t.st = NULL


cdef void _release(fn_node *n, fn_node **dead) noexcept:
    """Drop what backward reads; inputs that nobody else holds are put on the list `dead`."""
    cdef int k
    cdef fn_node *x
    for k in range(n.n_saved):
        array_drop(&n.saved[k].t)
    for k in range(n.n_inputs):
        x = n.inputs[k]
        n.inputs[k] = NULL
        if x != NULL:
            x.refs -= 1
            if x.refs == 0:
                x.next = dead[0]
                dead[0] = x
    if n.block != NULL:
        block_free(n.block)
        n.block = NULL
    if n.flags & MULTI and n.extra != NULL:
        (<dict>n.extra).clear()                          # a Function's context and what it saved


cdef void node_free(fn_node *n) noexcept:
    # A list, not recursion: a chain of a million ops must not exhaust the stack.
    cdef fn_node *dead = NULL
    while n != NULL:
        _release(n, &dead)
        array_drop(&n.acc)
        array_drop(&n.grad)
        if n.extra != NULL:
            Py_DECREF(<object>n.extra)
        block_free(n)
        n = dead
        if n != NULL:
            dead = n.next


cdef object node_extra(fn_node *n):
    cdef object extra
    if n.extra == NULL:
        extra = {}
        Py_INCREF(extra)
        n.extra = <void *>extra
    return <object>n.extra


include "tape_heap.pxi"


cdef inline bint _may_keep(const fn_tensor *g) noexcept:
    """A gradient that nobody else sees and that has its own element everywhere."""
    return g.st.refs == 1 and is_dense(g)


cdef int _add(fn_tensor *into, fn_tensor *g, bint in_place) except -1:
    """into += g (moved).  into takes g over where it is empty."""
    cdef fn_tensor both
    if into.st == NULL:
        into[0] = g[0]
    elif in_place or _may_keep(into):
        array_accumulate(into, g)
        into.st.version += 1
        array_drop(g)
    else:
        array_like(&both, into, into.dtype)
        array_copy(&both, into)
        array_drop(into)
        into[0] = both
        array_accumulate(into, g)
        array_drop(g)
    g.st = NULL
    return 0


cdef int _to_leaf(fn_node *leaf, fn_tensor *g) except -1:
    """leaf.grad += g (moved)."""
    cdef fn_tensor own
    if leaf.extra != NULL:
        _densify(leaf)
    if leaf.grad.st == NULL and not _may_keep(g):
        array_like(&own, g, g.dtype)
        array_copy(&own, g)
        array_drop(g)
        g[0] = own
    return _add(&leaf.grad, g, True)


cdef int _densify(fn_node *leaf) except -1:
    """Turn rows that a leaf has for a gradient into a dense one, to which others can be added."""
    rows = (<dict>leaf.extra).pop("rows", None)
    if rows is not None:
        rows.add_to(node_object(leaf))
    return 0


cdef int _give_rows(fn_node *leaf, object rows) except -1:
    """leaf.grad += a gradient of a few rows."""
    if leaf.grad.st != NULL:
        rows.add_to(node_object(leaf))
        return 0
    before = node_extra(leaf).get("rows")
    node_extra(leaf)["rows"] = rows if before is None else before + rows
    return 0


cdef int _deposit(Heap *h, fn_node *x, fn_tensor *g, bint accumulate) except -1:
    """Give gradient g (moved) to node x."""
    if not same_shape(&x.acc, g) or x.acc.dtype != g.dtype:
        raise RuntimeError(f"backward: a gradient of shape {_shape(g)} reached a value of shape {_shape(&x.acc)}")
    if x.op == NULL and not x.flags & (CAPTURE | TENSOR_HOOKS):
        if accumulate:
            return _to_leaf(x, g)
        array_drop(g)
        return 0
    if not x.flags & IN_HEAP:                           # first: what is in the heap is cleaned up after an error
        heap_push(h, x)
    return _add(&x.acc, g, False)


cdef tuple _shape(const fn_tensor *x):
    return tuple([x.dims[d] for d in range(x.ndim)])


cdef object _name(fn_node *n):
    if n.op == NULL:
        return "a leaf"
    if n.n_inputs == 1 and n.inputs[0] != NULL and n.inputs[0].flags & MULTI:
        return f"{node_extra(n.inputs[0])['name']}Backward"
    return n.op.name.decode()


cdef inline int _check(fn_node *n) except -1:
    cdef int k
    if n.flags & FREED:
        raise RuntimeError(f"backward: the graph behind {_name(n)} was freed by an earlier backward; "
                           "pass retain_graph=True to the first one to go through it twice")
    for k in range(n.n_saved):
        if n.saved[k].t.st != NULL and n.saved[k].t.st.version != n.saved[k].version:
            raise RuntimeError(f"backward: {_name(n)} saved a tensor of shape {_shape(&n.saved[k].t)} that was modified in place "
                               f"afterwards (it is at version {n.saved[k].t.st.version}, version {n.saved[k].version} was saved)")
    return 0


cdef int node_check(fn_node *n) except -1:
    return _check(n)


cdef fn_node *_running = NULL               # the node whose backward run_backward has called


cdef fn_tensor *node_waiting(fn_node *n, int k) noexcept:
    cdef fn_node *x = n.inputs[k]
    if n != _running or x == NULL or x.op == NULL or x.acc.st == NULL or _on_gradients is not None:
        return NULL
    return &x.acc


cdef int _differentiate(Heap *h, fn_node *n, bint retain_graph, bint accumulate) except -1:
    """Run n's backward on n.acc and hand its results on."""
    global _running
    cdef fn_tensor stack[8]
    cdef fn_tensor *gin = stack
    cdef fn_tensor gy
    cdef fn_node *x
    cdef fn_node *dead = NULL
    cdef int k, m = n.n_inputs
    _check(n)
    if m > 8:
        gin = <fn_tensor *>block_new(m * sizeof(fn_tensor))
    for k in range(m):
        gin[k].st = NULL
    gy = n.acc
    n.acc.st = NULL
    try:
        if n.op.accumulates:
            x = n.inputs[0]
            if x != NULL:
                if x.op == NULL and not x.flags & (CAPTURE | TENSOR_HOOKS):
                    if accumulate:
                        if x.extra != NULL:
                            _densify(x)
                        if x.grad.st == NULL:
                            array_zeros(&x.grad, &x.acc, x.acc.dtype)
                        gin[0] = x.grad
                        n.op.backward(n, &gy, gin)
                        x.grad.st.version += 1
                else:
                    if not x.flags & IN_HEAP:
                        heap_push(h, x)
                    if x.acc.st == NULL:
                        array_zeros(&gin[0], &x.acc, x.acc.dtype)
                        x.acc = gin[0]
                    elif not _may_keep(&x.acc):
                        array_like(&gin[0], &x.acc, x.acc.dtype)
                        array_copy(&gin[0], &x.acc)
                        array_drop(&x.acc)
                        x.acc = gin[0]
                    gin[0] = x.acc
                    n.op.backward(n, &gy, gin)
                gin[0].st = NULL
        else:
            _running = n
            n.op.backward(n, &gy, gin)
            if _on_gradients is not None:
                _tell(n, gin)
        array_drop(&gy)
        for k in range(m):
            if gin[k].st != NULL:
                if n.inputs[k] == NULL:
                    array_drop(&gin[k])
                else:
                    _deposit(h, n.inputs[k], &gin[k], accumulate)
            elif n.inputs[k] != NULL and n.inputs[k].flags & MULTI and not n.inputs[k].flags & IN_HEAP:
                heap_push(h, n.inputs[k])
            elif n.inputs[k] != NULL and n.extra != NULL and "rows" in <dict>n.extra:
                rows = (<dict>n.extra).pop("rows")
                if accumulate:
                    _give_rows(n.inputs[k], rows)
    finally:
        _running = NULL
        array_drop(&gy)
        for k in range(m):
            if gin[k].st != NULL and not (n.op.accumulates and k == 0):
                array_drop(&gin[k])
        if m > 8:
            block_free(gin)
    if not retain_graph:
        n.flags |= FREED
        _release(n, &dead)
        if dead != NULL:
            _free_list(dead)
    return 0


cdef int _differentiate_recorded(Heap *h, fn_node *n, bint retain_graph, bint accumulate) except -1:
    cdef list into = _record
    name = _name(n)
    start = perf_counter_ns()
    try:
        return _differentiate(h, n, retain_graph, accumulate)
    finally:
        into.append((start, perf_counter_ns(), get_ident(), n.seq, name))


cdef void _free_list(fn_node *dead) noexcept:
    cdef fn_node *n
    while dead != NULL:
        n = dead
        dead = n.next
        node_free(n)


cdef int run_backward(fn_node **roots, fn_tensor *gradients, int n_roots, bint retain_graph, bint accumulate, object captures) except -1:
    """Send gradients (moved) from the roots to the leaves.

    accumulate: add to .grad of leaves.  captures: None, or a list of Node; their gradients are replaced into a list.
    """
    cdef Heap h
    cdef fn_node *n
    cdef int k
    cdef uint64_t oldest = 0
    cdef Node wanted
    cdef fn_tensor retained
    if captures is not None:
        oldest = min([(<Node>w).n.seq for w in captures])
        for w in captures:
            (<Node>w).n.flags |= CAPTURE
    h.room, h.n, h.at = 32, 0, h.few
    cdef list into = _record
    start = None if into is None else perf_counter_ns()
    try:
        for k in range(n_roots):
            _deposit(&h, roots[k], &gradients[k], accumulate)
        while h.n > 0:
            n = heap_pop(&h)
            try:
                if n.flags & TENSOR_HOOKS:
                    _run_hooks(n)
                if n.flags & CAPTURE and n.acc.st != NULL:
                    wanted = _find(captures, n)
                    array_share(&wanted.g, &n.acc)
                if n.flags & RETAIN_GRAD and accumulate and n.op != NULL:
                    array_share(&retained, &n.acc)
                    _add(&n.grad, &retained, False)
                if n.op == NULL:
                    if accumulate and not n.flags & CAPTURE:
                        _to_leaf(n, &n.acc)
                        if n.flags & TENSOR_HOOKS:
                            for call in list(node_extra(n).get("after", {}).values()):
                                call()
                    else:
                        array_drop(&n.acc)
                elif n.seq > oldest:
                    if _record is None:
                        _differentiate(&h, n, retain_graph, accumulate)
                    else:
                        _differentiate_recorded(&h, n, retain_graph, accumulate)
                else:
                    array_drop(&n.acc)
            finally:
                array_drop(&n.acc)
                node_decref(n)
    finally:
        for k in range(n_roots):
            array_drop(&gradients[k])
        while h.n > 0:                                  # only after an error
            n = heap_pop(&h)
            array_drop(&n.acc)
            node_decref(n)
        if h.at != h.few:
            block_free(h.at)
        if captures is not None:
            for w in captures:
                (<Node>w).n.flags &= ~CAPTURE
        if into is not None:
            into.append((start, perf_counter_ns(), get_ident(), 0, "backward"))
    return 0


cdef Node _find(list captures, fn_node *n):
    for w in captures:
        if (<Node>w).n == n:
            return w


cdef int _run_hooks(fn_node *n) except -1:
    if hook_runner != NULL:
        hook_runner(n)
    return 0


include "tape_node.pxi"
