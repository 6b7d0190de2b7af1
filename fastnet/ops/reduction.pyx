"""How a loss becomes one number: reduction="none", "mean" or "sum"."""


cdef int reduction_of(object reduction, object size_average, object reduce, str op) except -1:
    if size_average is not None or reduce is not None:   # the older way to say it
        if reduce is not None and not reduce:
            return NONE
        return MEAN if size_average is None or size_average else SUM
    if reduction == "mean":
        return MEAN
    if reduction == "sum":
        return SUM
    if reduction == "none":
        return NONE
    raise ValueError(f"{op}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
