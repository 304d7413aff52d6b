"""Finds the right tokenizer for a model: KoBERT's, or another encoder's own."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file

from .assets import resolve_default
from .errors import TokenizerError
from .hub_errors import hub_error, place_options
from .tokenization import VOCAB_FILE, KoBERTTokenizer

# Without one of these transformers builds a tokenizer of a handful of entries and says nothing.
_OTHER_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")


def load_tokenizer(source: str | os.PathLike[str], **settings: Any) -> PreTrainedTokenizerBase:
    """Loads KoBERT's tokenizer where there is a `spiece.model`, and the encoder's own elsewhere.

    Args:
        source: "default", a Hub id, a folder, or the path of a `spiece.model`.
        **settings: As for `from_pretrained`; `word_split` is KoBERT's alone.

    Raises:
        TokenizerError: There is no vocabulary, or `word_split` is given for another encoder.
    """
    place = resolve_default(source)
    options = place_options(settings)
    others = (_has(place, name, options) for name in _OTHER_VOCABULARIES)
    if os.path.isfile(place) or _has(place, VOCAB_FILE, options) or not any(others):
        return KoBERTTokenizer.from_pretrained(place, **settings)  # says what is missing where nothing is there
    if settings.pop("word_split", None) is not None:
        raise TokenizerError(
            f"word_split은 KoBERT 토크나이저의 설정입니다. {source}에는 {VOCAB_FILE}이 없습니다.",
            f"word_split is a setting of KoBERT's tokenizer, and {source} has no {VOCAB_FILE}.",
        )
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(place, **settings)
    except (OSError, TypeError, ValueError) as error:
        raise hub_error(error, source) or TokenizerError(
            f"토크나이저를 불러올 수 없습니다: {source}",
            f"Cannot load the tokenizer of {source}. Cause: {error}",
        ) from error
    return tokenizer


def _has(source: str, name: str, options: dict[str, Any]) -> bool:
    """Whether a folder, or a repository on the Hub, holds the file `name`."""
    if os.path.isdir(source):
        return os.path.isfile(os.path.join(source, options.get("subfolder") or "", name))
    with suppress(OSError):  # no such repository, no right to see it: loading from it says so
        found = cached_file(
            source,
            name,
            **options,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        return found is not None
    return False


def vocabulary_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """Returns a SHA-256 that tells whether two tokenizers have the same vocabulary.

    For KoBERT's tokenizer it is that of `spiece.model`, for others that of the entries in the order of their ids.
    """
    if isinstance(tokenizer, KoBERTTokenizer):
        return tokenizer.vocab_sha256
    digest = hashlib.sha256()
    for token, index in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]):
        digest.update(f"{index}\t{token}\n".encode())
    return digest.hexdigest()
