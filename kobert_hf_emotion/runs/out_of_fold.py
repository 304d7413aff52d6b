"""What a run says of its out-of-fold predictions beyond the scores: intervals, confusions, calibration."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import (
    LEVEL,
    RESAMPLES,
    SEED,
    Interval,
    class_scores,
    confusion_cells,
    confusion_matrix,
    confusion_scores,
    intervals_of,
    resample_counts,
)
from ..metrics.calibration import BINS, Calibration, calibrate_out_of_fold
from ..metrics.classification_report import table_report_of
from ..metrics.probabilities import ClassIds, Logits
from .layout import CALIBRATION_FILE, CONFUSION_FILE
from .plots import counted_pictures, plot_calibration, plot_confusion


@dataclass(frozen=True)
class OutOfFoldReport:
    """Figures over the out-of-fold predictions of all rows together."""

    labels: Sequence[str]
    """Label names in the order of their ids."""
    intervals: dict[str, Interval]
    """95% bootstrap intervals of accuracy, macro F1 and weighted F1; see `metrics.bootstrap.score_intervals`."""
    class_intervals: dict[str, dict[str, Interval]]
    """The same of precision, recall and F1 of each label that occurs or is predicted, from the same draws."""
    drawn: int
    """How many units the bootstrap draws: groups of rows that belong together, or rows."""
    is_grouped: bool
    confusion: NDArray[np.integer]
    """Rows by label (down) and prediction (across), shape (classes, classes)."""
    calibration: Calibration

    @property
    def settings(self) -> dict[str, Any]:
        """What the configurations of the folds' models are told."""
        return {"softmax_temperature": self.calibration.temperature}

    def draw(self, run: Path) -> None:
        """Draws the matrix of confusions and the reliability diagrams into the folder of a run."""
        with counted_pictures(2) as advance:
            plot_confusion(run / CONFUSION_FILE, self.confusion, self.labels)
            advance(1)
            plot_calibration(run / CALIBRATION_FILE, self.calibration)
            advance(1)

    def to_dict(self) -> dict[str, Any]:
        """Returns the parts of `report.json`."""
        calibration = asdict(self.calibration)
        bins = {when: calibration.pop(when) for when in ("before", "after")}
        return {
            "classification_report": table_report_of(self.confusion, self.labels),
            "intervals": {
                **drawing(self.drawn, self.is_grouped),
                **interval_ends(self.intervals),
                "classes": {label: interval_ends(found) for label, found in self.class_intervals.items()},
            },
            "confusion_matrix": {
                "labels": list(self.labels),
                "rows_are": "labels",
                "columns_are": "predictions",
                "counts": self.confusion.tolist(),
            },
            "calibration": {
                **calibration,
                "after_is": "cross-fitted: each fold scaled by the temperature of the other folds",
                "ece_bins": BINS,
                "reliability": bins,
            },
        }


def out_of_fold_report(
    logits: Logits,
    labels: ClassIds,
    fold_numbers: NDArray[np.integer],
    names: Sequence[str],
    groups: Sequence[Hashable] | None = None,
    shares: NDArray[np.floating] | None = None,
) -> OutOfFoldReport:
    """Computes the report of out-of-fold predictions.

    Args:
        logits: Shape (rows, classes).
        labels: Class ids, shape (rows,).
        fold_numbers: The fold each row was held out in, shape (rows,).
        names: Label names in the order of their ids.
        groups: Which rows belong together, and are drawn together by the bootstrap; by default none do.
        shares: Shares of votes, shape (rows, classes), that the probabilities are calibrated to; by default the labels.
    """
    predictions = logits.argmax(axis=1)
    cells = confusion_cells(labels, predictions, len(names))
    drawn = resample_counts(cells, len(names) ** 2, groups).reshape(-1, len(names), len(names))
    by_class = class_scores(drawn)
    present = np.union1d(labels, predictions).tolist()
    return OutOfFoldReport(
        labels=names,
        intervals=intervals_of(confusion_scores(drawn)),
        class_intervals={
            names[index]: intervals_of({name: values[:, index] for name, values in by_class.items()})
            for index in present
        },
        drawn=len(labels) if groups is None else len(set(groups)),
        is_grouped=groups is not None,
        confusion=confusion_matrix(labels, predictions, len(names)),
        calibration=calibrate_out_of_fold(logits, labels if shares is None else shares, fold_numbers),
    )


def drawing(drawn: int, is_grouped: bool) -> dict[str, Any]:
    """Returns what `report.json` says of how intervals were drawn: from how many units, rows or groups of them."""
    return {
        "level": LEVEL,
        "method": "percentile bootstrap",
        "resamples": RESAMPLES,
        "seed": SEED,
        "drawn": {"unit": "groups of rows" if is_grouped else "rows", "number": drawn},
    }


def interval_ends(intervals: Mapping[str, Interval]) -> dict[str, list[float]]:
    """Returns the two ends of each interval."""
    return {name: [interval.low, interval.high] for name, interval in intervals.items()}
