"""Predictions for the rows of a file of any size: read, predicted and written a chunk at a time."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import counted_as
from ..data.label_ids import Truth, rows_of_labels
from ..data.row_stream import RowStream
from ..metrics.bootstrap import confusion_scores
from ..metrics.classification_report import (
    table_report_of,
    table_report_of_labels,
    text_report_of,
    text_report_of_labels,
)
from ..metrics.multi_label import MultiLabelScores, answer_counts, binary_cross_entropy, scores_of_counts
from ..metrics.probabilities import check_logits, log_losses
from ..metrics.scores import Scores
from ..metrics.soft import VOTE_SUMS, from_sums, vote_sums
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..modeling.long_texts import LongCounts
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..tasks.two_levels import TwoLevels
from ..tokenization.guard import UnknownTexts
from ..tokenization.long_texts import LongTexts
from .logits_model import LogitsModel
from .prediction_csv import prediction_csv


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


def predict_rows(
    model: LogitsModel,
    rows: RowStream,
    output: str | os.PathLike[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    on_progress: Callable[[int], None] | None = None,
    long: LongTexts | None = None,
) -> FilePrediction:
    """Predicts every row of a file and writes a CSV with a row for each, in their order.

    Texts of similar length are batched together within a chunk. The file takes its name when it is complete.

    Args:
        model: What predicts.
        rows: The rows; see `data.row_stream.open_rows`.
        output: CSV to write, which Excel opens with its Hangul intact (UTF-8 with a byte-order mark); none if None.
        batch_size: Texts a forward pass.
        on_progress: Called after each chunk with the number of its rows.
        long: How texts longer than the model reads are answered; the column `parts` then has what it says of the
            pieces, as JSON. None cuts them.

    Raises:
        DataError: The file is not what it was when it was counted.
        KoBERTEmotionError: The model's logits have no probabilities; see `metrics.probabilities.check_logits`.
        OSError: The output cannot be written; what was there is as it was.
    """
    counts = counts_of(tuple(model.labels), model.task)
    with nullcontext() if output is None else prediction_csv(output, model.labels, model.task) as table:
        for frame in rows.chunks():
            pairs = frame["text_pair"].tolist() if "text_pair" in frame else None
            logits, parts = _answer(model, frame["text"].tolist(), pairs, batch_size, counts, long)
            check_logits(logits)
            truth = rows.kind.truth(frame["label"], model.labels) if "label" in frame else None
            counts.add(logits, truth)
            if table is not None:
                left = {str(name): column.tolist() for name, column in frame.items() if name != "label"}
                table.write(left | parts, logits, truth)
            if on_progress is not None:
                on_progress(len(frame))
    return replace(counts.prediction(), long=counts.long)


def _answer(
    model: LogitsModel,
    texts: list[str],
    pairs: list[str] | None,
    batch_size: int,
    counts: Counts,
    long: LongTexts | None,
) -> tuple[NDArray[np.float32], dict[str, list[str]]]:
    """Returns the logits of texts, and the column that tells of their pieces where there are any."""
    if long is None:
        return model.predict_logits(texts, pairs, batch_size, counts.unknown), {}
    answer = model.answer_long(texts, long, pairs, batch_size, counts.unknown)
    counts.long.add(answer.counts)
    return answer.logits, {"parts": answer.cells(model.task, model.labels)}


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
