"""Resume after a crash: a training is killed twice without warning, goes on, and ends with the weights of one that was never disturbed.

The script runs itself: `python examples/resume.py`. The part to copy is `train`: `out=` and `resume=True` are all it takes.
"""
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import fastnet as fn
from fastnet.datasets import load_digits
from fastnet.training import Callback, Checkpoints
from fastnet.utils.data import DataLoader, TensorDataset


class Crash(Callback):
    """What no program can prepare for: SIGKILL after a step."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.step == self.step:
            print(f"killed in epoch {trainer.epoch}, after step {trainer.step}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


def train(out, crash):
    """Digits, three epochs, with everything that has a state: dropout, shuffling, Adam, a schedule, an average of the weights."""
    fn.training.seed_everything(0)
    nn = fn.nn
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Dropout(0.3), nn.Linear(256, 10))
    images, labels = (fn.from_numpy(part) for part in load_digits("train"))
    train_data = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)
    test_data = DataLoader(TensorDataset(*(fn.from_numpy(part) for part in load_digits("test"))), batch_size=200)
    optimizer = fn.optim.Adam(model.parameters(), lr=1e-2)
    schedule = fn.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, epochs=3, steps_per_epoch=len(train_data))
    trainer = fn.Trainer(model, nn.CrossEntropyLoss(), optimizer, schedule, metrics={"accuracy": fn.metrics.Accuracy()}, ema=0.98,
                         checkpoints=Checkpoints(out / "checkpoints", every_steps=20), callbacks=[Crash(crash)])
    if trainer.checkpoints.files():
        print(f"going on from {trainer.checkpoints.files()[0].name}", flush=True)
    history = trainer.fit(train_data, test_data, epochs=3, resume=True)
    digest = hashlib.sha256()
    for tensor in (*model.state_dict().values(), *trainer.ema.model_state_dict().values()):
        digest.update(tensor.numpy().tobytes())
    (out / "weights.sha256").write_text(digest.hexdigest())
    print(f"done: test accuracy {history[-1]['val_accuracy']:.2%}, weights {digest.hexdigest()[:16]}", flush=True)


def main():
    """An undisturbed training, one that is killed twice, and the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, crashes in (("undisturbed", [0]), ("killed", [37, 95, 0])):
            out = Path(folder) / name
            out.mkdir()
            print(f"\n{name}:", flush=True)
            for crash in crashes:
                done = subprocess.run([sys.executable, __file__, str(out), str(crash)])
                assert done.returncode == (-signal.SIGKILL if crash else 0)
            found.append((out / "weights.sha256").read_text())
    print(f"\nthe weights are {'identical, bit by bit' if found[0] == found[1] else 'DIFFERENT'}")
    return found[0] != found[1]


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) == 1 else train(Path(sys.argv[1]), int(sys.argv[2])))
