"""Mixed precision as scripts write it: autocast, under which float32 stays float32, and GradScaler."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from warnings import warn

from fastnet._core.dtypes import bfloat16, dtype as Dtype, float16
from fastnet._core.tensor import Tensor
from fastnet.ops.clip import scale_
from fastnet.nn.utils.clip_grad import _gradients

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

DEVICES = ("cpu", "cuda", "hpu", "ipu", "maia", "meta", "mps", "mtia", "privateuseone", "xla", "xpu")


def _a_device(device: Any, op: str) -> str:
    if not isinstance(device, str):
        raise ValueError(f"{op}: the device type must be a string, got {type(device).__name__}")
    if device.partition(":")[0] not in DEVICES:
        raise RuntimeError(f"{op}: device type {device!r} is not one of {', '.join(DEVICES)}")
    return device


class autocast:
    """A `with` block, or a decorator, in which PyTorch computes in half precision; here it computes as it does outside.

    Where it is enabled it warns that it does not, as PyTorch does on a machine that lacks the device or the dtype. Disabled, it is silent.

    Args:
        device_type: "cpu", "cuda", ...
        dtype: None, or the dtype to compute in.
        enabled: False: nothing is asked for.
        cache_enabled: either way; there are no copies in another dtype to keep.

    Raises:
        RuntimeError: an unknown device type.
        ValueError: device_type is no string.

    >>> import fastnet
    >>> with fastnet.autocast("cpu", fastnet.bfloat16, enabled=False):
    ...     (fastnet.ones(2, 3) @ fastnet.ones(3, 2)).dtype
    fastnet.float32
    """

    def __init__(self, device_type: str, dtype: Dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None) -> None:
        self.device = _a_device(device_type, "autocast")
        self.fast_dtype = (bfloat16 if device_type == "cpu" else float16) if dtype is None else dtype
        self._enabled = False
        if enabled:
            warn(f"autocast: {self.device} in {self.fast_dtype} is not available, so this computes in the dtypes of its tensors. "
                 "Disabling autocast.", stacklevel=3 if type(self) is not autocast else 2)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing is left to undo."""

    def __call__(self, func: Callable) -> Callable:
        return func


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` does anything for a device: never.

    Args:
        device_type: "cpu", "cuda", ...

    >>> import fastnet
    >>> fastnet.amp.is_autocast_available("cpu")
    False
    """
    _a_device(device_type, "is_autocast_available")
    return False


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Dtype | None = None) -> Callable:
    """A decorator for the forward of a `Function`, which is given back: outside autocast PyTorch's casts nothing either.

    Args:
        fwd: forward; None: as a decorator with arguments.
        device_type: "cpu", "cuda", ...
        cast_inputs: the dtype of inputs under autocast.
    """
    _a_device(device_type, "custom_fwd")
    return fwd if fwd is not None else lambda f: f


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """A decorator for the backward of a `Function`, which is given back.

    Args:
        bwd: backward; None: as a decorator with arguments.
        device_type: "cpu", "cuda", ...
    """
    _a_device(device_type, "custom_bwd")
    return bwd if bwd is not None else lambda f: f


def _enabled_only(method: Callable) -> Callable:
    """A method that does nothing and gives None for a scaler that is disabled."""
    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *args, **kwargs) if self._enabled else None
    return call


class GradScaler:
    """Multiply a loss so that small gradients do not vanish, divide the gradients again, and leave out steps that are not finite.

    For the device "cpu" it does so, though float32 rarely needs it: a scale that is a power of two changes no bit of finite gradients.
    For "cuda" it warns and is disabled, as PyTorch's is without a GPU; disabled, `step(optimizer)` is `optimizer.step()`.

    Args:
        device: "cuda" or "cpu".
        init_scale: the factor to begin with.
        growth_factor: it grows by this after `growth_interval` steps without a gradient that is infinite or NaN; above 1.
        backoff_factor: it shrinks by this after a step with one; below 1.
        growth_interval: how many steps.
        enabled: False: do nothing.

    Raises:
        ValueError: a factor is not as above.

    >>> import fastnet
    >>> w = fastnet.tensor([1.0], requires_grad=True)
    >>> sgd, scaler = fastnet.optim.SGD([w], lr=0.5), fastnet.amp.GradScaler("cpu")
    >>> scaler.scale((w * 3).sum()).backward()
    >>> scaler.step(sgd)
    >>> scaler.update()
    >>> w.item(), scaler.get_scale()
    (-0.5, 65536.0)
    """

    def __init__(self, device: str = "cuda", init_scale: float = 2.0 ** 16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
                 growth_interval: int = 2000, enabled: bool = True) -> None:
        self._device, self._enabled = _a_device(device, "GradScaler"), enabled
        if growth_factor <= 1.0 or not 0.0 < backoff_factor < 1.0:
            raise ValueError(f"GradScaler: growth_factor must be above 1 and backoff_factor between 0 and 1, got {growth_factor} and "
                             f"{backoff_factor}")
        if enabled and device != "cpu":
            warn(f"GradScaler: {device} is not available. Disabling.", stacklevel=3 if type(self) is not GradScaler else 2)
            self._enabled = False
        self._scale, self._good = float(init_scale), 0
        self._growth, self._backoff, self._interval = growth_factor, backoff_factor, growth_interval
        self._seen: dict[int, list] = {}                 # optimizer -> [whether all is finite, None once it has stepped]

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The factor; 1 if disabled."""
        return self._scale if self._enabled else 1.0

    def scale(self, outputs: Any) -> Any:
        """The loss, or each of a list or tuple of them, times the factor.

        Args:
            outputs: a Tensor, or an iterable of them.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            made = map(self.scale, outputs)
            return type(outputs)(made) if isinstance(outputs, (list, tuple)) else made  # type: ignore[call-arg]
        raise ValueError(f"GradScaler.scale: outputs must be a Tensor or an iterable of Tensors, got {type(outputs).__name__}")

    @_enabled_only
    def unscale_(self, optimizer: Any) -> None:
        """Divide an optimizer's gradients by the factor, for clipping before `step`, which does so otherwise.

        Args:
            optimizer: any.

        Raises:
            RuntimeError: it was called before since the last `update`.
        """
        if id(optimizer) in self._seen:
            raise RuntimeError("GradScaler.unscale_: unscale_ or step was called for this optimizer since the last update")
        grads = _gradients(p for group in optimizer.param_groups for p in group["params"])
        scale_(grads, 1.0 / self._scale)
        self._seen[id(optimizer)] = [all(bool(g.isfinite().all()) for g in grads) if grads else None, False]

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step, unless a gradient is infinite or NaN.

        Args:
            optimizer: any.
            args, kwargs: its step's arguments; no closure.

        Returns:
            What the optimizer's step returns; None if it was left out.

        Raises:
            RuntimeError: a closure; no parameter has a gradient; a second step before `update`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs or args:
            raise RuntimeError("GradScaler.step: a closure is not taken while the scaler is enabled")
        if id(optimizer) not in self._seen:
            self.unscale_(optimizer)
        finite, stepped = self._seen[id(optimizer)]
        if stepped or finite is None:
            raise RuntimeError("GradScaler.step: " + ("called before since the last update" if stepped else "no parameter has a gradient"))
        self._seen[id(optimizer)][1] = True
        return optimizer.step(**kwargs) if finite else None

    @_enabled_only
    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the factor, after the steps of all optimizers.

        Args:
            new_scale: a factor to take; None: by what the steps saw.

        Raises:
            RuntimeError: no step was made.
        """
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._seen:
            raise RuntimeError("GradScaler.update: no step was made since the last update")
        elif not all(finite is not False for finite, _ in self._seen.values()):
            self._scale, self._good = self._scale * self._backoff, 0
        else:
            self._good += 1
            if self._good == self._interval:
                self._good = 0
                if math.isfinite(grown := self._scale * self._growth):
                    self._scale = grown
        self._seen.clear()

    def get_growth_factor(self) -> float:
        """The factor of growth."""
        return self._growth

    def get_backoff_factor(self) -> float:
        """The factor of shrinking."""
        return self._backoff

    def get_growth_interval(self) -> int:
        """How many good steps lead to growth."""
        return self._interval

    def set_growth_factor(self, new_factor: float) -> None:
        """Take another factor of growth."""
        self._growth = new_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Take another factor of shrinking."""
        self._backoff = new_factor

    def set_growth_interval(self, new_interval: int) -> None:
        """Take another interval."""
        self._interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """The factor and what leads to the next one; empty if disabled."""
        return {"scale": self._scale, "growth_factor": self._growth, "backoff_factor": self._backoff, "growth_interval": self._interval,
                "_growth_tracker": self._good} if self._enabled else {}

    @_enabled_only
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the state of another one.

        Args:
            state_dict: what `state_dict` returned.

        Raises:
            RuntimeError: it is that of a disabled one.
        """
        if not state_dict:
            raise RuntimeError("GradScaler.load_state_dict: the state is empty, that of a scaler that was disabled")
        self._scale, self._good = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth, self._backoff = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._interval = state_dict["growth_interval"]
