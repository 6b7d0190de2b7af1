"""One exporter for each op: a function of the graph and of the op's own arguments, in which tensors are Values."""
from fastnet.onnx.ops import arithmetic, convolution, indexing, normalization, pointwise, pool, product, reduction, sequence, shape
from fastnet.onnx.ops.table import EXPORTERS

__all__ = ["CREATORS", "EXPORTERS"]
CREATORS = frozenset("zeros ones empty full arange eye linspace logspace tril_indices triu_indices".split())
_FAMILIES = (arithmetic, convolution, indexing, normalization, pointwise, pool, product, reduction, sequence, shape)
