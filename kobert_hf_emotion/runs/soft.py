"""What a run on votes says of its out-of-fold predictions: as of one label a text, and against the votes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import Shares, counted_as
from ..metrics.bootstrap import Interval
from ..metrics.probabilities import Logits
from ..metrics.soft import SoftScores, soft_scores, vote_intervals
from .out_of_fold import OutOfFoldReport, interval_ends, out_of_fold_report

TIES_COUNT_AS = (
    "any of the labels with most votes is right; for F1s and the confusion matrix the row counts as one of the label "
    "answered where that is among them, and otherwise as one of the first of them"
)


@dataclass(frozen=True)
class SoftReport:
    """Figures over the out-of-fold predictions of all rows together."""

    majority: OutOfFoldReport
    """Of the labels with most votes; its calibration is against the shares of the votes."""
    scores: SoftScores
    intervals: dict[str, Interval]
    """Of the figures against the votes; see `metrics.soft.vote_intervals`."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the configurations of the folds' models are told."""
        return self.majority.settings

    def draw(self, run: Path) -> None:
        """Draws what a run of one label a text has."""
        self.majority.draw(run)

    def to_dict(self) -> dict[str, Any]:
        """Returns the parts of `report.json`."""
        content = self.majority.to_dict()
        content["intervals"] |= interval_ends(self.intervals)
        content["calibration"]["accuracy_is"] = "share of the votes that agree with the prediction"
        return {
            "task": "soft",
            **content,
            "votes": {
                "rows": self.scores.rows,
                "ties": self.scores.ties,
                "ties_count_as": TIES_COUNT_AS,
                "best_vote_share": self.scores.best_vote_share,
                "entropy": self.scores.entropy,
            },
        }


def soft_report(
    logits: Logits,
    shares: Shares,
    fold_numbers: NDArray[np.integer],
    names: Sequence[str],
    groups: Sequence[Hashable] | None = None,
) -> SoftReport:
    """Computes the report of out-of-fold predictions.

    Args:
        logits: Shape (rows, labels).
        shares: Shares of the votes, shape (rows, labels).
        fold_numbers: The fold each row was held out in, shape (rows,).
        names: Label names in the order of their ids.
        groups: Which rows belong together, and are drawn together by the bootstrap; by default none do.
    """
    answers = logits.argmax(axis=1)
    return SoftReport(
        majority=out_of_fold_report(logits, counted_as(shares, answers), fold_numbers, names, groups, shares),
        scores=soft_scores(logits, shares, answers),
        intervals=vote_intervals(logits, shares, answers, groups),
    )
