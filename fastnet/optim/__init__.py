"""optim: optimizers and schedules of the learning rate."""
from fastnet.optim import lr_scheduler
from fastnet.optim.adafactor import Adafactor
from fastnet.optim.adadelta import Adadelta
from fastnet.optim.adagrad import Adagrad
from fastnet.optim.adam import Adam, AdamW
from fastnet.optim.adamax import Adamax
from fastnet.optim.asgd import ASGD
from fastnet.optim.lbfgs import LBFGS
from fastnet.optim.lion import Lion
from fastnet.optim.muon import Muon
from fastnet.optim.musgd import MuSGD
from fastnet.optim.nadam import NAdam
from fastnet.optim.optimizer import Optimizer
from fastnet.optim.radam import RAdam
from fastnet.optim.rmsprop import RMSprop
from fastnet.optim.rprop import Rprop
from fastnet.optim.sgd import SGD
from fastnet.optim.sparse_adam import SparseAdam

__all__ = ["ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "MuSGD", "Muon", "NAdam",
           "Optimizer", "RAdam", "RMSprop", "Rprop", "SparseAdam", "lr_scheduler"]


def __getattr__(name: str) -> object:
    """swa_utils, imported when it is asked for."""
    if name == "swa_utils":
        from importlib import import_module
        return import_module("fastnet.optim.swa_utils")
    raise AttributeError(f"module 'fastnet.optim' has no attribute {name!r}")
