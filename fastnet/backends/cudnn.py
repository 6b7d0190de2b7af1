"""The switches of a GPU's library that scripts set: there is no GPU, so they say nothing here.

Results are deterministic in any case.
"""

enabled = False
benchmark = False
deterministic = True
allow_tf32 = False


def is_available() -> bool:
    """Whether there is such a library: never.

    >>> import fastnet
    >>> fastnet.backends.cudnn.is_available()
    False
    """
    return False


def version() -> None:
    """The library's version: there is none."""
