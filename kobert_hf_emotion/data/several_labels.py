"""Cells that hold several labels, and tables with a column of 0 and 1 for each label, as lists of labels."""

from __future__ import annotations

import ast
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataError, Setting
from ..labels import fold_name
from .label_parsing import LabelParser, as_cells, is_empty_label, named_labels, names_in

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from .columns import Columns
    from .label_kinds import LabelKind
    from .tables import Table

SEPARATORS = ("|", ";", ",", "\n", "\t", "/", " ")
"""What may stand between the labels of a cell, the surest first. The last two only divide names that are known."""
_SURE = SEPARATORS[:5]
ONE, LIST, NONE, EMPTY = "one", "list", "none", "empty"

_YES = frozenset({"1", "1.0", "true"})
_NO = frozenset({"0", "0.0", "false"})


class Split(NamedTuple):
    """The labels in one cell, as they are written.

    Attributes:
        parts: Each label; none of a cell that is empty, or that says there are none.
        how: What told them apart: a separator, `LIST` (brackets, as JSON and Python write them), `ONE` label alone,
            `NONE` where brackets with nothing in them say that there is no label, `EMPTY` where nothing is said.
    """

    parts: tuple[str, ...]
    how: str


class CellSplitter:
    """Finds the labels in cells, each by itself: whatever of it is a label, is one.

    Args:
        names: The names of the labels, in the order of their ids.

    Example:
        >>> split = CellSplitter(["기쁨", "놀람/당황", "좋음, 편함"]).split
        >>> split("기쁨|놀람/당황"), split("좋음, 편함")
        (Split(parts=('기쁨', '놀람/당황'), how='|'), Split(parts=('좋음, 편함',), how='one'))
        >>> split("0,2"), split('["기쁨"]'), split("nan")
        (Split(parts=('0', '2'), how=','), Split(parts=('기쁨',), how='list'), Split(parts=(), how='empty'))
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.parser = LabelParser(names)

    def split(self, cell: str) -> Split:
        """Returns the labels of a cell; those that are not known are among them, divided as most of the others are."""
        kind = self.parser.parse(cell).kind
        if kind == "empty":
            return Split((), EMPTY)
        if kind != "unknown":
            return Split((cell,), ONE)
        if (listed := _listed(cell)) is not None:
            return listed
        ways = [Split(parts, mark) for mark in SEPARATORS if len(parts := _parts(cell, mark)) > 1]
        ways = [way for way in ways if not self._unknown(way)] or [way for way in ways if way.how in _SURE]
        return min(ways, key=self._unknown, default=Split((cell,), ONE))

    def _unknown(self, way: Split) -> float:
        """Returns the share of parts that are no label."""
        return sum(self.parser.parse(part).id is None for part in way.parts) / len(way.parts)

    def knows(self, way: Split) -> bool:
        """Whether all parts of a cell are labels, or stand for none as "nan" does."""
        return all(self.parser.parse(part).kind != "unknown" for part in way.parts)

    def is_empty(self, way: Split) -> bool:
        """Whether a cell says nothing: not even that there is no label, as empty brackets do."""
        return way.how != NONE and all(self.parser.parse(part).kind == "empty" for part in way.parts)

    def ids(self, way: Split) -> list[int]:
        """Returns the ids of the labels that are known, each once, in their order."""
        return sorted({index for part in way.parts if (index := self.parser.parse(part).id) is not None})


def names_in_cells(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Returns the names of the labels that cells hold, as `names_in` does for cells with one.

    What divides them is the surest separator that is in any cell.

    Args:
        counts: How often each cell is there.

    Example:
        >>> names_in_cells({"놀람|기쁨, 행복": 2, "놀람": 1, "": 1})
        ('기쁨, 행복', '놀람')
    """
    parts: Counter[str] = Counter()
    plain = {}
    for cell, rows in counts.items():
        if (listed := _listed(cell)) is not None:
            parts.update(dict.fromkeys(listed.parts, rows))
        elif not is_empty_label(cell):
            plain[cell] = rows
    mark = next((mark for mark in _SURE if any(mark in cell.strip() for cell in plain)), None)
    for cell, rows in plain.items():
        for part in {cell} if mark is None else set(_parts(cell, mark)):
            parts[part] += rows
    return names_in(parts)


def as_list(names: Sequence[str]) -> str:
    """Returns labels as one cell that reads back as them, whatever is in their names."""
    return json.dumps(list(names), ensure_ascii=False)


