"""Rows whose label the out-of-fold predictions dispute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..errors import KoBERTEmotionError
from ..tasks.multi_label import joined
from ..utils.progress import progress
from ..wording import Wording
from .finished import FinishedRun

if TYPE_CHECKING:
    import pandas as pd

TOP = 200
NEW_LABEL = "new_label"
PLACE = ("file", "row")
"""Columns that tell where a row is."""
_CONTEXT = ("id", "group", TEXT_COLUMN, TEXT_PAIR_COLUMN)


def disputed_labels(run: FinishedRun, top: int = TOP) -> pd.DataFrame:
    """Returns the rows whose label the out-of-fold predictions dispute most, the most disputed first.

    Rows are disputed where another label than their own was predicted. First come the suspects: rows that confident
    learning (cleanlab's `find_label_issues`; Northcutt, Jiang and Chuang, 2021) counts as mislabelled, which takes
    into account that the model is more certain of some labels than of others. Among these, and among the others,
    the order is that of the margin.

    The columns: those that tell the place of the row, `text`, `label`, `predicted`, `confidence` (the probability
    of the prediction), `self_confidence` (that of the label), `margin` ((self_confidence - the highest probability
    of another label + 1) / 2, 0 to 1, low where the label is disputed), `suspect` (yes or empty) and `new_label`,
    which is empty.

    Of several labels a row those are disputed that get other labels, by thresholds of the other folds. Suspects are
    those of cleanlab's `multilabel_classification.filter.find_label_issues`, and the order is that of its
    `get_label_quality_scores` (Thyagarajan, Snorrason, Northcutt and Mueller, 2022): `quality`, 0 to 1, in place of
    `confidence` to `margin`. `would_add` and `would_remove` say how the labels differ. Probabilities are calibrated.

    Args:
        run: A finished run.
        top: The most rows to return.

    Raises:
        KoBERTEmotionError: cleanlab is not installed.
    """
    if run.has_several:
        return _disputed_sets(run, top)
    disputes = find_disputes(run)
    table = row_places(run)
    table["row"] = table["row"].astype(int)
    table["label"], table["predicted"] = run.table["label"], run.table["prediction"]
    for name, values in disputes.scores.items():
        table[name] = values.round(4)
    table["suspect"] = np.where(disputes.suspect, "yes", "")
    table[NEW_LABEL] = ""
    queue: pd.DataFrame = table.iloc[disputes.rows[:top]].reset_index(drop=True)
    return queue


def _disputed_sets(run: FinishedRun, top: int) -> pd.DataFrame:
    """Returns the table of `disputed_labels` where rows have several labels."""
    issues, rank = _cleanlab_of_several()
    truth, answers, probabilities = run.label_sets, run.answer_sets, run.calibrated
    lists = [np.flatnonzero(row).tolist() for row in truth]
    with progress(Wording("의심되는 라벨 찾기", "looking for suspected labels")):
        suspect = issues(lists, probabilities, n_jobs=1)
    quality = rank(lists, probabilities)
    disputed = (truth != answers).any(axis=1)
    suspect &= disputed
    table = row_places(run)
    table["row"] = table["row"].astype(int)
    table["label"] = run.table["label"]
    parts = {"predicted": answers, "would_add": answers & (1 - truth), "would_remove": truth & (1 - answers)}
    for name, sets in parts.items():
        cells = [[run.labels[label] for label in np.flatnonzero(row).tolist()] for row in sets]
        table[name] = [joined(cell) if cell or name == "predicted" else "" for cell in cells]
    table["quality"] = quality.round(4)
    table["suspect"] = np.where(suspect, "yes", "")
    table[NEW_LABEL] = ""
    order = np.lexsort((quality, ~suspect))
    queue: pd.DataFrame = table.iloc[order[disputed[order]][:top]].reset_index(drop=True)
    return queue


@dataclass(frozen=True)
class Disputes:
    """Which labels are disputed, and how much; see `disputed_labels`."""

    rows: NDArray[np.int64]
    """The disputed rows, counted from 0, the most disputed first."""
    suspect: NDArray[np.bool_]
    """Whether each row of the run counts as mislabelled, shape (rows,)."""
    scores: dict[str, NDArray[np.float64]]
    """`confidence`, `self_confidence` and `margin` of each row of the run, shape (rows,)."""


def find_disputes(run: FinishedRun) -> Disputes:
    """Finds and orders the rows of `disputed_labels`.

    Raises:
        KoBERTEmotionError: cleanlab is not installed.
    """
    issues, rank = _cleanlab()
    truth, probabilities = run.truth, run.probabilities
    with progress(Wording("의심되는 라벨 찾기", "looking for suspected labels")):
        suspect = issues(truth, probabilities, n_jobs=1)
    scores = {
        "confidence": probabilities.max(axis=1),
        "self_confidence": rank(truth, probabilities, method="self_confidence"),
        "margin": rank(truth, probabilities, method="normalized_margin"),
    }
    order = np.lexsort((scores["margin"], ~suspect))
    disputed = run.predictions != truth
    return Disputes(order[disputed[order]], suspect & disputed, scores)


def _cleanlab() -> tuple[Any, Any]:
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError as error:
        raise needs_cleanlab() from error
    return find_label_issues, get_label_quality_scores


def needs_cleanlab() -> KoBERTEmotionError:
    """Returns the error that names the extra which reviewing labels needs."""
    return KoBERTEmotionError(
        "레이블 검토에는 cleanlab이 필요합니다.",
        "Reviewing labels needs cleanlab.",
        "pip install 'kobert-hf-emotion[review]'",
    )


def _cleanlab_of_several() -> tuple[Any, Any]:
    _cleanlab()
    from cleanlab.multilabel_classification import get_label_quality_scores
    from cleanlab.multilabel_classification.filter import find_label_issues

    return find_label_issues, get_label_quality_scores


def row_places(run: FinishedRun) -> pd.DataFrame:
    """Returns where each row is, and what it says; a row without a number of its own gets that of its place."""
    table = run.table[[name for name in (*PLACE, *_CONTEXT) if name in run.table]].copy()
    if "row" not in table:
        table.insert(0, "row", [str(number) for number in range(1, len(table) + 1)])
    return table
