"""Random numbers have no reference value: test_random.py covers them."""
from specs import OpSpec

SPECS: list[OpSpec] = []
ELSEWHERE = {f"fastnet.{name}": "test_random.py" for name in (
    "rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm", "normal", "bernoulli", "multinomial",
    "manual_seed", "seed",
    "initial_seed", "get_rng_state", "set_rng_state", "Tensor.uniform_", "Tensor.normal_", "Tensor.bernoulli_", "Tensor.random_",
    "Tensor.exponential_", "Tensor.log_normal_", "Tensor.cauchy_", "Tensor.geometric_", "nn.functional.dropout", "nn.functional.dropout1d",
    "nn.functional.dropout2d", "nn.functional.dropout3d")}
