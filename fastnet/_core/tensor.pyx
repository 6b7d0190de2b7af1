# cython: c_api_binop_methods=True
"""Tensor: the extension type.  What it can do beyond holding values and gradients is attached by the ops."""
cimport cython
cimport numpy as cnp
from cpython.buffer cimport PyObject_GetBuffer
from cpython.object cimport PyObject, PyTypeObject, Py_EQ, Py_GE, Py_GT, Py_LE, Py_LT, Py_NE
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport storage_incref, storage_new, storage_wrap
from fastnet._core.tape cimport *

import numpy as np
from fastnet._core.dtypes import DTYPES, as_dtype, dtype as dtype_class
from fastnet._core.size import Size, device as _device_class

cnp.import_array()
cdef tuple _dtypes = DTYPES
cdef int NUMPY_TYPE[6]
NUMPY_TYPE[:] = [cnp.NPY_FLOAT32, cnp.NPY_FLOAT64, cnp.NPY_INT64, cnp.NPY_INT32, cnp.NPY_UINT8, cnp.NPY_BOOL]
cdef object _cpu = _device_class("cpu")
cdef object _dtype_class = dtype_class

cdef extern from "Python.h":
    void PyType_Modified(PyTypeObject *)
cdef extern from *:
    """
    static PyObject *fn_type_dict(PyTypeObject *t) { return t->tp_dict; }
    """
    PyObject *fn_type_dict(PyTypeObject *t)


