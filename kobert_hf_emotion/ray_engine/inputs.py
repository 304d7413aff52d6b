"""Which files are to be predicted: files, folders and patterns into one list, in an order that does not change."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..utils.argument_checks import nearest_path
from ..utils.file_suffixes import TABLE_SUFFIXES

_PACKED = (".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class InputFile:
    """A file to predict.

    Attributes:
        number: Its number among the files, from 1.
        name: The file as it was named.
        stamp: Its size in bytes and its time of change in nanoseconds: another stamp is another content.
    """

    number: int
    name: str
    stamp: tuple[int, int]

    @property
    def path(self) -> Path:
        """Where it lies, for processes that run in another folder."""
        return Path(self.name).expanduser().absolute()


def find_files(inputs: Sequence[str]) -> list[InputFile]:
    """Returns the files that are named: files themselves, the tables in folders and below, and those of patterns.

    Files are in the order of their names within a folder or a pattern. In folders and patterns, hidden files and what
    is no table by its suffix is left out; a file named by itself is taken whatever it is called. A file that is named
    twice is taken once.

    Args:
        inputs: Files, folders, or patterns with `*`, `?`, `[…]` and `**` for folders at any depth.

    Raises:
        DataError: Nothing is there under a name, or there is no table in a folder or under a pattern.
    """
    found: dict[str, str] = {}
    for word in inputs:
        for name in _files_of(os.path.expanduser(word)):
            found.setdefault(os.path.realpath(name), name)
    return [InputFile(number, name, stamp_of(name)) for number, name in enumerate(found.values(), start=1)]


def stamp_of(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Returns the size of a file in bytes and its time of change in nanoseconds."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def is_table(name: str) -> bool:
    """Whether a file is read as a table, by its name.

    >>> [is_table(name) for name in ("a.csv", "a.jsonl.gz", "a.zip", "a.png", "a.md")]
    [True, True, True, False, False]
    """
    lower = name.lower()
    bare = next((lower.removesuffix(suffix) for suffix in _PACKED if lower.endswith(suffix)), lower)
    return bare.endswith(TABLE_SUFFIXES) or lower.endswith(".zip")


def _files_of(word: str) -> list[str]:
    if os.path.isfile(word):
        return [word]
    if os.path.isdir(word):
        inside = _tables(os.path.join(folder, name) for folder, _, names in os.walk(word) for name in names)
        return inside or _refuse_empty(word)
    if glob.has_magic(word):
        matches = glob.glob(word, recursive=True)
        return _tables(filter(os.path.isfile, matches)) or _refuse_unmatched(word, matches)
    near = nearest_path(word)
    raise DataError(
        f"{word}: 그런 파일이나 폴더가 없습니다." + (f" 혹시 {near}인가요?" if near else " 경로를 확인하세요."),
        f"{word}: there is no such file or folder." + (f" Did you mean {near}?" if near else " Check the path."),
        mend={"inputs": [near]} if near else None,
    )


def _tables(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if is_table(name) and not os.path.basename(name).startswith((".", "_")))


def _refuse_empty(folder: str) -> list[str]:
    raise DataError(
        f"{folder}: 폴더와 그 아래에 읽을 수 있는 표가 없습니다. 읽을 수 있는 형식: {', '.join(TABLE_SUFFIXES)}.",
        f"{folder}: there is no table in this folder or below it. Known: {', '.join(TABLE_SUFFIXES)}.",
    )


def _refuse_unmatched(pattern: str, matches: Sequence[str]) -> list[str]:
    folder = os.path.dirname(pattern) or "."
    raise DataError(
        f"{pattern}: 이 꼴의 이름을 가진 표가 없습니다(맞는 이름 {len(matches):,}개 중 0개).",
        f"{pattern}: no table matches (0 of {len(matches):,} names that do).",
        mend={"inputs": [folder]} if os.path.isdir(folder) and not glob.has_magic(folder) else None,
    )
