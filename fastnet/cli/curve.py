"""A picture of loss curves: `fastnet.training.curve`, under the name the command line knew first."""
from fastnet.training.curve import loss_curve, ticks

__all__ = ["loss_curve", "ticks"]
