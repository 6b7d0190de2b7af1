"""`fastnet train translate`: an encoder-decoder Transformer on sentence pairs, measured by BLEU."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastnet
from fastnet.cli.steps import StepProgress, fit, write_records
from fastnet.cli.recipe.folder import held
from fastnet.cli.refused import Refused

SPECIAL = ["<pad>", "<bos>", "<eos>"]


def run(args: argparse.Namespace) -> None:
    """Train, show translations, write the checkpoint, and tell BLEU of a beam search over all validation pairs."""
    with held(args.out or "runs/translate") as out:
        learn(args, out)


def learn(args: argparse.Namespace, out: Path) -> None:
    """The same, into a folder that is held."""
    from fastnet.models import Seq2Seq, save_checkpoint
    train, validation, tokenizer = pairs_of(args)
    fastnet.set_num_threads(args.threads or fastnet.get_num_threads())
    fastnet.manual_seed(args.seed)
    try:
        model = Seq2Seq(tokenizer.vocab_size, d_model=args.width, nhead=args.heads, num_encoder_layers=args.layers,
                        num_decoder_layers=args.layers, dim_feedforward=4 * args.width, dropout=args.dropout,
                        padding_idx=tokenizer.special_tokens["<pad>"])
    except ValueError as error:
        raise Refused(f"{error}; --width, --heads and --layers set them") from None
    (_, data), (pairs, held) = (fitting(part, tokenizer, args.max_length) for part in (train, validation))
    if not len(data) or not len(held):
        raise Refused(f"no pair has at most --max-length {args.max_length} tokens on each side")
    batches = loader(data, model.padding_idx, args, shuffle=True)
    print(f"{len(data):,} pairs to train on and {len(held):,} to validate, {tokenizer.vocab_size:,} kinds of tokens; "
          f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)

    def look(progress: StepProgress, record: dict[str, float]) -> None:
        total = count = 0.0
        for source, target in loader(held, model.padding_idx, args, shuffle=False):
            n = (target[:, 1:] != model.padding_idx).sum().item()
            total, count = total + model.loss(source, target).item() * n, count + n
        record["validation_loss"] = total / count
        few = pairs[:args.sample]
        lines = [f"step {record['step']:{len(str(args.steps))}}/{args.steps}  loss {record['train_loss']:.4f}  "
                 f"validation loss {record['validation_loss']:.4f}  {record['tokens_per_second']:,.0f} tokens/s"]
        for (source, target), found in zip(few, translate(model, tokenizer, [a for a, _ in few], args.max_length, 1)):
            lines.append(f"  | {source} -> {found}  ({target})")
        progress.tell("\n".join(lines))
        save_checkpoint(out / "model.fnet", model, tokenizer)
    # The loss that is trained is smoothed; the one that is told for the validation pairs is not.
    records = fit(model, lambda x, y: model.loss(x, y, args.label_smoothing), endless(batches), args, look)
    score = bleu(model, tokenizer, pairs, args)
    write_records(out, args, records, f"translate: BLEU {score:.1f}")
    print(f"BLEU {score:.2f} on {len(held)} pairs, validation loss {records[-1]['validation_loss']:.4f} after {args.steps} steps in "
          f"{records[-1]['seconds']:.1f} s")
    print(f"wrote model.fnet, log.json, curve.csv and loss.svg to {out}; fastnet generate {out / 'model.fnet'} --prompt TEXT translates")


def pairs_of(args: argparse.Namespace) -> tuple[list, list, Any]:
    """Pairs to train on, pairs to validate, and a tokenizer of both languages that has seen the first ones only."""
    from fastnet.text import BPETokenizer, read_pairs, train_validation_split
    try:
        pairs = read_pairs(args.pairs)
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from None
    if len(pairs) < 2:
        raise Refused(f"{args.pairs} has {len(pairs)} pair; training and validation need one each at least")
    train, validation = train_validation_split(pairs, max(1, min(args.validation, len(pairs) // 10)), args.seed)
    try:
        tokenizer = BPETokenizer.train([sentence for pair in train for sentence in pair], args.vocab_size, SPECIAL)
    except ValueError as error:
        raise Refused(str(error)) from None
    return train, validation, tokenizer


def fitting(pairs: list, tokenizer: Any, longest: int) -> tuple[list, Any]:
    """The pairs of at most `longest` tokens on each side, as text and as token ids."""
    from fastnet.text import PairDataset
    lengths = PairDataset(pairs, tokenizer).lengths.max(1, initial=0).tolist()
    kept = [pair for pair, length in zip(pairs, lengths) if length <= longest]
    return kept, PairDataset(kept, tokenizer)


def loader(data: Any, padding: int, args: argparse.Namespace, shuffle: bool) -> Any:
    """Batches of like length, of at most --batch-tokens tokens (or one pair that is longer)."""
    from fastnet.text import LengthBatchSampler, PadCollate
    from fastnet.utils.data import DataLoader
    sampler = LengthBatchSampler(data.lengths, max(args.batch_tokens, int(data.lengths.sum(1).max())), shuffle=shuffle, seed=args.seed)
    return DataLoader(data, batch_sampler=sampler, collate_fn=PadCollate(padding))


def endless(batches: Any) -> Iterator[Any]:
    """Pass after pass over the batches, each in its own order."""
    while True:
        yield from batches


def translate(model: Any, tokenizer: Any, sentences: list[str], max_length: int, beam: int) -> list[str]:
    """Translations, sentence by sentence in the order given; up to 32 are searched for together."""
    from fastnet.text import PadCollate
    special = tokenizer.special_tokens
    ids = [[*tokenizer.encode(s, parse_special=False), special["<eos>"]] for s in sentences]
    order, found = sorted(range(len(ids)), key=lambda i: len(ids[i])), [""] * len(ids)
    collate = PadCollate(model.padding_idx)
    for at in range(0, len(order), 32):
        chosen = order[at:at + 32]
        source = collate([ids[i] for i in chosen])
        for i, target in zip(chosen, model.translate(source, special["<bos>"], special["<eos>"], max_length, beam)):
            found[i] = tokenizer.decode(target, skip_special_tokens=True)
    return found


def bleu(model: Any, tokenizer: Any, pairs: list, args: argparse.Namespace) -> float:
    """BLEU of a beam search over the pairs."""
    from fastnet.metrics import BLEU
    metric = BLEU()
    metric.update(translate(model, tokenizer, [a for a, _ in pairs], args.max_length, args.beam), [b for _, b in pairs])
    return metric.compute()
