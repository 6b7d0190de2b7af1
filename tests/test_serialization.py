"""save and load: what goes in comes out, damage is noticed, nothing is executed, a crash leaves the old file."""
import io
import json
import math
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn, optim
from fastnet.serialization import DamagedFile


def there_and_back(value):
    file = io.BytesIO()
    fn.save(value, file)
    file.seek(0)
    return fn.load(file)


@pytest.mark.parametrize("value", [
    None, True, False, 0, -3, 2**80, 1.5, -0.0, math.inf, "", "text \u00e9 \U0001f600", b"\x00\xff", [], (), {},
    [1, (2, [3.0]), {"a": None}],
    {1: "int key", "1": "text key", (2, 3): "tuple key", None: 0, 2.5: 2}, {True: 1.0}, OrderedDict(b=1, a=2), fn.float32, [fn.int64],
], ids=repr)
def test_values(value):
    out = there_and_back(value)
    assert out == value and type(out) is type(value)
    assert math.copysign(1, there_and_back(-0.0)) == -1 and math.isnan(there_and_back(math.nan))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (5, 7), (2, 3, 4)])
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    out = there_and_back({"x": fn.tensor(x), "y": x})
    assert out["x"].dtype == getattr(fn, dtype if dtype != "bool" else "bool_") and out["x"].shape == shape
    assert np.array_equal(out["x"].numpy(), x) and type(out["y"]) is np.ndarray and out["y"].dtype == x.dtype and np.array_equal(out["y"],
                                                                                                                                 x)


def test_special_values_strides_and_sharing():
    bits = fn.tensor([math.nan, math.inf, -math.inf, -0.0, 1e-45])
    assert there_and_back(bits).numpy().tobytes() == bits.numpy().tobytes()
    x = fn.arange(12).reshape(3, 4)
    out = there_and_back([x.transpose(0, 1), x[::2], x, x])
    assert np.array_equal(out[0].numpy(), x.numpy().T) and np.array_equal(out[1].numpy(), x.numpy()[::2])
    out[2][0, 0] = 99
    assert out[3][0, 0].item() == 99                       # one memory is one memory again
    assert there_and_back(np.float64(2.5)) == 2.5 and there_and_back(np.int64(3)) == 3


def test_parameters_and_gradients_asked_for():
    out = there_and_back({"p": nn.Parameter(fn.ones(2)), "q": nn.Parameter(fn.ones(2), requires_grad=False),
                          "leaf": fn.ones(2, requires_grad=True), "result": fn.ones(2, requires_grad=True) * 2})
    assert isinstance(out["p"], nn.Parameter) and out["p"].requires_grad and not out["q"].requires_grad
    assert out["leaf"].requires_grad and out["leaf"].is_leaf and not out["result"].requires_grad


def test_checkpoint_of_model_optimizer_and_scheduler(tmp_path):
    def make():
        fn.manual_seed(1)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        return model, optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)

    def train(model, optimizer, scheduler, n):
        x = fn.tensor(np.random.default_rng(0).standard_normal((16, 4)).astype("float32"))
        for _ in range(n):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            scheduler.step()

    whole, half, resumed = make(), make(), make()
    train(*whole, 8)
    train(*half, 4)
    path = tmp_path / "checkpoint.fn"
    fn.save({"parts": [part.state_dict() for part in half], "epoch": 4}, path)
    state = fn.load(path)
    for part, saved in zip(resumed, state["parts"]):
        part.load_state_dict(saved)
    train(*resumed, 4)
    for a, b in zip(whole[0].parameters(), resumed[0].parameters()):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())          # bit for bit
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.fn"]


def test_files_by_path_and_by_handle(tmp_path):
    for path in (str(tmp_path / "a"), tmp_path / "b"):
        fn.save([1, fn.ones(3)], path)
        assert fn.load(path)[0] == 1
        with open(path, "rb") as file:
            assert fn.load(file, map_location="cpu")[1].tolist() == [1, 1, 1]
    os.symlink(tmp_path / "a", tmp_path / "link")
    fn.save("new", tmp_path / "link")
    assert os.path.islink(tmp_path / "link") and fn.load(tmp_path / "a") == "new"
    with pytest.raises(FileNotFoundError):
        fn.load(tmp_path / "missing")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model"
    fn.save("old", path)
    with pytest.raises(TypeError):
        fn.save({"bad": object()}, path)

    def full(fd):
        raise OSError("disk full")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        fn.save("new", path)
    monkeypatch.undo()
    assert fn.load(path) == "old" and [p.name for p in tmp_path.iterdir()] == ["model"]


