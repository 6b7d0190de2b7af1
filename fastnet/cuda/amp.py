"""torch.cuda.amp's names: mixed precision on a GPU, which is not there; what `fastnet.amp` says of the device "cuda"."""
from __future__ import annotations

from fastnet import amp
from fastnet._core.dtypes import dtype as Dtype
from fastnet._core.dtypes import float16


class autocast(amp.autocast):
    """`fastnet.amp.autocast` for the device "cuda".

    Args:
        enabled, dtype, cache_enabled: as there.

    >>> import fastnet
    >>> with fastnet.cuda.amp.autocast(enabled=fastnet.cuda.is_available()):
    ...     fastnet.ones(2) @ fastnet.ones(2)
    tensor(2.)
    """

    def __init__(self, enabled: bool = True, dtype: Dtype = float16, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`fastnet.amp.GradScaler` for the device "cuda".

    Args:
        init_scale, growth_factor, backoff_factor, growth_interval, enabled: as there.

    >>> import fastnet
    >>> fastnet.cuda.amp.GradScaler(enabled=fastnet.cuda.is_available()).get_scale()
    1.0
    """

    def __init__(self, init_scale: float = 2.0 ** 16, growth_factor: float = 2.0, backoff_factor: float = 0.5, growth_interval: int = 2000,
                 enabled: bool = True) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
