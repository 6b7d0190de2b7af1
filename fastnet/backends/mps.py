"""What scripts ask of an Apple GPU before they choose a device: it is not used."""


def is_available() -> bool:
    """Whether there is an Apple GPU to compute on: never.

    >>> import fastnet
    >>> fastnet.backends.mps.is_available()
    False
    """
    return False


def is_built() -> bool:
    """Whether fastnet was built for it: never."""
    return False
