"""The table of predictions, written as a CSV whole or a part at a time."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from ..data.label_ids import Truth
from ..metrics.probabilities import Logits
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..utils.files import atomic_write


class PredictionTable:
    """A table of predictions that is being written."""

    def __init__(self, handle: IO[str], names: Sequence[str], task: Task | None = None) -> None:
        self._writer = csv.writer(handle)
        self._names = names
        self._task = task or SingleLabel()
        self._has_header = False

    def write(self, columns: Mapping[str, Sequence[Any]], logits: Logits, truth: Truth | None = None) -> None:
        """Writes rows below those that are there.

        Args:
            columns: What stands to the left of the prediction, column by column; the same ones each time.
            logits: Shape (rows, classes).
            truth: The labels of the rows, where some are known; below 0 where a row's are not.
        """
        left = dict(columns)
        if truth is not None:
            left |= self._task.true_columns(truth, self._names)
        if not self._has_header:
            self._writer.writerow([*left, *self._task.titles(self._names)])
            self._has_header = True
        for found, *cells in zip(self._task.cells(logits, self._names), *left.values(), strict=True):
            self._writer.writerow([*cells, *found])


@contextmanager
def prediction_csv(
    path: str | os.PathLike[str], names: Sequence[str], task: Task | None = None
) -> Iterator[PredictionTable]:
    """Opens a CSV of predictions, which Excel opens with its Hangul intact (UTF-8 with a byte-order mark).

    Args:
        path: File to write; it takes its name when the block ends, and is as it was where the block raises.
        names: Label names in the order of the ids.
        task: How logits become answers; one label a row by default.
    """
    with atomic_write(path, "w", encoding="utf-8-sig", newline="") as handle:
        yield PredictionTable(handle, names, task)
