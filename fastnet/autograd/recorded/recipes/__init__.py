"""How each op's backward is made of ops, a module for each family; importing this fills `kinds.RECIPES`."""
from fastnet.autograd.recorded.recipes import (  # noqa: F401
    activation, arithmetic, convolution, ctc, grid, indexing, loss, normalization, product, reduction, sequence, unary, view)
