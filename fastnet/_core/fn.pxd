# The C side as Cython sees it: csrc/include/fn.h and csrc/arena.h.
from libc.stdint cimport int32_t, uint32_t, uint64_t

cdef extern from "fn.h" nogil:
    ctypedef enum fn_dtype:
        FN_F32, FN_F64, FN_NFLOAT, FN_I64, FN_I32, FN_U8, FN_BOOL, FN_NDTYPES
    enum:
        FN_MAXDIM
        FN_NGROUPS
    ctypedef struct fn_storage:
        Py_ssize_t refs
        uint64_t version
        size_t bytes
        char *data
        void *owner
    ctypedef struct fn_tensor:
        fn_storage *st
        char *p
        Py_ssize_t size
        int32_t ndim
        int32_t dtype
        Py_ssize_t dims[8]
        Py_ssize_t strides[8]
    ctypedef void fn_kernel(const void *args, Py_ssize_t begin, Py_ssize_t end, int thread) noexcept
    ctypedef struct fn_entry:
        int id
        const char *name
    ctypedef struct fn_isa:
        const char *name
        const fn_entry **groups
    const fn_isa *fn_isa_at(int i)
    bint fn_isa_supported(const fn_isa *isa)
    void fn_isa_use(const fn_isa *isa)
    fn_kernel *fn_active[0][2]

cdef extern from "arena.h" nogil:
    void *fn_block_new(size_t bytes)
    void fn_block_free(void *block)
    fn_storage *fn_storage_new(size_t bytes)
    fn_storage *fn_storage_wrap(void *data, size_t bytes, void *owner)
    void fn_storage_free(fn_storage *st)
    ctypedef struct fn_arena_stats:
        size_t live, peak, reserved
        uint64_t allocations, system_calls
    const fn_arena_stats *fn_arena_get_stats()
    void fn_arena_reset_peak()
    void fn_arena_trim()
    void fn_arena_fail_after(Py_ssize_t n)
    void fn_arena_poison(bint on)
