"""fastnet.models: names and values are torchvision's, every model trains, sizes that make no sense are refused."""
import hashlib
import zlib

import numpy as np
import pytest

import fastnet as fn
from fastnet import models, nn

# Recorded from torchvision 0.28: entries of the state_dict, parameters, and the start of SHA-256 over lines of "name shape".
TORCHVISION = {
    "vgg11": (22, 132863336, "cb3dc23f2a13e182"),
    "vgg11_bn": (62, 132868840, "8b6717e727c0ecf9"),
    "vgg13": (26, 133047848, "67c1dc8b57fde74b"),
    "vgg13_bn": (76, 133053736, "f6b0597d18a7e4d2"),
    "vgg16": (32, 138357544, "35c4623e0cd4a39d"),
    "vgg16_bn": (97, 138365992, "347371586a8ea365"),
    "vgg19": (38, 143667240, "4723255af8f6c485"),
    "vgg19_bn": (118, 143678248, "fc3ff6fab2b5cc09"),
    "resnet18": (122, 11689512, "84fb10d9c6905a1c"),
    "resnet34": (218, 21797672, "28f9096d51307499"),
    "resnet50": (320, 25557032, "d7e4f8bb0a536344"),
    "resnet101": (626, 44549160, "02c0f34f4842751f"),
    "resnet152": (932, 60192808, "685c66205bc823aa"),
    "mobilenet_v2": (314, 3504872, "37bbbce8932fd0c4"),
    "efficientnet_b0": (360, 5288548, "a04d0792ee390a49"),
}
# Likewise, in float64: logits 0, 250, 500, 750 of the second image, with the weights of `filled`, and the root mean square of all.
LOGITS = {
    "resnet18": ([16.58295, -16.26755, 38.75577, 24.61885], 21.06795),
    "resnet50": ([531.9348, 66.89235, -176.8001, -333.8428], 364.1078),
    "mobilenet_v2": ([1.691075, -2.923214, -1.113392, 1.52247], 2.384117),
    "efficientnet_b0": ([-0.1674899, -0.1486322, 0.2738631, -0.3476298], 0.2011875),
}
RESNET18_BLOCK = ["conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
                  "conv2.weight", "bn2.weight", "bn2.bias", "bn2.running_mean", "bn2.running_var", "bn2.num_batches_tracked"]


def filled(model):
    """Weights and running statistics that depend on names and shapes alone."""
    for name, t in model.state_dict().items():
        if t.is_floating_point():
            shape = tuple(t.shape)
            value = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32)
            if t.ndim > 1:
                value *= np.float32((2 / np.prod(shape[1:])) ** 0.5)
            elif name.endswith("running_var"):
                value = 1 + np.abs(value) / 10
            else:
                value = name.endswith("weight") + value / 10
            with fn.no_grad():
                t.copy_(fn.from_numpy(value))
    return model


@pytest.mark.parametrize("name", TORCHVISION)
def test_names_and_shapes_are_torchvisions(name):
    model = getattr(models, name)()
    entries, parameters, digest = TORCHVISION[name]
    lines = [f"{key} {tuple(t.shape)}" for key, t in model.state_dict().items()]
    assert len(lines) == entries and sum(p.numel() for p in model.parameters()) == parameters
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == digest, lines[:20]


def test_the_names_of_resnet18_in_full():
    names = [n for n in models.resnet18(width=8).state_dict() if n.startswith("layer2.0.")]
    assert names == [f"layer2.0.{n}" for n in RESNET18_BLOCK] + [
        f"layer2.0.downsample.{n}" for n in ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked")]


@pytest.mark.parametrize("name", LOGITS)
def test_logits_are_torchvisions(name):
    model = filled(getattr(models, name)()).eval()
    x = fn.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 64, 64), np.float32))
    with fn.no_grad():
        y = model(x).numpy().astype(np.float64)
    want, rms = LOGITS[name]
    assert np.abs(y[1, ::250] - want).max() < 2e-3 * rms and abs(np.sqrt((y ** 2).mean()) / rms - 1) < 1e-3


def test_names_of_the_installed_torchvision():
    torchvision = pytest.importorskip("torchvision")
    for name in TORCHVISION:
        ours, theirs = getattr(models, name)().state_dict(), getattr(torchvision.models, name)().state_dict()
        assert [(k, tuple(v.shape)) for k, v in ours.items()] == [(k, tuple(v.shape)) for k, v in theirs.items()]


