"""CSV, TSV and plain text: what stands between cells, where the rows begin, and the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ...errors import DataError
from ...wording import Note
from .delimited import Layout, OpenText, find_layout, read_rows
from .header import HEAD_ROWS, Row, above_note, find_header_row, is_blank, is_known_name, table_below
from .headerless import looks_like_text
from .options import ReadOptions
from .quotation_marks import split_line
from .table import TableFile

_CANDIDATES = (",", "\t", ";", "|")
_DECLARED = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE)
_WRITTEN = {"\t": "tab", "\n": "line"}


class _Beginning(NamedTuple):
    """Where the table in a text begins, and what stands between its cells.

    Attributes:
        delimiter: What stands between cells.
        is_told: Whether the user or the file says so, or no line can be a text by itself.
        skip: Lines above the column names.
        titles: Those of them that are read over as a title or comments.
        first: The first line of the table.
    """

    delimiter: str
    is_told: bool
    skip: int
    titles: list[str]
    first: str


def open_csv(
    path: Path,
    suffix: str,
    open_text: OpenText,
    encoding: str,
    options: ReadOptions,
    notes: tuple[Note, ...] = (),
) -> TableFile:
    """Looks a delimited text file through."""
    with open_text(None) as handle:
        head = [line.rstrip("\n") for line in islice(handle, HEAD_ROWS + (options.header_row or 0))]
    start = _beginning(head, suffix, options)
    try:
        layout = find_layout(open_text, Layout(start.delimiter, skip=start.skip), path.name, options.quoted)
    except DataError as error:
        raise (_maybe_lines(error) if _may_be_lines(error, start, suffix, options) else error) from None
    if start.titles:
        layout = layout.noting(above_note(path, start.skip + 1, start.titles))
    if options.no_header and not start.is_told and start.delimiter != "\n":
        layout = layout.noting(_delimiter_note(path, start.delimiter, layout.width))
    found = options.with_found(
        encoding=encoding, delimiter=_WRITTEN.get(layout.delimiter, layout.delimiter), quoted=layout.quoted
    )
    return table_below(lambda: read_rows(open_text, layout), path, encoding, found, (*notes, *layout.notes))


def _beginning(head: Sequence[str], suffix: str, options: ReadOptions) -> _Beginning:
    """Finds the beginning of the table in the first lines of a file."""
    top = next((number for number, line in enumerate(head) if line.strip()), 0)
    declared = _DECLARED.fullmatch(head[top]) if head else None
    skip = top + 1 if declared else 0
    if options.header_row is not None:
        skip = max(skip, options.header_row - 1)
    below = head[skip:]
    delimiter = options.separator or (declared[1] if declared else _pick(below, suffix, options))
    titles = 0 if options.header_row is not None or options.no_header else _title_lines(below, delimiter)
    return _Beginning(
        delimiter,
        is_told=options.delimiter is not None or declared is not None or options.has_cells,
        skip=skip + titles,
        titles=_filled(below[:titles]),
        first=next(iter(_filled(below[titles:])), ""),
    )


def _filled(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _may_be_lines(error: DataError, start: _Beginning, suffix: str, options: ReadOptions) -> bool:
    """Whether a table that cannot be read may be a file of one text a line."""
    if error.mend or options.has_cells:
        return False
    if start.delimiter == "\n" or any(map(is_known_name, _split(start.first, start.delimiter))):
        return False
    return suffix == ".txt" or looks_like_text(start.first)


def _pick(head: Sequence[str], suffix: str, options: ReadOptions) -> str:
    """Returns the delimiter of a file: what its suffix says, unless its first lines say otherwise."""
    lines = _filled(head)
    if suffix in (".tsv", ".tab") or not lines:
        return "\t"
    if options.no_header:
        even = [mark for mark in ("\t", "|", ";", ",") if _is_even(lines, mark)]
        return even[0] if even else {".txt": "\n"}.get(suffix, ",")
    return "\t" if suffix == ".txt" and "\t" in lines[0] else _pick_by_names(lines)


def _pick_by_names(lines: Sequence[str]) -> str:
    """Returns what stands between the names of columns, in lines that are not blank."""
    first = next((line for line in lines if not line.lstrip("\ufeff ").startswith("#")), lines[0])
    # The line of column names, where it is known by one of them, says best what stands between them; that of the
    # first line, where all lines agree on it, says more than a name further down.
    known = {mark: sum(map(is_known_name, _split(first, mark))) for mark in _CANDIDATES}
    likely = next((mark for mark in _CANDIDATES if mark in first), ",")
    if not any(known.values()) and not _is_even(lines, likely):
        known = {mark: _names_below(lines, mark) for mark in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda mark: (known[mark], first.count(mark)))
    return best if known[best] else likely


def _names_below(lines: Sequence[str], mark: str) -> int:
    """Returns how many known names there are in the line of column names below a title, split at `mark`."""
    titles = _title_lines(lines, mark)
    return sum(map(is_known_name, _split(lines[titles], mark))) if titles else 0


def _is_even(lines: Sequence[str], mark: str) -> bool:
    return mark in lines[0] and len({line.count(mark) for line in lines}) == 1


def _split(line: str, delimiter: str) -> Row:
    return [cell.strip().strip('"') for cell in split_line(line.lstrip("\ufeff"), delimiter)]


def _title_lines(head: Sequence[str], delimiter: str) -> int:
    """Returns how many lines there are above the column names: comments, a title."""
    rows = [_split(line, delimiter) for line in head]
    if all(map(is_blank, rows)):
        return 0
    number = find_header_row(rows) - 1
    first = next(index for index, row in enumerate(rows) if not is_blank(row))
    if number > first:
        after = next((row for row in rows[number + 1 :] if not is_blank(row)), rows[number])
        return number if len(after) == len(rows[number]) else 0  # else it is in a cell of several lines
    # Comments above names that are not known: they are no wider than a title is.
    below = next((index for index in range(first, len(rows)) if not head[index].lstrip("\ufeff ").startswith("#")), 0)
    return below if below > first and max(map(len, rows[first:below])) < len(rows[below]) else 0


def _maybe_lines(error: DataError) -> DataError:
    """Returns an error of rows that do not fit with the way out for a file of one text a line."""
    return DataError(
        f"{error.korean} 열 이름 없이 한 줄에 글 하나씩인 파일이면 `no_header`와 `delimiter` line을 쓰세요.",
        f"{error.english} For a file without column names and with one text a line use `no_header` and `delimiter` "
        "line.",
        mend={"no_header": True, "delimiter": "line", "header_row": None, "text_column": "1"},
    )


def _delimiter_note(path: Path, delimiter: str, width: int) -> Note:
    name = _WRITTEN.get(delimiter, delimiter)
    return Note(
        f"{path}: '{name}'로 나눈 {width}개 열로 읽었습니다. 한 줄이 글 하나이면 `delimiter` line을 쓰세요.",
        f"{path}: read as {width} column(s) separated by '{name}'. If every line is one text, use `delimiter` line.",
    )
