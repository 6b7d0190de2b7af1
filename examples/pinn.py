"""A network that solves a differential equation: u'' = -sin x with u(0) = u(pi) = 0, whose solution is sin x.

Nobody shows the network a solution. Its loss is how far the network's own second derivative is from -sin x, so a step differentiates three
times: u by x, twice, and the loss by the weights.

    python examples/pinn.py [--steps 400]
"""
import argparse
import math
import time

import fastnet as fn
from fastnet import nn
from fastnet.autograd import grad

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--steps", type=int, default=400)
args = parser.parse_args()

fn.manual_seed(0)
network = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = fn.optim.Adam(network.parameters(), lr=5e-3)
schedule = fn.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
x = fn.linspace(0, math.pi, 64).unsqueeze(1).requires_grad_()
ends = fn.tensor([[0.0], [math.pi]])
began = time.perf_counter()
for step in range(args.steps + 1):
    u = network(x)
    slope, = grad(u.sum(), x, create_graph=True)
    curvature, = grad(slope.sum(), x, create_graph=True)
    loss = (curvature + x.detach().sin()).square().mean() + network(ends).square().mean()
    if step % max(1, args.steps // 4) == 0:
        print(f"step {step}: loss {loss.item():.1e}, largest error {(u - x.sin()).abs().max().item():.1e}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
print(f"{(time.perf_counter() - began) / args.steps * 1e3:.1f} ms a step")
