"""`fastnet train chars`, `fastnet train translate` and `fastnet generate`, as a person runs them."""
import argparse
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import fastnet
from fastnet.cli.generate import going_on
from fastnet.cli.steps import optimizer_for
from fastnet.models import GPT, Bert, load_checkpoint, save_checkpoint
from fastnet.text import BPETokenizer, CharTokenizer, WordTokenizer

COMMAND = [sys.executable, "-m", "fastnet"]
TEXT = "the quick brown fox jumps over the lazy dog. " * 60
TINY = ["--layers", "1", "--heads", "2", "--width", "16", "--lr", "0.01"]
CHARS = ["train", "chars", "text.txt", *TINY, "--block", "16", "--batch-size", "8"]


def fastnet_command(folder, *words, **options):
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def chars(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chars")
    (folder / "text.txt").write_text(TEXT)
    return folder, fastnet_command(folder, *CHARS, "--steps", "60", "--every", "25", "--sample", "30", "--prompt", "the ")


def test_chars_tells_what_it_learns(chars):
    folder, done = chars
    assert done.returncode == 0 and done.stderr == "" and "\r" not in done.stdout, done.stderr
    assert done.stdout.startswith("2,700 characters, 2,430 tokens to train on and 270 to validate, of 28 kinds; ")
    found = re.findall(r"^step +(\d+)/60  loss [\d.]+  validation loss ([\d.]+)  perplexity ([\d.]+)  [\d,]+ tokens/s$", done.stdout, re.M)
    assert [int(f[0]) for f in found] == [25, 50, 60] and len(re.findall(r"^  \| the ", done.stdout, re.M)) == 3
    for _, loss, perplexity in found:
        assert float(perplexity) == pytest.approx(np.exp(float(loss)), rel=1e-2)
    assert float(found[-1][1]) < float(found[0][1]) < np.log(28)
    records = json.loads((folder / "runs/chars/log.json").read_text())["records"]
    assert [r["step"] for r in records] == [25, 50, 60] and (folder / "runs/chars/loss.svg").read_text().startswith("<svg")
    assert (folder / "runs/chars/curve.csv").read_text().splitlines()[0].startswith("step,train_loss,")


def test_chars_writes_a_model_of_that_loss(chars):
    folder, done = chars
    model, tokenizer = load_checkpoint(folder / "runs/chars/model.fnet")
    assert isinstance(model, GPT) and not model.training and tokenizer == CharTokenizer.train(TEXT)
    ids, total = np.array(tokenizer.encode(TEXT))[2430:], 0.0
    for at in range(0, 269, 16):
        x, y = ids[at:at + 16][:269 - at], ids[at + 1:at + 17]
        total += model.loss(fastnet.tensor(x[None]), fastnet.tensor(y[None])).item() * len(y)
    assert f"validation loss {total / 269:.3f}" in done.stdout


def test_generate_prints_what_the_model_generates(chars):
    folder = chars[0]
    words = ["generate", "runs/chars/model.fnet", "--prompt", "the ", "--max-new-tokens", "40", "--top-k", "5", "--top-p", "0.9"]
    done = fastnet_command(folder, *words, "--seed", "3")
    model, tokenizer = load_checkpoint(folder / "runs/chars/model.fnet")
    ids = model.generate(tokenizer.encode("the "), 40, 0.8, 5, 0.9, seed=3)
    assert done.stdout == tokenizer.decode(ids) + "\n" and done.stderr == "" and len(done.stdout) == 45
    assert fastnet_command(folder, *words, "--seed", "4").stdout != done.stdout
    piped = fastnet_command(folder, *words[:2], "--prompt", "-", *words[4:], "--seed", "3", input="the ")
    assert piped.stdout == done.stdout


TOKENIZERS = {"bpe": lambda: BPETokenizer(()), "char": lambda: CharTokenizer.train("né中 ok"),
              "word": lambda: WordTokenizer.train("a né, 中 ok")}


@pytest.mark.parametrize("make", TOKENIZERS.values(), ids=TOKENIZERS)
def test_generate_prints_whole_characters_as_they_come(make, capsys):
    """Also where a character is several tokens, and where spaces depend on the token before."""
    tokenizer, text = make(), "né中 ok"
    ids, printed = tokenizer.encode(text), []

    class Given:
        def stream(self, prompt, *options):
            for token in ids[1:]:
                yield np.array([token])
                printed.append(capsys.readouterr().out)
    going_on(Given(), tokenizer, tokenizer.decode(ids[:1]), argparse.Namespace(
        max_new_tokens=9, temperature=1.0, top_k=None, top_p=None, seed=0))
    out = "".join(printed)
    assert out + capsys.readouterr().out == tokenizer.decode(ids) + "\n" and "\ufffd" not in out
    assert len(set(printed)) > 2 or len(ids) < 4


def test_generate_does_not_wait_for_ever(capsys):
    tokenizer = BPETokenizer(())
    model = argparse.Namespace(stream=lambda *a: (np.array([0xC3]) for _ in range(9)))
    going_on(model, tokenizer, "a", argparse.Namespace(max_new_tokens=9, temperature=1.0, top_k=None, top_p=None, seed=0))
    assert capsys.readouterr().out == "a" + "\ufffd" * 9 + "\n"


def test_chars_gives_the_same_weights_on_any_number_of_threads(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    for threads in "12":
        done = fastnet_command(tmp_path, *CHARS, "--steps", "6", "--dropout", "0.1", "--tokenizer", "bpe", "--vocab-size", "270",
                               "--position", "rotary", "--threads", threads, "--out", threads, "--sample", "0")
        assert done.returncode == 0 and "of 270 kinds" in done.stdout and "  |" not in done.stdout, done.stderr
    one, two = (load_checkpoint(tmp_path / t / "model.fnet")[0].state_dict() for t in "12")
    assert all(one[k].numpy().tobytes() == two[k].numpy().tobytes() for k in one) and "wpe.weight" not in one


NUMBERS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six", "seven": "sept"}


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    """A language of numbers, word for word."""
    folder, rng = tmp_path_factory.mktemp("translate"), np.random.default_rng(0)
    rows = {tuple(rng.choice(list(NUMBERS), rng.integers(4, 6))) for _ in range(400)}
    lines = [" ".join(row) + "\t" + " ".join(NUMBERS[w] for w in row) + "\n" for row in sorted(rows)]
    (folder / "pairs.tsv").write_text("".join(lines))
    return folder, fastnet_command(folder, "train", "translate", "pairs.tsv", "--layers", "1", "--width", "32", "--heads", "2", "--lr",
                                   "0.01", "--steps", "250", "--every", "125", "--vocab-size", "300", "--batch-tokens", "400")


def test_translate_learns_and_tells_bleu(translated):
    folder, done = translated
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = re.findall(r"^step +(\d+)/250  loss [\d.]+  validation loss ([\d.]+)  [\d,]+ tokens/s$", done.stdout, re.M)
    assert [int(f[0]) for f in found] == [125, 250] and len(re.findall(r"^  \| .+ -> .+  \(.+\)$", done.stdout, re.M)) == 6
    score = float(re.search(r"^BLEU ([\d.]+) on \d+ pairs, validation loss ", done.stdout, re.M)[1])
    assert score > 60, done.stdout
    log = json.loads((folder / "runs/translate/log.json").read_text())
    assert log["settings"]["beam"] == 4 and f"{log['records'][-1]['validation_loss']:.4f}" in done.stdout


def test_generate_translates(translated):
    done = fastnet_command(translated[0], "generate", "runs/translate/model.fnet", "--prompt", "-", "--max-new-tokens", "30",
                           input="one two three four\nseven six five four\n")
    words = [set(line.split()) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(words) == 2 and len(words[0] & {"un", "deux", "trois", "quatre"}) >= 3, done


@pytest.mark.parametrize("words, message", [
    (["train", "chars", "nowhere.txt"], "No such file"),
    (["train", "chars", "bytes"], "not UTF-8"),
    (["train", "chars", "empty"], "the text is empty"),
    (["train", "chars", "short"], "too few for windows of --block 64"),
    (["train", "chars", "text.txt", "--width", "30"], "n_embd 30 must be a multiple of n_head 4; --width"),
    (["train", "chars", "text.txt", "--prompt", "Z"], "character 'Z'"),
    (["train", "chars", "text.txt", "--tokenizer", "bpe", "--vocab-size", "9"], "vocab_size 9 has no room"),
    (["train", "chars", "text.txt", "--out", "short"], "--out short: a file stands in the way"),
    (["train", "chars", "text.txt", "--dropout", "1"], "argument --dropout: must lie between 0 and 1"),
    (["train", "chars", "text.txt", "--lr", "1e30", *TINY[:6], "--sample", "0"], "try a --lr below 1e+30"),
    (["train", "translate", "nowhere.tsv"], "No such file"),
    (["train", "translate", "text.txt"], "text.txt, line 1: expected two columns"),
    (["train", "translate"], "the following arguments are required: PAIRS.tsv"),
    (["generate", "nowhere"], "No such file"),
    (["generate", "text.txt"], "text.txt"),
    (["generate", "bert.fnet"], "bert.fnet holds a Bert, which does not write text"),
    (["generate", "plain.fnet"], "plain.fnet: not a checkpoint of a language model"),
    (["generate", "gpt.fnet", "--prompt", "xyz"], "--prompt: CharTokenizer.encode: character 'x'"),
    (["generate", "gpt.fnet", "--prompt", "a", "--temperature", "-1"], "temperature must be"),
    (["generate", "gpt.fnet", "--prompt", "a", "--top-p", "2"], "top_p must lie in (0, 1]"),
])
def test_errors_say_what_to_change(tmp_path, words, message):
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "bytes").write_bytes(b"abc\xff")
    (tmp_path / "empty").write_text("")
    (tmp_path / "short").write_text("a few words")
    tokenizer = CharTokenizer("abc")
    save_checkpoint(tmp_path / "gpt.fnet", GPT(3, 4, 1, 1, 4), tokenizer)
    save_checkpoint(tmp_path / "bert.fnet", Bert(3, 4, 1, 1, 4), tokenizer)
    fastnet.save({"a": 1}, tmp_path / "plain.fnet")
    done = fastnet_command(tmp_path, *words)
    assert done.returncode in (1, 2) and message in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_chars_redraws_one_line_in_a_terminal(tmp_path):
    pty = pytest.importorskip("pty")
    (tmp_path / "text.txt").write_text(TEXT)
    ours, theirs = pty.openpty()
    child = subprocess.Popen([*COMMAND, *CHARS, "--steps", "300", "--every", "150", "--sample", "5"], cwd=tmp_path, stdout=theirs,
                             stderr=theirs, stdin=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    text = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:                                   # the other side has closed
            break
        if not block:
            break
        text += block
    os.close(ours)
    assert child.wait(60) == 0 and b"/300 [" in text and b"\r\033[Kstep 150/300  loss" in text, text


def test_weight_decay_leaves_biases_and_norms_alone():
    model = GPT(5, 4, 1, 1, 4)
    optimizer = optimizer_for(model, argparse.Namespace(weight_decay=0.1, lr=0.1))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = fastnet.zeros(p.shape)
    optimizer.step()
    for name, p in model.named_parameters():
        assert np.allclose(p.detach().numpy(), before[name].numpy() * (0.99 if p.ndim > 1 else 1)), name


def test_checkpoints_refuse_other_models(tmp_path):
    with pytest.raises(TypeError, match="model must be one of Bert, GPT, LSTMLanguageModel, Seq2Seq, got Linear"):
        save_checkpoint(tmp_path / "x", fastnet.nn.Linear(1, 1), CharTokenizer("a"))
