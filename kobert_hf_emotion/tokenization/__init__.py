"""KoBERT's tokenizer: its ids, its files, and whether it fits a model."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "KoBERTTokenizer": "tokenizer",
        "VOCAB_FILE": "sentencepiece_layout",
        "WordSplit": "pieces",
    },
)
