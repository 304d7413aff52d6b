"""Loads whatever predicts: a folder, an ensemble, a Hub id, "default" or one of the notebook's files."""

from __future__ import annotations

import os

from transformers import PreTrainedTokenizerBase

from ..errors import CheckpointError
from ..legacy import NOTEBOOK_LENGTH, import_legacy_checkpoint
from ..tokenization.tokenizer import KoBERTTokenizer
from .classifier import Classifier
from .ensemble import Predictor, load_predictor


def load_checkpoint(
    path: str | os.PathLike[str],
    tokenizer: PreTrainedTokenizerBase | str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
) -> Predictor:
    """Loads a folder, an ensemble's among them, a Hub id, "default" or one of the notebook's files.

    Args:
        path: What to load.
        tokenizer: For the notebook's files: a tokenizer, or the `spiece.model`, folder or Hub id of one, which is
            then used as the notebook did (`word_split="gluonnlp"`, 64 tokens).
        num_attention_heads: For the notebook's files that do not tell it.

    Raises:
        CheckpointError: `path` is no checkpoint, or a notebook's file without a `tokenizer`.
        TokenizerError: The tokenizer is missing or does not fit.
    """
    if not os.path.isfile(path):
        return load_predictor(path)
    model = import_legacy_checkpoint(path, num_attention_heads=num_attention_heads)
    if tokenizer is None:
        raise CheckpointError(
            f"노트북이 저장한 파일({path})에는 토크나이저가 없습니다. `tokenizer`에 KoBERT의 spiece.model, 폴더나 "
            "Hub 이름을 주세요.",
            f"The notebook's file {path} holds no tokenizer: give KoBERT's spiece.model, its folder or Hub id as "
            "`tokenizer`.",
            mend={"tokenizer": "skt/kobert-base-v1"},
        )
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        tokenizer = KoBERTTokenizer.from_pretrained(tokenizer, word_split="gluonnlp", model_max_length=NOTEBOOK_LENGTH)
    model.tokenizer = tokenizer
    return Classifier(model, tokenizer)
