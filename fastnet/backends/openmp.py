"""OpenMP, by which kernels run on several threads."""


def is_available() -> bool:
    """Whether kernels run on several threads by OpenMP: always."""
    return True
