"""Recipes: what a run writes, what evaluate and predict make of it, and how each kind of mistake is told before anything is loaded."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet.cli import main
from fastnet.cli.recipe.toml import dumps
from fastnet.datasets import load_digits

tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
ROOT = Path(__file__).resolve().parents[1]
QUICK = """
[data]
name = "digits"
batch_size = 64
[model]
name = "MLP"
hidden = [32]
[optimizer]
lr = 0.01
[trainer]
epochs = 2
checkpoints = {every_epochs = 2}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test in a folder of its own, with the recipe quick.toml; commands may choose threads."""
    threads = fastnet.get_num_threads()
    monkeypatch.chdir(tmp_path)
    Path("quick.toml").write_text(QUICK)
    yield tmp_path
    fastnet.set_num_threads(threads)


def out(capsys, *words, code=0):
    """What a command prints; its exit code must be the one given."""
    got = main(list(words))
    said = capsys.readouterr()
    assert got == code, said.err
    return said.err if code else said.out


def accuracy(weights, images, labels):
    """Of a perceptron with one hidden layer, from its definition."""
    w = {k: v.numpy().astype(np.float64) for k, v in fastnet.load(weights).items()}
    h = np.maximum(images.reshape(len(images), -1) @ w["1.weight"].T + w["1.bias"], 0)
    return ((h @ w["3.weight"].T + w["3.bias"]).argmax(1) == labels).mean()


def test_a_run_and_its_folder(capsys):
    text = out(capsys, "train", "quick.toml", "--set", "seed=3")
    assert text.startswith("quick: 1,284 samples to train on and 513 to validate on; MLP of 2,410 parameters\n")
    run = Path("runs/quick")
    assert {p.name for p in run.iterdir()} == {"recipe.toml", "environment.json", "data.json", "log.jsonl", "curve.csv", "loss.svg",
                                               "weights.fnet", "best.fnet", "checkpoints"}
    tree = tomllib.loads((run / "recipe.toml").read_text())
    assert tree["model"] == {"name": "MLP", "hidden": [32], "in_features": 64, "out_features": 10} and tree["seed"] == 3
    assert tree["loss"]["name"] == "CrossEntropyLoss" and tree["optimizer"] == {"name": "Adam", "lr": 0.01}
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [r["epoch"] for r in log] == [1, 2] and [r["step"] for r in log] == [21, 42]
    assert log[-1]["val_accuracy"] == accuracy(run / "weights.fnet", *load_digits("test")) > 0.7
    rows = (run / "curve.csv").read_text().splitlines()
    assert rows[0].split(",")[:4] == ["epoch", "step", "train_loss", "val_loss"] and len(rows) == 3
    environment = json.loads((run / "environment.json").read_text())
    assert environment["fastnet"] == fastnet.__version__ and environment["isa"] == fastnet.get_isa()
    told = json.loads(out(capsys, "evaluate", "runs/quick", "--json"))
    assert told["accuracy"] == log[-1]["val_accuracy"] and told["samples"] == 513
    np.testing.assert_allclose(told["loss"], log[-1]["val_loss"], rtol=1e-6)
    told = json.loads(out(capsys, "evaluate", "runs/quick/weights.fnet", "--json", "--split", "train"))
    assert told["accuracy"] == pytest.approx(accuracy(run / "weights.fnet", *load_digits("train")), abs=1e-9)
    last = sorted((run / "checkpoints").iterdir())[-1]
    assert json.loads(out(capsys, "evaluate", str(last), "--json"))["accuracy"] == log[-1]["val_accuracy"]
    # its own recipe gives it again, bit by bit; another folder is asked for, or leave to replace
    assert "holds another run: fastnet resume runs/quick" in out(capsys, "train", "quick.toml", code=1)
    before = (run / "weights.fnet").read_bytes()
    out(capsys, "train", "runs/quick/recipe.toml", "--out", "again")
    assert Path("again/weights.fnet").read_bytes() == before
    out(capsys, "train", "quick.toml", "--overwrite")
    assert (run / "weights.fnet").read_bytes() != before
    assert "all of its 2 epochs are done; --set trainer.epochs=N goes further" in out(capsys, "resume", "runs/quick", code=1)


OWN = """
import os, signal
import numpy as np
import fastnet as fn
class Net(fn.nn.Sequential):
    calls = 0
    def forward(self, x):
        Net.calls += self.training
        if str(Net.calls) == os.environ.get("KILL_AT"):
            os.kill(os.getpid(), getattr(signal, os.environ.get("KILL_BY", "SIGKILL")))
        return super().forward(x)
