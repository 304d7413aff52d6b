"""What every task can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from typing_extensions import NotRequired

from ..data.column_names import LABEL_COLUMN
from ..data.label_ids import Truth
from ..data.task_names import TaskName
from ..metrics.bootstrap import Interval
from ..metrics.probabilities import Logits, log_softmax
from ..metrics.scores import Scores
from ..wording import Language

if TYPE_CHECKING:
    from transformers import EvalPrediction

    from .two_levels import TwoLevels


class CoarsePrediction(TypedDict):
    """What the model says of one text on the coarse of two levels: sums of the probabilities of the fine labels."""

    label: str
    """The most probable coarse label."""
    score: float
    """Its probability, 0 to 1."""
    probabilities: dict[str, float]
    """The probability of every coarse label in percent."""


class Prediction(TypedDict):
    """What the model says of one text."""

    label: str
    """The most probable label."""
    score: float
    """Its probability, 0 to 1."""
    probabilities: dict[str, float]
    """The probability of every label in percent, 0 to 100, rounded to two decimal places."""
    labels: NotRequired[list[str]]
    """Of a multi-label model: the labels given, the most probable first."""
    coarse: NotRequired[CoarsePrediction]
    """Of a model with two levels of labels: the coarse one."""


class Task(ABC):
    """How logits become answers, and how good these are.

    Logits have shape (rows, labels); what is known of the rows is a `Truth`.
    """

    name: TaskName
    allow_empty: bool = False
    """Whether a text may get no label."""
    start_bias: float = 0.0
    """Of the logits of a new head: what it answers before it has learned anything."""
    problem_type: str | None
    """What a saved configuration calls it, as transformers does; None where that follows from the labels."""

    @abstractmethod
    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """Returns the probability of each label, shape (rows, labels)."""

    @abstractmethod
    def answers(self, logits: Logits) -> NDArray[np.int64]:
        """Returns what is answered: the id of a label a row, or, of several, 1 where a row gets the label."""

    @abstractmethod
    def right(self, logits: Logits, truth: Truth) -> NDArray[np.bool_]:
        """Tells of each row whether the answer is wholly right, shape (rows,)."""

    @abstractmethod
    def score(self, logits: Logits, truth: Truth) -> Scores:
        """Computes the metrics of rows whose labels are known."""

    @abstractmethod
    def score_answers(self, logits: Logits, truth: Truth, answers: NDArray[np.int64]) -> Scores:
        """Computes the metrics of answers that others than this task gave; the logits tell what needs no answers."""

    @abstractmethod
    def calibration_error(self, logits: Logits, truth: Truth) -> float:
        """Returns the expected calibration error of the probabilities, 0 to 1."""

    @abstractmethod
    def held_out_answers(self, logits: Logits, truth: Truth, folds: NDArray[np.integer]) -> NDArray[np.int64]:
        """Returns the answers to rows, as `answers` does, by what was fitted on the other folds where there is a fit.

        Args:
            logits: Out-of-fold logits, as trained.
            truth: The labels of the rows.
            folds: The fold each row was held out in, shape (rows,).
        """

    @abstractmethod
    def by_label(self, logits: Logits, truth: Truth) -> dict[str, NDArray[np.float64]] | None:
        """Returns figures of each label by itself, shape (labels,) each; None where a report of classes has them."""

    @abstractmethod
    def intervals(self, logits: Logits, truth: Truth, groups: Sequence[Hashable] | None = None) -> dict[str, Interval]:
        """Computes 95% bootstrap intervals of the metrics; rows of a group are drawn together."""

    @abstractmethod
    def mean(self, logits: Sequence[Logits]) -> NDArray[np.float32]:
        """Returns logits that give the mean of the probabilities that several models' logits give."""

    def highest(self, logits: Sequence[Logits]) -> NDArray[np.float32]:
        """Returns logits that give, of each label, the highest probability of several logits, brought to a sum of 1."""
        most = np.max([log_softmax(found) for found in logits], axis=0)
        return log_softmax(most).astype(np.float32)

    @abstractmethod
    def predictions(self, logits: Logits, labels: Sequence[str]) -> list[Prediction]:
        """Turns logits into labelled predictions; `labels` are the names in the order of the columns."""

    @abstractmethod
    def cells(self, logits: Logits, labels: Sequence[str]) -> list[list[str]]:
        """Returns for each row the cells of a table: the answer, its score, and the probability of each label."""

    def titles(self, labels: Sequence[str]) -> list[str]:
        """Returns the titles of the cells that `cells` returns."""
        return ["prediction", "score", *(f"prob_{name}" for name in labels)]

    @property
    def levels(self) -> TwoLevels | None:
        """The task itself where labels have two levels, None where they have one."""
        return None

    @abstractmethod
    def true_cell(self, truth: Truth, index: int, labels: Sequence[str]) -> str:
        """Returns the cell of a table that says what is known of a row; empty where nothing is."""

    def true_columns(self, truth: Truth, labels: Sequence[str]) -> dict[str, list[str]]:
        """Returns the columns of a table that say what is known of rows, by their names."""
        return {LABEL_COLUMN: [self.true_cell(truth, index, labels) for index in range(len(truth))]}

    def settings(self) -> dict[str, Any]:
        """Returns what a model's configuration says of the answers beside the `problem_type`."""
        return {}

    def about(self, language: Language = "both") -> str | None:  # noqa: ARG002 - of one label there is nothing to say
        """Returns what an answer depends on beside the logits; None where that is nothing."""
        return None

    @abstractmethod
    def evaluate(self, prediction: EvalPrediction) -> dict[str, float]:
        """Computes the metrics of a Trainer's evaluation."""
