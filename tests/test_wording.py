"""What is said in two languages, in the source: Korean first, English after it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from paths import ROOT

HANGUL = re.compile("[가-힣]")
FIRST = {"Wording": 0, "Note": 0, "Doubt": 0, "titled": 0, "words": 0, "lines": 0, "counted": 1}
"""Where the Korean words stand among the arguments of what takes both."""


def text_of(node: ast.expr) -> str | None:
    """Returns the text of a string, a pattern's parts without what is put in; None of anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return None


def pairs() -> Iterator[tuple[str, str, str]]:
    """Returns the two texts of each call, and where it is."""
    for path in sorted((ROOT / "kobert_hf_emotion").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = 0 if name.endswith("Error") else FIRST.get(name)
            if first is None or len(node.args) < first + 2:
                continue
            korean, english = (text_of(argument) for argument in node.args[first : first + 2])
            if korean and english:
                yield korean, english, f"{path.name}:{node.lineno}"


def test_korean_comes_before_english() -> None:
    found = list(pairs())
    assert len(found) > 500
    assert [place for korean, english, place in found if HANGUL.search(english) and korean != english] == []
    assert [place for korean, english, place in found if not HANGUL.search(korean) and korean != english] == []
