"""The door for `out=`: functions in PyTorch's namespace take it without a line of their own, and a call without it pays one comparison."""
from cpython.object cimport PyObject

from functools import wraps
from sys import modules
from types import FunctionType

cdef extern from *:
    """
    static PyObject *fn_out, *fn_with_out;
    static vectorcallfunc fn_plain;                   /* how Cython's functions with keywords are called, all of them */
    static PyObject *fn_call_out(PyObject *f, PyObject *const *args, size_t n, PyObject *names)
    {
      for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, i), fn_out) == 0) {
          const Py_ssize_t given = PyVectorcall_NARGS(n) + PyTuple_GET_SIZE(names);
          PyObject *result, **all = PyMem_Malloc((size_t)(given + 1) * sizeof *all);
          if (!all) return PyErr_NoMemory();
          all[0] = f;
          for (Py_ssize_t k = 0; k < given; k++) all[k + 1] = args[k];
          result = PyObject_Vectorcall(fn_with_out, all, (size_t)PyVectorcall_NARGS(n) + 1, names);
          PyMem_Free(all);
          return result;
        }
      return fn_plain(f, args, n, names);
    }
    static int fn_open(PyObject *f)
    {
      if (!PyType_HasFeature(Py_TYPE(f), Py_TPFLAGS_HAVE_VECTORCALL)) return 0;
      vectorcallfunc *call = (vectorcallfunc *)((char *)f + Py_TYPE(f)->tp_vectorcall_offset);
      if (*call == fn_call_out) return 1;
      if (!fn_plain) fn_plain = *call;
      if (*call != fn_plain || !fn_plain) return 0;
      *call = fn_call_out;
      return 1;
    }
    """
    PyObject *fn_out
    PyObject *fn_with_out
    bint fn_open(PyObject *f)


def _call(function, *args, out=None, **options):
    if out is None:
        return function(*args, **options)
    from fastnet.ops.write_out import write_out
    return write_out(function, out, args, options)


# Functions of fastnet that take it: those of PyTorch that do.  zeros, ones, empty, rand and randn, whose sizes are any number of
# arguments, have it among their own.
NAMES = frozenset("""
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr all amax amin aminmax any arange arccos arccosh arcsin
    arcsinh arctan arctan2 arctanh argmax argmin argsort asin asinh atan atan2 atanh baddbmm bernoulli bitwise_and bitwise_not
    bitwise_or bitwise_xor bmm bucketize cat ceil chain_matmul clamp clamp_max clamp_min clip column_stack concat concatenate
    copysign cos cosh cross cummax cummin cumprod cumsum deg2rad diag diff digamma div divide dot dstack eq erf erfc erfinv exp exp2
    expm1 eye fix float_power floor floor_divide fmax fmin fmod frac full gather gcd ge ger greater greater_equal gt heaviside histc
    hstack hypot index_add index_copy index_select inner inverse isin isneginf isposinf kron kthvalue lcm ldexp le lerp less
    less_equal lgamma linspace log log10 log1p log2 log_softmax logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
    logit logspace logsumexp lt masked_select matmul matrix_power max maximum mean median min minimum mm mode mul multinomial
    multiply mv nan_to_num nanmean nanmedian nanquantile nansum ne neg negative nonzero norm normal not_equal outer pow prod
    quantile rad2deg randint randperm reciprocal remainder round rsqrt scatter scatter_add scatter_reduce searchsorted sgn sigmoid
    sign signbit sin sinc sinh softmax sort sqrt square stack std sub subtract sum take take_along_dim tan tanh tensordot topk tril
    triu true_divide trunc var vdot vstack where xlogy""".split())

cdef str _word = "out"
cdef object _handler = _call
fn_out, fn_with_out = <PyObject *>_word, <PyObject *>_handler


def takes_out(function):
    """The function with `out=` beside its arguments: a compiled one itself, a Python one in a wrapper that takes its place in its module.

    >>> import fastnet
    >>> y = fastnet.empty(2)
    >>> fastnet.add(fastnet.ones(2), 1, out=y) is y, y
    (True, tensor([2., 2.]))
    """
    if hasattr(function, "_takes_out"):
        return function._takes_out
    if not isinstance(function, FunctionType):
        if not fn_open(<PyObject *>function):
            raise TypeError(f"takes_out: {function!r} is not a compiled function with keywords")
        return function
    @wraps(function)
    def call(*args, out=None, **options):
        return function(*args, **options) if out is None else _call(function, *args, out=out, **options)

    call._takes_out = function._takes_out = call
    home = modules[function.__module__]
    for name, value in list(vars(home).items()):
        if value is function:
            setattr(home, name, call)
    return call


def install(dict namespace) -> None:
    """Let the functions of a namespace that are in NAMES take `out=`."""
    for name in NAMES.intersection(namespace):
        namespace[name] = takes_out(namespace[name])


include "listen.pxi"
