"""What a run with several labels a text says of its out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.label_ids import Truth
from ..metrics.bootstrap import Interval
from ..metrics.classification_report import table_report_of_labels
from ..metrics.label_calibration import LabelCalibration, calibrate_labels
from ..metrics.multi_label import (
    PRECISION_RESAMPLES,
    answer_counts,
    label_table,
    multi_label_intervals,
    precision_interval,
)
from ..metrics.probabilities import Logits, sigmoid
from ..tasks.multi_label import MultiLabel
from .out_of_fold import drawing, interval_ends

SOURCE = "검증 예측 {rows:,}행, {folds}겹 (out-of-fold predictions of {rows:,} rows, {folds} folds)"


@dataclass(frozen=True)
class SeveralLabelsReport:
    """Figures over the out-of-fold predictions of all rows together, with cross-fitted scales and thresholds."""

    labels: Sequence[str]
    """Label names in the order of their ids."""
    task: MultiLabel
    """With the thresholds fitted on all out-of-fold predictions, calibrated, which the models of the folds are saved
    with."""
    calibration: LabelCalibration
    """The scales, which the models of the folds are saved with too, and what they are worth."""
    fold_thresholds: dict[int, tuple[float, ...]]
    """For each fold those fitted on the rows of the others, which all figures come from; of calibrated
    probabilities."""
    table: dict[str, NDArray[np.float64]]
    """Figures by label; see `metrics.multi_label.label_table`. `ece` is that of the logits as trained."""
    classification: dict[str, Any]
    """scikit-learn's classification report."""
    intervals: dict[str, Interval]
    """See `metrics.multi_label.multi_label_intervals` and `precision_interval`."""
    drawn: int
    """How many units the bootstrap draws: groups of rows that belong together, or rows."""
    is_grouped: bool

    @property
    def settings(self) -> dict[str, Any]:
        """What the configurations of the folds' models are told."""
        scales = self.calibration.scales
        return {**self.task.settings(), "label_calibration": scales.pairs if any(scales.kept) else None}

    def draw(self, run: Path) -> None:
        """Draws nothing: a matrix of confusions, or one confidence a row, is for one label a row."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the parts of `report.json`."""
        thresholds = self.task.thresholds_for(len(self.labels)).tolist()
        found = self.calibration
        by_label = {
            **{key: values.tolist() for key, values in self.table.items()},
            "ece_after": found.ece_after.tolist(),
            "log_loss_before": found.loss_before.tolist(),
            "log_loss_after": found.loss_after.tolist(),
            "slope": found.scales.slopes,
            "shift": found.scales.shifts,
        }
        return {
            "task": self.task.name,
            "classification_report": self.classification,
            "intervals": {
                **drawing(self.drawn, self.is_grouped),
                "resamples_of_mean_average_precision": PRECISION_RESAMPLES,
                **interval_ends(self.intervals),
            },
            "labels": {
                name: {"threshold": threshold} | {key: float(values[index]) for key, values in by_label.items()}
                for index, (name, threshold) in enumerate(zip(self.labels, thresholds, strict=True))
            },
            "thresholds": {
                "from": self.task.source,
                "figures_are": "cross-fitted: each fold's rows by the thresholds of the other folds",
                "folds": {str(fold): list(values) for fold, values in self.fold_thresholds.items()},
                "allow_empty": self.task.allow_empty,
            },
            "label_calibration": {
                "method": "sigmoid(slope * logit + shift) by label (Platt, 1999), where that lowers the held-out loss",
                "figures_are": "means over the labels; after: each fold's rows by the scales of the other folds",
                "labels": sum(found.scales.kept),
                **{name: float(values.mean()) for name, values in self._means.items()},
                "folds": {str(fold): scales.pairs for fold, scales in found.folds.items()},
            },
        }

    @property
    def _means(self) -> dict[str, NDArray[np.float64]]:
        """What there is to take the mean of, by its name in `report.json`."""
        found = self.calibration
        return {
            "ece_before": found.ece_before,
            "ece_after": found.ece_after,
            "log_loss_before": found.loss_before,
            "log_loss_after": found.loss_after,
        }


def several_labels_report(
    task: MultiLabel,
    logits: Logits,
    truth: Truth,
    fold_numbers: NDArray[np.integer],
    names: Sequence[str],
    groups: Sequence[Hashable] | None = None,
) -> SeveralLabelsReport:
    """Computes the report of out-of-fold predictions.

    Args:
        task: The task, without thresholds.
        logits: Shape (rows, labels).
        truth: 1 where a row has a label, shape (rows, labels).
        fold_numbers: The fold each row was held out in, shape (rows,).
        names: Label names in the order of their ids.
        groups: Which rows belong together, and are drawn together by the bootstrap; by default none do.
    """
    calibration = calibrate_labels(logits, truth, fold_numbers)
    others = task.without_each(logits, truth, calibration.folds, fold_numbers)
    answers = np.zeros_like(truth)
    for fold, fitted in others.items():
        rows = fold_numbers == fold
        answers[rows] = fitted.answers(calibration.folds[fold].apply(logits[rows]))
    source = SOURCE.format(rows=len(truth), folds=len(others))
    return SeveralLabelsReport(
        labels=names,
        task=task.fitted(calibration.scales.apply(logits), truth, source),
        calibration=calibration,
        fold_thresholds={fold: tuple(fitted.thresholds_for(len(names)).tolist()) for fold, fitted in others.items()},
        table=label_table(sigmoid(logits), truth, answers),
        classification=table_report_of_labels(answer_counts(truth, answers).sum(axis=0), names),
        intervals={
            **multi_label_intervals(truth, answers, groups),
            "mean_average_precision": precision_interval(sigmoid(logits), truth, groups),
        },
        drawn=len(truth) if groups is None else len(set(groups)),
        is_grouped=groups is not None,
    )
