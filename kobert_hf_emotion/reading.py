"""Reads one table file, whatever its format and encoding, into DataFrames of strings: whole, or in chunks."""

from __future__ import annotations

import bz2
import difflib
import gzip
import io
import json
import lzma
import math
import os
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from .decoding import find_encoding
from .delimited import OpenText, find_layout, is_blank, pick_delimiter, read_rows
from .errors import DataError

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (*TEXT_SUFFIXES, ".xlsx", ".xlsm", *JSON_SUFFIXES, ".parquet")

OpenBytes = Callable[[], IO[bytes]]
_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Table:
    """One table file as read.

    Attributes:
        frame: The rows, every cell a string; the empty string stands for a missing cell and for
            nothing else ("NA" and "null" are texts).
        path: The file.
        encoding: The encoding of a text file, None for Excel and Parquet.
        first_row: The number that a user sees for the first row of `frame`: 2 below a header, 1 in
            JSON Lines and Parquet.
    """

    frame: pd.DataFrame
    path: Path
    encoding: str | None
    first_row: int


def is_table_path(path: str) -> bool:
    """Whether `path` names a file by the suffix of a format that can be read, compressed or not."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes[-2:]]
    return bool(suffixes) and (suffixes[-1] in SUFFIXES or (suffixes[-1] in _OPENERS and len(suffixes) > 1))


@dataclass(frozen=True)
class TableFile:
    """A table file that has been looked through, and whose rows can be read, as often as needed, in chunks.

    Attributes:
        path: The file.
        encoding: As in `Table`.
        first_row: As in `Table`.
    """

    path: Path
    encoding: str | None
    first_row: int
    _frames: Callable[[int | None], Iterator[pd.DataFrame]]

    def chunks(self, rows: int | None = None) -> Iterator[Table]:
        """Yields the rows in order, at most `rows` at a time (None: all at once); `first_row` is that of the chunk."""
        first_row = self.first_row
        for frame in self._frames(rows):
            yield Table(frame, self.path, self.encoding, first_row)
            first_row += len(frame)


def read_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    sheet: str | int | None = None,
    quoted: bool | None = None,
) -> Table:
    """Reads a CSV, TSV, TXT, XLSX, JSON Lines or Parquet file, by its suffix.

    Any of them can be compressed (`.csv.gz`, `.tsv.xz`, `.jsonl.bz2`). Blank rows stay in, so that
    row numbers can be told.

    Args:
        path: The file.
        encoding: Encoding of a text file; found out by `decoding.find_encoding` if None.
        sheet: Name or 0-based position of the sheet of an Excel file; the first one if None.
        quoted: Whether quotation marks enclose cells; found out by `delimited.find_layout` if None.

    Raises:
        DataError: The file is missing, empty, of another format than its suffix says, or broken.
    """
    [table] = open_table(path, encoding=encoding, sheet=sheet, quoted=quoted).chunks()
    return table


def open_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    sheet: str | int | None = None,
    quoted: bool | None = None,
) -> TableFile:
    """Looks a table file through without keeping its rows, so that whatever is broken in it is known beforehand.

    What is held in memory is a chunk at a time, with three exceptions: the texts that an Excel file shares between
    its cells, a compressed Excel or Parquet file, and a text file in an encoding that is hard to find out.

    Args:
        path: As for `read_table`.
        encoding: As for `read_table`.
        sheet: As for `read_table`.
        quoted: As for `read_table`.

    Raises:
        DataError: As for `read_table`.
    """
    path = Path(path)
    suffix, open_bytes = _opener(path)
    _check_content(path, open_bytes)
    if suffix == ".parquet":
        return _open_parquet(path, open_bytes)
    if suffix not in TEXT_SUFFIXES + JSON_SUFFIXES:
        return _open_excel(path, open_bytes, sheet)
    try:
        used = find_encoding(open_bytes, path.name, encoding)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error

    def open_text(newline: str | None) -> TextIO:
        return io.TextIOWrapper(open_bytes(), encoding=used, newline=newline)

    if suffix in JSON_SUFFIXES:
        return _open_json_lines(path, open_text, used)
    layout = find_layout(open_text, pick_delimiter(_first_line(open_text), suffix), path.name, quoted)
    return _below_header(lambda: read_rows(open_text, layout), path, used)


_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError)


def _opener(path: Path) -> tuple[str, OpenBytes]:
    """Returns the suffix that tells the format, and what opens the content without compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes[-1] if suffixes and suffixes[-1] in _OPENERS else None
    suffix = "".join(suffixes[-2:-1] if compression else suffixes[-1:])
    _check_path(path, suffix)
    if compression is None:
        return suffix, lambda: path.open("rb")
    return suffix, lambda: cast("IO[bytes]", _OPENERS[compression](path))


