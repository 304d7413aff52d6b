"""JSON objects as rows: nested ones flattened, with the path to a value as the column's name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .table import Structure, cell_text, column_name

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(text: str) -> Any:
    """Parses JSON in which no object has a key twice.

    Raises:
        ValueError: It is no JSON, or a key is there twice.
    """
    return json.loads(text, object_pairs_hook=_object)


class Written(str):
    """A list, as the text of a cell."""

    __slots__ = ()


def flat_record(record: Mapping[str, Any]) -> dict[str, str]:
    """Returns an object's cells by the names of their columns; those that were lists are `Written`.

    Raises:
        ValueError: Two values have the same name.

    Example:
        >>> flat_record({"id": 7, "talk": {"text": "좋아", "tags": ["a"]}})
        {'id': '7', 'talk.text': '좋아', 'talk.tags': '["a"]'}
    """
    cells: dict[str, str] = {}
    for path, value in _leaves(record, ""):
        if path in cells:
            raise ValueError(f"two values are called {path!r}")
        # "\ud83d" alone, half of a cut emoji, is valid JSON but no valid text.
        text = _LONE_SURROGATE.sub("\ufffd", cell_text(value))
        cells[path] = Written(text) if isinstance(value, list) else text
    return cells


def add_structures(found: dict[str, Structure], cells: Mapping[str, str], row: int) -> None:
    """Adds the columns in which a row is the first that has a list.

    Args:
        found: Those of the rows before, by the names of their columns.
        cells: The row's, as `flat_record` gives them.
        row: Its number.
    """
    for name, cell in cells.items():
        if type(cell) is Written and name not in found:
            found[name] = Structure(name, row, str(cell))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def _leaves(record: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        path = above + column_name(key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, path + ".")
        else:
            yield path, None if value == {} else value
