"""The tensors of a module as one: converted to a dtype, saved as a `state_dict`, loaded from one."""
from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet._core.hooks import RemovableHandle

_EXTRA_STATE = "_extra_state"


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict(strict=False)` returns: the keys the module has and the dict lacks, and the reverse."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if self.missing_keys or self.unexpected_keys else "<All keys matched successfully>"


def _as_tensor(value: Any) -> Tensor | None:
    """`value` as a Tensor; arrays and tensors of other libraries are taken; None for anything else."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "__dlpack__") or hasattr(value, "__array__"):
        return fn.as_tensor(np.asarray(value.detach() if hasattr(value, "detach") else value))
    return None


class ModuleState:
    """The part of `Module` that treats its tensors as one state."""

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any:
            """Parameters, buffers and submodules, attributes that no class declares, and what else a Module has."""

    # ---- conversion

    def _apply(self, convert: Callable[[Tensor], Tensor]) -> Any:
        for module in self.modules():
            for param in module._parameters.values():
                if param is not None:
                    with fn.no_grad():
                        grad = param.grad
                        param.grad = None
                        param.data = convert(param.data)
                        if grad is not None:
                            param.grad = convert(grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = module.__dict__[name] = convert(buffer)
        return self

    def to(self, *args: Any, memory_format: Any = None, **kwargs: Any) -> Any:
        """Convert floating point parameters and buffers in place: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(tensor)`.

        The only device is "cpu"; `non_blocking` means nothing here and is accepted, and so is `memory_format`: images lie channels last
        by themselves. Returns the module.
        """
        if memory_format not in (None, fn.preserve_format, fn.contiguous_format, fn.channels_last, fn.channels_last_3d):
            raise ValueError(f"Module.to: memory_format {memory_format!r} is not one of fastnet's")
        device, dtype = _parse_to(*args, **kwargs)
        fn.empty(0, device=device)  # refuses a device that is not there
        if dtype is None:
            return self
        if not dtype.is_floating_point:
            raise TypeError(f"Module.to only accepts floating point dtypes, got {dtype}")
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Any:
        """Convert floating point parameters and buffers to float32; returns the module."""
        return self.to(fn.float32)

    def double(self) -> Any:
        """Convert floating point parameters and buffers to float64; returns the module."""
        return self.to(fn.float64)

    def cpu(self) -> Any:
        """Nothing to do on a CPU; returns the module."""
        return self

    # ---- saving

    def get_extra_state(self) -> Any:
        """Override together with `set_extra_state` to keep more than tensors in `state_dict`."""
        raise RuntimeError(f"{type(self).__name__} does not define get_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Override together with `get_extra_state`: receives from `load_state_dict` what that returned."""
        raise RuntimeError(f"{type(self).__name__} does not define set_extra_state")

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(ModuleState, method)

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        for name, tensor in chain(self._parameters.items(), self._buffers.items()):
            if tensor is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def state_dict(self, *, destination: dict | None = None, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
        """All parameters and persistent buffers by dotted name; they share memory with the module.

        Args:
            destination: a dict to fill; a new OrderedDict by default.
            prefix: put before every name.
            keep_vars: give the parameters themselves, not detached tensors.
        """
        if destination is None:
            made: Any = OrderedDict()
            made._metadata = OrderedDict()
            destination = made
        local_metadata = {"version": 1}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            if hook(self, destination, prefix, local_metadata) is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` reads the module."""
        return self._add_hook("_state_dict_pre_hooks", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` when `state_dict` is filled; it may change the dict."""
        return self._add_hook("_state_dict_hooks", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)` before loading."""
        return self._add_hook("_load_state_dict_pre_hooks", hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` when the module is loaded; it may take keys out of the two lists."""
        return self._add_hook("_load_state_dict_post_hooks", hook)

    # ---- loading

    def _load_from_state_dict(self, state_dict: dict, prefix: str, local_metadata: dict, strict: bool, missing_keys: list[str],
                              unexpected_keys: list[str], error_msgs: list[str]) -> None:
        """Check this module's own tensors and put what is to be copied on `local_metadata["pending"]`; children are not visited."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        names = set()
        for name, tensor in chain(self._parameters.items(), self._buffers.items()):
            if tensor is None or name in self._non_persistent_buffers_set:
                continue
            names.add(name)
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = _as_tensor(state_dict[key])
            if value is None:
                error_msgs.append(f'While copying the parameter named "{key}", expected a Tensor or an array, '
                                  f"got {type(state_dict[key]).__name__}")
            elif tuple(value.shape) != tuple(tensor.shape):
                error_msgs.append(f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                                  f"the shape in current model is {tensor.shape}.")
            else:
                local_metadata["pending"].append((self, name, value))
        extra_key = prefix + _EXTRA_STATE
        if self._has_extra_state("set_extra_state"):
            names.add(_EXTRA_STATE)
            if extra_key in state_dict:
                local_metadata["pending"].append((self, None, state_dict[extra_key]))
            elif strict:
                missing_keys.append(extra_key)
        if strict:
            for key in state_dict:
                if key.startswith(prefix):
                    head, _, rest = key[len(prefix):].partition(".")
                    if head not in names and not (rest and self._modules.get(head) is not None):
                        unexpected_keys.append(key)

    def _load_tree(self, state_dict: dict, prefix: str, metadata: dict, common: dict, strict: bool, report: IncompatibleKeys,
                   error_msgs: list[str]) -> None:
        self._load_from_state_dict(state_dict, prefix, {**metadata.get(prefix[:-1], {}), **common}, strict, *report, error_msgs)
        for name, module in self._modules.items():
            if module is not None:
                start = f"{prefix}{name}."
                part = {key: value for key, value in state_dict.items() if key.startswith(start)}
                module._load_tree(part, start, metadata, common, strict, report, error_msgs)
        for hook in list(self._load_state_dict_post_hooks.values()):
            if hook(self, report) is not None:
                raise RuntimeError("load_state_dict post-hook must return None: change the given lists in place")

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy parameters and buffers from a `state_dict`; nothing is touched if anything does not fit.

        Args:
            state_dict: dotted name to Tensor, NumPy array or a tensor of another library on the CPU (so PyTorch's loads as it is).
            strict: keys must be exactly the module's own.
            assign: take the given tensors themselves (dtype included) instead of copying into the module's.

        Returns: `missing_keys` and `unexpected_keys`.
        Raises: RuntimeError listing missing and unexpected keys (if strict) and all shapes that differ.

        >>> import fastnet as fn
        >>> a, b = fn.nn.Linear(2, 3), fn.nn.Linear(2, 3)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected state_dict to be a dict, got {type(state_dict).__name__}")
        metadata = getattr(state_dict, "_metadata", None) or {}
        common: dict[str, Any] = {"assign_to_params_buffers": assign, "pending": []}
        report = IncompatibleKeys([], [])
        errors: list[str] = []
        # what the module lacks is always listed; `strict` only decides whether that is an error
        self._load_tree(OrderedDict(state_dict), "", metadata, common, True, report, errors)
        if strict:
            for word, keys in (("Unexpected", report.unexpected_keys), ("Missing", report.missing_keys)):
                if keys:
                    errors.insert(0, f"{word} key(s) in state_dict: " + ", ".join(f'"{key}"' for key in keys) + ". ")
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        with fn.no_grad():
            for module, name, value in common["pending"]:
                if name is None:
                    module.set_extra_state(value)
                elif not assign:
                    module.__dict__[name].copy_(value)
                elif name in module._parameters:
                    old = module._parameters[name]
                    new = value if isinstance(value, fn.nn.Parameter) else fn.nn.Parameter(value, requires_grad=old.requires_grad)
                    setattr(module, name, new)
                else:
                    setattr(module, name, value)
        return report


def _parse_to(*args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, copy: bool = False) -> tuple[Any, Any]:
    if copy:
        raise ValueError("Module.to: a module is converted in place, copy=True is not supported; use copy.deepcopy(module)")
    if len(args) > 3:
        raise TypeError(f"Module.to: expected at most (device, dtype, non_blocking), got {len(args)} arguments")
    if args and isinstance(args[0], Tensor):
        return args[0].device, args[0].dtype
    if args and isinstance(args[0], fn.dtype):
        return device, args[0]
    if args:
        device = args[0]
    if len(args) > 1 and args[1] is not None:
        dtype = args[1]
    if dtype is not None and not isinstance(dtype, fn.dtype):
        raise TypeError(f"Module.to: dtype must be a fastnet dtype, got {dtype!r}")
    return device, dtype
