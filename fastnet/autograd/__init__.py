"""Gradients: backward, grad, modes, Functions of your own, and the numerical checks."""
from typing import TYPE_CHECKING

from fastnet._core.engine import backward, enable_grad, grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from fastnet.autograd.anomaly import detect_anomaly, set_detect_anomaly
from fastnet.autograd.function import Function
from fastnet.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from fastnet.autograd.variable import Variable

if TYPE_CHECKING:
    from fastnet.autograd import functional
else:
    def __getattr__(name):
        if name == "functional":                         # imported when it is first used
            from importlib import import_module
            return import_module("fastnet.autograd.functional")
        raise AttributeError(f"module 'fastnet.autograd' has no attribute {name!r}")

__all__ = ["Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck",
           "gradgradcheck", "inference_mode", "is_grad_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled"]
