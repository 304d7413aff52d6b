"""Which columns of a table hold votes: one for each label, or one for each annotator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import DataError
from ..labels import fold_name
from .label_parsing import LabelParser, is_empty_label
from .vote_cells import is_votes

if TYPE_CHECKING:
    import pandas as pd

    from .tables import Table

VoteRole: TypeAlias = Literal["votes", "annotators"]
_MOST_LABELS = 100
_FEW = 12
"""Different numbers that may be votes in a table however short."""
_PREFIX = re.compile(r"(labels?|votes?|shares?|emotions?|표|레이블|라벨|감정)[._ -](?=.)", re.IGNORECASE)
_KEYS = frozenset({"id", "row", "no", "no.", "num", "numb", "number", "index", "번호", "순번", "fold"})
"""Names of columns that number rows."""


def labels_called(columns: Sequence[str]) -> tuple[str, ...]:
    """Returns the labels that columns are called by, without what may stand before all of them.

    Example:
        >>> labels_called(["votes.기쁨", "votes.슬픔"]), labels_called(["vote_기쁨", "슬픔"])
        (('기쁨', '슬픔'), ('vote_기쁨', '슬픔'))
    """
    found = [_PREFIX.match(name) for name in columns]
    starts = {match[0] for match in found if match is not None}
    if len(starts) != 1 or not all(found):
        return tuple(columns)
    [start] = starts
    return tuple(name[len(start) :] for name in columns)


def named_vote_columns(table: Table, columns: Sequence[str], labels: Sequence[str]) -> tuple[VoteRole, tuple[str, ...]]:
    """Tells what the columns hold that were named: votes for the labels they are called by, or annotators' labels.

    Args:
        table: The table.
        columns: Names of columns of it.
        labels: The names of the labels; empty where they are to be found.
    """
    parser = LabelParser(labels)
    numbers = all(is_votes(table.frame[name].unique().tolist()) for name in columns)
    called = labels_called(columns)
    known = [parser.parse(name).kind in ("name", "id_beside") for name in called]
    # No annotator is called by a label: of numbers one such name is enough, and the others have slips of the pen.
    are_labels = (all(known) or (numbers and any(known))) if labels else numbers
    return ("votes" if are_labels else "annotators"), tuple(columns)


def guess_vote_columns(
    table: Table, head: pd.DataFrame, free: Sequence[str], labels: Sequence[str], has_label_column: bool
) -> tuple[VoteRole, tuple[str, ...]] | None:
    """Finds the columns with votes, None where there are none of which that can be told.

    Of KEMDy's layout those are the annotators' (`Eval01F Emotion`, …). Otherwise the columns called by labels, if two
    or more hold numbers. Where no column is called like one of labels, all columns whose cells are labels (those of
    annotators) or, of labels that are not known, those of small numbers.

    Args:
        table: The table.
        head: Its first rows.
        free: Columns without another role.
        labels: The names of the labels; empty where they are to be found.
        has_label_column: Whether a column is called like one of labels.
    """
    if table.options.layout == "kemdy":
        return _if_several("annotators", [name for name in free if fold_name(name).endswith(" emotion")], fewest=1)
    cells = {name: head[name].unique().tolist() for name in free}
    numeric = [name for name in free if is_votes(cells[name])]
    if called_by_labels(labels, numeric):  # one that holds something else is refused by what reads the votes
        return _if_several("votes", called_by_labels(labels, free))
    if has_label_column:
        return None
    if labels:
        parser = LabelParser(labels)
        return _if_several("annotators", [name for name in free if _are_labels(parser, cells[name])])
    counted = _counted(numeric, head)
    return _if_several("votes", counted) if len(counted) <= _MOST_LABELS else None


def _if_several(role: VoteRole, columns: Sequence[str], fewest: int = 2) -> tuple[VoteRole, tuple[str, ...]] | None:
    return (role, tuple(columns)) if len(columns) >= fewest else None


def may_hold_votes(labels: Sequence[str], name: str, cells: Sequence[str]) -> bool:
    """Whether a column is called by a label or holds labels; where labels are not known, whether it holds votes.

    Args:
        labels: The names of the labels; empty where they are to be found.
        name: What the column is called.
        cells: Its cells.
    """
    if not labels:
        return is_votes(cells)
    parser = LabelParser(labels)
    is_called = any(parser.parse(part).kind in ("name", "id_beside") for part in (name, _PREFIX.sub("", name, count=1)))
    return is_called or _are_labels(parser, cells)


def hold_something(head: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether there are several columns, and not all cells of them are empty."""
    return len(columns) > 1 and any(not is_empty_label(cell) for name in columns for cell in head[name].unique())


