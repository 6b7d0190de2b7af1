"""Ops written in Python (autograd.Function), and gradcheck, which must catch a wrong one."""
import gc

import numpy as np
import pytest

import fastnet
from fastnet import tensor
from fastnet.autograd import Function, GradcheckError, grad, gradcheck


class Cube(Function):
    @staticmethod
    def forward(ctx, x, scale=1.0):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x * x * x * scale

    @staticmethod
    def backward(ctx, gy):
        x, = ctx.saved_tensors
        return gy * x * x * (3.0 * ctx.scale), None


class Split(Function):
    """(x, w) -> (x w, x + w, the sign of x): two differentiable outputs and one that is not."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        sign = tensor(np.sign(x.detach().numpy()))
        ctx.mark_non_differentiable(sign)
        return x * w, x + w, sign

    @staticmethod
    def backward(ctx, gp, gs, gsign):
        x, w = ctx.saved_tensors
        return (gp * w + gs) if ctx.needs_input_grad[0] else None, (gp * x + gs) if ctx.needs_input_grad[1] else None


def leaf(*values):
    return tensor(list(values), dtype=fastnet.float64, requires_grad=True)


def test_a_function_has_its_place_on_the_tape():
    x = leaf(1.0, 2.0)
    y = Cube.apply(x * 2.0, 0.5)
    assert y.tolist() == [4.0, 32.0] and y.requires_grad and not y.is_leaf
    (y * 3.0).sum().backward()
    assert x.grad.tolist() == [3 * 0.5 * 3 * 4.0 * 2, 3 * 0.5 * 3 * 16.0 * 2]


def test_gradcheck_accepts_right_functions():
    assert gradcheck(Cube.apply, leaf(0.5, -1.5))
    assert gradcheck(lambda x, w: Split.apply(x, w)[:2], (leaf(0.5, -1.5), leaf(2.0, 3.0)))
    assert gradcheck(lambda x: (x * x).sum() * 3.0, leaf(0.5, -1.5), fast_mode=True)


def test_gradcheck_catches_a_wrong_backward():
    class Wrong(Cube):
        @staticmethod
        def backward(ctx, gy):
            x, = ctx.saved_tensors
            return gy * x * x * 3.003, None
    with pytest.raises(GradcheckError, match="output 0, input 0"):
        gradcheck(Wrong.apply, leaf(0.5, -1.5), rtol=1e-4)
    assert gradcheck(Wrong.apply, leaf(0.5, -1.5), rtol=1e-4, raise_exception=False) is False
    assert gradcheck(Wrong.apply, leaf(0.5, -1.5), rtol=1e-4, raise_exception=False, fast_mode=True) is False
    assert gradcheck(Wrong.apply, leaf(0.5, -1.5), rtol=1e-2)


def test_gradcheck_catches_one_wrong_element_and_a_missing_gradient():
    class OneWrong(Cube):
        @staticmethod
        def backward(ctx, gy):
            g = Cube.backward(ctx, gy)[0].numpy().copy()
            g[-1] += 1e-3
            return fastnet.from_numpy(g), None

    class NoGradient(Cube):
        @staticmethod
        def backward(ctx, gy):
            return None, None
    for wrong in (OneWrong, NoGradient):
        with pytest.raises(GradcheckError):
            gradcheck(wrong.apply, leaf(0.5, -1.5, 2.0))


def test_gradcheck_catches_a_backward_that_is_not_repeatable():
    class Random(Cube):
        count = 0

        @staticmethod
        def backward(ctx, gy):
            Random.count += 1
            return Cube.backward(ctx, gy)[0] * (1.0 + 1e-9 * Random.count), None
    with pytest.raises(GradcheckError, match="two runs"):
        gradcheck(Random.apply, leaf(0.5, -1.5))


def test_gradcheck_wants_float64_that_requires_gradients():
    with pytest.raises(ValueError, match="float32"):
        gradcheck(Cube.apply, tensor([1.0], requires_grad=True))
    with pytest.raises(ValueError, match="requires gradients"):
        gradcheck(Cube.apply, tensor([1.0], dtype=fastnet.float64))


def test_several_outputs():
    x, w = leaf(2.0), leaf(5.0)
    p, s, sign = Split.apply(x, w)
    assert p.requires_grad and s.requires_grad and not sign.requires_grad
    (p * 10.0 + s).sum().backward()
    assert x.grad.item() == 51.0 and w.grad.item() == 21.0


def test_an_unused_output_gives_zeros():
    x, w = leaf(2.0), leaf(5.0)
    Split.apply(x, w)[1].sum().backward()
    assert x.grad.item() == 1.0 and w.grad.item() == 1.0


def test_an_unused_output_gives_none_where_asked():
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2.0, x * 3.0

        @staticmethod
        def backward(ctx, ga, gb):
            seen.append((ga is None, gb is None))
            return gb * 3.0
    x = leaf(1.0)
    Pair.apply(x)[1].sum().backward()
    assert seen == [(True, False)] and x.grad.item() == 3.0


def test_needs_input_grad_and_none_gradients():
    x, w = leaf(2.0), tensor([5.0], dtype=fastnet.float64)
    p, _, _ = Split.apply(x, w)
    p.sum().backward()
    assert x.grad.item() == 5.0 and w.grad is None

    class Constant(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 0.0 + 1.0

        @staticmethod
        def backward(ctx, gy):
            return None
    x = leaf(1.0, 2.0)
    (Constant.apply(x) + x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_setup_context_style():
    class Square(Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, gy):
            x, = ctx.saved_tensors
            return 2.0 * x * gy
    assert gradcheck(Square.apply, leaf(3.0, 4.0))


def test_wrong_backwards_are_refused():
    class TooMany(Cube):
        @staticmethod
        def backward(ctx, gy):
            return gy, None, gy

    class BadShape(Cube):
        @staticmethod
        def backward(ctx, gy):
            return gy.sum(), None

    class BadType(Cube):
        @staticmethod
        def backward(ctx, gy):
            return 3.0, None
    for wrong, error, words in ((TooMany, RuntimeError, "TooMany.*3 gradients for 2"), (BadShape, RuntimeError, r"BadShape.*\(\).*\(2,\)"),
                                (BadType, TypeError, "BadType.*float")):
        x = leaf(1.0, 2.0)
        with pytest.raises(error, match=words):
            Cube.apply(wrong.apply(x, 1.0), 1.0).sum().backward()
        assert x.grad is None


def test_forward_must_return_tensors():
    class Nothing(Function):
        @staticmethod
        def forward(ctx, x):
            return None
    with pytest.raises(TypeError, match="Nothing.forward"):
        Nothing.apply(leaf(1.0))


def test_a_saved_tensor_modified_in_place_is_noticed():
    x = tensor([1.0, 2.0], dtype=fastnet.float64)
    w = leaf(1.0, 2.0)
    p, _, _ = Split.apply(w, x)
    x.add_(1.0)
    with pytest.raises(RuntimeError, match="modified in place"):
        p.sum().backward()


def test_an_output_saved_for_backward_is_no_cycle():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, gy):
            return gy * ctx.saved_tensors[0]
    assert gradcheck(Exp.apply, leaf(0.5, 1.5))
    gc.collect()
    gc.disable()
    try:
        before = fastnet.memory_stats()["live_bytes"]
        y = Exp.apply(leaf(0.5, 1.5))
        del y
        assert fastnet.memory_stats()["live_bytes"] == before
    finally:
        gc.enable()


def test_what_was_not_saved_is_not_kept():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, gy):
            return 2 * gy
    x = leaf(1.0, 2.0)
    before = fastnet.memory_stats()["live_bytes"]
    y = Twice.apply(x + fastnet.zeros(1000, 2))
    made = fastnet.memory_stats()["live_bytes"] - before
    assert 16_000 <= made < 20_000                       # of the two arrays the result only
    y.sum().backward()
    assert x.grad.tolist() == [2000, 2000]


def test_nothing_is_recorded_without_gradients():
    with fastnet.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad
    assert not Cube.apply(tensor([1.0])).requires_grad


def test_an_input_returned_unchanged_passes_gradients():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 7.0
    x = leaf(1.0, 2.0)
    y = Same.apply(x)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]


def test_an_exception_in_backward_comes_through():
    class Fails(Cube):
        @staticmethod
        def backward(ctx, gy):
            raise ZeroDivisionError("in backward")
    with pytest.raises(ZeroDivisionError, match="in backward"):
        Fails.apply(leaf(1.0)).sum().backward()


def test_functions_retain_the_graph_and_capture_gradients():
    x = leaf(2.0)
    inner = x * 1.0
    p, s, _ = Split.apply(inner, inner)
    y = p + s
    first = grad(y, [inner, p], retain_graph=True)
    again = grad(y, [inner, p])
    assert [g.item() for g in first] == [g.item() for g in again] == [6.0, 1.0]
