"""Several columns of a table that together hold the labels: one of 0 and 1 for each label, or those of votes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import DataError
from ..labels import fold_name
from .column_guesses import GUESS_ROWS, there_twice
from .columns import Wanted
from .known_columns import EMOTION_NAMES, LABEL_NAMES, TEXT_NAMES, column_key, listed, named_like, once_named
from .label_parsing import named_labels
from .several_labels import is_indicator
from .vote_columns import (
    called_by_labels,
    guess_vote_columns,
    hold_something,
    may_hold_votes,
    named_vote_columns,
    refuse_no_votes,
)

if TYPE_CHECKING:
    from .tables import Table


def many_columns(table: Table, wanted: Wanted) -> tuple[str, tuple[str, ...]] | None:
    """Returns the role, and the columns, of a table with several columns for the labels; None where one holds them."""
    if wanted.several:
        return ("indicators", found) if (found := _indicators(table, wanted)) else None
    return _vote_columns(table, wanted) if wanted.votes else None


def _indicators(table: Table, wanted: Wanted) -> tuple[str, ...]:
    """Returns the columns of 0 and 1 that stand for a label each; none where one column holds the labels.

    They are those that are named with commas between them or, where no column is called like one of labels, those
    called by the names of the labels or, of other names, all that hold 0 and 1 alone.
    """
    if wanted.label is not None:
        return _listed_columns(table, wanted.label)
    if _has_label_column(table, wanted):
        return ()
    head = table.frame.head(GUESS_ROWS)
    free = _free_columns(table, wanted)
    found = [name for name in free if is_indicator(head[name].unique().tolist())]
    labels = {fold_name(label) for label in wanted.labels}
    called = [name for name in free if fold_name(name) in labels]
    if not set(called).isdisjoint(found) or hold_something(head, called):
        found = called  # one that holds something else is refused by what reads them
    if found or labels:
        _refuse_twice(table, wanted, lambda name, cells: fold_name(name) in labels if labels else is_indicator(cells))
    return tuple(found) if len(found) > 1 else ()


def _has_label_column(table: Table, wanted: Wanted) -> bool:
    """Whether a column that has no other role is called like one of labels."""
    return not set(named_like(table, LABEL_NAMES + EMOTION_NAMES)) <= set(wanted.named.values())


def _free_columns(table: Table, wanted: Wanted) -> list[str]:
    """Returns the columns of a name of their own, but for those that were named."""
    taken = set(wanted.named.values())
    return [name for name in once_named([str(name) for name in table.frame.columns]) if name not in taken]


def _refuse_twice(table: Table, wanted: Wanted, fits: Callable[[str, Sequence[str]], bool]) -> None:
    """Raises `DataError` where columns of one name fit beside those found: they would be left out, and their labels.

    Args:
        table: The table.
        wanted: What is looked for.
        fits: Whether a column of a name with these cells is looked for.
    """
    names, head = list(table.frame.columns), table.frame.head(GUESS_ROWS)
    for name in dict.fromkeys(names):
        is_free = name and name not in wanted.named.values() and column_key(name) not in TEXT_NAMES
        if is_free and (times := names.count(name)) > 1 and fits(name, head[name].to_numpy().ravel().tolist()):
            raise there_twice(table, name, times)


def _vote_columns(table: Table, wanted: Wanted) -> tuple[str, tuple[str, ...]] | None:
    """Returns the columns of votes, by label or by annotator; None where one column holds them."""
    if wanted.label is not None:
        listed = _listed_columns(table, wanted.label)
        return named_vote_columns(table, listed, wanted.labels) if listed else None
    free = [name for name in _free_columns(table, wanted) if column_key(name) not in TEXT_NAMES]
    head = table.frame.head(GUESS_ROWS)
    has_label_column = _has_label_column(table, wanted)
    found = guess_vote_columns(table, head, free, wanted.labels, has_label_column)
    must_be_votes = wanted.require_labels or hold_something(head, called_by_labels(wanted.labels, free))
    if found is not None or (must_be_votes and not has_label_column):
        _refuse_twice(table, wanted, lambda name, cells: may_hold_votes(wanted.labels, name, cells))
    if found is None and not has_label_column and must_be_votes:
        raise refuse_no_votes(table, free, wanted.labels)
    return found


def _listed_columns(table: Table, label: str) -> tuple[str, ...]:
    """Returns the columns that are named with commas between them; none where that is the name of one column."""
    names = [str(name) for name in table.frame.columns]
    listed = next(csv.reader([label], skipinitialspace=True))
    return tuple(listed) if len(listed) > 1 and label not in names and set(listed) <= set(names) else ()


def refuse_other_task(table: Table, taken: set[str], wanted: Wanted) -> None:
    """Raises `DataError` where columns called by labels hold numbers, which another task reads."""
    head = table.frame.head(GUESS_ROWS)
    free = [name for name in once_named(list(table.frame.columns)) if name not in taken]
    found = guess_vote_columns(table, head, free, wanted.labels, has_label_column=True) if wanted.labels else None
    if found is None:
        return
    role, columns = found
    if role == "votes" and all(is_indicator(head[name].unique().tolist()) for name in columns):
        task, korean, english = "multi-label", "0과 1이", "0 and 1"
    else:
        task, korean, english = "soft", "평가자들의 표(또는 몫)가", "votes or shares"
    raise DataError(
        f"{table.path}: 레이블 열 하나가 아니라 여러 열({listed(columns)})에 {korean} 있습니다. `task`를 {task}로 "
        "하세요.",
        f"{table.path}: there is no one column of labels, but several ({listed(columns)}) that hold {english}: use "
        f"`task` {task}.",
        mend={"task": task},
        otherwise={**named_labels(wanted.labels), "task": task, "train_file": str(table.path)},
    )
