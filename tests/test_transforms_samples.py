"""Samples of transforms: boxes follow what is painted, masks and labels go along, and kinds of samples come back as they were."""
from typing import NamedTuple

import numpy as np
import pytest
from images import picture

import fastnet
from fastnet import transforms as T

SIZE = (60, 80)
GEOMETRY = {
    "crop": T.RandomCrop((40, 50), padding=6), "center": T.CenterCrop((50, 90)), "pad": T.Pad((3, 5, 7, 0)), "resize": T.Resize((90, 60)),
    "resized crop": T.RandomResizedCrop((48, 64), scale=(0.3, 1.0)), "flip": T.RandomHorizontalFlip(1), "vflip": T.RandomVerticalFlip(1),
    "letterbox": T.LetterBox((64, 64)), "affine": T.RandomAffine(0, (0.2, 0.1), (0.7, 1.5), interpolation="bilinear"),
    "quarter turn": T.RandomRotation((90, 90), "bilinear", expand=True),
    "all": T.Compose([T.RandomHorizontalFlip(), T.RandomResizedCrop((50, 50)), T.Pad(4), T.RandomVerticalFlip(), T.RandomCrop(52)]),
}


def painted(box, size=SIZE):
    x = np.zeros((1, *size), np.uint8)
    x1, y1, x2, y2 = box
    x[:, y1:y2, x1:x2] = 255
    return x


def bounds(x, level=127):
    rows, cols = np.nonzero(x.max(0) > level)
    return np.array([cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]) if len(rows) else None


@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize("index", range(8))
def test_a_box_follows_the_rectangle_that_is_painted(name, index):
    rng = np.random.default_rng(index)
    x1, y1 = rng.integers(5, 40), rng.integers(5, 30)
    box = [x1, y1, x1 + rng.integers(8, 30), y1 + rng.integers(8, 25)]
    sample = {"image": painted(box), "boxes": np.array([box], np.float32), "labels": np.array([4]), "masks": painted(box) > 0}
    y = GEOMETRY[name](sample, key=(1, 0, index))
    seen = bounds(np.where(y["image"] == 114, 0, y["image"]))
    if len(y["boxes"]):
        assert np.abs(y["boxes"][0] - seen).max() <= 1 and y["labels"].tolist() == [4] and y["boxes"].dtype == np.float32
        assert y["masks"].dtype == np.bool_ and np.abs(bounds(y["masks"] * 255) - seen).max() <= 1
        h, w = y["image"].shape[1:]
        assert (y["boxes"] >= 0).all() and (y["boxes"] <= [w, h, w, h]).all()
    else:                                                 # nearly nothing of it is left
        assert len(y["labels"]) == 0 and y["masks"].shape == (0, *y["image"].shape[1:])
        assert seen is None or (seen[2:] - seen[:2]).prod() < 0.2 * np.prod(np.subtract(box[2:], box[:2])) * 2


@pytest.mark.parametrize("transform", [T.RandomRotation((33, 33)), T.RandomAffine((-20, -20), shear=(15, 15)), T.RandomPerspective(0.4,
                                                                                                                                   p=1)])
def test_the_box_of_a_turned_box_is_that_of_its_corners(transform):
    box = [30, 20, 50, 35]
    corners = np.zeros((4, *SIZE), np.uint8)
    for k, (u, v) in enumerate([(30, 20), (50, 20), (50, 35), (30, 35)]):
        corners[k, v - 1:v + 1, u - 1:u + 1] = 255                             # four pixels around each corner
    y = transform({"image": corners, "boxes": [box]}, key=(0, 0, 0))
    spots = np.array([[np.mean(np.nonzero(c)[1]) + 0.5, np.mean(np.nonzero(c)[0]) + 0.5] for c in y["image"]])
    assert np.abs(y["boxes"][0] - [*spots.min(0), *spots.max(0)]).max() <= 1.0
    inner = bounds(transform({"image": painted(box)}, key=(0, 0, 0))["image"])
    assert np.abs(inner - y["boxes"][0]).max() <= 1.5


