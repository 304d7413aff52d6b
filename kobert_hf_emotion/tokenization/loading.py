"""Finds the right tokenizer for a model: KoBERT's, or another encoder's own."""

from __future__ import annotations

import os
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..assets import resolve_default
from ..errors import TokenizerError
from ..hub.errors import hub_error, place_options
from .model_files import cap_length, find_file, find_sentencepiece
from .sentencepiece_layout import RAW_VOCAB_FILE, VOCAB_FILE, are_pieces
from .tokenizer import KoBERTTokenizer

# Without one of these transformers builds a tokenizer of a handful of entries and says nothing.
_OTHER_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")


def load_tokenizer(source: str | os.PathLike[str], **settings: Any) -> PreTrainedTokenizerBase:
    """Loads KoBERT's tokenizer where there is its SentencePiece model, and the encoder's own elsewhere.

    Args:
        source: "default", a Hub id, a folder, or the path of a `spiece.model`.
        **settings: As for `from_pretrained`; `word_split` is KoBERT's alone.

    Returns:
        A tokenizer whose `model_max_length` is at most what the model beside it has positions for.

    Raises:
        TokenizerError: There is no vocabulary, one that the tokenizer beside it does not read, or `word_split` is
            given for another encoder.
    """
    place = resolve_default(source)
    options = place_options(settings)
    if (
        os.path.isfile(place)
        or find_sentencepiece(place, options) is not None
        or all(find_file(place, name, options) is None for name in _OTHER_VOCABULARIES)
    ):
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
    _check_engine(tokenizer, source)
    cap_length(tokenizer, place, options)
    return tokenizer


def _check_engine(tokenizer: PreTrainedTokenizerBase, source: str | os.PathLike[str]) -> None:
    """Raises `TokenizerError` where WordPiece is to read a vocabulary of SentencePiece's pieces, of which it knows few.

    So KoBERT's `vocab.txt` opens without the SentencePiece model, with five tokens in six unknown.
    """
    engine = getattr(tokenizer, "backend_tokenizer", None)
    name = type(engine.model).__name__ if engine is not None else type(tokenizer).__name__
    if name.startswith(("WordPiece", "Bert")) and are_pieces(tokenizer.get_vocab()):
        raise TokenizerError(
            f"{source}의 어휘는 SentencePiece 조각(▁로 시작)인데 SentencePiece 모델이 없어 WordPiece로 열립니다. "
            f"대부분이 [UNK]가 되어 쓰지 않았습니다. {RAW_VOCAB_FILE}이나 {VOCAB_FILE}을 같은 폴더에 두세요.",
            f"Expected a SentencePiece model beside the vocabulary of {source}, whose entries are pieces that begin "
            f"with ▁; found none, and WordPiece would make [UNK] of most. Put {RAW_VOCAB_FILE} or {VOCAB_FILE} there.",
        )
