"""The arena as Python and the core see it: blocks, storages, statistics."""
from cpython.ref cimport Py_DECREF, Py_INCREF
from fastnet._core.fn cimport *


cdef void *block_new(size_t bytes) except NULL:
    cdef void *block = fn_block_new(bytes)
    if block == NULL:
        raise MemoryError(f"fastnet: cannot allocate {bytes} bytes")
    return block


cdef void block_free(void *block) noexcept:
    if block != NULL:
        fn_block_free(block)


cdef fn_storage *storage_new(size_t bytes) except NULL:
    cdef fn_storage *st = fn_storage_new(bytes)
    if st == NULL:
        raise MemoryError(f"fastnet: cannot allocate {bytes} bytes")
    return st


cdef fn_storage *storage_wrap(void *data, size_t bytes, object owner) except NULL:
    cdef fn_storage *st = fn_storage_wrap(data, bytes, <void *>owner)
    if st == NULL:
        raise MemoryError("fastnet: cannot allocate a storage header")
    Py_INCREF(owner)
    return st


cdef void storage_free(fn_storage *st) noexcept:
    if st.owner != NULL:
        Py_DECREF(<object>st.owner)
    fn_storage_free(st)


def memory_stats() -> dict[str, int]:
    """Tell what the arena holds.

    Returns:
        ``live_bytes`` in use now, ``peak_bytes`` their maximum since the last reset, ``reserved_bytes`` taken from the
        system, ``cached_bytes`` reserved but free, ``allocations`` served and ``system_calls`` made so far.

    >>> import fastnet
    >>> stats = fastnet.memory_stats()
    >>> stats["live_bytes"] <= stats["peak_bytes"] <= stats["reserved_bytes"]
    True
    """
    cdef const fn_arena_stats *s = fn_arena_get_stats()
    return {"live_bytes": s.live, "peak_bytes": s.peak, "reserved_bytes": s.reserved, "cached_bytes": s.reserved - s.live,
            "allocations": s.allocations, "system_calls": s.system_calls}


def reset_peak_memory_stats() -> None:
    """Let ``peak_bytes`` of `memory_stats` start again from what is live now."""
    fn_arena_reset_peak()


def empty_cache() -> None:
    """Give regions that hold no live block back to the system."""
    fn_arena_trim()


def _fail_after(Py_ssize_t n):
    """For tests: the n-th allocation from now raises MemoryError; n < 0: none does."""
    fn_arena_fail_after(n)


def _poison(bint on):
    """For tests: fill fresh and freed blocks with NaN, so that a kernel that reads what it should not gives it away."""
    fn_arena_poison(on)
