"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError
from ...wording import Note
from .delimited import OpenText
from .options import ReadOptions
from .records import add_structures, flat_record, parse_json
from .table import Structure, TableFile, empty

if TYPE_CHECKING:
    import pandas as pd


def open_json_lines(
    path: Path, open_text: OpenText, encoding: str, options: ReadOptions, notes: tuple[Note, ...] = ()
) -> TableFile:
    """Looks a file with one JSON object a line through."""
    keys: dict[str, None] = {}
    structures: dict[str, Structure] = {}
    end = 0
    for number, record in enumerate(_records(open_text, path), start=1):
        if record:
            keys.update(dict.fromkeys(record))
            add_structures(structures, record, number)
            end = number
    if not keys:
        raise empty(path)

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        import pandas as pd

        records = islice(_records(open_text, path), end)
        while chunk := list(islice(records, size)):
            yield pd.DataFrame({key: [record.get(key, "") for record in chunk] for key in keys}, dtype=str)

    return TableFile(path, encoding, 1, options, notes, frames, structures=tuple(structures.values()))


def _records(open_text: OpenText, path: Path) -> Iterator[dict[str, str]]:
    """Yields the cells of each line, none for a blank line."""
    with open_text("\n") as handle:
        for number, line in enumerate(handle, start=1):
            try:
                record = parse_json(line) if line.strip() else {}
                if not isinstance(record, dict):
                    raise _broken(path, number, line, type(record).__name__)
                cells = flat_record(record)
            except DataError:
                raise
            except (ValueError, RecursionError) as error:
                raise _broken(path, number, line, str(error)) from None
            yield cells


def _broken(path: Path, number: int, line: str, reason: str) -> DataError:
    found = line.strip()[:60]
    return DataError(
        f'{path.name} {number}행: {{"text": "…", "label": "happy"}} 같은 JSON 객체여야 하는데 '
        f"{found!r}입니다({reason}). 한 줄에 객체 하나씩 쓰세요.",
        f'{path.name}, row {number}: expected a JSON object such as {{"text": "…", "label": "happy"}}, '
        f"found {found!r} ({reason}). Write one object a line.",
    )
