# New tensors, for the ops that begin with one.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tensor cimport Tensor

cdef int default_dtype() noexcept
# ValueError or RuntimeError for options of creation functions that a CPU library does not have.
cdef int check_options(str op, object device, object layout, object pin_memory) except -1
# A new tensor of sizes given one by one, as a sequence, or by name; value None: not initialised; dtype None: `otherwise`.
cdef Tensor filled(tuple size, object keyword, object value, object dtype, str op, object device, object layout, object pin_memory,
                   object requires_grad, int otherwise)
cdef Tensor finished(Tensor y, object requires_grad)
cdef int fill(fn_tensor *y, object value) except -1                      # y[...] = a number
# What `out=` asks of a function that makes a tensor of sizes: function(*sizes, **options), written into out.
cdef object into(object function, object out, tuple sizes, dict options)
