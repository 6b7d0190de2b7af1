# Normalisation of channels: batch, instance and group norm are one op with other groups.
from fastnet._core.tensor cimport Tensor

# What one call is.  groups == 0: one group for each channel, statistics over all images (batch norm); else each image has `groups`
# groups of its own.  fixed: normalise by running_mean and running_var instead of statistics of the input.
cdef struct Norm:
    Py_ssize_t groups
    bint fixed
    double momentum, eps, slope
    int act

cdef Tensor norm_forward(Tensor x, Tensor running_mean, Tensor running_var, Tensor w, Tensor b, Tensor residual, const Norm *how, str op)
