"""Workbooks of other kinds, .xls, .xlsb and .ods, by calamine (extra `xls`)."""

from __future__ import annotations

import io
from typing import Any

from ...errors import DataError
from .header import Row
from .sheets import Sheet, Spool, even
from .source import Source
from .table import cell_text


class OldWorkbook:
    """A workbook; see `Workbook`. Formulas without a value are not told from empty cells: calamine gives values alone.

    Raises:
        DataError: calamine is not installed, or the file is protected by a password.
    """

    def __init__(self, source: Source) -> None:
        calamine = _require_calamine(source)
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(source.read()))
        except calamine.PasswordError:
            raise protected(source) from None
        kinds = {sheet.name: sheet.typ for sheet in self._book.sheets_metadata}
        self.names = [name for name in self._book.sheet_names if kinds[name] == calamine.SheetTypeEnum.WorkSheet]

    def parse(self, name: str) -> Sheet:
        """Parses a sheet."""
        page, spool = self._book.get_sheet_by_name(name), Spool()
        for number, cells in enumerate(page.to_python(skip_empty_area=False), start=1):
            spool.add(number, _row(cells))
        merged = [
            (row + 1, column + 1)
            for (top, left), (bottom, right) in page.merged_cell_ranges or ()
            for row in range(top, min(bottom + 1, spool.last))
            for column in range(left, min(right + 1, spool.width))
            if (row, column) != (top, left)
        ]
        return Sheet(spool.rows, spool.filled, [], merged)

    def peek(self, name: str, rows: int) -> list[Row]:
        """Returns the first rows of a sheet, of equal width."""
        page = self._book.get_sheet_by_name(name)
        return even([_row(cells) for cells in page.to_python(skip_empty_area=False, nrows=rows)])

    def close(self) -> None:
        """Closes the file."""
        self._book.close()


def protected(source: Source) -> DataError:
    """Returns the error of a workbook with a password, which looks like a .xls whatever it is."""
    path = source.path
    return DataError(
        f"{path}: 암호로 보호된 통합 문서이거나 이름만 .xlsx인 .xls입니다. "
        "암호 없이 저장하거나 이름을 .xls로 바꾸세요.",
        f"{path}: the workbook is protected by a password, or it is a .xls under another name. Save it "
        "without a password, or call it .xls.",
    )


def _row(cells: list[Any]) -> Row:
    row = [cell_text(value) for value in cells]
    while row and not row[-1]:
        row.pop()
    return row


def _require_calamine(source: Source) -> Any:
    try:
        import python_calamine
    except ImportError as error:
        raise DataError(
            f"{source.path}: '{source.suffix}' 통합 문서는 calamine으로 읽는데 설치되어 있지 않습니다. 설치하거나 "
            "Excel에서 'Excel 통합 문서(.xlsx)'로 저장하세요.",
            f"{source.path}: workbooks ending in '{source.suffix}' are read by calamine, which is not installed. "
            "Install it, or save the workbook in Excel as 'Excel Workbook (.xlsx)'.",
            "pip install 'kobert-hf-emotion[xls]'",
        ) from error
    return python_calamine
