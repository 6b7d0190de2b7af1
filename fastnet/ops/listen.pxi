# Part of out.pyx: while somebody listens, calls of compiled functions and the operators of Tensor go to a function in Python first.
# Nothing is added to a call when nobody listens: the functions' own call slots and the table of operators are exchanged.
from fastnet._core.tensor cimport operators

cdef extern from *:
    """
    #define FN_OPERATORS 34
    static PyObject *fn_listener, *fn_slots;          /* who listens; function -> the slot it had */
    static void *fn_operators[FN_OPERATORS];          /* what the operators were */
    static unsigned long fn_listening;                /* in which thread */
    static int fn_deaf = 1;                           /* the listener is at work */
    typedef PyObject *(*fn_binary_slot)(PyObject *, PyObject *);
    typedef PyObject *(*fn_ternary_slot)(PyObject *, PyObject *, PyObject *);

    static int fn_unheard(void) { return fn_deaf || PyThread_get_thread_ident() != fn_listening; }

    static PyObject *fn_tell(PyObject *what, PyObject *args, PyObject *options)
    {
      PyObject *result = NULL;
      fn_deaf = 1;
      if (args && options) result = PyObject_CallFunctionObjArgs(fn_listener, what, args, options, NULL);
      fn_deaf = 0;
      Py_XDECREF(args);
      Py_XDECREF(options);
      return result;
    }
    static vectorcallfunc *fn_slot_of(PyObject *f) { return (vectorcallfunc *)((char *)f + Py_TYPE(f)->tp_vectorcall_offset); }
    /* A call that is not heard goes on as it would have.  A function with *args has no slot: its body is called, since the slot is shared with
       threads that are heard. */
    static PyObject *fn_heard(PyObject *f, PyObject *const *args, size_t n, PyObject *names)
    {
      PyObject *slot = PyDict_GetItem(fn_slots, f), *options, *result = NULL;
      const Py_ssize_t count = PyVectorcall_NARGS(n);
      const int unheard = fn_unheard();
      if (!slot) return PyErr_Format(PyExc_RuntimeError, "listen: nobody listens to this function");
      vectorcallfunc plain = (vectorcallfunc)PyLong_AsVoidPtr(slot);
      if (unheard && plain) return plain(f, args, n, names);
      PyObject *all = PyTuple_New(count);
      for (Py_ssize_t i = 0; all && i < count; i++) { Py_INCREF(args[i]); PyTuple_SET_ITEM(all, i, args[i]); }
      options = PyDict_New();
      for (Py_ssize_t i = 0; options && names && i < PyTuple_GET_SIZE(names); i++)
        PyDict_SetItem(options, PyTuple_GET_ITEM(names, i), args[count + i]);
      if (!unheard) return fn_tell(f, all, options);
      if (all && options)
        result = ((PyCFunctionWithKeywords)(void (*)(void))PyCFunction_GET_FUNCTION(f))(PyCFunction_GET_SELF(f), all, options);
      Py_XDECREF(all);
      Py_XDECREF(options);
      return result;
    }
    static PyObject *fn_operator(int k, PyObject *a, PyObject *b)
    {
      if (fn_unheard()) return ((fn_binary_slot)fn_operators[k])(a, b);
      return fn_tell(PyLong_FromLong(k), b ? PyTuple_Pack(2, a, b) : PyTuple_Pack(1, a), PyDict_New());
    }
    static PyObject *fn_set_item(PyObject *x, PyObject *at, PyObject *value)
    {
      if (fn_unheard()) return ((fn_ternary_slot)fn_operators[33])(x, at, value);
      return fn_tell(PyLong_FromLong(33), PyTuple_Pack(3, x, at, value), PyDict_New());
    }
    #define FN_TWO(k) static PyObject *fn_two_##k(PyObject *a, PyObject *b) { return fn_operator(k, a, b); }
    #define FN_ONE(k) static PyObject *fn_one_##k(PyObject *a) { return fn_operator(k, a, NULL); }
    FN_TWO(0) FN_TWO(1) FN_TWO(2) FN_TWO(3) FN_TWO(4) FN_TWO(5) FN_TWO(6) FN_TWO(7) FN_TWO(8) FN_TWO(9) FN_TWO(10) FN_TWO(11)
    FN_TWO(12) FN_TWO(13) FN_TWO(14) FN_TWO(15) FN_TWO(16) FN_TWO(17) FN_TWO(18) FN_TWO(19) FN_TWO(20) FN_TWO(21) FN_TWO(22)
    FN_TWO(23) FN_TWO(24) FN_TWO(25) FN_TWO(26) FN_TWO(27) FN_TWO(28) FN_TWO(32) FN_ONE(29) FN_ONE(30) FN_ONE(31)
    static void *fn_telling[FN_OPERATORS] = {fn_two_0, fn_two_1, fn_two_2, fn_two_3, fn_two_4, fn_two_5, fn_two_6, fn_two_7,
      fn_two_8, fn_two_9, fn_two_10, fn_two_11, fn_two_12, fn_two_13, fn_two_14, fn_two_15, fn_two_16, fn_two_17, fn_two_18,
      fn_two_19, fn_two_20, fn_two_21, fn_two_22, fn_two_23, fn_two_24, fn_two_25, fn_two_26, fn_two_27, fn_two_28, fn_one_29,
      fn_one_30, fn_one_31, fn_two_32, fn_set_item};

    static int fn_listen(PyObject *listener, PyObject *slots, void **table)
    {
      PyObject *f, *slot;
      Py_ssize_t at = 0;
      const int begins = listener != Py_None;
      while (PyDict_Next(slots, &at, &f, &slot)) {
        *fn_slot_of(f) = begins ? fn_heard : (vectorcallfunc)PyLong_AsVoidPtr(slot);
      }
      for (int k = 0; k < FN_OPERATORS; k++) {
        if (begins) fn_operators[k] = table[k];
        table[k] = begins ? fn_telling[k] : fn_operators[k];
      }
      fn_listener = listener, fn_slots = slots, fn_listening = PyThread_get_thread_ident(), fn_deaf = !begins;
      return 0;
    }
    static PyObject *fn_slot(PyObject *f) { return PyLong_FromVoidPtr((void *)*fn_slot_of(f)); }
    """
    int FN_OPERATORS
    int fn_deaf
    bint fn_unheard()
    int fn_listen(PyObject *listener, PyObject *slots, void **table)
    object fn_slot(PyObject *f)

# The operators, by their places in `Operators`.
OPERATORS = ("add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift iadd isub imul itruediv ifloordiv imod ipow iand ior "
             "ixor eq ne lt le gt ge neg abs invert getitem setitem").split()


cdef dict _slots = {}
cdef object _listener = None


def listen(listener, functions=()):
    """Let a function hear of the calls that this thread makes; None ends it.

    Args:
        listener: `listener(what, args, options)` is called instead of each function in `functions` and of each operator of Tensor. `what` is
            the function, or the operator's place in `OPERATORS`; the result is that of the call. While it runs nothing is heard.
        functions: compiled functions.

    Raises:
        RuntimeError: somebody listens already.
    """
    global _listener, _slots
    if listener is not None:
        if _listener is not None:
            raise RuntimeError("listen: somebody listens already")
        _slots = {f: fn_slot(<PyObject *>f) for f in functions}
    _listener = listener
    fn_listen(<PyObject *>listener, <PyObject *>_slots, <void **>&operators)


def heard() -> bool:
    """Whether a call made here and now would reach a listener."""
    return not fn_unheard()


def hush(deaf):
    """Let the listener hear nothing, or again; the calling thread must be the one that is listened to."""
    global fn_deaf
    fn_deaf = deaf