SMALL = {
    "LeNet5": (lambda: models.LeNet5(), (1, 28, 28), (10,)),
    "LeNet5 32": (lambda: models.LeNet5(7, 3, width=2, image_size=32), (3, 32, 32), (7,)),
    "vgg11": (lambda: models.vgg11(5, width=8, hidden=32, pool=1, dropout=0.0), (3, 32, 32), (5,)),
    "vgg16_bn": (lambda: models.vgg16_bn(5, width=4, hidden=16, pool=2, dropout=0.0, in_channels=1), (1, 64, 64), (5,)),
    "resnet18": (lambda: models.resnet18(5, width=8), (3, 64, 48), (5,)),
    "resnet18 cifar": (lambda: models.resnet18(5, width=8, stem="cifar", in_channels=1, zero_init_residual=True), (1, 15, 16), (5,)),
    "resnet34": (lambda: models.resnet34(5, width=4, stem="cifar"), (3, 16, 16), (5,)),
    "resnet50": (lambda: models.resnet50(5, width=8, stem="cifar", groups=2, width_per_group=32), (3, 16, 16), (5,)),
    "mobilenet_v2": (lambda: models.mobilenet_v2(5, width_mult=0.35, dropout=0.0), (3, 64, 64), (5,)),
    "efficientnet_b0": (lambda: models.efficientnet_b0(5, width_mult=0.5, dropout=0.0, stochastic_depth_prob=0.0), (3, 64, 64), (5,)),
    "UNet": (lambda: models.UNet(3, 2, width=4), (3, 35, 32), (2, 35, 32)),
    "UNet bilinear": (lambda: models.UNet(1, 3, True, width=4), (1, 16, 50), (3, 16, 50)),
    "DCGANDiscriminator": (lambda: models.DCGANDiscriminator(8, 1, 32), (1, 32, 32), ()),
    "DCGANGenerator": (lambda: models.DCGANGenerator(12, 8, 2, 32), (12,), (2, 32, 32)),
}


@pytest.mark.parametrize("name", SMALL)
def test_every_model_has_its_shapes_and_learns(name):
    """Every parameter gets a gradient, and steps along them make the loss smaller."""
    make, shape, result = SMALL[name]
    fn.manual_seed(0)
    model, rng = make(), np.random.default_rng(1)
    x = fn.from_numpy(rng.standard_normal((4, *shape), np.float32))
    y = model(x)
    assert tuple(y.shape) == (4, *result)
    target = fn.from_numpy(rng.standard_normal((4, *result), np.float32))
    optimizer, losses = fn.optim.Adam(model.parameters(), lr=2e-4), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        assert not [k for k, p in model.named_parameters() if p.grad is None]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and np.isfinite(losses).all(), losses
    model.eval()
    with fn.no_grad():
        once, again = model(x), model(x)
    assert once.numpy().tobytes() == again.numpy().tobytes()


def test_zero_init_residual_makes_every_block_the_identity():
    model = models.resnet18(4, width=8, stem="cifar", zero_init_residual=True)
    x = fn.rand(2, 8, 6, 6)
    with fn.no_grad():
        assert np.allclose(model.layer1(x).numpy(), x.numpy())
    assert all((b.bn2.weight == 0).all().item() for stage in (model.layer1, model.layer4) for b in stage)


@pytest.mark.parametrize("make", [lambda: models.resnet18(width=32), models.mobilenet_v2, lambda: models.vgg11_bn(hidden=512, pool=1)])
def test_weights_begin_as_torchvisions(make):
    """Kernels: normal, variance 2 / (out channels * taps); biases 0; scales 1."""
    fn.manual_seed(0)
    for name, module in make().named_modules():
        if isinstance(module, nn.Conv2d):
            w = module.weight.detach().numpy()
            std = (2 / (w.shape[0] * w.shape[2] * w.shape[3])) ** 0.5
            assert abs(w.std() / std - 1) < 5 / w.size ** 0.5, name
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and not module.bias.any()


def test_efficientnet_leaves_out_more_of_the_later_blocks():
    from fastnet.models.efficientnet import StochasticDepth
    drops = [m.p for m in models.efficientnet_b0(width_mult=0.25).modules() if isinstance(m, StochasticDepth)]
    assert np.allclose(drops, 0.2 * np.arange(16) / 16)
    fn.manual_seed(0)
    y = StochasticDepth(0.25)(fn.ones(4000, 2, 1, 1)).numpy()
    assert np.allclose(np.unique(y), [0, 4 / 3]) and (y[:, 0] == y[:, 1]).all() and abs(y.mean() - 1) < 0.05


