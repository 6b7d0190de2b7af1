"""torch.linalg's names: LAPACK does the factorisations, through NumPy; their gradients are here."""
from fastnet.linalg.decompositions import cholesky, eigh, eigvalsh, qr, svd, svdvals
from fastnet.linalg.norms import cond, matrix_norm, matrix_rank, norm
from fastnet.linalg.products import cross, diagonal, matmul, matrix_exp, matrix_power, multi_dot, vander, vecdot
from fastnet.linalg.solvers import LinAlgError, det, inv, inverse, logdet, lstsq, pinv, pinverse, slogdet, solve, solve_triangular  # noqa: F401
from fastnet.ops.norm import vector_norm

__all__ = ["LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul", "matrix_exp",
           "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd",
           "svdvals", "vander", "vecdot", "vector_norm"]