def test_boxes_that_shrink_go_with_their_labels_and_masks():
    sample = {"image": picture((3, 40, 40)), "boxes": np.array([[0, 0, 10, 10], [0, 20, 40, 40], [19, 0, 22, 40.0], [5, 5, 5, 9]]),
              "labels": ["a", "b", "c", "empty"], "masks": np.zeros((4, 40, 40), np.int64) + np.arange(4)[:, None, None]}

    class LeftHalf(T.Transform):
        def apply(self, scene, draws):
            scene.crop(0, 20, 40, 20)
    y = LeftHalf()(sample)
    assert y["labels"] == ["b", "c"] and y["boxes"].tolist() == [[0, 20, 20, 40], [0, 0, 2, 40]] and y["masks"].dtype == np.int64
    assert [int(m.max()) for m in y["masks"]] == [1, 2] and y["boxes"].dtype == np.float64
    assert T.Compose([LeftHalf()], min_visibility=0.6)(sample)["labels"] == ["c"]
    assert T.Compose([LeftHalf()], min_size=5)(sample)["labels"] == ["b"]


def test_no_boxes_and_no_masks():
    empty = {"image": picture((3, 20, 20)), "boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "masks": np.zeros((0, 20, 20), bool)}
    y = T.Compose([T.RandomResizedCrop(16), T.RandomRotation(20), T.ColorJitter(0.4)])(empty)
    assert y["boxes"].shape == (0, 4) and y["labels"].shape == (0,) and y["masks"].shape == (0, 16, 16)
    assert T.Resize((5, 5))({"image": picture((3, 20, 20)), "boxes": []})["boxes"].shape == (0, 4)


def test_a_map_of_classes_is_a_mask_too():
    classes = np.random.default_rng(0).integers(0, 20, (30, 40)).astype(np.int32)
    image = np.broadcast_to(classes.astype(np.uint8), (3, 30, 40))
    y = T.Compose([T.RandomCrop(24, padding=2), T.RandomAffine(30, (0.1, 0.1), (0.8, 1.2))])({"image": image, "masks": classes}, key=(0,
                                                                                                                                      0, 1))
    assert y["masks"].dtype == np.int32 and np.array_equal(y["image"][0], y["masks"])
    both = T.Compose([T.RandomResizedCrop(20, interpolation="nearest-exact")])({"image": image, "masks": classes}, key=(0, 0, 1))
    assert np.array_equal(both["image"][0], both["masks"])
    assert T.ColorJitter(0.9)({"image": image, "masks": classes})["masks"] is not None
    assert np.array_equal(T.GaussianBlur(3)({"image": image, "masks": classes})["masks"], classes)


class Pair(NamedTuple):
    image: object
    label: object


def test_kinds_of_samples_come_back_as_they_were():
    x, flip = picture((3, 6, 7)), T.RandomHorizontalFlip(1)
    assert np.array_equal(flip(x), x[..., ::-1])
    assert flip((x, 5))[1] == 5 and type(flip((x, 5))) is tuple and type(flip([x, 5])) is list
    assert flip(Pair(x, "b")).label == "b"
    t = flip((fastnet.from_numpy(x), fastnet.tensor(1)))
    assert isinstance(t[0], fastnet.Tensor) and t[0].dtype == fastnet.uint8
    d = flip({"image": fastnet.from_numpy(x), "boxes": fastnet.tensor([[1.0, 1.0, 3.0, 4.0]]), "labels": fastnet.tensor([2]), "name": "n"})
    assert d["name"] == "n" and d["boxes"].tolist() == [[4.0, 1.0, 6.0, 4.0]] and d["labels"].tolist() == [2]


def test_a_batch_of_dicts():
    x = picture((3, 3, 20, 24))
    boxes = [np.array([[1, 2, 9, 9.0]]), np.zeros((0, 4)), np.array([[3, 3, 9, 9], [0, 0, 24, 20.0]])]
    batch = {"image": x, "boxes": boxes, "labels": [[1], [], [2, 3]]}
    step = T.Compose([T.RandomCrop((16, 16)), T.RandomHorizontalFlip()])
    y = step(batch, key=(0, 0, [4, 5, 6]))
    assert y["image"].shape == (3, 3, 16, 16) and [len(b) for b in y["boxes"]] == [len(v) for v in y["labels"]]
    for i in range(3):
        alone = step({"image": x[i], "boxes": boxes[i], "labels": batch["labels"][i]}, key=(0, 0, 4 + i))
        assert np.array_equal(alone["image"], y["image"][i]) and np.array_equal(alone["boxes"], y["boxes"][i])
    maps = step({"image": x, "masks": x[:, 0]}, key=(0, 0, [4, 5, 6]))
    assert np.array_equal(maps["masks"], maps["image"][:, 0])


@pytest.mark.parametrize(("sample", "error"), [
    ({"picture": 1}, "must have 'image'"),
    ({"image": picture((3, 5, 5)), "boxes": np.zeros((2, 3))}, r"boxes must be \(n, 4\)"),
    ({"image": picture((3, 5, 5)), "boxes": np.zeros((2, 4)), "labels": [1]}, "2 boxes and labels"),
    ({"image": picture((3, 5, 5)), "masks": np.zeros((2, 4, 5))}, "masks must be"),
    ({"image": picture((3, 5, 5)), "boxes": np.zeros((2, 4)), "masks": np.zeros((1, 5, 5))}, "2 boxes and 1 masks"),
    ({"image": picture((3, 5, 5)), "masks": np.full((1, 5, 5), 2**30)}, "2\\^24"),
])
def test_samples_that_are_refused(sample, error):
    with pytest.raises(ValueError, match=error):
        T.RandomHorizontalFlip(1)(sample)


@pytest.mark.parametrize("make", [
    lambda: T.RandomCrop(0), lambda: T.RandomCrop(4, padding_mode="wrap"), lambda: T.RandomResizedCrop(4, scale=(1, 0.5)),
    lambda: T.RandomHorizontalFlip(1.5), lambda: T.RandomRotation(-3), lambda: T.RandomRotation(3, "bicubic"), lambda: T.RandomAffine(0,
        (2, 0)),
    lambda: T.RandomAffine(0, scale=(0, 1)), lambda: T.RandomPerspective(2), lambda: T.ColorJitter(-1), lambda: T.ColorJitter(hue=0.7),
    lambda: T.ColorJitter(contrast=(1, 2, 3)), lambda: T.RandomHSV(2), lambda: T.GaussianBlur(4), lambda: T.GaussianBlur(3, (0, 1)),
    lambda: T.GaussianNoise(sigma=-1), lambda: T.RandomErasing(scale=(0,
        2)), lambda: T.RandomErasing(value="noise"), lambda: T.Normalize([0], [0]),
    lambda: T.ToDtype("int8"), lambda: T.Resize(8, max_size=4), lambda: T.Resize((8, 8), max_size=9), lambda: T.LetterBox(0),
    lambda: T.RandomChoice([T.Pad(1)], p=[1,
        2]), lambda: T.RandAugment(magnitude=31), lambda: T.RandAugment(0), lambda: T.TrivialAugmentWide(1),
    lambda: T.AutoAugment("svhn"), lambda: T.MixUp(alpha=0), lambda: T.Mosaic([], 0), lambda: T.TokenMasking(5, 5),
    lambda: T.TokenMasking(1, 5, mask_probability=0.9, random_probability=0.2), lambda: T.TokenDropout(2), lambda: T.TimeMasking(-1),
])
def test_arguments_that_are_refused(make):
    with pytest.raises(ValueError):
        make()


def test_a_perspective_never_folds_an_image_over():
    for size in [(1, 1), (1, 9), (2, 2), (3, 4), (9, 7)]:
        y = T.RandomPerspective(1.0, p=1)({"image": picture((3, *size)), "boxes": [[0, 0, size[1], size[0]]]}, key=(0, 0, size[0]))
        assert y["image"].shape == (3, *size) and np.isfinite(y["boxes"]).all()
    many = T.RandomPerspective(1.0, p=1)(np.stack([picture((1, 3, 3))] * 200), key=(0, 0, range(200)))
    assert len({p.tobytes() for p in many}) > 5


def test_what_does_not_fit_an_image_is_refused_when_it_comes():
    with pytest.raises(ValueError, match="RandomCrop.*larger"):
        T.RandomCrop(9)(picture((3, 8, 8)))
    assert T.RandomCrop(9, pad_if_needed=True)(picture((3, 8, 8))).shape == (3, 9, 9)
    with pytest.raises(ValueError, match="expand"):
        T.RandomRotation(9, expand=True)(picture((2, 3, 8, 8)))
    with pytest.raises(ValueError, match="RandomApply.*batch"):
        T.RandomApply([T.Resize((4, 4))])(picture((64, 3, 8, 8)))
    with pytest.raises(TypeError, match="RandomErasing"):
        T.RandomErasing(1, value="random")(picture((3, 30, 30)))
    with pytest.raises(TypeError, match="Lambda"):
        T.Lambda(lambda x: x.astype(float))(picture((3, 8, 8)))
    for bad in ([], [1], "flip"):
        with pytest.raises(TypeError, match="Compose"):
            T.Compose(bad)
    assert np.array_equal(T.Lambda(lambda x: x[:, ::2])(picture((3, 8, 8))), picture((3, 8, 8))[:, ::2])


def test_channels_last_is_named():
    x = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ValueError, match=r"CenterCrop.*got \(20, 30, 3\): are its channels last\? x.transpose\(2, 0, 1\) puts them first"):
        T.CenterCrop(8)(x)
    with pytest.raises(ValueError, match=r"x.permute\(0, 3, 1, 2\) puts"):
        T.Compose([T.RandomHorizontalFlip()])(fastnet.from_numpy(np.zeros((2, 20, 30, 1), np.float32)))
    for shape in ((1, 20, 3), (3, 20, 30), (4, 9, 4), (7, 20, 30), (3, 2, 3)):
        assert T.RandomHorizontalFlip()(np.zeros(shape, np.uint8)).shape == shape
    net = fastnet.nn.Conv2d(3, 4, 3)
    with pytest.raises(RuntimeError, match=r"expects 3 input channels, got input \(2, 20, 30, 3\): are its channels last\? "
                                           r"x.permute\(0, 3, 1, 2\) puts them first"):
        net(fastnet.zeros(2, 20, 30, 3))
    with pytest.raises(RuntimeError, match=r"got input \(20, 30, 3\): are its channels last\? x.permute\(2, 0, 1\)"):
        net(fastnet.zeros(20, 30, 3))
    with pytest.raises(RuntimeError, match=r"x.permute\(0, 2, 1\)"):
        fastnet.nn.Conv1d(3, 4, 3)(fastnet.zeros(2, 20, 3))
    with pytest.raises(RuntimeError, match=r"got input \(2, 5, 30, 30\)$"):
        net(fastnet.zeros(2, 5, 30, 30))


def test_to_tensor_and_normalize_as_programs_for_torchvision_have_them():
    x = np.random.default_rng(0).integers(0, 256, (3, 9, 7), np.uint8)
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.2, 0.1])
    y = T.Compose([T.ToTensor(), T.Normalize(tuple(mean), tuple(std))])(x)
    assert isinstance(y, fastnet.Tensor) and y.dtype == fastnet.float32
    assert np.allclose(y.numpy(), (x / 255 - mean[:, None, None]) / std[:, None, None], atol=1e-5)
    image, label = T.ToTensor()((x, 3))
    assert isinstance(image, fastnet.Tensor) and label == 3 and np.allclose(image.numpy() * 255, x, atol=1e-4)
    data = fastnet.datasets.ArrayDataset(np.stack([x, x]), np.arange(2), transform=T.ToTensor())
    images, _ = next(iter(fastnet.utils.data.DataLoader(data, batch_size=2)))
    assert np.allclose(images.numpy()[1] * 255, x, atol=1e-4)
