"""What GradientDoctor costs in a plain loop: `python bench/doctor.py`, one thread.

Turns of the loop without it and with every step watched, and its calls between watched steps; processor time, the least of all turns. The
whole is what it adds to an unwatched step, and what a watched one takes more over the distance that the doctor chooses.
"""
from time import process_time

import fastnet as fn
from trainer import perceptron, resnet

NEVER = 1 << 60


def loop(model, loss, optimizer, batch, steps, doctor=None):
    """Seconds a step."""
    x, y = batch
    start = process_time()
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        if doctor is not None:
            doctor.after_backward(value, y)
        optimizer.step()
        if doctor is not None:
            doctor.after_step()
    return (process_time() - start) / steps


def measure(model, optimizer, batch, turns, steps):
    """Seconds a step: plain, added between watched steps, watched; and the distance chosen."""
    loss = fn.nn.CrossEntropyLoss()
    doctor = fn.doctor.GradientDoctor(model, optimizer)
    while doctor.step < 80 or not doctor.timed:           # the first watched steps come early
        loop(model, loss, optimizer, batch, 1, doctor)
    distance = doctor.distance
    doctor.detach()
    doctor.due = NEVER
    plain, watched, calls = [], [], []
    for _ in range(turns):
        plain.append(loop(model, loss, optimizer, batch, steps))
        other = fn.doctor.GradientDoctor(model, optimizer, every=1)
        watched.append(loop(model, loss, optimizer, batch, steps, other))
        other.detach()
        start = process_time()
        for _ in range(1000):
            doctor.after_backward(None, None)
            doctor.after_step()
        calls.append((process_time() - start) / 1000)
    return min(plain), min(calls), min(watched), distance


def main():
    """A line a network."""
    fn.set_num_threads(1)
    for name, make, turns, steps in (("MLP 8-64-64-4", perceptron, 100, 50), ("ResNet-18", resnet, 40, 1)):
        plain, between, watched, distance = measure(*make(), turns, steps)
        added = between + (watched - plain) / distance
        print(f"{name:14} plain step {plain * 1e6:9.2f} us; a step between adds {between * 1e6:5.2f} us, a watched one "
              f"{(watched - plain) * 1e6:8.1f} us, one in {distance}: {added / plain:.2%}")


if __name__ == "__main__":
    main()
