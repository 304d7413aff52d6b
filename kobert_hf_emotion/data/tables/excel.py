"""Excel workbooks: one sheet, parsed once, and what is said of cells and sheets that are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ...errors import DataError
from ...utils.file_suffixes import OLD_EXCEL_SUFFIXES
from ...wording import Note
from .header import HEAD_ROWS, Row, find_header_row, is_known_name, table_below
from .old_workbook import OldWorkbook, protected
from .options import ReadOptions
from .sheets import Sheet, Workbook
from .source import Source
from .table import Gap, TableFile, empty, wrong_format
from .xlsx import Xlsx

_PLACES = 5
_OLE = b"\xd0\xcf\x11\xe0"


def open_excel(source: Source, options: ReadOptions) -> TableFile:
    """Reads one sheet of a workbook; its rows go to a temporary file, so that nothing is parsed twice."""
    path = source.path
    try:
        with closing(_open(source)) as book:
            name = _sheet_name(book.names, options.sheet, path)
            sheet = book.parse(name)
            notes = [*source.notes, *_other_sheets(path, book.names, name, sheet.filled, options)]
            _refuse_title_page(path, book, name, sheet, options)
    except DataError:
        raise
    except Exception as error:  # a damaged workbook fails in openpyxl in a dozen ways
        if isinstance(error, (MemoryError, RecursionError)):
            raise
        raise wrong_format(path, f"Excel ({source.suffix})", error) from None
    if not sheet.filled:
        raise _empty_sheet(path, name, book.names)
    table = table_below(sheet.rows, path, None, options.with_found(sheet=name), notes)
    return replace(table, gaps=_gaps(sheet, table))


def _open(source: Source) -> Workbook:
    if source.suffix in OLD_EXCEL_SUFFIXES:
        return OldWorkbook(source)
    with source.open_bytes() as handle:
        if handle.read(4) == _OLE:
            raise protected(source)
    return Xlsx(source)


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


def _other_sheets(path: Path, names: Sequence[str], name: str, count: int, options: ReadOptions) -> Iterator[Note]:
    others = [other for other in names if other != name]
    if others and options.sheet is None:
        listed = ", ".join(f"'{other}'" for other in others[:10]) + (", …" if len(others) > 10 else "")
        yield Note(
            f"{path}: 시트 {len(names)}개 중 첫 시트 '{name}'({count:,}행)만 읽습니다. 읽지 않는 시트: {listed}. "
            "`sheet`로 고를 수 있습니다.",
            f"{path}: of {len(names)} sheets the first, '{name}' ({count:,} rows), is read. Not read: {listed}. "
            "`sheet` chooses another.",
        )


def _refuse_title_page(path: Path, book: Workbook, name: str, sheet: Sheet, options: ReadOptions) -> None:
    """Raises `DataError` where the first sheet has no usual name of a column and another one has."""
    if options.sheet is not None or options.no_header or options.header_row is not None or len(book.names) == 1:
        return
    if sheet.filled and _has_names(_head(sheet.rows())):
        return
    for other in book.names:
        if other != name and _has_names(book.peek(other, HEAD_ROWS)):
            raise DataError(
                f"{path}: 첫 시트 '{name}'에는 글이나 레이블 열로 볼 이름이 없고 시트 '{other}'에는 있습니다. "
                "`sheet`로 시트를 지정하세요.",
                f"{path}: the first sheet, '{name}', has no column that is known by its name, and '{other}' has. "
                "Name the sheet with `sheet`.",
                mend={"sheet": other},
            )


def _head(rows: Iterator[Row]) -> list[Row]:
    return [row for row, _ in zip(rows, range(HEAD_ROWS), strict=False)]


def _has_names(head: list[Row]) -> bool:
    return bool(head) and any(map(is_known_name, head[find_header_row(head) - 1]))


def _gaps(sheet: Sheet, table: TableFile) -> tuple[Gap, ...]:
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


def _empty_sheet(path: Path, name: str, names: list[str]) -> DataError:
    others = [other for other in names if other != name]
    if not others:
        return empty(path)
    return DataError(
        f"{path}: 시트 '{name}'이 비어 있습니다. 다른 시트: {', '.join(others)}. `sheet`로 지정하세요.",
        f"{path}: the sheet '{name}' is empty. Other sheets: {', '.join(others)}. Name one with `sheet`.",
        mend={"sheet": others[0]},
    )
