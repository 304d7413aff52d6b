"""Excel workbooks: one sheet, parsed once, and what is said of cells and sheets that are not read."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ...errors import DataError
from .header import HEAD_ROWS, Row, find_header_row, is_blank, is_known_name, table_below
from .options import ReadOptions
from .source import Source
from .table import Gap, Note, TableFile, cell_text, empty, wrong_format

if TYPE_CHECKING:
    from openpyxl.worksheet._reader import WorkSheetParser

_IN_MEMORY = 1 << 25
_PLACES = 5
_OLE = b"\xd0\xcf\x11\xe0"


class _Sheet(NamedTuple):
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


def open_excel(source: Source, options: ReadOptions) -> TableFile:
    """Reads one sheet of a workbook; its rows go to a temporary file, so that nothing is parsed twice."""
    from openpyxl import load_workbook

    path, data = source.path, source.read() if source.is_packed else None
    with source.open_bytes() as handle:
        if handle.read(4) == _OLE:
            raise _protected(path)
    try:
        with closing(load_workbook(path if data is None else io.BytesIO(data), read_only=True, data_only=True)) as book:
            # Charts are sheets as well, without cells.
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            name = _sheet_name(list(sheets), options.sheet, path)
            sheet = _parse(sheets[name])
            notes = [*source.notes, *_other_sheets(path, sheets, name, sheet.filled, options)]
            _refuse_title_page(path, sheets, name, sheet, options)
    except DataError:
        raise
    except Exception as error:  # a damaged workbook fails in openpyxl in a dozen ways
        if isinstance(error, (MemoryError, RecursionError)):
            raise
        raise wrong_format(path, "Excel (.xlsx)", error) from None
    if not sheet.filled:
        raise _empty_sheet(path, name, list(sheets))
    table = table_below(sheet.rows, path, None, options.with_found(sheet=name), notes)
    return replace(table, gaps=_gaps(sheet, table))


def _parse(page: Any) -> _Sheet:
    """Parses a sheet's XML once, row by row."""
    from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

    formulas: list[tuple[int, int]] = []

    class Parser(WorkSheetParser):  # type: ignore[misc]
        """Notes formulas without a value, which openpyxl gives as empty cells."""

        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            if cell["value"] is None and element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
                assert not element.findtext(VALUE_TAG)
                formulas.append((cell["row"], cell["column"]))
            return cell

    book, spool = page.parent, _Spool()
    with page._get_source() as xml:
        parser: WorkSheetParser = Parser(
            xml,
            page._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            spool.add(number, _row(cells))
        ranges = [] if parser.merged_cells is None else [cells.bounds for cells in parser.merged_cells.mergeCell]
    merged = [
        (row, column)
        for left, top, right, bottom in ranges
        for row in range(top, min(bottom, spool.last) + 1)
        for column in range(left, min(right, spool.width) + 1)
        if (row, column) != (top, left)
    ]
    return _Sheet(spool.rows, spool.filled, formulas, merged)


class _Spool:
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


def _row(cells: Sequence[dict[str, Any]]) -> Row:
    """Returns a row's cells up to the last that is not empty."""
    row: Row = []
    for cell in cells:
        text = cell_text(cell["value"])
        if text:
            row += [""] * (cell["column"] - 1 - len(row)) + [text]
    return row


def _content_width(row: Row) -> int:
    """Returns the number of the last cell that is not white space, as formatting leaves it behind."""
    return max(number for number, cell in enumerate(row, start=1) if cell.strip())


def _sheet_name(names: Sequence[str], sheet: str | int | None, path: Path) -> str:
    if isinstance(sheet, str) and sheet in names:
        return sheet
    position = 0 if sheet is None else sheet
    if isinstance(position, int) and 0 <= position < len(names):
        return names[position]
    found = ", ".join(names)
    raise DataError(
        f"{path.name}: 시트 {sheet!r}가 없습니다. 있는 시트: {found}. `sheet`에 그 이름을 쓰세요.",
        f"{path.name}: there is no sheet {sheet!r}. Sheets: {found}. Pass one of these names as `sheet`.",
        mend={"sheet": names[0]} if names else None,
    )


def _other_sheets(path: Path, sheets: dict[str, Any], name: str, count: int, options: ReadOptions) -> Iterator[Note]:
    others = [other for other in sheets if other != name]
    if others and options.sheet is None:
        listed = ", ".join(f"'{other}'" for other in others[:10]) + (", …" if len(others) > 10 else "")
        yield Note(
            f"{path}: 시트 {len(sheets)}개 중 첫 시트 '{name}'({count:,}행)만 읽습니다. 읽지 않는 시트: {listed}. "
            "`sheet`로 고를 수 있습니다.",
            f"{path}: of {len(sheets)} sheets the first, '{name}' ({count:,} rows), is read. Not read: {listed}. "
            "`sheet` chooses another.",
        )


def _refuse_title_page(path: Path, sheets: dict[str, Any], name: str, sheet: _Sheet, options: ReadOptions) -> None:
    """Raises `DataError` where the first sheet has no usual name of a column and another one has."""
    if options.sheet is not None or options.no_header or options.header_row is not None or len(sheets) == 1:
        return
    if sheet.filled and _has_names(_head(sheet.rows())):
        return
    for other, page in sheets.items():
        if other != name and _has_names(_peek(page)):
            raise DataError(
                f"{path}: 첫 시트 '{name}'에는 글이나 레이블 열로 볼 이름이 없고 시트 '{other}'에는 있습니다. "
                "`sheet`로 시트를 지정하세요.",
                f"{path}: the first sheet, '{name}', has no column that is known by its name, and '{other}' has. "
                "Name the sheet with `sheet`.",
                mend={"sheet": other},
            )


def _head(rows: Iterator[Row]) -> list[Row]:
    return [row for row, _ in zip(rows, range(HEAD_ROWS), strict=False)]


def _peek(page: Any) -> list[Row]:
    page.reset_dimensions()  # some programs write a wrong one
    rows = page.iter_rows(max_row=HEAD_ROWS, values_only=True)
    head = [[cell_text(value) for value in row] for row in rows]
    width = max(map(len, head), default=0)
    return [row + [""] * (width - len(row)) for row in head]


def _has_names(head: list[Row]) -> bool:
    return bool(head) and any(map(is_known_name, head[find_header_row(head) - 1]))


def _gaps(sheet: _Sheet, table: TableFile) -> tuple[Gap, ...]:
    """Returns the cells below the header that look filled in Excel and are not, by column."""
    if not sheet.formulas and not sheet.merged:
        return ()
    from openpyxl.utils import get_column_letter

    names = next(table.frames(1)).columns
    found: list[Gap] = []
    for position, name in enumerate(names, start=1):
        for cause, cells in (("merged", sheet.merged), ("formula", sheet.formulas)):
            rows = sorted(row for row, column in cells if column == position and row >= table.first_row)
            if rows:
                letter = get_column_letter(position)
                places = tuple(f"{letter}{row}" for row in rows[:_PLACES])
                found.append(Gap(name, "merged" if cause == "merged" else "formula", len(rows), places))
    return tuple(found)


def _protected(path: Path) -> DataError:
    return DataError(
        f"{path}: 암호로 보호되었거나 옛 형식(.xls)인 통합 문서입니다. Excel에서 암호 없이 .xlsx로 저장하세요.",
        f"{path}: the workbook is protected by a password, or of the old format .xls. Open it in Excel and save it "
        "as .xlsx without a password.",
    )


def _empty_sheet(path: Path, name: str, names: list[str]) -> DataError:
    others = [other for other in names if other != name]
    if not others:
        return empty(path)
    return DataError(
        f"{path}: 시트 '{name}'이 비어 있습니다. 다른 시트: {', '.join(others)}. `sheet`로 지정하세요.",
        f"{path}: the sheet '{name}' is empty. Other sheets: {', '.join(others)}. Name one with `sheet`.",
        mend={"sheet": others[0]},
    )
