"""SentencePiece models as KoBERT's weights know them: with the pieces in the order of the vocabulary.

SKT's first release and monologg/kobert carry KoBERT's SentencePiece model as it came out of its training, ordered by
score, and keep the order that the weights were trained with elsewhere: in `vocab.txt`, or in gluonnlp's vocabulary.
The ids of such a raw model are other words' ids. Here it is put into the order of the vocabulary once, at the door,
and everything behind it sees one layout.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

from ..errors import TokenizerError
from ..wording import Wording
from .sequences import SPECIAL_TOKENS

VOCAB_FILE = "spiece.model"
RAW_VOCAB_FILE = "tokenizer_78b3253a26.model"
PIECE_LIST = "vocab.txt"
MODEL_SUFFIXES = (".model", ".spiece")
KOBERT_SHA256 = "44eaeaa426ac5dd44f0958bb3bc2fb33211f7c4279f8e181b9bf8fa6a54a53b8"
"""Of the `spiece.model` that SKT serves."""
# Of `tokenizer_78b3253a26.model` (MD5 78b3253a26b9e6937c25a1c1f33fbeba). KoBERT's vocabulary is the five special tokens
# and then its pieces in the order of their code points, which makes the bytes of SKT's `spiece.model` out of it.
_RAW_KOBERT_SHA256 = "71211503ec40ca1d846ccdf21ec10dde7190ad06a1788dbf371320ba87c2f7f1"
_SHOWN = 5

logger = logging.getLogger(__name__)


def load_pieces(vocab_file: str | os.PathLike[str], **settings: Any) -> SentencePieceProcessor:
    """Loads a SentencePiece model with its pieces in the order of the vocabulary.

    Args:
        vocab_file: The model. Its order is that of a `vocab.txt` of pieces beside it; else KoBERT's where it is
            KoBERT's raw model, by its hash; else its own where it has the special tokens of BERT.
        **settings: As for `SentencePieceProcessor`.

    Raises:
        TokenizerError: It is no SentencePiece model or one of byte-pair encoding, nothing tells the order of its
            pieces, or `vocab.txt` lacks some.
    """
    path = Path(vocab_file)
    content, model = _read_model(path, settings)
    names = [model.id_to_piece(index) for index in range(model.get_piece_size())]
    is_complete = set(SPECIAL_TOKENS) <= set(names) and names[model.unk_id()] == SPECIAL_TOKENS[0]
    vocabulary = read_piece_list(path.with_name(PIECE_LIST))
    if vocabulary is None:
        if is_complete:
            return model
        if hashlib.sha256(content).hexdigest() != _RAW_KOBERT_SHA256:
            raise _unknown_order(path, names)
        vocabulary = [*SPECIAL_TOKENS, *sorted(names[index] for index in _text_pieces(model))]
    elif is_complete:
        if vocabulary == names:
            return model
        logger.warning(
            Wording(
                f"{path}: 번호는 옆에 있는 {PIECE_LIST}를 따릅니다. 조각의 순서가 다릅니다.",
                f"{path}: ids are those of the {PIECE_LIST} beside it, which has the pieces in another order.",
            )
        )
    return SentencePieceProcessor(model_proto=_reorder(content, vocabulary, path), **settings)


def _read_model(path: Path, settings: Mapping[str, Any]) -> tuple[bytes, SentencePieceProcessor]:
    """Returns the bytes of a file and the unigram model that they are."""
    try:
        content = path.read_bytes()
        # An empty file the library would take for none at all, and leave itself without one.
        model = SentencePieceProcessor(model_proto=content or b"\0", **settings)
        scores = {model.get_score(index) for index in _text_pieces(model)}
    except (OSError, RuntimeError) as error:
        raise TokenizerError(
            f"SentencePiece 모델 파일이 아니거나 읽을 수 없습니다: {path}",
            f"Not a readable SentencePiece model: {path}. Expected KoBERT's {VOCAB_FILE}. Cause: {error}",
        ) from error
    if len(scores) > 1 and all(score.is_integer() for score in scores):  # ranks of merges, no probabilities
        raise TokenizerError(
            f"{path}은(는) BPE 모델입니다. KoBERT의 것과 같은 unigram 모델이 필요합니다.",
            f"Expected a unigram model, as KoBERT's is, found one of byte-pair encoding: {path}. The tokenizer.json "
            "that is saved with it would split words in another way.",
        )
    return content, model


def check_special_tokens(model: SentencePieceProcessor, tokens: Iterable[str], vocab_file: str) -> None:
    """Raises `TokenizerError` where a special token has no id in the vocabulary."""
    for token in tokens:
        if model.id_to_piece(model.piece_to_id(token)) != token:
            raise TokenizerError(
                f"특수 토큰 {token}이(가) {vocab_file}의 조각이 아닙니다. 임베딩에 없는 번호를 받게 되어 쓰지 "
                "않았습니다.",
                f"Expected every special token among the pieces of {vocab_file}; {token} is none and would get an id "
                "beyond the embedding.",
            )


def read_piece_list(path: Path) -> list[str] | None:
    """Returns the entries of a `vocab.txt` in their order, None where there is none or it is WordPiece's.

    Raises:
        TokenizerError: It cannot be read, a line is empty, or two lines are equal.
    """
    if not path.is_file():
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(
            f"{path}을(를) UTF-8로 읽을 수 없습니다.", f"Cannot read {path} as UTF-8. Cause: {error}"
        ) from error
    entries = lines[:-1] if lines[-1] == "" else lines
    if not are_pieces(entries):
        return None
    places: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if not entry:
            raise TokenizerError(
                f"{path}의 {number}번째 줄이 비어 있습니다. 줄마다 조각 하나가 있어야 합니다.",
                f"Expected a piece in every line of {path}, found line {number} empty.",
            )
        if (first := places.setdefault(entry, number)) != number:
            raise TokenizerError(
                f"{path}의 {first}번째 줄과 {number}번째 줄이 같습니다: {entry!r}. 조각의 번호를 알 수 없습니다.",
                f"Expected every piece once in {path}, found {entry!r} in lines {first} and {number}: its id is not "
                "known.",
            )
    return entries


def are_pieces(entries: Iterable[str]) -> bool:
    """Whether a vocabulary is SentencePiece's (`▁오늘`) and not WordPiece's (`##늘`)."""
    entries = list(entries)
    beginnings = sum(len(entry) > 1 and entry.startswith("▁") for entry in entries)
    return beginnings > sum(entry.startswith("##") for entry in entries)


def _text_pieces(model: SentencePieceProcessor) -> list[int]:
    """Returns the pieces that can come out of a text."""
    return [
        index
        for index in range(model.get_piece_size())
        if not (model.is_control(index) or model.is_unknown(index) or model.is_unused(index))
    ]


def _unknown_order(path: Path, names: Sequence[str]) -> TokenizerError:
    # Where all are there, the unknown piece is another one than [UNK].
    missing = [token for token in SPECIAL_TOKENS if token not in names] or [f"{SPECIAL_TOKENS[0]} (unk)"]
    return TokenizerError(
        f"{path}은(는) KoBERT의 어휘 순서로 된 SentencePiece 모델이 아닙니다: {', '.join(missing)} 조각이 없고 "
        f"처음 조각은 {names[:_SHOWN]}입니다. 조각의 번호를 알 수 없어 쓰지 않았습니다. KoBERT의 {VOCAB_FILE}이나 "
        f"{RAW_VOCAB_FILE}을 쓰거나, 조각을 번호 순서로 적은 {PIECE_LIST}를 같은 폴더에 두세요.",
        f"Expected a SentencePiece model with its pieces in the order of BERT's vocabulary; {path} has no "
        f"{', '.join(missing)} and begins with {names[:_SHOWN]}, so the ids that the weights were trained with are not "
        f"known. Use KoBERT's {VOCAB_FILE} or {RAW_VOCAB_FILE}, or put the {PIECE_LIST} that names the pieces in the "
        "order of their ids beside it.",
    )


def _reorder(content: bytes, vocabulary: Sequence[str], path: Path) -> bytes:
    """Returns the model with its pieces in the order of `vocabulary`; entries that it lacks never come out of a text.

    Raises:
        TokenizerError: `vocabulary` lacks a special token, or a piece that can come out of a text.
    """
    from sentencepiece import sentencepiece_model_pb2  # where it is needed: it takes a while

    protobuf: Any = sentencepiece_model_pb2  # its classes are made when it is imported
    Piece = protobuf.ModelProto.SentencePiece  # noqa: N806 - a class
    model = protobuf.ModelProto.FromString(content)
    pieces = {piece.piece: piece for piece in model.pieces}
    never = (Piece.UNKNOWN, Piece.CONTROL, Piece.UNUSED)
    needed = [*SPECIAL_TOKENS, *(name for name, piece in pieces.items() if piece.type not in never)]
    known = set(vocabulary)
    if lost := [name for name in needed if name not in known]:
        raise TokenizerError(
            f"{path.with_name(PIECE_LIST)}에 {path.name}의 조각 {len(lost):,}개가 없습니다: {lost[:_SHOWN]}. "
            "서로 다른 모델의 파일입니다.",
            f"Expected every piece of {path.name} in {path.with_name(PIECE_LIST)}, found {len(lost):,} missing, such "
            f"as {lost[:_SHOWN]}: the two files do not belong together.",
        )
    ordered = []
    for name in vocabulary:
        kind = Piece.UNKNOWN if name == SPECIAL_TOKENS[0] else Piece.CONTROL
        if name in pieces and name not in SPECIAL_TOKENS and pieces[name].type != Piece.UNKNOWN:
            kind = pieces[name].type
        score = pieces[name].score if name in pieces else 0.0
        ordered.append(Piece(piece=name, score=score, type=kind))
    del model.pieces[:]
    model.pieces.extend(ordered)
    spec = model.trainer_spec
    spec.vocab_size = len(ordered)
    spec.unk_piece, spec.pad_piece, spec.bos_piece, spec.eos_piece = SPECIAL_TOKENS[:4]
    spec.unk_id, spec.pad_id, spec.bos_id, spec.eos_id = map(list(vocabulary).index, SPECIAL_TOKENS[:4])
    reordered: bytes = model.SerializeToString()
    return reordered
