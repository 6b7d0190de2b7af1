"""no_grad, enable_grad, inference_mode, set_grad_enabled: blocks, decorators, and one setting for each thread."""
import threading

import pytest

import fastnet
from fastnet import tensor


def recorded():
    return (tensor([1.0], requires_grad=True) * 2.0).requires_grad


@pytest.mark.parametrize("mode", [fastnet.no_grad, fastnet.inference_mode])
def test_nothing_is_recorded_inside(mode):
    with mode():
        assert not recorded() and not fastnet.is_grad_enabled()
        assert tensor([1.0], requires_grad=True).requires_grad
    assert recorded() and fastnet.is_grad_enabled()


def test_blocks_nest():
    with fastnet.no_grad():
        with fastnet.enable_grad():
            assert recorded()
            with fastnet.no_grad():
                assert not recorded()
            assert recorded()
        assert not recorded()


def test_an_exception_restores_the_mode():
    with pytest.raises(KeyError):
        with fastnet.no_grad():
            raise KeyError
    assert recorded()


@pytest.mark.parametrize("decorator, want", [
    (lambda: fastnet.no_grad(), False), (lambda: fastnet.no_grad, False), (lambda: fastnet.inference_mode(), False),
    (lambda: fastnet.inference_mode, False), (lambda: fastnet.enable_grad(), True),
    (lambda: fastnet.set_grad_enabled(False), False), (lambda: fastnet.set_grad_enabled(True), True),
])
def test_decorators(decorator, want):
    @decorator()
    def compute(x, scale=2.0):
        """Doc."""
        return (x * scale).requires_grad
    with fastnet.set_grad_enabled(not want):
        assert compute(tensor([1.0], requires_grad=True), scale=3.0) is want
        assert fastnet.is_grad_enabled() is not want
    assert compute.__name__ == "compute" and compute.__doc__ == "Doc." and fastnet.is_grad_enabled()


def test_set_grad_enabled_as_a_function_and_a_block():
    fastnet.set_grad_enabled(False)
    try:
        assert not recorded()
    finally:
        fastnet.set_grad_enabled(True)
    assert recorded()
    with fastnet.set_grad_enabled(False):
        assert not recorded()
    assert recorded()


def test_inference_mode_false_changes_nothing():
    with fastnet.inference_mode(False):
        assert recorded()
    with fastnet.no_grad(), fastnet.inference_mode(False):
        assert not recorded()


def test_each_thread_has_its_own_mode():
    inside, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with fastnet.no_grad():
            seen.append(recorded())
            inside.set()
            leave.wait(10)
        seen.append(recorded())
    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    assert recorded() and fastnet.is_grad_enabled()
    leave.set()
    thread.join()
    assert seen == [False, True]
    with fastnet.no_grad():
        new = []
        thread = threading.Thread(target=lambda: new.append(recorded()))
        thread.start()
        thread.join()
        assert new == [True]


def test_a_tensor_made_without_recording_is_a_leaf():
    x = tensor([1.0], requires_grad=True)
    with fastnet.no_grad():
        y = x * 2.0
    assert y.is_leaf and not y.requires_grad
    y.requires_grad_()
    (x * y).backward()
    assert x.grad.item() == 2.0 and y.grad.item() == 1.0


def test_backward_works_without_recording():
    x = tensor([3.0], requires_grad=True)
    y = x * x
    with fastnet.no_grad():
        y.backward()
    assert x.grad.item() == 6.0 and not x.grad.requires_grad
