"""Votes that a table holds in a column for each label, or in one for each annotator, as one cell a row."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .label_parsing import is_empty_label

if TYPE_CHECKING:
    import pandas as pd

    from .tables import Table

COLUMNS, ANNOTATORS = "columns", "annotators"
_MARK = "\x1f"
"""Stands in a cell that was put together before and behind how it was."""
_PUT_TOGETHER = re.compile(rf"{_MARK}(?P<how>[a-z]+){_MARK}(?P<content>[{{\[].*)")


def put_together(how: str, content: Mapping[str, float] | Sequence[str]) -> str:
    """Returns votes, or the labels that were named, as one cell, which is empty without any.

    Args:
        how: What the votes were taken from, in a word.
        content: The votes of each label, or what each annotator wrote.
    """
    return f"{_MARK}{how}{_MARK}{json.dumps(content)}" if content else ""


def taken_apart(cell: str) -> tuple[str, Any] | None:
    """Returns what a cell was put together from, None where it was not."""
    found = _PUT_TOGETHER.fullmatch(cell)
    return None if found is None else (found["how"], json.loads(found["content"]))


def vote_cells(table: Table, columns: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """Returns for each row of a table the numbers in a column for each label as one cell, and its empty cells.

    Args:
        table: The table.
        columns: The columns.
        labels: The label that each of them is called by.

    Returns:
        The cells, empty where all columns are, and how many cells of the row are empty beside others that are not.

    Raises:
        DataError: A cell is no number of 0 or more.
    """
    frame: pd.DataFrame = table.frame
    numbers = {cell: _number(cell) for name in columns for cell in frame[name].unique().tolist()}
    for name in columns:
        wrong = frame[name].map(lambda cell: math.isnan(numbers[cell]) and not is_empty_label(cell))
        if wrong.any():
            raise _no_number(table, name, frame[name], wrong)
    has_per_cents = any("%" in cell for cell in numbers)
    cells, blanks = [], []
    for number, row in enumerate(frame[list(columns)].itertuples(index=False, name=None), table.first_row):
        if has_per_cents:
            _check_one_unit(table, number, columns, row, numbers)
        filled = {name: numbers[cell] for name, cell in zip(labels, row, strict=True) if not math.isnan(numbers[cell])}
        cells.append(put_together(COLUMNS, filled))
        blanks.append(len(columns) - len(filled) if filled else 0)
    return cells, blanks


def _check_one_unit(
    table: Table, number: int, columns: Sequence[str], row: Sequence[str], numbers: Mapping[str, float]
) -> None:
    """Raises `DataError` where a row has per cents beside other numbers: 50% and 0.5 would be added up as 50.5."""
    some = [(name, cell) for name, cell in zip(columns, row, strict=True) if numbers[cell] > 0]
    with_sign = [place for place in some if "%" in place[1]]
    if with_sign and len(with_sign) < len(some):
        [(one, cell), *_], (other, plain) = with_sign, next(place for place in some if "%" not in place[1])
        raise DataError(
            f"{table.path} {number}행: '{one}' 열은 {cell!r}, '{other}' 열은 {plain!r}입니다. 한 행의 표는 모두 "
            "%이거나 모두 %가 아니어야 합니다. 한 가지로 고치세요.",
            f"{table.path}, row {number}: {cell!r} in column '{one}', {plain!r} in column '{other}'. The votes of a "
            "row must all be per cents, or none of them: correct one or the other.",
            mend={"ignore_labels": True},
        )


def annotator_cells(table: Table, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns for each row of a table the labels in a column for each annotator as one cell, twice.

    Returns:
        The cells, empty where all columns are; and who named what, as a JSON object of names of columns and cells.
    """
    cells, annotations = [], []
    for row in table.frame[list(columns)].itertuples(index=False, name=None):
        filled = {name: cell.strip() for name, cell in zip(columns, row, strict=True) if not is_empty_label(cell)}
        cells.append(put_together(ANNOTATORS, list(filled.values())))
        annotations.append(json.dumps(filled, ensure_ascii=False))
    return cells, annotations


def _number(cell: str) -> float:
    """Returns the number in a cell; nan where there is none of 0 or more."""
    try:
        found = float(cell.strip().rstrip("%"))
    except ValueError:
        return math.nan
    return found if 0 <= found < math.inf else math.nan


def is_votes(cells: Sequence[str]) -> bool:
    """Whether the cells of a column are numbers of 0 or more, or empty."""
    found = {cell for cell in cells if not is_empty_label(cell)}
    return bool(found) and not any(math.isnan(_number(cell)) for cell in found)


def _no_number(table: Table, name: str, cells: pd.Series[Any], wrong: pd.Series[bool]) -> DataError:
    row = int(wrong.to_numpy().argmax())
    return DataError(
        f"{table.path}: 레이블마다 표(또는 몫)를 적은 열에는 0 이상의 수가 있어야 하는데 {table.first_row + row}행 "
        f"'{name}' 열은 {cells.iloc[row]!r}입니다(모두 {int(wrong.sum()):,}칸). 고치거나, 표가 한 열에 있으면 "
        "`label_column`으로 그 열을 지정하세요.",
        f"{table.path}: expected votes or shares, numbers of 0 or more, in the columns of labels, found "
        f"{cells.iloc[row]!r} in row {table.first_row + row}, column '{name}' ({int(wrong.sum()):,} such cell(s)). "
        "Correct them or, where one column holds the votes, name it with `label_column`.",
        mend={"ignore_labels": True},
    )
