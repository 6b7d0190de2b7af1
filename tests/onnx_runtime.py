"""What the tests of fastnet.onnx share: a model is exported, run by onnxruntime, and compared with fastnet."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import nn

pytest.importorskip("onnx", reason="the package onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")


class Calls(nn.Module):
    """A module whose forward is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def flat(result):
    """The tensors of a result, as arrays."""
    if isinstance(result, fn.Tensor):
        return [result.detach().numpy()]
    return [a for x in (result.values() if isinstance(result, dict) else result or ()) for a in flat(x)]


def session(exported):
    """A session of onnxruntime on one thread."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return runtime.InferenceSession(exported.SerializeToString(), options, providers=["CPUExecutionProvider"])


def same(exported, model, *inputs, tolerance=2e-6):
    """onnxruntime and fastnet give the same for each tuple of inputs; errors relative to the largest number."""
    run = session(exported)
    for args in inputs:
        got = run.run(None, {i.name: x.numpy() for i, x in zip(run.get_inputs(), args)})
        model.eval()
        with fn.no_grad():
            wanted = flat(model(*args))
        assert len(got) == len(wanted)
        for a, b in zip(got, wanted):
            assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
            np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
            scale = max(np.abs(b[np.isfinite(b)].astype(float)).max(initial=0), 0.1)
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale if b.dtype.kind == "f" else 0)
