"""Every op gives the same bits on any number of threads, on any layout of its inputs, and when it is run again."""
import numpy as np
import pytest
from calls import backward, same_bits
from specs import all_specs

from fastnet._core import launch

SPECS = [pytest.param(s, id=s.name.removeprefix("fastnet.")) for s in all_specs()]


def run(spec, case, inputs):
    values, gradients = backward(spec, case, inputs)
    return [*values, *gradients.values()]


@pytest.mark.parametrize("spec", SPECS)
def test_thread_count_does_not_change_a_bit(split, spec):
    runs = {}
    for threads in (1, 2, 3, 8):
        launch.set_num_threads(threads)
        for i, case in enumerate(spec.all_cases()):
            runs[threads, i] = run(spec, case, spec.inputs(case, "float32"))
    for (threads, i), got in runs.items():
        assert all(map(same_bits, got, runs[1, i])), f"{spec.name} {spec.all_cases()[i]}: 1 and {threads} threads differ"


def fortran(x):
    return np.asfortranarray(x) if x.ndim else x           # NumPy would give a scalar an axis


def reversed_(x):
    flip = (slice(None, None, -1),) * x.ndim
    return x[flip].copy()[flip]


def strided(x):
    wide = np.full([2 * n + 1 for n in x.shape], 7, x.dtype)
    wide[(slice(1, None, 2),) * x.ndim] = x
    return wide[(slice(1, None, 2),) * x.ndim]


def padded_rows(x):
    wide = np.full((*x.shape[:-1], x.shape[-1] + 3), 7, x.dtype) if x.ndim else np.array(x)
    if x.ndim:
        wide[..., 1:-2] = x
        return wide[..., 1:-2]
    return wide


def broadcast(x):
    """The first index's values everywhere on the first axis, with a stride of 0."""
    return np.broadcast_to(x[:1], x.shape) if x.ndim and x.shape[0] > 1 else x


def broadcast_last(x):
    return np.broadcast_to(x[..., :1], x.shape) if x.ndim and x.shape[-1] > 1 else x


def read_only(x):
    y = x.copy()
    y.setflags(write=False)
    return y


def _at_byte(x, offset):
    raw = np.zeros(x.nbytes + 64 + offset, np.uint8)
    start = -raw.ctypes.data % 64 + offset
    y = raw[start:start + x.nbytes].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def unaligned_vector(x):
    return _at_byte(x, x.itemsize)


def misaligned_element(x):
    return _at_byte(x, 1)


LAYOUTS = [fortran, reversed_, strided, padded_rows, broadcast, broadcast_last, read_only, unaligned_vector, misaligned_element]


@pytest.mark.parametrize("spec", SPECS)
def test_layout_does_not_change_a_bit(two_isas, spec):
    for case in spec.all_cases():
        inputs = spec.inputs(case, "float32")
        for layout in LAYOUTS:
            laid = [None if x is None else np.asarray(layout(x)) for x in inputs]
            plain = [None if x is None else np.array(x, order="C") for x in laid]
            memory = [None if x is None else (x if x.base is None else x.base) for x in laid]
            before = [None if m is None or not isinstance(m, np.ndarray) else m.tobytes() for m in memory]
            got, want = run(spec, case, laid), run(spec, case, plain)
            where = f"{spec.name} {case} {two_isas} {layout.__name__}"
            if spec.exact_layout:
                assert all(map(same_bits, got, want)), f"{where}: {got}\nnot {want}"
            else:
                assert all(np.allclose(g, w, rtol=10 * spec.tol, atol=10 * spec.tol, equal_nan=True) for g, w in zip(got, want)), where
            after = [None if m is None or not isinstance(m, np.ndarray) else m.tobytes() for m in memory]
            assert before == after, f"{where}: an input was modified"


@pytest.mark.parametrize("spec", SPECS)
def test_again_gives_the_same_bits(spec):
    for case in spec.all_cases()[:3]:
        inputs = spec.inputs(case, "float32")
        assert all(map(same_bits, run(spec, case, inputs), run(spec, case, inputs))), f"{spec.name} {case}"


def test_the_layouts_are_what_they_say():
    x = np.arange(12.0).reshape(3, 4)
    for layout in LAYOUTS:
        assert layout is broadcast or layout is broadcast_last or np.array_equal(layout(x), x)
    assert reversed_(x).strides[0] < 0 and strided(x).strides[1] == 16 and not misaligned_element(x).flags.aligned
    assert broadcast(x).strides[0] == 0 and broadcast_last(x).strides[1] == 0 and not read_only(x).flags.writeable
