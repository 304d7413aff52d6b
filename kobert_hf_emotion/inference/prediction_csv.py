"""The table of predictions, written as a CSV whole or a part at a time."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from ..metrics.probabilities import ClassIds, Logits, softmax
from ..utils.files import atomic_write


class PredictionTable:
    """A table of predictions that is being written."""

    def __init__(self, handle: IO[str], names: Sequence[str]) -> None:
        self._writer = csv.writer(handle)
        self._names = names
        self._has_header = False

    def write(
        self, columns: Mapping[str, Sequence[Any]], logits: Logits, labels: Sequence[int] | ClassIds | None = None
    ) -> None:
        """Writes rows below those that are there.

        Args:
            columns: What stands to the left of the prediction, column by column; the same ones each time.
            logits: Shape (rows, classes).
            labels: True class ids, shape (rows,), where there are some; -1 where a row has none.
        """
        left = dict(columns)
        if labels is not None:
            left["label"] = [self._names[label] if label >= 0 else "" for label in labels]
        if not self._has_header:
            self._writer.writerow([*left, "prediction", "score", *(f"prob_{name}" for name in self._names)])
            self._has_header = True
        probabilities = softmax(logits)
        best = probabilities.argmax(axis=-1).tolist()
        for index, row, *cells in zip(best, probabilities.tolist(), *left.values(), strict=True):
            self._writer.writerow([*cells, self._names[index], f"{row[index]:.6f}", *(f"{p:.6f}" for p in row)])


@contextmanager
def prediction_csv(path: str | os.PathLike[str], names: Sequence[str]) -> Iterator[PredictionTable]:
    """Opens a CSV of predictions, which Excel opens with its Hangul intact (UTF-8 with a byte-order mark).

    Args:
        path: File to write; it takes its name when the block ends, and is as it was where the block raises.
        names: Label names in the order of the ids.
    """
    with atomic_write(path, "w", encoding="utf-8-sig", newline="") as handle:
        yield PredictionTable(handle, names)
