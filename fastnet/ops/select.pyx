"""select, narrow, diagonal, unfold, as_strided: parts of a tensor, over the same memory."""
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


def select(input, dim, index):
    """The part at one index of an axis, without that axis; a view.

    Args:
        dim: the axis.
        index: from -size to size - 1.

    Raises:
        IndexError: dim or index is out of range.

    >>> import fastnet
    >>> fastnet.arange(6).view(2, 3).select(1, 0)
    tensor([0, 3])
    """
    cdef Tensor x = require_tensor(input, "select", "input")
    if x.t.ndim == 0:
        raise IndexError("select: a 0-dim tensor has no axis to select from")
    return selected_at(x, axis_of(dim, x.t.ndim, "select", "dim"), index, "select")


cdef Tensor selected_at(Tensor x, int axis, Py_ssize_t index, str op):
    cdef Selection s
    cdef int d
    if not -x.t.dims[axis] <= index < x.t.dims[axis]:
        raise IndexError(f"{op}: index {index} is out of range for axis {axis} of size {x.t.dims[axis]}")
    select_all(&s, &x.t)
    s.start[axis] = index + x.t.dims[axis] if index < 0 else index
    s.ndim -= 1
    for d in range(axis, s.ndim):
        s.dims[d], s.axis[d] = x.t.dims[d + 1], d + 1
    return selected(x, &s, &SELECT)


cdef Tensor narrowed(Tensor x, int axis, Py_ssize_t start, Py_ssize_t length):
    cdef Selection s
    select_all(&s, &x.t)
    s.start[axis], s.dims[axis] = start, length
    return selected(x, &s, &SLICE)


def narrow(input, dim, start, length):
    """`length` indices of an axis, from `start` on; a view.

    Raises:
        IndexError: start is out of range.
        RuntimeError: start + length is beyond the axis.

    >>> import fastnet
    >>> fastnet.narrow(fastnet.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    cdef Tensor x = require_tensor(input, "narrow", "input")
    cdef int axis = axis_of(dim, x.t.ndim, "narrow", "dim")
    cdef Py_ssize_t n, first = start, count = length
    if x.t.ndim == 0:
        raise RuntimeError("narrow: a 0-dim tensor has no axis to narrow")
    n = x.t.dims[axis]
    if not -n <= first <= n:
        raise IndexError(f"narrow: start {first} is out of range for axis {axis} of size {n}")
    if first < 0:
        first += n
    if count < 0 or first + count > n:
        raise RuntimeError(f"narrow: start {first} and length {count} do not fit axis {axis} of size {n}")
    return narrowed(x, axis, first, count)


def diagonal(input, offset=0, dim1=0, dim2=1):
    """The elements (i, i + offset) of two axes, which become the last axis; a view.

    >>> import fastnet
    >>> fastnet.arange(9).view(3, 3).diagonal(1)
    tensor([1, 5])
    """
    cdef Tensor x = require_tensor(input, "diagonal", "input")
    cdef Selection s
    cdef int a = axis_of(dim1, x.t.ndim, "diagonal", "dim1")
    cdef int b = axis_of(dim2, x.t.ndim, "diagonal", "dim2")
    cdef int d, n = 0
    cdef Py_ssize_t shift = offset
    if a == b or x.t.ndim < 2:
        raise RuntimeError(f"diagonal: dim1 {dim1} and dim2 {dim2} must be two axes of x, of shape {shape_of(&x.t)}")
    select_all(&s, &x.t)
    for d in range(x.t.ndim):
        if d != a and d != b:
            s.dims[n], s.axis[n] = x.t.dims[d], d
            n += 1
    s.dims[n] = max(0, min(x.t.dims[a], x.t.dims[b] - shift) if shift >= 0 else min(x.t.dims[a] + shift, x.t.dims[b]))
    s.axis[n], s.other[n], s.ndim = a, b, n + 1
    if s.dims[n]:
        s.start[a], s.start[b] = max(0, -shift), max(0, shift)
    return selected(x, &s, &DIAGONAL)


def _unfold(input, dimension, size, step):
    """Windows of `size` neighbours along an axis, one every `step`; a view with the windows' elements on a new last axis.

    Args:
        dimension: the axis; it becomes the axis of windows.
        size: elements of a window, at most those of the axis.
        step: from one window to the next, at least 1.

    >>> import fastnet
    >>> fastnet.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    cdef Tensor x = require_tensor(input, "unfold", "input")
    cdef Selection s
    cdef int axis = axis_of(dimension, x.t.ndim, "unfold", "dimension")
    cdef Py_ssize_t width = size, stride = step, n = x.t.dims[axis] if x.t.ndim else 1
    if not 0 <= width <= n or stride < 1:
        raise RuntimeError(f"unfold: windows of size {width}, one every {stride}, do not fit axis {axis} of size {n}")
    if x.t.ndim == FN_MAXDIM:
        raise ValueError(f"unfold: a tensor of {FN_MAXDIM} axes cannot have one more")
    if x.t.ndim == 0:
        return narrowed(x.unsqueeze(0), 0, 0, width)
    select_all(&s, &x.t)
    s.dims[axis], s.step[axis] = (n - width) // stride + 1, stride
    s.dims[s.ndim], s.step[s.ndim], s.axis[s.ndim], s.other[s.ndim] = width, 1, axis, -1
    s.windows = s.ndim
    s.ndim += 1
    return selected(x, &s, &UNFOLD)


