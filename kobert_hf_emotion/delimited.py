"""CSV and TSV text into rows of equal width, with the row number of whatever is broken."""

from __future__ import annotations

import csv
import io
import logging
from typing import NamedTuple

from .errors import DataError

logger = logging.getLogger(__name__)

Rows = list[list[str]]


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


class Parsed(NamedTuple):
    """Rows as read, and the first problem among them."""

    rows: Rows
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
    r"""Splits delimited text into rows as wide as the first row that is not blank.

    Quotation marks are read as CSV has them (delimiters and line breaks inside, doubled marks) where
    the whole file is well-formed that way. They are taken literally, with a warning, where it is not,
    provided every single line then has as many cells as the header. In tab-separated files this also goes for a
    well-formed reading that joins lines: one lone quotation mark at the start of a text and another at
    the end of a later one would otherwise swallow the rows between them. A cell that really holds
    line breaks is safe, as its lines have fewer cells than the header. In a file of one column, texts
    may hold the delimiter without quotation marks.

    Args:
        text: The decoded file.
        delimiter: The character between cells.
        source: The file's name, for messages.
        quoted: True or False to prescribe one of the two readings (False is pandas' `quoting=3`).

    Returns:
        All rows, blank ones as empty cells, so that positions are row numbers minus one.

    Raises:
        DataError: A row is broken or has another number of cells than the header.
    """
    if quoted is False:
        return _rows_or_error(_parse_literal(text, delimiter), source)
    reading = _parse_quoted(text, delimiter)
    suspicious = delimiter == "\t" and reading.swallowed_lines and len(reading.rows[0]) > 1
    if quoted is True or (reading.problem is None and not suspicious):
        return _rows_or_error(reading, source)
    literal = _parse_literal(text, delimiter)
    if literal.problem is not None:
        return _rows_or_error(reading, source)
    logger.warning(
        "%s: quotation marks do not enclose cells in this file; every line is read as it stands / "
        "따옴표를 글의 일부로 보고 줄 단위로 읽었습니다",
        source,
    )
    return literal.rows


def _parse_quoted(text: str, delimiter: str) -> Parsed:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error as error:
        broken = Problem(
            len(rows) + 1,
            _line_of(rows, len(rows)),
            f"따옴표가 닫히지 않았거나 잘못 쓰였습니다({error}). "
            "글 안의 따옴표는 두 번 쓰고 칸 전체를 따옴표로 감싸세요",
            f"a quotation mark is not closed or misplaced ({error}). Double quotation marks inside a text "
            "and put the whole cell in quotation marks",
        )
        return Parsed(rows, broken, swallowed_lines=False)
    return _fit(rows, swallowed_lines=reader.line_num > len(rows))


def _parse_literal(text: str, delimiter: str) -> Parsed:
    lines = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    header = next((line for line in lines if line.strip()), "")
    if delimiter not in header:
        return _fit([[line] for line in lines], swallowed_lines=False)
    return _fit([line.split(delimiter) for line in lines], swallowed_lines=False)


def _fit(rows: Rows, swallowed_lines: bool) -> Parsed:
    """Gives blank rows the header's width, cuts empty cells off beyond it, and finds the first row that is neither."""
    width = next((len(row) for row in rows if not is_blank(row)), 0)
    fitted = [row if len(row) == width else _fit_row(row, width) for row in rows]
    problem = next((_ragged(fitted, index, width) for index, row in enumerate(fitted) if len(row) != width), None)
    return Parsed(fitted, problem, swallowed_lines)


def _fit_row(row: list[str], width: int) -> list[str]:
    if is_blank(row):
        return [""] * width
    return row[:width] if len(row) > width and is_blank(row[width:]) else row


def _ragged(rows: Rows, index: int, width: int) -> Problem:
    found = len(rows[index])
    more = found > width
    fix_korean = "글에 구분자가 들어 있으면 그 칸을 따옴표로 감싸세요" if more else "빠진 칸을 채우거나 행을 지우세요"
    fix = "If the text holds the delimiter, quote that cell" if more else "Fill in the missing cells or delete the row"
    return Problem(
        index + 1,
        _line_of(rows, index),
        f"열이 {width}개여야 하는데 {found}개입니다. {fix_korean}",
        f"expected {width} columns, found {found}. {fix}",
    )


def _line_of(rows: Rows, index: int) -> int:
    return 1 + index + sum(cell.count("\n") for row in rows[:index] for cell in row)


def _rows_or_error(parsed: Parsed, source: str) -> Rows:
    problem = parsed.problem
    if problem is None:
        return parsed.rows
    same = problem.row == problem.line
    raise DataError(
        f"{source} {problem.row}행{'' if same else f'({problem.line}번째 줄)'}: {problem.korean}.",
        f"{source}, row {problem.row}{'' if same else f' (line {problem.line})'}: {problem.english}.",
    )
