"""What a network pays for in each layer, compiled: the call of a module, `zero_grad`, and `forward` of Linear."""
from cpython.object cimport PyObject
from fastnet._core.tensor cimport Tensor, drop_gradient, require_tensor
from fastnet.ops.gemm cimport FN_ACT_NONE
from fastnet.ops.linear cimport linear_forward

cdef extern from "Python.h":
    ctypedef struct PyType_Slot:
        int slot
        void *pfunc
    ctypedef struct PyType_Spec:
        const char *name
        int basicsize
        int itemsize
        unsigned int flags
        PyType_Slot *slots
    object PyType_FromSpec(PyType_Spec *spec)
    int Py_tp_call, Py_tp_doc
    unsigned int Py_TPFLAGS_DEFAULT, Py_TPFLAGS_BASETYPE


cdef object _call(object self, tuple args, PyObject *kwargs):
    if self._hooked:
        from fastnet.nn.hooks import call_with_hooks
        return call_with_hooks(self, args, {} if kwargs == NULL else <dict>kwargs)
    if kwargs != NULL:
        return self.forward(*args, **<dict>kwargs)
    return self.forward(args[0]) if len(args) == 1 else self.forward(*args)


# A class with `_call` for its tp_call, which a cdef class would not have: its __call__ makes a dict of keywords where there are none.
cdef PyType_Slot _slots[3]
_slots[0].slot, _slots[0].pfunc = Py_tp_call, <void *>_call
_slots[1].slot, _slots[1].pfunc = Py_tp_doc, <void *><const char *>b"The call of a module: `forward`, with the hooks of the instance around it."
_slots[2].slot, _slots[2].pfunc = 0, NULL
cdef PyType_Spec _spec
_spec.name, _spec.basicsize, _spec.itemsize, _spec.slots = b"fastnet.nn.call.ModuleCall", sizeof(PyObject), 0, _slots
_spec.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE
ModuleCall = PyType_FromSpec(&_spec)


class _Signature:
    """What `inspect.signature` of a module tells, that of its `forward`; of a class it asks `__init__`."""

    def __get__(self, module, owner=None):
        if module is None:
            raise AttributeError("__signature__")
        from inspect import signature
        return signature(module.forward)


ModuleCall.__signature__ = _Signature()


cdef int _drop(object module) except -1:
    cdef list left = [module]
    cdef set seen = set()                                # modules may hold each other
    cdef dict state
    while left:
        module = left.pop()
        if module in seen:
            continue
        seen.add(module)
        state = module.__dict__
        for parameter in (<dict>state["_parameters"]).values():
            if parameter is not None:
                drop_gradient(parameter)
        for child in (<dict>state["_modules"]).values():
            if child is not None:
                left.append(child)
    return 0


def zero_grad(self, set_to_none: bool = True) -> None:
    """Drop the gradients of all parameters (`set_to_none=False`: fill them with zeros)."""
    if set_to_none:
        _drop(self)
        return
    for parameter in self.parameters():
        if parameter.grad is not None:
            if parameter.grad.requires_grad:             # it was recorded: its history goes
                parameter.grad = parameter.grad.detach()
            parameter.grad.zero_()


ModuleCall.zero_grad = zero_grad


# Cython puts the name that stands here into the errors of calls with other arguments.
def Linear_forward(self, input):
    """input (..., in_features) to (..., out_features)."""
    cdef object bias = self.bias
    return linear_forward(require_tensor(input, "linear", "input"), require_tensor(self.weight, "linear", "weight"),
                          None if bias is None else require_tensor(bias, "linear", "bias"), FN_ACT_NONE, "linear")


forward = Linear_forward
forward.__name__, forward.__qualname__ = "forward", "Linear.forward"
del Linear_forward
