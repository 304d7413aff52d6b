"""A sentence in Korean and in English, and which of the two is shown."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

Language: TypeAlias = Literal["ko", "en", "both"]
"""What is shown. Python's exceptions and log carry both; the command line chooses."""
_BOTH = re.compile(r"(.*[가-힣].*) \(([^가-힣]+)\)")


def titled(korean: str, english: str, language: Language) -> str:
    """Returns a few words before or inside a line: in one language, or in Korean with the English in parentheses."""
    return f"{korean} ({english})" if language == "both" else Wording(korean, english).in_language(language)


def untitled(text: str, language: Language) -> str:
    """Returns one language of a few words that a file has in both, as `titled` writes them; other words as they are.

    Example:
        >>> untitled("검증 예측 9행 (out-of-fold predictions of 9 rows)", "en")
        'out-of-fold predictions of 9 rows'
    """
    found = _BOTH.fullmatch(text)
    return text if found is None else titled(found[1], found[2], language)


class Wording(NamedTuple):
    """The same sentence in both languages."""

    korean: str
    english: str

    def __str__(self) -> str:
        return self.in_language("both")

    def in_language(self, language: Language) -> str:
        """Returns the sentence in Korean, in English, or in both, with a stroke between them."""
        if language == "both":
            return self.korean if self.korean == self.english else f"{self.korean} / {self.english}"
        return self.korean if language == "ko" else self.english


class Note(Wording):
    """What was assumed, or is there and is not looked at; a quiet command leaves it out (see `cli.output`)."""

    __slots__ = ()


class Doubt(Note):
    """A note that everybody has to see: rows are lost by it, or what was asked for was not done."""

    __slots__ = ()
