"""Which files of a folder belong to a model, and are uploaded to the Hub: those, and nothing else that lies there."""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from ..wording import Wording

logger = logging.getLogger(__name__)

_SAFE_WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
HISTORY_FILE = "history.csv"
"""The figures of the training that made a model, evaluation by evaluation."""
_PICKLED_WEIGHTS = ("pytorch_model.bin", "pytorch_model-*-of-*.bin", "pytorch_model.bin.index.json")
"""Weights alone are read from them; they belong to a model that has no others."""
_MODEL = ("config.json", "generation_config.json", "adapter_config.json", "adapter_model.safetensors")
_TOKENIZER = (
    "tokenizer_config.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    "tokenizer_78b3253a26.model",  # SKT's first name of KoBERT's
    "sentencepiece.bpe.model",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
_EXPORT = ("onnx/model.onnx", "onnx/model_quantized.onnx", "model.onnx", "model_int8.onnx", "export.json")
_ABOUT = ("README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", HISTORY_FILE, "training_record.json")
MODEL_FILES = (*_MODEL, *_SAFE_WEIGHTS, *_TOKENIZER, *_EXPORT, *_ABOUT)


def files_of_model(folder: Path) -> list[Path]:
    """Returns the files of a model's folder that belong to it; the others are named in the log."""
    files = [file for file in [*sorted(folder.iterdir()), *sorted(folder.glob("onnx/*"))] if file.is_file()]
    names = {file: file.relative_to(folder).as_posix() for file in files}
    has_safe_weights = any(_is_among(name, _SAFE_WEIGHTS) for name in names.values())
    belonging = MODEL_FILES if has_safe_weights else (*MODEL_FILES, *_PICKLED_WEIGHTS)
    found = [file for file in files if _is_among(names[file], belonging)]
    if left_out := [names[file] for file in files if file not in found]:
        shown = ", ".join(left_out)
        logger.info(Wording(f"{folder}에서 올리지 않는 파일: {shown}", f"not pushed from {folder}: {shown}"))
    return found


def upload_model(folder: Path, repo_id: str, token: str | None, **options: Any) -> Any:
    """Uploads a model from a folder, and nothing else that lies there.

    Args:
        folder: The folder.
        repo_id: "user/name".
        token: A token with the right to write.
        **options: As for `HfApi.upload_folder`.
    """
    names = [file.relative_to(folder).as_posix() for file in files_of_model(folder)]
    return HfApi(token=token).upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=names, **options)


def _is_among(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