def called_by_labels(labels: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Returns the columns that are called by labels, all of them with the same words before or none."""
    parser = LabelParser(labels)
    for some in (columns, [name for name in columns if _PREFIX.match(name)]):
        called = zip(some, labels_called(some), strict=True)
        found = [name for name, label in called if parser.parse(label).kind in ("name", "id_beside")]
        if len(found) > 1:
            return found
    return []


def _are_labels(parser: LabelParser, cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if not is_empty_label(cell)]
    return bool(filled) and all(parser.parse(cell).kind == "name" for cell in filled)


def _counted(columns: Sequence[str], head: pd.DataFrame) -> list[str]:
    """Returns the columns of numbers that may be votes, and number no rows."""
    free = [name for name in columns if fold_name(name) not in _KEYS]
    return [name for name in free if _are_few(head[name].unique().tolist(), len(head))]


def _are_few(cells: Sequence[str], rows: int) -> bool:
    """Whether numbers may be votes or shares: from 0 to 1, or few different ones, not more than half the rows."""
    values = [float(cell.strip().rstrip("%")) for cell in cells if not is_empty_label(cell)]
    return max(values) <= 1 or len(set(values)) <= max(_FEW, rows // 2)


def refuse_no_votes(table: Table, free: Sequence[str], labels: Sequence[str]) -> DataError:
    """Returns the error of a table in which no votes were found.

    Args:
        table: The table.
        free: Columns without another role.
        labels: The names of the labels; empty where they are to be found.
    """
    if (called := called_by_labels(labels, free)) and labels:
        return _no_votes_in(table, called)
    shown = ", ".join(free[:20])
    return DataError(
        f"{table.path}: 표가 있는 열을 찾지 못했습니다. 레이블마다 표나 몫을 적은 열(이름은 레이블), 평가자마다 "
        f"레이블을 적은 열, 또는 목록을 적은 한 열이어야 합니다. 있는 열: {shown}. `label_column`에 쉼표로 나누어 "
        "지정하세요.",
        f"{table.path}: no columns with votes were found: expected one for each label (called by it, with votes or "
        f"shares), one for each annotator (with labels), or one with lists. Columns found: {shown}. Name them with "
        "commas between in `label_column`.",
    )


def _no_votes_in(table: Table, columns: Sequence[str]) -> DataError:
    """Returns the error of columns that are called by labels and hold no votes, with the first cell that is none."""
    wrong = [name for name in columns if not is_votes(table.frame[name].unique().tolist())]
    name = next((name for name in wrong if not table.frame[name].map(is_empty_label).all()), wrong[0])
    cells = table.frame[name].tolist()
    row = next((row for row, cell in enumerate(cells) if not is_empty_label(cell) and not is_votes([cell])), None)
    korean, english = ("빈 칸뿐", "nothing")
    if row is not None:
        korean, english = (
            f"{table.first_row + row}행에 {cells[row]!r}",
            f"{cells[row]!r} in row {table.first_row + row}",
        )
    return DataError(
        f"{table.path}: 이름이 레이블인 '{name}' 열에는 0 이상의 수(표나 몫)가 있어야 하는데 {korean}입니다. 고치거나, "
        "평가자마다 한 열이면 그 열들을 `label_column`에 쉼표로 나누어 지정하세요.",
        f"{table.path}: expected numbers of 0 or more, votes or shares, in the column '{name}', which is called by a "
        f"label; found {english}. Correct it or, where there is a column for each annotator, name these with commas "
        "between in `label_column`.",
        mend={"ignore_labels": True},
    )
