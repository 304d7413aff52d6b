"""What is read of a table file, whatever its format: rows of strings, and how they were found."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ...errors import DataError
from ...wording import Note
from .options import ReadOptions

if TYPE_CHECKING:
    import pandas as pd


class Gap(NamedTuple):
    """Cells of a sheet that are read as empty although Excel shows something there.

    Attributes:
        column: Name of the column.
        cause: "merged": the value stands in the first cell of a merged range alone; "formula": no value was saved.
        cells: How many such cells there are.
        places: The first few, as Excel names them.
    """

    column: str
    cause: Literal["merged", "formula"]
    cells: int
    places: tuple[str, ...]


class Structure(NamedTuple):
    """A cell that holds a list, an object or bytes where others of a table hold a text or a number.

    Attributes:
        column: Name of the column.
        row: Its number, as the user sees it.
        cell: What it is, as text.
    """

    column: str
    row: int
    cell: str


@dataclass(frozen=True)
class Table:
    """One table file as read.

    Attributes:
        frame: The rows, every cell a string; the empty string stands for a missing cell and for
            nothing else ("NA" and "null" are texts).
        path: The file.
        encoding: The encoding of a text file, None for Excel and Parquet.
        first_row: The number that a user sees for the first row of `frame`: 2 below a header, 1 in
            JSON Lines and Parquet.
        options: How it was read: what was prescribed, and what was found where nothing was.
        notes: What was assumed, and what is left unread.
        gaps: Cells that look filled in Excel.
        structures: The first cell of each column that holds a list, an object or bytes.
    """

    frame: pd.DataFrame
    path: Path
    encoding: str | None
    first_row: int
    options: ReadOptions = field(default_factory=ReadOptions)
    notes: tuple[Note, ...] = ()
    gaps: tuple[Gap, ...] = ()
    structures: tuple[Structure, ...] = ()


@dataclass(frozen=True)
class TableFile:
    """A table file that has been looked through, and whose rows can be read, as often as needed, in chunks.

    Attributes are those of `Table`.
    """

    path: Path
    encoding: str | None
    first_row: int
    options: ReadOptions
    notes: tuple[Note, ...]
    frames: Callable[[int | None], Iterator[pd.DataFrame]]
    gaps: tuple[Gap, ...] = ()
    structures: tuple[Structure, ...] = ()

    def chunks(self, rows: int | None = None) -> Iterator[Table]:
        """Yields the rows in order, at most `rows` at a time (None: all at once); `first_row` is that of the chunk."""
        first_row = self.first_row
        for frame in self.frames(rows):
            yield Table(
                frame, self.path, self.encoding, first_row, self.options, self.notes, self.gaps, self.structures
            )
            first_row += len(frame)


def column_name(name: object) -> str:
    """Returns a column's name in NFC, without what surrounds it."""
    return unicodedata.normalize("NFC", str(name)).strip().lstrip("\ufeff")


def cell_text(value: Any) -> str:
    """Writes a typed cell as text: a missing one as "", 3.0 as "3", a list or an object as JSON."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def empty(path: Path) -> DataError:
    """Returns the error of a file without content."""
    return DataError(
        f"{path}: 빈 파일입니다. 첫 행에 열 이름이 있고 그 아래에 데이터가 있어야 합니다.",
        f"{path}: the file is empty. Expected column names in the first row and data below.",
    )


def no_rows(path: Path, columns: list[str], *, maybe_data: bool = False) -> DataError:
    """Returns the error of a table with column names alone, which may be data without column names."""
    listed = ", ".join(columns)
    if maybe_data:
        return DataError(
            f"{path}: 한 행({listed})뿐입니다. 열 이름이면 데이터를 한 행 이상 넣고, 데이터이면 `no_header`를 쓰세요.",
            f"{path}: there is one row ({listed}). If these are column names add at least one row; if it is data use "
            "`no_header`.",
            mend={"no_header": True},
        )
    return DataError(
        f"{path}: 열 이름({listed})만 있고 데이터 행이 없습니다. 데이터를 한 행 이상 넣으세요.",
        f"{path}: there are column names ({listed}) but no rows of data. Add at least one row.",
    )


def wrong_format(path: Path, expected: str, error: Exception) -> DataError:
    """Returns the error of a file whose content is not what its suffix says."""
    return DataError(
        f"{path}: {expected} 파일로 읽히지 않습니다({error}). 확장자가 맞는지 보거나 다시 저장하세요.",
        f"{path}: this does not read as a {expected} file ({error}). Check the suffix or save it again.",
    )
