"""read_image and write_image: what is written comes back, what is no image is refused."""
import numpy as np
import pytest

import fastnet
from fastnet.datasets import read_image, write_image

PIL = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_png_comes_back_as_it_was(tmp_path, channels, mode):
    image = np.random.default_rng(0).integers(0, 256, (channels, 7, 5), np.uint8)
    write_image(image, tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png", mode), image)
    assert np.array_equal(np.asarray(PIL.open(tmp_path / "a.png")).reshape(7, 5, channels).transpose(2, 0, 1), image)


def test_floats_are_from_0_to_1_and_tensors_and_grey_images_are_taken(tmp_path):
    write_image(fastnet.tensor([[0.0, 1.0], [0.5, 2.0]]), tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", "L").tolist() == [[[0, 255], [128, 255]]]


def test_a_jpeg_is_close(tmp_path):
    image = np.full((3, 16, 16), 90, np.uint8)
    write_image(image, tmp_path / "a.JPG", quality=95)
    assert np.abs(read_image(tmp_path / "a.JPG").astype(int) - 90).max() <= 2


def test_the_orientation_of_a_camera_is_applied(tmp_path):
    picture = PIL.new("L", (4, 2))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg", "L").shape == (1, 4, 2)


def test_what_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="read_image"):
        read_image(tmp_path / "missing.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match="read_image.*text.png"):
        read_image(tmp_path / "text.png")
    whole = np.zeros((3, 32, 32), np.uint8)
    write_image(whole, tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(ValueError, match="read_image.*half.png"):
        read_image(tmp_path / "half.png")
    with pytest.raises(ValueError, match="mode"):
        read_image(tmp_path / "whole.png", "P")
    with pytest.raises(ValueError, match="write_image.*a.zzz"):
        write_image(whole, tmp_path / "a.zzz")
    with pytest.raises(ValueError, match=r"\(2, 4, 4\)"):
        write_image(np.zeros((2, 4, 4), np.uint8), tmp_path / "a.png")
    with pytest.raises(TypeError, match="int64"):
        write_image(np.zeros((3, 4, 4), np.int64), tmp_path / "a.png")
