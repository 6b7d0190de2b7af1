"""`python bench/record.py`: print the losses of the first steps of the convolutional networks, computed by PyTorch in float64.

`bench/cases/conv_nets.py` holds them; they change only with the models or the case. Needs PyTorch.
"""
import torch
from cases.conv_nets import CASES

for case in CASES:
    run = case.torchlike(torch, case.inputs(), False, dtype="float64")
    for _ in range(case.checks):
        run.names["checked"]()
    print(case.name, [float(f"{v:.7g}") for v in run.read()[0]], flush=True)