def _listed(cell: str) -> Split | None:
    """Returns the elements of a list in JSON or in Python's way of writing it, None where a cell is none."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, list) and all(isinstance(item, (str, int, float)) for item in found):
            return Split(tuple(map(str, found)), LIST if found else NONE)
    return None


def _parts(cell: str, mark: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, cell.split(mark)) if part)


def is_indicator(cells: Sequence[str]) -> bool:
    """Whether the cells of a column are 0 and 1, as of a label that a row has or has not."""
    found = {fold_name(cell) for cell in cells} - {""}
    return bool(found) and found <= _YES | _NO


def check_indicators(path: str | os.PathLike[str], columns: Columns, kind: LabelKind, names: Sequence[str]) -> None:
    """Raises `DataError` where a table has columns for some labels and none for others: no row would have those.

    Args:
        path: The table.
        columns: Those of it; one without a role may be a label's with a slip of the pen in its name.
        kind: What a row's label is.
        names: The labels.
    """
    indicators = kind.columns_mean(columns.for_labels)
    parser = LabelParser(names)
    there = {parser.parse(column).id for column in indicators}
    missing = {index: name for index, name in enumerate(names) if index not in there}
    if not indicators or not missing:
        return
    listed = ", ".join(list(missing.values())[:10]) + (", …" if len(missing) > 10 else "")
    near = {column: parser.nearest(column, missing) for column in columns.unused}
    meant = {column: missing[index] for column, index in near.items() if index is not None}
    advice, english_advice = _advice(meant)
    raise DataError(
        f"{path}: 레이블마다 한 열인데 열이 없는 레이블이 {len(missing)}개입니다: {listed}. 있는 열: "
        f"{', '.join(indicators[:10])}. {advice}",
        f"{path}: there is a column for each label, but none for {len(missing)} of them: {listed}. Columns found: "
        f"{', '.join(indicators[:10])}. {english_advice}",
        mend=_meant_columns(path, columns, kind, names, list(meant)) if meant else {"labels": "auto"},
    )


def _advice(meant: Mapping[str, str]) -> tuple[str, str]:
    """Returns what to do about labels without a column, given those that columns of nearly their names may mean."""
    if not meant:
        return (
            "열을 더하거나 `labels`를 있는 열에 맞추세요.",
            "Add the columns, or name those there are with `labels`.",
        )
    slips = ", ".join(f"{column} → {name}" for column, name in list(meant.items())[:10])
    return (
        f"이름이 닮은 열: {slips}. 열의 이름을 고치거나 `label_map`으로 뜻을 알려 주세요.",
        f"Columns of nearly such a name: {slips}. Rename them, or say what they mean with `label_map`.",
    )


def _meant_columns(
    path: str | os.PathLike[str], columns: Columns, kind: LabelKind, names: Sequence[str], meant: Sequence[str]
) -> dict[str, Setting]:
    """Returns what writes a map of the columns of labels, those among them whose names have a slip of the pen."""
    return {
        **named_labels(names),
        "label_column": as_cells((*columns.of_labels, *meant)),
        "write_label_map": "label_map.csv",
        "label_map": None,
        "task": "soft" if kind.votes else "multi-label",
        "train_file": os.fspath(path),
        "test_file": None,
    }


def indicator_cells(table: Table, columns: Sequence[str]) -> tuple[list[str], list[int]]:
    """Returns for each row of a table the names of the columns that have a 1 as one cell, a JSON list.

    Returns:
        The cells, empty where all columns are, and how many cells of the row are empty beside others that are not.

    Raises:
        DataError: A cell is neither 0, 1, true, false nor empty.
    """
    import numpy as np

    frame: pd.DataFrame = table.frame
    code = {cell: _indicated(cell) for name in columns for cell in frame[name].unique().tolist()}
    matrix = np.stack([frame[name].map(code).to_numpy(dtype=np.int8) for name in columns], axis=1)
    if (matrix == -2).any():
        raise _no_indicator(table, columns, matrix)
    blanks = (matrix == -1).sum(axis=1)
    listed: dict[bytes, str] = {}
    cells = []
    for row in matrix:
        key = row.tobytes()
        if key not in listed:
            chosen = [name for name, value in zip(columns, row.tolist(), strict=True) if value == 1]
            listed[key] = "" if (row == -1).all() else as_list(chosen)
        cells.append(listed[key])
    return cells, np.where(blanks == len(columns), 0, blanks).tolist()


def _indicated(cell: str) -> int:
    """Returns 1 and 0 for a cell that says so, -1 for an empty one and -2 for any other."""
    key = fold_name(cell)
    if key in _YES:
        return 1
    if key in _NO:
        return 0
    return -2 if key else -1


def _no_indicator(table: Table, columns: Sequence[str], matrix: NDArray[np.integer]) -> DataError:
    """Returns the error of a table with cells, -2 in the matrix, that are neither 0 nor 1."""
    import numpy as np

    row, column = map(int, np.argwhere(matrix == -2)[0])
    place, name, found = table.first_row + row, columns[column], table.frame[columns[column]].iloc[row]
    count = int((matrix == -2).sum())
    return DataError(
        f"{table.path}: 레이블마다 한 열인 파일의 칸은 0이나 1이어야 하는데 {place}행 '{name}' 열은 {found!r}입니다"
        f"(모두 {count:,}칸). 고치거나, 레이블 열이 하나이면 `label_column`으로 지정하세요.",
        f"{table.path}: expected 0 or 1 in the columns of labels, found {found!r} in row {place}, column '{name}' "
        f"({count:,} such cell(s)). Correct them or, where one column holds the labels, name it with "
        "`label_column`.",
        mend={"ignore_labels": True},
    )


def several_ids(cells: Mapping[str, Split], splitter: CellSplitter, empty_is_none: bool) -> dict[str, Any]:
    """Maps each cell to the ids of its labels; None of a row that nobody labelled.

    Args:
        cells: How each distinct cell was divided.
        splitter: What divided them.
        empty_is_none: Whether an empty cell says that a row has none of the labels.
    """
    return {
        cell: None if splitter.is_empty(way) and not empty_is_none else splitter.ids(way) for cell, way in cells.items()
    }
