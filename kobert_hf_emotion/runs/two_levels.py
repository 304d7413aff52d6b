"""What a run with two levels of labels says of the coarse one, beside what every run says of its labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.label_ids import Truth
from ..metrics.calibration import expected_calibration_error, reliability_bins
from ..metrics.probabilities import Logits, softmax
from ..metrics.scores import Scores, score
from ..tasks.two_levels import TwoLevels
from .out_of_fold import OutOfFoldReport, out_of_fold_report

_SHARED = ("classification_report", "intervals", "confusion_matrix")
"""Parts of a report that the coarse labels have as well; temperatures are fitted on the fine ones alone."""


@dataclass(frozen=True)
class CoarseReport:
    """Figures of the coarse labels over the out-of-fold predictions, by the sums of the fine probabilities."""

    task: TwoLevels
    folds: dict[str, Scores]
    """By the names of the folds' folders."""
    pooled: Scores
    ece: float
    """Expected calibration error of the sums, before any temperature."""
    follows: float
    """The share of rows whose coarse answer is the one that the fine answer stands under."""
    details: OutOfFoldReport

    def to_dict(self) -> dict[str, Any]:
        """Returns the part of `report.json` that is called "coarse"."""
        found = self.details.to_dict()
        return {
            "labels": list(self.task.coarse),
            "hierarchy": self.task.hierarchy.to_dict(self.task.fine),
            "answer": "the highest sum of the probabilities of its fine labels",
            "folds": {name: asdict(scores) for name, scores in self.folds.items()},
            "pooled": asdict(self.pooled),
            "ece": self.ece,
            "follows_fine_answer": self.follows,
            **{name: found[name] for name in _SHARED},
        }


def coarse_report(
    task: TwoLevels,
    logits: Logits,
    truth: Truth,
    fold_numbers: NDArray[np.integer],
    names: Sequence[str],
    groups: Sequence[Hashable] | None = None,
) -> CoarseReport:
    """Computes the report of out-of-fold predictions.

    Args:
        task: The task.
        logits: Shape (rows, fine labels).
        truth: Fine ids, shape (rows,).
        fold_numbers: The fold each row was held out in, shape (rows,).
        names: Of the folds' folders, in the order of their numbers.
        groups: Which rows belong together, and are drawn together by the bootstrap; by default none do.
    """
    above, coarse = task.coarse_logits(logits), task.hierarchy.ids(truth)
    of_fold = {name: fold_numbers == number for number, name in enumerate(names, start=1)}
    fine_answers = task.hierarchy.ids(task.answers(logits))
    return CoarseReport(
        task=task,
        folds={name: score(above[rows], coarse[rows]) for name, rows in of_fold.items()},
        pooled=score(above, coarse),
        ece=expected_calibration_error(reliability_bins(softmax(above), coarse)),
        follows=float((fine_answers == above.argmax(axis=1)).mean()),
        details=out_of_fold_report(above, coarse, fold_numbers, task.coarse, groups),
    )
