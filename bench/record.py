"""`python bench/record.py`: print the losses of the first steps of the networks, computed by PyTorch in float64.

`bench/cases/conv_nets.py`, `conv_inference.py`, `detect.py` and `gpt.py` hold them; they change only with the models or the case. Needs
PyTorch.
"""
import torch
from cases import conv_inference, conv_nets, detect, gpt

for case in [*conv_nets.CASES, *conv_inference.CASES, *detect.CASES, *(c for c in gpt.CASES if isinstance(c, gpt.Training))]:
    run = case.torchlike(torch, case.inputs(), False, dtype="float64")
    for _ in range(case.checks):
        run.names["checked"]()
    print(case.name, [float(f"{v:.7g}") for v in run.read()[0]], flush=True)
