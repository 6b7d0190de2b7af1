"""Draw digits from noise: a small DCGAN on the real ones, made 16 pixels wide."""
from time import perf_counter

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.models import DCGANDiscriminator, DCGANGenerator
from fastnet.utils.data import DataLoader, TensorDataset

EPOCHS, LATENT = 15, 24
fn.manual_seed(0)
images = nn.functional.interpolate(fn.from_numpy(load_digits("all")[0]), scale_factor=2, mode="bilinear") * 2 - 1
draw, judge = DCGANGenerator(LATENT, width=24, channels=1, image_size=16), DCGANDiscriminator(width=24, channels=1, image_size=16)
artist = fn.optim.Adam(draw.parameters(), lr=1e-3, betas=(0.5, 0.999))
critic = fn.optim.Adam(judge.parameters(), lr=4e-4, betas=(0.5, 0.999))
loss = nn.functional.binary_cross_entropy_with_logits
start = perf_counter()
for epoch in range(1, EPOCHS + 1):
    for (real,) in DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True):
        fake = draw(fn.randn(64, LATENT))
        critic.zero_grad()                                # the critic: real ones up, drawn ones down
        (loss(judge(real), fn.ones(64)) + loss(judge(fake.detach()), fn.zeros(64))).backward()
        critic.step()
        artist.zero_grad()                                # the artist: drawn ones up
        cheat = loss(judge(fake), fn.ones(64))
        cheat.backward()
        artist.step()
    if epoch % 5 == 0:
        with fn.no_grad():
            print(f"epoch {epoch}: real {judge(real).sigmoid().mean().item():.2f}, drawn {judge(fake).sigmoid().mean().item():.2f}, "
                  f"{perf_counter() - start:.1f} s")

draw.eval()
with fn.no_grad():
    pictures = draw(fn.randn(5, LATENT)).numpy()[:, 0]
for y in range(16):
    print("   ".join("".join(" .:*#"[min(int(2.5 * (v + 1)), 4)] for v in picture[y]) for picture in pictures))
