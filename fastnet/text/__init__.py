"""text: tokenizers, token files, batches of sentences, and the choice of the next token."""
from fastnet.text.batching import LengthBatchSampler, PadCollate
from fastnet.text.bpe import BPETokenizer
from fastnet.text.char import CharTokenizer
from fastnet.text.huggingface import HuggingFaceTokenizer
from fastnet.text.loading import load_tokenizer
from fastnet.text.pairs import PairDataset, read_pairs, train_validation_split, write_pairs
from fastnet.text.sampling import TokenSampler, keep_top_k, keep_top_p, sample
from fastnet.text.token_file import TokenFile, TokenWriter
from fastnet.text.tokenizer import Tokenizer
from fastnet.text.tokens import Tokens, TokenWindows
from fastnet.text.word import WordTokenizer

__all__ = ["BPETokenizer", "CharTokenizer", "HuggingFaceTokenizer", "LengthBatchSampler", "PadCollate", "PairDataset", "TokenFile",
           "TokenSampler", "TokenWindows", "TokenWriter", "Tokenizer", "Tokens", "WordTokenizer", "keep_top_k", "keep_top_p",
           "load_tokenizer", "read_pairs", "sample", "train_validation_split", "write_pairs"]
