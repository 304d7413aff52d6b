"""Models to measure with: random weights, so that the figures depend on nothing but shape and software."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

MAX_LENGTH = 64

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    "small": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024},
    "kobert-size": {},
}
"""Shapes by name; "kobert-size" is KoBERT's own, 12 layers of 768."""


def save_model(size: str, label_names: Sequence[str], tokenizer: KoBERTTokenizer, folder: Path) -> Path:
    """Writes a classifier of a size in `SIZES` with seeded random weights, and its tokenizer, to `folder`."""
    names = dict(enumerate(label_names))
    torch.manual_seed(0)
    config = EmotionConfig(
        vocab_size=len(tokenizer), max_position_embeddings=512, id2label=names, tokenizer_sha256=None, **SIZES[size]
    )
    model = EmotionClassifier(config)
    model.tokenizer = tokenizer
    model.save_pretrained(folder)
    return folder


def save_trained(source: str | os.PathLike[str], folder: Path) -> Path:
    """Writes a trained classifier with its tokenizer to `folder`, so that plain transformers loads both."""
    model = EmotionClassifier.from_pretrained(source)
    _ = model.tokenizer  # saved with the model once it is there
    model.save_pretrained(folder)
    return folder


def model_flops(size: str, lengths: NDArray[np.int64]) -> float:
    """Returns the multiplications and additions of the way forward of texts through the layers' weight matrices.

    Those that the logits need: of the last layer keys and values of all tokens, the rest for [CLS].

    Args:
        size: A name in `SIZES`.
        lengths: Tokens of each text, shape (texts,).
    """
    config = EmotionConfig(**SIZES[size])
    square, rest = config.hidden_size**2, 2 * config.hidden_size * config.intermediate_size
    a_token = (config.num_hidden_layers - 1) * (4 * square + rest) + 2 * square
    return 2.0 * (a_token * float(lengths.sum()) + (2 * square + rest) * len(lengths))


def widths(size: str) -> tuple[int, int]:
    """Returns the hidden and the inner width of a layer."""
    config = EmotionConfig(**SIZES[size])
    return config.hidden_size, config.intermediate_size
