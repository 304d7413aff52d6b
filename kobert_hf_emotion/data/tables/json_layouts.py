"""Tables in one JSON object: columns of values as pandas writes them, or rows under their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .header import is_known_name


class Rows(NamedTuple):
    """The rows of a table, and how they were found, in Korean and in English."""

    rows: list[dict[str, Any]]
    korean: str
    english: str


def rows_of(document: Mapping[str, Any]) -> Rows | None:
    """Returns the rows of a table that an object is, None where it is none or may be one row.

    The layouts are those of pandas' `DataFrame.to_json` (`columns`, its usual one, `index` and `split`) and of
    `to_dict("list")`.

    Example:
        >>> rows_of({"text": {"0": "좋아", "1": "싫어"}, "label": {"0": "기쁨", "1": "분노"}}).rows
        [{'text': '좋아', 'label': '기쁨'}, {'text': '싫어', 'label': '분노'}]
        >>> rows_of({"text": ["좋아", "싫어"]}).rows, rows_of({"text": "좋아", "tags": ["a"]})
        ([{'text': '좋아'}, {'text': '싫어'}], None)
    """
    values = list(document.values())
    if set(document) == {"columns", "index", "data"}:
        return _split(document["columns"], document["data"])
    if values and all(isinstance(value, list) for value in values):
        return _lists(document)
    if values and all(isinstance(value, dict) and value for value in values):
        return _objects(document)
    return None


def _split(columns: Any, data: Any) -> Rows | None:
    is_table = isinstance(columns, list) and isinstance(data, list) and bool(data)
    if not is_table or any(not isinstance(row, list) or len(row) != len(columns) for row in data):
        return None
    rows = [dict(zip(map(str, columns), row, strict=True)) for row in data]
    return Rows(rows, "'data'를 행으로, 'columns'를 열 이름으로 읽습니다.", "'data' is read as rows below 'columns'.")


def _lists(document: Mapping[str, Sequence[Any]]) -> Rows | None:
    """Returns the rows of columns that are lists; one alone may be a row of one, but by a name that is known."""
    sizes = {len(column) for column in document.values()}
    is_plain = not any(isinstance(value, list | dict) for column in document.values() for value in column)
    if len(sizes) != 1 or 0 in sizes or not is_plain or not any(map(is_known_name, document)):
        return None
    rows = [dict(zip(document, row, strict=True)) for row in zip(*document.values(), strict=True)]
    return Rows(rows, "키마다 열 하나로 읽습니다.", "each key is read as a column.")


def _objects(document: Mapping[str, Mapping[str, Any]]) -> Rows | None:
    """Returns the rows of objects with the same keys: columns of numbered values, or rows."""
    values = list(document.values())
    if any(value.keys() != values[0].keys() for value in values):
        return None
    if all(key.isdecimal() for key in values[0]) and not all(key.isdecimal() for key in document):
        rows = [{name: column[key] for name, column in document.items()} for key in values[0]]
        return Rows(rows, "키마다 열 하나로 읽습니다.", "each key is read as a column.")
    if any(map(is_known_name, values[0])):
        return Rows(list(map(dict, values)), "키마다 한 행으로 읽습니다.", "each key is read as a row.")
    return None
