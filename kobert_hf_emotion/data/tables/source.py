"""From a path to the bytes of one table: its format by the suffix, without compression or archive around it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from ...errors import DataError
from ...utils.argument_checks import nearest_path
from ...utils.file_suffixes import OTHER_WORKBOOKS, TABLE_SUFFIXES
from ...wording import Note
from .table import empty

OpenBytes = Callable[[], IO[bytes]]
_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)


class Source(NamedTuple):
    """The content of one table.

    Attributes:
        path: The file.
        suffix: What tells the format, in lower case.
        open_bytes: Opens the content without compression.
        is_packed: Whether it is compressed or in an archive, so that there is no seeking in it.
        notes: What in an archive is not read.
    """

    path: Path
    suffix: str
    open_bytes: OpenBytes
    is_packed: bool
    notes: tuple[Note, ...] = ()

    def read(self) -> bytes:
        """Returns the whole content."""
        try:
            with self.open_bytes() as handle:
                return handle.read()
        except UNREADABLE as error:
            raise unreadable(self.path, error) from error


def open_source(path: Path) -> Source:
    """Looks at a path and finds the content of its table.

    Raises:
        DataError: The file is missing, empty, damaged or of a format that is not read.
    """
    _check_path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes[-1] if suffixes and suffixes[-1] in _OPENERS else None
    suffix = "".join(suffixes[-2:-1] if compression else suffixes[-1:])
    if suffix == ".zip" and compression is None:
        source = _open_archive(path)
    elif suffix not in TABLE_SUFFIXES:
        raise _unknown(path, suffix)
    elif compression is None:
        source = Source(path, suffix, lambda: path.open("rb"), is_packed=False)
    else:
        source = Source(path, suffix, lambda: cast("IO[bytes]", _OPENERS[compression](path)), is_packed=True)
    _check_content(source)
    return source


def unreadable(path: Path, error: BaseException) -> DataError:
    """Returns the error of a file that is damaged or not ours to read."""
    if isinstance(error, RuntimeError) and "password" in str(error):
        return DataError(
            f"{path}: 암호가 걸린 압축 파일입니다. 푼 다음 그 안의 파일을 지정하세요.",
            f"{path}: the archive is encrypted. Unpack it and name the file in it.",
        )
    return DataError(
        f"{path}: 파일을 읽을 수 없습니다({error}). 손상되었으면 다시 내려받거나 저장하세요.",
        f"{path}: the file cannot be read ({error}). If it is damaged, fetch or save it again.",
    )


def _open_archive(path: Path) -> Source:
    """Finds the one table of a .zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not _is_clutter(info)]
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    table = _only_table(path, members)
    name, rest = _name(table), [_name(info) for info in members if info is not table]
    notes = [Note(f"{path}: 압축 파일 안의 {name}을(를) 읽습니다.", f"{path}: {name} in the archive is read.")]
    if rest:
        shown = ", ".join(rest[:10])
        notes.append(Note(f"{path}: 읽지 않는 파일: {shown}.", f"{path}: not read: {shown}."))

    def open_member() -> IO[bytes]:
        return zipfile.ZipFile(path).open(table.filename)

    return Source(path, Path(name).suffix.lower(), open_member, is_packed=True, notes=tuple(notes))


def _only_table(path: Path, members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Returns the one member that is a table.

    Raises:
        DataError: There is none, or there are several.
    """
    tables = [info for info in members if Path(_name(info)).suffix.lower() in TABLE_SUFFIXES]
    if len(tables) != 1:
        shown = ", ".join(_name(info) for info in (tables or members)[:10]) or "-"
        found = (f"{len(tables):,}개", f"{len(tables):,}") if tables else ("없습니다", "none")
        raise DataError(
            f"{path}: 압축 파일 안에 표가 하나여야 하는데 {found[0]}: {shown}. 풀고 그 안의 파일을 지정하세요.",
            f"{path}: expected one table in the archive, found {found[1]}: {shown}. Unpack it and name a file.",
        )
    return tables[0]


def _is_clutter(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder or what macOS and Windows leave behind."""
    name = Path(info.filename).name
    return info.is_dir() or info.filename.startswith("__MACOSX/") or name.startswith(".") or name == "Thumbs.db"


def _name(info: zipfile.ZipInfo) -> str:
    """Returns a member's name; Korean Windows writes it in CP949 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("cp949")
    except UnicodeError:
        return info.filename


def _check_content(source: Source) -> None:
    """Raises `DataError` where a file cannot be read or holds nothing but white space."""
    try:
        with source.open_bytes() as handle:
            while block := handle.read(1 << 16):
                if block.strip():
                    return
    except UNREADABLE as error:
        raise unreadable(source.path, error) from error
    raise empty(source.path)


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise DataError(
            f"{path}: 파일이 아니라 폴더입니다. 폴더 안의 데이터 파일을 지정하세요.",
            f"{path}: this is a folder. Name the data file in it.",
        )
    if not path.exists():
        near = nearest_path(path)
        raise DataError(
            f"{path}: 파일이 없습니다." + (f" 혹시 {near}인가요?" if near else " 경로를 확인하세요."),
            f"{path}: there is no such file." + (f" Did you mean {near}?" if near else " Check the path."),
        )


def _unknown(path: Path, suffix: str) -> DataError:
    if suffix in OTHER_WORKBOOKS:
        return DataError(
            f"{path}: '{suffix}' 통합 문서는 읽지 못합니다. Excel에서 '다른 이름으로 저장', 'Excel 통합 문서(.xlsx)'를 "
            "골라 저장하고 그 파일을 지정하세요.",
            f"{path}: workbooks ending in '{suffix}' are not read. Save it in Excel as 'Excel Workbook (.xlsx)' and "
            "name that file.",
        )
    known = ", ".join((*TABLE_SUFFIXES, ".zip"))
    what = f"files ending in '{suffix}'" if suffix else "files without a suffix"
    return DataError(
        f"{path}: '{suffix}' 형식은 읽지 못합니다. 읽을 수 있는 형식: {known}. CSV나 XLSX로 저장하세요.",
        f"{path}: {what} are not read. Known: {known}. Save it as CSV or XLSX.",
    )
