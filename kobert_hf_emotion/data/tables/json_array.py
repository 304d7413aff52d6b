"""JSON documents: an array of objects, alone or as the one such array in an object, or a table laid out otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ...wording import Note
from .delimited import OpenText
from .json_layouts import rows_of
from .json_lines import open_json_lines
from .options import ReadOptions
from .records import add_structures, flat_record, parse_json
from .table import Structure, TableFile, no_rows

if TYPE_CHECKING:
    import pandas as pd


def open_json(
    path: Path, open_text: OpenText, encoding: str, options: ReadOptions, notes: tuple[Note, ...] = ()
) -> TableFile:
    """Reads a file of JSON, whether it is one document or one object a line."""
    if _is_lines(open_text):
        return open_json_lines(path, open_text, encoding, options, notes)
    with open_text("\n") as handle:
        try:
            document = parse_json(handle.read())
        except (ValueError, RecursionError) as error:
            raise _broken(path, str(error)) from None
    records, where, note = _records(path, document)
    rows = [_flat(path, f"{where or 'array'}[{index}]", record) for index, record in enumerate(records)]
    keys = dict.fromkeys(key for row in rows for key in row)
    if not keys:
        raise no_rows(path, [])

    structures: dict[str, Structure] = {}
    for number, row in enumerate(rows, start=1):
        add_structures(structures, row, number)
    frames = partial(_frames, rows, tuple(keys))
    said = (*notes, *note, *_nested(path, keys))
    return TableFile(path, encoding, 1, options, said, frames, structures=tuple(structures.values()))


def _frames(rows: Sequence[dict[str, str]], keys: Sequence[str], size: int | None) -> Iterator[pd.DataFrame]:
    """Yields the rows, so many at a time; a key that a row has not is an empty cell."""
    import pandas as pd

    for start in range(0, len(rows), size or len(rows)):
        chunk = rows[start : start + (size or len(rows))]
        yield pd.DataFrame({key: [row.get(key, "") for row in chunk] for key in keys}, dtype=str)


def _flat(path: Path, place: str, record: Any) -> dict[str, str]:
    if not isinstance(record, dict):
        raise _broken(path, f"{place}: {type(record).__name__}")
    try:
        return flat_record(record)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"{place}: {error}") from None


def _is_lines(open_text: OpenText) -> bool:
    """Whether the first line with content is a whole object and not one that holds the rows."""
    with open_text("\n") as handle:
        first = next((line for line in handle if line.strip()), "").lstrip("\ufeff")
        more = any(line.strip() for line in handle)
    if not first.lstrip().startswith("{"):
        return False
    try:
        record = parse_json(first)
    except (ValueError, RecursionError):
        return False
    return more or not (_arrays(record) or rows_of(record))


def _arrays(record: dict[str, Any]) -> list[str]:
    return [key for key, value in record.items() if isinstance(value, list) and value and isinstance(value[0], dict)]


def _records(path: Path, document: Any) -> tuple[list[Any], str, list[Note]]:
    """Returns the rows of a document, the key they stand under, and what is to be said of how they were found."""
    if isinstance(document, list):
        return document, "", []
    if not isinstance(document, dict):
        raise _broken(path, type(document).__name__)
    arrays = _arrays(document)
    if len(arrays) == 1:
        where = arrays[0]
        korean, english = f"'{where}' 아래의 배열을 행으로 읽습니다.", f"the array '{where}' is read as rows."
        return document[where], where, [Note(f"{path}: {korean}", f"{path}: {english}")]
    if (table := rows_of(document)) is not None:
        return table.rows, "", [Note(f"{path}: {table.korean}", f"{path}: {table.english}")]
    found = ", ".join(arrays or list(document)[:10])
    raise _broken(path, f"{len(arrays)} arrays of objects in the object: {found}")


def _nested(path: Path, keys: dict[str, None]) -> Iterator[Note]:
    nested = [key for key in keys if "." in key]
    if nested:
        shown = ", ".join(nested[:6]) + (", …" if len(nested) > 6 else "")
        yield Note(
            f"{path}: 중첩된 객체를 경로 이름의 열로 폈습니다: {shown}.",
            f"{path}: nested objects became columns named by their path: {shown}.",
        )


def _broken(path: Path, reason: str) -> DataError:
    return DataError(
        f'{path}: [{{"text": "…", "label": "happy"}}, …] 같은 JSON 객체의 배열이어야 합니다({reason}).',
        f'{path}: expected a JSON array of objects such as [{{"text": "…", "label": "happy"}}, …] ({reason}).',
    )
