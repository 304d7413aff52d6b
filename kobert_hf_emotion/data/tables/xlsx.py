"""Workbooks of today, .xlsx and .xlsm, by openpyxl: a sheet's XML is parsed once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .header import Row
from .sheets import Sheet, Spool, even
from .source import Source
from .table import cell_text

if TYPE_CHECKING:
    from openpyxl.worksheet._reader import WorkSheetParser


class Xlsx:
    """A workbook; see `Workbook`."""

    def __init__(self, source: Source) -> None:
        from openpyxl import load_workbook

        data = io.BytesIO(source.read()) if source.is_packed else source.path
        self._book = load_workbook(data, read_only=True, data_only=True)
        # Charts are sheets as well, without cells.
        self._sheets: dict[str, Any] = {sheet.title: sheet for sheet in self._book.worksheets}
        self.names = list(self._sheets)

    def parse(self, name: str) -> Sheet:
        """Parses a sheet, row by row."""
        return _parse(self._sheets[name])

    def peek(self, name: str, rows: int) -> list[Row]:
        """Returns the first rows of a sheet, of equal width."""
        page = self._sheets[name]
        page.reset_dimensions()  # some programs write a wrong one
        return even([[cell_text(value) for value in row] for row in page.iter_rows(max_row=rows, values_only=True)])

    def close(self) -> None:
        """Closes the file."""
        self._book.close()


def _parse(page: Any) -> Sheet:
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

    book, spool = page.parent, Spool()
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
    return Sheet(spool.rows, spool.filled, formulas, merged)


def _row(cells: Sequence[dict[str, Any]]) -> Row:
    """Returns a row's cells up to the last that is not empty."""
    row: Row = []
    for cell in cells:
        text = cell_text(cell["value"])
        if text:
            row += [""] * (cell["column"] - 1 - len(row)) + [text]
    return row
