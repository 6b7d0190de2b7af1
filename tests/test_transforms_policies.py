"""Policies, mixing, mosaics, data sets that augment, tokens and spectrograms."""
import numpy as np
import pytest
from images import picture

import fastnet as fn
from fastnet import transforms as T
from fastnet.transforms import functional as F
from fastnet.transforms import policies
from fastnet.transforms.auto import operate
from fastnet.transforms.scene import Scene

WHITE = {np.uint8: 255, np.float32: 1}
OPERATIONS = {
    "Identity": lambda x, m: x, "ShearX": lambda x, m: F.affine(x, 0, (0, 0), 1, (float(np.degrees(np.arctan(m))), 0), center=(0, 0)),
    "ShearY": lambda x, m: F.affine(x, 0, (0, 0), 1, (0, float(np.degrees(np.arctan(m)))), center=(0, 0)),
    "TranslateX": lambda x, m: F.affine(x, 0, (int(m), 0), 1, 0), "TranslateY": lambda x, m: F.affine(x, 0, (0, int(m)), 1, 0),
    "Rotate": lambda x, m: F.rotate(x, m), "Brightness": lambda x, m: F.adjust_brightness(x, 1 + m),
    "Color": lambda x, m: F.adjust_saturation(x, 1 + m), "Contrast": lambda x, m: F.adjust_contrast(x, 1 + m),
    "Sharpness": lambda x, m: F.adjust_sharpness(x, 1 + m), "Posterize": lambda x, m: F.posterize(x, int(m)),
    "Solarize": lambda x, m: F.solarize(x, m * WHITE[x.dtype.type]), "AutoContrast": lambda x, m: F.autocontrast(x),
    "Equalize": lambda x, m: F.equalize(x), "Invert": lambda x, m: F.invert(x),
}
STRENGTH = {"TranslateX": 4.4, "TranslateY": -5.2, "Rotate": 25.0, "Posterize": 3, "Sharpness": 0.7}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_operations_are_the_functions_of_their_names(dtype):
    assert list(OPERATIONS) == list(policies.OPERATIONS)
    x = picture((15, 3, 20, 24), dtype)
    strength = np.array([STRENGTH.get(name, 0.3) for name in OPERATIONS])
    scene = Scene(x)
    operate(scene, np.arange(15), strength, "nearest", None, "test")
    for name, got, given, m in zip(OPERATIONS, scene.image.done(), x, strength):
        want = OPERATIONS[name](given, float(m))
        assert np.array_equal(got, want) if dtype == np.uint8 else np.allclose(got, want, atol=1e-5), name


def test_strengths_and_tables():
    table = policies.strengths(31, 100, 331)
    at = policies.OPERATIONS.index
    assert table[at("ShearX"), -1] == 0.3 and table[at("TranslateX"), -1] == 150 and abs(table[at("TranslateY"), -1] - 15000 / 331) < 1e-9
    assert table[at("Rotate"), 10] == pytest.approx(10) and table[at("Posterize")].min() == 4 and table[at("Solarize"), 0] == 1
    wide = policies.strengths(31, 100, 331, wide=True)
    assert wide[at("Rotate"), -1] == 135 and wide[at("TranslateX"), -1] == 32 and wide[at("Posterize"), -1] == 2
    for name in policies.POLICIES:
        table = policies.parsed(name)
        assert table.shape == (25, 2, 3) and (table[..., 1] <= 1).all() and (table[..., 2] <= 9).all()
    assert policies.parsed("cifar10")[1].tolist() == [[at("Rotate"), 0.7, 2], [at("TranslateX"), 0.3, 9]]


@pytest.mark.parametrize("step", [T.RandAugment(2, 15), T.TrivialAugmentWide(), T.AutoAugment("cifar10"), T.AutoAugment(fill=[1, 2, 3])])
def test_a_batch_of_a_policy_is_its_images_one_by_one(step):
    x = picture((12, 3, 16, 18))
    for epoch in range(4):
        whole = step(x, key=(0, epoch, range(12)))
        assert np.array_equal(whole, np.stack([step(x[i], key=(0, epoch, i)) for i in range(12)]))
    assert len({p.tobytes() for p in step(np.stack([x[0]] * 40), key=(0, 0, range(40)))}) > 5


