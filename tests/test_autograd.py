"""The tape: what backward computes, keeps, frees and refuses."""
import gc
import re
import weakref

import numpy as np
import pytest

import fastnet
from fastnet import tensor
from fastnet.autograd import grad


def leaf(*values, dtype=None):
    return tensor(list(values), dtype=dtype, requires_grad=True)


def test_the_classic_example():
    w = tensor([2.0], requires_grad=True)
    x = tensor([3.0])
    loss = (w * x - 10.0) ** 2
    loss.backward()
    assert loss.item() == 16.0 and w.grad.item() == -24.0 and x.grad is None


def test_gradients_add_up_over_uses_and_over_backwards():
    x = leaf(1.0, 2.0)
    y = x * x + x * 3.0 + x                               # dy/dx = 2 x + 4
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 8.0]
    (x * 10.0).sum().backward()
    assert x.grad.tolist() == [16.0, 18.0]
    x.grad = None
    (x * 10.0).sum().backward()
    assert x.grad.tolist() == [10.0, 10.0]


def test_the_same_tensor_twice_as_operands():
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad.item() == 6.0
    x.grad = None
    (x - x).backward()
    assert x.grad.item() == 0.0


def test_a_diamond_is_walked_once():
    """A node is differentiated after all its uses: 2 ** 20 paths cost 20 steps."""
    x = leaf(1.0)
    y = x
    calls = []
    for _ in range(20):
        y.register_hook(calls.append)
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0 ** 20 and len(calls) == 20


def test_backward_starts_with_a_given_gradient():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2.0
    y.backward(tensor([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [2.0, 20.0, 200.0]


@pytest.mark.parametrize("gradient, error, words", [
    (None, RuntimeError, r"\(3,\)"),
    (np.ones(2, np.float32), RuntimeError, r"\(2,\).*\(3,\)"),
    (np.ones(3, np.float64), RuntimeError, "float64.*float32"),
])
def test_a_wrong_first_gradient_is_refused(gradient, error, words):
    y = leaf(1.0, 2.0, 3.0) * 2.0
    with pytest.raises(error, match=words):
        y.backward(None if gradient is None else fastnet.from_numpy(gradient))


def test_what_has_no_history_has_no_backward():
    with pytest.raises(RuntimeError, match="does not require gradients"):
        tensor([1.0]).backward()
    with pytest.raises(RuntimeError, match="does not require gradients"):
        leaf(1.0).detach().backward()


def test_only_floats_require_gradients():
    with pytest.raises(RuntimeError, match="int64"):
        tensor([1]).requires_grad_()
    with pytest.raises(RuntimeError, match="bool"):
        tensor([True], requires_grad=True)


def test_the_graph_is_freed_unless_retained():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12.0
    with pytest.raises(RuntimeError, match="freed by an earlier backward.*retain_graph=True"):
        y.backward()


def test_a_freed_node_is_noticed_through_a_new_graph_too():
    x = leaf(3.0)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="MulBackward0.*freed"):
        (y * 2.0).backward()


def test_backward_frees_what_was_saved():
    x = tensor(np.ones(1 << 18, np.float32), requires_grad=True)
    gc.collect()
    before = fastnet.memory_stats()["live_bytes"]
    y = x.exp().sum()                                     # exp keeps its result
    assert fastnet.memory_stats()["live_bytes"] >= before + x.nbytes
    y.backward()
    x.grad = None
    assert fastnet.memory_stats()["live_bytes"] <= before + 8192
    del y
    assert fastnet.memory_stats()["live_bytes"] == before


def test_a_saved_tensor_modified_in_place_is_noticed():
    x, scale = leaf(1.0, 2.0), tensor([3.0, 4.0])
    y = x * scale
    scale.add_(1.0)
    with pytest.raises(RuntimeError, match=r"MulBackward0.*\(2,\).*modified in place.*version 1, version 0"):
        y.sum().backward()
    assert x.grad is None


def test_a_modified_tensor_that_backward_does_not_read_is_fine():
    x, shift = leaf(1.0, 2.0), tensor([3.0, 4.0])
    y = x + shift
    shift.mul_(0.0)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_modified_view_is_noticed_through_its_base():
    x, scale = leaf(1.0, 2.0), tensor([3.0, 4.0])
    y = x * scale
    scale[0:1].zero_()
    with pytest.raises(RuntimeError, match="modified in place"):
        y.sum().backward()


def test_a_leaf_is_not_modified_in_place_while_recording():
    w = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="add_.*leaf"):
        w.add_(1.0)
    assert w.tolist() == [1.0, 2.0]
    with fastnet.no_grad():
        w.add_(1.0)
    assert w.tolist() == [2.0, 3.0] and w.is_leaf and w.requires_grad


def test_in_place_ops_are_recorded():
    x = leaf(1.0, 2.0)
    y = x * 2.0
    y.mul_(3.0).add_(1.0)
    assert y.grad_fn is not None
    y.sum().backward()
    assert y.tolist() == [7.0, 13.0] and x.grad.tolist() == [6.0, 6.0]


def test_hooks_see_and_replace_gradients():
    x = leaf(1.0, 2.0)
    seen = []
    y = x * 2.0
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10.0)
    x.register_hook(lambda g: g + 1.0)
    (y * 3.0).sum().backward()
    assert seen == [[3.0, 3.0]] and x.grad.tolist() == [61.0, 61.0]
    handle.remove()
    handle.remove()
    x.grad = None
    y = x * 2.0
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_hook_on_a_leaf_is_called_once_with_the_whole_gradient():
    x, seen = leaf(1.0), []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2.0 + x * 3.0).backward()
    assert seen == [5.0]


