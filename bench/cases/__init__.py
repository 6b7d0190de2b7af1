"""The list of cases: every module of this folder has a list `CASES`."""
from cases import calls, conv_nets, depthwise, gemm, images, layers, losses, memory, models, norm, optim, pool

MODULES = (gemm, calls, models, optim, memory, losses, norm, conv_nets, layers, depthwise, images, pool)
CASES = [case for module in MODULES for case in module.CASES]
assert len({case.name for case in CASES}) == len(CASES), "two cases of one name"
