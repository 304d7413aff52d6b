"""From a legacy file to an `EmotionClassifier`."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

import torch
from torch import nn

from ..errors import CheckpointError
from ..hub.weight_check import check_finite
from ..modeling.classifier import EmotionClassifier
from ..wording import Wording
from .model_building import build_around
from .reader import LegacyCheckpoint, read_legacy_checkpoint

logger = logging.getLogger(__name__)


def import_legacy_checkpoint(
    path: str | os.PathLike[str],
    num_attention_heads: int | None = None,
    *,
    labels: Sequence[str] | None = None,
    strict: bool = True,
    dtype: torch.dtype | None = torch.float32,
) -> EmotionClassifier:
    """Loads a file that a KoBERT notebook left, without running anything that is in it.

    Reads whole pickled models (`.pt`), state dicts (`_state_dict.pt`) and dictionaries that hold one beside an
    optimizer (`_all.tar`), told apart by their content; saved by any torch, on CPU or GPU, with or without
    DataParallel.

    Args:
        path: The file.
        num_attention_heads: Heads, where the file does not tell: a state dict of a hidden size other than 768.
        labels: Label names in the order of the class ids; by default those of a pickled configuration, else the
            seven emotions where the classifier has seven classes, else numbered labels.
        strict: Whether a missing or an unexpected parameter is an error. If not, it is logged, and a missing
            one is initialised at random.
        dtype: Of the parameters; None keeps that of the file.

    Returns:
        The model, on the CPU and in evaluation mode, without a tokenizer: set `model.tokenizer`, with
        `word_split="gluonnlp"` for a notebook's model, before `model.predict`.

    Raises:
        CheckpointError: The file is missing, damaged or unsafe, or does not fit; no other error.

    Example:
        >>> import tempfile
        >>> from kobert_hf_emotion.configuration import EmotionConfig
        >>> from kobert_hf_emotion.legacy import export_legacy_checkpoint
        >>> config = EmotionConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
        >>> whole, state_dict, _ = export_legacy_checkpoint(EmotionClassifier(config), tempfile.mkdtemp() + "/fold_5")
        >>> import_legacy_checkpoint(whole).config.num_attention_heads
        1
        >>> import_legacy_checkpoint(state_dict, num_attention_heads=1).config.labels[5]
        'happy'
    """
    return build_classifier(read_legacy_checkpoint(path, num_attention_heads, labels), strict=strict, dtype=dtype)


def build_classifier(
    checkpoint: LegacyCheckpoint, *, strict: bool = True, dtype: torch.dtype | None = torch.float32
) -> EmotionClassifier:
    """Builds the model of a checkpoint that was read; see `import_legacy_checkpoint` for the arguments.

    Raises:
        CheckpointError: Parameters are missing or unexpected, and `strict` is set.
    """
    if checkpoint.missing or checkpoint.unexpected:
        _report_misfits(checkpoint, strict)
    if checkpoint.missing:
        model = EmotionClassifier(checkpoint.config)
        model.load_state_dict(checkpoint.state_dict, strict=False)
    else:
        model = build_around(lambda: EmotionClassifier(checkpoint.config), checkpoint.state_dict)
    check_finite(model, checkpoint.path)
    if dtype is not None:
        nn.Module.to(model, dtype)
    model.config.dtype = model.dtype
    model.train(False)
    return model


def _report_misfits(checkpoint: LegacyCheckpoint, strict: bool) -> None:
    missing, unexpected = _listing(checkpoint.missing), _listing(checkpoint.unexpected)
    if strict:
        raise CheckpointError(
            f"{checkpoint.path}의 가중치가 BERT 분류기와 맞지 않습니다. 없는 것: {missing}. 남는 것: {unexpected}. "
            "분류기를 학습한 파일이 맞는지 확인하세요.",
            f"Expected the parameters of a BERT classifier in {checkpoint.path}. Missing: {missing}. Unexpected: "
            f"{unexpected}. Check that the file is one of a trained classifier.",
        )
    logger.warning(
        Wording(
            f"{checkpoint.path}: 없어서 무작위로 시작하는 것: {missing}; 남아서 뺀 것: {unexpected}",
            f"{checkpoint.path}: missing, initialised at random: {missing}; unexpected, left out: {unexpected}",
        )
    )


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(name[:120] for name in names[:10]) or "-"
    return f"{shown}, … ({len(names)})" if len(names) > 10 else shown
