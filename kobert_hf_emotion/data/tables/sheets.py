"""A sheet of a workbook as whatever parses one gives it, its rows in a temporary file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, Protocol

from .header import Row, is_blank

_IN_MEMORY = 1 << 25


class Sheet(NamedTuple):
    """What parsing a sheet gave.

    Attributes:
        rows: Gives its rows, all of the width of the widest one with content.
        filled: How many rows have content.
        formulas: Cells with a formula whose value was not saved, by row and column from 1.
        merged: Cells of merged ranges but the first of each, which holds the value.
    """

    rows: Callable[[], Iterator[Row]]
    filled: int
    formulas: list[tuple[int, int]]
    merged: list[tuple[int, int]]


class Workbook(Protocol):
    """What parses one."""

    names: list[str]
    """Its sheets with cells."""

    def parse(self, name: str) -> Sheet:
        """Parses a sheet, once."""

    def peek(self, name: str, rows: int) -> list[Row]:
        """Returns the first rows of a sheet, of equal width."""

    def close(self) -> None:
        """Closes the file."""


class Spool:
    """The rows of a sheet in a temporary file.

    Attributes:
        width: Cells of the widest row with content.
        filled: How many rows have content.
        last: The number of the last of them, from 1.
    """

    def __init__(self) -> None:
        self.width = self.filled = self.last = 0
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with its last reader

    def add(self, number: int, row: Row) -> None:
        """Adds the row of a number that is higher than those before; what is between them is blank, as it may be."""
        if is_blank(row):
            return
        self._file.write(b"[]\n" * (number - self.last - 1) + json.dumps(row).encode() + b"\n")
        self.last, self.width, self.filled = number, max(self.width, _content_width(row)), self.filled + 1

    def rows(self) -> Iterator[Row]:
        """Yields all rows, of equal width."""
        # Two readers of one file would move each other's place, so each row is read at its own.
        place = 0
        while True:
            self._file.seek(place)
            lines = self._file.readlines(1 << 16)
            if not lines:
                return
            place = self._file.tell()
            for line in lines:
                row: Row = json.loads(line)
                yield (row + [""] * (self.width - len(row)))[: self.width]


def _content_width(row: Row) -> int:
    """Returns the number of the last cell that is not white space, as formatting leaves it behind."""
    return max(number for number, cell in enumerate(row, start=1) if cell.strip())


def even(rows: list[Row]) -> list[Row]:
    """Returns rows of equal width."""
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]
