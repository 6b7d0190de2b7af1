# fn_conv_shape of csrc/kernels/conv.h, which every convolution algorithm is given.

cdef extern from "kernels/conv.h" nogil:
    ctypedef struct fn_conv_shape:
        Py_ssize_t n, c, k, groups
        Py_ssize_t[3] in_ "in"
        Py_ssize_t[3] out, kernel, stride, pad, dilation



cdef inline Py_ssize_t conv_taps(const fn_conv_shape *s) noexcept nogil:
    return s.kernel[0] * s.kernel[1] * s.kernel[2]


cdef inline Py_ssize_t conv_pixels_in(const fn_conv_shape *s) noexcept nogil:
    """Pixels of one image of x."""
    return s.in_[0] * s.in_[1] * s.in_[2]


cdef inline Py_ssize_t conv_pixels_out(const fn_conv_shape *s) noexcept nogil:
    """Pixels of one image of y."""
    return s.out[0] * s.out[1] * s.out[2]


cdef inline double conv_flops(const fn_conv_shape *s) noexcept nogil:
    """Of one pass, counted as direct convolution: a multiplication and an addition for each output, tap and channel of its group."""
    return 2.0 * s.n * conv_pixels_out(s) * s.k * (s.c // s.groups) * conv_taps(s)
