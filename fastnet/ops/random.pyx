"""Random numbers by counter (Philox4x32-10): what an element gets depends on the seed and its place, not on threads or the CPU."""
import os

from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

from fastnet._core.dtypes import as_dtype, int64
from fastnet._core.tensor import attach, check_device
from fastnet.ops.create cimport filled, into
from fastnet.ops.create import get_default_dtype

cdef extern from "groups/index.h" nogil:
    int FN_random_uniform, FN_random_normal, FN_random_bernoulli, FN_random_integers

include "random_generator.pxi"


# kernels into contiguous memory

cdef int draw(fn_tensor *y, int kernel, double low, double width, object generator, str op) except -1:
    cdef fn_random_args a
    cdef uint64_t key[2]
    generator_of(generator, op).take(key, y.size, itemsize(y.dtype))
    a.key, a.y, a.n, a.low, a.width, a.x, a.x_stride = key, y.p, y.size, low, width, NULL, 0
    return launch(kernel, y.dtype, &a, groups(y.size, itemsize(y.dtype)), (2.0 if kernel == FN_random_normal else 0.7) * y.size)


cdef int draw_integers(fn_tensor *y, int64_t first, uint64_t span, object generator, str op) except -1:
    cdef fn_random_args a
    cdef uint64_t key[2]
    generator_of(generator, op).take(key, y.size, 8)
    a.key, a.y, a.n, a.first, a.span = key, y.p, y.size, first, span
    return launch(FN_random_integers, FN_F64 if y.dtype == FN_I64 else FN_F32, &a, groups(y.size, 8), 1.5 * y.size)


cdef Tensor _sized(tuple sizes, object size, object dtype, object device, str op):
    return filled(sizes, size, None, dtype, op, device, None, False, False, -1)


cdef object _need_float(object dtype, str op):
    dtype = as_dtype(dtype, get_default_dtype())
    if not dtype.is_floating_point:
        raise TypeError(f"{op}: dtype must be float32 or float64, got {dtype}")
    return dtype


def rand(*sizes, size=None, out=None, generator=None, dtype=None, device=None, requires_grad=False):
    """Uniform numbers in [0, 1).

    Args:
        sizes, size: integers, or one sequence of them.
        out: write into this tensor.
        generator: default: the global one.
        dtype: float32 (default) or float64.
        device: "cpu" or None.
        requires_grad: record operations on the result.

    >>> import fastnet
    >>> fastnet.rand(2, 3).shape
    fastnet.Size([2, 3])
    """
    if out is not None:
        return into(rand, out, sizes, dict(size=size, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad))
    cdef Tensor y = _sized(sizes, size, _need_float(dtype, "rand"), device, "rand")
    draw(&y.t, FN_random_uniform, 0.0, 1.0, generator, "rand")
    return y.requires_grad_() if requires_grad else y


def randn(*sizes, size=None, out=None, generator=None, dtype=None, device=None, requires_grad=False):
    """Numbers of the normal distribution with mean 0 and variance 1.

    Args:
        sizes, size: integers, or one sequence of them.
        out: write into this tensor.
        generator: default: the global one.
        dtype: float32 (default) or float64.
        device: "cpu" or None.
        requires_grad: record operations on the result.

    >>> import fastnet
    >>> fastnet.randn(2, 3).shape
    fastnet.Size([2, 3])
    """
    if out is not None:
        return into(randn, out, sizes, dict(size=size, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad))
    cdef Tensor y = _sized(sizes, size, _need_float(dtype, "randn"), device, "randn")
    draw(&y.t, FN_random_normal, 0.0, 1.0, generator, "randn")
    return y.requires_grad_() if requires_grad else y


