"""A variational autoencoder of the digits (Kingma and Welling, 2013), as PyTorch's programs are written: only the imports differ."""
import sys

import fastnet as torch
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.nn import functional as F
from fastnet.utils.data import DataLoader, TensorDataset

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


class VAE(nn.Module):
    def __init__(self, hidden=96, latent=6):
        super().__init__()
        self.hidden = nn.Linear(64, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, x):
        h = F.relu(self.hidden(x.view(-1, 64)))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(z), mean, log_variance


def loss_function(drawn, x, mean, log_variance):
    """What the picture costs given the code, and what the code costs; per picture."""
    picture = F.binary_cross_entropy_with_logits(drawn, x.view(-1, 64), reduction="sum")
    code = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return (picture + code) / len(x)


torch.manual_seed(0)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(torch.from_numpy(load_digits("train")[0])), batch_size=64, shuffle=True)
for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for (x,) in loader:
        optimizer.zero_grad()
        loss = loss_function(*((out := model(x))[0], x, *out[1:]))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    if epoch % 5 == 0 or epoch == EPOCHS:
        print(f"epoch {epoch}: {total / len(loader.dataset):.3f} nats a picture")

model.eval()
with torch.no_grad():
    pictures = torch.sigmoid(model.decoder(torch.randn(6, 6))).view(6, 8, 8).numpy()
for row in range(8):
    print("   ".join("".join(" .:*#"[min(int(5 * v), 4)] for v in picture[row]) for picture in pictures))
