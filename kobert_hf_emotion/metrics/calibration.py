"""Whether a probability of 80% is right 8 times in 10, and the temperature that brings it nearer to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .probabilities import Target, log_loss, softmax

BINS = 15
TEMPERATURES = (0.05, 20.0)
"""Where a temperature is looked for. Logits that are right in every row have no best one: colder is always better."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose highest probability lies in one bin, `low` excluded and `high` included."""

    low: float
    high: float
    rows: int
    confidence: float
    """Mean of the highest probabilities; 0 without rows."""
    accuracy: float
    """Share of the rows predicted rightly, or of the votes that agree with the prediction; 0 without rows."""


@dataclass(frozen=True)
class Calibration:
    """The probabilities of out-of-fold predictions before and after scaling by temperature."""

    temperature: float
    """Fitted on the out-of-fold logits of all rows; what the models of the folds are saved with."""
    fold_temperatures: list[float]
    """For each fold the one fitted on the rows of the others, which the figures after scaling come from."""
    ece_before: float
    ece_after: float
    log_loss_before: float
    log_loss_after: float
    before: list[ReliabilityBin]
    after: list[ReliabilityBin]


def reliability_bins(probabilities: NDArray[np.floating], labels: Target, bins: int = BINS) -> list[ReliabilityBin]:
    """Sorts rows into equally wide bins of their highest probability.

    Args:
        probabilities: Shape (rows, classes), 0 to 1.
        labels: Class ids, shape (rows,), or shares of votes, shape (rows, classes).
        bins: The number of bins between 0 and 1.
    """
    confidence = probabilities.max(axis=1)
    answers = probabilities.argmax(axis=1)
    correct = answers == labels if labels.ndim == 1 else labels[np.arange(len(labels)), answers]
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.digitize(confidence, edges, right=True) - 1, 0, bins - 1)
    rows = np.bincount(which, minlength=bins)
    divisor = np.maximum(rows, 1)
    confidences = np.bincount(which, weights=confidence, minlength=bins) / divisor
    accuracies = np.bincount(which, weights=correct, minlength=bins) / divisor
    return [
        ReliabilityBin(float(edges[i]), float(edges[i + 1]), int(rows[i]), float(confidences[i]), float(accuracies[i]))
        for i in range(bins)
    ]


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Returns the mean distance of confidence and accuracy over the bins, weighted by their rows, 0 to 1.

    Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, eq. 3; they use 15 bins.
    """
    total = sum(found.rows for found in bins)
    return sum(found.rows * abs(found.accuracy - found.confidence) for found in bins) / total


def fit_temperature(logits: NDArray[np.floating], labels: Target) -> float:
    """Returns the temperature T that makes the mean cross-entropy of softmax(logits / T) least.

    Guo et al. (2017), section 4.2. The cross-entropy is convex in 1 / T, so that it has one minimum. Dividing by T
    leaves the order of the classes, and so every predicted label, as it is.

    Args:
        logits: Shape (rows, classes), of rows the model was not trained on.
        labels: Class ids, shape (rows,), or shares of votes, shape (rows, classes).

    Returns:
        T, within `TEMPERATURES`; 1 where no other temperature is better.
    """

    def at(log_temperature: float) -> float:
        return log_loss(logits / np.exp(log_temperature), labels)

    from scipy.optimize import minimize_scalar  # which takes long to import, and predicting needs none

    found = minimize_scalar(at, bounds=np.log(TEMPERATURES).tolist(), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x)) if at(found.x) < at(0.0) else 1.0


def calibrate_out_of_fold(
    logits: NDArray[np.floating], labels: Target, fold_numbers: NDArray[np.integer]
) -> Calibration:
    """Fits a temperature on out-of-fold logits, and measures what such a temperature is worth.

    The figures after scaling are cross-fitted: the rows of a fold are scaled by the temperature that was fitted on
    the rows of the other folds, so that no row had a say in its own.

    Args:
        logits: Shape (rows, classes).
        labels: Class ids, shape (rows,), or shares of votes, shape (rows, classes).
        fold_numbers: The fold each row was held out in, shape (rows,).
    """
    numbers = np.unique(fold_numbers)
    scaled = logits.astype(np.float64)
    temperatures = []
    for number in numbers:
        held_out = fold_numbers == number
        temperatures.append(fit_temperature(logits[~held_out], labels[~held_out]))
        scaled[held_out] /= temperatures[-1]
    before, after = (reliability_bins(softmax(found), labels) for found in (logits, scaled))
    return Calibration(
        temperature=fit_temperature(logits, labels),
        fold_temperatures=temperatures,
        ece_before=expected_calibration_error(before),
        ece_after=expected_calibration_error(after),
        log_loss_before=log_loss(logits, labels),
        log_loss_after=log_loss(scaled, labels),
        before=before,
        after=after,
    )
