"""CIFAR's binary files, folders of classes, lines of text: what is read, and what is said of files that are missing or damaged."""
import os

import numpy as np
import pytest

from fastnet.datasets import (
    CIFAR10, CIFAR100, ArrayDataset, DatasetFolder, Digits, FashionMNIST, ImageFolder, TextLineDataset, cifar100_classes, load_cifar10,
    load_cifar100, load_digits,
)
from fastnet.utils.data import DataLoader


def write_cifar(folder, names, kinds, n=3):
    """Files of the binary version: for each picture a byte a kind of label, then 1024 bytes red, green, blue, row by row."""
    folder.mkdir(parents=True)
    for at, name in enumerate(names):
        pictures = (np.arange(n * 3072) + at).astype("u1").reshape(n, 3072)
        labels = np.array([[(i + at) % kind for kind in kinds] for i in range(n)], "u1")
        (folder / name).write_bytes(np.concatenate([labels, pictures], 1).tobytes())
    return folder


TEN = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]


def test_cifar10(tmp_path):
    write_cifar(tmp_path / "cifar-10-batches-bin", TEN, (10,))
    images, labels = load_cifar10("train", tmp_path)      # the folder where the archive was unpacked
    assert images.shape == (15, 3, 32, 32) and images.dtype == np.uint8 and labels.dtype == np.int64
    assert labels.tolist() == [(i + at) % 10 for at in range(5) for i in range(3)]
    assert images[4, 1, 2, 3] == (3072 + 1 + 1024 + 2 * 32 + 3) % 256
    data = CIFAR10(tmp_path / "cifar-10-batches-bin", train=False, transform=lambda image: image[0, 0, :2].astype(np.float32))
    assert len(data) == 3 and data.classes[:2] == ("airplane", "automobile") and data.class_to_idx["truck"] == 9
    x, y = next(iter(DataLoader(data, batch_size=3)))
    assert y.tolist() == [5, 6, 7] and x.tolist() == [[5, 6], [5, 6], [5, 6]]
    assert images.flags.writeable


def test_cifar100(tmp_path):
    write_cifar(tmp_path / "cifar-100-binary", ["train.bin", "test.bin"], (20, 100))
    (tmp_path / "cifar-100-binary/fine_label_names.txt").write_text("\n".join(f"fine{i}" for i in range(100)) + "\n")
    (tmp_path / "cifar-100-binary/coarse_label_names.txt").write_text("one\ntwo\n")
    assert load_cifar100("test", tmp_path)[1].tolist() == [1, 2, 3] and CIFAR100(tmp_path).classes[99] == "fine99"
    assert load_cifar100("train", tmp_path, "coarse")[1].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="coarse_label_names.txt has 2 names"):
        cifar100_classes(tmp_path, "coarse")
    with pytest.raises(ValueError, match="labels must be one of coarse, fine, got 'medium'"):
        load_cifar100("train", tmp_path, "medium")


def test_what_is_said_of_cifar_that_is_missing_or_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    with pytest.raises(FileNotFoundError, match=r"not found in .*home/datasets/cifar-10.*binary version \(cifar-10-binary.tar.gz.*pickl"):
        load_cifar10()
    (tmp_path / "python/cifar-10-batches-py").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="python has no data_batch_1.bin; get the binary version"):
        load_cifar10("train", tmp_path / "python")
    with pytest.raises(ValueError, match="download=True is not supported: nothing is ever downloaded"):
        CIFAR10(tmp_path, download=True)
    folder = write_cifar(tmp_path / "home/datasets/cifar-10", TEN, (10,))
    assert len(load_cifar10("test")[1]) == 3
    (folder / "data_batch_3.bin").write_bytes(bytes(3073 * 2 - 1))
    with pytest.raises(ValueError, match="data_batch_3.bin is damaged: 6145 bytes are no whole number of records of 3073"):
        load_cifar10()
    (folder / "data_batch_3.bin").write_bytes(bytes(3073) + b"\x0b" + bytes(3072))
    with pytest.raises(ValueError, match=r"data_batch_3.bin is damaged: the labels of record 1 are \[11\], but there are \[10\] classes"):
        load_cifar10()
    with pytest.raises(ValueError, match="split must be one of train, test, got 'all'"):
        load_cifar10("all")


