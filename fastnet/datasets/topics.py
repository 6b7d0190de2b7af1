"""English text that is on every machine with CPython: the help topics of its language reference."""
from __future__ import annotations


def python_topics() -> str:
    """The topics of Python's `help()`, from CPython's `pydoc_data.topics`: about 0.5 MB of English technical prose.

    Topics come in alphabetical order of their names, with an empty line between. The text belongs to the Python that runs: it differs a
    little from version to version. (Copyright of the Python Software Foundation, licence PSF-2.0.)

    Raises: FileNotFoundError if this Python was packaged without `pydoc_data`.

    >>> from fastnet.datasets import python_topics
    >>> text = python_topics()
    >>> len(text) > 100_000, "statement" in text
    (True, True)
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise FileNotFoundError("python_topics: this Python was packaged without pydoc_data; use another text") from None
    return "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