def _check_content(path: Path, open_bytes: OpenBytes) -> None:
    """Raises `DataError` where a file cannot be read or holds nothing but white space."""
    try:
        with open_bytes() as handle:
            while block := handle.read(1 << 16):
                if block.strip():
                    return
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    raise _empty(path)


def _unreadable(path: Path, error: BaseException) -> DataError:
    return DataError(
        f"{path}: 파일을 읽을 수 없습니다({error}). 손상되었으면 다시 내려받거나 저장하세요.",
        f"{path}: the file cannot be read ({error}). If it is damaged, fetch or save it again.",
    )


def _read_bytes(path: Path, open_bytes: OpenBytes) -> bytes:
    try:
        with open_bytes() as handle:
            return handle.read()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _first_line(open_text: OpenText) -> str:
    """Returns the first line that is not blank."""
    with open_text("\n") as handle:
        return next((line for line in handle if line.strip()), "")


def _check_path(path: Path, suffix: str) -> None:
    if path.is_dir():
        raise DataError(
            f"{path}: 파일이 아니라 폴더입니다. 폴더 안의 데이터 파일을 지정하세요.",
            f"{path}: this is a folder. Name the data file in it.",
        )
    if not path.exists():
        near = _nearest_file(path)
        raise DataError(
            f"{path}: 파일이 없습니다." + (f" 혹시 {near}인가요?" if near else " 경로를 확인하세요."),
            f"{path}: there is no such file." + (f" Did you mean {near}?" if near else " Check the path."),
        )
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise DataError(
            f"{path}: '{suffix}' 형식은 읽지 못합니다. 읽을 수 있는 형식: {known}. CSV나 XLSX로 저장하세요.",
            f"{path}: files ending in '{suffix}' are not read. Known: {known}. Save it as CSV or XLSX.",
        )


def _nearest_file(path: Path) -> str | None:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.7)
    return str(path.parent / near[0]) if near else None


def _empty(path: Path) -> DataError:
    return DataError(
        f"{path}: 빈 파일입니다. 첫 행에 열 이름이 있고 그 아래에 데이터가 있어야 합니다.",
        f"{path}: the file is empty. Expected column names in the first row and data below.",
    )


def _no_rows(path: Path, columns: Sequence[str]) -> DataError:
    return DataError(
        f"{path}: 열 이름({', '.join(columns)})만 있고 데이터 행이 없습니다. 데이터를 한 행 이상 넣으세요.",
        f"{path}: there are column names ({', '.join(columns)}) but no rows of data. Add at least one row.",
    )


def _below_header(open_rows: Callable[[], Iterator[list[str]]], path: Path, encoding: str | None) -> TableFile:
    """Takes the first row that is not blank as the header, and what is below it as data."""
    header, start, end = None, 0, 0
    for number, row in enumerate(open_rows(), start=1):
        if not is_blank(row):
            end = number
            if header is None:
                header, start = row, number
    if header is None:
        raise _empty(path)
    names = [_column_name(cell) for cell in header]
    if end == start:
        raise _no_rows(path, names)

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        import pandas as pd

        rows = islice(open_rows(), start, end)
        while chunk := list(islice(rows, size)):
            yield pd.DataFrame(chunk, columns=names, dtype=str)

    return TableFile(path, encoding, start + 1, frames)


def _column_name(name: object) -> str:
    return unicodedata.normalize("NFC", str(name)).strip().lstrip("\ufeff")


