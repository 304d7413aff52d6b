"""Predictions for the rows of a file of any size: read, predicted and written a chunk at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.row_stream import RowStream
from ..metrics.bootstrap import confusion_scores
from ..metrics.classification_report import table_report_of, text_report_of
from ..metrics.probabilities import check_logits, log_losses
from ..metrics.scores import Scores
from ..modeling.prediction import DEFAULT_BATCH_SIZE
from ..tokenization.guard import UnknownTexts
from .logits_model import LogitsModel
from .prediction_csv import prediction_csv


@dataclass(frozen=True)
class FilePrediction:
    """What was predicted for a file.

    Attributes:
        labels: Label names in the order of their ids.
        predicted: Rows by the predicted label, shape (classes,).
        confusion: Rows by true and predicted label, shape (classes, classes); rows without a label count nowhere.
        log_loss: Mean cross-entropy in nats of the rows with a label; nan where there are none.
        unknown: The rows that the tokenizer could not read.
    """

    labels: tuple[str, ...]
    predicted: NDArray[np.int64]
    confusion: NDArray[np.int64]
    log_loss: float
    unknown: UnknownTexts

    @property
    def rows(self) -> int:
        """Rows predicted."""
        return int(self.predicted.sum())

    @property
    def labelled(self) -> int:
        """Rows whose label is known."""
        return int(self.confusion.sum())

    def scores(self) -> Scores:
        """Returns the metrics of the rows with a label, as `metrics.scores.score` computes them."""
        figures = {name: float(values[0]) for name, values in confusion_scores(self.confusion[None]).items()}
        return Scores(rows=self.labelled, log_loss=self.log_loss, **figures)

    def text_report(self) -> str:
        """Returns scikit-learn's classification report of the rows with a label as text."""
        return text_report_of(self.confusion, self.labels)

    def table_report(self) -> dict[str, Any]:
        """Returns scikit-learn's classification report as a nested dict."""
        return table_report_of(self.confusion, self.labels)


def predict_rows(
    model: LogitsModel,
    rows: RowStream,
    output: str | os.PathLike[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    on_progress: Callable[[int], None] | None = None,
) -> FilePrediction:
    """Predicts every row of a file and writes a CSV with a row for each, in their order.

    Texts of similar length are batched together within a chunk. The file takes its name when it is complete.

    Args:
        model: What predicts.
        rows: The rows; see `data.row_stream.open_rows`.
        output: CSV to write, which Excel opens with its Hangul intact (UTF-8 with a byte-order mark); none if None.
        batch_size: Texts a forward pass.
        on_progress: Called after each chunk with the number of its rows.

    Raises:
        DataError: The file is not what it was when it was counted.
        KoBERTEmotionError: The model's logits have no probabilities; see `metrics.probabilities.check_logits`.
        OSError: The output cannot be written; what was there is as it was.
    """
    counts = RunningCounts(tuple(model.labels))
    with nullcontext() if output is None else prediction_csv(output, model.labels) as table:
        for frame in rows.chunks():
            pairs = frame["text_pair"].tolist() if "text_pair" in frame else None
            logits = model.predict_logits(frame["text"].tolist(), pairs, batch_size, counts.unknown)
            check_logits(logits)
            truth = frame["label"].fillna(-1).to_numpy(dtype=np.int64) if "label" in frame else None
            counts.add(logits, truth)
            if table is not None:
                left = {str(name): column.tolist() for name, column in frame.items() if name != "label"}
                table.write(left, logits, truth)
            if on_progress is not None:
                on_progress(len(frame))
    return counts.prediction()


class RunningCounts:
    """What is known of the rows so far.

    Args:
        labels: Label names in the order of their ids.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._predicted = np.zeros(len(labels), dtype=np.int64)
        self._confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
        self._nats = 0.0
        self.unknown = UnknownTexts()

    def add(self, logits: NDArray[np.floating], truth: NDArray[np.int64] | None) -> None:
        """Adds rows; `truth` holds -1 where a row has no label."""
        chosen = logits.argmax(axis=-1)
        self._predicted += np.bincount(chosen, minlength=len(self._labels))
        if truth is not None:
            known = truth >= 0
            np.add.at(self._confusion, (truth[known], chosen[known]), 1)
            self._nats += float(log_losses(logits[known], truth[known]).sum())

    def to_dict(self) -> dict[str, Any]:
        """Returns the counts as values that JSON has, for `add_dict` of another process."""
        pairs = np.argwhere(self._confusion).tolist()
        return {
            "predicted": self._predicted.tolist(),
            "confusion": [[true, chosen, int(self._confusion[true, chosen])] for true, chosen in pairs],
            "nats": self._nats,
            "texts": self.unknown.texts,
            "unknown": self.unknown.unknown,
        }

    def add_dict(self, counts: Mapping[str, Any]) -> None:
        """Adds the rows that `to_dict` was called about."""
        self._predicted += np.array(counts["predicted"], dtype=np.int64)
        for true, chosen, rows in counts["confusion"]:
            self._confusion[true, chosen] += rows
        self._nats += counts["nats"]
        self.unknown.texts += counts["texts"]
        self.unknown.unknown += counts["unknown"]

    def prediction(self) -> FilePrediction:
        """Returns the counts of all rows that were added."""
        labelled = int(self._confusion.sum())
        log_loss = self._nats / labelled if labelled else float("nan")
        return FilePrediction(self._labels, self._predicted, self._confusion, log_loss, self.unknown)
