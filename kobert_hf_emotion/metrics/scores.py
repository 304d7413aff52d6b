"""What a run says of its predictions: metrics and classification report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..wording import Language
from .classification_report import table_report_of, text_report_of
from .probabilities import ClassIds, Logits, log_loss


@dataclass(frozen=True)
class Scores:
    """Metrics of predictions against labels, 0 to 1 but for the loss."""

    TITLES: ClassVar[dict[str, str]] = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "weighted_f1": "weighted F1",
    }
    """What tables show, and what it is called there."""

    CHOICE: ClassVar[str] = "accuracy"
    """What the best of several is chosen by on test rows."""
    SHORT: ClassVar[dict[str, str]] = {"accuracy": "accuracy", "macro_f1": "macro F1"}
    """What the table of a test shows, in short."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    log_loss: float
    """Mean cross-entropy in nats."""

    def remarks(self, language: Language = "both") -> list[str]:  # noqa: ARG002 - of one label a row there are none
        """Returns what is to be known to read the figures, as lines."""
        return []

    @property
    def choice(self) -> float:
        """The figure that `CHOICE` names."""
        return float(getattr(self, self.CHOICE))


def score(logits: Logits, labels: ClassIds) -> Scores:
    """Computes the metrics of logits, shape (rows, classes), against class ids, shape (rows,).

    Raises:
        KoBERTEmotionError: A label is no class id, or logits have no probabilities; see `probabilities`.
    """
    from .classification import classification_scores

    nats = log_loss(logits, labels)
    return Scores(rows=len(labels), log_loss=nats, **classification_scores(labels, logits.argmax(axis=1)))


def text_report(logits: Logits, labels: ClassIds, names: Sequence[str]) -> str:
    """Returns scikit-learn's classification report with class names as text."""
    return text_report_of(_confusion(logits, labels, len(names)), names)


def table_report(logits: Logits, labels: ClassIds, names: Sequence[str]) -> dict[str, Any]:
    """Returns scikit-learn's classification report with class names as a nested dict."""
    return table_report_of(_confusion(logits, labels, len(names)), names)


def _confusion(logits: Logits, labels: ClassIds, classes: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(labels * classes + logits.argmax(-1), minlength=classes * classes)
    return counts.reshape(classes, classes)
