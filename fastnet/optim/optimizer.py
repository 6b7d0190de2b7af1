"""Optimizer: parameter groups, state, `state_dict`, `zero_grad` and the frame of `step`."""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet._core.hooks import RemovableHandle
from fastnet.ops.clip import with_rows
from fastnet.ops.optim import drop_grad, with_grad
from fastnet.optim.state import States, version

_HOOKS = ("_step_pre_hooks", "_step_post_hooks", "_state_dict_pre_hooks", "_state_dict_post_hooks", "_load_pre_hooks", "_load_post_hooks")
required = object()


class _Plan:
    """The lists of one group that its update takes, and what they were made from."""

    __slots__ = ("group", "names", "state", "version", "params", "lists")

    def __init__(self, group: dict[str, Any], names: tuple[str, ...], state: States, params: list[Tensor], lists: list[list[Any]]) -> None:
        self.group, self.names, self.state, self.params, self.lists = group, names, state, params, lists
        self.version = version()


class Optimizer:
    """Base of all optimizers.

    Args:
        params: tensors, or dicts with `params` and options of that group, or pairs (name, tensor).
        defaults: options of groups that do not give their own.

    A subclass defines `_update(group)`, which changes the parameters of one group that have gradients; or its own `step`.
    """

    _plans: dict[int, _Plan]
    _step_pre_hooks: dict[int, Callable[..., Any]]
    _step_post_hooks: dict[int, Callable[..., Any]]
    _state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _state_dict_post_hooks: dict[int, Callable[..., Any]]
    _load_pre_hooks: dict[int, Callable[..., Any]]
    _load_post_hooks: dict[int, Callable[..., Any]]

    _hooked = False

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor")
        if callable(getattr(params, "parameters", None)):
            raise TypeError(f"{type(self).__name__}: params must be an iterable of Tensors or dicts, got a {type(params).__name__}; give "
                            "its parameters()")
        self.defaults: dict[str, Any] = defaults
        self.state = States()
        self._plans = {}
        self.param_groups: list[dict[str, Any]] = []
        self._step_count = 0
        for name in _HOOKS:
            setattr(self, name, {})
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A subclass with a `step` of its own has it counted and its hooks run, as `Optimizer.step` does."""
        super().__init_subclass__(**kwargs)
        if "step" not in cls.__dict__:
            return
        own = cls.__dict__["step"]

        @functools.wraps(own)
        def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
            if not self._hooked:
                result = own(self, *args, **kwargs)
            else:
                for hook in list(self._step_pre_hooks.values()):
                    changed = hook(self, args, kwargs)
                    if changed is not None:
                        args, kwargs = changed
                result = own(self, *args, **kwargs)
                for hook in list(self._step_post_hooks.values()):
                    hook(self, args, kwargs)
            self._step_count += 1
            return result

        setattr(cls, "step", step)

    # ---- step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (`set_to_none=False`: fill them with zeros)."""
        for group in self.param_groups:
            if set_to_none:
                drop_grad(group["params"])
                continue
            for param in group["params"]:
                if param.grad is not None:
                    if param.grad.requires_grad:         # it was recorded: its history goes
                        param.grad = param.grad.detach()
                    param.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by their gradients once.

        Args:
            closure: called first, with gradients enabled; computes the loss anew and its gradients, and returns the loss.

        Returns: what the closure returned, or None.
        """
        if self._hooked:
            for hook in list(self._step_pre_hooks.values()):
                changed = hook(self, (closure,) if closure is not None else (), {})
                if changed is not None:
                    (closure,) = changed[0] or (None,)
        loss = None
        if closure is not None:
            with fn.enable_grad():
                loss = closure()
        for group in self.param_groups:
            sparse = with_rows(group["params"])
            if sparse:
                self._check_rows(group)
                for param in sparse:
                    grad: Any = param.grad                # a SparseTensor
                    if grad._nnz():
                        self._update_rows(group, param, grad)
            self._update(group)
        self._step_count += 1
        if self._hooked:
            for hook in list(self._step_post_hooks.values()):
                hook(self, (closure,) if closure is not None else (), {})
        return loss

    def _update(self, group: dict[str, Any]) -> None:
        """One step of the parameters of one group; every optimizer has its own."""
        raise TypeError(f"{type(self).__name__} defines neither step() nor _update()")

    def _check_rows(self, group: dict[str, Any]) -> None:
        """Raise RuntimeError if sparse gradients, or options of the group with them, are not supported."""
        raise RuntimeError(f"{type(self).__name__} does not support sparse gradients, please consider SparseAdam, Adagrad or SGD instead")

    def _update_rows(self, group: dict[str, Any], param: Tensor, grad: Any) -> None:
        """One step of the rows of a parameter that its `SparseTensor` gradient names; for optimizers whose `_check_rows` allows it."""

    def _lists(self, group: dict[str, Any], names: tuple[str, ...]) -> _Plan:
        """The parameters of a group that have gradients, and their states called `names`, made where there are none yet.

        The lists are kept until a parameter, its having a gradient, or any state changes.
        """
        plan = self._plans.get(id(group))
        if plan is None:
            params = with_grad(group["params"])
        else:
            params = with_grad(group["params"], plan.params)
            same = params is plan.params and plan.names is names and plan.group is group
            if same and plan.version == version() and plan.state is self.state:
                return plan
        for param in params if names else ():
            self._state_of(param, group, names)
        plan = _Plan(group, names, self.state, params, [[self.state[param][name] for param in params] for name in names])
        self._plans[id(group)] = plan
        return plan

    def _state_of(self, param: Tensor, group: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """The state of a parameter, with those of `names` made that are not there yet."""
        state = self.state[param]
        for name in names:
            if name not in state:
                state[name] = self._new_state(name, param, group)
            elif name == "step" and not isinstance(state[name], Tensor):  # a plain number in old state_dicts
                state[name] = fn.tensor(float(state[name]), dtype=fn.float32)
        return state

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        """State `name` of a parameter before its first step: a count of 0, or zeros like the parameter."""
        return fn.zeros((), dtype=fn.float32) if name == "step" else fn.zeros_like(param.detach())

    # ---- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with `params` and the options in which it differs from the defaults.

        Raises: TypeError for what is no tensor or has no order; ValueError for a non-leaf, a parameter that is there already, or a
        missing or bad option.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        if "params" not in param_group:
            raise ValueError("param_group must have a 'params' key")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, (set, frozenset)):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                            "will change between runs. Please use a list instead.")
        group = {**param_group, "params": list(params)}
        _split_names(group)
        for param in group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not (param.is_leaf or param.requires_grad and param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, value in self.defaults.items():
            if value is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, value)
        ids = [id(param) for param in group["params"]]
        if len(set(ids)) != len(ids):
            raise ValueError("optimizer contains a parameter group with duplicate parameters")
        for other in self.param_groups:
            if not {id(param) for param in other["params"]}.isdisjoint(ids):
                raise ValueError("some parameters appear in more than one parameter group")
            if ("param_names" in other) != ("param_names" in group):
                raise ValueError("all optimizer param groups should be with/without names")
        self._check_group(group)
        self.param_groups.append(group)

    def _check_group(self, group: dict[str, Any]) -> None:
        """Raise ValueError for options that make no sense; every optimizer adds its own."""
        if group.get("differentiable"):
            raise ValueError(f"{type(self).__name__}: differentiable=True is not supported: steps are not recorded on the tape")
        if group.get("foreach") and group.get("fused"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (" + "\n".join(lines) + "\n)"

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        """`state` by the parameter's number, and `param_groups` with numbers for parameters: PyTorch's layout."""
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self)
        number: dict[int, int] = {}
        for group in self.param_groups:
            for param in group["params"]:
                number[id(param)] = len(number)
        groups = [{**{key: value for key, value in group.items() if key != "params"}, "params": [number[id(p)] for p in group["params"]]}
                  for group in self.param_groups]
        state = {number[id(key)] if isinstance(key, Tensor) else key: dict(value) if isinstance(value, dict) else value
                 for key, value in self.state.items()}
        packed = {"state": state, "param_groups": groups}
        for hook in list(self._state_dict_post_hooks.values()):
            changed = hook(self, packed)
            packed = packed if changed is None else changed
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`, PyTorch's included; tensors are copied, floating ones to the dtype of their parameter.

        Raises: ValueError if the number of groups, or of parameters in a group, is another one; nothing is changed then.
        """
        for hook in list(self._load_pre_hooks.values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(saved["params"]) != len(group["params"]) for saved, group in zip(groups, self.param_groups)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        param_of = {number: param for saved, group in zip(groups, self.param_groups) for number,
                    param in zip(saved["params"], group["params"])}
        state = States()
        for key, value in state_dict["state"].items():
            state[param_of.get(key, key)].update(_load_value(value, param_of.get(key)))
        loaded = []
        for saved, group in zip(groups, self.param_groups):
            new = {**group, **{key: _load_value(value, None) for key, value in saved.items() if key != "params"}}
            if "param_names" in group and "param_names" not in saved:
                new["param_names"] = group["param_names"]
            elif "param_names" not in group:
                new.pop("param_names", None)
            self._check_group(new)
            loaded.append(new)
        self.state, self.param_groups[:] = state, loaded
        self._plans.clear()
        for hook in list(self._load_post_hooks.values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups, "_step_count": self._step_count}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._plans = {}
        for name in _HOOKS:
            self.__dict__.setdefault(name, {})

    # ---- hooks

    def _add_hook(self, kind: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        return RemovableHandle(self.__dict__[kind], hook, first=prepend)

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before a step; it may return changed (args, kwargs)."""
        self._hooked = True
        return self._add_hook("_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after a step."""
        self._hooked = True
        return self._add_hook("_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict` reads the optimizer."""
        return self._add_hook("_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` at the end of `state_dict`; what it returns (not None) replaces the dict."""
        return self._add_hook("_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; what it returns (not None) replaces the dict."""
        return self._add_hook("_load_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after loading."""
        return self._add_hook("_load_post_hooks", hook, prepend)


def _split_names(group: dict[str, Any]) -> None:
    """Turn pairs (name, tensor), as `named_parameters()` gives, into tensors and `param_names`."""
    pairs = [isinstance(param, tuple) for param in group["params"]]
    if any(pairs):
        if not all(pairs):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        group["param_names"] = [name for name, _ in group["params"]]
        group["params"] = [param for _, param in group["params"]]


def _load_value(value: Any, param: Tensor | None) -> Any:
    """A copy of what a state_dict holds; arrays and other libraries' tensors become tensors, cast to `param` except for steps."""
    if isinstance(value, dict):
        return {key: _load_value(item, None if key == "step" else param) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_load_value(item, param) for item in value)
    if isinstance(value, Tensor):
        tensor = value.detach().clone()
    elif hasattr(value, "__dlpack__") or isinstance(value, np.ndarray):
        tensor = fn.tensor(np.asarray(value.detach() if hasattr(value, "detach") else value))
    else:
        return value
    if param is None or not tensor.ndim:
        return tensor
    if tensor.shape != param.shape:
        return tensor.to(param.dtype)
    return fn.empty_like(param.detach()).copy_(tensor)  # in the parameter's memory order


def check_lr(lr: Any) -> None:
    """Raise ValueError unless `lr` is a number, or a tensor of one element, not below 0."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_least("learning rate", lr)


def check_least(name: str, value: Any, least: float = 0.0) -> None:
    """Raise ValueError unless value >= least (NaN is refused too)."""
    if not least <= value:
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both betas are in [0, 1)."""
    if len(betas) != 2:
        raise ValueError(f"betas must be two numbers, got {betas}")
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