def _cell(value: Any) -> str:
    """Writes a typed cell as text: a missing one as "", 3.0 as "3", a list or an object as JSON."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _json_records(open_text: OpenText, path: Path) -> Iterator[dict[str, Any]]:
    """Yields the object of each line, an empty one for a blank line."""
    with open_text("\n") as handle:
        for number, line in enumerate(handle, start=1):
            try:
                record = json.loads(line) if line.strip() else {}
            except ValueError as error:
                raise _json_error(path, number, line, str(error)) from None
            if not isinstance(record, dict):
                raise _json_error(path, number, line, type(record).__name__)
            cells = {_column_name(key): _cell(value) for key, value in record.items()}
            if _SURROGATE_ESCAPE.search(line):
                # "\ud83d" alone, half of a cut emoji, is valid JSON but no valid text.
                cells = {key: _LONE_SURROGATE.sub("\ufffd", cell) for key, cell in cells.items()}
            yield cells


def _json_error(path: Path, number: int, line: str, reason: str) -> DataError:
    found = line.strip()[:60]
    return DataError(
        f'{path.name} {number}행: {{"text": "…", "label": "happy"}} 같은 JSON 객체여야 하는데 '
        f"{found!r}입니다({reason}). 한 줄에 객체 하나씩 쓰세요.",
        f'{path.name}, row {number}: expected a JSON object such as {{"text": "…", "label": "happy"}}, '
        f"found {found!r} ({reason}). Write one object a line.",
    )


def _open_json_lines(path: Path, open_text: OpenText, encoding: str) -> TableFile:
    keys: dict[str, None] = {}
    end = 0
    for number, record in enumerate(_json_records(open_text, path), start=1):
        if record:
            keys.update(dict.fromkeys(record))
            end = number
    if not keys:
        raise _empty(path)

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        import pandas as pd

        records = islice(_json_records(open_text, path), end)
        while chunk := list(islice(records, size)):
            yield pd.DataFrame({key: [record.get(key, "") for record in chunk] for key in keys}, dtype=str)

    return TableFile(path, encoding, 1, frames)


def _open_parquet(path: Path, open_bytes: OpenBytes) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = None if path.suffix.lower() == ".parquet" else _read_bytes(path, open_bytes)  # no seeking in compressed ones

    def open_file() -> Any:
        return pq.ParquetFile(path if data is None else io.BytesIO(data))

    try:
        with open_file() as file:
            names, count = [_column_name(name) for name in file.schema_arrow.names], file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise _wrong_format(path, "Parquet", error) from None
    if count == 0:
        raise _no_rows(path, names)

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        with open_file() as file:
            try:
                for batch in file.iter_batches(batch_size=size or count):
                    yield _string_frame(batch, names)
            except (pa.ArrowInvalid, OSError) as error:
                raise _wrong_format(path, "Parquet", error) from None

    return TableFile(path, None, 1, frames)


def _string_frame(batch: Any, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), dtype=str)
    frame.columns = names
    return frame


def _open_excel(path: Path, open_bytes: OpenBytes, sheet: str | int | None) -> TableFile:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    compressed = path.suffix.lower() in _OPENERS
    source = io.BytesIO(_read_bytes(path, open_bytes)) if compressed else path
    try:
        book = load_workbook(source, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise _wrong_format(path, "Excel (.xlsx)", error) from None
    page = book[_sheet_name(book.sheetnames, sheet, path)]
    page.reset_dimensions()  # some programs write a wrong one, and rows would be lost

    def rows() -> Iterator[list[str]]:
        return ([_cell(value) for value in row] for row in page.iter_rows(values_only=True))

    width = max((len(row) - _trailing_blanks(row) for row in rows()), default=0)
    return _below_header(lambda: _square(rows(), width), path, None)


def _sheet_name(names: Sequence[str], sheet: str | int | None, path: Path) -> str:
    if isinstance(sheet, str) and sheet in names:
        return sheet
    position = 0 if sheet is None else sheet
    if isinstance(position, int) and 0 <= position < len(names):
        return names[position]
    found = ", ".join(names)
    raise DataError(
        f"{path.name}: 시트 {sheet!r}가 없습니다. 있는 시트: {found}. sheet에 그 이름을 쓰세요.",
        f"{path.name}: there is no sheet {sheet!r}. Sheets: {found}. Pass one of these names as `sheet`.",
    )


def _square(rows: Iterable[list[str]], width: int) -> Iterator[list[str]]:
    """Gives all rows the width of the widest row with content; a sheet's formatted but empty cells go."""
    return ((row + [""] * (width - len(row)))[:width] for row in rows)


def _trailing_blanks(row: Sequence[str]) -> int:
    return next((count for count, cell in enumerate(reversed(row)) if cell.strip()), len(row))


def _wrong_format(path: Path, expected: str, error: Exception) -> DataError:
    return DataError(
        f"{path}: {expected} 파일로 읽히지 않습니다({error}). 확장자가 맞는지 보거나 다시 저장하세요.",
        f"{path}: this does not read as a {expected} file ({error}). Check the suffix or save it again.",
    )