def test_mixup():
    x, y = picture((4, 3, 5, 6), np.float32), np.array([0, 2, 1, 2])
    mixed, soft = T.MixUp(alpha=0.7, num_classes=3)((x, y), key=(0, 0, 5))
    share = soft[0, 0]
    assert 0 < share < 1 and soft.dtype == np.float32 and np.allclose(soft.sum(1), 1)
    assert np.allclose(mixed, share * x + (1 - share) * x[[3, 0, 1, 2]], atol=1e-6)
    assert np.allclose(soft, share * np.eye(3)[y] + (1 - share) * np.eye(3)[y[[3, 0, 1, 2]]], atol=1e-6)
    again = T.MixUp(alpha=0.7)({"image": fn.from_numpy(x), "labels": fn.from_numpy(np.eye(3, dtype=np.float32)[y])}, key=(0, 0, [5, 1, 2,
                                                                                                                                 3]))
    assert np.array_equal(again["image"].numpy(), mixed) and np.array_equal(again["labels"].numpy(), soft)
    for bad, error in [((x, y + 9), "num_classes"), ((x, y[:2]), "label for each"), ((x[0], y), "N, C, H, W"), ((x, y / 2),
                                                                                                                "class numbers")]:
        with pytest.raises(ValueError, match=error):
            T.MixUp(num_classes=3)(bad)
    with pytest.raises(TypeError, match="floating-point"):
        T.MixUp(num_classes=3)((picture((4, 3, 5, 6)), y))
    with pytest.raises(ValueError, match="num_classes must be given"):
        T.MixUp()((x, y))


def test_cutmix():
    x, y = np.stack([np.full((3, 20, 30), i, np.uint8) for i in range(4)]), np.arange(4)
    areas = []
    for index in range(20):
        mixed, soft = T.CutMix(num_classes=4)((x, y), key=(0, 0, index))
        other = mixed[1, 0] == 0
        rows, cols = other.any(1), other.any(0)
        assert np.array_equal(other, np.outer(rows, cols)) and np.isin(mixed[1], [0, 1]).all()
        assert (np.diff(np.flatnonzero(rows)) == 1).all() and abs(soft[1, 0] - other.mean()) < 1e-6 and abs(soft[1].sum() - 1) < 1e-6
        areas.append(other.mean())
    assert min(areas) < 0.2 and max(areas) > 0.5


def detections(n=6):
    rng, made = np.random.default_rng(0), []
    for i in range(n):
        h, w = rng.integers(30, 60, 2)
        x, box = np.zeros((3, h, w), np.uint8), np.array([[4, 5, w - 6, h - 3]], np.float32)
        x[:, 5:h - 3, 4:w - 6] = 100 + i
        made.append({"image": x, "boxes": box, "labels": np.array([i])})
    return made


def test_a_mosaic_holds_four_images_with_their_boxes():
    data = T.Mosaic(detections(), (64, 96), seed=3, scale=(0.3, 0.6), min_visibility=0.3)
    for index in range(6):
        sample = data[index]
        image, counts = sample["image"], 0
        assert image.shape == (3, 64, 96) and sample["boxes"].dtype == np.float32 and len(sample["boxes"]) == len(sample["labels"])
        for box, label in zip(sample["boxes"], sample["labels"]):
            inside = np.zeros((64, 96), bool)
            x1, y1, x2, y2 = np.rint(box).astype(int)
            inside[y1 + 1:y2 - 1, x1 + 1:x2 - 1] = True
            counts += (np.abs(image[0][inside].astype(int) - (100 + label)) <= 1).mean() > 0.97
        assert counts == len(sample["boxes"]) and (image == 114).any()
    first = data[2]["image"].tobytes()
    assert T.Mosaic(detections(), (64, 96), seed=3, scale=(0.3, 0.6), min_visibility=0.3)[2]["image"].tobytes() == first
    data.set_epoch(1)
    assert data[2]["image"].tobytes() != first
    masked = [{**d, "masks": np.ones((1, *d["image"].shape[1:]), bool)} for d in detections()]
    sample = T.Mosaic(masked, 64)[0]
    assert sample["masks"].shape == (len(sample["boxes"]), 64, 64)
    with pytest.raises(TypeError, match="Mosaic"):
        T.Mosaic([picture((3, 8, 8))] * 4, 16)[0]


