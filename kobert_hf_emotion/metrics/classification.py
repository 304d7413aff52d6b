"""Accuracy and F1 as an `evaluate` module of our own, which needs no network."""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, f1_score
from transformers import EvalPrediction

from .probabilities import check_logits


class EmotionMetrics(evaluate.Metric):  # type: ignore[misc]
    """Accuracy, macro F1 and weighted F1 of single-label classification.

    `evaluate.load("accuracy")` downloads a script from the Hub; this module is the same thing at hand. The
    formulas are scikit-learn's: a class that is neither present nor predicted does not count in the macro F1.

    Example:
        >>> EmotionMetrics().compute(predictions=[0, 1, 1], references=[0, 1, 2])["accuracy"]
        0.6666666666666666
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Accuracy, macro F1 and weighted F1 of single-label classification.",
            citation="",
            inputs_description="predictions and references: class ids, one for each row",
            features=datasets.Features({"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}),
        )

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        return classification_scores(references, predictions)


def classification_scores(labels: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Computes what `EmotionMetrics` does, without the Arrow table that `evaluate` makes of the rows first.

    Args:
        labels: Class ids, shape (rows,).
        predictions: Class ids, shape (rows,).

    Returns:
        `accuracy`, `macro_f1` and `weighted_f1`, 0 to 1.
    """
    return {
        "accuracy": float(accuracy_score(labels, predictions)),
        "macro_f1": float(f1_score(labels, predictions, average="macro")),
        "weighted_f1": float(f1_score(labels, predictions, average="weighted")),
    }


def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Computes the metrics of a Trainer's evaluation.

    Args:
        prediction: `predictions` are logits, shape (rows, classes); `label_ids` class ids, shape (rows,), with
            -100 for rows to leave out.

    Returns:
        `accuracy`, `macro_f1` and `weighted_f1`, 0 to 1.

    Raises:
        KoBERTEmotionError: Logits have no probabilities; see `metrics.probabilities.check_logits`.
    """
    logits: NDArray[Any] = np.asarray(prediction.predictions)
    references: NDArray[Any] = np.asarray(prediction.label_ids)
    kept = references != -100
    check_logits(logits[kept])
    return classification_scores(references[kept], logits.argmax(-1)[kept])
