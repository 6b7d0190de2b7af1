"""Go on with a sine: LSTM cells step by step, in float64, trained by LBFGS with a line search; as in PyTorch but for the imports."""
import sys

import numpy as np

import fastnet as torch
from fastnet import nn

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 6


class Forecast(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.width, self.cell, self.out = width, nn.LSTMCell(1, width), nn.Linear(width, 1)

    def forward(self, x, future=0):
        h, c = (torch.zeros(len(x), self.width, dtype=torch.double) for _ in range(2))
        outputs = []
        for value in x.split(1, dim=1):
            h, c = self.cell(value, (h, c))
            outputs.append(self.out(h))
        for _ in range(future):                                # its own words from here on
            h, c = self.cell(outputs[-1], (h, c))
            outputs.append(self.out(h))
        return torch.cat(outputs, dim=1)


torch.manual_seed(0)
phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (24, 1))
waves = torch.from_numpy(np.sin(phases + np.arange(90) / 5))
seen, later = waves[:, :60], waves[:, 60:]
model = Forecast().double()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, line_search_fn="strong_wolfe")
for step in range(STEPS):
    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(seen[4:, :-1]), seen[4:, 1:])
        loss.backward()
        return loss
    loss = optimizer.step(closure)
    with torch.no_grad():
        ahead = model(seen[:4], future=29)[:, 59:]
    print(f"step {step}: loss {loss.item():.6f}, 30 values ahead {nn.functional.mse_loss(ahead, later[:4]).item():.4f}")
