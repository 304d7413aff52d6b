"""Tiny encoders of other kinds, and their tokenizers."""

from __future__ import annotations

from sentences import sentences
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    PreTrainedTokenizerFast,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "pad_token_id": 0,
}  # fmt: skip


def word_piece() -> PreTrainedTokenizerFast:
    """A tokenizer as klue/bert-base has one, over the syllables of the test sentences."""
    syllables = sorted({syllable for text, _ in sentences(30) for syllable in text if not syllable.isspace()})
    entries = [*SPECIAL, *syllables, *(f"##{syllable}" for syllable in syllables)]
    engine = Tokenizer(models.WordPiece({entry: i for i, entry in enumerate(entries)}, unk_token="[UNK]"))
    engine.normalizer = normalizers.NFC()
    engine.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=engine,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def character_tokens(letters: str) -> PreTrainedTokenizerFast:
    """A tokenizer to which each of these characters is a token, a space as well; `[CLS]` and `[SEP]` stand around."""
    engine = Tokenizer(models.BPE({entry: i for i, entry in enumerate([*SPECIAL, *letters])}, [], unk_token="[UNK]"))
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=engine, unk_token="[UNK]", pad_token="[PAD]")
