"""CSV and TSV text into rows of equal width, with the row number of whatever is broken."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

from .errors import DataError

logger = logging.getLogger(__name__)

Rows = list[list[str]]
OpenText = Callable[[str | None], TextIO]
"""Opens a text from its beginning; the argument is `newline` as for `open`."""


class Problem(NamedTuple):
    """What is wrong with a row.

    Attributes:
        row: The row's number, counting the header and blank rows.
        line: The line of the file on which the row starts; a quoted cell can hold line breaks.
        korean: What was found, in Korean.
        english: The same in English.
    """

    row: int
    line: int
    korean: str
    english: str


class Layout(NamedTuple):
    """How the rows of a text are told apart.

    Attributes:
        delimiter: The character between cells.
        quoted: Whether quotation marks enclose cells.
        width: Cells of a row.
    """

    delimiter: str
    quoted: bool
    width: int


class _Scan(NamedTuple):
    """What one reading of a whole text found."""

    layout: Layout
    problem: Problem | None
    swallowed_lines: bool


def is_blank(row: list[str]) -> bool:
    """Tells whether every cell of a row is empty or white space."""
    return not any(cell.strip() for cell in row)


def pick_delimiter(text: str, suffix: str) -> str:
    r"""Returns the delimiter of a file: what its suffix says, unless its first line says otherwise.

    >>> pick_delimiter("ID;Label;Text\n1;5;좋아", ".csv")
    ';'
    """
    first_line = text.lstrip().split("\n", 1)[0]
    if suffix in (".tsv", ".tab"):
        return "\t"
    if suffix == ".txt" and "\t" in first_line:
        return "\t"
    return next((mark for mark in (",", "\t", ";") if mark in first_line), ",")


def parse_delimited(text: str, delimiter: str, source: str, quoted: bool | None = None) -> Rows:
    """Splits a text in memory into rows; see `find_layout`.

    Returns:
        All rows, blank ones as empty cells, so that positions are row numbers minus one.

    Raises:
        DataError: A row is broken or has another number of cells than the header.
    """

    def open_text(newline: str | None) -> TextIO:
        return io.StringIO(text, newline=newline)

    return list(read_rows(open_text, find_layout(open_text, delimiter, source, quoted)))


def find_layout(open_text: OpenText, delimiter: str, source: str, quoted: bool | None = None) -> Layout:
    r"""Reads a delimited text through to find out how its rows are told apart, without keeping them.

    Rows are as wide as the first one that is not blank.

    Quotation marks are read as CSV has them (delimiters and line breaks inside, doubled marks) where
    the whole file is well-formed that way. They are taken literally, with a warning, where it is not,
    provided every single line then has as many cells as the header. In tab-separated files this also goes for a
    well-formed reading that joins lines: one lone quotation mark at the start of a text and another at
    the end of a later one would otherwise swallow the rows between them. A cell that really holds
    line breaks is safe, as its lines have fewer cells than the header. In a file of one column, texts
    may hold the delimiter without quotation marks.

    Args:
        open_text: Opens the decoded file; called once or twice.
        delimiter: The character between cells.
        source: The file's name, for messages.
        quoted: True or False to prescribe one of the two readings (False is pandas' `quoting=3`).

    Raises:
        DataError: A row is broken or has another number of cells than the header.
    """
    if quoted is False:
        return _layout_or_error(_scan_literal(open_text, delimiter), source)
    reading = _scan_quoted(open_text, delimiter)
    suspicious = delimiter == "\t" and reading.swallowed_lines and reading.layout.width > 1
    if quoted is True or (reading.problem is None and not suspicious):
        return _layout_or_error(reading, source)
    literal = _scan_literal(open_text, delimiter)
    if literal.problem is not None:
        return _layout_or_error(reading, source)
    logger.warning(
        "%s: quotation marks do not enclose cells in this file; every line is read as it stands / "
        "따옴표를 글의 일부로 보고 줄 단위로 읽었습니다",
        source,
    )
    return literal.layout


def read_rows(open_text: OpenText, layout: Layout) -> Iterator[list[str]]:
    """Yields the rows of a text, blank ones as empty cells; `find_layout` has found nothing wrong with them."""
    with open_text("" if layout.quoted else None) as handle:
        rows = csv.reader(handle, delimiter=layout.delimiter, strict=True) if layout.quoted else None
        for row in rows or _literal_rows(handle, layout.delimiter):
            yield row if len(row) == layout.width else _fit_row(row, layout.width)


def _scan_quoted(open_text: OpenText, delimiter: str) -> _Scan:
    with open_text("") as handle:
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        scan = _Scanner()
        try:
            for row in reader:
                scan.add(row, reader.line_num)
        except csv.Error as error:
            broken = Problem(
                scan.rows + 1,
                scan.lines + 1,
                f"따옴표가 닫히지 않았거나 잘못 쓰였습니다({error}). "
                "글 안의 따옴표는 두 번 쓰고 칸 전체를 따옴표로 감싸세요",
                f"a quotation mark is not closed or misplaced ({error}). Double quotation marks inside a text "
                "and put the whole cell in quotation marks",
            )
            return _Scan(Layout(delimiter, True, scan.width), broken, swallowed_lines=False)
    return _Scan(Layout(delimiter, True, scan.width), scan.problem, swallowed_lines=scan.lines > scan.rows)


def _scan_literal(open_text: OpenText, delimiter: str) -> _Scan:
    with open_text(None) as handle:
        scan = _Scanner()
        for number, row in enumerate(_literal_rows(handle, delimiter), start=1):
            scan.add(row, number)
    return _Scan(Layout(delimiter, False, scan.width), scan.problem, swallowed_lines=False)


def _literal_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    one_column: bool | None = None  # known from the header on; what is before it is blank
    for line in lines:
        text = line.rstrip("\n")
        if one_column is None and text.strip():
            one_column = delimiter not in text
        yield text.split(delimiter) if one_column is False else [text]


class _Scanner:
    """Finds the width of rows and the first row that does not fit it."""

    def __init__(self) -> None:
        self.width = 0
        self.rows = 0
        self.lines = 0
        self.problem: Problem | None = None

    def add(self, row: list[str], last_line: int) -> None:
        """Looks at the next row, which ends on the line `last_line`."""
        self.rows += 1
        if len(row) != self.width:
            if not self.width and not is_blank(row):
                self.width = len(row)
            elif self.problem is None and self.width and len(_fit_row(row, self.width)) != self.width:
                self.problem = _ragged(self.rows, self.lines + 1, len(row), self.width)
        self.lines = last_line


def _fit_row(row: list[str], width: int) -> list[str]:
    """Gives a blank row the header's width, and cuts off empty cells beyond it."""
    if is_blank(row):
        return [""] * width
    return row[:width] if len(row) > width and is_blank(row[width:]) else row


def _ragged(row: int, line: int, found: int, width: int) -> Problem:
    more = found > width
    fix_korean = "글에 구분자가 들어 있으면 그 칸을 따옴표로 감싸세요" if more else "빠진 칸을 채우거나 행을 지우세요"
    fix = "If the text holds the delimiter, quote that cell" if more else "Fill in the missing cells or delete the row"
    return Problem(
        row,
        line,
        f"열이 {width}개여야 하는데 {found}개입니다. {fix_korean}",
        f"expected {width} columns, found {found}. {fix}",
    )


def _layout_or_error(scan: _Scan, source: str) -> Layout:
    problem = scan.problem
    if problem is None:
        return scan.layout
    same = problem.row == problem.line
    raise DataError(
        f"{source} {problem.row}행{'' if same else f'({problem.line}번째 줄)'}: {problem.korean}.",
        f"{source}, row {problem.row}{'' if same else f' (line {problem.line})'}: {problem.english}.",
    )
