"""Tables as lines of text, in columns that Hangul does not push aside."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def text_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Returns lines of cells as text, each column as wide as its widest cell, right-aligned."""
    widths = [max(width(line[column]) for line in (head, *body)) for column in range(len(head))]
    return "\n".join(
        "  " + "  ".join(" " * (room - width(cell)) + cell for cell, room in zip(line, widths, strict=True))
        for line in (head, *body)
    )


def width(text: str) -> int:
    """Returns the columns a text takes in a terminal: two for a syllable of Hangul."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
