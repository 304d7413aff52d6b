"""What a run says of its predictions: metrics and classification report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .probabilities import ClassIds, Logits, log_loss


@dataclass(frozen=True)
class Scores:
    """Metrics of predictions against labels, 0 to 1 but for the loss."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    log_loss: float
    """Mean cross-entropy in nats."""


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
    return str(_classification_report(logits, labels, names, as_dict=False))


def table_report(logits: Logits, labels: ClassIds, names: Sequence[str]) -> dict[str, Any]:
    """Returns scikit-learn's classification report with class names as a nested dict."""
    return dict(_classification_report(logits, labels, names, as_dict=True))


def _classification_report(logits: Logits, labels: ClassIds, names: Sequence[str], as_dict: bool) -> Any:
    from sklearn.metrics import classification_report

    # Classes that neither occur nor are predicted are left out, as in the macro F1 of `score`.
    present = np.union1d(labels, logits.argmax(-1)).astype(int)
    return classification_report(
        labels,
        logits.argmax(-1),
        labels=present,
        target_names=[names[index] for index in present],
        digits=4,
        zero_division=0,
        output_dict=as_dict,
    )
