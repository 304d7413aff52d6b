"""Where in a text its tokens come from: character positions for each id, whatever was normalized away."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import TokenizerError
from .normalization import prepare_gluonnlp, prepare_xlnet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from .tokenizer import KoBERTTokenizer

Span: TypeAlias = tuple[int, int]
"""First character and the one after the last, in the text as it was given."""

_TAILS = ("xㄳ", "x")
"""What a prefix is prepared with behind it, so that white space at its end is no end of a text.

The first where a final consonant on its own, behind the prefix, has the whole text taken apart.
"""


def word_spans(text: str) -> list[Span]:
    """Returns the spans of the words of a text, its eojeol: what stands between white space."""
    return [found.span() for found in re.finditer(r"\S+", text)]


def token_spans(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[Span]]:
    """Encodes a text without special tokens around it, and tells where in it each token comes from.

    Args:
        tokenizer: KoBERT's, or one that is fast.
        text: Any text; NFD, emoji and characters that are dropped or unknown included.

    Returns:
        The ids, and as many spans, which never go back. The white space that a token begins with is no part of its
        span; a span is empty where nothing of the text is the token's own.

    Raises:
        TokenizerError: The tokenizer tells nothing of positions.
    """
    from .tokenizer import KoBERTTokenizer

    if isinstance(tokenizer, KoBERTTokenizer):
        ids, spans = _kobert_spans(tokenizer, text)
    elif tokenizer.is_fast:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, spans = encoded["input_ids"], [tuple(span) for span in encoded["offset_mapping"]]
    else:
        raise TokenizerError(
            f"{type(tokenizer).__name__}은(는) 토큰의 위치를 알려 주지 않습니다. tokenizer.json이 있는 토크나이저를 "
            "쓰세요.",
            f"{type(tokenizer).__name__} does not tell where its tokens come from; use one with a tokenizer.json.",
        )
    return ids, [_without_space(text, span) for span in spans]


def _kobert_spans(tokenizer: KoBERTTokenizer, text: str) -> tuple[list[int], list[Span]]:
    """Returns ids and spans; special tokens that are written out in the text are looked for first, as it does."""
    [ids] = tokenizer.encode_texts([text])
    spans: list[Span] = []
    for start, end, special in _segments(tokenizer, text):
        if special:
            spans.append((start, end))
        else:
            spans += [(start + first, start + last) for first, last in _segment_spans(tokenizer, text[start:end])]
    if len(spans) != len(ids):
        raise TokenizerError(
            f"글의 토큰 {len(ids)}개 가운데 {len(spans)}개만 자리를 찾았습니다: {text!r:.80}. 글에서 특수 토큰을 빼고 "
            "다시 하세요.",
            f"Expected a place in the text for each of its {len(ids)} tokens, found {len(spans)}: {text!r:.80}. Leave "
            "special tokens out of the text.",
        )
    return ids, spans


def _segments(tokenizer: KoBERTTokenizer, text: str) -> list[tuple[int, int, bool]]:
    """Cuts a text at the special tokens that are written out in it, where the tokenizer takes them as such."""
    if tokenizer.word_split == "gluonnlp":
        return [(0, len(text), False)]
    cuts, last = [], 0
    for found in tokenizer.special_in_text.finditer(text):
        cuts += [(last, found.start(), False), (*found.span(), True)]
        last = found.end()
    return [cut for cut in (*cuts, (last, len(text), False)) if cut[0] < cut[1]]


def _segment_spans(tokenizer: KoBERTTokenizer, text: str) -> list[Span]:
    if tokenizer.word_split == "gluonnlp":
        words, prepare = prepare_gluonnlp(text), _prepared_by_gluonnlp
    else:
        words, prepare = [prepare_xlnet(text)], prepare_xlnet
    starts = accumulate((len(word) + 1 for word in words), initial=0)
    spans = [
        (start + first, start + last)
        for word, start in zip(words, starts, strict=False)
        for first, last in _piece_spans(tokenizer, word)
    ]
    positions = _positions(text, prepare)
    return [_source(positions, span) for span in spans]


def _piece_spans(tokenizer: KoBERTTokenizer, prepared: str) -> list[Span]:
    """Returns the spans of the pieces in what SentencePiece is given; it counts in bytes."""
    from sentencepiece import sentencepiece_pb2  # where it is needed: it takes a while

    protobuf: Any = sentencepiece_pb2
    pieces = protobuf.SentencePieceText.FromString(tokenizer.sp_model.encode(prepared, out_type="serialized_proto"))
    sizes = accumulate((len(character.encode()) for character in prepared), initial=0)
    character_at = {size: index for index, size in enumerate(sizes)}
    spans = []
    for piece in pieces.pieces:
        first, last = character_at[piece.begin], character_at[piece.end]
        parts = tokenizer.parts_of(piece.piece)
        widths = [len(part.replace("▁", "")) for part in parts[1:]]  # what is split is a number and its comma
        cuts = [last - sum(widths[index:]) for index in range(len(widths))]
        spans += list(zip((first, *cuts), (*cuts, last), strict=True))
    return spans


def _prepared_by_gluonnlp(text: str) -> str:
    return " ".join(prepare_gluonnlp(text))


def _positions(text: str, prepare: Callable[[str], str]) -> list[int]:
    """Returns how much of the prepared text stands before each character of a text, and before its end."""
    whole = prepare(text)
    tail = next(tail for tail in _TAILS if prepare(text + tail).startswith(whole))
    behind = len(prepare(tail))
    return [min(len(prepare(text[:end] + tail)) - behind, len(whole)) for end in range(len(text))] + [len(whole)]


def _source(positions: list[int], span: Span) -> Span:
    """Returns the characters that a part of the prepared text was made of."""
    first, last = span
    start = max(bisect_right(positions, first) - 1, 0)
    if first == last:  # a mark of a word's beginning by itself
        return start, start
    end = max(bisect_right(positions, last) - 1, bisect_left(positions, last))
    return start, end


def _without_space(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
