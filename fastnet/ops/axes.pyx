"""Axes of reductions: which, and how the array is laid out for kernels that see (outer, n, inner)."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch

cdef extern from "groups/rows.h" nogil:
    int FN_rescale
cdef extern from "kernels/reduce.h" nogil:
    enum:
        RESCALE_PIECE
    ctypedef struct fn_rescale_args:
        void *y
        Py_ssize_t n
        double scale
        int root

cdef Py_ssize_t RUN = 16384                              # a longer row is reduced in pieces of this many elements
cdef Py_ssize_t PLANE = 32768                            # elements of one piece of a column reduction
cdef Py_ssize_t WIDTH = 256                              # columns side by side


cdef int one_axis(object dim, int ndim, str op) except -1:
    if not hasattr(dim, "__index__") or isinstance(dim, bool):
        raise TypeError(f"{op}: dim must be an int, got {dim!r}")
    cdef Py_ssize_t d = dim, top = max(ndim, 1)
    if not -top <= d < top:
        raise IndexError(f"{op}: dim {d} is out of range for a tensor of {ndim} axes")
    return <int>(d + top if d < 0 else d)


cdef long axes_mask(object dim, int ndim, str op) except -1:
    cdef long mask = 0
    cdef int d
    if dim is None:
        return (1 << max(ndim, 1)) - 1
    if not isinstance(dim, (tuple, list)):
        return 1 << one_axis(dim, ndim, op)
    if len(dim) == 0:
        return (1 << max(ndim, 1)) - 1
    for entry in dim:
        d = one_axis(entry, ndim, op)
        if mask & (1 << d):
            raise ValueError(f"{op}: dim {d} appears twice in {tuple(dim)}")
        mask |= 1 << d
    return mask


cdef tuple numpy_names(object dim, object keepdim, object axis, object keepdims, str op):
    if axis is not None and dim is not None and dim != ():
        raise TypeError(f"{op}: dim={dim} and axis={axis} are two names of one argument")
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


cdef Py_ssize_t axes_count(const fn_tensor *x, long mask) noexcept:
    cdef Py_ssize_t n = 1
    cdef int d
    for d in range(x.ndim):
        if mask & (1 << d):
            n *= x.dims[d]
    return n


cdef int memory_order(const fn_tensor *x, int *order) noexcept:
    """The axes with more than one element, largest stride first; returns how many."""
    cdef int d, e, n = 0
    for d in range(x.ndim):
        if x.dims[d] != 1:
            e = n
            while e > 0 and x.strides[order[e - 1]] < x.strides[d]:
                order[e] = order[e - 1]
                e -= 1
            order[e] = d
            n += 1
    return n


cdef bint kept_in_order(const fn_tensor *x, long mask, const int *order, int n) noexcept:
    cdef int k, last = -1
    for k in range(n):
        if not mask & (1 << order[k]):
            if order[k] < last:
                return False
            last = order[k]
    return True


cdef int arrange(fn_tensor *y, const fn_tensor *x, long mask, Rows *r) except -1:
    cdef int order[8]
    cdef int k, d, n, state = 0
    r.outer = r.n = r.inner = 1
    if x.size == 0:
        for d in range(x.ndim):
            if mask & (1 << d):
                r.n *= x.dims[d]
            else:
                r.outer *= x.dims[d]
        array_share(y, x)
        return 0
    if is_dense(x):
        n = memory_order(x, order)
        if kept_in_order(x, mask, order, n):
            for k in range(n):                           # state 0: outer, 1: reduced, 2: inner, 3: a second reduced group
                d = order[k]
                if mask & (1 << d):
                    state = 1 if state <= 1 else 3
                    r.n *= x.dims[d]
                else:
                    state = 0 if state == 0 else max(state, 2)
                    if state == 0:
                        r.outer *= x.dims[d]
                    else:
                        r.inner *= x.dims[d]
            if state < 3:
                array_share(y, x)
                return 0
    return pack_rows(y, x, mask, r)


cdef int arrange_rows(fn_tensor *y, const fn_tensor *x, long mask, Rows *r) except -1:
    arrange(y, x, mask, r)
    if r.inner == 1:
        return 0
    array_drop(y)
    return pack_rows(y, x, mask, r)


cdef int pack_rows(fn_tensor *y, const fn_tensor *x, long mask, Rows *r) except -1:
    """A copy of x with the reduced axes innermost, r.inner == 1."""
    cdef int k, d
    cdef Py_ssize_t step = 1
    r.outer = r.n = r.inner = 1
    array_new(y, x.ndim, x.dims, x.dtype)
    for k in range(2):                                   # reduced axes innermost, then kept ones, each in order
        for d in range(x.ndim - 1, -1, -1):
            if bool(mask & (1 << d)) == (k == 0):
                y.strides[d] = step
                step *= max(x.dims[d], 1)
                if k == 0:
                    r.n *= x.dims[d]
                else:
                    r.outer *= x.dims[d]
    array_copy(y, x)
    return 0


cdef int arrange_axis(fn_tensor *y, const fn_tensor *x, int axis, Rows *r) except -1:
    cdef int d
    if is_dense(x):
        array_share(y, x)
    else:
        array_new(y, x.ndim, x.dims, x.dtype)
        array_copy(y, x)
    r.n = 1 if x.ndim == 0 else x.dims[axis]
    r.inner = 1
    if x.size == 0:
        r.outer = 0
        return 0
    if r.n > 1:
        r.inner = y.strides[axis]
        r.outer = x.size // (r.n * r.inner)
    else:
        r.inner = x.size
        r.outer = 1
    return 0


cdef int arrange_like(fn_tensor *y, const fn_tensor *x, const fn_tensor *like) except -1:
    if same_layout(x, like):
        array_share(y, x)
        return 0
    array_like(y, like, x.dtype)
    return array_copy(y, x)


cdef int reduced_new(fn_tensor *y, const fn_tensor *x, long mask, int dtype) except -1:
    cdef Py_ssize_t dims[8]
    cdef int d
    for d in range(x.ndim):
        dims[d] = 1 if mask & (1 << d) else x.dims[d]
    return array_new(y, x.ndim, dims, dtype)


cdef void squeeze_axes(fn_tensor *y, long mask) noexcept:
    cdef int d, n = 0
    for d in range(y.ndim):
        if not mask & (1 << d):
            y.dims[n], y.strides[n] = y.dims[d], y.strides[d]
            n += 1
    y.ndim = n


cdef int unsqueeze_axes(fn_tensor *y, const fn_tensor *gy, const fn_tensor *x, long mask) except -1:
    """*y = gy with the reduced axes of x as axes of size 1 and stride 0."""
    cdef int d, k = 0
    cdef bint kept = gy.ndim == x.ndim
    array_share(y, gy)
    y.ndim = x.ndim
    for d in range(x.ndim):
        if mask & (1 << d):
            y.dims[d], y.strides[d] = 1, 0
        else:
            y.dims[d], y.strides[d] = gy.dims[d if kept else k], gy.strides[d if kept else k]
        if kept or not mask & (1 << d):
            k += 1
    return 0


cdef Py_ssize_t block_width(Py_ssize_t inner) noexcept:
    return min(inner, WIDTH)


cdef int run_reduce(fn_tensor *y, const char *x, Rows *r, int first, int again, const fn_tensor *centre, int dtype) except -1:
    """y (outer * inner, new) = the reduction of one group of axes, in pieces where n is long."""
    cdef fn_reduce_args a
    cdef fn_tensor part
    cdef Py_ssize_t dims[1]
    cdef Py_ssize_t rows
    part.st = NULL
    a.x, a.n, a.inner = x, r.n, r.inner
    a.c = NULL if centre == NULL else centre.p
    a.width = block_width(r.inner)
    a.blocks = 1 if a.width == r.inner else (r.inner + a.width - 1) // a.width
    rows = RUN if r.inner == 1 else max(<Py_ssize_t>8, PLANE // max(a.width, <Py_ssize_t>1) // 8 * 8)
    try:
        while True:
            a.chunk, a.chunks = max(a.n, <Py_ssize_t>1), 1
            if a.n > 2 * rows:
                a.chunk, a.chunks = rows, (a.n + rows - 1) // rows
            dims[0] = r.outer * a.chunks * r.inner
            array_new(y, 1, dims, dtype)
            a.y = y.p
            launch(first, dtype, &a, r.outer * a.chunks * a.blocks, byte_cost(<double>itemsize(dtype) * r.outer * a.n * r.inner))
            array_drop(&part)
            if a.chunks == 1:
                return 0
            part = y[0]
            y.st = NULL
            a.x, a.n, a.c, first = part.p, a.chunks, NULL, again
    finally:
        array_drop(&part)


cdef int reduce_array(fn_tensor *y, const fn_tensor *x, long mask, int kernel, int again) except -1:
    cdef int order[8]
    cdef Py_ssize_t size[8]
    cdef bint reduced[8]
    cdef int k, d, n, runs = 0
    cdef bint done = False
    cdef Rows r
    cdef fn_tensor a, result
    if mask == (1 << x.ndim) - 1 and x.size and is_contiguous(x):      # a sum over everything, the loss of most networks
        r.outer, r.n, r.inner = 1, x.size, 1
        run_reduce(y, x.p, &r, kernel, again, NULL, x.dtype)
        reduced_shape(y, x, mask)
        return 0
    if is_dense(x):
        array_share(&a, x)
    else:
        array_new(&a, x.ndim, x.dims, x.dtype)
        array_copy(&a, x)
    try:
        n = memory_order(&a, order)
        if not kept_in_order(&a, mask, order, n):        # rare: the result would come out transposed
            array_drop(&a)
            array_new(&a, x.ndim, x.dims, x.dtype)
            array_copy(&a, x)
            n = memory_order(&a, order)
        for k in range(n):
            d = order[k]
            if runs > 0 and reduced[runs - 1] == bool(mask & (1 << d)):
                size[runs - 1] *= a.dims[d]
            else:
                size[runs], reduced[runs] = a.dims[d], mask & (1 << d)
                runs += 1
        for k in range(runs - 1, -1, -1):                # the innermost group first; the others see its results
            if reduced[k]:
                r.outer = r.inner = 1
                r.n = size[k]
                for d in range(k):
                    r.outer *= size[d]
                for d in range(k + 1, runs):
                    r.inner *= size[d]
                run_reduce(&result, a.p, &r, kernel, again, NULL, x.dtype)
                array_drop(&a)
                a = result
                size[k], kernel = 1, again
                done = True
        if not done:
            r.outer = r.n = 1
            r.inner = a.size
            run_reduce(&result, a.p, &r, kernel, again, NULL, x.dtype)
            array_drop(&a)
            a = result
        reduced_shape(&a, x, mask)
        y[0] = a
        a.st = NULL
        return 0
    finally:
        array_drop(&a)


cdef void reduced_shape(fn_tensor *y, const fn_tensor *x, long mask) noexcept:
    """Give y, flat, the shape of x with the reduced axes as 1."""
    cdef int d
    cdef Py_ssize_t step = 1
    y.ndim, y.dtype = x.ndim, x.dtype
    for d in range(x.ndim - 1, -1, -1):
        y.dims[d] = 1 if mask & (1 << d) else x.dims[d]
        y.strides[d] = step
        step *= max(y.dims[d], 1)


cdef int reduce_centred(fn_tensor *y, const fn_tensor *x, long mask, int first, int again, const fn_tensor *centre) except -1:
    cdef fn_tensor a
    cdef Rows r
    a.st = NULL
    try:
        arrange(&a, x, mask, &r)
        run_reduce(y, a.p, &r, first, again, centre, x.dtype)
        reduced_shape(y, x, mask)
        return 0
    finally:
        array_drop(&a)


cdef int spread_array(fn_tensor *gx, const fn_tensor *x, long mask, int kernel, const fn_tensor *gy, const fn_tensor *y, const fn_tensor *c, double scale) except -1:
    cdef fn_spread_args a
    cdef fn_tensor px, wide, pg
    cdef Rows r
    px.st = wide.st = pg.st = NULL
    try:
        arrange(&px, x, mask, &r)
        unsqueeze_axes(&wide, gy, x, mask)
        array_contiguous(&pg, &wide)
        array_like(gx, &px, x.dtype)
        a.x, a.gy, a.gx, a.scale = px.p, pg.p, gx.p, scale
        a.y = NULL if y == NULL else y.p
        a.c = NULL if c == NULL else c.p
        a.n, a.inner, a.width = r.n, r.inner, block_width(r.inner)
        a.blocks = 1 if a.width == 0 else (r.inner + a.width - 1) // a.width
        a.chunk = RUN if r.inner == 1 else max(<Py_ssize_t>1, PLANE // max(a.width, <Py_ssize_t>1))
        a.chunks = (r.n + a.chunk - 1) // a.chunk
        return launch(kernel, x.dtype, &a, r.outer * a.chunks * a.blocks, byte_cost(2.0 * itemsize(x.dtype) * x.size))
    finally:
        array_drop(&px)
        array_drop(&wide)
        array_drop(&pg)


cdef int rescale(fn_tensor *y, double scale, bint root) except -1:
    cdef fn_rescale_args a
    a.y, a.n, a.scale, a.root = y.p, y.size, scale, root
    return launch(FN_rescale, y.dtype, &a, (y.size + RESCALE_PIECE - 1) // RESCALE_PIECE, byte_cost(2.0 * itemsize(y.dtype) * y.size))
