"""Random numbers of transforms: by key, whatever the batch, the order, the workers; and what a Compose fuses is what its steps give."""
import numpy as np
import pytest
from images import picture

import fastnet
from fastnet import datasets
from fastnet import transforms as T
from fastnet._core import launch
from fastnet.transforms.draws import Draws

STEPS = {
    "crop": lambda: T.RandomCrop(20, padding=3), "flip": lambda: T.RandomHorizontalFlip(), "vflip": lambda: T.RandomVerticalFlip(0.3),
    "pad": lambda: T.Pad((1, 2), fill=9), "center": lambda: T.CenterCrop(18), "resized crop": lambda: T.RandomResizedCrop(20),
    "resize": lambda: T.Resize((21, 22)), "letterbox": lambda: T.LetterBox(24), "rotation": lambda: T.RandomRotation(40, "bilinear"),
    "affine": lambda: T.RandomAffine(10, (0.1, 0.2), (0.7, 1.4), 8), "perspective": lambda: T.RandomPerspective(0.4, p=0.7),
    "jitter": lambda: T.ColorJitter(0.4, 0.4, 0.4, 0.1), "hsv": lambda: T.RandomHSV(0.1), "grey": lambda: T.RandomGrayscale(0.4),
    "blur": lambda: T.GaussianBlur((3, 5)), "noise": lambda: T.GaussianNoise(), "erasing": lambda: T.RandomErasing(0.7),
    "apply": lambda: T.RandomApply([T.RandomHSV(), T.GaussianBlur(3)], 0.5),
    "choice": lambda: T.RandomChoice([T.RandomVerticalFlip(1), T.RandomRotation(90), T.ColorJitter(1.0)], [1, 2, 1]),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_batch_is_its_images_one_by_one(name):
    step, x, index = STEPS[name](), picture((6, 3, 25, 27)), [7, 3, 12345678901, 0, 5, 7]
    y = step(x, key=(11, 2, index))
    alone = np.stack([step(x[i], key=(11, 2, index[i])) for i in range(6)])
    assert y.dtype == np.uint8 and np.array_equal(y, alone)
    assert np.array_equal(step(x[::-1], key=(11, 2, index[::-1])), y[::-1])
    shared = np.stack([x[0]] * 24)
    if name not in ("pad", "center", "resize", "letterbox"):
        assert len({p.tobytes() for p in step(shared, key=(11, 2, range(24)))}) > 1
        assert not np.array_equal(step(shared, key=(11, 3, range(24))), step(shared, key=(11, 2, range(24))))
        assert not np.array_equal(step(shared, key=(10, 2, range(24))), step(shared, key=(11, 2, range(24))))


@pytest.mark.parametrize("seed", range(12))
def test_a_compose_gives_the_bytes_of_its_steps(two_isas, seed):
    """Ten random pipelines of five steps on bytes."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        steps = [STEPS[name]() for name in rng.choice([n for n in STEPS if n != "letterbox"], 5)]
        x, key = picture((3, 3, 25, 27), seed=seed), (seed, 0, [4, 5, 6])
        if rng.random() < 0.5:
            x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
        try:
            whole = T.Compose(steps)(x, key=key)
        except ValueError as error:
            assert "larger than the image" in str(error)
            continue
        single, draws = x, Draws(key, 3)
        for i, step in enumerate(steps):
            part = T.Compose([_With(step, draws.child(i))])
            single = part(single)
        off = whole.astype(int) - single
        # a resize and the flips after it are done in the other order: a sum that is nearly a half may round to either side
        assert whole.shape == single.shape
        assert np.abs(off).max() <= (8 if np.mean(off != 0) < 0.002 else 0), [type(s).__name__ for s in steps]


class _With(T.Transform):
    """A step with draws that were given."""

    def __init__(self, step, draws):
        self.step, self.draws = step, draws

    def apply(self, scene, draws):
        self.step.apply(scene, self.draws)


def test_floats_of_a_compose_differ_in_their_last_bits_only():
    steps = [T.ToFloat(), T.ColorJitter(0.4, 0.4, 0.4, 0.1), T.Normalize([0.5, 0.4, 0.3], [0.2, 0.2, 0.3])]
    x, key = picture((4, 3, 16, 16)), (0, 0, range(4))
    whole, single, draws = T.Compose(steps)(x, key=key), x, Draws(key, 4)
    for i, step in enumerate(steps):
        single = _With(step, draws.child(i))(single)
    assert np.abs(whole - single).max() <= 2e-6


def test_threads_and_instruction_sets_change_no_bit(split):
    pipeline = T.Compose([T.RandomResizedCrop(24), T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4, 0.4, 0.1),
                          T.RandomRotation(20, "bilinear"), T.GaussianBlur(3), T.ToFloat(), T.Normalize([0.5] * 3, [0.2] * 3)])
    x, seen, before = picture((9, 3, 30, 40)), set(), launch.get_isa()
    for isa in launch.available_isas():
        launch.set_isa(isa)
        for threads in (1, 2, 3, 8):
            fastnet.set_num_threads(threads)
            seen.add(pipeline(x, key=(0, 0, range(9))).tobytes())
    launch.set_isa(before)
    assert len(seen) == 1


def test_the_order_of_a_jitter_is_random():
    x, jitter = picture((3, 6, 6)), T.ColorJitter((1.5, 1.5), (0.5, 0.5))
    bright_first = T.functional.adjust_contrast(T.functional.adjust_brightness(x, 1.5), 0.5)
    bright_last = T.functional.adjust_brightness(T.functional.adjust_contrast(x, 0.5), 1.5)
    made = [jitter(x, key=(0, 0, i)) for i in range(40)]
    first, last = (sum(np.array_equal(y, want) for y in made) for want in (bright_first, bright_last))
    assert first + last == 40 and 10 <= first <= 30


def test_merged_warps_are_one_warp():
    class Turn(T.Transform):
        def apply(self, scene, draws):
            from fastnet.transforms import steps
            steps.rotate(scene, np.full(draws.n, 30.0), "bilinear", False, None, 0, "Turn")
    x = picture((1, 31, 31))
    once = T.functional.rotate(x, 90, "bilinear")
    merged, apart = T.Compose([Turn()] * 3, merge_warps=True)(x), T.Compose([Turn()] * 3)(x)
    inner = (slice(None), slice(8, 23), slice(8, 23))
    assert np.abs(merged[inner].astype(int) - once[inner]).max() <= 1 < np.abs(apart[inner].astype(int) - once[inner]).max()


def test_without_a_key_the_default_generator_decides():
    step, x = T.RandomCrop(4), picture((3, 40, 40))
    fastnet.manual_seed(3)
    first, second = step(x), step(x)
    fastnet.manual_seed(3)
    assert np.array_equal(step(x), first) and not np.array_equal(first, second)


def test_uniforms_are_uniform_and_independent():
    u = np.concatenate([Draws((s, e, range(500)), 500).uniforms(10).ravel() for s in range(3) for e in range(3)])
    assert u.min() > 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
    counts = np.bincount((u * 16).astype(int), minlength=16)
    assert ((counts - len(u) / 16) ** 2 / (len(u) / 16)).sum() < 40               # chi-square, 15 degrees of freedom
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.01 and len(np.unique(u)) > 0.999 * len(u)


def test_philox_gives_the_published_numbers():
    """Random123's known answers: counter and key 0."""
    u = fastnet.ops.image.image_uniform(0, 0, fastnet.tensor([0]), 4).numpy()[0]
    assert (u * 2**32 - 0.5).astype(np.uint64).tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_keys_that_are_refused():
    x = picture((2, 3, 8, 8))
    with pytest.raises(ValueError, match="1 indices for 2 images"):
        T.RandomHorizontalFlip()(x, key=(0, 0, 1))
    with pytest.raises(TypeError, match="key"):
        T.RandomHorizontalFlip()(x, key=5)


def test_the_transform_of_a_data_set_gets_the_key_of_its_sample():
    """Workers change nothing, epochs do, and a seed gives the same again."""
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 12, 12), np.uint8)

    def passes(workers, epochs=None, seed=3):
        fastnet.manual_seed(seed)
        data = datasets.ArrayDataset(images, np.arange(24), transform=T.Compose([T.RandomCrop(6), T.RandomHorizontalFlip()]))
        loader = fastnet.utils.data.DataLoader(data, batch_size=4, num_workers=workers)
        got = []
        for epoch in epochs or range(2):
            if epochs:
                data.set_epoch(epoch)
            got.append(np.concatenate([x.numpy() for x, _ in loader]))
        return got
    want = passes(0)
    assert not np.array_equal(*want)
    for other in (passes(3), passes(2, epochs=[0, 1])):
        assert np.array_equal(want[0], other[0]) and np.array_equal(want[1], other[1])
    assert np.array_equal(passes(2, epochs=[1, 0])[1], want[0]) and not np.array_equal(passes(0, seed=4)[0], want[0])
    prepare = T.RandomCrop(6)
    data = datasets.ArrayDataset(images, np.arange(24), transform=prepare)
    assert np.array_equal(data[-2][0], prepare(images[22], key=(fastnet.initial_seed(), 0, 22)))
    with pytest.raises(ValueError, match="ArrayDataset.set_epoch: epoch must not be negative"):
        data.set_epoch(-1)
    ids = datasets.ArrayDataset(np.arange(8)[None], np.zeros(1), transform=T.TokenDropout(0.5, value=0))
    assert np.array_equal(ids[0][0], T.TokenDropout(0.5, value=0)(np.arange(8), key=(fastnet.initial_seed(), 0, 0)))
    assert datasets.ArrayDataset(images, np.arange(24), transform=lambda x: x.sum())[0][0] == images[0].sum()
