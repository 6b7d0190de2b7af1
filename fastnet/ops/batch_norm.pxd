# Normalisation of channels: batch, instance and group norm are one op with other groups.
from fastnet._core.tensor cimport Tensor

cdef extern from "groups/norm.h" nogil:
    enum:
        NORM_ACT_NONE, NORM_ACT_RELU, NORM_ACT_RELU6, NORM_ACT_LEAKY, NORM_ACT_SILU, NORM_ACT_HARDSWISH
        NORM_COEFS, NORM_PIECE, NORM_PARTS
    ctypedef struct fn_batch_norm_args:
        const void *x
        const void *gy
        const void *r
        const void *w
        const void *b
        void *y
        void *g
        void *part
        double *sum
        void *coef
        void *mean
        void *rstd
        void *running_mean
        void *running_var
        void *gw
        void *gb
        Py_ssize_t instances, rows, c, groups
        Py_ssize_t fold, width, lines, tail, chunk, chunks, block, blocks, piece, pieces
        double eps, momentum, slope
        int act, from_output, fixed, stream

# What one call is.  groups == 0: one group for each channel, statistics over all images (batch norm); else each image has `groups`
# groups of its own.  fixed: normalise by running_mean and running_var instead of statistics of the input.
cdef struct Norm:
    Py_ssize_t groups
    bint fixed
    double momentum, eps, slope
    int act

cdef Tensor norm_forward(Tensor x, Tensor running_mean, Tensor running_var, Tensor w, Tensor b, Tensor residual, const Norm *how, str op)
