"""In-place ops on tensors that have views, and on views: whose gradient is whose afterwards."""
import gc

import numpy as np
import pytest

import fastnet


def leaf():
    return fastnet.arange(6, dtype=fastnet.float64).reshape(2, 3).clone().requires_grad_()


def slope(function):
    """d function / d leaf by central differences."""
    out, at, h = np.zeros(6), leaf().detach().numpy().ravel().copy(), 1e-6
    for i in range(6):
        for sign in (1, -1):
            x = at.copy()
            x[i] += sign * h
            with fastnet.no_grad():
                out[i] += sign * float(function(fastnet.tensor(x.reshape(2, 3)))) / (2 * h)
    return out


def a_view_before_the_assignment(w):
    y = w * 2
    v = y[0]
    y[1] = 5.0
    y[0, 1] = w[1, 1] * 3
    return (v * v).sum()


def a_view_is_scaled(w):
    y = w * 2
    y[0].mul_(3)
    return (y * y).sum()


def a_column_is_added_to(w):
    y = w * 2
    y[:, 0] += w[0, 2]
    return (y * y).sum()


def rows_are_filled_one_by_one(w):
    z = fastnet.zeros(3, 3, dtype=fastnet.float64)
    z[0].copy_(w[0])
    z[1] = w[1] * 2
    row = z[2]
    row += w.sum(0)
    return (z * z * fastnet.arange(9).reshape(3, 3)).sum()


def views_of_views(w):
    y = w * 2
    t, r = y.t(), y.view(6)
    t[0].sin_()
    return (r * fastnet.arange(6)).sum() + (t * t).sum()


def a_view_of_another_memory_order(w):
    y = (w * 2).transpose(0, 1).clone()
    v = y[1:]
    v.clamp_(max=7.0)
    v.sigmoid_()
    return (y * y).sum()


def a_diagonal_is_cleared(w):
    y = w * 2
    y.diagonal().fill_(0)
    y.unsqueeze(0)[0, 1, 2] = w[0, 1]
    return (y * y).sum()


def a_view_used_before_the_write(w):
    y = w * 2
    z = y[0] * 3
    y[0] = 1.0
    return z.sum() + y.sum()


def every_second_element_backwards(w):
    y = w * 2
    v = y.view(6)[::2].flip(0)
    u = y.view(6)[1::2]
    u.lerp_(w[0], 0.25)
    return (y * y).sum() + v.sum()


CASES = [a_view_before_the_assignment, a_view_is_scaled, a_column_is_added_to, rows_are_filled_one_by_one, views_of_views,
         a_view_of_another_memory_order, a_diagonal_is_cleared, a_view_used_before_the_write, every_second_element_backwards]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_gradients_follow_the_values(case):
    w = leaf()
    case(w).backward()
    np.testing.assert_allclose(w.grad.numpy().ravel(), slope(case), rtol=1e-6, atol=1e-6)


def test_a_view_of_a_constant_gets_a_history_with_it():
    z, w = fastnet.zeros(2, 3), fastnet.ones(2, 3, requires_grad=True)
    v, d = z[0], z.detach()[0]
    z.copy_(w)
    assert v.requires_grad and not d.requires_grad
    (v * 2).sum().backward()
    assert w.grad.tolist() == [[2.0] * 3, [0.0] * 3]


def test_a_random_fill_ends_the_history():
    w = fastnet.ones(3, requires_grad=True)
    y = w * 2
    v = y[:2]
    y.normal_()
    (y.sum() + v.sum()).backward()
    assert w.grad.tolist() == [0.0] * 3


def test_what_was_saved_is_still_protected():
    w = leaf()
    y = w * 1
    top, bottom = y[0], y[1]
    top.mul_(bottom)
    bottom.mul_(2)
    with pytest.raises(RuntimeError, match="modified in place"):
        y.sum().backward()


def test_refused():
    w = fastnet.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="add_: a view of a leaf"):
        w[0].add_(1)
    y = w * 2
    with fastnet.no_grad():
        v = y[0]
    with pytest.raises(RuntimeError, match="add_: a view made under no_grad"):
        v.add_(1)


def test_views_die_in_any_order():
    y = fastnet.ones(4, requires_grad=True) * 2
    views = [y[i:] for i in range(4)]
    del views[1], views[2]
    gc.collect()
    y[0] = 1.0
    assert all(v.grad_fn.name() == "AsStridedBackward0" for v in views)
    del views
    y.mul_(2)
    base = y.view(2, 2)
    del y
    base.add_(1)
    assert base.tolist() == [[3.0, 5.0], [5.0, 5.0]]
