"""training: the Trainer, its callbacks, history and checkpoints."""
from fastnet.training.callback import Callback
from fastnet.training.history import History
from fastnet.training.steps import NonFiniteLoss
from fastnet.training.trainer import Trainer

__all__ = ["Callback", "History", "NonFiniteLoss", "Trainer"]
