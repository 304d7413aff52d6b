"""Counts of predicted rows, added a chunk at a time, in one process or in several, for each task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import counted_as
from ..data.label_ids import Truth, rows_of_labels
from ..metrics.multi_label import answer_counts, binary_cross_entropy
from ..metrics.probabilities import log_losses
from ..metrics.soft import VOTE_SUMS, vote_sums
from ..modeling.long_texts import LongCounts
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..tasks.two_levels import TwoLevels
from ..tokenization.guard import UnknownTexts
from .file_prediction import (
    FilePrediction,
    MultiLabelPrediction,
    SingleLabelPrediction,
    TwoLevelPrediction,
    VotePrediction,
)


class Counts(ABC):
    """What is known of the rows so far.

    Args:
        labels: Label names in the order of their ids.
        task: How logits become answers.
    """

    def __init__(self, labels: tuple[str, ...], task: Task) -> None:
        self._labels = labels
        self._task = task
        self._predicted = np.zeros(len(labels), dtype=np.int64)
        self._rows = self._labelled = 0
        self._nats = 0.0
        self.unknown = UnknownTexts()
        self.long = LongCounts()

    def add(self, logits: NDArray[np.floating], truth: Truth | None) -> None:
        """Adds rows; `truth` is below 0 where a row's label is not known."""
        answers = self._task.answers(logits)
        self._rows += len(logits)
        self._predicted += rows_of_labels(answers, len(self._labels))
        if truth is not None:
            known = (truth >= 0) if truth.ndim == 1 else (truth >= 0).all(axis=1)
            self._labelled += int(known.sum())
            self._compare(logits[known], truth[known], answers[known])

    @abstractmethod
    def _compare(self, logits: NDArray[np.floating], truth: Truth, answers: NDArray[np.int64]) -> None:
        """Counts rows whose label is known."""

    @abstractmethod
    def prediction(self) -> FilePrediction:
        """Returns the counts of all rows that were added."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts as values that JSON has, for `add_dict` of another process."""
        return {
            "rows": self._rows,
            "labelled": self._labelled,
            "predicted": self._predicted.tolist(),
            "nats": self._nats,
            "texts": self.unknown.texts,
            "unknown": self.unknown.unknown,
        }

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        self._rows += counts["rows"]
        self._labelled += counts["labelled"]
        self._predicted += np.array(counts["predicted"], dtype=np.int64)
        self._nats += counts["nats"]
        self.unknown.texts += counts["texts"]
        self.unknown.unknown += counts["unknown"]

    def _known(self) -> tuple[tuple[str, ...], NDArray[np.int64], int, int, float, UnknownTexts]:
        nats = self._nats / self._labelled if self._labelled else float("nan")
        return (self._labels, self._predicted, self._rows, self._labelled, nats, self.unknown)


class RunningCounts(Counts):
    """Counts of rows with one label each.

    Args:
        labels: Label names in the order of their ids.
    """

    def __init__(self, labels: tuple[str, ...], task: Task | None = None) -> None:
        super().__init__(labels, task or SingleLabel())
        self._confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)

    def _compare(self, logits: NDArray[np.floating], truth: Truth, answers: NDArray[np.int64]) -> None:
        np.add.at(self._confusion, (truth, answers), 1)
        self._nats += float(log_losses(logits, truth).sum())

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts and the confusion matrix, of which the cells that are not 0."""
        pairs = np.argwhere(self._confusion).tolist()
        cells = [[true, chosen, int(self._confusion[true, chosen])] for true, chosen in pairs]
        return super().to_dict() | {"confusion": cells}

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        super().add_dict(counts)
        for true, chosen, rows in counts["confusion"]:
            self._confusion[true, chosen] += rows

    def prediction(self) -> SingleLabelPrediction:
        """Returns the counts of all rows that were added."""
        return SingleLabelPrediction(*self._known(), self._confusion)


class TwoLevelCounts(RunningCounts):
    """Counts of rows with a fine label each, and of the coarse ones."""

    def __init__(self, labels: tuple[str, ...], task: TwoLevels) -> None:
        super().__init__(labels, task)
        self._levels = task
        self._coarse = RunningCounts(task.coarse)

    def add(self, logits: NDArray[np.floating], truth: Truth | None) -> None:
        """Adds rows to the counts of both levels."""
        super().add(logits, truth)
        above = None if truth is None else self._levels.hierarchy.ids(truth)
        self._coarse.add(self._levels.coarse_logits(logits), above)

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts of both levels."""
        return super().to_dict() | {"coarse": self._coarse.to_dict()}

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        super().add_dict(counts)
        self._coarse.add_dict(counts["coarse"])

    def prediction(self) -> TwoLevelPrediction:
        """Returns the counts of all rows that were added."""
        return TwoLevelPrediction(*self._known(), self._confusion, self._coarse.prediction())


class LabelCounts(Counts):
    """Counts of rows with several labels each."""

    def __init__(self, labels: tuple[str, ...], task: Task) -> None:
        super().__init__(labels, task)
        self._counts = np.zeros(3 * len(labels) + 2, dtype=np.int64)

    def _compare(self, logits: NDArray[np.floating], truth: Truth, answers: NDArray[np.int64]) -> None:
        if len(truth):
            self._counts += answer_counts(truth, answers).sum(axis=0)
            self._nats += len(truth) * binary_cross_entropy(logits, truth)

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts and what the scores are computed from."""
        return super().to_dict() | {"sums": self._counts.tolist()}

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        super().add_dict(counts)
        self._counts += np.array(counts["sums"], dtype=np.int64)

    def prediction(self) -> MultiLabelPrediction:
        """Returns the counts of all rows that were added."""
        return MultiLabelPrediction(*self._known(), self._counts)


class VoteCounts(RunningCounts):
    """Counts of rows with votes for each label."""

    def __init__(self, labels: tuple[str, ...], task: Task) -> None:
        super().__init__(labels, task)
        self._sums = np.zeros(VOTE_SUMS)

    def _compare(self, logits: NDArray[np.floating], truth: Truth, answers: NDArray[np.int64]) -> None:
        np.add.at(self._confusion, (counted_as(truth, answers), answers), 1)
        self._nats += float(log_losses(logits, truth).sum())
        self._sums += vote_sums(logits, truth, answers).sum(axis=0)

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts and what the figures against the votes are computed from."""
        return super().to_dict() | {"sums": self._sums.tolist()}

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        super().add_dict(counts)
        self._sums += np.array(counts["sums"])

    def prediction(self) -> VotePrediction:
        """Returns the counts of all rows that were added."""
        return VotePrediction(*self._known(), self._confusion, self._sums)


def counts_of(labels: tuple[str, ...], task: Task) -> Counts:
    """Returns counts of no rows yet; `labels` are the names in the order of their ids."""
    if task.levels is not None:
        return TwoLevelCounts(labels, task.levels)
    return _COUNTS[task.name](labels, task)


_COUNTS: dict[str, Callable[[tuple[str, ...], Task], Counts]] = {
    "single-label": RunningCounts,
    "multi-label": LabelCounts,
    "soft": VoteCounts,
}
