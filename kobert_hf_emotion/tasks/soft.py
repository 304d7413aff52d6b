"""Votes for labels: the answer is the most probable label, and the probabilities are to be the shares of the votes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import counted_as, has_most, to_shares
from ..data.label_ids import Truth, is_labelled
from ..data.task_names import TaskName
from ..metrics.bootstrap import Interval
from ..metrics.calibration import expected_calibration_error, reliability_bins
from ..metrics.probabilities import Logits, softmax
from ..metrics.scores import Scores
from ..metrics.soft import soft_scores, vote_intervals
from .multi_label import joined
from .single_label import SingleLabel

if TYPE_CHECKING:
    from transformers import EvalPrediction


@dataclass(frozen=True)
class Soft(SingleLabel):
    """A model of one label a text whose rows have shares of votes; it answers as `SingleLabel` does.

    A row on which several labels have most votes is right where the answer is any of these.
    """

    name: TaskName = "soft"

    def settings(self) -> dict[str, Any]:
        """Returns what a model's configuration says of its training."""
        return {"soft_labels": True}

    def right(self, logits: Logits, truth: Truth) -> NDArray[np.bool_]:
        """Tells of each row whether no label has more votes than the answer; of ids whether they are the answer."""
        if truth.ndim == 1:  # what another model answers
            return super().right(logits, truth)
        found: NDArray[np.bool_] = has_most(truth)[np.arange(len(truth)), self.answers(logits)]
        return found

    def score(self, logits: Logits, truth: Truth) -> Scores:
        """Computes accuracy and F1 against the majority, cross-entropy and divergence against the votes."""
        return soft_scores(logits, truth, self.answers(logits))

    def score_answers(self, logits: Logits, truth: Truth, answers: NDArray[np.int64]) -> Scores:  # noqa: ARG002
        """Computes the same: answers follow from the logits alone."""
        return self.score(logits, truth)

    def calibration_error(self, logits: Logits, truth: Truth) -> float:
        """Returns the mean distance of the answers' probabilities and their shares of the votes, over 15 bins."""
        return expected_calibration_error(reliability_bins(softmax(logits), truth))

    def intervals(self, logits: Logits, truth: Truth, groups: Sequence[Hashable] | None = None) -> dict[str, Interval]:
        """Computes intervals of accuracy and F1, and of the figures against the votes."""
        answers = self.answers(logits)
        against_majority = super().intervals(logits, counted_as(truth, answers), groups)
        return against_majority | vote_intervals(logits, truth, answers, groups)

    def true_cell(self, truth: Truth, index: int, labels: Sequence[str]) -> str:
        """Returns the name of the label with most votes, or those of a tie."""
        row = truth[index]
        if len(row) and row[0] < 0:
            return ""
        return joined([labels[label] for label in np.flatnonzero(has_most(row[None])[0]).tolist()])

    def true_columns(self, truth: Truth, labels: Sequence[str]) -> dict[str, list[str]]:
        """Returns the label with most votes, and the share of each."""
        known = is_labelled(truth)
        shares = {
            f"{VOTE_PREFIX}{name}": [
                f"{row[index]:.6f}" if told else "" for row, told in zip(truth, known, strict=True)
            ]
            for index, name in enumerate(labels)
        }
        return super().true_columns(truth, labels) | shares

    def evaluate(self, prediction: EvalPrediction) -> dict[str, float]:
        """Computes the metrics of a Trainer's evaluation."""
        logits: NDArray[Any] = np.asarray(prediction.predictions)
        truth = np.asarray(prediction.label_ids)
        known = is_labelled(truth)
        scores = vars(self.score(logits[known], to_shares(truth[known])))
        return {name: value for name, value in scores.items() if name not in ("rows", "ties", "log_loss")}


VOTE_PREFIX = "vote_"
"""Begins the columns of a table of predictions that hold the shares of votes."""