def test_torchvision_s_folders_of_idx_files_are_found(tmp_path):
    folder = tmp_path / "FashionMNIST/raw"
    folder.mkdir(parents=True)
    for name, n in (("train", 4), ("t10k", 2)):
        head = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big")
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(head + bytes(range(n)))
        (folder / f"{name}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + head[4:] + bytes([0, 0, 0, 1] * 2) + bytes(range(n)))
    data = FashionMNIST(tmp_path, train=False)
    assert len(data) == 2 and data[1][0].tolist() == [[[1]]] and data[1][1] == 1 and data.classes[1] == "trouser"


def test_arrays_come_in_whole_batches():
    images, labels = load_digits("test")
    data, seen = Digits(train=False), []
    loader = DataLoader(data, batch_size=100)
    for x, y in loader:
        assert x.dtype.itemsize == 4 and tuple(x.shape[1:]) == (1, 8, 8)
        seen += y.tolist()
    assert seen == labels.tolist() and (x.numpy() == images[500:]).all()
    moved = ArrayDataset(images, labels, lambda image: image + 1, lambda label: -label)
    assert moved.getbatch([3, 5])[1].tolist() == [-labels[3], -labels[5]] and (moved.getbatch([3])[0].numpy() == images[3:4] + 1).all()
    with pytest.raises(ValueError, match=r"ArrayDataset: data and targets must have one length, got shapes \(3, 2\) and \(2,\)"):
        ArrayDataset(np.zeros((3, 2)), np.zeros(2))


def test_folders_are_classes(tmp_path):
    for name in ("b/2.TXT", "b/1.txt", "a/deep/x.txt", "a/y.txt", "a/z.png", "loose.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    def read(path):
        return open(path).read()
    data = DatasetFolder(tmp_path, read, (".txt",), transform=str.upper, target_transform=lambda c: c + 10)
    assert data.classes == ["a", "b"] and data.class_to_idx == {"a": 0, "b": 1} and data.targets == [0, 0, 1, 1]
    assert [os.path.relpath(path, tmp_path) for path, _ in data.samples] == ["a/y.txt", "a/deep/x.txt", "b/1.txt", "b/2.TXT"]
    assert data[3] == ("B/2.TXT", 11)
    assert DatasetFolder(tmp_path, read, is_valid_file=lambda path: path.endswith(".png"), allow_empty=True).targets == [0]
    with pytest.raises(FileNotFoundError, match=r"ImageFolder: .*b has no file of its class; it may end in .jpg, .jpeg"):
        ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="has no folders; it should have one for each class"):
        ImageFolder(tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="ImageFolder: cannot list nowhere .No such file or directory."):
        ImageFolder("nowhere")
    with pytest.raises(ValueError, match="give either extensions or is_valid_file"):
        DatasetFolder(tmp_path, read)


def test_folders_are_torchvision_s(tmp_path):
    reference = pytest.importorskip("torchvision.datasets")
    for name in ("b/2.png", "b/1.jpg", "b/no.gif", "a/deep/x.webp", "a/y.TIFF", "a/also/more/q.bmp", "Z/1.ppm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    ours, theirs = ImageFolder(tmp_path), reference.ImageFolder(tmp_path)
    assert ours.samples == theirs.samples and ours.classes == theirs.classes and ours.class_to_idx == theirs.class_to_idx
    assert ours.imgs == theirs.imgs and ours.targets == theirs.targets


def test_pictures_are_read(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(2 * 3 * 3, dtype="u1").reshape(2, 3, 3) * 10
    (tmp_path / "only").mkdir()
    image.fromarray(pixels).save(tmp_path / "only/a.png")
    data = ImageFolder(tmp_path)
    assert np.array_equal(np.asarray(data[0][0]), pixels.transpose(2, 0, 1)) and data[0][1] == 0
    (tmp_path / "only/a.png").write_bytes(b"\x89PNG\r\n nothing")
    with pytest.raises((ValueError, OSError), match="a.png"):
        data[0]


def test_lines_of_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("eins\r\n\n zw\u00f6lf \n".encode())
    (tmp_path / "b.txt").write_bytes(b"last")
    (tmp_path / "c.txt").write_bytes(b"")
    data = TextLineDataset([tmp_path / n for n in ("a.txt", "c.txt", "b.txt")])
    assert [data[i] for i in range(len(data))] == ["eins", "", " zw\u00f6lf ", "last"] and data[-1] == "last"
    assert list(TextLineDataset(tmp_path / "a.txt", transform=len, skip_empty=True)) == [4, 7]
    with pytest.raises(IndexError, match="index 4 is out of range for 4 lines"):
        data[4]
    (tmp_path / "d.txt").write_bytes(b"fine\nnot \xff\n")
    damaged = TextLineDataset(tmp_path / "d.txt")
    assert damaged[0] == "fine"
    with pytest.raises(ValueError, match="d.txt, line 2, is not UTF-8"):
        damaged[1]
    with pytest.raises(FileNotFoundError):
        TextLineDataset("nowhere.txt")
