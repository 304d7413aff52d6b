"""The values in the label column of a file, each with the label that it seems to mean."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from ..labels import EMOTION_LABELS
from .cleaning import clean_texts, join_tables
from .columns import Wanted
from .label_kinds import label_kind
from .label_map import Proposal, propose
from .label_parsing import LabelParser, label_key, label_names, nearest
from .tables import ReadOptions, read_table
from .tables.column_roles import columns_of
from .task_names import TaskName

_RARE = 10
"""A value is taken for a slip of the pen where one spelled nearly so is as many times more frequent."""


def label_values(
    path: str | os.PathLike[str],
    text_column: str | None = None,
    label_column: str | None = None,
    *,
    labels: Sequence[str] | None = EMOTION_LABELS,
    fine_label_column: str | None = None,
    reading: ReadOptions | None = None,
    task: TaskName = "single-label",
) -> list[Proposal]:
    """Returns the distinct values of a label column in rows with a text, unknown ones and all.

    Args:
        path: One file.
        text_column: As for `load_emotion_dataset`.
        label_column: As for `load_emotion_dataset`.
        labels: As for `load_emotion_dataset`. Where the names are those of the file, a rare value that is spelled
            nearly as a frequent one is proposed to be that.
        fine_label_column: The column that is looked at where labels have two levels.
        reading: How the file is to be read.
        task: As for `load_emotion_dataset`; of rows with several labels each is a value, of votes all that has some.

    Raises:
        DataError: The file or a column is not what was expected.
    """
    kind = label_kind(task)
    given = () if labels is None or isinstance(labels, str) else tuple(labels)
    wanted = Wanted(
        text_column, fine_label_column or label_column, several=kind.several, votes=kind.votes, labels=given
    )
    table = read_table(path, reading)
    frame = join_tables([table], [columns_of(table, wanted)])
    names = label_names(frame, labels, kind.names_in) or ()
    clean_texts(frame)
    cells: Counter[str] = Counter()
    values_in = kind.values_of(names)
    for cell, rows in frame[frame["reason"] == ""]["raw_label"].value_counts().items():
        for part in values_in(str(cell)):
            cells[part] += int(rows)
    return propose(cells, names if given else _frequent(cells, names))


def _frequent(cells: Counter[str], names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of a file without those that look like slips of the pen for others."""
    parser = LabelParser(names)
    rows: Counter[str] = Counter()
    for cell, count in cells.items():
        if (index := parser.parse(cell).id) is not None:
            rows[names[index]] += count
    slips = {
        name
        for name in names
        if nearest(name, [label_key(other) for other in names if rows[other] >= _RARE * max(rows[name], 1)])
    }
    return tuple(name for name in names if name not in slips)
