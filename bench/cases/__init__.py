"""The list of cases: every module of this folder has a list `CASES`."""
from cases import calls, gemm, layers, losses, memory, models, optim

CASES = [case for module in (gemm, calls, models, optim, memory, losses, layers) for case in module.CASES]
assert len({case.name for case in CASES}) == len(CASES), "two cases of one name"