PIPELINE = T.Compose([T.RandomCrop(12, padding=2), T.RandomHorizontalFlip(), T.ColorJitter(0.3, 0.3, 0.3, 0.1), T.ToFloat(),
                      T.Normalize([0.5] * 3, [0.2] * 3)])


@pytest.mark.parametrize("kind", ["list", "arrays", "images", "sizes", "dicts"])
def test_workers_and_order_change_no_sample(kind):
    x, y = picture((21, 3, 14, 13)), np.arange(21)
    data = {"list": [(x[i], int(y[i])) for i in range(21)], "arrays": fn.utils.data.TensorDataset(fn.from_numpy(x), fn.from_numpy(y)),
            "images": [x[i] for i in range(21)], "sizes": [(x[i][:, :, :10 + i % 4], i) for i in range(21)],
            "dicts": [{"image": x[i], "labels": i} for i in range(21)]}[kind]
    augmented = T.Augmented(data, PIPELINE if kind != "sizes" else T.Compose([T.Resize((12, 12)), PIPELINE]), seed=4)
    augmented.set_epoch(2)

    def image_of(sample):
        sample = sample["image"] if isinstance(sample, dict) else sample[0] if isinstance(sample, (tuple, list)) else sample
        return np.asarray(sample)
    alone = [image_of(augmented[i]) for i in range(21)]
    for workers in (0, 2, 4):
        batches = [image_of(b) for b in fn.utils.data.DataLoader(augmented, batch_size=4, num_workers=workers)]
        assert np.array_equal(np.concatenate(batches), np.stack(alone))
    back = fn.utils.data.DataLoader(augmented, batch_size=8, sampler=range(20, -1, -1), num_workers=2)
    assert np.array_equal(np.concatenate([image_of(b) for b in back]), np.stack(alone[::-1]))
    assert np.array_equal(image_of(augmented[-1]), alone[20])
    augmented.set_epoch(3)
    assert not np.array_equal(image_of(augmented[0]), alone[0])


def test_a_trainer_tells_the_epoch_and_batches_are_mixed():
    x, y = picture((8, 3, 12, 12)), np.arange(8) % 2
    data = T.Augmented(fn.utils.data.TensorDataset(fn.from_numpy(x), fn.from_numpy(y)), PIPELINE, mix=T.CutMix(num_classes=2))
    fn.manual_seed(0)
    model = fn.nn.Sequential(fn.nn.Flatten(), fn.nn.Linear(432, 2))
    trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), fn.optim.SGD(model.parameters(), lr=0.01))
    trainer.fit(fn.utils.data.DataLoader(data, batch_size=4), epochs=3)
    assert data.epoch == 2 and data.getbatch([0, 1])[1].shape == (2, 2)
    with pytest.raises(ValueError, match="set_epoch"):
        data.set_epoch(-1)


