"""Finding the files of a model in a folder, or in a repository on the Hub."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import CONFIG_NAME

from ..configuration import longest_input
from ..errors import TokenizerError
from ..utils.transformers_private.pretrained import file_or_none
from .sentencepiece_layout import MODEL_SUFFIXES, PIECE_LIST, RAW_VOCAB_FILE, VOCAB_FILE, read_piece_list

# A folder's tokenizer is made of these; a file beside them that is called a model may be anything.
_OTHER_VOCABULARIES = ("tokenizer.json", "vocab.json")


def find_file(source: str, name: str, options: Mapping[str, Any]) -> str | None:
    """Returns where the file `name` of a folder or of a repository on the Hub lies, None where there is none.

    Args:
        source: A folder or a Hub id.
        name: Of the file.
        options: See `hub.errors.place_options`.
    """
    if os.path.isdir(source):
        path = os.path.join(source, options.get("subfolder") or "", name)
        return path if os.path.isfile(path) else None
    with suppress(OSError):  # no such repository, no right to see it: loading from it says so
        return file_or_none(source, name, options)
    return None


def find_sentencepiece(source: str, options: Mapping[str, Any]) -> str | None:
    """Returns the SentencePiece model of KoBERT's tokenizer in a folder or a repository, None where there is none.

    By the names it is published under; in a folder without another vocabulary under any name.

    Raises:
        TokenizerError: There are several.
    """
    for name in (VOCAB_FILE, RAW_VOCAB_FILE):
        if (found := find_file(source, name, options)) is not None:
            return found
    folder = Path(source, options.get("subfolder") or "")
    models = _models_under_any_name(folder)
    if len(models) > 1:
        names = [path.name for path in models]
        raise TokenizerError(
            f"{folder}에 SentencePiece 모델로 보이는 파일이 여럿 있습니다: {names}. 쓸 것 하나를 {VOCAB_FILE}(으)로 "
            "이름 지으세요.",
            f"Expected one SentencePiece model in {folder}, found {names}. Call the one to use {VOCAB_FILE}.",
        )
    return str(models[0]) if models else None


def _models_under_any_name(folder: Path) -> list[Path]:
    """Returns the SentencePiece models in a folder whose tokenizer is not made of something else."""
    if not folder.is_dir() or any(folder.joinpath(name).is_file() for name in _OTHER_VOCABULARIES):
        return []
    piece_list = folder / PIECE_LIST
    if piece_list.is_file() and read_piece_list(piece_list) is None:  # WordPiece's
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in MODEL_SUFFIXES and path.is_file())


def cap_length(tokenizer: PreTrainedTokenizerBase, source: str, options: Mapping[str, Any]) -> None:
    """Lowers `model_max_length` to the tokens that the model beside the tokenizer has positions for.

    Where there is no model beside it, nothing is changed.
    """
    if find_file(source, CONFIG_NAME, options) is None:
        return
    with suppress(OSError, ValueError, TypeError, AttributeError, StrictDataclassError):  # loading the model says so
        limit = longest_input(AutoConfig.from_pretrained(source, **options))
        tokenizer.model_max_length = min(tokenizer.model_max_length, limit)


def fit_length(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> PreTrainedTokenizerBase:
    """Returns the tokenizer with a `model_max_length` that the model has positions for.

    A pipeline truncates to this figure alone. Another model may use the tokenizer as well, so that one which is set
    too long is left as it is, and a copy returned.
    """
    limit = longest_input(config)
    if tokenizer.model_max_length <= limit:
        return tokenizer
    tokenizer = copy.copy(tokenizer)
    tokenizer.model_max_length = limit
    return tokenizer
