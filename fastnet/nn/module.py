"""Module: the base of everything that holds parameters; attributes, tree, modes, call and repr."""
from __future__ import annotations

from typing import Any, Callable, Iterator, TypeVar

from fastnet._core.tensor import Tensor
from fastnet._core.hooks import RemovableHandle
from fastnet.nn.call import ModuleCall
from fastnet.nn.parameter import Parameter
from fastnet.nn.state import ModuleState

T = TypeVar("T", bound="Module")
_REGISTRIES = (("_parameters", "parameter", "Parameter"), ("_modules", "child module", "Module"), ("_buffers", "buffer", "Tensor"))
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks",
          "_state_dict_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


class Module(ModuleCall, ModuleState):
    """Base class of all layers and models: assign parameters and submodules as attributes, define `forward`.

    Attributes that are `Parameter`, `Module` or registered buffers live in the instance like any other attribute (so reading
    them costs what reading an attribute costs), and in the dicts `_parameters`, `_modules`, `_buffers`, which give them an order.

    >>> import fastnet as fn
    >>> class Net(fn.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = fn.nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.fc(x).relu()
    >>> tuple(Net()(fn.ones(3, 4)).shape)
    (3, 2)
    """

    training: bool
    _hooked = False  # True as soon as a hook was registered on this instance: its calls take the slow door
    _structure = 0   # grows with every change of any module's children or hooks: what a cached plan is checked against

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            raise TypeError(f"{type(self).__name__}.__init__() takes no further arguments, got {args or kwargs}")
        state = self.__dict__
        state["training"] = True
        state["_parameters"], state["_buffers"], state["_modules"] = {}, {}, {}
        state["_non_persistent_buffers_set"] = set()
        for name in _HOOKS:
            state[name] = {}

    def forward(self, *args: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise TypeError(f'{type(self).__name__} is missing the required "forward" function')

    # ---- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, (Parameter, Module)):
            if "_parameters" not in state:
                kind = "parameters" if isinstance(value, Parameter) else "module"
                raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
            registry = state["_parameters" if isinstance(value, Parameter) else "_modules"]
            for other in (state["_parameters"], state["_buffers"], state["_modules"]):
                if other is not registry and name in other:
                    del other[name]
                    Module._structure += 1
            state["_non_persistent_buffers_set"].discard(name)
            if name not in registry and isinstance(getattr(type(self), name, None), property):
                raise KeyError(f"attribute '{name}' already exists")  # it would hide what is stored here
            registry[name] = state[name] = value
            Module._structure += registry is state["_modules"]
            return
        if "_parameters" in state:
            for kind, word, expected in _REGISTRIES:
                registry = state[kind]
                if name in registry:
                    if value is not None and not (kind == "_buffers" and isinstance(value, Tensor)):
                        raise TypeError(f"cannot assign '{type(value).__name__}' as {word} '{name}' ({expected} or None expected)")
                    registry[name] = state[name] = value
                    Module._structure += kind == "_modules"
                    return
        if name == "forward":
            Module._structure += 1
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        state = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in state.get(kind, ()):
                del state[kind][name]
                state["_non_persistent_buffers_set"].discard(name)
                state.pop(name, None)
                Module._structure += 1
                return
        Module._structure += 1
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted(name for name in object.__dir__(self) if not name[0].isdigit())

    def _register(self, kind: str, name: str, value: Any, expected: type) -> None:
        state = self.__dict__
        registry, word = state.get(kind), kind[1:-1]
        if registry is None:
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string, got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{word} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{word} name can\'t be empty string ""')
        if hasattr(self, name) and name not in registry:
            raise KeyError(f"attribute '{name}' already exists")
        if value is not None and not isinstance(value, expected):
            raise TypeError(f"cannot register '{type(value).__name__}' as {word} '{name}' ({expected.__name__} or None expected)")
        registry[name] = state[name] = value
        Module._structure += kind == "_modules"

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`; None keeps the name for a parameter that is absent (it is not in `state_dict`).

        Raises KeyError for a name that is taken, empty or holds a dot; ValueError for a parameter that is not a leaf.
        """
        if isinstance(param, Parameter) and not param.is_leaf:
            raise ValueError(f"cannot assign non-leaf Tensor to parameter '{name}': make it a Parameter, compute on it in forward()")
        self._register("_parameters", name, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; `persistent=False` leaves it out of `state_dict`."""
        self._register("_buffers", name, tensor, Tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under `name`. Raises KeyError for a name that is taken, empty or holds a dot."""
        self._register("_modules", name, module, Module)

    # ---- the tree

    def _named_members(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]:
            for name, value in module.__dict__[kind].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Iterate over the parameters, each once; `recurse=False`: of this module alone."""
        return (value for _, value in self.named_parameters(recurse=recurse))

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Iterate over (dotted name, parameter); a shared one comes once unless `remove_duplicate=False`."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Iterate over the buffers, each once; `recurse=False`: of this module alone."""
        return (value for _, value in self.named_buffers(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Iterate over (dotted name, buffer); a shared one comes once unless `remove_duplicate=False`."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """Iterate over the direct submodules, each once."""
        return (module for _, module in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Iterate over (name, module) of the direct submodules, each once."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Iterate over this module and all below it, parents first, each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_modules(self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """Iterate over (dotted name, module) of this module (named `prefix`) and all below it, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def get_submodule(self, target: str) -> Module:
        """The submodule with the dotted name `target` ("" is the module itself); AttributeError if there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            if name not in module._modules:
                raise AttributeError(f"{type(module).__name__} has no submodule `{name}` (looking for `{target}`)")
            module = module._modules[name]
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module (looking for `{target}`)")
        return module

    def _get_member(self, kind: str, word: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in module.__dict__[kind]:
            raise AttributeError(f"{type(module).__name__} has no {word} `{name}` (looking for `{target}`)")
        return module.__dict__[kind][name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with the dotted name `target`; AttributeError if there is none."""
        return self._get_member("_parameters", "parameter", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with the dotted name `target`; AttributeError if there is none."""
        return self._get_member("_buffers", "buffer", target)

    # ---- modes and conversions

    def apply(self: T, fn: Callable[[Module], Any]) -> T:
        """Call `fn` on every submodule (children first) and on the module itself; returns the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: T, mode: bool = True) -> T:
        """Put the module and all below it into training mode (`mode=False`: evaluation); returns it."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: T) -> T:
        """Put the module and all below it into evaluation mode; returns it."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Switch gradients of all parameters on or off, in place; returns the module."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def compile(self, **kwargs: Any) -> None:
        """What `fastnet.compile` does, which takes the same arguments: nothing but to look at them."""
        from fastnet.compiler import compile
        compile(self, **kwargs)

    # ---- call

    def _add_hook(self, kind: str, hook: Any, prepend: bool = False) -> RemovableHandle:
        self.__dict__["_hooked"] = True
        Module._structure += 1
        return RemovableHandle(self.__dict__[kind], hook, first=prepend)

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; what it returns (not None) replaces `args`.

        With `with_kwargs` it is `hook(module, args, kwargs)` returning None or `(args, kwargs)`; `prepend` puts it first.
        """
        return self._add_hook("_forward_pre_hooks", (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns (not None) replaces the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; `always_call` runs it, with output None, even if forward raised.
        """
        return self._add_hook("_forward_hooks", (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; what it returns (not None) replaces the gradients."""
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` after the module's backward; what it returns (not None) replaces `grad_input`.

        Gradients are tuples over the positional inputs and the outputs, None where a value is no tensor or needs no gradient.
        """
        return self._add_hook("_backward_hooks", hook, prepend)

    # ---- repr

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the brackets of the module's repr; a layer overrides it."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {module!r}" for name, module in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = "\n".join(([extra] if extra else []) + children)
        return f"{self._get_name()}(\n  " + lines.replace("\n", "\n  ") + "\n)"

