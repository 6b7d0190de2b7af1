"""training: the Trainer, its callbacks, history and checkpoints."""
from fastnet.training.batch_transform import BatchTransform
from fastnet.training.callback import Callback
from fastnet.training.checkpoint import Checkpoints
from fastnet.training.early_stopping import EarlyStopping
from fastnet.training.ema import EMA
from fastnet.training.history import History
from fastnet.training.log import CSVLog, JSONLines
from fastnet.training.progress import Progress
from fastnet.training.rng import seed_everything
from fastnet.training.steps import NonFiniteLoss
from fastnet.training.tensorboard import TensorBoard
from fastnet.training.trainer import Trainer

__all__ = ["BatchTransform", "CSVLog", "Callback", "Checkpoints", "EMA", "EarlyStopping", "History", "JSONLines", "NonFiniteLoss",
           "Progress", "TensorBoard", "Trainer", "seed_everything"]
