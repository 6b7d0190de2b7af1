"""A language model of words: an LSTM, gradients 35 words back, on Python's own help texts; as in PyTorch but for the imports."""
import math
import re
import sys

import fastnet as torch
from fastnet import nn
from fastnet.datasets import python_topics

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
BATCH, BACK, WORDS = 20, 35, 2000


class Model(nn.Module):
    def __init__(self, words, width=96, layers=2):
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, width, layers, dropout=0.2)
        self.decoder = nn.Linear(width, words)
        self.decoder.weight = self.encoder.weight              # one table for what goes in and what comes out
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, x, hidden):
        y, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(y)).view(-1, self.decoder.out_features), hidden

    def start(self, batch):
        return tuple(torch.zeros(self.rnn.num_layers, batch, self.rnn.hidden_size) for _ in range(2))


torch.manual_seed(0)
text = re.findall(r"[a-z_]+|[.,;:()]", python_topics().lower())
counts = {}
for word in text:
    counts[word] = counts.get(word, 0) + 1
names = ["<other>", *sorted(counts, key=counts.get, reverse=True)[:WORDS - 1]]
number = {word: i for i, word in enumerate(names)}
ids = torch.tensor([number.get(word, 0) for word in text])
data = ids[:len(ids) // BATCH * BATCH].view(BATCH, -1).t().contiguous()       # (words, batch): each column goes on in the next window

model = Model(len(names))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
hidden, at, total = model.start(BATCH), 0, 0.0
for step in range(1, STEPS + 1):
    if at + BACK + 1 > len(data):
        hidden, at = model.start(BATCH), 0
    x, y = data[at:at + BACK], data[at + 1:at + BACK + 1].reshape(-1)
    hidden = tuple(h.detach() for h in hidden)
    optimizer.zero_grad()
    logits, hidden = model(x, hidden)
    loss = criterion(logits, y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    at, total = at + BACK, total + loss.item()
    if step % 50 == 0 or step == STEPS:
        n = (step - 1) % 50 + 1
        print(f"step {step}: perplexity {math.exp(total / n):.1f}")
        total = 0.0

model.eval()
with torch.no_grad():
    word, hidden, said = torch.tensor([[number["the"]]]), model.start(1), ["the"]
    for _ in range(20):
        logits, hidden = model(word, hidden)
        word = torch.multinomial(torch.softmax(logits[0] / 0.8, -1), 1).view(1, 1)
        said.append(names[word.item()])
print(" ".join(said))
