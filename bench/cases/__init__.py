"""The list of cases: every module of this folder has a list `CASES`."""
from cases import attention, calls, conv_inference, conv_nets, depthwise
from cases import detect, gemm, gpt, grouped, images, layers, losses, memory, models, norm, optim, pool, recurrent

MODULES = (gemm, calls, models, optim, memory, losses, norm, conv_nets, conv_inference, detect, layers, depthwise, grouped, images, pool,
           attention, recurrent, gpt)
CASES = [case for module in MODULES for case in module.CASES]
assert len({case.name for case in CASES}) == len(CASES), "two cases of one name"