def written():
    file = io.BytesIO()
    fn.save({"a": fn.arange(100), "b": [fn.ones(3, dtype=fn.float64), "text"], "flag": fn.tensor([True, False])}, file)
    return file.getvalue()


def test_every_damaged_byte_is_noticed():
    good = written()
    header = 8 + int.from_bytes(good[:8], "little")
    for at in [*range(header), *range(header, len(good), 11), len(good) - 1]:
        bad = bytearray(good)
        bad[at] ^= 0x10
        with pytest.raises((DamagedFile, ValueError)):
            fn.load(io.BytesIO(bad))


def test_every_cut_is_noticed():
    good = written()
    for end in [*range(0, len(good), 13), len(good) - 1]:
        with pytest.raises(DamagedFile, match="cannot be read"):
            fn.load(io.BytesIO(good[:end]))
    with pytest.raises(DamagedFile, match="after its last tensor"):
        fn.load(io.BytesIO(good + b"x"))


def container(header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return io.BytesIO(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize("header, message", [
    (b"[]", "no JSON object"), (b"{{", "no JSON"), ({"x": 3}, "make no sense"), ({"x": {"dtype": "F32", "shape": [2]}}, "make no sense"),
    ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "does not fit"),
    ({"x": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, "makes no sense"),
    ({"x": {"dtype": "F32", "shape": [2**60, 2**60], "data_offsets": [0, 8]}}, "does not fit"),
    ({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, "does not fit"),
    ({"x": {"dtype": "BOOL", "shape": [4], "data_offsets": [0, 4]}}, "bool"),
    ({"x": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}, "ends within"),
])
def test_nonsense_is_refused(header, message):
    with pytest.raises(DamagedFile, match=message):
        fn.load(container(header, b"\x05" * 4))


def test_other_files_are_refused(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)
    for content in (pickle.dumps(Bomb()), b"", b"PK\x03\x04" + b"\0" * 100, np.ones(10).tobytes()):
        with pytest.raises(DamagedFile):
            fn.load(io.BytesIO(content))
    assert not (tmp_path / "executed").exists()
    for options in ({"weights_only": False}, {"map_location": lambda storage, where: storage}, {"map_location": {"cuda:0": "cpu"}}):
        assert fn.load(io.BytesIO(written()), **options) is not None
    with pytest.raises((ValueError, RuntimeError)):
        fn.load(io.BytesIO(written()), map_location={"cuda:0": "cuda:1"})
    with pytest.raises(RuntimeError, match="cuda"):
        fn.load(io.BytesIO(written()), map_location="cuda")


def test_plain_safetensors_files_are_read_and_ours_are_such_files():
    data = np.arange(6, dtype="float32").tobytes() + np.array([7], "int64").tobytes()
    plain = container({"__metadata__": {"by": "hand"}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                       "n": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]}}, data)
    out = fn.load(plain)
    assert sorted(out) == ["n", "w"] and out["w"].tolist() == [[0, 1, 2], [3, 4, 5]] and out["n"].item() == 7
    with pytest.raises(ValueError, match="F16"):
        fn.load(container({"w": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"))
    ours = written()
    size = int.from_bytes(ours[:8], "little")
    header = json.loads(ours[8:8 + size])
    begin, end = header["a"]["data_offsets"]
    assert np.array_equal(np.frombuffer(ours[8 + size + begin:8 + size + end], "int64"), np.arange(100))
    assert all(isinstance(value, str) for value in header["__metadata__"].values()) and (8 + size) % 64 == 0


@pytest.mark.parametrize("value, error, message", [
    ({"a": [1, object()]}, TypeError, r"obj\['a'\]\[1\] is a object"), ({1, 2}, TypeError, "set"), (1j, TypeError, "complex"),
    (nn.Linear(1, 1), TypeError, "state_dict"), (np.ones(2, "float16"), TypeError, "float16"), (lambda: 0, TypeError, "function"),
    ({object(): 1}, TypeError, "a key of obj"),
], ids=repr)
def test_what_cannot_be_carried_is_refused(value, error, message):
    with pytest.raises(error, match=message):
        fn.save(value, io.BytesIO())


def test_a_container_in_itself_is_refused():
    loop = [1]
    loop.append({"again": loop})
    with pytest.raises(ValueError, match="contains itself"):
        fn.save(loop, io.BytesIO())
    shared = [1]
    assert there_and_back([shared, shared]) == [[1], [1]]
