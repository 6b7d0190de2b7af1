"""Batch norm folded into the convolution or linear layer before it, for inference."""
from __future__ import annotations

import copy
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from fastnet.nn.linear import Identity
from fastnet.nn.module import Module
from fastnet.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, plain
from fastnet.nn.parameter import Parameter

_CONVS = (Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d)


def _folded(w: Tensor, b: Tensor | None, mean: Tensor, var: Tensor, eps: float, bn_w: Tensor | None, bn_b: Tensor | None,
            shape: list[int]) -> tuple[Parameter, Parameter]:
    with fn.no_grad():
        scale = (var + eps).rsqrt()
        if bn_w is not None:
            scale = scale * bn_w
        shift = (-mean if b is None else b - mean) * scale
        if bn_b is not None:
            shift = shift + bn_b
        return (Parameter((w * scale.reshape(shape)).to(w.dtype), requires_grad=w.requires_grad),
                Parameter(shift.to(w.dtype), requires_grad=w.requires_grad if b is None else b.requires_grad))


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
                         bn_b: Tensor | None, transpose: bool = False) -> tuple[Parameter, Parameter]:
    """The weight and bias of a convolution that does what a convolution and a batch norm in evaluation do.

    Args:
        conv_w: weight of the convolution.
        conv_b: its bias (C,), or None.
        bn_rm, bn_rv: running mean and variance of the batch norm, (C,).
        bn_eps: what it adds to the variance.
        bn_w, bn_b: its weight and bias, or None.
        transpose: whether output channels are axis 1 of conv_w, as in a transposed convolution, instead of axis 0.

    >>> import fastnet as fn
    >>> one = fn.ones(1)
    >>> w, b = fn.nn.utils.fusion.fuse_conv_bn_weights(fn.ones(1, 1, 1, 1), None, one, one, 0.0, one * 2, one * 3)
    >>> w.item(), b.item()
    (2.0, 1.0)
    """
    shape = [1] * conv_w.ndim
    shape[int(transpose)] = -1
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def _check(op: str, layer: Module, bn: Any) -> None:
    if layer.training or bn.training:
        raise RuntimeError(f"{op}: both modules must be in evaluation mode; call eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError(f"{op}: bn has no running statistics")


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what `conv` and then `bn` do in evaluation.

    Args:
        conv: Conv1d, 2d, 3d, or a transposed one.
        bn: the BatchNorm that follows it.
        transpose: whether conv is transposed.

    Returns: a new module; the two are not changed.
    Raises: RuntimeError in training mode, or if bn has no running statistics.

    >>> import fastnet as fn
    >>> conv, bn, x = fn.nn.Conv2d(1, 2, 3).eval(), fn.nn.BatchNorm2d(2).eval(), fn.ones(1, 1, 4, 4)
    >>> bool(fn.allclose(fn.nn.utils.fusion.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-5))
    True
    """
    _check("fuse_conv_bn_eval", conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
                                                    transpose)
    return fused


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
                           bn_b: Tensor | None) -> tuple[Parameter, Parameter]:
    """The weight and bias of a linear layer that does what a linear layer and a batch norm in evaluation do.

    Args:
        linear_w, linear_b: weight and bias (or None) of the linear layer.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: as in `fuse_conv_bn_weights`.
    """
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what `linear` and then `bn` do in evaluation; a new module.

    Raises: RuntimeError in training mode, if bn has no running statistics, or if sizes differ.
    """
    _check("fuse_linear_bn_eval", linear, bn)
    if linear.out_features != bn.num_features:
        raise RuntimeError(f"fuse_linear_bn_eval: out_features {linear.out_features} is not num_features {bn.num_features}")
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                                      bn.bias)
    return fused


