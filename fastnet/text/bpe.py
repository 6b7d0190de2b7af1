"""BPETokenizer: byte-level byte-pair encoding, as in GPT-2: no text is unknown, and decoding loses nothing."""
from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from fastnet.text import bpe_train
from fastnet.text.pretokenize import pieces
from fastnet.text.tokenizer import Tokenizer, each_text, read_json

CACHE = 1 << 16                                           # pieces whose ids are remembered; emptied when it is full
_BYTES = bytes(range(256))


class BPETokenizer(Tokenizer):
    """Byte-pair encoding on the bytes of UTF-8 (Sennrich, Haddow, Birch 2016; on bytes: Radford et al. 2019).

    Any text, and any bytes (`encode_bytes`), come back exactly. Ids: the 256 bytes, then what the merges make in their order, then the
    special tokens. Merges stay inside the pieces of GPT-2's pattern (words with the space before them, numbers, punctuation).

    Args:
        merges: pairs of ids, most important first; merge i makes id 256 + i of two ids that are smaller.
        special_tokens: names of special tokens, such as ``"<|endoftext|>"``.
        alphabet: the 256 bytes in the order of their ids, ``bytes(range(256))`` by default.

    Raises: ValueError for a merge of ids that do not exist yet, a merge given twice, or an alphabet that is not every byte once.

    >>> from fastnet.text import BPETokenizer
    >>> tokenizer = BPETokenizer.train("low lower lowest " * 20, vocab_size=300, special_tokens=["<eos>"])
    >>> ids = tokenizer.encode("lower the flow<eos>")
    >>> tokenizer.decode(ids), len(ids) < 15, ids[-1] == tokenizer.special_tokens["<eos>"]
    ('lower the flow<eos>', True, True)
    """

    kind = "bpe"

    def __init__(self, merges: Iterable[Sequence[int]], special_tokens: Iterable[str] = (), alphabet: bytes = _BYTES) -> None:
        self.merges: list[tuple[int, int]] = [(a, b) for a, b in merges]
        self.alphabet = bytes(alphabet)
        if sorted(self.alphabet) != list(_BYTES):
            raise ValueError("BPETokenizer: alphabet must hold each of the 256 bytes once")
        tokens = [self.alphabet[i:i + 1] for i in range(256)]
        self._made: dict[tuple[int, int], int] = {}
        for a, b in self.merges:
            if not (0 <= a < len(tokens) and 0 <= b < len(tokens)):
                raise ValueError(f"BPETokenizer: merge {len(self._made)} joins {a} and {b}, but only {len(tokens)} ids exist before it")
            if self._made.setdefault((a, b), len(tokens)) != len(tokens):
                raise ValueError(f"BPETokenizer: the merge of {a} and {b} is given twice")
            tokens.append(tokens[a] + tokens[b])
        self._set_special(special_tokens, len(tokens))
        self._tokens = tokens + [name.encode() for name in self.special_tokens]
        self._byte_ids = [self.alphabet.index(b) for b in range(256)]
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(cls, texts: str | Iterable[str], vocab_size: int = 8192, special_tokens: Iterable[str] = (),
              min_count: int = 2) -> BPETokenizer:
        """Learn merges from texts; the same texts give the same merges.

        Args:
            texts: a text, or an iterable of texts: only the counts of their different pieces are kept in memory.
            vocab_size: at most so many ids, with the 256 bytes and the special tokens; fewer if the texts have no more pairs.
            special_tokens: names of special tokens; where they stand in the texts, nothing is learned from them.
            min_count: stop at pairs that occur less often.

        Raises: ValueError if vocab_size has no room for the bytes and the special tokens, or min_count is less than 1.
        """
        tokenizer = cls((), special_tokens)
        if vocab_size < tokenizer.vocab_size:
            raise ValueError(f"BPETokenizer.train: vocab_size {vocab_size} has no room for 256 bytes and "
                             f"{len(tokenizer.special_tokens)} special tokens")
        if min_count < 1:
            raise ValueError(f"BPETokenizer.train: min_count must be at least 1, got {min_count}")
        counts: Counter[str] = Counter()
        cut = pieces()
        for text in each_text(texts, "BPETokenizer.train"):
            parts = [text] if tokenizer._split is None else tokenizer._split(text)[::2]
            for part in parts:
                counts.update(cut(part))
        words = {piece.encode("utf-8", "surrogateescape"): n for piece, n in counts.items()}
        return cls(bpe_train.learn(words, vocab_size - tokenizer.vocab_size, min_count), list(tokenizer.special_tokens))

    @classmethod
    def from_gpt2(cls, vocab: str | os.PathLike, merges: str | os.PathLike) -> BPETokenizer:
        """The tokenizer in the two files of GPT-2 and its kin, `vocab.json` and `merges.txt`, with the same ids.

        Tokens of the vocabulary that no merge makes are special tokens; they must have the last ids.

        Raises: ValueError for files in which the ids have another order; read `tokenizer.json` with `HuggingFaceTokenizer` then.
        """
        letters = _gpt2_letters()
        ids = read_json(vocab, "BPETokenizer.from_gpt2")
        with open(merges, encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
        pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
        advice = "read tokenizer.json with HuggingFaceTokenizer"
        names = sorted(ids, key=ids.__getitem__)
        if [ids[name] for name in names] != list(range(len(names))) or any(name not in letters for name in names[:256]):
            raise ValueError(f"BPETokenizer.from_gpt2: the ids of {os.fspath(vocab)} are not 256 bytes, merges, special tokens; {advice}")
        for i, pair in enumerate(pairs):
            if len(pair) != 2 or ids.get("".join(pair)) != 256 + i:
                raise ValueError(f"BPETokenizer.from_gpt2: merge {i} of {os.fspath(merges)} does not make id {256 + i}; {advice}")
        return cls([(ids[a], ids[b]) for a, b in pairs], names[256 + len(pairs):], bytes(letters[name] for name in names[:256]))

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        return len(self._tokens)

    def encode_bytes(self, data: bytes) -> list[int]:
        """The ids of any bytes, also such as are no UTF-8; special tokens are not looked for."""
        return self._encode(bytes(data).decode("utf-8", "surrogateescape"))

    def decode_bytes(self, ids: Any) -> bytes:
        """The bytes of ids, exactly; `decode` puts U+FFFD where they are no UTF-8."""
        return b"".join(map(self._tokens.__getitem__, self._checked(ids)))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        known = self._cache
        for piece in pieces()(text):
            found = known.get(piece)
            if found is None:
                found = self._merged(piece.encode("utf-8", "surrogateescape"))
                if len(known) >= CACHE:
                    known.clear()
                if len(piece) <= 64:
                    known[piece] = found
            ids += found
        return ids

    def _merged(self, data: bytes) -> list[int]:
        """The ids of one piece: the earliest merge first, the leftmost of its places first; n log n for n bytes."""
        ids = [self._byte_ids[b] for b in data]
        made, n = self._made, len(ids)
        after, before = list(range(1, n + 1)), list(range(-1, n - 1))
        heap = [(made[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in made]
        heapq.heapify(heap)
        while heap:
            new, i = heapq.heappop(heap)
            j = after[i]
            if ids[i] < 0 or j >= n or made.get((ids[i], ids[j])) != new:
                continue                                  # one of the two was merged with another since
            ids[i], ids[j] = new, -1
            after[i] = k = after[j]
            if k < n:
                before[k] = i
                if (right := made.get((new, ids[k]))) is not None:
                    heapq.heappush(heap, (right, i))
            h = before[i]
            if h >= 0 and (left := made.get((ids[h], new))) is not None:
                heapq.heappush(heap, (left, h))
        return [i for i in ids if i >= 0]

    def _decode(self, ids: list[int]) -> str:
        return b"".join(map(self._tokens.__getitem__, ids)).decode("utf-8", "replace")

    def _state(self) -> dict[str, Any]:
        merges = [list(pair) for pair in self.merges]
        return {"special_tokens": list(self.special_tokens), "alphabet": self.alphabet.hex(), "merges": merges}

    @classmethod
    def _restore(cls, state: dict[str, Any]) -> BPETokenizer:
        return cls(state["merges"], state["special_tokens"], bytes.fromhex(state["alphabet"]))


def _gpt2_letters() -> dict[str, int]:
    """The character that stands for each byte in GPT-2's files: itself where it is printable Latin-1, else U+0100 and on, in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(b): b for b in printable}
    letters.update((chr(0x100 + i), b) for i, b in enumerate(b for b in range(256) if b not in printable))
    return letters
