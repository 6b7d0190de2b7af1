# Part of tape.pyx: the heap of nodes that wait for backward, newest first.

cdef struct Heap:
    fn_node **at
    Py_ssize_t n
    Py_ssize_t room
    fn_node *few[32]                # where `at` begins


cdef int heap_push(Heap *h, fn_node *x) except -1:
    cdef Py_ssize_t i, up
    cdef fn_node **wider
    if h.n == h.room:
        wider = <fn_node **>block_new(2 * h.room * sizeof(fn_node *))
        memcpy(wider, h.at, h.n * sizeof(fn_node *))
        if h.at != h.few:
            block_free(h.at)
        h.at, h.room = wider, 2 * h.room
    x.refs += 1
    x.flags |= IN_HEAP
    i = h.n
    h.n += 1
    while i > 0:
        up = (i - 1) // 2
        if h.at[up].seq >= x.seq:
            break
        h.at[i] = h.at[up]
        i = up
    h.at[i] = x
    return 0


cdef fn_node *heap_pop(Heap *h) noexcept:
    """The newest node; the heap's reference passes to the caller."""
    cdef fn_node *top = h.at[0]
    cdef fn_node *x
    cdef Py_ssize_t i = 0, down
    h.n -= 1
    x = h.at[h.n]
    while True:
        down = 2 * i + 1
        if down >= h.n:
            break
        if down + 1 < h.n and h.at[down + 1].seq > h.at[down].seq:
            down += 1
        if x.seq >= h.at[down].seq:
            break
        h.at[i] = h.at[down]
        i = down
    h.at[i] = x
    top.flags &= ~IN_HEAP
    return top
