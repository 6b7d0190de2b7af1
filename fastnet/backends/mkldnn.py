"""Intel's library of kernels, which PyTorch uses and fastnet does not."""

enabled = False


def is_available() -> bool:
    """Whether it is there: never.

    >>> import fastnet
    >>> fastnet.backends.mkldnn.is_available(), fastnet.backends.openmp.is_available()
    (False, True)
    """
    return False
