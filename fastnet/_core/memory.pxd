# Blocks and storages, counted under the GIL.
from fastnet._core.fn cimport fn_storage

cdef void *block_new(size_t bytes) except NULL          # scratch and nodes; not initialised
cdef void block_free(void *block) noexcept
cdef fn_storage *storage_new(size_t bytes) except NULL  # refs == 1
cdef fn_storage *storage_wrap(void *data, size_t bytes, object owner) except NULL
cdef void storage_free(fn_storage *st) noexcept         # when the last reference is gone


cdef inline void storage_incref(fn_storage *st) noexcept:
    if st != NULL:
        st.refs += 1


cdef inline void storage_decref(fn_storage *st) noexcept:
    if st != NULL:
        st.refs -= 1
        if st.refs == 0:
            storage_free(st)
