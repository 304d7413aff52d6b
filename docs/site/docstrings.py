"""What our docstrings have that reStructuredText has not: tables of Markdown; and signatures too long to be read."""

from __future__ import annotations

import re
from typing import Any

_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_RULE = re.compile(r"^\s*\|[-|: ]+\|\s*$")
_LONGEST_SIGNATURE = 1_000


def with_tables(lines: list[str]) -> list[str]:
    """Returns the lines of a docstring with each table of Markdown as one of Sphinx.

    >>> with_tables(["| a | b |", "|---|---|", "| 1 | 2 |"])[:3]
    ['', '.. list-table::', '   :header-rows: 1']
    """
    found: list[str] = []
    at = 0
    while at < len(lines):
        if _ROW.match(lines[at]) and at + 1 < len(lines) and _RULE.match(lines[at + 1]):
            rows = [lines[at]]
            at += 2
            while at < len(lines) and _ROW.match(lines[at]):
                rows.append(lines[at])
                at += 1
            found += _table([[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows])
        else:
            found.append(lines[at])
            at += 1
    return found


def _table(rows: list[list[str]]) -> list[str]:
    cells = [f"   {'* -' if not at else '  -'} {cell}" for row in rows for at, cell in enumerate(row)]
    return ["", ".. list-table::", "   :header-rows: 1", "", *cells, ""]


def process_docstring(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Changes a docstring in place, as autodoc asks for."""
    lines[:] = with_tables(lines)


def process_signature(
    _app: Any, what: str, _name: str, _obj: Any, _options: Any, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Returns a short signature in place of one with all arguments of transformers."""
    if what == "class" and signature and len(signature) > _LONGEST_SIGNATURE:
        return "(**arguments)", returns
    return None
