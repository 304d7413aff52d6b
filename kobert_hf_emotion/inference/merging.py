"""Adapters made a plain model's folder."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CheckpointError
from ..hub.adapters import ADAPTER_CONFIG_FILE, is_adapter
from ..hub.cards import CARD_FILE, adapter_usage, usage
from ..tokenization.tokenizer import KoBERTTokenizer
from ..utils.argument_checks import check_path
from ..utils.files import atomic_directory, atomic_write, check_free
from ..utils.progress import progress
from ..wording import Wording
from .classifier import load_classifier, save_classifier


def merge_adapters_into(
    folder: str | os.PathLike[str], output: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> None:
    """Writes the model that adapters were trained on with them added to its weights: one that loads wherever BERT does.

    Args:
        folder: Where the adapters are, such as a fold's of a run with `lora`.
        output: The folder to write; it must not exist, or be empty.
        base: Where the model is that they were trained on, if not where they say.

    Raises:
        CheckpointError: There are no adapters, or the model they were trained on is not there or another one.
        RunError: `output` is in use.
    """
    check_path("folder", folder)
    check_free(output)
    if not is_adapter(folder):
        raise CheckpointError(
            f"{os.fspath(folder)}에는 어댑터가 없습니다({ADAPTER_CONFIG_FILE}). --lora로 학습한 겹의 폴더를 주세요.",
            f"{os.fspath(folder)} holds no adapters ({ADAPTER_CONFIG_FILE}): expected a fold's folder of a run with "
            "--lora.",
        )
    with progress(Wording("어댑터 더하기", "adding adapters")):
        merged = load_classifier(folder, base)
    card = Path(folder, CARD_FILE)
    with atomic_directory(output) as written:
        save_classifier(merged.model, merged.tokenizer, written)
        if card.is_file():
            plain = usage(isinstance(merged.tokenizer, KoBERTTokenizer))
            text = card.read_text(encoding="utf-8").replace(adapter_usage().strip("\n"), plain.strip("\n"))
            with atomic_write(written / CARD_FILE, "w") as handle:
                handle.write(text)