def test_hook_handles_work_in_with_blocks():
    x = leaf(1.0)
    with x.register_hook(lambda g: g * 100.0):
        (x * 2.0).backward()
    assert x.grad.item() == 200.0
    x.grad = None
    (x * 2.0).backward()
    assert x.grad.item() == 2.0


def test_wrong_hooks_are_refused():
    with pytest.raises(RuntimeError, match="register_hook"):
        tensor([1.0]).register_hook(print)
    with pytest.raises(TypeError, match="register_hook.*callable"):
        leaf(1.0).register_hook(3)
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match=r"hook.*\(2,\).*\(\)"):
        (x * 1.0).sum().backward()


def test_an_error_in_a_hook_comes_through_and_leaves_no_trace():
    gc.collect()
    before = fastnet.memory_stats()["live_bytes"]
    x = leaf(1.0, 2.0)
    y = x * 2.0

    def fail(g):
        raise KeyError("mine")
    y.register_hook(fail)
    with pytest.raises(KeyError, match="mine"):
        (y * y).sum().backward()
    assert x.grad is None
    (x * 5.0).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    del x, y, fail
    gc.collect()
    assert fastnet.memory_stats()["live_bytes"] == before


def test_retain_grad_of_an_interior_tensor():
    x = leaf(2.0)
    y = x * 3.0
    y.retain_grad()
    z = y * y
    z.backward()
    assert y.retains_grad and y.grad.item() == 12.0 and x.grad.item() == 36.0 and z.grad is None
    with pytest.raises(RuntimeError, match="retain_grad"):
        tensor([1.0]).retain_grad()


def test_grad_returns_and_touches_nothing():
    x, w = leaf(2.0), leaf(5.0)
    y = x * w
    gx, = grad(y, [x], retain_graph=True)
    gw, gx2 = grad(y, (w, x))
    assert gx.item() == gx2.item() == 5.0 and gw.item() == 2.0 and x.grad is None and w.grad is None
    assert not gx.requires_grad


def test_grad_of_interior_tensors():
    x = leaf(2.0)
    a = x * 3.0
    b = a * a
    ga, gb, gx = grad(b * 2.0, [a, b, x])
    assert (ga.item(), gb.item(), gx.item()) == (24.0, 2.0, 72.0)


def test_grad_of_an_output_with_respect_to_itself():
    y = leaf(2.0) * 3.0
    assert grad(y, y)[0].item() == 1.0


def test_grad_with_given_first_gradients_and_several_outputs():
    x = leaf(1.0, 2.0)
    ys = [x * 2.0, x * x]
    g, = grad(ys, x, grad_outputs=[tensor([1.0, 1.0]), tensor([10.0, 10.0])])
    assert g.tolist() == [22.0, 42.0]


