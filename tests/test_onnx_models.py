"""Whole models, exported and run by onnxruntime with other sizes than those of the example."""
import numpy as np
import pytest
from onnx_runtime import Calls, same, session

import fastnet as fn
from fastnet import nn
from fastnet.ops.conv import conv_act


def trained(model, *inputs):
    """The model after a look at some data: batch norms know their statistics."""
    model.train()
    with fn.no_grad():
        for _ in range(5):
            model(*inputs)
    return model


def ids(*shape):
    return fn.randint(0, 60, shape)


IMAGES = {
    "lenet": lambda: fn.models.LeNet5(), "resnet": lambda: fn.models.resnet18(num_classes=5, width=16),
    "mobilenet": lambda: fn.models.mobilenet_v2(num_classes=5, width_mult=0.35),
    "efficientnet": lambda: fn.models.efficientnet_b0(num_classes=5),
    "unet": lambda: fn.models.UNet(3, 2, width=4), "unet bilinear": lambda: fn.models.UNet(3, 2, True, width=4),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_with_another_batch(name):
    fn.manual_seed(0)
    shape = (1, 28, 28) if name == "lenet" else (3, 32, 32)
    model = trained(IMAGES[name](), fn.randn(4, *shape))
    exported = fn.onnx.export(model, fn.randn(1, *shape), dynamic_axes={"input": {0: "batch"}})
    assert model.training and not [n for n in exported.graph.node if n.op_type in ("Identity", "Shape")]
    same(exported, model, (fn.randn(1, *shape),), (fn.randn(3, *shape),), tolerance=1e-5)


def test_images_with_other_sides():
    fn.manual_seed(0)
    model = trained(fn.models.UNet(1, 2, width=4), fn.randn(2, 1, 32, 32))
    exported = fn.onnx.export(model, fn.randn(1, 1, 32, 32), dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}})
    assert [d.dim_param for d in exported.graph.output[0].type.tensor_type.shape.dim] == ["batch", "", "height", "width"]
    same(exported, model, (fn.randn(2, 1, 64, 48),), tolerance=1e-5)


@pytest.mark.parametrize("head", ["one2one", "one2many"])
def test_yolo26(head):
    fn.manual_seed(0)
    model = trained(fn.models.YOLO26(3, (0.5, 0.125, 128), head=head), fn.rand(2, 3, 64, 64)).eval()
    axes = {"input": {0: "batch", 2: "height", 3: "width"}}
    exported = fn.onnx.export(model, fn.rand(1, 3, 192, 192), dynamic_axes=axes)
    _detections(exported, model, fn.rand(2, 3, 160, 192)) if head == "one2one" else \
        same(exported, model, (fn.rand(2, 3, 160, 192),), tolerance=1e-5)
    fused = fn.onnx.export(model.fuse(), fn.rand(1, 3, 192, 192), dynamic_axes=axes)
    assert len(fused.graph.node) < len(exported.graph.node) and not [n for n in fused.graph.node if n.op_type == "BatchNormalization"]


def _detections(exported, model, images):
    """The same detections; those of like scores may come in another order."""
    got, = session(exported).run(None, {"input": images.numpy()})
    with fn.no_grad():
        wanted = model(images).numpy()
    np.testing.assert_allclose(got[..., 4], wanted[..., 4], rtol=1e-4, atol=1e-7)
    for a, b in zip(got, wanted):
        distance = np.abs(a[:, None] - b[None])[:280, :, [0, 1, 2, 3, 5]].max(-1)
        assert distance.min(1).max() < 1e-2


TEXT = {
    "gpt": lambda: fn.models.GPT(65, 32, 2, 2, 16), "gpt rotary": lambda: fn.models.GPT(65, 32, 2, 2, 16, position="rotary"),
    "bert": lambda: fn.models.Bert(65, 16, 2, 2, 32), "lstm": lambda: fn.models.LSTMLanguageModel(65, 16, 16, tie_weights=True),
}


@pytest.mark.parametrize("name", TEXT)
def test_text_with_other_lengths(name):
    fn.manual_seed(0)
    model = TEXT[name]()
    exported = fn.onnx.export(model, ids(2, 8), dynamic_axes={"input": {0: "batch", 1: "length"}})
    same(exported, model, (ids(3, 13),), (ids(1, 1),))
    names = {i.name for i in exported.graph.initializer}
    if name != "lstm":                                    # whose gates have another order in ONNX
        assert {n for n, p in model.named_parameters() if not n.endswith("token_type_embeddings.weight")} <= names