# as_strided goes by memory, not by x's axes: its gradient is laid out as the memory is, and read through x's strides.

cdef struct Window:
    Py_ssize_t offset               # of the view's first element, from x's
    Py_ssize_t low, high            # elements before and after x's first that both use
    fn_tensor x, y


cdef void _extent(const fn_tensor *x, Py_ssize_t *low, Py_ssize_t *high) noexcept:
    cdef int d
    low[0] = high[0] = 0
    for d in range(x.ndim):
        if x.strides[d] < 0:
            low[0] += (x.dims[d] - 1) * x.strides[d]
        else:
            high[0] += (x.dims[d] - 1) * x.strides[d]


cdef int as_strided_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef Window *w = <Window *>n.block
    cdef fn_tensor memory, part
    cdef Py_ssize_t length = w.high - w.low + 1
    cdef int width = itemsize(gy.dtype)
    array_new(&gin[0], w.x.ndim, w.x.dims, gy.dtype)
    if gy.size == 0 or w.x.size == 0:
        return array_fill_zero(&gin[0])
    array_new(&memory, 1, &length, gy.dtype)
    try:
        array_fill_zero(&memory)
        part = w.y
        part.p = memory.p + (w.offset - w.low) * width
        _add_each(&part, gy)
        part = w.x
        part.p = memory.p - w.low * width
        array_copy(&gin[0], &part)
    finally:
        array_drop(&memory)
    return 0


cdef int _add_each(fn_tensor *y, const fn_tensor *x) except -1:
    """y += x, where elements of y may be the same: the last axis at once where its elements differ, the others one by one."""
    cdef fn_tensor row, g
    cdef Py_ssize_t k
    cdef int d
    if y.ndim == 0 or (y.ndim == 1 and y.strides[0] != 0):
        return array_accumulate(y, x)
    row, g = y[0], x[0]
    for d in range(y.ndim - 1):
        row.dims[d], row.strides[d] = y.dims[d + 1], y.strides[d + 1]
        g.dims[d], g.strides[d] = x.dims[d + 1], x.strides[d + 1]
    row.ndim = g.ndim = y.ndim - 1
    row.size = g.size = y.size // y.dims[0]
    for k in range(y.dims[0]):
        row.p = y.p + k * y.strides[0] * itemsize(y.dtype)
        g.p = <char *>x.p + k * x.strides[0] * itemsize(x.dtype)
        _add_each(&row, &g)
    return 0


cdef int copy_slices_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """The gradient of what was written is gy there; that of the rest of x is gy elsewhere."""
    cdef Window *w = <Window *>n.block
    cdef fn_tensor memory, written, x = w.x
    cdef Py_ssize_t length = w.high - w.low + 1
    cdef int width = itemsize(gy.dtype)
    array_new(&memory, 1, &length, gy.dtype)
    try:
        x.p = memory.p - w.low * width
        written = w.y
        written.p = memory.p + (w.offset - w.low) * width
        array_copy(&x, gy)
        if n.inputs[1] != NULL:
            array_new(&gin[1], written.ndim, written.dims, gy.dtype)
            array_copy(&gin[1], &written)
        if n.inputs[0] != NULL:
            array_fill_zero(&written)
            array_new(&gin[0], x.ndim, x.dims, gy.dtype)
            array_copy(&gin[0], &x)
    finally:
        array_drop(&memory)
    return 0


cdef fn_op AS_STRIDED = [b"AsStridedBackward0", as_strided_backward, False]
cdef fn_op COPY_SLICES = [b"CopySlices", copy_slices_backward, False]


