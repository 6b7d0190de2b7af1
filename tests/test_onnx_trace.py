"""Without the package onnx: an exporter takes the arguments of its op, and what models call in evaluation has an exporter."""
import inspect
from threading import Event, Thread

import pytest

import fastnet as fn
from fastnet import nn
from fastnet.onnx.ops import EXPORTERS
from fastnet.onnx.runs import traces_of
from fastnet.onnx.trace import _functions, tensors
from fastnet.ops import sort
from fastnet.ops.out import listen
from fastnet.training.evaluate import evaluating

OPS = {name.removesuffix("_"): f for f, name in _functions().items() if name.removesuffix("_") in EXPORTERS}
OPS |= {name: getattr(sort, name) for name in ("topk", "sort", "argsort")}
OTHERWISE = {"full", "new_full", "full_like", "fill", "clamp_max", "concatenate", "vector_norm"}    # they sort their arguments out


@pytest.mark.parametrize("name", sorted(OPS.keys() - OTHERWISE))
def test_an_exporter_takes_the_arguments_of_its_op(name):
    op = list(inspect.signature(OPS[name]).parameters.values())
    taken = list(inspect.signature(EXPORTERS[name]).parameters.values())[1:]
    loose = {t.kind for t in taken} & {inspect.Parameter.VAR_KEYWORD}
    for k, p in enumerate(op):
        if p.name == "out" or p.kind == p.VAR_KEYWORD:
            continue
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY) and not any(t.kind == t.VAR_POSITIONAL for t in taken[:k + 1]):
            assert k < len(taken) and taken[k].kind == taken[k].POSITIONAL_OR_KEYWORD, p
            assert taken[k].name == p.name or k == 0 or loose, p
        elif p.kind == p.KEYWORD_ONLY:
            assert loose or p.name in {t.name for t in taken}, p


MODELS = {
    "images": lambda: (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.GELU(), nn.MaxPool2d(2),
                                     nn.Flatten(), nn.Linear(36, 4), nn.ReLU(), nn.Linear(4, 2)), fn.randn(2, 3, 8, 8)),
    "mobilenet": lambda: (fn.fuse_conv_bn(fn.models.mobilenet_v2(num_classes=2, width_mult=0.35).eval()), fn.randn(1, 3, 32, 32)),
    "efficientnet": lambda: (fn.models.efficientnet_b0(num_classes=2), fn.randn(1, 3, 32, 32)),
    "resnet": lambda: (fn.fuse_conv_bn(fn.models.resnet50(num_classes=2, width=8).eval()), fn.randn(1, 3, 32, 32)),
    "unet": lambda: (fn.models.UNet(1, 1, True, width=4), fn.randn(1, 1, 16, 16)),
    "yolo26": lambda: (fn.models.YOLO26(2, (0.5, 0.125, 128)).eval().fuse(), fn.rand(1, 3, 64, 64)),
    "gpt": lambda: (fn.models.GPT(20, 8, 1, 2, 8), fn.randint(0, 20, (2, 6))),
    "bert": lambda: (fn.models.Bert(20, 8, 1, 2, 16), fn.randint(0, 20, (2, 6))),
    "lstm": lambda: (fn.models.LSTMLanguageModel(20, 8, 8), fn.randint(0, 20, (2, 6))),
    "transformer": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1), fn.randn(2, 5, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_models_call_can_be_exported(name):
    model, x = MODELS[name]()
    with evaluating(model):
        traces, results, made = traces_of(model, ((x,), {}), [x], {"n": [(0, 0)]})
    assert len(traces) == 4 and len(results) == len(list(tensors(made)))
    assert {e.name for e in traces[0].events} <= EXPORTERS.keys()


class Slow:
    """A size that says when it is asked for, and then waits."""

    def __init__(self):
        self.asked, self.go = Event(), Event()

    def __index__(self):
        self.asked.set()
        assert self.go.wait(30)
        return 3


def test_a_thread_within_a_function_hides_no_call_from_the_listener_and_leaves_nothing_behind():
    def call(what, args, options):
        heard.append(names[what])
        return what(*args, **options)

    names, heard, sizes = {fn.ones: "ones", fn.broadcast_shapes: "broadcast_shapes"}, [], Slow()
    other = Thread(target=lambda: heard.append(fn.ones(sizes).tolist()))
    listen(call, names)
    try:
        other.start()
        assert sizes.asked.wait(30)
        assert fn.ones(2, dtype=fn.int64).tolist() == [1, 1] and heard == ["ones"]
        assert fn.broadcast_shapes((2, 1), (3,)) == (2, 3)
        with pytest.raises(TypeError):
            fn.broadcast_shapes(x=1)
    finally:
        listen(None)
        sizes.go.set()
    other.join()
    assert heard == ["ones", "broadcast_shapes", "broadcast_shapes", [1, 1, 1]]
    listen(call, names)
    listen(None)
    assert fn.ones(2).tolist() == [1, 1] and len(heard) == 4
