"""Which rows must stay in one fold: those of one speaker or dialogue, and those with the same text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import row_place
from ..data.text_keys import duplicate_groups
from ..errors import SplitError

if TYPE_CHECKING:
    from datasets import Dataset

Groups = NDArray[Any]


def row_groups(
    dataset: Dataset,
    group_by: str | None = None,
    group_pattern: str | None = None,
    group_duplicates: bool = True,
) -> Groups | None:
    """Returns the group of each row, or None where every row may go to any fold.

    Rows are connected by an equal value in `group_by` (or an equal match of `group_pattern` in it) and, with
    `group_duplicates`, by an equal text (see `data.text_keys.text_key`; of pairs both texts). A group is all that is
    connected, also by way of other rows. Lines of one `conversation`, whose second texts are turns of it, are always.

    Args:
        dataset: Rows with `text`, and maybe `text_pair`.
        group_by: A column.
        group_pattern: A regular expression to search in the column's values; the group is what its first
            parenthesis matched, or the whole match where it has none.
        group_duplicates: Whether rows with the same text form a group.

    Returns:
        Shape (rows,), or None. The column's own values where nothing else connects rows.

    Raises:
        SplitError: A column is missing, a row has no value in it, or a value does not match the pattern.

    Example:
        >>> from datasets import Dataset
        >>> rows = Dataset.from_dict({"text": ["좋다", "싫다", "좋 다", "그래"], "id": ["A-1", "A-2", "B-1", "C-1"]})
        >>> row_groups(rows, "id", "(.)-").tolist()
        [0, 0, 0, 1]
    """
    if group_pattern is not None and group_by is None:
        raise SplitError(
            "`group_pattern`은 그룹 열이 있어야 쓸 수 있습니다. `group_by`도 주거나 빼세요.",
            "`group_pattern` is searched in a group column: give `group_by` as well, or leave it out.",
            mend={"group_pattern": None},
        )
    keyed = None if group_by is None else _keys(dataset, group_by, group_pattern)
    if {CONVERSATION_COLUMN, TEXT_PAIR_COLUMN} <= set(dataset.column_names):  # its turns stand in other rows too
        told = np.asarray(dataset[CONVERSATION_COLUMN][:])
        keyed = told if keyed is None else connected(keyed, told)
    same_text = _duplicates(dataset) if group_duplicates else None
    if same_text is None or (same_text == np.arange(len(same_text))).all():
        return keyed
    return same_text if keyed is None else connected(keyed, same_text)


def crossing_groups(groups: Sequence[Any] | Groups, folds: Sequence[int]) -> int:
    """Returns how many groups have rows in more than one fold; both arguments have shape (rows,).

    Example:
        >>> crossing_groups(["a", "a", "b", "b"], [1, 2, 2, 2])
        1
    """
    seen: dict[Any, set[int]] = {}
    for group, fold in zip(np.asarray(groups).tolist(), folds, strict=True):
        seen.setdefault(group, set()).add(fold)
    return sum(len(found) > 1 for found in seen.values())


def check_column(dataset: Dataset, name: str) -> None:
    """Raises `SplitError` where the data set has no such column."""
    if name in dataset.column_names:
        return
    found = ", ".join(dataset.column_names)
    raise SplitError(
        f"나눌 데이터에 '{name}' 열이 없습니다. 있는 열: {found}. 그중 하나를 쓰세요.",
        f"The dataset to split has no column '{name}'. Columns found: {found}. "
        "Name one of these, or load the data with that column.",
    )


def check_present(values: Sequence[Any], column: str, below_zero_is_missing: bool = False) -> None:
    """Raises `SplitError` where a row has no value: None, NaN, or with `below_zero_is_missing` a number below 0."""
    missing = [
        index
        for index, value in enumerate(values)
        if value is None or value != value or (below_zero_is_missing and value < 0)  # noqa: PLR0124 - NaN
    ]
    if missing:
        raise SplitError(
            f"'{column}' 열이 빈 행이 {len(missing):,}개입니다(첫 인덱스 {missing[0]}: "
            f"{values[missing[0]]!r}). 채우거나 빼고 나누세요.",
            f"{len(missing):,} row(s) have no '{column}' (the first at index {missing[0]}: {values[missing[0]]!r}); "
            "expected one in every row. Fill them in or leave the rows out.",
        )


def _keys(dataset: Dataset, column: str, pattern: str | None) -> Groups:
    check_column(dataset, column)
    values = list(dataset[column][:])
    check_present(values, column)
    if pattern is None:
        return np.asarray(values)
    expression = _compile(pattern)
    keys = []
    for index, value in enumerate(values):
        found = expression.search(str(value))
        key = None if found is None else found.group(1 if expression.groups else 0)
        if key is None:
            place = row_place(dataset, index)
            raise SplitError(
                f"{place}: '{column}' 열의 값 {value!r}이(가) 그룹 패턴 {pattern!r}과 맞지 않습니다. 패턴이나 값을 "
                "고치세요.",
                f"{place}: the value {value!r} of column '{column}' does not match the group pattern {pattern!r}. "
                "Change the pattern or the value.",
            )
        keys.append(key)
    return np.asarray(keys)


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SplitError(
            f"그룹 패턴 {pattern!r}은(는) 정규 표현식이 아닙니다: {error}",
            f"The group pattern {pattern!r} is no regular expression: {error}. For the session of IDs such as "
            r"S0001-D02-U03 write '^(S\d+)'.",
        ) from error


def _duplicates(dataset: Dataset) -> NDArray[np.int64]:
    check_column(dataset, TEXT_COLUMN)
    pairs = dataset[TEXT_PAIR_COLUMN][:] if TEXT_PAIR_COLUMN in dataset.column_names else None
    return np.asarray(duplicate_groups(dataset[TEXT_COLUMN][:], pairs), dtype=np.int64)


def connected(one: Sequence[Any] | Groups, other: Sequence[Any] | Groups) -> Groups:
    """Joins two ways to group the same rows: rows that either puts together are in one group, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(one))
    start, end = np.concatenate([rows, rows]), np.concatenate([_first_of_group(one), _first_of_group(other)])
    edges = coo_array((np.ones(len(start)), (start, end)), shape=(len(rows), len(rows)))
    groups: Groups = connected_components(edges)[1]  # whichever way the edges point
    return groups


def _first_of_group(groups: Sequence[Any] | Groups) -> NDArray[np.intp]:
    """Returns for each row the first one of its group."""
    _, first, group = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    return first[group]