def test_token_masking_is_80_10_10():
    ids = np.random.default_rng(0).integers(5, 1000, (50, 400))
    ids[:, 0] = 2
    masked, labels = T.TokenMasking(3, 1000, special_tokens=[2])(ids, key=(0, 0, range(50)))
    chosen = labels != -100
    assert abs(chosen.mean() - 0.15) < 0.01 and (labels[chosen] == ids[chosen]).all() and (masked[~chosen] == ids[~chosen]).all()
    assert not chosen[:,
        0].any() and abs((masked[chosen] == 3).mean() - 0.8) < 0.02 and abs((masked[chosen] == ids[chosen]).mean() - 0.1) < 0.02
    one = T.TokenMasking(3, 1000, special_tokens=[2])(fn.from_numpy(ids[7]), key=(0, 0, 7))
    assert np.array_equal(one[0].numpy(), masked[7]) and one[1].dtype == fn.int64
    data = T.Augmented([row for row in ids], T.TokenMasking(3, 1000, special_tokens=[2]))
    assert np.array_equal(next(iter(fn.utils.data.DataLoader(data, batch_size=50)))[0].numpy(), masked)


def test_token_dropout():
    ids = np.arange(10, 1010)
    left = T.TokenDropout(0.25, special_tokens=[10])(ids, key=(0, 0, 0))
    assert abs(len(left) - 750) < 60 and left[0] == 10 and (np.diff(left) > 0).all()
    replaced = T.TokenDropout(0.25, value=1)(np.stack([ids, ids]), key=(0, 0, [0, 1]))
    assert ((replaced == 1) | (replaced == ids)).all() and not np.array_equal(replaced[0], replaced[1])
    assert T.TokenDropout(1.0)(ids, key=(0, 0, 0)).tolist() == [10] and T.TokenDropout(0.5)(np.zeros(0, int)).shape == (0,)
    with pytest.raises(ValueError, match="one by one"):
        T.TokenDropout(0.5)(np.stack([ids, ids]))
    with pytest.raises(ValueError, match="integers"):
        T.TokenDropout(0.5)(np.zeros(3))


@pytest.mark.parametrize(("kind", "axis"), [(T.TimeMasking, -1), (T.FrequencyMasking, -2)])
def test_bands_of_a_spectrogram(kind, axis):
    x = picture((20, 2, 30, 40), np.float32) + 1
    y = kind(12, mask_value=-1)(x, key=(0, 0, range(20)))
    widths = []
    for i in range(20):
        covered = (y[i] == -1).all((0, 1 if axis == -1 else 2))
        assert np.array_equal(np.moveaxis(y[i], axis, 0)[~covered], np.moveaxis(x[i], axis, 0)[~covered])
        assert (np.diff(np.flatnonzero(covered)) == 1).all()
        widths.append(covered.sum())
        assert np.array_equal(kind(12, mask_value=-1)(x[i], key=(0, 0, i)), y[i])
    assert max(widths) <= 12 and len(set(widths)) > 5 and (x > 0).all()
    assert (kind(30, p=0.1)(x[0, 0]) == 0).any(0 if axis == -1 else 1).sum() <= 4
    assert isinstance(kind(3)(fn.from_numpy(x[0])), fn.Tensor)
    with pytest.raises(ValueError, match="spectrogram"):
        kind(3)(np.zeros(4))


def test_noise_and_erasing():
    grey = np.full((1, 100, 100), 128, np.uint8)
    noisy = T.GaussianNoise(sigma=0.1)(grey, key=(0, 0, 0)).astype(float)
    assert abs(noisy.mean() - 128) < 1 and abs(noisy.std() - 25.5) < 1
    bright = T.GaussianNoise(mean=0.4, sigma=0.0)(grey / np.float32(255))
    assert np.allclose(bright, 128 / 255 + 0.4) and T.GaussianNoise(1.0, clip=False)(bright).max() > 1
    for index in range(10):
        y = T.RandomErasing(1.0, scale=(0.1, 0.2), ratio=(0.5, 2.0), value=9)(grey, key=(0, 0, index))[0] == 9
        rows, cols = y.any(1).sum(), y.any(0).sum()
        assert y.sum() == rows * cols and 0.09 < y.mean() < 0.21 and 0.45 < rows / cols < 2.2
    random = T.RandomErasing(1.0, value="random")(grey / np.float32(255), key=(0, 0, 0))
    assert len(np.unique(random)) > 100 and (T.RandomErasing(0.0)(grey) == grey).all()
