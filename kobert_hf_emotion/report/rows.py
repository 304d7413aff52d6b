"""The rows of a report's confusion matrix: as many as a page has room for, the telling ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..assets.templates import script_json
from .content import Predictions

LONGEST_TEXT = 300
"""Characters of a text that are shown in a table."""


@dataclass(frozen=True)
class CellRows:
    """Rows by the cells of a confusion matrix, for the script of the page."""

    json: str
    """An object with `files`, and `cells`, each "label,prediction" with a list of rows; safe in a script."""
    shown: int
    total: int
    shortened: int
    """How many of the rows shown have a text longer than `LONGEST_TEXT`."""


def rows_by_cell(predictions: Predictions, labels: Sequence[int], budget: int) -> CellRows:
    """Chooses rows for the cells of some labels.

    In a cell of mistakes the most confident come first, in one of right predictions the least confident. Where not
    all have room, every cell gets as many as the others, mistakes before what is right.

    Args:
        predictions: All rows.
        labels: Class ids of the labels whose cells are shown.
        budget: Bytes that the rows may take in the page.
    """
    truth, predicted, confidence = predictions.truth, predictions.predicted, predictions.confidence
    is_right = truth == predicted
    inside = np.flatnonzero(np.isin(truth, labels) & np.isin(predicted, labels))
    telling = np.where(is_right, confidence, -confidence)
    order = inside[np.lexsort((telling[inside], predicted[inside], truth[inside]))]
    cells = truth[order] * predictions.probabilities.shape[1] + predicted[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    by_need = order[np.lexsort((rank, is_right[order]))]
    files = sorted(set(predictions.files))
    numbers = {name: number for number, name in enumerate(files)}
    chosen: dict[str, list[str]] = {}
    room, shown, shortened = budget, 0, 0
    for index in by_need.tolist():
        row = script_json(_row(predictions, index, numbers))
        room -= len(row.encode("utf-8")) + 1
        if room < 0:
            break
        chosen.setdefault(f"{truth[index]},{predicted[index]}", []).append(row)
        shown += 1
        shortened += predictions.texts is not None and len(predictions.texts[index]) > LONGEST_TEXT
    listed = ",".join(f'"{cell}":[{",".join(rows)}]' for cell, rows in chosen.items())
    return CellRows(f'{{"files":{script_json(files)},"cells":{{{listed}}}}}', shown, len(truth), shortened)


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """Returns the beginning of a text, with a mark where it was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _row(predictions: Predictions, index: int, files: dict[str, int]) -> list[Any]:
    """Returns a row's number, file, fold, probabilities of prediction and label, and texts."""
    row: list[Any] = [
        predictions.rows[index],
        files[predictions.files[index]] if files else 0,
        predictions.folds[index],
        round(float(predictions.confidence[index]), 4),
        round(float(predictions.of_label[index]), 4),
    ]
    if predictions.texts is not None:
        row.append(cut(predictions.texts[index]))
        if predictions.pairs is not None:
            row.append(cut(predictions.pairs[index]))
    return row
