"""Recipes of language models: GPT, LSTM and Bert learn from a text, the run is evaluated, resumed and goes on with a prompt."""
import json
import re
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet.cli import main
from fastnet.cli.recipe.text import OnWindows
from fastnet.models import load_checkpoint
from fastnet.text import Tokens

TEXT = "the quick brown fox jumps over the lazy dog. " * 60
RECIPE = """
seed = 1
[data]
name = "text"
files = ["fox.txt"]
block = 16
batch_size = 8
[optimizer]
name = "AdamW"
lr = 0.01
[trainer]
epochs = 2
[model]
"""
MODELS = {"GPT": "n_layer = 1\nn_head = 2\nn_embd = 16", "LSTMLanguageModel": "embedding_dim = 16\nhidden_size = 32\nnum_layers = 1",
          "Bert": "hidden_size = 16\nnum_hidden_layers = 1\nnum_attention_heads = 2\nintermediate_size = 32"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fox.txt").write_text(TEXT)
    for name, sizes in MODELS.items():
        Path(f"{name}.toml").write_text(f'{RECIPE}name = "{name}"\n{sizes}\n')


def said(capsys, *words, code=0):
    assert main(list(words)) == code
    text = capsys.readouterr()
    return text.err if code else text.out


@pytest.mark.parametrize("name", MODELS)
def test_a_language_model_learns_from_a_recipe(name, capsys):
    text = said(capsys, "train", f"{name}.toml")
    records = [json.loads(line) for line in Path(f"runs/{name}/log.jsonl").read_text().splitlines()]
    assert records[1]["val_loss"] < records[0]["val_loss"] < np.log(28) + 0.3
    if name != "Bert":                                    # whose batches have different numbers of masks
        assert records[1]["val_perplexity"] == pytest.approx(np.exp(records[1]["val_loss"]), rel=1e-4)
        assert f"fastnet generate runs/{name}/model.fnet" in text
        assert said(capsys, "generate", f"runs/{name}/model.fnet", "--prompt", "the ", "--max-new-tokens", "8").startswith("the ")
    model, tokenizer = load_checkpoint(f"runs/{name}/model.fnet")
    weights = fn.load(f"runs/{name}/weights.fnet")
    assert all(fn.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert ("<mask>" in tokenizer.special_tokens) == (name == "Bert")
    told = json.loads(said(capsys, "evaluate", f"runs/{name}", "--json"))
    assert told["loss"] == pytest.approx(records[1]["val_loss"], rel=1e-6)
    Path("other.txt").write_text(TEXT[:400])
    assert json.loads(said(capsys, "evaluate", f"runs/{name}", "--data", "other.txt", "--json"))["samples"] == 24
    assert "(2, 16)" in said(capsys, "summary", f"runs/{name}")


def test_workers_and_a_resumption_change_nothing(capsys):
    said(capsys, "train", "GPT.toml", "--set", "trainer.epochs=3", "--out", "whole", "--set", "data.workers=2")
    said(capsys, "train", "GPT.toml", "--out", "part")
    said(capsys, "resume", "part", "--set", "trainer.epochs=3")
    whole, part = fn.load("whole/weights.fnet"), fn.load("part/weights.fnet")
    assert all(fn.equal(value, part[key]) for key, value in whole.items())


def test_windows_begin_elsewhere_in_each_epoch_and_masks_belong_to_them():
    tokens = Tokens(np.arange(100))
    data = OnWindows(tokens, 8, seed=3, moving=True)
    begins = set()
    for epoch in range(20):
        data.set_epoch(epoch)
        x, y = data.getbatch(range(len(data)))
        assert np.array_equal(y.numpy(), x.numpy() + 1) and np.array_equal(np.diff(x.numpy()[:, 0]), [8] * (len(data) - 1))
        begins.add(int(x[0, 0]))
    assert begins == set(range(8)) and len(data) == 11
    still = OnWindows(tokens, 8)
    still.set_epoch(5)
    assert still[0][0][0].item() == 0 and len(still) == 12
    with pytest.raises(IndexError, match="index 12 is out of range for 12"):
        still[12]
    masked = OnWindows(tokens, 8, seed=3, mask=(100, 101))
    x, y = masked.getbatch([4, 2])
    chosen = y.numpy() != -100
    assert 0 < chosen.sum() < 8 and np.array_equal(x.numpy()[~chosen], tokens.ids[np.r_[32:40, 16:24]].reshape(2, 8)[~chosen])
    assert np.array_equal(masked[2][1].numpy(), y.numpy()[1])


def test_summary_of_a_language_model(capsys):
    text = said(capsys, "summary", "GPT", "--input", "2,16", "--set", "n_layer=1", "--set", "n_head=2", "--set", "n_embd=16",
                "--set", "vocab_size=30")
    assert "(2, 16, 30)" in text and "Embedding" in text
    assert "(2, 4, 9)" in said(capsys, "summary", "LSTMLanguageModel", "--input", "2,4", "--set", "vocab_size=9", "--set", "hidden_size=8",
                               "--set", "embedding_dim=8")


@pytest.mark.parametrize("words, message", [
    (["--set", "data.block=4000"], r"\[data\] block: a text of 2430 tokens has too few windows of 4000"),
    (["--set", 'data.files=["nowhere.txt"]'], r"\[data\] files: there is no nowhere.txt"),
    (["--set", "loss.name=MSELoss"], r"\[loss\]: that of a language model is CrossEntropyLoss"),
    (["--set", 'transforms.train=["ToFloat"]', "--set", 'transforms.validation=[]'], r"\[transforms\]: a text has none"),
    (["--set", "model.n_head=3"], "n_embd 16 must be a multiple of n_head 3")])
def test_refused(words, message, capsys):
    assert re.search(message, text := said(capsys, "train", "GPT.toml", *words, code=1)), text


def test_models_and_data_that_do_not_go_together(capsys):
    Path("a.toml").write_text(f'{RECIPE}name = "resnet18"\n')
    assert "[model] name: resnet18 does not go with [data] text, which is a text: GPT, LSTM" in said(capsys, "train", "a.toml", code=1)
    Path("b.toml").write_text('data = "digits"\n[model]\nname = "GPT"\n[trainer]\nepochs = 1\n')
    assert "[model] name: GPT does not go with [data] digits, which is no text" in said(capsys, "train", "b.toml", code=1)


def test_other_data_and_predictions_are_refused_in_words(capsys):
    said(capsys, "train", "LSTMLanguageModel.toml", "--set", "trainer.epochs=1")
    run = "runs/LSTMLanguageModel"
    assert f"fastnet generate {run}/model.fnet --prompt TEXT" in said(capsys, "predict", run, "fox.txt", code=1)
    Path("odd.txt").write_text("\u03b1\u03b2" * 40)
    assert "--data odd.txt: " in said(capsys, "evaluate", run, "--data", "odd.txt", code=1)
