"""Balance a pole: an actor with its critic (Sutton and Barto, chapter 13) and Categorical; as in PyTorch but for the imports."""
import math
import sys

import numpy as np

import fastnet as torch
from fastnet import nn
from fastnet.distributions import Categorical
from fastnet.nn import functional as F

EPISODES = int(sys.argv[1]) if len(sys.argv) > 1 else 150


class Pole:
    """A pole on a cart that is pushed left or right every fiftieth of a second (Barto, Sutton and Anderson, 1983); 200 steps at most."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        self.state, self.steps = self.rng.uniform(-0.05, 0.05, 4), 0
        return self.state.astype(np.float32)

    def step(self, action):
        x, speed, angle, turn = self.state
        push = (10.0 if action else -10.0) + 0.05 * turn ** 2 * math.sin(angle)
        bend = (9.8 * math.sin(angle) - math.cos(angle) * push / 1.1) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
        pull = (push - 0.05 * bend * math.cos(angle)) / 1.1
        self.state = self.state + 0.02 * np.array([speed, pull, turn, bend])
        self.steps += 1
        fell = abs(self.state[0]) > 2.4 or abs(self.state[2]) > math.radians(12)
        return self.state.astype(np.float32), 1.0, bool(fell or self.steps >= 200)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.action, self.value = nn.Linear(4, 64), nn.Linear(64, 2), nn.Linear(64, 1)

    def forward(self, x):
        x = F.relu(self.body(x))
        return F.softmax(self.action(x), dim=-1), self.value(x)


torch.manual_seed(0)
env, model = Pole(0), Policy()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
average = 10.0
for episode in range(1, EPISODES + 1):
    state, done, taken, rewards = env.reset(), False, [], []
    while not done:
        chances, value = model(torch.from_numpy(state))
        choice = Categorical(chances)
        action = choice.sample()
        taken.append((choice.log_prob(action), value))
        state, reward, done = env.step(action.item())
        rewards.append(reward)
    returns, after = [], 0.0
    for reward in rewards[::-1]:
        after = reward + 0.99 * after
        returns.insert(0, after)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    actor = torch.stack([-log_prob * (r - value.item()) for (log_prob, value), r in zip(taken, returns)]).sum()
    critic = torch.stack([F.smooth_l1_loss(value, r.view(1)) for (_, value), r in zip(taken, returns)]).sum()
    optimizer.zero_grad()
    (actor + critic).backward()
    optimizer.step()
    average = 0.95 * average + 0.05 * sum(rewards)
    if episode % 50 == 0 or episode == EPISODES:
        print(f"episode {episode}: {average:.0f} steps on average")
