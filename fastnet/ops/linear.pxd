# The layer y = act(x.w' + b) as one node, for layers and fused modules.
from fastnet._core.tensor cimport Tensor

# x (..., in), w (out, in), b (out) or None; act: FN_ACT_*.  Raises on dtypes and shapes that do not fit, naming `op`.
cdef Tensor linear_forward(Tensor x, Tensor w, Tensor b, int act, str op)
