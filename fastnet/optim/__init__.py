"""optim: optimizers and schedules of the learning rate."""
from fastnet.optim import lr_scheduler
from fastnet.optim.optimizer import Optimizer

__all__ = ["Optimizer", "lr_scheduler"]
