"""Folds as a CSV with a row for each row of the data, written by a run and read by the next one."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..data.column_names import CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.text_keys import text_key
from ..errors import SplitError
from ..utils.files import atomic_write
from .groups import Groups

if TYPE_CHECKING:
    from datasets import Dataset

SPLIT_FILE = "split.csv"


def write_split(
    path: str | os.PathLike[str], dataset: Dataset, folds: Sequence[int], groups: Groups | None = None
) -> None:
    """Writes the fold, from 1, that validates each row, and what `read_split` needs to know the rows again.

    Args:
        path: File to write, atomically, with the columns `file` (where the data has several), `row`, `fold`,
            `group` (where rows stay together) and `text_sha256`, of the text as splits compare it.
        dataset: The rows.
        folds: The fold of each row.
        groups: The group of each row.
    """
    names = [name for name in ("file", "row") if name in dataset.column_names]
    columns = {name: list(map(str, dataset[name][:])) for name in names}
    columns.setdefault("row", [str(number) for number in range(1, len(dataset) + 1)])
    columns["fold"] = [str(fold) for fold in folds]
    if groups is not None:
        columns["group"] = [str(group) for group in groups]
    columns["text_sha256"] = _text_hashes(dataset)
    with atomic_write(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def read_split(path: str | os.PathLike[str], dataset: Dataset) -> list[int]:
    """Reads the fold, from 1, of each row of a data set.

    Args:
        path: A CSV with the columns `row` (its number in the data file, as in `oof_predictions.csv`; without such
            a column in the data the position, from 1) and `fold`; `file` where the data has several; and, if it is
            there, `text_sha256`, which must be that of the row's text. Other columns are not read.
        dataset: The rows.

    Raises:
        SplitError: The file cannot be read, or its rows are not those of the data.
    """
    rows = _read(path)
    named = rows[0][1]
    several = "file" in dataset.column_names and "file" in named
    files = list(dataset["file"][:]) if several else [""] * len(dataset)
    numbers = list(dataset["row"][:]) if "row" in dataset.column_names else range(1, len(dataset) + 1)
    lines = _lines_by_row(path, rows, several)
    hashes = _text_hashes(dataset) if "text_sha256" in named else None
    folds = []
    for index, key in enumerate(zip(files, map(str, numbers), strict=True)):
        place = f"{key[0]} row {key[1]}".strip()
        if key not in lines:
            raise _unfit(path, f"데이터의 {place}이(가) 없음", f"{place} of the data is missing")
        line, row = lines.pop(key)
        if not row["fold"].strip().isdecimal():
            raise _unfit(path, f"{line}행: fold {row['fold']!r}", f"line {line}: fold {row['fold']!r} is no number")
        if hashes is not None and row["text_sha256"] != hashes[index]:
            raise _unfit(path, f"{line}행: {place}의 글이 다름", f"line {line}: {place} has another text")
        folds.append(int(row["fold"]))
    if lines:
        line, row = next(iter(lines.values()))
        korean = f"{line}행: row {row['row']}이(가) 데이터에 없음 (모두 {len(lines):,}행)"
        raise _unfit(path, korean, f"line {line}: row {row['row']} is not in the data ({len(lines):,} such lines)")
    return folds


def _lines_by_row(
    path: str | os.PathLike[str], rows: Sequence[tuple[int, dict[str, str]]], several: bool
) -> dict[tuple[str, str], tuple[int, dict[str, str]]]:
    """Returns each line of a split, with its number, by the file and the row that it is about."""
    lines: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
    for line, row in rows:
        key = (row["file"] if several else "", row["row"].strip())
        if key in lines:
            raise _unfit(path, f"{line}행: row {key[1]}이(가) 두 번", f"line {line}: row {key[1]} comes twice")
        lines[key] = (line, row)
    return lines


def _read(path: str | os.PathLike[str]) -> list[tuple[int, dict[str, str]]]:
    """Returns the rows of a split, each with the number of its line: empty ones are none, but are counted."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True, restval="")
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unfit(path, f"읽을 수 없음({error})", f"it cannot be read ({error})") from error
    named = [name for name in rows[0][1] if name is not None] if rows else []  # None is what has no column
    missing = [name for name in ("row", "fold") if name not in named]
    if missing:
        found = ", ".join(named) or "-"
        raise _unfit(path, f"열 {missing}이(가) 없음; 있는 열: {found}", f"no column {missing}, found: {found}")
    return rows


def _text_hashes(dataset: Dataset) -> list[str]:
    """Returns for each row 16 hex digits of the SHA-256 of its `text_key`."""
    texts = dataset[TEXT_COLUMN][:]
    # The turns before a line are other rows' texts: a line is the same with them and without.
    has_pairs = TEXT_PAIR_COLUMN in dataset.column_names and CONVERSATION_COLUMN not in dataset.column_names
    pairs = dataset[TEXT_PAIR_COLUMN][:] if has_pairs else [None] * len(texts)
    return [
        hashlib.sha256(text_key(text, pair).encode()).hexdigest()[:16] for text, pair in zip(texts, pairs, strict=True)
    ]


def _unfit(path: str | os.PathLike[str], korean: str, english: str) -> SplitError:
    return SplitError(
        f"분할 파일 {path}은(는) 이 데이터의 것이 아닙니다: {korean}. 같은 데이터로 만든 {SPLIT_FILE}을 쓰거나 "
        "`split`을 빼세요.",
        f"The split {path} is not one of this data: {english}. Use a {SPLIT_FILE} that was made with the same data, or "
        "leave `split` out.",
        mend={"split": None},
    )
