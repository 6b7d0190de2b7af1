# 3x3 convolutions of stride 1 by Winograd's algorithm; see csrc/kernels/winograd.h.
from fastnet.ops.conv_shape cimport fn_conv_shape

# The tile that suits a shape, 2 or 4, or 0: another algorithm is better, or "highest" precision is asked for.  which: a pass of fastnet.ops.conv.
cdef int winograd_fits(int dtype, const fn_conv_shape *s, int which) noexcept
# The passes, with tiles of tile x tile.  The shape is one for which winograd_can() is true; every element of the result is written.
cdef bint winograd_can(const fn_conv_shape *s) noexcept
cdef int winograd_forward(int tile, int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y) except -1
cdef int winograd_input(int tile, int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx) except -1
cdef int winograd_weight(int tile, int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1
