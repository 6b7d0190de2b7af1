# reduction="none" | "mean" | "sum" of the losses.
cdef enum:
    NONE = 0
    MEAN = 1
    SUM = 2

# The number of `reduction`, or of the two older arguments where one is given.
cdef int reduction_of(object reduction, object size_average, object reduce, str op) except -1
