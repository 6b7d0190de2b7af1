"""The check that every op with an index makes before anything is moved."""
from fastnet._core.array cimport *
from fastnet._core.launch cimport byte_cost, launch

cdef extern from "groups/index.h" nogil:
    int FN_index_bounds


cdef int check_index(const fn_tensor *index, Py_ssize_t n, int64_t ignore, str op, str argument) except -1:
    cdef fn_index_bounds_args a
    cdef int64_t pair[2]
    cdef int64_t low = 0, high = -1
    cdef Py_ssize_t chunks = (index.size + INDEX_CHUNK - 1) // INDEX_CHUNK, c
    cdef fn_tensor bounds
    cdef Py_ssize_t dims[1]
    bounds.st = NULL
    if chunks == 0:
        return 0
    a.index, a.n, a.ignore, a.bounds = <int64_t *>index.p, index.size, ignore, pair
    if chunks > 1:
        dims[0] = 2 * chunks
        array_new(&bounds, 1, dims, FN_I64)
        a.bounds = <int64_t *>bounds.p
    try:
        launch(FN_index_bounds, FN_F32, &a, chunks, byte_cost(8.0 * index.size))
        low, high = a.bounds[0], a.bounds[1]
        for c in range(1, chunks):
            low, high = min(low, a.bounds[2 * c]), max(high, a.bounds[2 * c + 1])
    finally:
        array_drop(&bounds)
    if low < 0 or high >= n:
        raise IndexError(f"{op}: {argument} holds {low if low < 0 else high}, outside [0, {n})")
    return 0
