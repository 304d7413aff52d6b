"""Pages that open from the disk: one file, no network, Korean with an English switch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from ..labels import EMOTION_LABELS, EMOTION_LABELS_KO
from . import ASSETS

SHARED_STYLE = "shared.css"
"""Colours, words of an explanation and the switch of languages, for all of these pages."""
_KOREAN = dict(zip(EMOTION_LABELS, EMOTION_LABELS_KO, strict=True))
_SURROGATES = re.compile("[\ud800-\udfff]")
_IN_SCRIPTS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What ends a script, or a line in one, and how JSON says it otherwise."""


def asset(name: str) -> str:
    """Returns the text of a file in `assets`."""
    return (ASSETS / name).read_text(encoding="utf-8")


def fill(template: str, parts: Mapping[str, str]) -> str:
    """Returns a template with parts in the place of `{{NAME}}`; what looks like a place inside a part is none.

    Half characters, which UTF-8 cannot hold, become U+FFFD.

    >>> fill("<p>{{A}}</p>", {"A": "{{B}}"})
    '<p>{{B}}</p>'
    """
    before, *rest = template.split("{{")
    filled = [before]
    for piece in rest:
        name, _, after = piece.partition("}}")
        filled += [parts[name], after]
    return _SURROGATES.sub("\ufffd", "".join(filled))


def both(korean: str, english: str) -> str:
    """Returns a sentence in both languages, of which the page shows one; both are HTML."""
    return f"<span lang=ko>{korean}</span><span lang=en>{english}</span>"


def label_name(label: str) -> str:
    """Returns the name of a label as HTML, in both languages where it is one of the seven emotions."""
    return both(_KOREAN[label], label) if label in _KOREAN else escape(label)


def korean_label(label: str) -> str:
    """Returns the Korean name of one of the seven emotions, and other labels as they are."""
    return _KOREAN.get(label, label)


def script_json(content: Any) -> str:
    r"""Returns JSON that can stand in a `<script>` whatever texts are in it.

    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = re.sub("[<>&\u2028\u2029]", lambda found: _IN_SCRIPTS[found[0]], text)
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
