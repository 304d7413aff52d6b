"""When two texts count as the same: the folded form that splits and audits compare."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_RUN = re.compile(r"([^\W\d_])\1{2,}|([^\w\s])\2+")


def text_key(text: str, pair: str | None = None) -> str:
    """Returns the form in which a text (or a pair of texts) is compared with others.

    Spellings that a reader takes for the same text fall together: Unicode composition (NFC, not NFKC, which makes
    큐 of ㅋㅠ), case, white space, a letter written three times or more (as two), and a run of one punctuation mark
    or symbol (as one). Digits stay as they are: 2000 is not 200.

    Args:
        text: The text.
        pair: The second text of a pair.

    Example:
        >>> text_key("너무  좋아ㅋㅋㅋㅋ!!!") == text_key("너무좋아ㅋㅋㅋ!")
        True
    """
    first = _fold(text)
    return first if pair is None else f"{first}\t{_fold(pair)}"


def duplicate_groups(texts: Iterable[str], pairs: Iterable[str] | None = None) -> list[int]:
    """Returns for each text the index of the first one with the same key.

    Args:
        texts: The texts.
        pairs: Their second texts, where rows are pairs.

    Example:
        >>> duplicate_groups(["좋다", "싫다", "좋 다"])
        [0, 1, 0]
    """
    keys = map(text_key, texts) if pairs is None else map(text_key, texts, pairs)
    first: dict[str, int] = {}
    return [first.setdefault(key, index) for index, key in enumerate(keys)]


def _fold(text: str) -> str:
    squeezed = "".join(unicodedata.normalize("NFC", text).casefold().split())
    return _RUN.sub(lambda run: run[1] * 2 if run[1] else run[2], squeezed)
