# Where the windows of a pooling call lie: arguments checked, sizes, tables for the kernels.
cdef extern from "groups/pool.h" nogil:
    ctypedef struct fn_window:
        Py_ssize_t begin, end, share
        double inverse
    ctypedef struct fn_pool_shape:
        Py_ssize_t c
        Py_ssize_t in_ "in"[3]
        Py_ssize_t out[3]
        Py_ssize_t step[3]
        Py_ssize_t taps[3]
        const fn_window *window[3]
        const fn_window *seen[3]

cdef Py_ssize_t LARGEST = 1 << 23                       # elements of a window that max pooling can number in float32

cdef struct Pool:                                       # what a call asks for; axes of 1 lead where rank < 3
    int rank
    bint adaptive, include_pad, batched
    double divisor                                      # 0: the number of elements
    Py_ssize_t n, c
    Py_ssize_t size[3]
    Py_ssize_t out[3]
    Py_ssize_t kernel[3]
    Py_ssize_t stride[3]
    Py_ssize_t pad[3]
    Py_ssize_t dilation[3]


cdef int _numbers(Py_ssize_t *to, int rank, object value, str op, str argument, Py_ssize_t least) except -1:
    """An int for every axis, or a sequence of one or of `rank`."""
    cdef int d
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, rank):
        raise RuntimeError(f"{op}: {argument} must be a number or {rank} of them, got {value!r}")
    for d in range(rank):
        one = values[d if len(values) > 1 else 0]
        if isinstance(one, bool) or not hasattr(one, "__index__"):
            raise TypeError(f"{op}: {argument} must be an int or a tuple of ints, got {value!r}")
        to[3 - rank + d] = one
        if not least <= to[3 - rank + d] <= <Py_ssize_t>1 << 40:
            raise RuntimeError(f"{op}: {argument} must be at least {least} and at most 2**40, got {value!r}")
    return 0


cdef int _begin(Pool *p, const fn_tensor *x, int rank, str op) except -1:
    """Check the input; the axes that every kind of pooling has."""
    cdef int d
    if not is_float(x.dtype):
        raise TypeError(f"{op}: input must be floating-point, got {dtype_object(x.dtype)}")
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{op}: input must have {rank + 2} axes (N, C, ...), or {rank + 1} without a batch, got shape {shape_of(x)}")
    for d in range(x.ndim - rank - 1, x.ndim):
        if x.dims[d] == 0:
            raise RuntimeError(f"{op}: only the batch may be empty, got shape {shape_of(x)}")
    p.rank, p.batched, p.divisor, p.include_pad, p.adaptive = rank, x.ndim == rank + 2, 0, True, False
    p.n, p.c = x.dims[0] if p.batched else 1, x.dims[x.ndim - rank - 1]
    for d in range(3):
        p.size[d] = x.dims[x.ndim - 3 + d] if d >= 3 - rank else 1
        p.out[d] = p.kernel[d] = p.stride[d] = p.dilation[d] = 1
        p.pad[d] = 0
    return 0


cdef int _fixed(Pool *p, const fn_tensor *x, object kernel_size, object stride, object padding, object dilation, bint ceil_mode,
                str op) except -1:
    cdef Py_ssize_t reach, room
    cdef int d
    _numbers(p.kernel, p.rank, kernel_size, op, "kernel_size", 1)
    _numbers(p.stride, p.rank, kernel_size if stride is None or (isinstance(stride, (tuple, list)) and not len(stride)) else stride,
             op, "stride", 1)
    _numbers(p.pad, p.rank, padding, op, "padding", 0)
    _numbers(p.dilation, p.rank, dilation, op, "dilation", 1)
    for d in range(3 - p.rank, 3):
        if (p.kernel[d] - 1) > (<Py_ssize_t>1 << 40) // p.dilation[d]:
            raise RuntimeError(f"{op}: kernel_size {kernel_size} and dilation {dilation} reach too far")
        reach = (p.kernel[d] - 1) * p.dilation[d] + 1
        if p.pad[d] > p.kernel[d] // 2:
            raise RuntimeError(f"{op}: padding {padding} must be at most half of kernel_size {kernel_size}")
        room = p.size[d] + 2 * p.pad[d] - reach
        p.out[d] = (room + (p.stride[d] - 1 if ceil_mode else 0)) // p.stride[d] + 1 if room + (p.stride[d] - 1 if ceil_mode else 0) >= 0 else 0
        if ceil_mode and (p.out[d] - 1) * p.stride[d] >= p.size[d] + p.pad[d]:
            p.out[d] -= 1                               # the last window must begin inside the input or the padding before it
        if p.out[d] < 1:
            raise RuntimeError(f"{op}: kernel_size {kernel_size} with padding {padding} does not fit input of shape {shape_of(x)}: "
                               f"the output would be empty")
    return 0


cdef int _adaptive(Pool *p, object output_size, str op) except -1:
    cdef int d
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * p.rank
    if len(sizes) != p.rank:
        raise RuntimeError(f"{op}: output_size must be a number or {p.rank} of them, got {output_size!r}")
    _numbers(p.out, p.rank, tuple(p.size[3 - p.rank + d] if sizes[d] is None else sizes[d] for d in range(p.rank)), op, "output_size", 0)
    p.adaptive = True
    return 0


cdef void _window(fn_window *w, Py_ssize_t *first, const Pool *p, int d, Py_ssize_t o) noexcept:
    """Window o of axis d; first: where it would begin if nothing lay outside."""
    cdef Py_ssize_t begin, end, n = p.size[d]
    if p.adaptive:
        begin, end = o * n // p.out[d], ((o + 1) * n + p.out[d] - 1) // p.out[d]
        w.share = end - begin
        first[0] = begin
    else:
        first[0] = begin = o * p.stride[d] - p.pad[d]
        end = begin + (p.kernel[d] - 1) * p.dilation[d] + 1
        w.share = min(end, n + p.pad[d]) - begin
        if begin < 0:
            begin += (p.dilation[d] - 1 - begin) // p.dilation[d] * p.dilation[d]
        end = min(end, n)
        if not p.include_pad:
            w.share = end - begin
    w.begin, w.end = begin, end
    w.inverse = 1.0 / w.share if w.share > 0 else 0


cdef fn_window *_tables(fn_pool_shape *s, const Pool *p, bint backward) except NULL:
    """Fill s; the block holds its tables."""
    cdef Py_ssize_t count = 0, o, i, last, first
    cdef fn_window *table
    cdef fn_window *at
    cdef fn_window w
    cdef int d
    for d in range(3):
        count += p.out[d] + (p.size[d] if backward else 0)
    table = at = <fn_window *>block_new(count * sizeof(fn_window) + 1)
    s.c = p.c
    for d in range(3):
        s.in_[d], s.out[d], s.step[d], s.window[d], s.seen[d] = p.size[d], p.out[d], p.dilation[d], at, NULL
        s.taps[d] = p.kernel[d] if not p.adaptive else 1
        for o in range(p.out[d]):
            _window(&at[o], &first, p, d, o)
            if p.adaptive:
                s.taps[d] = max(s.taps[d], at[o].share)
        at += p.out[d]
        if backward:
            s.seen[d] = at
            o = last = 0
            for i in range(p.size[d]):                  # both ends of windows move forward with o
                while last < p.out[d]:
                    _window(&w, &first, p, d, last)
                    if first > i:
                        break
                    last += 1
                while o < p.out[d] and s.window[d][o].end <= i:
                    o += 1
                at[i].begin, at[i].end = o, last
            at += p.size[d]
    return table
