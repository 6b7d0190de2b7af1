"""IDX files: what is read, where files are looked for, and what is refused."""
import gzip
import sys

import numpy as np
import pytest

from fastnet.datasets import FASHION_CLASSES, load_fashion_mnist, load_mnist, python_topics, read_idx
from fastnet.datasets.idx import FILES
from fastnet.datasets.places import shared_folders


def idx(array):
    """An array as an IDX file, from the format's description."""
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(folder, name, array, compress=False):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (name + ".gz" * compress)).write_bytes(gzip.compress(idx(array)) if compress else idx(array))


def write_all(folder, n=3, compress=False):
    for images, labels in FILES.values():
        write(folder, images, np.arange(n * 4, dtype="u1").reshape(n, 2, 2), compress)
        write(folder, labels, np.arange(n, dtype="u1"), compress)
    return folder


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i4", "f4", "f8"])
def test_every_dtype_and_both_forms_are_read(tmp_path, dtype, compress):
    array = (np.arange(6).reshape(1, 2, 3) - (0 if dtype == "u1" else 3)).astype(dtype)
    write(tmp_path, "file", array, compress)
    got = read_idx(tmp_path / ("file" + ".gz" * compress))
    assert got.dtype == np.dtype(dtype).newbyteorder("=") and got.shape == (1, 2, 3) and (got == array).all()
    got[0, 0, 0] = 1                                      # the caller's own


@pytest.mark.parametrize("data, message", [
    (b"", "is no IDX file: it begins with nothing"),
    (b"PK\x03\x04....", "is no IDX file: it begins with 50 4b 03 04"),
    (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "is no IDX file"),
    (bytes([0, 0, 8, 0]), "is no IDX file"),
    (bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), r"has 10 bytes, but 11 would hold its shape \(3,\)"),
    (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), r"has 10 bytes, but 9 would hold its shape \(1,\)"),
    (bytes([0, 0, 8, 2, 0, 0]), "has 6 bytes, but"),
    (gzip.compress(bytes(50))[:-9], "is a damaged gzip file"),
    (b"\x1f\x8b\x08\0" + bytes(20), "is a damaged gzip file"),
])
def test_other_files_are_refused_by_name(tmp_path, data, message):
    (tmp_path / "some-file").write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(tmp_path / "some-file")
    assert "some-file" in str(caught.value)


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
@pytest.mark.parametrize("compress", [False, True])
def test_a_folder_is_read(tmp_path, load, compress):
    images, labels = load("test", write_all(tmp_path, compress=compress))
    assert images.shape == (3, 1, 2, 2) and images.dtype == np.uint8 and images[1, 0].tolist() == [[4, 5], [6, 7]]
    assert labels.dtype == np.int64 and labels.tolist() == [0, 1, 2]


def test_shared_folders_of_the_user_and_the_system(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    folders = shared_folders("fashion-mnist")
    assert folders[0] == tmp_path / "home/datasets/fashion-mnist" and folders[-1] == tmp_path / "two/datasets/fashion-mnist"
    write_all(tmp_path / "two/datasets/fashion-mnist", n=2)
    write_all(tmp_path / "home/datasets/fashion-mnist", n=5)
    assert len(load_fashion_mnist()[1]) == 5


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "system"))
    monkeypatch.setattr("fastnet.datasets.places.shared_folders", lambda name: [tmp_path / "home" / name])
    with pytest.raises(FileNotFoundError, match="not found in .*home.fashion-mnist; install Debian's package dataset-fashion-mnist"):
        load_fashion_mnist()
    write_all(tmp_path)
    (tmp_path / FILES["test"][1]).unlink()
    with pytest.raises(FileNotFoundError, match="has no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz"):
        load_mnist("train", tmp_path)
    with pytest.raises(ValueError, match="split must be one of train, test, got 'valid'"):
        load_mnist("valid", tmp_path)
    write(tmp_path, FILES["test"][1], np.zeros(4, "u1"))
    with pytest.raises(ValueError, match="images of shape"):
        load_mnist("test", tmp_path)


def test_the_installed_fashion_mnist_is_the_published_one():
    try:
        images, labels = load_fashion_mnist("test")
    except FileNotFoundError:
        pytest.skip("Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)")
    assert images.shape == (10000, 1, 28, 28) and np.bincount(labels).tolist() == [1000] * 10
    assert [FASHION_CLASSES[i] for i in labels[:4]] == ["ankle boot", "pullover", "trouser", "trouser"]
    assert abs(images.mean() / 255 - 0.2868) < 1e-4       # the mean that its users normalise by is that of all 70,000, 0.2860 for train


def test_the_topics_of_python():
    text = python_topics()
    assert isinstance(text, str) and 200_000 < len(text) < 5_000_000 and text == python_topics()
    assert text.isascii() or sum(map(str.isascii, text)) > 0.99 * len(text)
    assert 'The "assert" statement' in text and text.index('The "assert" statement') < text.index('The "while" statement')


def test_a_python_without_topics(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(FileNotFoundError, match="packaged without pydoc_data"):
        python_topics()
