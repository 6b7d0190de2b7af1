"""Gradients: backward, grad, modes, Functions of your own, and the numerical check."""
from fastnet._core.engine import backward, enable_grad, grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from fastnet.autograd.anomaly import detect_anomaly, set_detect_anomaly
from fastnet.autograd.function import Function
from fastnet.autograd.gradcheck import GradcheckError, gradcheck
from fastnet.autograd.variable import Variable

__all__ = ["Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "grad", "gradcheck", "inference_mode",
           "is_grad_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled"]