def _tensors(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    return [t for part in result for t in _tensors(part)] if isinstance(result, (tuple, list)) else []


def _guess(model: Module) -> tuple[Tensor, ...] | None:
    """An image that the model takes, from its first convolution."""
    first = next((m for m in model.modules() if isinstance(m, _CONVS)), None)
    if first is None:
        return None
    for size in (1, 4, 32) if first.transposed else (32, 64, 224, 28):
        shape = (2, first.in_channels, *(size,) * (first.weight.ndim - 2))
        x = fn.rand(shape, dtype=first.weight.dtype, generator=fn.Generator().manual_seed(0))
        try:
            model(x)
        except Exception:                                   # whatever a model says to an image of a size that it is not for
            continue
        return (x,)
    return None


def _pairs(model: Module, inputs: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Names of convolutions and of the norms that take what they give, seen in one forward pass of a copy with hooks."""
    traced = copy.deepcopy(model)
    made: dict[int, tuple[str, Tensor]] = {}                # the tensors are kept, so that no id comes twice
    calls: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []

    def after(name: str) -> Any:
        def hook(module: Module, args: tuple, result: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            if isinstance(module, _CONVS):
                made[id(result)] = (name, result)
            elif args and id(args[0]) in made:
                pairs.append((made[id(args[0])][0], name))
        return hook

    for name, module in traced.named_modules():
        conv = type(module) in _CONVS and not (module.transposed and module.groups > 1)
        if plain(module) and (conv or (type(module) in _NORMS and module.running_mean is not None)):
            module.register_forward_hook(after(name))
    traced(*inputs)
    return [(conv, norm) for conv, norm in pairs if calls[conv] == calls[norm] == 1]


def _replace(model: Module, old: Module, new: Module) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is old:
                setattr(parent, name, new)


def _fold(model: Module, pairs: list[tuple[str, str]]) -> Module:
    model = copy.deepcopy(model)
    for conv_name, norm_name in pairs:
        conv: Any = model.get_submodule(conv_name)
        norm = model.get_submodule(norm_name)
        _replace(model, conv, fuse_conv_bn_eval(conv, norm, conv.transposed))
        _replace(model, norm, Identity())
    return model


def fuse_conv_bn(model: Module, *inputs: Any) -> Module:
    """A copy of a model, for inference, in which every batch norm that follows a convolution is folded into it.

    Which norm follows which convolution is seen in one forward pass, not guessed from names; the copy's results are compared with
    the model's, and a pair whose convolution serves something else, too, is left as it is.  Modules with hooks are left alone.

    Args:
        model: in evaluation mode.
        *inputs: what the model is called with; none: random images that fit its first convolution.

    Returns: the copy: `Identity` stands where norms were; the names of all others stay.
    Raises: RuntimeError in training mode, or if the model took none of the random images.

    >>> import fastnet as fn
    >>> net = fn.nn.Sequential(fn.nn.Conv2d(3, 8, 3), fn.nn.BatchNorm2d(8), fn.nn.ReLU()).eval()
    >>> fn.fuse_conv_bn(net)[1]
    Identity()
    """
    if not isinstance(model, Module):
        raise TypeError(f"fuse_conv_bn: model must be a Module, got {type(model).__name__}")
    if any(m.training for m in model.modules()):
        raise RuntimeError("fuse_conv_bn: the model must be in evaluation mode; call model.eval() first")
    if isinstance(model, _CONVS) or not any(isinstance(m, _CONVS) for m in model.modules()):
        return copy.deepcopy(model)
    with fn.no_grad():
        guess = inputs or _guess(model)
        if guess is None:
            raise RuntimeError("fuse_conv_bn: the model took no random image; pass the inputs of a forward pass: fuse_conv_bn(model, x)")
        pairs, want = _pairs(model, guess), _tensors(model(*guess))

        def right(candidate: Module) -> bool:
            got = _tensors(candidate(*guess))
            close = [float((g - w).abs().max()) <= 1e-3 * float(w.abs().max()) + 1e-6 for g, w in zip(got, want, strict=True) if w.numel()]
            return all(close)

        fused = _fold(model, pairs)
        if not right(fused):
            kept: list[tuple[str, str]] = []
            for pair in pairs:
                if right(_fold(model, [*kept, pair])):
                    kept.append(pair)
            fused = _fold(model, kept)
        return fused
