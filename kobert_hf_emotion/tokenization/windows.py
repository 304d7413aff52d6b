"""Long texts in pieces that a model reads whole: windows that overlap, or sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import KoBERTEmotionError
from .long_texts import LongTexts
from .sequences import rows_encoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Span: TypeAlias = tuple[int, int]
"""Where a piece of a text begins and ends, in characters."""

_WORD = re.compile(r"\S+")
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…。！？]+[\"'”’」』)\]]*(?=\s)|(?=\n)|$)")


@dataclass(frozen=True)
class Pieces:
    """A text and its pieces.

    Attributes:
        fits: Whether the model reads the text whole.
        spans: Its pieces, in order; a text that fits is one, unless it is divided into sentences.
    """

    fits: bool
    spans: list[Span]


class Divider:
    """Divides texts into pieces that are no longer than a model reads.

    Args:
        tokenizer: The model's.
        limit: Tokens of a row, special ones included.
        long: How texts are divided.

    Raises:
        KoBERTEmotionError: A window would be no longer than what it shares with the one before.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, limit: int, long: LongTexts) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._long = long
        self._room = limit - tokenizer.num_special_tokens_to_add(pair=False)
        if long.stride >= self._room:
            raise KoBERTEmotionError(
                f"`stride` {long.stride}이(가) 창 하나에 드는 {self._room}토큰보다 작아야 합니다.",
                f"Expected a `stride` below the {self._room} tokens of a window, found {long.stride}.",
                mend={"stride": self._room // 2},
            )

    def divide(self, texts: Sequence[str]) -> list[Pieces]:
        """Returns the pieces of each text.

        Pieces begin and end where words do, but in a word that is too long by itself. Every word is in one of them, and
        none has more tokens than the limit.
        """
        fits = [length <= self._limit for length in self._lengths(texts)]
        if self._long.mode == "window":
            return [
                Pieces(fit, [(0, len(text))] if fit else self._windows(text, 0))
                for text, fit in zip(texts, fits, strict=True)
            ]
        return [Pieces(fit, self._sentences(text)) for text, fit in zip(texts, fits, strict=True)]

    def _sentences(self, text: str) -> list[Span]:
        spans = sentences(text) or [(0, len(text))]
        lengths = self._lengths([text[start:end] for start, end in spans])
        found: list[Span] = []
        for (start, end), length in zip(spans, lengths, strict=True):
            found += [(start, end)] if length <= self._limit else self._windows(text[start:end], start)
        return found

    def _windows(self, text: str, offset: int) -> list[Span]:
        """Returns the windows of a text that does not fit, counted from `offset`."""
        units = self._units(text)
        counts = self._counts([text[start:end] for start, end in units])
        spans, first, reached = [], 0, 0
        while reached < len(units):
            last = self._fill(text, units, counts, first)
            if last > reached:  # else the window before holds all of it: its units take more beside each other
                spans.append((offset + units[first][0], offset + units[last - 1][1]))
                reached = last
            if reached < len(units):
                first = self._go_back(counts, first, last)
        return spans

    def _fill(self, text: str, units: Sequence[Span], counts: Sequence[int], first: int) -> int:
        """Returns the unit before which a window that begins with `first` ends."""
        last, total = first + 1, counts[first]
        while last < len(units) and total + counts[last] <= self._room:
            total += counts[last]
            last += 1
        # Units are counted by themselves; beside each other they may have a token more.
        while last > first + 1 and self._lengths([text[units[first][0] : units[last - 1][1]]])[0] > self._limit:
            last -= 1
        return last

    def _go_back(self, counts: Sequence[int], first: int, last: int) -> int:
        """Returns the unit the next window begins with: within the stride, and with room for the unit `last`."""
        start, shared = last, 0
        room = min(self._long.stride, self._room - counts[last])
        while start - 1 > first and shared + counts[start - 1] <= room:
            start -= 1
            shared += counts[start]
        return start

    def _units(self, text: str) -> list[Span]:
        """Returns the words of a text, one that does not fit by itself in parts that do."""
        waiting = [match.span() for match in _WORD.finditer(text)][::-1]
        counts = dict(zip(waiting, self._counts([text[start:end] for start, end in waiting]), strict=True))
        units: list[Span] = []
        while waiting:
            start, end = waiting.pop()
            count = counts.get((start, end)) or self._counts([text[start:end]])[0]
            if count <= self._room or end - start == 1:
                units.append((start, end))
            else:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
        return units

    def _counts(self, texts: Sequence[str]) -> list[int]:
        """Returns the tokens of texts without special ones."""
        special = self._limit - self._room
        return [length - special for length in self._lengths(texts)]

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        encode = rows_encoder(self._tokenizer)
        columns = self._tokenizer(list(texts), verbose=False) if encode is None else encode(texts)
        return list(map(len, columns["input_ids"]))


def sentences(text: str) -> list[Span]:
    r"""Returns where the sentences of a text begin and end, without the white space between them.

    A sentence ends with a line, or after a full stop, a question or exclamation mark or an ellipsis, closing quotation
    marks and brackets included, where white space follows. What holds no letter, as the number of a list does, goes
    with what follows it, at the end with what is before.

    Example:
        >>> [("좋았다. 정말?!\n1. 끝"[start:end]) for start, end in sentences("좋았다. 정말?!\n1. 끝")]
        ['좋았다.', '정말?!', '1. 끝']
    """
    found: list[Span] = []
    begun: int | None = None
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        start += len(match[0]) - len(match[0].lstrip())
        end -= len(match[0]) - len(match[0].rstrip())
        if start >= end:
            continue
        start = start if begun is None else begun
        begun = None
        if any(character.isalpha() for character in text[start:end]):
            found.append((start, end))
        else:
            begun, last = start, end
    if begun is not None:
        found = [*found[:-1], (found[-1][0], last)] if found else [(begun, last)]
    return found
