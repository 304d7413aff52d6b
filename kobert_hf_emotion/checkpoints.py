"""Models as a run starts, names and finds them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .modeling import EmotionClassifier
from .tokenization import KoBERTTokenizer, WordSplit


def load_tokenizer(
    source: str | os.PathLike[str], max_length: int, word_split: WordSplit | None = None
) -> KoBERTTokenizer:
    """Loads the tokenizer of a model for texts of at most `max_length` tokens.

    Args:
        source: "default", a Hub id or a folder.
        max_length: Recorded as the tokenizer's `model_max_length`.
        word_split: Overrides what the tokenizer was saved with.
    """
    settings = {} if word_split is None else {"word_split": word_split}
    return KoBERTTokenizer.from_pretrained(source, model_max_length=max_length, **settings)


def start_model(
    source: str | os.PathLike[str], labels: Sequence[str], dropout: float, tokenizer: KoBERTTokenizer
) -> EmotionClassifier:
    """Builds a classifier from a pre-trained encoder and a new head.

    The head is new even where the source has one, so that a run depends on the encoder alone. Seed torch
    before calling.

    Args:
        source: "default", a Hub id or a folder.
        labels: Label names in the order of their ids.
        dropout: Dropout before the head.
        tokenizer: The tokenizer to go with the model.

    Raises:
        CheckpointError: There is no model at `source`.
        TokenizerError: The tokenizer does not belong to the model.
    """
    model = EmotionClassifier.from_pretrained(
        source,
        id2label=dict(enumerate(labels)),
        label2id={name: index for index, name in enumerate(labels)},
        classifier_dropout=dropout,
        ignore_mismatched_sizes=True,
    )
    nn.init.normal_(model.classifier.weight, std=model.config.initializer_range)
    nn.init.zeros_(model.classifier.bias)
    model.tokenizer = tokenizer
    return model


def weights_sha256(model: nn.Module) -> str:
    """Returns a SHA-256 over the names and the bytes of all parameters and buffers of a model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:

    return bytes(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
