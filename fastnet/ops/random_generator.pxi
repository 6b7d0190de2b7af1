# Where random numbers come from: a seed and how many were taken, the default one, and the functions that set it.

cdef uint64_t DEFAULT_SEED = 67280421310721               # PyTorch's


cdef class Generator:
    """A source of random numbers.

    >>> import fastnet
    >>> g = fastnet.Generator().manual_seed(1)
    >>> h = fastnet.Generator().manual_seed(1)
    >>> fastnet.equal(fastnet.rand(3, generator=g), fastnet.rand(3, generator=h))
    True
    """

    def __init__(self, device="cpu"):
        check_device(device, "Generator")
        self.key[0], self.key[1] = DEFAULT_SEED, 0

    cdef void take(self, uint64_t *key, Py_ssize_t n, int width) noexcept:
        key[0], key[1] = self.key[0], self.key[1]
        self.key[1] += <uint64_t>groups(n, width) * RANDOM_LANES

    def manual_seed(self, seed) -> Generator:
        """Begin anew with a seed, an integer of at most 64 bits; negative ones count from 2^64.  Returns the generator."""
        value = int(seed)
        if not -(2**63) <= value < 2**64:
            raise ValueError(f"manual_seed: seed {seed} does not fit in 64 bits")
        self.key[0], self.key[1] = <uint64_t>(value % 2**64), 0
        return self

    def seed(self) -> int:
        """Begin anew with a seed from the operating system, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self.initial_seed()

    def initial_seed(self) -> int:
        """The seed."""
        return self.key[0]

    def get_state(self):
        """Seed and counter, an int64 tensor for `set_state`."""
        cdef Py_ssize_t dims[1]
        cdef Tensor y
        dims[0] = 2
        y = tensor_new(1, dims, FN_I64)
        (<uint64_t *>y.t.p)[0], (<uint64_t *>y.t.p)[1] = self.key[0], self.key[1]
        return y

    def set_state(self, new_state) -> Generator:
        """Continue where `get_state` was called.  Returns the generator."""
        cdef Tensor x = require_tensor(new_state, "set_state", "new_state")
        if x.t.dtype != FN_I64 or x.t.size != 2 or not is_contiguous(&x.t):
            raise ValueError(f"set_state: expected what get_state gave, got {x.dtype} of shape {shape_of(&x.t)}")
        self.key[0], self.key[1] = (<uint64_t *>x.t.p)[0], (<uint64_t *>x.t.p)[1]
        return self

    @property
    def device(self):
        return fastnet_device

    def __reduce__(self):
        return _restore, (self.get_state().numpy().tolist(),)


def _restore(state):
    cdef Generator g = Generator()
    g.key[0], g.key[1] = <uint64_t>(state[0] % 2**64), <uint64_t>(state[1] % 2**64)
    return g


from fastnet._core.size import device as _device_class

fastnet_device = _device_class("cpu")
default_generator = Generator()
cdef Generator _default = default_generator


cdef Generator generator_of(object generator, str op):
    if generator is None:
        return _default
    if not isinstance(generator, Generator):
        raise TypeError(f"{op}: generator must be a Generator, got {type(generator).__name__}")
    return generator


cdef Py_ssize_t groups(Py_ssize_t n, int width) noexcept:
    cdef Py_ssize_t per = RANDOM_LANES * (4 if width == 4 else 2)
    return (n + per - 1) // per


def manual_seed(seed):
    """Begin the default generator anew with a seed; returns the generator.

    >>> import fastnet
    >>> a = fastnet.manual_seed(0) and fastnet.rand(2)
    >>> b = fastnet.manual_seed(0) and fastnet.rand(2)
    >>> fastnet.equal(a, b)
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Begin the default generator anew with a seed from the operating system, and return it.

    >>> import fastnet
    >>> fastnet.seed() == fastnet.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator.

    >>> import fastnet
    >>> fastnet.manual_seed(3).initial_seed() == fastnet.initial_seed()
    True
    """
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default generator, for `set_rng_state`.

    >>> import fastnet
    >>> state = fastnet.get_rng_state()
    >>> a = fastnet.rand(2)
    >>> fastnet.set_rng_state(state)
    >>> fastnet.equal(a, fastnet.rand(2))
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state) -> None:
    """Let the default generator continue where `get_rng_state` was called.

    Args:
        new_state: what `get_rng_state` returned.

    >>> import fastnet
    >>> fastnet.set_rng_state(fastnet.get_rng_state())
    """
    default_generator.set_state(new_state)