@cython.freelist(512)
@cython.no_gc
cdef class Tensor:
    """An array of one dtype that remembers how it was computed.

    Made by `fastnet.tensor`, `fastnet.zeros`, ... and by every op.  As in PyTorch, ``Tensor(data)`` copies data to float32, and
    ``Tensor(2, 3)`` is an uninitialised float32 tensor of that shape.
    """
    __array_ufunc__ = None          # NumPy leaves `ndarray * tensor` to Tensor
    __array_priority__ = 1000

    def __init__(self, *args):
        if args and all([isinstance(n, int) for n in args]):
            self._alias(from_data(np.empty(args, np.float32), FN_F32))
        elif len(args) > 1:
            raise TypeError(f"Tensor: expected data or integer sizes, got {len(args)} arguments")
        else:
            self._alias(from_data(args[0] if args else (), FN_F32))

    def __dealloc__(self):
        view_forget(self)
        array_drop(&self.t)
        node_decref(self.node)

    def _alias(self, Tensor other not None):
        """Become another handle of `other`'s values, without its history."""
        cdef fn_tensor old = self.t
        array_share(&self.t, &other.t)
        array_drop(&old)
        other.flags |= ALIASED
        self.flags = self.flags & IS_VIEW | other.flags & READ_ONLY | ALIASED
        return self

    # what it is

    @property
    def shape(self):
        """The sizes of the axes, a tuple."""
        return Size(shape_of(&self.t))

    def size(self, dim=None):
        """The shape, or the size of one axis."""
        if dim is None:
            return Size(shape_of(&self.t))
        return self.t.dims[_axis(self, dim, "size")]

    def stride(self, dim=None):
        """Elements between neighbours on each axis, or on one."""
        if dim is None:
            return tuple([self.t.strides[d] for d in range(self.t.ndim)])
        return self.t.strides[_axis(self, dim, "stride")]

    @property
    def ndim(self) -> int:
        return self.t.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self.t.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.t.size

    @property
    def dtype(self):
        return _dtypes[self.t.dtype]

    @property
    def device(self):
        return _cpu

    @property
    def itemsize(self) -> int:
        return itemsize(self.t.dtype)

    def element_size(self) -> int:
        """Bytes of one element."""
        return itemsize(self.t.dtype)

    @property
    def nbytes(self) -> int:
        return self.t.size * itemsize(self.t.dtype)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return <size_t>self.t.p

    def storage_offset(self) -> int:
        """Elements between the beginning of the memory and the first element."""
        return (self.t.p - self.t.st.data) // itemsize(self.t.dtype)

    def is_floating_point(self) -> bool:
        """Whether the dtype is float32 or float64."""
        return is_float(self.t.dtype)

    @property
    def _version(self) -> int:
        return self.t.st.version

    # gradients

    @property
    def requires_grad(self) -> bool:
        return self.node != NULL

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad=True):
        """Ask for, or stop, gradients with respect to this leaf; returns the tensor itself."""
        if requires_grad:
            if self.node == NULL:
                if not is_float(self.t.dtype):
                    raise RuntimeError(f"requires_grad_: only floating-point tensors can require gradients, got {self.dtype}")
                self.node = node_new(NULL, &self.t, 0, 0)
        elif self.node != NULL:
            if self.node.op != NULL:
                raise RuntimeError("requires_grad_: only a leaf can stop requiring gradients; use detach()")
            node_decref(self.node)
            self.node = NULL
        return self

    @property
    def is_leaf(self) -> bool:
        return self.node == NULL or self.node.op == NULL

    @property
    def grad_fn(self):
        return None if self.node == NULL or self.node.op == NULL else node_object(self.node)

    @property
    def grad(self):
        return _grad(self)

    @grad.setter
    def grad(self, value):
        _set_grad(self, value)

    @grad.deleter
    def grad(self):
        _set_grad(self, None)

    def retain_grad(self):
        """Let backward keep .grad of this tensor although it is not a leaf."""
        if self.node == NULL:
            raise RuntimeError("retain_grad: this tensor does not require gradients")
        self.node.flags |= RETAIN_GRAD

    @property
    def retains_grad(self) -> bool:
        return self.node != NULL and self.node.op != NULL and (self.node.flags & RETAIN_GRAD) != 0

    def register_hook(self, hook):
        """Call ``hook(grad)`` whenever the gradient of this tensor has been computed; what it returns (None: nothing) replaces it.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        if self.node == NULL:
            raise RuntimeError("register_hook: this tensor does not require gradients")
        if not callable(hook):
            raise TypeError(f"register_hook: hook must be callable, got {type(hook).__name__}")
        from fastnet._core.hooks import RemovableHandle
        self.node.flags |= TENSOR_HOOKS
        return RemovableHandle(node_extra(self.node).setdefault("hooks", {}), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call ``hook(tensor)`` whenever a backward has added to the ``.grad`` of this leaf, which is late: leaves come last.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            RuntimeError: the tensor is no leaf that requires gradients.
        """
        if self.node == NULL or self.node.op != NULL:
            raise RuntimeError("register_post_accumulate_grad_hook: only leaves that require gradients have such hooks")
        if not callable(hook):
            raise TypeError(f"register_post_accumulate_grad_hook: hook must be callable, got {type(hook).__name__}")
        from fastnet._core.hooks import RemovableHandle, called_with
        self.node.flags |= TENSOR_HOOKS
        return RemovableHandle(node_extra(self.node).setdefault("after", {}), called_with(self, hook))

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None, explain=False):
        """Compute the gradients of this tensor with respect to the leaves, and add them to their ``.grad``.

        Args:
            gradient: dL/d(self), of the same shape; may be left out for a tensor of one element.
            retain_graph: keep the graph for another backward; default: where create_graph is True.
            create_graph: record the backward too, so that gradients can be differentiated again (see `fastnet.autograd.backward`).
            inputs: only these leaves get gradients; default: all.
            explain: also print how each op passes the gradient on; True, or a module or a dict that has names for the leaves.

        >>> import fastnet
        >>> w = fastnet.tensor([2.0], requires_grad=True)
        >>> ((w * 3.0 - 10.0) ** 2).backward()
        >>> w.grad.item()
        -24.0
        """
        if explain is not False:
            from fastnet.autograd.explain import backward_explained
            return backward_explained(self, gradient, retain_graph, create_graph, inputs, explain)
        if inputs is not None or create_graph:
            from fastnet._core.engine import backward
            return backward([self], None if gradient is None else [gradient], retain_graph, create_graph, inputs)
        cdef fn_tensor g
        cdef fn_node *n = self.node
        initial_gradient(self, gradient, &g)
        run_backward(&n, &g, 1, bool(retain_graph), True, None)

    def detach(self):
        """The same values without history; shares memory."""
        return tensor_alias(self)

    def detach_(self):
        """Forget the history; returns the tensor itself."""
        if self.flags & IS_VIEW and self.node != NULL:
            raise RuntimeError("detach_: a view cannot be detached in place; use detach()")
        node_decref(self.node)
        self.node = NULL
        return self

    @property
    def data(self):
        return self.detach()

    @data.setter
    def data(self, value):
        cdef Tensor x = require_tensor(value, "data", "value")
        if self.node != NULL and x.t.dtype != self.t.dtype and not is_float(x.t.dtype):
            raise RuntimeError(f"data: a tensor that requires gradients cannot become {x.dtype}")
        self._alias(x)
        if self.node != NULL:                            # the gradient must have the shape of the new value
            if not same_shape(&self.node.acc, &x.t) or self.node.acc.dtype != x.t.dtype:
                _set_grad(self, None)
            self.node.acc = x.t
            self.node.acc.st = NULL

    # values out

    def numpy(self, *, force=False):
        """The values as an ndarray that shares memory.

        Args:
            force: detach first where the tensor requires gradients.
        """
        if self.node != NULL and not force:
            raise RuntimeError("numpy: this tensor requires gradients; use detach().numpy()")
        return self._ndarray()

    def _ndarray(self):
        tell_taken(self)
        cdef cnp.npy_intp dims[8]
        cdef cnp.npy_intp strides[8]
        cdef int d
        cdef Py_ssize_t width = itemsize(self.t.dtype)
        for d in range(self.t.ndim):
            dims[d] = self.t.dims[d]
            strides[d] = self.t.strides[d] * width
        cdef int flags = 0 if self.flags & READ_ONLY else cnp.NPY_ARRAY_WRITEABLE
        cdef cnp.ndarray a = cnp.PyArray_New(np.ndarray, self.t.ndim, dims, NUMPY_TYPE[self.t.dtype], strides, self.t.p, 0, flags, None)
        cdef Tensor base = tensor_alias(self)            # keeps the memory, not the history
        cnp.set_array_base(a, base)
        return a

    def __array__(self, dtype=None, copy=None):
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            if copy is False:
                raise ValueError(f"__array__: {self.dtype} cannot become {dtype} without a copy")
            return a.astype(dtype)
        return a.copy() if copy else a

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyObject_GetBuffer(self.numpy(), buffer, flags)

    def item(self):
        """The value of a tensor of one element, as a Python number."""
        if self.t.size != 1:
            raise RuntimeError(f"item: a tensor of shape {shape_of(&self.t)} has {self.t.size} elements, not 1")
        tell_taken(self)
        return array_item(&self.t)

    def __float__(self): return float(self.item())
    def __int__(self): return int(self.item())

    def __index__(self):
        if is_float(self.t.dtype):
            raise TypeError(f"only integer tensors of one element can be used as an index, got {self.dtype}")
        return int(self.item())

    def __bool__(self):
        if self.t.size != 1:
            raise RuntimeError(f"bool: a tensor of shape {shape_of(&self.t)} has {self.t.size} values, not one; use any() or all()")
        tell_taken(self)
        return bool(array_item(&self.t))

    def __len__(self):
        if self.t.ndim == 0:
            raise TypeError("len() of a 0-dim tensor")
        return self.t.dims[0]

    def __iter__(self):
        if self.t.ndim == 0:
            raise TypeError("iteration over a 0-dim tensor")
        return iter([operators.getitem(self, i) for i in range(self.t.dims[0])])

    def __reversed__(self):
        return self.flip(0) if self.t.ndim else self

    def __contains__(self, value):
        if not isinstance(value, (Tensor, int, float, np.generic)):
            raise RuntimeError(f"in: a tensor can be asked for a number or a tensor, got {type(value).__name__}")
        return bool(operators.eq(self, value).any())

    def __hash__(self):
        return <Py_ssize_t><PyObject *>self >> 4

    def __repr__(self):
        from fastnet.printing import format_tensor
        return format_tensor(self)

    # operators: the functions come from the ops

    def __add__(a, b): return operators.add(a, b)
    def __sub__(a, b): return operators.sub(a, b)
    def __mul__(a, b): return operators.mul(a, b)
    def __truediv__(a, b): return operators.truediv(a, b)
    def __floordiv__(a, b): return operators.floordiv(a, b)
    def __mod__(a, b): return operators.mod(a, b)
    def __pow__(a, b, modulus): return operators.pow(a, b) if modulus is None else NotImplemented
    def __matmul__(a, b): return operators.matmul(a, b)
    def __and__(a, b): return operators.and_(a, b)
    def __or__(a, b): return operators.or_(a, b)
    def __xor__(a, b): return operators.xor(a, b)
    def __lshift__(a, b): return operators.lshift(a, b)
    def __rshift__(a, b): return operators.rshift(a, b)
    def __iadd__(self, b): return operators.iadd(self, b)
    def __isub__(self, b): return operators.isub(self, b)
    def __imul__(self, b): return operators.imul(self, b)
    def __itruediv__(self, b): return operators.itruediv(self, b)
    def __ifloordiv__(self, b): return operators.ifloordiv(self, b)
    def __imod__(self, b): return operators.imod(self, b)
    def __ipow__(self, b): return operators.ipow(self, b)
    def __iand__(self, b): return operators.iand(self, b)
    def __ior__(self, b): return operators.ior(self, b)
    def __ixor__(self, b): return operators.ixor(self, b)
    def __neg__(self): return operators.neg(self)
    def __pos__(self): return self
    def __abs__(self): return operators.abs(self)
    def __invert__(self): return operators.invert(self)
    def __getitem__(self, index): return operators.getitem(self, index)
    def __setitem__(self, index, value): operators.setitem(self, index, value)
    def __delitem__(self, index): raise TypeError("Tensor does not support deleting items")

    def __richcmp__(self, other, int op):
        if op == Py_EQ: return operators.eq(self, other)
        if op == Py_NE: return operators.ne(self, other)
        if op == Py_LT: return operators.lt(self, other)
        if op == Py_LE: return operators.le(self, other)
        if op == Py_GT: return operators.gt(self, other)
        return operators.ge(self, other)


include "tensor_make.pxi"
include "tensor_data.pxi"