def test_bert_with_a_mask():
    fn.manual_seed(0)
    model = fn.models.Bert(65, 16, 2, 2, 32)
    mask = fn.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    axes = {0: "batch", 1: "length"}
    exported = fn.onnx.export(model, ids(2, 4), kwargs={"attention_mask": mask},
                              dynamic_axes={"input_ids": axes, "attention_mask": axes})
    assert [i.name for i in exported.graph.input] == ["input_ids", "attention_mask"]
    same(exported, model, (ids(1, 6), fn.tensor([[1, 1, 1, 1, 1, 0]])))


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}, {"bias": False}])
def test_recurrent_layers(layer, options):
    fn.manual_seed(0)
    model = layer(4, 6, **options)
    first = options.get("batch_first", False)
    x, y = fn.randn(5, 2, 4), fn.randn(7, 3, 4)
    axes = {"input": {0: "batch", 1: "length"} if first else {0: "length", 1: "batch"}}
    same(fn.onnx.export(model, x, dynamic_axes=axes), model, (x,), (y,))
    h = fn.randn(model.num_layers * (2 if model.bidirectional else 1), 5 if first else 2, 6)
    given = Calls(lambda x, h: model(x, (h, h + 1) if layer is nn.LSTM else h))
    same(fn.onnx.export(given, (x, h)), given, (x, h))


def test_cells_and_relu():
    x, h = fn.randn(3, 4), fn.randn(3, 6)
    for model in (nn.RNNCell(4, 6, nonlinearity="relu"), nn.GRUCell(4, 6)):
        same(fn.onnx.export(model, (x, h)), model, (x, h))
    cell = nn.LSTMCell(4, 6)
    same(fn.onnx.export(cell, x, dynamic_axes={"input": [0]}), cell, (fn.randn(5, 4),))


def test_transformer():
    fn.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    exported = fn.onnx.export(model, fn.randn(2, 5, 8), dynamic_axes={"input": {0: "batch", 1: "length"}})
    same(exported, model, (fn.randn(3, 7, 8),))
    both = fn.models.Seq2Seq(20, 20, 16, 2, 1, 1, 32)
    exported = fn.onnx.export(both, (fn.randint(3, 20, (2, 5)), fn.randint(3, 20, (2, 4))),
                              dynamic_axes={"source": {0: "n", 1: "s"}, "target": {0: "n", 1: "t"}})
    same(exported, both, (fn.tensor([[4, 5, 6, 0], [7, 8, 9, 10]]), fn.tensor([[4, 5], [6, 7]])))
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    both = Calls(lambda q, k: attention(q, k, k))
    exported = fn.onnx.export(both, (fn.randn(2, 5, 8), fn.randn(2, 4, 8)), input_names=["q", "k"], dynamic_axes={"q": {0: "n", 1: "l"},
                                                                                                                 "k": {0: "n", 1: "s"}})
    same(exported, both, (fn.randn(3, 7, 8), fn.randn(3, 2, 8)))


@pytest.mark.parametrize("act", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.SiLU, nn.Hardswish, nn.GELU, nn.Mish, nn.Tanh, nn.Sigmoid])
def test_activations_in_one_pass_with_what_is_before_them(act):
    fn.manual_seed(0)
    layers = [nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), act(), nn.Conv2d(4, 4, 3), act(), nn.Flatten(), nn.Linear(64, 3), act()]
    model = trained(nn.Sequential(*layers), fn.randn(8, 2, 8, 8))
    same(fn.onnx.export(model, fn.randn(2, 2, 8, 8)), model, (fn.randn(2, 2, 8, 8),))


@pytest.mark.parametrize("last", [False, True])
def test_a_sum_in_one_pass_with_a_convolution(last):
    w, b = fn.randn(4, 2, 3, 3), fn.randn(4)
    model = Calls(lambda x, r: conv_act(x, w, b, 1, 1, 1, 1, "gelu_tanh", residual=r, residual_last=last))
    example = fn.randn(2, 2, 8, 8), fn.randn(2, 4, 8, 8)
    same(fn.onnx.export(model, example), model, example, tolerance=5e-6)


def test_folding_norms_makes_the_file_smaller():
    fn.manual_seed(0)
    model = trained(fn.models.resnet18(num_classes=5, width=16), fn.randn(4, 3, 32, 32)).eval()
    x = fn.randn(1, 3, 32, 32)
    plain = fn.onnx.export(model, x, dynamic_axes={"input": [0]})
    fused = fn.onnx.export(fn.fuse_conv_bn(model), x, dynamic_axes={"input": [0]})
    kinds = [n.op_type for n in fused.graph.node]
    assert len(kinds) == 49 and len(plain.graph.node) == 69 and "BatchNormalization" not in kinds
    same(fused, model, (fn.randn(2, 3, 32, 32),), tolerance=1e-4)
    assert len(fused.SerializeToString()) < sum(p.numel() * 4 for p in model.parameters()) + 20_000