def test_lenet_is_the_papers():
    assert sum(p.numel() for p in models.LeNet5().parameters()) == 61706


def test_the_unet_has_the_usual_names():
    names = list(models.UNet(3, 2, width=4).state_dict())
    assert names[0] == "inc.double_conv.0.weight" and names[-1] == "outc.conv.bias"
    assert {"down4.maxpool_conv.1.double_conv.4.running_var", "up1.up.weight", "up1.conv.double_conv.3.weight"} <= set(names)
    assert not [n for n in models.UNet(3, 2, True, width=4).state_dict() if ".up." in n]


@pytest.mark.parametrize("make, message", [
    (lambda: models.resnet18(stem="large"), "ResNet: stem must be 'imagenet' or 'cifar', got 'large'"),
    (lambda: models.resnet18(width=0), "ResNet: width must be a whole number of at least 1, got 0"),
    (lambda: models.resnet18(groups=2), "BasicBlock: groups must be 1 and base_width 64"),
    (lambda: models.LeNet5(image_size=30), "LeNet5: image_size must be 28 or 32, got 30"),
    (lambda: models.LeNet5(width=1.5), "LeNet5: width must be a whole number"),
    (lambda: models.vgg11(0), "VGG: num_classes must be a whole number"),
    (lambda: models.mobilenet_v2(width_mult=0), "MobileNetV2: width_mult must be above 0"),
    (lambda: models.efficientnet_b0(depth_mult=float("nan")), "EfficientNet: width_mult and depth_mult must be above 0"),
    (lambda: models.efficientnet_b0(stochastic_depth_prob=40.0), r"StochasticDepth: p must lie in \[0, 1\)"),
    (lambda: models.UNet(1, 0), "UNet: n_classes must be a whole number"),
    (lambda: models.DCGANGenerator(image_size=48), "DCGANGenerator: image_size must be a power of two of at least 8, got 48"),
    (lambda: models.DCGANDiscriminator(image_size=4), "DCGANDiscriminator: image_size must be a power of two of at least 8, got 4"),
])
def test_sizes_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_importing_fastnet_does_not_import_the_models(tmp_path):
    import subprocess
    import sys
    code = "import sys, fastnet; assert 'fastnet.models' not in sys.modules; fastnet.models.LeNet5; fastnet.datasets.load_digits"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)


@pytest.mark.parametrize("make", [lambda: models.resnet18(5, width=8, stem="cifar"), lambda: models.mobilenet_v2(5, width_mult=0.35)])
def test_batch_norm_folds_into_the_convolutions(make):
    model, x = make(), fn.rand(4, 3, 32, 32)
    for _ in range(3):
        model(x)                                          # running statistics of their own
    model.eval()
    fused = fn.fuse_conv_bn(model, x)
    with fn.no_grad():
        want, got = model(x).numpy(), fused(x).numpy()
    assert not [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d)]
    assert np.abs(got - want).max() < 1e-4 * np.abs(want).max()


def test_a_watched_batch_norm_computes_the_same():
    """With a hook, the residual blocks call batch norm, addition and ReLU one by one."""
    model, x = models.resnet18(5, width=8, stem="cifar"), fn.rand(2, 3, 16, 16)
    want = model.eval()(x).detach().numpy()
    seen = []
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda *args: seen.append(args))
    assert np.allclose(model(x).detach().numpy(), want, atol=1e-5) and len(seen) == 20


def test_weights_come_from_a_file(tmp_path):
    saved = models.resnet18(3, width=4)
    fn.save(saved.state_dict(), tmp_path / "resnet.fnet")
    model = models.resnet18(3, width=4, weights=tmp_path / "resnet.fnet")
    assert all((a == b).all() for a, b in zip(model.state_dict().values(), saved.state_dict().values(), strict=True))
    with pytest.raises(RuntimeError, match="size mismatch for fc.weight"):
        models.resnet18(4, width=4, weights=tmp_path / "resnet.fnet")
    with pytest.raises(FileNotFoundError, match="VGG: weights must be the path of a checkpoint .* no file 'IMAGENET1K_V1'"):
        models.vgg11_bn(2, width=2, hidden=2, pool=1, weights="IMAGENET1K_V1")
    assert models.mobilenet_v2(2, weights=None, width_mult=0.25) and models.efficientnet_b0(2, weights=None, width_mult=0.25)
