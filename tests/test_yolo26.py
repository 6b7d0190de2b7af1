"""YOLO26: sizes and names are the published ones, both heads answer as their formulas say, fusing changes nothing but the names."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import models
from fastnet.models.yolo26_predict import restored

# The published totals, with 80 classes and both heads.
PARAMETERS = {"n": 2_572_280, "s": 10_009_784, "m": 21_896_248, "l": 26_299_704, "x": 58_993_368}
# Parameters of each layer of n, from arithmetic on the published table.
LAYERS = {0: 464, 1: 4672, 2: 6640, 3: 36992, 4: 26080, 5: 147712, 6: 87040, 7: 295424, 8: 346112, 9: 164608, 10: 249728, 13: 119808,
          16: 34304, 17: 36992, 19: 95232, 20: 147712, 22: 463104, 23: 309656}
TINY = (0.5, 0.125, 128)
CONV = ["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"]


def tiny(classes=3, seed=0, **options):
    """In float64, so that nothing is nearly equal."""
    fn.manual_seed(seed)
    model, rng = models.YOLO26(classes, TINY, **options).double(), np.random.default_rng(seed)
    with fn.no_grad():                                    # statistics that are not 0 and 1, and heads that differ
        for name, t in model.state_dict().items():
            if name.endswith("running_var"):
                t.copy_(fn.from_numpy(rng.uniform(0.5, 2, tuple(t.shape))))
            elif name.endswith(("running_mean", "bn.bias")) or ".23." in name and name.endswith("bias"):
                t.copy_(fn.from_numpy(rng.normal(0, 0.5, tuple(t.shape))))
    return model


@pytest.mark.parametrize("scale", PARAMETERS)
def test_parameters_are_the_published_totals(scale, monkeypatch):
    if scale != "n":                                      # numbers are not looked at
        monkeypatch.setattr(fn.nn.init, "kaiming_uniform_", lambda t, *args, **kwargs: t)
    model = getattr(models, "yolo26" + scale)()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[scale]
    if scale == "n":
        assert {int(i): sum(p.numel() for p in layer.parameters()) for i, layer in model.model.items()} == LAYERS
        fused = model.eval().fuse()
        assert sum(p.numel() for p in fused.parameters()) == 2_408_932
        products = 2 * 2 * 3 * 32 * 400 ** 2              # multiply-adds of attention at 640x640: two blocks of two heads, 400 places
        wanted = (2.74e9 - products) / 4 + products / 16  # published: 5.48 GFLOPs at 640x640
        assert abs(fn.summary(fused, (1, 3, 320, 320)).macs / wanted - 1) < 2e-3


def test_names_are_those_of_the_known_checkpoints():
    names = list(models.yolo26n(num_classes=5).state_dict())
    assert names[:6] == [f"model.0.{n}" for n in CONV] and len(set(names)) == len(names)

    def units(start):
        return {n.rsplit(".", 2)[0] for n in names if n.startswith(start) and n.endswith("conv.weight")}
    assert units("model.2.") == {"model.2." + u for u in ("cv1", "cv2", "m.0.cv1", "m.0.cv2")}
    assert units("model.6.") == {"model.6." + u for u in ("cv1", "cv2", "m.0.cv1", "m.0.cv2", "m.0.cv3", "m.0.m.0.cv1", "m.0.m.0.cv2",
                                                          "m.0.m.1.cv1", "m.0.m.1.cv2")}
    assert units("model.9.") == {"model.9.cv1", "model.9.cv2"}
    block = ("attn.qkv", "attn.proj", "attn.pe", "ffn.0", "ffn.1")
    assert units("model.10.") == {"model.10." + u for u in ("cv1", "cv2", *(f"m.0.{u}" for u in block))}
    assert units("model.22.m.") == {"model.22.m.0." + u for u in ("0.cv1", "0.cv2", *(f"1.{u}" for u in block))}
    for head in ("", "one2one_"):
        assert units(f"model.23.{head}cv2.1.") == {f"model.23.{head}cv2.1.{i}" for i in (0, 1)}
        assert units(f"model.23.{head}cv3.2.") == {f"model.23.{head}cv3.2.{i}.{j}" for i in (0, 1) for j in (0, 1)}
        for branch, width in (("cv2", 4), ("cv3", 5)):
            assert [n for n in names if n.startswith(f"model.23.{head}{branch}.0.2.")] == [f"model.23.{head}{branch}.0.2.{end}"
                                                                                          for end in ("weight", "bias")]
            assert models.yolo26n(num_classes=5).state_dict()[f"model.23.{head}{branch}.0.2.bias"].shape == (width,)


def test_the_head_begins_with_few_objects():
    state = models.yolo26n(num_classes=4).state_dict()
    for level, stride in enumerate((8, 16, 32)):
        want = np.log(5 / 4 / (640 / stride) ** 2)
        assert np.allclose(state[f"model.23.cv3.{level}.2.bias"].numpy(), want)
        assert np.allclose(state[f"model.23.one2one_cv2.{level}.2.bias"].numpy(), 2)
        weight = f"cv3.{level}.0.1.conv.weight"
        assert (state[f"model.23.{weight}"].numpy() == state[f"model.23.one2one_{weight}"].numpy()).all()


def grid(height, width):
    """Centres in pixels and strides of all cells, by loops."""
    return [((j + 0.5) * s, (i + 0.5) * s, s) for s in (8, 16, 32) for i in range(height // s) for j in range(width // s)]


def test_both_heads_answer_as_their_formulas_say():
    model = tiny().eval()
    x = fn.from_numpy(np.random.default_rng(1).random((2, 3, 64, 96)))
    with fn.no_grad():
        many, one, _ = model.raw(x)
        found = model(x).numpy()
        model.head = "one2many"
        dense = model(x).numpy()
    at = grid(64, 96)
    assert dense.shape == (2, 7, len(at)) and found.shape == (2, 300, 6)
    for k in range(2):
        d, z = (v.numpy()[k].astype(np.float64) for v in many)
        for a, (cx, cy, s) in enumerate(at):
            want = [cx - d[a, 0] * s, cy - d[a, 1] * s, cx + d[a, 2] * s, cy + d[a, 3] * s, *(1 / (1 + np.exp(-z[a])))]
            assert np.allclose(dense[k, :, a], want, atol=1e-9)
        d, z = (v.numpy()[k].astype(np.float64) for v in one)
        cells = sorted(range(len(at)), key=lambda a: -z[a].max())[:300]
        rows = sorted(((z[a, c], a, c) for a in cells for c in range(3)), reverse=True)[:300]
        for got, (logit, a, c) in zip(found[k], rows):
            cx, cy, s = at[a]
            want = [cx - d[a, 0] * s, cy - d[a, 1] * s, cx + d[a, 2] * s, cy + d[a, 3] * s, 1 / (1 + np.exp(-logit)), c]
            assert np.allclose(got, want, atol=1e-9)


@pytest.mark.parametrize("head", ["one2one", "one2many"])
def test_fuse_folds_norms_and_drops_a_head(head):
    model = tiny(head=head).eval()
    x = fn.from_numpy(np.random.default_rng(2).random((1, 3, 64, 64)))
    fused = model.fuse()
    names = list(fused.state_dict())
    assert not any(".bn." in n for n in names) and any("one2one" in n for n in names) == (head == "one2one")
    with fn.no_grad():
        got, want = fused(x).numpy(), model(x).numpy()
    assert np.abs(got - want).max() < 1e-9 and any(".bn." in n for n in model.state_dict())
    fused.head = "one2one" if head == "one2many" else "one2many"
    with pytest.raises(RuntimeError, match="dropped"):
        fused(x)


def test_the_one_to_one_head_sends_nothing_back_to_the_maps():
    model = tiny().train()
    _, one, _ = model.raw(fn.rand(2, 3, 32, 32, dtype=fn.float64))
    (one.logits.sum() + one.distances.sum()).backward()
    with_grad = {n for n, p in model.named_parameters() if p.grad is not None and float(p.grad.abs().sum()) > 0}
    assert with_grad and all(n.startswith("model.23.one2one_") for n in with_grad)


def test_a_batch_of_no_pictures():
    model, none = tiny().train(), fn.zeros(0, 3, 32, 64, dtype=fn.float64)
    loss = models.DetectionLoss(3)(model(none), {"boxes": [], "labels": []})
    loss.backward()
    assert loss.item() == 0 and all(bool((p.grad == 0).all()) for p in model.parameters())
    with fn.no_grad():
        assert tuple(model.eval()(none).shape) == (0, 42 * 3, 6)


def test_detections_suppress_doubles_of_one_class():
    dense = np.zeros((1, 6, 21), np.float32)
    for a, (box, scores) in enumerate([((0, 0, 10, 10), (0.9, 0)), ((1, 0, 10, 10), (0.8, 0.7)), ((50, 50, 60, 60), (0, 0.4))]):
        dense[0, :, a] = [*box, *scores]
    found = models.detections(fn.from_numpy(dense), score=0.3)[0]
    assert found["labels"].tolist() == [0, 1, 1] and np.allclose(found["scores"].numpy(), [0.9, 0.7, 0.4])
    assert found["boxes"].tolist() == [[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]]
    assert len(models.detections(fn.from_numpy(dense), score=0.3, most=1)[0]["labels"]) == 1
    assert len(models.detections(fn.from_numpy(dense), score=0.95)[0]["labels"]) == 0


def test_predict_undoes_the_letterbox():
    """A box on the canvas of a picture is the box in the picture, for any size, kind and order of axes."""
    rng = np.random.default_rng(3)
    for h, w, canvas in ((40, 100, (64, 64)), (333, 51, (96, 32)), (64, 64, (64, 64))):
        r = min(canvas[0] / h, canvas[1] / w)
        boxes = np.sort(rng.uniform(0, 1, (5, 2, 2)), 1).reshape(5, 4) * [w, h, w, h]
        nh, nw = round(h * r), round(w * r)
        placed = boxes * np.array([nw / w, nh / h] * 2) + np.array([(canvas[1] - nw) // 2, (canvas[0] - nh) // 2] * 2)
        assert np.allclose(restored(placed, (h, w), canvas), boxes, atol=1e-9)
    model = tiny().float()
    image = rng.integers(0, 255, (50, 90, 3), dtype=np.uint8)
    found = model.predict(image, size=64, score=0.0)
    assert model.training and tuple(found["boxes"].shape) == (252, 4)
    b = found["boxes"].numpy()
    assert b.min() >= 0 and b[:, [0, 2]].max() <= 90 and b[:, [1, 3]].max() <= 50
    chw = image.transpose(2, 0, 1)
    same = model.predict([chw, fn.from_numpy(np.ascontiguousarray(chw)), image[:40]], size=64, score=0.0)
    assert len(same) == 3 and all(np.allclose(s["boxes"].numpy(), b, atol=1e-3) for s in same[:2])
    floats = model.predict(chw.astype(np.float32) / 255, size=64, score=0.0)      # resized without rounding to bytes
    assert np.allclose(floats["scores"].numpy(), found["scores"].numpy(), atol=1e-2)
    assert model.predict([]) == [] and len(model.predict(image, size=64, score=0.0, most=0)["scores"]) == 0
    exact = model.double().predict(image, size=64, score=0.0)
    assert exact["boxes"].dtype == fn.float64 and np.allclose(exact["scores"].numpy(), found["scores"].numpy(), atol=1e-4)
    model.float()
    Image = pytest.importorskip("PIL.Image")
    assert np.allclose(model.predict(Image.fromarray(image), size=64, score=0.0)["boxes"].numpy(), b, atol=1e-3)


def test_what_is_refused():
    with pytest.raises(ValueError, match="scale must be one of"):
        models.YOLO26(scale="xl")
    with pytest.raises(ValueError, match="num_classes"):
        models.YOLO26(0)
    with pytest.raises(ValueError, match="head must be"):
        models.YOLO26(scale=TINY, head="both")
    model = tiny()
    with pytest.raises(ValueError, match="multiples of 32"):
        model(fn.zeros(1, 3, 40, 64))
    with pytest.raises(ValueError, match=r"an image must be \(3, H, W\)"):
        model.predict(np.zeros((5, 5), np.uint8))
    with pytest.raises(TypeError, match="uint8"):
        model.predict(np.zeros((3, 5, 5), np.int32))
    with pytest.raises(ValueError, match="values from 0 to 1, got 0 to 255"):
        model.predict(np.linspace(0, 255, 75).reshape(3, 5, 5))
    with pytest.raises(ValueError, match="size must be"):
        model.predict(np.zeros((3, 5, 5), np.uint8), size=0)
    with pytest.raises(ValueError, match="most must be"):
        model.predict(np.zeros((3, 5, 5), np.uint8), size=32, most=-1)
