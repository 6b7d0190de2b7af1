# The entries of an update: parameters, gradients and states, checked and told to the kernels.

cdef class _Group:
    """The entries of one launch; float32 and float64 parameters are launched apart."""
    cdef fn_optim_entry *entry
    cdef Py_ssize_t n[2]                    # entries of each dtype: float32 from the front, float64 from the back
    cdef Py_ssize_t chunks[2]
    cdef Py_ssize_t elements[2]
    cdef Py_ssize_t size
    cdef list held                          # gradients that had to be laid out anew
    cdef str op

    def __cinit__(self, str op, list params):
        cdef Py_ssize_t i
        cdef Tensor p
        cdef fn_tensor g
        cdef fn_optim_entry *e
        cdef int k
        self.op, self.size, self.held = op, len(params), None
        self.entry = <fn_optim_entry *>block_new((self.size + 1) * sizeof(fn_optim_entry))
        for k in range(2):
            self.n[k] = self.chunks[k] = self.elements[k] = 0
        for i in range(self.size):
            p = params[i]
            if p.node == NULL or p.node.grad.st == NULL:
                raise ValueError(f"{op}: parameter {i} of shape {shape_of(&p.t)} has no gradient")
            if not is_float(p.t.dtype) or not is_dense(&p.t):
                raise ValueError(f"{op}: parameter {i} must be floating-point and without gaps in memory, got {p.dtype} of shape "
                                 f"{shape_of(&p.t)} with strides {p.stride()}")
            if p.flags & READ_ONLY:
                raise ValueError(f"{op}: parameter {i} of shape {shape_of(&p.t)} is over read-only memory")
            e = self.turn(p, self.n)
            e.p, e.n = p.t.p, p.t.size
            e.s[0] = e.s[1] = e.s[2] = NULL
            e.step = e.extra[0] = e.extra[1] = NULL
            e.first = 0
            e.chunk = self.chunks[p.t.dtype]
            self.chunks[p.t.dtype] += (p.t.size + OPTIM_CHUNK - 1) // OPTIM_CHUNK
            self.elements[p.t.dtype] += p.t.size
            if p.node.grad.dtype != p.t.dtype:
                raise ValueError(f"{op}: parameter {i} is {p.dtype}, its gradient is not")
            if same_layout(&p.node.grad, &p.t):
                e.g = p.node.grad.p
            else:
                array_like(&g, &p.t, p.t.dtype)
                held = tensor_take(&g)
                array_copy(&g, &p.node.grad)
                e.g = g.p
                if self.held is None:
                    self.held = []
                self.held.append(held)

    def __dealloc__(self):
        block_free(self.entry)

    cdef fn_optim_entry *turn(self, Tensor p, Py_ssize_t *used) noexcept:
        """The entry of the next parameter; `used` counts those of each dtype: float32 from the front, float64 from the back until `run`."""
        used[p.t.dtype] += 1
        return &self.entry[used[0] - 1] if p.t.dtype == FN_F32 else &self.entry[self.size - used[1]]

    cdef int lists(self, list params, int k, object tensors, str name) except -1:
        """State k of every entry, laid out as the parameter."""
        return self.states(params, k, tensors, name, False)

    cdef int scalars(self, list params, int k, object tensors, str name) except -1:
        """Scalar state k (0: step, 1 and 2: extra) of every entry."""
        return self.states(params, k, tensors, name, True)

    cdef int states(self, list params, int k, object tensors, str name, bint scalar) except -1:
        cdef Py_ssize_t i
        cdef Py_ssize_t used[2]
        cdef Tensor p, s
        cdef fn_optim_entry *e
        used[0] = used[1] = 0
        if len(tensors) != self.size:
            raise ValueError(f"{self.op}: {len(tensors)} {name} for {self.size} parameters")
        for i in range(self.size):
            p = params[i]
            s = require_tensor(tensors[i], self.op, name)
            e = self.turn(p, used)
            if scalar and (s.t.dtype != FN_F32 or s.t.size != 1):
                raise ValueError(f"{self.op}: {name}[{i}] must be a float32 tensor of one element, got {s.dtype} of shape {shape_of(&s.t)}")
            if not scalar and (s.t.dtype != p.t.dtype or not same_layout(&s.t, &p.t)):
                raise ValueError(f"{self.op}: {name}[{i}] is {s.dtype} of shape {shape_of(&s.t)}, strides {s.stride()}; its parameter is "
                                 f"{p.dtype} of shape {shape_of(&p.t)}, strides {p.stride()}")
            if not scalar:
                e.s[k] = s.t.p
            elif k == 0:
                e.step = <float *>s.t.p
            else:
                e.extra[k - 1] = <float *>s.t.p
            written(s)
        return 0

    cdef int run(self, list params, int kernel, fn_optim_args *a, double arrays, int before, int after) except -1:
        """Advance (kernel `before`, -1: none), update, advance (`after`)."""
        cdef int dtype
        cdef Py_ssize_t i, j
        cdef Tensor p
        cdef fn_optim_entry swap
        for i in range(self.n[1] // 2):                  # float64 entries into their order
            j = self.n[0] + self.n[1] - 1 - i
            swap = self.entry[self.n[0] + i]
            self.entry[self.n[0] + i] = self.entry[j]
            self.entry[j] = swap
        for p in params:
            written(p)
        for dtype in range(2):
            if self.n[dtype]:
                a.entry, a.entries = self.entry + (self.n[0] if dtype else 0), self.n[dtype]
                if before >= 0:
                    launch(before, dtype, a, a.entries, 5.0 * a.entries)
                launch(kernel, dtype, a, self.chunks[dtype], byte_cost(arrays * self.elements[dtype] * (8 if dtype else 4)))
                if after >= 0:
                    launch(after, dtype, a, a.entries, 30.0 * a.entries)
        return 0
