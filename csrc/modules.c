/* fastnet._native: the shared object that all compiled modules lie in, as a module that tells their names. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static struct PyModuleDef native = {PyModuleDef_HEAD_INIT, "fastnet._native", "The compiled modules: their names, one to a line.", -1, NULL};

PyMODINIT_FUNC PyInit__native(void) {
  PyObject *module = PyModule_Create(&native);
  if (module && PyModule_AddStringConstant(module, "names", FN_MODULES) < 0)
    Py_CLEAR(module);
  return module;
}
