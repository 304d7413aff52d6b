"""Several labels a text: each whose probability reaches its threshold."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from ..configuration import MULTI_LABEL
from ..data.label_ids import IGNORED, Truth, is_labelled
from ..data.task_names import TaskName
from ..metrics.bootstrap import Interval
from ..metrics.label_calibration import LabelScales, scales_without_each
from ..metrics.multi_label import (
    DEFAULT_THRESHOLD,
    decide,
    fit_thresholds,
    label_calibration_errors,
    label_table,
    multi_label_intervals,
    multi_label_scores,
    precision_interval,
)
from ..metrics.probabilities import Logits, sigmoid
from ..metrics.scores import Scores
from ..utils.garbage_collection import collector_paused
from ..wording import Language, titled, untitled
from .task import Prediction, Task

if TYPE_CHECKING:
    from transformers import EvalPrediction

SEPARATOR = "|"
"""Stands between the labels of a cell; a list in JSON does where it is in a name."""
START_BIAS = math.log(0.1 / 0.9)
"""Of a label that one text in ten has."""


@dataclass(frozen=True)
class MultiLabel(Task):
    """The probabilities are those of a sigmoid, each label's by itself.

    A label is given where its probability reaches its threshold. No answer is empty unless `allow_empty` says so: where
    no label reaches its threshold, the nearest is given; see `metrics.multi_label.decide`.

    Attributes:
        thresholds: One per label, 0 to 1; None for 0.5 in all.
        source: What the thresholds were fitted on, in words; None where they were not.
        allow_empty: Whether a text may get no label.
        start_bias: The log odds of a label in a new head. Most labels are not a text's: that they all were would be
            the first thing to unlearn (Lin et al., 2017, section 3.3).
    """

    thresholds: tuple[float, ...] | None = None
    source: str | None = None
    allow_empty: bool = False
    start_bias: float = START_BIAS
    name: TaskName = "multi-label"
    problem_type: str | None = MULTI_LABEL

    def thresholds_for(self, labels: int) -> NDArray[np.float64]:
        """Returns the threshold of each of `labels` labels."""
        if self.thresholds is None:
            return np.full(labels, DEFAULT_THRESHOLD)
        return np.asarray(self.thresholds, dtype=np.float64)

    def fitted(self, logits: Logits, truth: Truth, source: str | None = None) -> Self:
        """Returns the task with the thresholds that have the highest F1 on rows the model was not trained on."""
        return replace(self, thresholds=tuple(fit_thresholds(sigmoid(logits), truth).tolist()), source=source)

    def settings(self) -> dict[str, Any]:
        """Returns what a model's configuration says of the answers."""
        thresholds = None if self.thresholds is None else list(self.thresholds)
        return {"label_thresholds": thresholds, "thresholds_from": self.source, "allow_empty": self.allow_empty}

    def about(self, language: Language = "both") -> str:
        """Returns where the thresholds come from."""
        title = titled("임계값", "thresholds", language)
        if self.thresholds is None:
            said = titled("모두", "for all", language), titled("맞추지 않음", "not fitted", language)
            return f"{title}: {DEFAULT_THRESHOLD:g}, {', '.join(said)}"
        low, high = min(self.thresholds), max(self.thresholds)
        unknown = titled("모델의 설정", "the model's configuration", language)
        source = untitled(self.source, language) if self.source else unknown
        each, origin = titled("레이블마다", "by label", language), titled("출처", "from", language)
        return f"{title}: {each} {low:.3f}–{high:.3f}, {origin}: {source}"

    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """Returns sigmoid(logits)."""
        return sigmoid(logits)

    def answers(self, logits: Logits) -> NDArray[np.int64]:
        """Returns 1 where a row gets a label, shape (rows, labels)."""
        chosen = decide(sigmoid(logits), self.thresholds_for(logits.shape[1]), self.allow_empty)
        return np.asarray(chosen, dtype=np.int64)

    def right(self, logits: Logits, truth: Truth) -> NDArray[np.bool_]:
        """Tells of each row whether it gets its labels and no other."""
        found: NDArray[np.bool_] = (self.answers(logits) == truth).all(axis=1)
        return found

    def score(self, logits: Logits, truth: Truth) -> Scores:
        """Computes F1s, mean average precision, subset accuracy, Hamming loss and log loss."""
        return multi_label_scores(logits, truth, self.answers(logits))

    def score_answers(self, logits: Logits, truth: Truth, answers: NDArray[np.int64]) -> Scores:
        """Computes the same of answers that were given by other thresholds."""
        return multi_label_scores(logits, truth, answers)

    def calibration_error(self, logits: Logits, truth: Truth) -> float:
        """Returns the mean over the labels of the error of their probabilities, over 15 bins."""
        return float(label_calibration_errors(sigmoid(logits), truth).mean())

    def without_each(
        self, logits: Logits, truth: Truth, scales: Mapping[int, LabelScales], folds: NDArray[np.integer]
    ) -> dict[int, Self]:
        """Returns for each fold the task with the thresholds that are best on the rows of the others.

        Args:
            logits: Out-of-fold logits, as trained.
            truth: The labels of the rows.
            scales: For each fold what calibrates logits; see `metrics.label_calibration.scales_without_each`.
            folds: The fold each row was held out in, shape (rows,).
        """
        found: dict[int, Self] = {}
        for fold, scale in scales.items():
            others = folds != fold
            found[fold] = self.fitted(scale.apply(logits[others]), truth[others])
        return found

    def held_out_answers(self, logits: Logits, truth: Truth, folds: NDArray[np.integer]) -> NDArray[np.int64]:
        """Returns answers by scales and thresholds that were fitted on the rows of the other folds."""
        scales = scales_without_each(logits, truth, folds)
        answers = np.zeros(logits.shape, dtype=np.int64)
        for fold, task in self.without_each(logits, truth, scales, folds).items():
            rows = folds == fold
            answers[rows] = task.answers(scales[fold].apply(logits[rows]))
        return answers

    def by_label(self, logits: Logits, truth: Truth) -> dict[str, NDArray[np.float64]]:
        """Returns F1, precision, recall, average precision, calibration error and rows of each label."""
        return label_table(sigmoid(logits), truth, self.answers(logits))

    def intervals(self, logits: Logits, truth: Truth, groups: Sequence[Hashable] | None = None) -> dict[str, Interval]:
        """Computes intervals of F1s, subset accuracy, Hamming loss and mean average precision."""
        found = multi_label_intervals(truth, self.answers(logits), groups)
        return found | {"mean_average_precision": precision_interval(sigmoid(logits), truth, groups)}

    def mean(self, logits: Sequence[Logits]) -> NDArray[np.float32]:
        """Returns the log odds of the mean probabilities."""
        exact = [found.astype(np.float64) for found in logits]
        # Of p and of 1 - p, summed as logarithms: near 0 and 1 a probability has no odds left.
        yes = np.logaddexp.reduce([-np.logaddexp(0.0, -found) for found in exact])
        no = np.logaddexp.reduce([-np.logaddexp(0.0, found) for found in exact])
        odds: NDArray[np.float32] = (yes - no).astype(np.float32)
        return odds

    def highest(self, logits: Sequence[Logits]) -> NDArray[np.float32]:
        """Returns the highest logit of each label: its highest probability, which owes nothing to the other labels."""
        most: NDArray[np.float32] = np.max([found.astype(np.float32) for found in logits], axis=0)
        return most

    def predictions(self, logits: Logits, labels: Sequence[str]) -> list[Prediction]:
        """Returns the labels given to each text beside the most probable one."""
        probabilities = sigmoid(logits)
        chosen = self.answers(logits)
        best = probabilities.argmax(axis=-1).tolist()
        percents = (100 * probabilities).round(2).tolist()
        with collector_paused():
            return [
                {
                    "label": labels[index],
                    "score": row[index],
                    "probabilities": dict(zip(labels, percent, strict=True)),
                    "labels": [labels[label] for label in _given(given, row)],
                }
                for index, row, percent, given in zip(best, probabilities.tolist(), percents, chosen, strict=True)
            ]

    def cells(self, logits: Logits, labels: Sequence[str]) -> list[list[str]]:
        """Returns the labels given, the probability of each of them, and those of all labels."""
        probabilities = sigmoid(logits)
        cells = []
        for row, given in zip(probabilities.tolist(), self.answers(logits), strict=True):
            order = _given(given, row)
            scores = SEPARATOR.join(f"{row[label]:.6f}" for label in order)
            cells.append([joined([labels[label] for label in order]), scores, *(f"{p:.6f}" for p in row)])
        return cells

    def true_cell(self, truth: Truth, index: int, labels: Sequence[str]) -> str:
        """Returns the names of the labels a row has; an empty list in brackets where it is known to have none."""
        row = truth[index]
        if len(row) and row[0] < 0:
            return ""
        return joined([labels[label] for label in np.flatnonzero(row).tolist()])

    def evaluate(self, prediction: EvalPrediction) -> dict[str, float]:
        """Computes accuracy (of whole sets) and F1s at the task's thresholds, and the mean average precision."""
        logits: NDArray[Any] = np.asarray(prediction.predictions)
        truth = np.asarray(prediction.label_ids).astype(np.int64)
        known = is_labelled(truth)
        scores = vars(self.score(logits[known], truth[known]))
        return {name: value for name, value in scores.items() if name not in ("rows", "log_loss")}


def joined(names: Sequence[str]) -> str:
    """Returns labels as one cell, which reads back as them.

    Example:
        >>> joined(["기쁨", "놀람"]), joined(["a|b", "c"]), joined([])
        ('기쁨|놀람', '["a|b", "c"]', '[]')
    """
    if not names or any(SEPARATOR in name for name in names):
        return json.dumps(list(names), ensure_ascii=False)
    return SEPARATOR.join(names)


def _given(given: NDArray[np.int64], probabilities: Sequence[float]) -> list[int]:
    """Returns the ids of the labels given, the most probable first."""
    return sorted(np.flatnonzero(given).tolist(), key=lambda label: -probabilities[label])


def unknown_row(labels: int) -> NDArray[np.int64]:
    """Returns the `Truth` of a row that nothing is known of."""
    return np.full(labels, IGNORED, dtype=np.int64)
