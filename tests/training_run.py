"""A training to be killed and resumed: run as a script; it prints the hash of all final state, then "done"."""
import argparse
import hashlib
import json
import os
import random
import resource
import signal
import sys
import traceback
import warnings

import numpy as np

import fastnet as fn
from fastnet.training import Callback, Checkpoints
from fastnet.utils.data import DataLoader, Dataset, IterableDataset


class Pictures(Dataset):
    """40 samples with noise from Python's, NumPy's and the dataset's own generator, or keyed by epoch and index (for workers)."""

    def __init__(self, keyed):
        rng = np.random.default_rng(0)
        self.x, self.y = rng.standard_normal((40, 6)).astype("float32"), rng.integers(0, 3, 40)
        self.keyed, self.epoch, self.rng, self.fetched = keyed, 0, np.random.default_rng(5), 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return 40

    def __getitem__(self, i):
        self.fetched += 1
        if self.keyed:
            noise = np.random.default_rng([self.epoch, i]).standard_normal(6)
        else:
            noise = random.random() + np.random.standard_normal(6) + self.rng.standard_normal(6)
        return self.x[i] + 0.1 * noise.astype("float32"), self.y[i]


class Stream(IterableDataset):
    def __iter__(self):
        data = Pictures(False)
        for i in fn.randperm(40).tolist():
            yield data[i]


class Top(fn.metrics.Metric):
    """Mean of the largest output: a metric with sums; may send SIGINT at one update."""
    sums = ("total", "count")

    def __init__(self, interrupt=0):
        self.interrupt, self.updates = interrupt, 0
        self.reset()

    def reset(self):
        self.total, self.count = 0.0, 0

    def update(self, output, target):
        self.updates += 1
        if self.updates == self.interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        self.total, self.count = self.total + output.max().item(), self.count + 1

    def compute(self):
        return self.total / self.count


class Trouble(Callback):
    """SIGKILL, SIGINT or a full disk after a step; counts the steps of its life, over all processes, and draws numbers of its own."""

    def __init__(self, args):
        self.args, self.seen, self.rng, self.drawn = args, 0, random.Random(1), 0.0

    def on_step_end(self, trainer):
        self.seen += 1
        self.drawn += self.rng.random()
        if trainer.step == self.args.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        if trainer.step == self.args.interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        if trainer.step == self.args.terminate:
            os.kill(os.getpid(), signal.SIGTERM)
        if trainer.step == self.args.full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    def state_dict(self):
        return {"seen": self.seen, "drawn": self.drawn}

    def load_state_dict(self, state_dict):
        self.seen, self.drawn = state_dict["seen"], state_dict["drawn"]


def data_of(kind, workers, persistent):
    """Training and validation data of a kind."""
    own = fn.Generator().manual_seed(8)
    more = {"num_workers": workers, "persistent_workers": persistent} if workers else {}
    validation = DataLoader(Pictures(workers > 0), 16, **more)
    if kind == "shuffled":
        return DataLoader(Pictures(workers > 0), 4, shuffle=True, **more), validation
    if kind == "generator":
        return DataLoader(Pictures(workers > 0), 4, shuffle=True, generator=own, **more), validation
    if kind == "stream":
        return DataLoader(Stream(), 4), validation
    data = Pictures(False)
    return [(data.x[i:i + 4], data.y[i:i + 4]) for i in range(0, 40, 4)], None


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    for trouble in ("kill", "interrupt", "terminate", "full", "interrupt-validation"):
        parser.add_argument(f"--{trouble}", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--persistent", action="store_true")
    parser.add_argument("--data", default="shuffled")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--plateau", action="store_true")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--validate-every", type=int)
    args = parser.parse_args(argv)
    fn.set_num_threads(1)
    fn.training.seed_everything(1)
    model = fn.nn.Sequential(fn.nn.Linear(6, 16), fn.nn.BatchNorm1d(16), fn.nn.ReLU(), fn.nn.Dropout(0.3), fn.nn.Linear(16, 3))
    optimizer = fn.optim.AdamW(model.parameters(), lr=1e-2)
    lrs = fn.optim.lr_scheduler
    scheduler = lrs.ReduceLROnPlateau(optimizer, patience=0) if args.plateau else lrs.OneCycleLR(optimizer, 1e-2, total_steps=30)
    trouble = Trouble(args)
    trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), optimizer, scheduler, train_metrics={"top": Top()},
                         metrics={"top": Top(args.interrupt_validation)}, callbacks=[trouble], accumulate=args.accumulate,
                         clip_norm=1.0, ema=0.9, seed=2,
                         checkpoints=Checkpoints(args.out, every_steps=args.every, every_epochs=None), progress=False)
    train, validation = data_of(args.data, args.workers, args.persistent)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        history = trainer.fit(train, validation, epochs=args.epochs, steps=args.steps, validate_every=args.validate_every, resume=True)
    for warning in said:
        print("warning:", warning.message)
    if trainer.interrupted:
        print("interrupted", trainer.step, trainer.in_epoch, len(history))
        return
    digest = hashlib.sha256()
    records = [{name: value for name, value in record.items() if name != "seconds"} for record in history]
    for value in (*model.state_dict().values(), *trainer.ema.average.values()):
        digest.update(value.numpy().tobytes())
    digest.update(repr((records, optimizer.state_dict(), scheduler.state_dict(), trouble.seen, trouble.drawn, trouble.rng.random(),
                        trainer.step, trainer.epoch, fn.rand(1).item(), random.random(), np.random.random())).encode())
    print("fetched", getattr(getattr(train, "dataset", None), "fetched", 0))
    print("hash", digest.hexdigest())


def serve():
    """A training in a process of its own for each line of arguments read; answers with its exit status and what it said, as JSON."""
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(write, 1)
            os.dup2(write, 2)
            os.close(read)
            code = 1
            try:
                main(json.loads(line))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        os.close(write)
        with open(read) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), said]), flush=True)


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main(sys.argv[1:])