def randint(low, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Integers in [low, high), all equally likely; ``randint(high, size)`` begins at 0.

    Args:
        low, high: the bounds.
        size: a sequence of integers.
        generator: default: the global one.
        dtype: default int64.
        device: "cpu" or None.
        requires_grad: record operations on the result (floating-point dtypes).

    Raises:
        ValueError: there is no integer in [low, high).

    >>> import fastnet
    >>> fastnet.randint(3, 4, (2,))
    tensor([3, 3])
    """
    cdef Tensor y
    cdef object out = as_dtype(dtype, int64)
    if size is None:
        if high is None or hasattr(high, "__index__"):
            raise TypeError("randint: size must be given, a sequence of integers")
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    low, high = int(low), int(high)
    if not -(2**63) <= low < high < 2**63:
        raise ValueError(f"randint: low must be less than high and both fit in 64 bits, got [{low}, {high})")
    y = _sized((size,), None, int64, device, "randint")
    draw_integers(&y.t, low, high - low, generator, "randint")
    if out is not int64:
        y = y.to(out)
    return y.requires_grad_() if requires_grad else y


def rand_like(input, *, generator=None, dtype=None, device=None, requires_grad=False):
    """`rand` with the shape and dtype of a tensor.

    >>> import fastnet
    >>> fastnet.rand_like(fastnet.tensor([1.0, 2.0])).shape
    fastnet.Size([2])
    """
    cdef Tensor x = require_tensor(input, "rand_like", "input")
    return rand(shape_of(&x.t), generator=generator, dtype=x.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def randn_like(input, *, generator=None, dtype=None, device=None, requires_grad=False):
    """`randn` with the shape and dtype of a tensor.

    >>> import fastnet
    >>> fastnet.randn_like(fastnet.tensor([1.0, 2.0])).shape
    fastnet.Size([2])
    """
    cdef Tensor x = require_tensor(input, "randn_like", "input")
    return randn(shape_of(&x.t), generator=generator, dtype=x.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def randint_like(input, low, high=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """`randint` with the shape and dtype of a tensor.

    >>> import fastnet
    >>> fastnet.randint_like(fastnet.tensor([1, 2]), 5, 6)
    tensor([5, 5])
    """
    cdef Tensor x = require_tensor(input, "randint_like", "input")
    if high is None:
        low, high = 0, low
    return randint(low, high, shape_of(&x.t), generator=generator, dtype=x.dtype if dtype is None else dtype, device=device,
                   requires_grad=requires_grad)


def bernoulli(input, p=None, *, generator=None):
    """1 with probability input[i], else 0.

    Args:
        input: probabilities, a floating-point tensor.
        p: one probability for all elements, instead of input's values.
        generator: default: the global one.

    Raises:
        ValueError: a probability is not from 0 to 1.

    >>> import fastnet
    >>> fastnet.bernoulli(fastnet.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    cdef Tensor x = require_tensor(input, "bernoulli", "input"), y, q
    cdef fn_random_args a
    cdef uint64_t key[2]
    if p is None:
        if not is_float(x.t.dtype):
            raise TypeError(f"bernoulli: input must hold floating-point probabilities, got {x.dtype}")
        q = x.detach().contiguous()
        if q.t.size and not (q.amin().item() >= 0 and q.amax().item() <= 1):
            raise ValueError("bernoulli: probabilities must be from 0 to 1")
    else:
        if not 0 <= p <= 1:
            raise ValueError(f"bernoulli: p must be from 0 to 1, got {p}")
        q = tensor_scalar(p, x.t.dtype if is_float(x.t.dtype) else FN_F32)
    y = tensor_new(x.t.ndim, x.t.dims, q.t.dtype)
    generator_of(generator, "bernoulli").take(key, y.t.size, itemsize(y.t.dtype))
    a.key, a.x, a.y, a.n, a.x_stride = key, q.t.p, y.t.p, y.t.size, 0 if p is not None else 1
    launch(FN_random_bernoulli, y.t.dtype, &a, groups(y.t.size, itemsize(y.t.dtype)), 1.5 * y.t.size)
    return y if y.t.dtype == x.t.dtype else y.to(x.dtype)


# in place

cdef object _fill(object self, int kernel, double low, double width, object generator, str op):
    cdef Tensor x = require_tensor(self, op, "self"), y
    write_check(x, op)
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: the tensor must be floating-point, got {x.dtype}")
    if x.node != NULL and grad_enabled():
        self.zero_()                                     # what x was has no part in what it will be: its gradient is 0
    if is_contiguous(&x.t):
        draw(&x.t, kernel, low, width, generator, op)
    else:
        y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
        draw(&y.t, kernel, low, width, generator, op)
        array_copy(&x.t, &y.t)
    written(x)
    return self


def uniform_(self, a=0.0, b=1.0, *, generator=None):
    """Fill with uniform numbers in [a, b), in place.

    >>> import fastnet
    >>> fastnet.tensor([0.0]).uniform_(2, 3).item() >= 2
    True
    """
    if not b >= a:
        raise ValueError(f"uniform_: the bounds must be in order, got {a} and {b}")
    return _fill(self, FN_random_uniform, a, b - a, generator, "uniform_")


def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Fill with numbers of the normal distribution, in place.

    >>> import fastnet
    >>> fastnet.tensor([0.0]).normal_(5, 0).item()
    5.0
    """
    if not std >= 0:
        raise ValueError(f"normal_: std must not be negative, got {std}")
    return _fill(self, FN_random_normal, mean, std, generator, "normal_")


attach(uniform_=uniform_, normal_=normal_, bernoulli=bernoulli)
