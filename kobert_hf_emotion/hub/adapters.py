"""Folders of adapters as peft writes them: which model they belong on."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from ..errors import CheckpointError

ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


def is_adapter(place: str | os.PathLike[str]) -> bool:
    """Whether a folder holds adapters, and not the weights of a model."""
    # Whatever is no place at all is refused by those who open it.
    return isinstance(place, str | os.PathLike) and Path(place, ADAPTER_CONFIG_FILE).is_file()


def base_of(folder: str | os.PathLike[str]) -> str:
    """Returns what adapters were trained on: "default", a folder or a Hub id.

    Raises:
        CheckpointError: The folder does not say.
    """
    try:
        base = json.loads(Path(folder, ADAPTER_CONFIG_FILE).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"어댑터의 설정을 읽을 수 없습니다: {folder}/{ADAPTER_CONFIG_FILE}",
            f"Cannot read the configuration of the adapters, {folder}/{ADAPTER_CONFIG_FILE}: {error!r}",
        ) from error
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            f"{folder}/{ADAPTER_CONFIG_FILE}에 base_model_name_or_path가 없습니다. merge --base로 주세요.",
            f"{folder}/{ADAPTER_CONFIG_FILE} names no base_model_name_or_path: give it to merge --base.",
        )
    return base


def refuse_adapter(place: str | os.PathLike[str], korean: str, english: str) -> None:
    """Raises `CheckpointError` with the command that merges, where a folder holds adapters.

    Args:
        place: The folder.
        korean: What needs a whole model.
        english: The same in English.
    """
    if is_adapter(place):
        shown = os.fspath(place)
        raise CheckpointError(
            f"{shown}은(는) LoRA 어댑터의 폴더입니다. {korean} 먼저 합치세요.",
            f"{shown} holds LoRA adapters. {english} Merge them first.",
            f"kobert-emotion merge {shlex.quote(shown)} --output {shlex.quote(shown.rstrip('/') + '_merged')}",
        )
