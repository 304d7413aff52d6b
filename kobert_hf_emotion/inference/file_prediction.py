"""What was predicted for a file: counts, scores and reports of its rows, for each task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import confusion_scores
from ..metrics.classification_report import (
    table_report_of,
    table_report_of_labels,
    text_report_of,
    text_report_of_labels,
)
from ..metrics.multi_label import MultiLabelScores, scores_of_counts
from ..metrics.scores import Scores
from ..metrics.soft import from_sums
from ..modeling.long_texts import LongCounts
from ..tokenization.guard import UnknownTexts


@dataclass(frozen=True)
class FilePrediction(ABC):
    """What was predicted for a file.

    Attributes:
        labels: Label names in the order of their ids.
        predicted: Rows by the predicted label, shape (labels,).
        rows: Rows predicted.
        labelled: Rows whose label is known.
        log_loss: Mean cross-entropy in nats of the rows with a label; nan where there are none.
        unknown: The rows that the tokenizer could not read.
        long: The rows longer than the model reads, where these were answered in pieces.
    """

    labels: tuple[str, ...]
    predicted: NDArray[np.int64]
    rows: int
    labelled: int
    log_loss: float
    unknown: UnknownTexts
    long: LongCounts = field(default_factory=LongCounts, kw_only=True)

    @abstractmethod
    def scores(self) -> Scores:
        """Returns the metrics of the rows with a label."""

    @abstractmethod
    def text_report(self) -> str:
        """Returns scikit-learn's classification report of the rows with a label as text."""

    @abstractmethod
    def table_report(self) -> dict[str, Any]:
        """Returns the classification report as a nested dict."""


@dataclass(frozen=True)
class SingleLabelPrediction(FilePrediction):
    """Of one label a row.

    Attributes:
        confusion: Rows by true and predicted label, shape (classes, classes); rows without a label count nowhere.
    """

    confusion: NDArray[np.int64]

    def scores(self) -> Scores:
        """Returns what `metrics.scores.score` computes."""
        figures = {name: float(values[0]) for name, values in confusion_scores(self.confusion[None]).items()}
        return Scores(rows=self.labelled, log_loss=self.log_loss, **figures)

    def text_report(self) -> str:
        """Returns scikit-learn's classification report."""
        return text_report_of(self.confusion, self.labels)

    def table_report(self) -> dict[str, Any]:
        """Returns scikit-learn's classification report."""
        return table_report_of(self.confusion, self.labels)


@dataclass(frozen=True)
class TwoLevelPrediction(SingleLabelPrediction):
    """Of a fine label a row, and the coarse one.

    Attributes:
        coarse: The same of the coarse labels.
    """

    coarse: SingleLabelPrediction

    def coarse_counts(self) -> dict[str, int]:
        """Returns the rows by the coarse label predicted."""
        return dict(zip(self.coarse.labels, self.coarse.predicted.tolist(), strict=True))

    def coarse_report(self) -> dict[str, Any]:
        """Returns what a record says of the coarse labels: their rows and, where labels are known, the scores."""
        report: dict[str, Any] = {"predicted": self.coarse_counts()}
        if self.labelled:
            report |= {"scores": asdict(self.coarse.scores()), "report": self.coarse.table_report()}
        return report


@dataclass(frozen=True)
class MultiLabelPrediction(FilePrediction):
    """Of several labels a row. There is no mean average precision in it, for which all rows are needed at once.

    Attributes:
        counts: What the scores are computed from, summed over the rows; see `metrics.multi_label.answer_counts`.
    """

    counts: NDArray[np.int64]

    def scores(self) -> Scores:
        """Returns what `metrics.multi_label.multi_label_scores` computes, but for the mean average precision."""
        figures = {name: float(value) for name, value in scores_of_counts(self.counts, len(self.labels)).items()}
        return MultiLabelScores(rows=self.labelled, log_loss=self.log_loss, **figures)

    def text_report(self) -> str:
        """Returns scikit-learn's classification report and the scores of whole sets."""
        scores = self.scores()
        sets = f"subset accuracy {scores.accuracy:.4f}, Hamming loss {vars(scores)['hamming_loss']:.4f}"
        return f"{text_report_of_labels(self.counts, self.labels)}\n{sets}"

    def table_report(self) -> dict[str, Any]:
        """Returns scikit-learn's classification report."""
        return table_report_of_labels(self.counts, self.labels)


@dataclass(frozen=True)
class VotePrediction(SingleLabelPrediction):
    """Of votes for each label.

    Attributes:
        sums: What the figures against the votes are computed from; see `metrics.soft.vote_sums`.
    """

    sums: NDArray[np.float64]

    def scores(self) -> Scores:
        """Returns what `metrics.soft.soft_scores` computes."""
        found = confusion_scores(self.confusion[None])
        return from_sums(self.sums, {name: float(values[0]) for name, values in found.items()})

    def text_report(self) -> str:
        """Returns scikit-learn's classification report against the majority, and the figures against the votes."""
        scores = self.scores()
        figures = ", ".join(
            f"{scores.TITLES[name]} {vars(scores)[name]:.4f}" for name in ("vote_share", "log_loss", "jensen_shannon")
        )
        return f"{super().text_report()}\n{figures}"
