"""Rows of ids to what the model is fed with: `[CLS] … [SEP]` or `[CLS] … [SEP] … [SEP]`, cut to a length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SPECIAL_TOKENS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
"""Of BERT, in the order of their ids in KoBERT's vocabulary."""


@dataclass(frozen=True)
class SequenceBuilder:
    """Adds special tokens to rows of ids.

    Attributes:
        cls: The id of `[CLS]`.
        sep: That of `[SEP]`.
        limit: The most tokens of a row, the special ones included; None cuts nothing.
    """

    cls: int
    sep: int
    limit: int | None

    def single(self, rows: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
        """Returns ids and token types; `rows` are changed in place: new ones would cost as much as the encoder."""
        kept = None if self.limit is None else max(self.limit - 2, 0)
        for row in rows:
            if kept is not None and len(row) > kept:
                del row[kept:]
            row.insert(0, self.cls)
            row.append(self.sep)
        return rows, [[0] * len(row) for row in rows]

    def pairs(self, first: list[list[int]], second: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
        """Returns ids and token types."""
        ids, types = [], []
        for a, b in zip(first, second, strict=True):
            kept_a, kept_b = self._longest_first(len(a), len(b))
            ids.append([self.cls, *a[:kept_a], self.sep, *b[:kept_b], self.sep])
            types.append([0] * (kept_a + 2) + [1] * (kept_b + 1))
        return ids, types

    def _longest_first(self, length_a: int, length_b: int) -> tuple[int, int]:
        """Returns how many tokens of a pair stay when the longer one, the second in a tie, gives a token at a time."""
        if self.limit is None or length_a + length_b <= (room := max(self.limit - 3, 0)):
            return length_a, length_b
        if length_a < length_b:
            kept_a = min(length_a, room - room // 2)
            return kept_a, room - kept_a
        kept_b = min(length_b, room // 2)
        return room - kept_b, kept_b


def rows_encoder(tokenizer: Any) -> Callable[..., dict[str, list[list[int]]]] | None:
    """Returns the `encode_rows` of KoBERT's tokenizer, None of another: a subclass may have a call of its own."""
    return tokenizer.encode_rows if "encode_rows" in vars(type(tokenizer)) else None


def as_batch(text: Any, text_pair: Any) -> tuple[list[str], list[str] | None] | None:
    """Returns what a call of a tokenizer was given as texts and second texts, None where they are not plain strings."""
    if isinstance(text, str):
        text, text_pair = [text], None if text_pair is None else [text_pair]
    texts, pairs = _strings(text), _strings(text_pair)
    if texts is None or text_pair is None:
        return None if texts is None else (texts, None)
    return (texts, pairs) if pairs is not None and len(pairs) == len(texts) else None


def _strings(value: Any) -> list[str] | None:
    is_plain = isinstance(value, list | tuple) and all(isinstance(element, str) for element in value)
    return list(value) if is_plain else None
