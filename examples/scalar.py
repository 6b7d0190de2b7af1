"""The smallest example: one weight, one gradient, and a few steps downhill."""
import fastnet as fn

w = fn.tensor([2.0], requires_grad=True)
x = fn.tensor([3.0])
loss = (w * x - 10.0) ** 2
loss.backward()
print(loss)                       # (2 * 3 - 10)^2 = 16
print(w.grad)                     # 2 * (2 * 3 - 10) * 3 = -24

optimizer = fn.optim.SGD([w], lr=0.05)
for step in range(20):
    optimizer.zero_grad()
    loss = ((w * x - 10.0) ** 2).sum()
    loss.backward()
    optimizer.step()
print(f"w = {w.item():.4f}; 10 / 3 = {10 / 3:.4f}")
