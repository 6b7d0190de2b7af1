"""Copies: clone, contiguous."""
from specs import UNARY_SHAPES, OpSpec, Refused, zeros

ALL = ("float32", "float64", "int64", "int32", "uint8", "bool")

SPECS = [
    OpSpec("clone", "fastnet.clone", lambda x: x.copy(), shapes=UNARY_SHAPES, elementwise=True, tol=0, tol64=0, dtypes=ALL,
           bench=[((1 << 24,),)],
           refused=[Refused(TypeError, "clone: input must be a Tensor, got list", [1.0, 2.0]),
                    Refused(ValueError, "clone: memory_format 'rows'", zeros(2), memory_format="rows")]),
    OpSpec("contiguous", "fastnet.Tensor.contiguous", lambda x: x, shapes=UNARY_SHAPES, elementwise=True, tol=0, tol64=0, dtypes=ALL),
]
