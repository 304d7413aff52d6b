"""One label a text: the most probable one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.label_ids import Truth
from ..data.task_names import TaskName
from ..metrics.bootstrap import Interval, score_intervals
from ..metrics.calibration import expected_calibration_error, reliability_bins
from ..metrics.probabilities import Logits, log_loss, log_softmax, softmax
from ..metrics.scores import Scores, score
from ..utils.garbage_collection import collector_paused
from .task import Prediction, Task

if TYPE_CHECKING:
    from transformers import EvalPrediction


@dataclass(frozen=True)
class SingleLabel(Task):
    """The probabilities are those of a softmax: they add up to 1, and the label with the highest is the answer."""

    name: TaskName = "single-label"
    problem_type: str | None = None

    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """Returns softmax(logits)."""
        return softmax(logits)

    def answers(self, logits: Logits) -> NDArray[np.int64]:
        """Returns the ids of the most probable labels, shape (rows,)."""
        return np.asarray(logits.argmax(axis=-1), dtype=np.int64)

    def right(self, logits: Logits, truth: Truth) -> NDArray[np.bool_]:
        """Tells of each row whether its label is the answer."""
        found: NDArray[np.bool_] = self.answers(logits) == truth
        return found

    def score(self, logits: Logits, truth: Truth) -> Scores:
        """Computes accuracy, F1 and log loss."""
        return score(logits, truth)

    def score_answers(self, logits: Logits, truth: Truth, answers: NDArray[np.int64]) -> Scores:
        """Computes accuracy and F1 of the answers, and the log loss of the logits."""
        from ..metrics.classification import classification_scores

        return Scores(rows=len(truth), log_loss=log_loss(logits, truth), **classification_scores(truth, answers))

    def calibration_error(self, logits: Logits, truth: Truth) -> float:
        """Returns that of the probability of the answer, over 15 bins."""
        return expected_calibration_error(reliability_bins(softmax(logits), truth))

    def held_out_answers(self, logits: Logits, truth: Truth, folds: NDArray[np.integer]) -> NDArray[np.int64]:  # noqa: ARG002
        """Returns the answers: there is nothing to fit."""
        return self.answers(logits)

    def by_label(self, logits: Logits, truth: Truth) -> None:
        """Returns nothing: the classification report has it."""

    def intervals(self, logits: Logits, truth: Truth, groups: Sequence[Hashable] | None = None) -> dict[str, Interval]:
        """Computes intervals of accuracy and F1."""
        return score_intervals(truth, self.answers(logits), logits.shape[1], groups)

    def mean(self, logits: Sequence[Logits]) -> NDArray[np.float32]:
        """Returns the logarithms of the mean probabilities, whose softmax they are."""
        # Summed as logarithms: a probability too small for a float64 would have none.
        sums = np.logaddexp.reduce([log_softmax(found) for found in logits])
        logarithms: NDArray[np.float32] = (sums - np.log(len(logits))).astype(np.float32)
        return logarithms

    def predictions(self, logits: Logits, labels: Sequence[str]) -> list[Prediction]:
        """Returns the most probable label of each text."""
        return to_predictions(logits, labels)

    def cells(self, logits: Logits, labels: Sequence[str]) -> list[list[str]]:
        """Returns the most probable label, its probability, and those of all labels."""
        probabilities = softmax(logits)
        best = probabilities.argmax(axis=-1).tolist()
        return [
            [labels[index], f"{row[index]:.6f}", *(f"{p:.6f}" for p in row)]
            for index, row in zip(best, probabilities.tolist(), strict=True)
        ]

    def true_cell(self, truth: Truth, index: int, labels: Sequence[str]) -> str:
        """Returns the label's name."""
        label = int(truth[index])
        return labels[label] if label >= 0 else ""

    def evaluate(self, prediction: EvalPrediction) -> dict[str, float]:
        """Computes accuracy and F1."""
        from ..metrics.classification import compute_metrics  # which takes long to import, and predicting needs none

        return compute_metrics(prediction)


def to_predictions(logits: NDArray[np.floating], labels: Sequence[str]) -> list[Prediction]:
    """Turns logits into labelled predictions.

    Args:
        logits: Shape (texts, classes).
        labels: Label names in the order of the columns.
    """
    probabilities = softmax(logits)
    best = probabilities.argmax(axis=-1).tolist()
    scores = probabilities.max(axis=-1).tolist()
    percents = (100 * probabilities).round(2).tolist()
    with collector_paused():
        return [
            {"label": labels[index], "score": score, "probabilities": dict(zip(labels, percent, strict=True))}
            for index, score, percent in zip(best, scores, percents, strict=True)
        ]