def net(hidden):
    return Net(fn.nn.Flatten(), fn.nn.Linear(64, hidden), fn.nn.ReLU(), fn.nn.Dropout(0.2), fn.nn.Linear(hidden, 10))
def data(n):
    rng = np.random.default_rng(0)
    x = fn.from_numpy(rng.standard_normal((n, 64)).astype(np.float32))
    return fn.utils.data.TensorDataset(x, fn.from_numpy(rng.integers(0, 10, n)))
def seven():
    return 7
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_run_that_is_killed_goes_on_to_the_same_weights(capsys):
    Path("own_killed.py").write_text(OWN)
    settings = [w for s in ("model={name=\"own_killed:net\",hidden=16}", "trainer.checkpoints={every_steps=5}", "trainer.ema=0.9",
                            "scheduler.name=OneCycleLR") for w in ("--set", s)]
    command = [sys.executable, "-m", "fastnet"]
    killed = subprocess.run([*command, "train", "quick.toml", *settings], env={**os.environ, "KILL_AT": "33"}, capture_output=True,
                            text=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL and not Path("runs/quick/weights.fnet").exists(), killed.stderr
    assert "accuracy" in out(capsys, "evaluate", "runs/quick")               # the newest checkpoint, in the middle of epoch 2
    done = subprocess.run([*command, "resume", "runs/quick"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "going on after epoch 1, step 30\n" in done.stdout, done.stderr
    out(capsys, "train", "quick.toml", *settings, "--out", "whole")
    one, two = (fastnet.load(f"{run}/weights.fnet") for run in ("runs/quick", "whole"))
    assert all(one[k].numpy().tobytes() == two[k].numpy().tobytes() for k in one)
    one, two = ([{**json.loads(line), "seconds": 0} for line in Path(run, "log.jsonl").read_text().splitlines()]
                for run in ("runs/quick", "whole"))
    assert one == two and len(one) == 2


def test_ctrl_c_leaves_a_run_that_can_be_resumed(capsys, monkeypatch):
    Path("own_stopped.py").write_text(OWN)
    words = ["train", "quick.toml", "--set", "model={name=\"own_stopped:net\",hidden=16}"]
    monkeypatch.setenv("KILL_AT", "30")
    monkeypatch.setenv("KILL_BY", "SIGINT")
    assert main(words) == 130
    assert capsys.readouterr().err.endswith("\nfastnet resume runs/quick goes on\n")
    assert not Path("runs/quick/weights.fnet").exists()
    monkeypatch.delenv("KILL_AT")
    assert "going on after epoch 1, step 30\n" in out(capsys, "resume", "runs/quick")
    out(capsys, *words, "--out", "whole")
    one, two = (fastnet.load(f"{run}/weights.fnet") for run in ("runs/quick", "whole"))
    assert all(one[k].numpy().tobytes() == two[k].numpy().tobytes() for k in one)


def test_python_3_10_without_tomli(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tomllib", None)
    monkeypatch.setitem(sys.modules, "tomli", None)
    assert "TOML files need Python 3.11, or on Python 3.10 the package tomli: pip install 'fastnet[recipes]'" in out(
        capsys, "train", "quick.toml", code=1)


def test_data_and_networks_of_one_s_own(capsys):
    Path("own_functions.py").write_text(OWN)
    words = ["--set", "data={name=\"own_functions:data\",arguments={n=50}}", "--set", "model={name=\"own_functions:net\",hidden=4}"]
    text = out(capsys, "train", "quick.toml", *words, "--set", "metrics={}")
    assert "50 samples to train on; own_functions:net of 310 parameters" in text and "val_" not in text
    assert "has no validation data; --data PATH names some" in out(capsys, "evaluate", "runs/quick", code=1)
    np.save("x.npy", np.zeros((3, 64), np.float32))
    assert out(capsys, "predict", "runs/quick", "x.npy").splitlines()[0] == "file,row," + ",".join(f"prediction_{i}" for i in range(10))
    for setting, message in (("data.name=own_functions:seven", "own_functions:seven must return a Dataset, or two"),
                             ("model={name=\"own_functions:seven\"}", "own_functions:seven must return a Module, got int"),
                             ("model={name=\"own_functions:nett\"}", "the module own_functions has no nett"),
                             ("model={name=\"nowhere:net\"}", "there is no module 'nowhere' on the import path or in this folder"),
                             ("model={name=\"own_functions:net\"}", "[model]: net needs hidden"),
                             ("model={name=\"own_functions:net\",hiden=4}", "net takes no such argument; did you mean 'hidden'?")):
        assert message in out(capsys, "train", "quick.toml", "--set", setting, "--out", "other", code=1)


@pytest.mark.parametrize("setting, message", [
    ("epochs=3", "recipe epochs: it belongs into [trainer] (--set trainer.epochs=...)"),
    ("optimiser.lr=3", "recipe optimiser: there is no such key; did you mean 'optimizer'?"),
    ("trainer.epoch=3", "[trainer] epoch: there is no such key; did you mean 'epochs'?"),
    ("trainer.epochs=many", "[trainer] epochs: expected a whole number above 0, got the text 'many'"),
    ("trainer.epochs=1.5", "[trainer] epochs: expected a whole number above 0, got 1.5"),
    ("trainer.epochs=true", "[trainer] epochs: expected a whole number above 0, got true"),
    ("trainer={}", "[trainer]: give epochs or steps"),
    ("trainer.clip_norm=-1", "[trainer] clip_norm: expected a number above 0, got -1"),
    ("trainer.ema=1.0", "[trainer] ema: expected a number from 0 to 1, without 1"),
    ("trainer.mode=maximum", "[trainer] mode: expected one of min, max, got the text 'maximum'"),
    ("trainer.early_stopping={patient=3}", "[trainer] early_stopping patient: EarlyStopping takes no such argument; did you mean 'pa"),
    ("trainer.checkpoints={every_epochs=\"2\"}", "[trainer] checkpoints every_epochs: Checkpoints expects a whole number, got the text"),
    ("trainer.checkpoints={folder=\"x\"}", "[trainer] checkpoints folder: the run gives this argument of Checkpoints itself"),
    ("seed=-1", "recipe seed: expected a whole number from 0 to 2**62, got -1"),
    ("data.batch_size=0", "[data] batch_size: expected a whole number above 0, got 0"),
    ("data.folder=x", "[data] folder: there is no such key"),
    ("data.name=digit", "[data] name: there is no data set 'digit'; did you mean 'digits'?"),
    ("data=csv", "[data]: csv needs file (a text)"),
    ("data={name=\"csv\",file=\"no.csv\",target=\"y\"}", "[data] file: there is no no.csv"),
    ("data={name=\"csv\",file=\"quick.toml\",target=\"y\",missing=\"fill\"}", "[data] missing: expected one of error, drop, mean"),
    ("data={name=\"image-folder\",folder=\"no\"}", "[data] folder: there is no no"),
    ("data={name=\"mnist\",folder=\".\"}", "mnist: the folder . has no train-images-idx3-ubyte or"),
    ("data.validation=2", "[data] validation: expected a number between 0 and 1, got 2"),
    ("data.validation=0.0001", "[data] validation: 0.0001 of 1284 samples leaves one side empty"),
    ("model.name=Resnet18", "[model] name: there is no 'Resnet18'; did you mean 'resnet18'?"),
    ("model={}", "[model]: there is no name"),
    ("model.name=Seq2Seq", "[model] name: there is no 'Seq2Seq'"),
    ("model.wide=3", "[model] wide: MLP takes no such argument"),
    ("model.dropout=half", "[model] dropout: MLP expects a number, got the text 'half'"),
    ("model={name=\"resnet18\",widht=3}", "[model] widht: resnet18 takes no such argument; did you mean 'width'?"),
    ("model.hidden=[0]", "[model]: MLP: sizes must be positive integers"),
    ("model={name=\"resnet18\",in_channels=3}", "expects 3 input channels, got input (64, 1, 8, 8) (samples have shape (1, 8, 8))"),
    ("loss=CrossEntropy", "[loss] name: there is no 'CrossEntropy'; did you mean 'CrossEntropyLoss'?"),
    ("loss={name=\"CrossEntropyLoss\",smoothing=0.1}", "[loss] smoothing: CrossEntropyLoss takes no such argument; did you mean 'la"),
    ("optimizer.name=adam", "[optimizer] name: there is no 'adam'; did you mean 'Adam'?"),
    ("optimizer.learning_rate=1", "[optimizer] learning_rate: Adam takes no such argument; did you mean 'lr'?"),
    ("optimizer.lr=fast", "[optimizer] lr: Adam expects a number, got the text 'fast'"),
    ("optimizer.betas=0.9", "[optimizer] betas: Adam expects a list, got 0.9"),
    ("optimizer.lr=-1", "[optimizer]: "),
    ("optimizer.params=1", "[optimizer] params: the run gives this argument of Adam itself; leave it out"),
    ("scheduler.name=StepLR", "[scheduler]: StepLR needs step_size"),
    ("scheduler.name=LambdaLR", "[scheduler] name: there is no 'LambdaLR'"),
    ("scheduler={name=\"OneCycleLR\",interval=\"day\"}", "[scheduler] interval: expected one of step, epoch"),
    ("metrics.top=Acuracy", "[metrics] top name: there is no 'Acuracy'; did you mean 'Accuracy'?"),
    ("metrics.top={name=\"Accuracy\",k=2}", "[metrics] top k: Accuracy takes no such argument"),
    ("metrics.top=3", "[metrics] top: expected the name of a metric, or a table"),
    ("transforms={train=[]}", "[transforms]: give validation as well"),
    ("transforms={train=[3],validation=[]}", "[transforms] train[0]: expected the name of a transform"),
    ("optimizer.lr.x=3", "--set optimizer.lr.x=3: lr is no table"),
    ("lr", "--set lr: expected KEY=VALUE, such as optimizer.lr=0.01"),
    ("trainer.monitor=val_f1", "there is no 'val_f1' to monitor"),
    ("optimizer={name=\"SGD\",lr=1e30}", "--set optimizer.lr=X sets the rate"),
])
def test_mistakes_are_told_with_their_place(capsys, setting, message):
    told = out(capsys, "train", "quick.toml", "--set", setting, code=1)
    assert message in told and len(told.splitlines()) == 1
    assert not list(Path("runs").glob("*/weights.fnet"))


def test_the_doctor_watches(capsys):
    words = ["train", "quick.toml", "--set", "trainer.doctor=true", "--set", "optimizer.name=SGD", "--overwrite"]
    said = out(capsys, *words, "--set", "optimizer.lr=0.05")
    assert "doctor: " not in said and "No complaint." in Path("runs/quick/doctor.txt").read_text()
    said = out(capsys, *words, "--set", "optimizer.lr=100")
    assert "doctor: error: learning rate too high" in said and "Cure: " in said
    assert main([*words, "--set", "optimizer.lr=1e30"]) == 1
    assert "doctor: error: " in capsys.readouterr().out


def test_files_that_are_no_recipes(capsys):
    assert "no.toml: No such file or directory" in out(capsys, "train", "no.toml", code=1)
    Path("bad.toml").write_text("[data\n")
    assert "bad.toml is no TOML: " in out(capsys, "train", "bad.toml", code=1)
    Path("bad.toml").write_text("[data]\nname = 'digits'\n")
    assert "recipe: there is no [model]; it needs a name" in out(capsys, "train", "bad.toml", code=1)
    assert "runs/no is no run of fastnet train RECIPE.toml: there is no such folder" in out(capsys, "resume", "runs/no", code=1)
    assert "it has no recipe.toml" in out(capsys, "evaluate", ".", code=1)
    Path("runs").mkdir()
    Path("runs/recipe.toml").write_text(QUICK)
    assert "has no checkpoint to go on from; fastnet train runs/recipe.toml" in out(capsys, "resume", "runs", code=1)
    assert "has neither weights.fnet nor a checkpoint" in out(capsys, "predict", "runs", "x.npy", code=1)


def test_the_recipe_with_its_defaults_can_be_looked_at(capsys):
    text = out(capsys, "train", "--threads", "2", "quick.toml", "--check")
    assert tomllib.loads(text)["data"] == {"name": "digits", "batch_size": 64, "workers": 0} and tomllib.loads(text)["threads"] == 2
    assert not Path("runs").exists()


def test_toml_is_written_as_it_is_read():
    tree = {"a": "quote \" back\\slash\nline \u00e9 \U0001F600 \x7f", "b": [1, 2.5, True, -1e-30, [], ["x"]], "c d": 1e300,
            "t": {"list": [{"name": "A", "deep": {"x": []}}], "inf": float("inf"), "": 3, "big": 2**60}}
    assert tomllib.loads(dumps(tree)) == tree


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "examples/recipes").glob("*.toml")))
def test_the_examples_are_right(capsys, name, here):
    from fastnet.cli.recipe.check import check
    from fastnet.cli.recipe.toml import normalised, read
    check(normalised(read(ROOT / f"examples/recipes/{name}.toml")), paths=False)


def test_the_digits_example_reaches_what_it_says(capsys):
    out(capsys, "train", str(ROOT / "examples/recipes/digits.toml"), "--out", "digits")
    log = [json.loads(line) for line in Path("digits/log.jsonl").read_text().splitlines()]
    assert len(log) == 12 and log[-1]["val_accuracy"] >= 0.985
