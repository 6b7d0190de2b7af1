"""A recurrent network whose gradient explodes, and clipping, which cures it.

The task: a sequence of 30 numbers; the label says whether the first one was positive. The recurrent weights begin too large, so that the
gradient grows at each of the 30 steps back in time.
"""
import math

import fastnet as fn
from fastnet import nn

LENGTH, HIDDEN = 30, 32
fn.set_num_threads(1)                                      # steps this small gain nothing from more


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.last = nn.RNN(1, HIDDEN, nonlinearity="relu", batch_first=True), nn.Linear(HIDDEN, 2)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=2.0)

    def forward(self, x):
        return self.last(self.rnn(x)[0][:, -1])


def batch(n=64):
    x = fn.randn(n, LENGTH, 1) * 0.1
    x[:, 0, 0] = x[:, 0, 0] * 10
    return x, (x[:, 0, 0] > 0).to(fn.int64)


def train(clip):
    """200 steps; the accuracy, or None where the loss is lost."""
    fn.manual_seed(0)
    model = Memory()
    optimizer = fn.optim.SGD(model.parameters(), lr=0.05)
    for step in range(201):
        x, y = batch()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0 if clip else math.inf)
        if step % 40 == 0:
            print(f"  step {step:3}: loss {loss.item():<10.3g} norm of the gradient {norm.item():.3g}")
        if not math.isfinite(loss.item()):
            print(f"  step {step:3}: the loss is {loss.item()}")
            return None
        optimizer.step()
    x, y = batch(500)
    with fn.no_grad():
        return (model(x).argmax(1) == y).numpy().mean()


if __name__ == "__main__":
    fn.manual_seed(0)
    print(fn.diagnose(Memory(), nn.CrossEntropyLoss(), [batch() for _ in range(3)]).named("exploding")[0])
    for clip in (False, True):
        print("\nclipped to norm 1:" if clip else "\nas it is:")
        accuracy = train(clip)
        print("  accuracy: " + ("none, the weights are lost" if accuracy is None else f"{accuracy:.1%}"))
