"""Multiply-adds of launches: what the arguments of matrix products, convolutions and attention say."""
from __future__ import annotations

import ctypes
from math import prod
from typing import Any, ClassVar

from fastnet._core.launch import kernel_numbers


PTR, INT, INT32 = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int32


def _of(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


class _Gemm(ctypes.Structure):
    """fn_gemm_args, csrc/kernels/gemm.h."""
    _fields_: ClassVar[Any] = [
        *_of(PTR, "a b c bias scratch"), *_of(INT, "m n k a_rs a_cs b_rs b_cs c_rs c_cs bias_rs bias_cs nbatch"),
        *_of(INT * 8, "batch a_bs b_bs c_bs"), *_of(INT32, "accumulate act how pack deep block"),
        *_of(INT, "batches units reduce_units scratch_size splits split_k")]


class _Attention(ctypes.Structure):
    """fn_attention_args, csrc/kernels/attention.h."""
    _fields_: ClassVar[Any] = [
        *_of(PTR, "q k v mask gy y lse gq gk gv scratch"), *_of(INT, "scratch_size batch heads kv_heads l s e ev"),
        *_of(INT * 3, "qs ks vs ys gs gqs gks gvs"), *_of(INT * 4, "ms"), *_of(INT32, "mask_kind causal")]


class _Conv(ctypes.Structure):
    """fn_conv_shape, csrc/kernels/conv.h: what the arguments of direct and depthwise convolutions begin with."""
    _fields_: ClassVar[Any] = [*_of(INT, "n c k groups"), *_of(INT * 3, "in out kernel")]


class _Winograd(ctypes.Structure):
    """fn_winograd_args, csrc/kernels/winograd.h."""
    _fields_: ClassVar[Any] = [
        *_of(PTR, "x w bias y gw u v d own"), *_of(INT, "images c k ih iw oh ow pad_h pad_w w_ks w_cs off_h off_w group"),
        *_of(INT32, "tile flip weight x_step y_step fused alone"), *_of(INT, "side planes kernels phases width tiles groups")]


SCHEDULES = ("tile", "dot", "stream")                    # fn_gemm_how
NUMBERS = kernel_numbers()
_ATTENTION = {NUMBERS["attention_forward"]: 2, NUMBERS["attention_backward"]: 5}  # products of (l, s) with a head's width
_CONV = {NUMBERS[name] for name in ("conv_apply", "conv_planar", "conv_scatter", "conv_weight", "conv_planar_weight", "depthwise_forward",
                                    "depthwise_input", "depthwise_weight")}
_WINOGRAD = {NUMBERS[name] for name in ("winograd_forward", "winograd_weight")}            # the whole product in one launch
_WINOGRAD_PART = {NUMBERS[name] for name in ("winograd_output", "winograd_weight_patch")}  # that of one group of tiles
PEEK = {NUMBERS["gemm"]: ctypes.sizeof(_Gemm), **{k: ctypes.sizeof(_Attention) for k in _ATTENTION},
        **{k: ctypes.sizeof(_Conv) for k in _CONV}, **{k: ctypes.sizeof(_Winograd) for k in _WINOGRAD | _WINOGRAD_PART}}


def launched(kernel: int, args: bytes | None) -> tuple[float, str]:
    """Multiply-adds of one launch and its schedule, from the arguments of its kernel; (0, "") where they are not known.

    Causal attention counts the pairs that meet, about half of all; Winograd's algorithm counts those of the definition.
    """
    if args is None:
        return 0.0, ""
    if kernel == NUMBERS["gemm"]:
        g = _Gemm.from_buffer_copy(args)
        return float(g.batches * g.m * g.n * g.k), SCHEDULES[g.how] + (f", k in {g.splits}" if g.splits > 1 else "")
    if kernel in _CONV:
        s = _Conv.from_buffer_copy(args)
        return float(s.n * s.k * (s.c // s.groups) * prod(s.out) * prod(s.kernel)), ""
    if kernel in _ATTENTION:
        a = _Attention.from_buffer_copy(args)
        seen = min(a.l, a.s)                             # causal: query i meets keys 0 to i
        pairs = a.l * a.s if not a.causal else seen * (seen + 1) // 2 + (a.l - seen) * a.s
        return a.batch * a.heads * pairs * (a.e + a.ev) / 2.0 * _ATTENTION[kernel], "causal" if a.causal else ""
    w = _Winograd.from_buffer_copy(args)
    pixels = w.ih * w.iw if w.flip else w.oh * w.ow      # of the forward's result, also where it is the source
    return 9.0 * w.images * w.c * w.k * pixels / (w.groups if kernel in _WINOGRAD_PART else 1), ""
