"""CSV and TSV text into rows of equal width, with the row number of whatever is broken."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TextIO

from ...errors import DataError
from ...wording import Note
from .header import is_blank
from .quotation_marks import Columns, Joined, Verdict, judge

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
        delimiter: The character between cells; a line break where every line is one cell.
        quoted: Whether quotation marks enclose cells.
        width: Cells of a row; 0 as long as it is not known.
        skip: Lines at the beginning that are no rows; they count as blank ones.
        spaces: Whether spaces after a delimiter are no part of the cell, as before a quotation mark.
        notes: What was assumed.
    """

    delimiter: str
    quoted: bool = True
    width: int = 0
    skip: int = 0
    spaces: bool = False
    notes: tuple[Note, ...] = ()

    def noting(self, *notes: Note) -> Layout:
        """Returns the layout with more notes."""
        return self._replace(notes=self.notes + notes)


class _Scan(NamedTuple):
    """What one reading of a whole text found.

    Attributes:
        layout: The layout that was tried, with the width of rows.
        problem: The first row that does not fit it.
        suspects: Rows over several lines that may each be a row.
        joins: How many lines are in one row with the line before them.
        has_marks: Whether there are quotation marks in a literal reading.
    """

    layout: Layout
    problem: Problem | None
    suspects: tuple[tuple[Joined, Verdict], ...] = ()
    joins: int = 0
    has_marks: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether all rows fit, and none is likely to be several."""
        return self.problem is None and not self.suspects


def find_layout(open_text: OpenText, start: Layout, source: str, quoted: bool | None = None) -> Layout:
    r"""Reads a delimited text through to find out how its rows are told apart, without keeping them.

    Rows are as wide as the first one that is not blank.

    Quotation marks are read as CSV has them (delimiters and line breaks inside, doubled marks) where
    the whole file is well-formed that way. They are taken literally, with a note, where it is not,
    provided every single line then has as many cells as the header. This also goes for a well-formed reading that
    joins lines which are rows by themselves: one lone quotation mark at the start of a text and another at the end
    of a later one would otherwise swallow the rows between them. Where that cannot be told, or where other rows need
    the marks, it is an error. A cell that really holds line breaks is safe, as its lines are no rows: see
    `quotation_marks.judge`. In a file of one column, texts may hold the delimiter without quotation marks.

    Args:
        open_text: Opens the decoded file; called a few times.
        start: The delimiter and the lines to skip.
        source: The file's name, for messages.
        quoted: True or False to prescribe one of the two readings (False is pandas' `quoting=3`).

    Raises:
        DataError: A row is broken or has another number of cells than the header, or marks may join rows.
    """
    if quoted is False or start.delimiter == "\n":
        return _layout_or_error(_scan_literal(open_text, start), source)
    reading = _scan_quoted(open_text, start)
    if _has_spaced_marks(open_text, start.delimiter):
        spaced = _scan_quoted(open_text, start._replace(spaces=True))
        if spaced.is_sound:
            reading = spaced._replace(layout=spaced.layout.noting(_spaces_note(source)))
    if quoted is True or reading.is_sound:
        layout = _layout_or_error(reading, source)
        is_unsaid = quoted is None and layout.width == 1 and reading.joins
        return layout.noting(_joins_note(source, reading.joins)) if is_unsaid else layout
    return _literal_instead(reading, _scan_literal(open_text, start), source)


def _literal_instead(reading: _Scan, literal: _Scan, source: str) -> Layout:
    """Returns the layout with literal marks, where the other reading is broken, or joins lines that are rows.

    Raises:
        DataError: That cannot be told, or rows do not fit this reading either.
    """
    if reading.problem is None:
        are_rows = literal.layout.delimiter == "\t" or all(verdict == "rows" for _, verdict in reading.suspects)
        if literal.problem is not None or not are_rows:
            raise _swallowed(reading.suspects[0][0], source, literal.problem is None)
    elif literal.problem is not None:
        return _layout_or_error(reading, source)
    return literal.layout.noting(_literal_note(source, literal.has_marks))


def read_rows(open_text: OpenText, layout: Layout) -> Iterator[list[str]]:
    """Yields the rows of a text, blank ones as empty cells; `find_layout` has found nothing wrong with them."""
    with open_text("" if layout.quoted else None) as handle:
        for _ in islice(handle, layout.skip):
            yield [""] * layout.width
        rows = _quoted_rows(handle, layout) if layout.quoted else _literal_rows(handle, layout.delimiter)
        for row in rows:
            yield row if len(row) == layout.width else _fit_row(row, layout.width)


def _quoted_rows(lines: Iterable[str], layout: Layout) -> Any:
    return csv.reader(lines, delimiter=layout.delimiter, strict=True, skipinitialspace=layout.spaces)


def _scan_quoted(open_text: OpenText, start: Layout) -> _Scan:
    scan = _Scanner(start.skip)
    broken: Problem | None = None
    with open_text("") as handle:
        list(islice(handle, start.skip))
        reader = _quoted_rows(handle, start)
        try:
            for row in reader:
                scan.add(row, start.skip + reader.line_num)
        except csv.Error as error:
            broken = Problem(
                scan.rows + 1,
                scan.lines + 1,
                f"따옴표가 닫히지 않았거나 잘못 쓰였습니다({error}). "
                "글 안의 따옴표는 두 번 쓰고 칸 전체를 따옴표로 감싸세요",
                f"a quotation mark is not closed or misplaced ({error}). Double quotation marks inside a text "
                "and put the whole cell in quotation marks",
            )
    layout, joins = start._replace(width=scan.width), scan.lines - scan.rows
    problem = broken or scan.problem
    return _Scan(layout, problem, _suspects(open_text, layout) if joins and problem is None else (), joins)


def _suspects(open_text: OpenText, layout: Layout) -> tuple[tuple[Joined, Verdict], ...]:
    """Returns the rows over several lines of a well-formed text that may be several rows."""
    columns, joined, header = Columns(layout.width), list[Joined](), False
    line, taken = layout.skip, list[str]()
    with open_text("") as handle:
        list(islice(handle, layout.skip))
        for number, row in enumerate(_quoted_rows(_taped(handle, taken), layout), start=layout.skip + 1):
            if len(taken) > 1:
                joined.append(Joined(number, line + 1, tuple(taken)))
            elif header and len(row) == layout.width:
                columns.add(row, taken[0])
            elif not header:
                columns.add_header(row, taken[0])
            header = header or not is_blank(row)
            line += len(taken)
            taken.clear()
    verdicts = ((lines, judge(lines, columns, layout.width, layout.delimiter)) for lines in joined)
    return tuple((lines, verdict) for lines, verdict in verdicts if verdict != "cell")


def _has_spaced_marks(open_text: OpenText, delimiter: str) -> bool:
    """Whether a quotation mark stands behind a delimiter and a space."""
    mark, end = delimiter + ' "', ""
    with open_text("") as handle:
        while block := handle.read(1 << 20):
            if mark in end + block:
                return True
            end = block[-2:]
    return False


def _taped(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    """Yields lines and notes them in `taken`."""
    for line in lines:
        taken.append(line)
        yield line


def _scan_literal(open_text: OpenText, start: Layout) -> _Scan:
    scan = _Scanner(start.skip)
    has_marks = False
    with open_text(None) as handle:
        list(islice(handle, start.skip))
        for number, row in enumerate(_literal_rows(handle, start.delimiter), start=start.skip + 1):
            scan.add(row, number)
            has_marks = has_marks or any('"' in cell for cell in row)
    return _Scan(start._replace(quoted=False, width=scan.width), scan.problem, has_marks=has_marks)


def _literal_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    one_column: bool | None = None  # known from the header on; what is before it is blank
    for line in lines:
        text = line.rstrip("\n")
        if one_column is None and text.strip():
            one_column = delimiter not in text
        yield text.split(delimiter) if one_column is False else [text]


class _Scanner:
    """Finds the width of rows and the first row that does not fit it."""

    def __init__(self, skipped: int) -> None:
        self.width = 0
        self.rows = self.lines = skipped
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


def _swallowed(joined: Joined, source: str, lines_are_whole: bool) -> DataError:
    last = joined.line + len(joined.lines) - 1
    return DataError(
        f"{source} {joined.row}행: 따옴표가 {joined.line}번째 줄에서 열려 {last}번째 줄에서 닫히는데, 그 사이의 줄이 "
        "행처럼 보입니다. 행들이면 그 따옴표를 지우거나 두 번 쓰거나 `quoted`를 끄고, 줄바꿈이 든 한 칸이면 `quoted`를 "
        "켜세요.",
        f"{source}, row {joined.row}: a quotation mark opens on line {joined.line} and closes on line {last}, and the "
        "lines between look like rows. If they are, delete or double these marks, or switch `quoted` off; if they are "
        "one cell with line breaks, switch `quoted` on.",
        mend={"quoted": False} if lines_are_whole else None,
    )


def _literal_note(source: str, has_marks: bool) -> Note:
    if has_marks:
        return Note(
            f"{source}: 따옴표를 글의 일부로 보고 줄 단위로 읽었습니다",
            "quotation marks do not enclose cells in this file; every line is read as it stands",
        )
    return Note(
        f"{source}: 열이 하나이므로 구분자를 글의 일부로 읽었습니다",
        "there is one column; delimiters are read as part of the texts",
    )


def _joins_note(source: str, count: int) -> Note:
    return Note(
        f"{source}: 따옴표 안의 줄바꿈 {count:,}개를 글의 일부로 읽었습니다. 한 줄이 한 글이면 `quoted`를 끄세요",
        f"{count:,} line break(s) inside quotation marks are read as part of texts; if every line is a text, switch "
        "`quoted` off",
    )


def _spaces_note(source: str) -> Note:
    return Note(
        f"{source}: 구분자 뒤, 따옴표 앞의 공백은 칸에 넣지 않았습니다",
        "spaces between a delimiter and a quotation mark are not part of cells",
    )
