"""Tables whose first row is data: told by what stands where column names should stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError, Setting
from ...labels import fold_name, label_aliases
from ..known_columns import short_name
from .header import is_known_name

if TYPE_CHECKING:
    import pandas as pd

    from .table import Table

_SAMPLE = 1000
_SENTENCE = re.compile(r"[.!?…~,]\s*$|[ㄱ-ㅎㅏ-ㅣ]{2,}|[\U0001f300-\U0001faff\u2600-\u27bf]")
_PLAIN_NAME = re.compile(r"[A-Za-z][\w.()/#-]*( [\w.()/#-]+){0,2}")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


def refuse_headerless(table: Table, named: Sequence[str], require_labels: bool) -> None:
    """Raises `DataError` where the first row seems to be data and no column that was named is in it.

    Args:
        table: The table.
        named: Columns that the user named.
        require_labels: Whether a column of labels is wanted.
    """
    names = list(table.frame.columns)
    if _is_settled(table, named):
        return
    frame = table.frame.head(_SAMPLE)
    columns = [[cell for cell in frame.iloc[:, index].tolist() if cell.strip()] for index in range(len(names))]
    text = max(range(len(names)), key=lambda index: _mean_length(columns[index]))
    is_data = _is_sentence(names[text], columns[text]) or any(map(_is_cell, names, columns))
    if not is_data and not _is_line(names, table.path):
        return
    shown = " | ".join(short_name(name) for name in names[:10])
    if table.first_row == 1:  # of JSON, whose columns are keys
        raise DataError(
            f'{table.path}: 키가 열 이름이 아니라 데이터({shown})로 보입니다. [{{"text": "…", "label": "happy"}}, …] '
            "같은 배열로 고치세요. 열 이름이면 `text_column`으로 그 이름을 지정하세요.",
            f"{table.path}: expected names of columns as the keys, found what looks like data ({shown}). Write an "
            'array such as [{"text": "…", "label": "happy"}, …]. If these are names, give that of the text as '
            "`text_column`.",
        )
    mend: dict[str, Setting] = {"no_header": True, "header_row": None, "text_column": str(text + 1)}
    if require_labels and (label := _label_column(frame, text)) is not None:
        mend["label_column"] = str(label + 1)
    row = table.first_row - 1
    raise DataError(
        f"{table.path}: {row}행에 열 이름이 있어야 하는데 데이터({shown})로 보입니다. 열 이름이 없는 파일이면 "
        "`no_header`를 쓰고 열을 1부터 세어 지정하세요. 열 이름이면 `text_column`으로 그 이름을 지정하세요.",
        f"{table.path}: expected column names in row {row}, found what looks like data ({shown}). The first row must "
        "hold column names; for a file without them use `no_header` and name columns by their position from 1. If "
        "these are names, give that of the text as `text_column`.",
        mend=mend,
    )


def _is_settled(table: Table, named: Sequence[str]) -> bool:
    """Whether what the first row is need not be guessed: it was said, or it has names that are known."""
    names = list(table.frame.columns)
    if table.options.no_header or (table.encoding is None and table.first_row == 1):
        return True
    return bool(named and set(named) <= set(names)) or any(map(is_known_name, names))


def _is_line(names: Sequence[str], path: Path) -> bool:
    """Whether the name of an only column is a line of text."""
    [first, *others] = names
    return not others and _PLAIN_NAME.fullmatch(first) is None and (" " in first or ".txt" in path.suffixes)


def looks_like_text(cell: str) -> bool:
    """Whether a cell is too much like a sentence to be a column's name."""
    return _SENTENCE.search(cell) is not None or len(cell.split()) > 3 or len(cell) > 40


def _is_sentence(name: str, below: Sequence[str]) -> bool:
    """Whether what stands above the longest texts is one of them."""
    if name in below or looks_like_text(name):
        return True
    # A name is shorter than nearly all that it names; of short texts in Hangul it cannot be told.
    lengths = sorted(map(len, below))
    return bool(lengths) and _PLAIN_NAME.fullmatch(name) is None and len(name) >= lengths[len(lengths) // 10]


def _is_cell(name: str, below: Sequence[str]) -> bool:
    """Whether what stands above other cells is a label, or a number above numbers.

    A label above nothing but numbers is a name: of the column that says with 0 and 1, or with votes, who has it.
    """
    above_numbers = bool(below) and all(map(_NUMBER.fullmatch, map(str.strip, below)))
    return above_numbers if _NUMBER.fullmatch(name) else fold_name(name) in label_aliases() and not above_numbers


def _label_column(frame: pd.DataFrame, text: int) -> int | None:
    """Returns the position of a column of known labels, or of that with the fewest distinct cells if some are equal."""
    known = label_aliases()
    distinct = {index: set(frame.iloc[:, index]) - {""} for index in range(frame.shape[1]) if index != text}
    ranks: dict[int, tuple[bool, int]] = {}
    for index, cells in distinct.items():
        are_labels = all(fold_name(cell) in known for cell in cells)
        if cells and (are_labels or len(cells) <= max(1, len(frame) // 2)):
            ranks[index] = (not are_labels or any(map(str.isdecimal, cells)), len(cells))
    return min(ranks, key=lambda index: ranks[index], default=None)


def _mean_length(cells: Sequence[str]) -> float:
    return sum(map(len, cells)) / len(cells) if cells else 0.0
