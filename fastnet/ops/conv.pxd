# Where algorithms for convolution plug in.  fastnet.ops.conv checks arguments, asks the algorithms, and runs one for each pass.
from fastnet.ops.after cimport fn_after
from fastnet.ops.conv_shape cimport fn_conv_shape

# The passes: y; gx, which is also a transposed convolution's forward; gw.
cdef enum:
    CONV_FORWARD, CONV_INPUT, CONV_WEIGHT
# What an algorithm says to a shape.
cdef enum:
    CONV_CANNOT                     # it cannot compute it
    CONV_CAN                        # it can, and does when it is asked for by name (tests)
    CONV_BEST                       # it should be taken

# An algorithm, registered once when its module is imported; the struct must stay.
#   judge: the verdict for one pass, and in *why one line that follows the name ("3x3, stride 1, 64 channels"; "kernel is not 3x3").
#     It follows from dtype, shape and the switches of precision alone: never from values or the number of threads.
#   forward, input, weight: as in csrc/kernels/conv.h; every element of the result is written.
#     bias (k numbers) may be NULL; input has none: a transposed convolution's is added by fastnet.ops.conv.
#     after is called for all of y or gx, in rectangles (csrc/kernels/after.h), or NULL.
cdef struct conv_algorithm:
    const char *name
    int (*judge)(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept
    int (*forward)(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                   const fn_after *after) except -1
    int (*input)(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1
    int (*weight)(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1

# The algorithm registered last is asked first.
cdef int conv_register(const conv_algorithm *algorithm) except -1
# For an algorithm that could not: `after` for all of the result, in passes of their own.
cdef int conv_finish(int dtype, const fn_after *after) except -1
