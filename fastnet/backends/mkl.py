"""Intel's library of linear algebra, which fastnet does not use."""
from fastnet.backends.mkldnn import is_available  # noqa: F401
