"""linalg: norms of vectors."""
from fastnet.ops.norm import vector_norm

__all__ = ["vector_norm"]
