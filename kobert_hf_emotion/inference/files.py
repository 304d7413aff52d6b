"""Predictions for the rows of a file of any size: read, predicted and written a chunk at a time."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.row_stream import RowStream
from ..metrics.probabilities import Logits, check_logits, log_losses, softmax
from ..metrics.scores import Scores
from ..modeling.prediction import DEFAULT_BATCH_SIZE
from ..tokenization.guard import UnknownTexts
from ..utils.files import atomic_write

if TYPE_CHECKING:
    import pandas as pd


class LogitsModel(Protocol):
    """What predicts: a `Classifier`, or an `OnnxClassifier`."""

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""

    def predict_logits(
        self,
        texts: Iterable[str],
        text_pairs: Iterable[str] | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        unknown: UnknownTexts | None = None,
    ) -> NDArray[np.float32]:
        """Returns what the softmax is taken of, shape (texts, classes)."""


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
        from sklearn.metrics import f1_score

        truth, predicted = self._pairs()
        macro, weighted = (
            float(f1_score(truth, predicted, average=average, zero_division=0)) for average in ("macro", "weighted")
        )
        accuracy = float(self.confusion.trace() / self.labelled)
        return Scores(self.labelled, accuracy, macro, weighted, self.log_loss)

    def text_report(self) -> str:
        """Returns scikit-learn's classification report of the rows with a label as text."""
        return str(self._report(as_dict=False))

    def table_report(self) -> dict[str, Any]:
        """Returns scikit-learn's classification report as a nested dict."""
        return dict(self._report(as_dict=True))

    def _report(self, as_dict: bool) -> Any:
        from sklearn.metrics import classification_report

        truth, predicted = self._pairs()
        present = np.union1d(truth, predicted)
        return classification_report(
            truth,
            predicted,
            labels=present,
            target_names=[self.labels[index] for index in present],
            digits=4,
            zero_division=0,
            output_dict=as_dict,
        )

    def _pairs(self) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Returns true and predicted ids, one pair a row, in no order that means anything."""
        size = len(self.labels)
        truth, predicted = np.divmod(np.repeat(np.arange(size * size), self.confusion.ravel()), size)
        return truth, predicted


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
    names = tuple(model.labels)
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    predicted = np.zeros(len(names), dtype=np.int64)
    nats, unknown = 0.0, UnknownTexts()
    with _opened(output) as handle:
        table = None if handle is None else _PredictionTable(handle, names)
        for frame in rows.chunks():
            pairs = frame["text_pair"].tolist() if "text_pair" in frame else None
            logits = model.predict_logits(frame["text"].tolist(), pairs, batch_size, unknown)
            check_logits(logits)
            chosen = logits.argmax(axis=-1)
            predicted += np.bincount(chosen, minlength=len(names))
            if "label" in frame:
                truth = frame["label"].fillna(-1).to_numpy(dtype=np.int64)
                known = truth >= 0
                np.add.at(confusion, (truth[known], chosen[known]), 1)
                nats += float(log_losses(logits[known], truth[known]).sum())
            if table is not None:
                table.write(frame, logits)
            if on_progress is not None:
                on_progress(len(frame))
    labelled = int(confusion.sum())
    return FilePrediction(names, predicted, confusion, nats / labelled if labelled else float("nan"), unknown)


@contextmanager
def _opened(output: str | os.PathLike[str] | None) -> Iterator[IO[Any] | None]:
    if output is None:
        yield None
    else:
        with atomic_write(output, "w", encoding="utf-8-sig", newline="") as handle:
            yield handle


class _PredictionTable:
    """The table that `metrics.scores.write_predictions` writes, a chunk at a time."""

    def __init__(self, handle: IO[str], names: Sequence[str]) -> None:
        self._writer = csv.writer(handle)
        self._names = names
        self._has_header = False

    def write(self, frame: pd.DataFrame, logits: Logits) -> None:
        """Writes rows and what is predicted for them; logits of shape (rows, classes)."""
        columns = [name for name in frame.columns if name != "label"]
        left = [frame[name].tolist() for name in columns]
        if "label" in frame:
            columns.append("label")
            left.append([self._names[index] if index >= 0 else "" for index in frame["label"].fillna(-1).tolist()])
        if not self._has_header:
            self._writer.writerow([*columns, "prediction", "score", *(f"prob_{name}" for name in self._names)])
            self._has_header = True
        probabilities = softmax(logits)
        best = probabilities.argmax(axis=-1).tolist()
        for cells, index, row in zip(zip(*left, strict=True), best, probabilities.tolist(), strict=True):
            self._writer.writerow([*cells, self._names[index], f"{row[index]:.6f}", *(f"{p:.6f}" for p in row)])
