"""grid_sample: the values of an image at given places, and the gradients of both."""
import warnings

from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/norm.h" nogil:
    int FN_grid_sample_forward, FN_grid_sample_backward_grid, FN_grid_sample_backward_input
    enum:
        GRID_BLOCK, GRID_LINEAR, GRID_NEAREST, GRID_CUBIC, GRID_ZEROS, GRID_BORDER, GRID_REFLECTION
    ctypedef struct fn_grid_sample_args:
        const void *x
        const void *grid
        const void *gy
        void *y
        void *gx
        void *ggrid
        Py_ssize_t c, places, axes, blocks
        Py_ssize_t size[3]
        int mode, padding, corners

# inputs: 0 x, 1 grid; saved: 0 x (channels last; its shape alone where the grid needs no gradient), 1 grid; n.i: mode, padding, corners


cdef void _describe(fn_grid_sample_args *a, const fn_tensor *x, const fn_tensor *grid) noexcept:
    cdef int d
    a.c, a.axes, a.places = x.dims[1], x.ndim - 2, 1
    a.size[0] = 1
    for d in range(2, x.ndim):
        a.size[d + 5 - x.ndim - 2] = x.dims[d]
        a.places *= grid.dims[d - 1]
    a.blocks = (a.c + GRID_BLOCK - 1) // GRID_BLOCK
    a.grid = grid.p


cdef double _cost(fn_grid_sample_args *a) noexcept:
    """Of one place."""
    cdef double each = 1 if a.mode == GRID_NEAREST else 2 if a.mode == GRID_LINEAR else 4
    cdef double taps = each * each * (each if a.axes == 3 else 1.0)
    return 20.0 + taps * (1.0 + 0.1 * a.c)


cdef int grid_sample_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef fn_grid_sample_args a
    cdef fn_tensor g, grid
    g.st = grid.st = NULL
    a.mode, a.padding, a.corners = <int>n.i[0], <int>n.i[1], <int>n.i[2]
    try:
        array_channels_last(&g, gy)
        array_contiguous(&grid, &n.saved[1].t)
        _describe(&a, x, &grid)
        a.x, a.gy = x.p, g.p
        if n.inputs[1] != NULL:
            array_new(&gin[1], grid.ndim, grid.dims, grid.dtype)
            a.ggrid = gin[1].p
            if a.mode == GRID_NEAREST:
                array_fill_zero(&gin[1])
            else:
                launch(FN_grid_sample_backward_grid, x.dtype, &a, x.dims[0] * a.places, 2 * _cost(&a) * x.dims[0] * a.places)
        if n.inputs[0] != NULL:
            array_new_channels_last(&gin[0], x.ndim, x.dims, x.dtype)
            array_fill_zero(&gin[0])
            a.gx = gin[0].p
            launch(FN_grid_sample_backward_input, x.dtype, &a, x.dims[0] * a.blocks if a.places else 0, _cost(&a) * x.dims[0] * a.places)
        return 0
    finally:
        array_drop(&g)
        array_drop(&grid)


cdef fn_op GRID_SAMPLE = [b"GridSamplerBackward0", grid_sample_backward, False]
cdef dict MODES = {"bilinear": GRID_LINEAR, "nearest": GRID_NEAREST, "bicubic": GRID_CUBIC}
cdef dict PADDINGS = {"zeros": GRID_ZEROS, "border": GRID_BORDER, "reflection": GRID_REFLECTION}


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The values of images at the places that a grid names.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2) or (N, D', H', W', 3): x, y (and z), from -1 to 1 across the image; NaN counts as -1.
        mode: "bilinear" (trilinear for 5 axes), "nearest", or "bicubic" (4 axes).
        padding_mode: what is beyond the image: "zeros", "border" (the nearest pixel) or "reflection".
        align_corners: whether -1 and 1 are the centres of the corner pixels, or (False) the corners of the image; None means False and warns.

    Returns:
        (N, C, H', W') or (N, C, D', H', W').

    Raises:
        ValueError: shapes do not fit, an unknown mode, an empty image.

    >>> import fastnet
    >>> x = fastnet.tensor([[[[1.0, 3.0]]]])
    >>> fastnet.nn.functional.grid_sample(x, fastnet.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.]]]])
    """
    cdef Tensor x = require_tensor(input, "grid_sample", "input"), places = require_tensor(grid, "grid_sample", "grid"), y
    cdef fn_grid_sample_args a
    cdef fn_tensor px, pg
    cdef fn_node *n
    cdef Py_ssize_t dims[8]
    cdef int d, last = x.t.ndim - 1
    for name, value, known in (("mode", mode, MODES), ("padding_mode", padding_mode, PADDINGS)):
        if value not in known:
            raise ValueError(f"grid_sample: {name} must be one of {', '.join(known)}, got {value!r}")
    if not is_float(x.t.dtype) or places.t.dtype != x.t.dtype:
        raise TypeError(f"grid_sample: input and grid must have one floating-point dtype, got {x.dtype} and {places.dtype}")
    if x.t.ndim not in (4, 5) or places.t.ndim != x.t.ndim or places.t.dims[last] != x.t.ndim - 2 or places.t.dims[0] != x.t.dims[0]:
        raise ValueError("grid_sample: input (N, C, H, W) goes with grid (N, H', W', 2), input (N, C, D, H, W) with grid (N, D', H', W', 3), "
                         f"got {shape_of(&x.t)} and {shape_of(&places.t)}")
    if mode == "bicubic" and x.t.ndim == 5:
        raise ValueError("grid_sample: mode bicubic is for input of 4 axes")
    dims[0], dims[1] = x.t.dims[0], x.t.dims[1]
    for d in range(2, x.t.ndim):
        dims[d] = places.t.dims[d - 1]
        if x.t.dims[d] == 0:
            raise ValueError(f"grid_sample: input {shape_of(&x.t)} has no pixels")
    if align_corners is None:
        warnings.warn("grid_sample: align_corners was not given; False is taken, as in PyTorch", stacklevel=2)
    a.mode, a.padding, a.corners = MODES[mode], PADDINGS[padding_mode], bool(align_corners)
    px.st = pg.st = NULL
    try:
        array_channels_last(&px, &x.t)
        array_contiguous(&pg, &places.t)
        y = Tensor.__new__(Tensor)
        array_new_channels_last(&y.t, x.t.ndim, dims, x.t.dtype)
        _describe(&a, &px, &pg)
        a.x, a.y = px.p, y.t.p
        launch(FN_grid_sample_forward, x.t.dtype, &a, x.t.dims[0] * a.places if a.c else 0, _cost(&a) * x.t.dims[0] * a.places)
        if (x.node != NULL or places.node != NULL) and grad_enabled():
            n = record(y, &GRID_SAMPLE, 2, 2)
            n.i[0], n.i[1], n.i[2] = a.mode, a.padding, a.corners
            node_input(n, 0, x.node)
            node_input(n, 1, places.node)
            if places.node != NULL:
                node_save(n, 0, &px)
            else:
                node_save_shape(n, 0, &px)
            node_save(n, 1, &pg)
        return y
    finally:
        array_drop(&px)
        array_drop(&pg)