cdef int _window(fn_node *n, const fn_tensor *x, const fn_tensor *y) except -1:
    cdef Window *w = <Window *>block_new(sizeof(Window))
    cdef Py_ssize_t low, high
    n.block = w
    w.x, w.y, w.offset = x[0], y[0], (y.p - x.p) // itemsize(x.dtype)
    _extent(x, &w.low, &w.high)
    _extent(y, &low, &high)
    if y.size:
        w.low, w.high = min(w.low, w.offset + low), max(w.high, w.offset + high)
    return 0


cdef int _rewrite(Tensor x, fn_node *n) except -1:
    cdef fn_node *old = x.node
    x.node = n
    node_decref(old)
    return 0


cdef int new_history(Tensor x) except -1:
    cdef Tensor base = x if x.base is None else x.base, view
    cdef fn_node *n
    cdef void *next = base.views
    if base is x and next == NULL:
        return 0
    if base is not x:
        n = node_new(&COPY_SLICES, &base.t, 2, 0)
        node_input(n, 0, base.node)
        node_input(n, 1, x.node)
        _window(n, &base.t, &x.t)
        _rewrite(base, n)
    while next != NULL:
        view = <Tensor>next
        if view.t.dtype == base.t.dtype:
            n = node_new(&AS_STRIDED, &view.t, 1, 0)
            node_input(n, 0, base.node)
            _window(n, &base.t, &view.t)
            _rewrite(view, n)
        next = view.next_view
    return 0


def as_strided(input, size, stride, storage_offset=None):
    """A view of the tensor's memory by sizes and strides of one's own, which must stay inside the memory.

    Args:
        size: sizes.
        stride: elements between neighbours on each axis.
        storage_offset: elements from the beginning of the memory to the first; default: the tensor's.

    Raises:
        RuntimeError: the view would reach beyond the memory.

    >>> import fastnet
    >>> fastnet.as_strided(fastnet.arange(4), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    cdef Tensor x = require_tensor(input, "as_strided", "input")
    cdef Tensor y = alias(x)
    cdef fn_node *n
    cdef Py_ssize_t low, high, first, last, offset, width = itemsize(x.t.dtype), here = x.storage_offset()
    cdef int d, k
    cdef bint inside = True, empty = False
    y.t.ndim = sizes_of(y.t.dims, (size,), None, "as_strided", "size")
    k = sizes_of(y.t.strides, (stride,), None, "as_strided", "stride")
    if k != y.t.ndim:
        raise RuntimeError(f"as_strided: size {size} and stride {stride} differ in length")
    offset = here if storage_offset is None else storage_offset
    _reach(x, &first, &last)
    for d in range(y.t.ndim):
        if y.t.dims[d] < 0 or y.t.strides[d] < 0:
            raise RuntimeError(f"as_strided: size {size} and stride {stride} must not be negative")
        # Bounds that keep the products below from overflowing.
        inside = inside and (y.t.dims[d] <= 1 or y.t.strides[d] == 0 or (y.t.dims[d] <= last + 1 and y.t.strides[d] <= last + 1))
        empty = empty or y.t.dims[d] == 0
    low = high = 0
    if empty:
        y.t.size, offset = 0, here
    else:
        set_size(&y.t, "as_strided")
        if inside:
            _extent(&y.t, &low, &high)
        if not inside or offset < first or offset + high > last:
            raise RuntimeError(f"as_strided: size {size}, stride {stride} and storage_offset {offset} reach beyond the memory, "
                               f"elements {first} to {last}")
    y.t.p = x.t.st.data + offset * width
    if x.node != NULL and grad_enabled():
        for d in range(x.t.ndim):
            if x.t.dims[d] > 1 and x.t.strides[d] == 0:
                raise RuntimeError("as_strided: x shows elements more than once (it was expanded), and so has no gradient here; clone it")
        n = record(y, &AS_STRIDED, 1, 0)
        node_input(n, 0, x.node)
        _window(n, &x.t, &y.t)
    return y


cdef void _reach(Tensor x, Py_ssize_t *first, Py_ssize_t *last) noexcept:
    """The elements of x's memory that a view may show: the whole block, or what x spans of memory that is not ours."""
    cdef Py_ssize_t low, high, width = itemsize(x.t.dtype)
    first[0], last[0] = 0, <Py_ssize_t>x.t.st.bytes // width - 1
    if x.t.st.owner != NULL:
        _extent(&x.t, &low, &high)
        first[0] = (x.t.p - x.t.st.data) // width + low
        last[0] = (x.t.p - x.t.st.data) // width + (high if x.t.size else -1)


attach(select=select, narrow=narrow, diagonal=diagonal, unfold=_unfold, as_strided=as_strided)
