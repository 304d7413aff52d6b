"""Reads one table file, whatever its format and encoding, into a DataFrame of strings."""

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .decoding import decode
from .delimited import is_blank, parse_delimited, pick_delimiter
from .errors import DataError

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (*TEXT_SUFFIXES, ".xlsx", ".xlsm", *JSON_SUFFIXES, ".parquet")

_DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
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
    return bool(suffixes) and (suffixes[-1] in SUFFIXES or (suffixes[-1] in _DECOMPRESSORS and len(suffixes) > 1))


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
        encoding: Encoding of a text file; found out by `decoding.decode` if None.
        sheet: Name or 0-based position of the sheet of an Excel file; the first one if None.
        quoted: Whether quotation marks enclose cells; found out by `delimited.parse_delimited` if None.

    Raises:
        DataError: The file is missing, empty, of another format than its suffix says, or broken.
    """
    path = Path(path)
    suffix, data = _load(path)
    if not data.strip():
        raise _empty(path)
    if suffix in TEXT_SUFFIXES:
        text, used = decode(data, path.name, encoding)
        rows = parse_delimited(text, pick_delimiter(text, suffix), path.name, quoted)
        return _below_header(rows, path, used)
    if suffix in JSON_SUFFIXES:
        text, used = decode(data, path.name, encoding)
        return Table(_read_json_lines(text, path), path, used, first_row=1)
    if suffix == ".parquet":
        return Table(_read_parquet(data, path), path, None, first_row=1)
    return _below_header(_read_excel(data, path, sheet), path, None)


def _load(path: Path) -> tuple[str, bytes]:
    """Returns the suffix that tells the format, and the content without compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    decompress = _DECOMPRESSORS.get(suffixes[-1]) if suffixes else None
    suffix = "".join(suffixes[-2:-1] if decompress else suffixes[-1:])
    _check_path(path, suffix)
    try:
        data = path.read_bytes()
        return suffix, decompress(data) if decompress else data
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{path}: 파일을 읽을 수 없습니다({error}). 손상되었으면 다시 내려받거나 저장하세요.",
            f"{path}: the file cannot be read ({error}). If it is damaged, fetch or save it again.",
        ) from error


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


def _below_header(rows: list[list[str]], path: Path, encoding: str | None) -> Table:
    """Takes the first row that is not blank as the header, and what is below it as data."""
    import pandas as pd

    start = next((index for index, row in enumerate(rows) if not is_blank(row)), None)
    if start is None:
        raise _empty(path)
    end = len(rows)
    while is_blank(rows[end - 1]):
        end -= 1
    names = [_column_name(cell) for cell in rows[start]]
    if end == start + 1:
        raise _no_rows(path, names)
    frame = pd.DataFrame(rows[start + 1 : end], columns=names, dtype=str)
    return Table(frame, path, encoding, first_row=start + 2)


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


def _parse_json_lines(text: str, path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for number, line in enumerate(text.rstrip().split("\n"), start=1):
        try:
            record = json.loads(line) if line.strip() else {}
        except ValueError as error:
            raise _json_error(path, number, line, str(error)) from None
        if not isinstance(record, dict):
            raise _json_error(path, number, line, type(record).__name__)
        records.append(record)
    return records


def _json_error(path: Path, number: int, line: str, reason: str) -> DataError:
    found = line.strip()[:60]
    return DataError(
        f'{path.name} {number}행: {{"text": "…", "label": "happy"}} 같은 JSON 객체여야 하는데 '
        f"{found!r}입니다({reason}). 한 줄에 객체 하나씩 쓰세요.",
        f'{path.name}, row {number}: expected a JSON object such as {{"text": "…", "label": "happy"}}, '
        f"found {found!r} ({reason}). Write one object a line.",
    )


def _read_json_lines(text: str, path: Path) -> pd.DataFrame:
    import pandas as pd

    records = _parse_json_lines(text, path)
    keys = dict.fromkeys(key for record in records for key in record)
    if not keys:
        raise _empty(path)
    columns = {_column_name(key): [_cell(record.get(key)) for record in records] for key in keys}
    if _SURROGATE_ESCAPE.search(text):
        # "\ud83d" alone, half of a cut emoji, is valid JSON but no valid text.
        columns = {key: [_LONE_SURROGATE.sub("\ufffd", cell) for cell in cells] for key, cells in columns.items()}
    return pd.DataFrame(columns, dtype=str)


def _read_parquet(data: bytes, path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise _wrong_format(path, "Parquet", error) from None
    names = [_column_name(name) for name in table.column_names]
    if table.num_rows == 0:
        raise _no_rows(path, names)
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), dtype=str)
    frame.columns = names
    return frame


def _read_excel(data: bytes, path: Path, sheet: str | int | None) -> list[list[str]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise _wrong_format(path, "Excel (.xlsx)", error) from None
    page = book[_sheet_name(book.sheetnames, sheet, path)]
    page.reset_dimensions()  # some programs write a wrong one, and rows would be lost
    rows = [[_cell(value) for value in row] for row in page.iter_rows(values_only=True)]
    book.close()
    return _square(rows)


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


def _square(rows: list[list[str]]) -> list[list[str]]:
    """Gives all rows the width of the widest row with content; a sheet's formatted but empty cells go."""
    width = max((len(row) - _trailing_blanks(row) for row in rows), default=0)
    return [(row + [""] * (width - len(row)))[:width] for row in rows]


def _trailing_blanks(row: Sequence[str]) -> int:
    return next((count for count, cell in enumerate(reversed(row)) if cell.strip()), len(row))


def _wrong_format(path: Path, expected: str, error: Exception) -> DataError:
    return DataError(
        f"{path}: {expected} 파일로 읽히지 않습니다({error}). 확장자가 맞는지 보거나 다시 저장하세요.",
        f"{path}: this does not read as a {expected} file ({error}). Check the suffix or save it again.",
    )
