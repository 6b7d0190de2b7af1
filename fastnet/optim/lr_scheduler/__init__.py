"""optim.lr_scheduler: schedules of the learning rate."""
from fastnet.optim.lr_scheduler.base import LambdaLR, LRScheduler, MultiplicativeLR
from fastnet.optim.lr_scheduler.compose import ChainedScheduler, SequentialLR
from fastnet.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from fastnet.optim.lr_scheduler.cycle import CyclicLR, OneCycleLR
from fastnet.optim.lr_scheduler.factor import ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR
from fastnet.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
           "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau",
           "SequentialLR", "StepLR"]

_LRScheduler = LRScheduler                              # PyTorch's older name, which schedulers of one's own are made from
