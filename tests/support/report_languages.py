"""What holds of `report.txt` in every language, whatever the task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kobert_hf_emotion.runs.report_text import report_text

HANGUL = re.compile(r"[가-힣]")
_ENGLISH_SENTENCE = re.compile(r"\b(the|of|by|in|from|for)\b")
_FIGURE = re.compile(r"\d[\d,.]*%?")


def check_languages(run: Path, names: Sequence[str]) -> None:
    """Checks that the file has both languages, that either alone has no word of the other, and all the same figures.

    Args:
        run: The folder of a finished run.
        names: Label names, which are no words of a language.
    """
    both, korean, english = (report_text(run, language) for language in ("both", "ko", "en"))
    assert (run / "report.txt").read_text(encoding="utf-8") == both
    assert HANGUL.search(korean)
    assert not _ENGLISH_SENTENCE.search(korean), korean
    assert not HANGUL.search(without(english, names)), english
    assert figures(korean) == figures(english)
    assert len(both.splitlines()) == len(korean.splitlines()) == len(english.splitlines())


def without(text: str, names: Sequence[str]) -> str:
    """Returns a text without label names, the longest first."""
    return re.sub("|".join(map(re.escape, sorted(names, key=len, reverse=True))), "", text)


def figures(text: str) -> list[list[str]]:
    """Returns the numbers of each line, in no order: a sentence may name them in another."""
    return [sorted(figure.rstrip(".,") for figure in _FIGURE.findall(line)) for line in text.splitlines()]