def test_grad_of_what_is_unused():
    x, other = leaf(2.0), leaf(1.0, 1.0)
    with pytest.raises(RuntimeError, match=r"\(2,\).*allow_unused"):
        grad(x * 2.0, [x, other])
    g, none = grad(x * 2.0, [x, other], allow_unused=True)
    assert g.item() == 2.0 and none is None
    _, zeros = grad(x * 2.0, [x, other], materialize_grads=True)
    assert zeros.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="does not require gradients"):
        grad(x * 2.0, [tensor([1.0])])
    with pytest.raises(ValueError, match="is_grads_batched"):
        grad(x * 2.0, x, is_grads_batched=True)


def test_the_same_input_asked_for_twice():
    x = leaf(2.0)
    assert [g.item() for g in grad(x * x, [x, x])] == [4.0, 4.0]


def test_backward_into_some_leaves_only():
    x, w = leaf(2.0), leaf(5.0)
    (x * w).backward(inputs=[w])
    assert x.grad is None and w.grad.item() == 2.0
    fastnet.autograd.backward([x * w, x * 3.0])
    assert x.grad.item() == 8.0 and w.grad.item() == 4.0


def test_detach_cuts_and_shares():
    x = leaf(2.0)
    d = (x * 3.0).detach()
    assert not d.requires_grad and d.grad_fn is None and d.is_leaf
    y = x * d
    y.backward()
    assert x.grad.item() == 6.0
    source = tensor([1.0, 2.0])
    source.detach().mul_(2.0)
    assert source.tolist() == [2.0, 4.0]


def test_leaves_and_their_functions():
    x = leaf(2.0)
    y = x * 3.0
    assert x.is_leaf and x.grad_fn is None and not y.is_leaf and tensor([1.0]).is_leaf
    assert repr(y.grad_fn) == "<MulBackward0>" and y.grad_fn.name() == "MulBackward0"
    (inner, _), *_ = (y * 1.0).grad_fn.next_functions
    assert inner == y.grad_fn
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad_(False)


def test_a_gradient_of_the_wrong_kind_cannot_be_set():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"\(2,\).*\(3,\)"):
        x.grad = tensor([1.0, 2.0, 3.0])
    with pytest.raises(RuntimeError, match="float64"):
        x.grad = tensor([1.0, 2.0], dtype=fastnet.float64)
    with pytest.raises(TypeError, match="grad.*list"):
        x.grad = [1.0, 2.0]
    x.grad = tensor([5.0, 5.0])
    (x * 1.0).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_a_kept_gradient_is_not_changed_by_the_next_backward_of_another_tensor():
    """Gradients that pass through ops for free are shared; adding to one must not show in the other."""
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (a + b).backward(first := tensor([1.0, 1.0]))
    assert first.tolist() == [1.0, 1.0]
    (a * 10.0).sum().backward()
    assert a.grad.tolist() == [11.0, 11.0] and b.grad.tolist() == [1.0, 1.0] and first.tolist() == [1.0, 1.0]


def test_a_chain_of_a_million_ops_is_differentiated_and_freed():
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward(retain_graph=True)
    assert x.grad.item() == 1.0
    gc.collect()
    live = fastnet.memory_stats()["live_bytes"]
    del y
    assert live - fastnet.memory_stats()["live_bytes"] > 1_000_000 * 64


def test_dropping_results_frees_their_history():
    gc.collect()
    before = fastnet.memory_stats()["live_bytes"]
    x = leaf(1.0, 2.0)
    for _ in range(100):
        y = (x * 2.0 + 1.0).sum()
    del x, y
    assert fastnet.memory_stats()["live_bytes"] == before


def test_tensors_can_be_weakly_referenced():
    x = tensor([1.0])
    ref = weakref.ref(x)
    assert ref() is x
    del x
    assert ref() is None


def test_error_texts_are_one_line():
    y = leaf(1.0, 2.0) * 2.0
    with pytest.raises(RuntimeError) as caught:
        y.backward()
    assert re.fullmatch(r"[^\n]{20,300}", str(caught.value))
