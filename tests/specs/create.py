"""New tensors: their values do not come from tensors, so test_create.py compares them with NumPy by hand."""

SPECS = []
ELSEWHERE = {f"fastnet.{name}": "test_create.py" for name in (
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "get_default_dtype", "linspace",
    "logspace", "ones", "ones_like", "set_default_dtype", "tril_indices", "triu_indices", "zeros", "zeros_like", "Tensor.new_empty",
    "Tensor.new_full", "Tensor.new_ones", "Tensor.new_tensor", "Tensor.new_zeros")}
