"""Quoted cells over several lines: texts with line breaks, or rows between two lone quotation marks."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ...labels import fold_name, label_aliases

Verdict = Literal["cell", "rows", "unclear"]

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_MOST_VALUES = 64


class Joined(NamedTuple):
    """Lines of a file that quotation marks make one row.

    Attributes:
        row: The row's number.
        line: The number of its first line.
        lines: The lines.
    """

    row: int
    line: int
    lines: tuple[str, ...]


class Columns:
    """What the rows that are one line each hold in their columns, and whether quotation marks are around every cell."""

    def __init__(self, width: int) -> None:
        self.rows = 0
        self._all_quoted = True
        self._header_quoted = False
        self._numbers = [0] * width
        self._values: list[set[str]] = [set() for _ in range(width)]

    @property
    def all_quoted(self) -> bool:
        """Whether marks are around every cell: of the rows, or of the header where there are none."""
        return self._all_quoted if self.rows else self._header_quoted

    def add_header(self, row: Sequence[str], line: str) -> None:
        """Looks at the header and the line it is from."""
        self._header_quoted = line.count('"') >= 2 * len(row)

    def add(self, row: Sequence[str], line: str) -> None:
        """Looks at a row and the line it is from."""
        self.rows += 1
        self._all_quoted = self._all_quoted and line.count('"') >= 2 * len(row)
        for index, cell in enumerate(row):
            cell = cell.strip()  # noqa: PLW2901
            self._numbers[index] += not cell or _NUMBER.fullmatch(cell) is not None
            if len(self._values[index]) < _MOST_VALUES:
                self._values[index].add(cell)

    def fits(self, index: int, cell: str) -> bool | None:
        """Whether a cell is of the kind of its column; None where that cannot be told: texts, or too few rows."""
        cell = cell.strip().strip('"')
        values = self._values[index] - {""}
        if not values:
            return None
        if self._numbers[index] == self.rows:
            return _NUMBER.fullmatch(cell) is not None
        known = {name for name in label_aliases() if not name.isdecimal()}
        if all(fold_name(value) in known for value in values):
            return fold_name(cell) in known
        # One of a few values may be a text by chance; anything else is none of them.
        return False if 3 * len(values) <= self.rows and cell not in values else None


def judge(joined: Joined, columns: Columns, width: int, delimiter: str) -> Verdict:
    """Tells whether the lines of a quoted cell are rows between two lone quotation marks.

    A line is like a row where it has as many cells as the header, and those which would be inside of the quoted cell
    are of the kinds that their columns hold.

    Args:
        joined: The lines.
        columns: What the other rows hold.
        width: Cells of a row.
        delimiter: The character between cells.
    """
    mark = re.escape(delimiter)
    doubled = rf'[^{mark}\n]""[^{mark}\r\n]|(^|{mark})"""(?!")'
    if width < 2 or columns.all_quoted or re.search(doubled, "".join(joined.lines), re.MULTILINE):
        return "cell"  # doubled marks are written by programs that quote
    others, kinds = _kinds([split_line(line, delimiter) for line in joined.lines], columns, width)
    if False not in kinds and kinds.count(True) >= max(others, 1):
        return "rows"
    return "unclear" if kinds and not others and False not in kinds else "cell"


def _kinds(split: Sequence[Sequence[str]], columns: Columns, width: int) -> tuple[int, list[bool | None]]:
    """Returns how many lines are no rows, and of each that may be one whether its cells are of their columns' kinds."""
    last = len(split) - 1
    others, kinds = 0, list[bool | None]()
    for number, cells in enumerate(split):
        if len(cells) != width:
            others += any(cell.strip() for cell in cells)
            continue
        first = _opening(cells) + 1 if number == 0 else 0
        end = _closing(cells) if number == last else width
        if first < end:
            kinds.append(_all([columns.fits(index, cells[index]) for index in range(first, end)]))
    return others, kinds


def _all(fits: Sequence[bool | None]) -> bool | None:
    """Whether all cells that have a kind are of it; None where none has."""
    known = [fit for fit in fits if fit is not None]
    return all(known) if known else None


def split_line(line: str, delimiter: str) -> list[str]:
    """Splits a line as if there were no other."""
    line = line.rstrip("\r\n")
    try:
        [row] = csv.reader([line], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return line.split(delimiter)
    return row


def _opening(cells: Sequence[str]) -> int:
    """Returns which cell of a first line holds the mark that is not closed in it: the last that starts with one."""
    return max((index for index, cell in enumerate(cells) if cell.startswith('"')), default=len(cells) - 1)


def _closing(cells: Sequence[str]) -> int:
    """Returns which cell of a last line holds the mark that closes: the first that ends with one."""
    return next((index for index, cell in enumerate(cells) if cell.endswith('"')), 0)
