"""KoBERT's tokenizer: its ids, its files, and whether it fits a model."""

from .sentencepiece_layout import VOCAB_FILE
from .tokenizer import KoBERTTokenizer, WordSplit

__all__ = ["VOCAB_FILE", "KoBERTTokenizer", "WordSplit"]
