"""Several labels a row: from probabilities to answers, and how good these are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .bootstrap import RESAMPLES, SEED, Interval, percentile_interval, resampled_sums, times_drawn, unit_numbers
from .calibration import BINS
from .probabilities import Logits, sigmoid
from .rates import rates
from .scores import Scores

Matrix = NDArray[np.integer] | NDArray[np.bool_]
"""1 where a row has a label, shape (rows, labels)."""
Probabilities = NDArray[np.float64]
DEFAULT_THRESHOLD = 0.5
PRECISION_RESAMPLES = 500


@dataclass(frozen=True)
class MultiLabelScores(Scores):
    """Metrics of sets of labels. `accuracy` is that of whole sets: every label of the row is right, and none besides.

    `log_loss` is the mean binary cross-entropy of all labels of all rows, in nats.
    """

    TITLES: ClassVar[dict[str, str]] = {
        "macro_f1": "macro F1",
        "micro_f1": "micro F1",
        "weighted_f1": "weighted F1",
        "mean_average_precision": "mAP",
        "accuracy": "subset accuracy",
        "hamming_loss": "Hamming loss",
    }

    CHOICE: ClassVar[str] = "macro_f1"
    SHORT: ClassVar[dict[str, str]] = {
        "macro_f1": "macro F1",
        "micro_f1": "micro F1",
        "weighted_f1": "weighted",
        "mean_average_precision": "mAP",
        "accuracy": "subset",
        "hamming_loss": "Hamming",
    }

    micro_f1: float = float("nan")
    """F1 of all decisions about all labels together."""
    mean_average_precision: float = float("nan")
    """Mean over the labels that some row has of their average precision, which knows no threshold."""
    hamming_loss: float = float("nan")
    """Share of decisions about labels that are wrong."""


def decide(probabilities: Probabilities, thresholds: NDArray[np.floating], allow_empty: bool = False) -> Matrix:
    """Returns the labels given to each row.

    A label is given where its probability is at its threshold or above. Where none is, and unless `allow_empty`, the
    label is given whose odds are the largest part of the odds of its threshold: the one that is nearest.

    Args:
        probabilities: Shape (rows, labels).
        thresholds: Shape (labels,), each 0 to 1.
        allow_empty: Whether a row may get none.

    Example:
        >>> decide(np.array([[0.9, 0.2], [0.3, 0.2]]), np.array([0.5, 0.25])).tolist()
        [[True, False], [False, True]]
    """
    chosen: NDArray[np.bool_] = probabilities >= thresholds
    if not allow_empty and probabilities.size:
        empty = np.flatnonzero(~chosen.any(axis=1))
        margins = _log_odds(probabilities[empty]) - _log_odds(thresholds)
        chosen[empty, margins.argmax(axis=1)] = True
    return chosen


def _log_odds(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    exact = np.clip(probabilities, 1e-12, 1 - 1e-12)
    odds: NDArray[np.float64] = np.log(exact) - np.log1p(-exact)
    return odds


def fit_thresholds(probabilities: Probabilities, truth: Matrix) -> NDArray[np.float64]:
    """Returns for each label the threshold with the highest F1, halfway between the probabilities on its two sides.

    A label that no row has gets `DEFAULT_THRESHOLD`. Of equally good thresholds the highest is taken.

    Args:
        probabilities: Of rows the model was not trained on, shape (rows, labels).
        truth: Their labels.

    Example:
        >>> fit_thresholds(np.array([[0.1], [0.3], [0.2]]), np.array([[0], [1], [0]])).tolist()
        [0.25]
    """
    thresholds = np.full(probabilities.shape[1], DEFAULT_THRESHOLD)
    for label, scores in enumerate(probabilities.T):
        if truth[:, label].any():
            thresholds[label] = _best_threshold(scores, truth[:, label])
    return thresholds


def _best_threshold(scores: NDArray[np.float64], has: Matrix) -> float:
    order = np.argsort(-scores)
    ordered = scores[order]
    hits = np.cumsum(has[order])
    given = np.arange(1, len(scores) + 1)
    f1 = 2 * hits / (given + hits[-1])
    f1[:-1][ordered[:-1] == ordered[1:]] = -1.0  # equal probabilities are given together
    last = int(f1.argmax())
    if last + 1 == len(ordered):
        return float(ordered[last] / 2)
    below = float(ordered[last + 1])
    middle = float((ordered[last] + below) / 2)
    return max(middle, math.nextafter(below, 1.0))  # the middle of two neighbouring numbers may be the lower one


def average_precision(probabilities: Probabilities, truth: Matrix) -> NDArray[np.float64]:
    """Returns the average precision of each label, nan for one that no row has.

    The sum over the distinct probabilities, from the highest on, of (R_n - R_(n-1)) P_n, with recall R and precision
    P of the rows at or above; scikit-learn's `average_precision_score`.

    Args:
        probabilities: Shape (rows, labels).
        truth: Labels of the rows.
    """
    found = np.full(probabilities.shape[1], np.nan)
    for label, scores in enumerate(probabilities.T):
        has = truth[:, label]
        if not has.any():
            continue
        order = np.argsort(-scores)
        hits: NDArray[np.int64] = np.cumsum(has[order])
        ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
        precision = hits[ends] / (ends + 1)
        found[label] = float((np.diff(hits[ends], prepend=0) * precision).sum() / hits[-1])
    return found


def binary_cross_entropy(logits: Logits, truth: Matrix) -> float:
    """Returns the mean of -log p of what is so, over all labels of all rows, in nats; finite for finite logits."""
    exact = logits.astype(np.float64)
    losses = np.logaddexp(0.0, np.where(truth, -exact, exact))
    return float(losses.mean())


def multi_label_scores(logits: Logits, truth: Matrix, chosen: Matrix) -> MultiLabelScores:
    """Computes the metrics of answers.

    F1 is 0 for a label that no row has and none is given: it counts in the macro F1, as in scikit-learn's with
    `zero_division=0`.

    Args:
        logits: Shape (rows, labels), for the metrics that know no threshold.
        truth: The labels of the rows.
        chosen: The labels given.
    """
    counts = answer_counts(truth, chosen).sum(axis=0)
    figures = {name: float(values) for name, values in scores_of_counts(counts, truth.shape[1]).items()}
    precision = average_precision(sigmoid(logits), truth)
    return MultiLabelScores(
        rows=len(truth),
        log_loss=binary_cross_entropy(logits, truth),
        mean_average_precision=float(np.nanmean(precision)) if (~np.isnan(precision)).any() else float("nan"),
        **figures,
    )


def answer_counts(truth: Matrix, chosen: Matrix) -> NDArray[np.int64]:
    """Returns for each row what scores are computed from: by label right, given and had; 1; 1 if all is right."""
    has, given = truth.astype(bool), chosen.astype(bool)
    exact = (has == given).all(axis=1, keepdims=True)
    return np.hstack([has & given, given, has, np.ones_like(exact), exact]).astype(np.int64)


def scores_of_counts(counts: NDArray[Any], labels: int) -> dict[str, NDArray[np.float64]]:
    """Computes F1s, accuracy and Hamming loss from sums of `answer_counts` over rows, in the last axis."""
    hits, given, had = _parts(counts, labels)
    rows, exact = counts[..., 3 * labels], counts[..., 3 * labels + 1]
    f1 = label_f1(counts, labels)
    total = np.maximum(had.sum(axis=-1), 1)
    return {
        "accuracy": exact / rows,
        "macro_f1": f1.mean(axis=-1),
        "micro_f1": rates(*(part.sum(axis=-1) for part in (hits, given, had)))["f1-score"],
        "weighted_f1": (f1 * had).sum(axis=-1) / total,
        "hamming_loss": (given + had - 2 * hits).sum(axis=-1) / (rows * labels),
    }


def multi_label_intervals(
    truth: Matrix,
    chosen: Matrix,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Interval]:
    """Computes 95% percentile bootstrap intervals of F1s, subset accuracy and Hamming loss.

    What is drawn, and what the intervals tell, is as for `metrics.bootstrap.score_intervals`; the thresholds are held
    fixed as well.

    Args:
        truth: The labels of the rows, shape (rows, labels).
        chosen: The labels given.
        groups: Rows with equal values come and go together; by default every row for itself.
        resamples: How often to draw.
        seed: Of the drawing.
    """
    drawn = resampled_sums(answer_counts(truth, chosen), groups, resamples, seed)
    scores = scores_of_counts(drawn, truth.shape[1])
    return {name: percentile_interval(values) for name, values in scores.items()}


def precision_interval(
    probabilities: Probabilities,
    truth: Matrix,
    groups: Sequence[Hashable] | None = None,
    resamples: int = PRECISION_RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Computes a 95% percentile bootstrap interval of the mean average precision.

    A row that is drawn twice counts twice; in each resample the mean is over the labels that some row drawn has, and
    resamples in which no row has any are left out. It is from fewer resamples than others, for it depends on the order
    of all rows, which sums do not keep.

    Args:
        probabilities: Shape (rows, labels).
        truth: The labels of the rows.
        groups: Rows with equal values come and go together; by default every row for itself.
        resamples: How often to draw.
        seed: Of the drawing.
    """
    if not truth.any():
        return Interval(float("nan"), float("nan"))
    units = unit_numbers(groups, len(truth))
    orders = np.argsort(-probabilities, axis=0)
    means = []
    for times in times_drawn(int(units.max()) + 1, resamples, seed):
        weights = times[:, units]
        found = np.full((len(times), truth.shape[1]), np.nan)
        for label, order in enumerate(orders.T):
            if truth[:, label].any():
                ends = np.flatnonzero(np.append(np.diff(probabilities[order, label]) != 0, True))
                found[:, label] = _weighted_precision(weights[:, order], truth[order, label], ends)
        means.append(np.nanmean(found[~np.isnan(found).all(axis=1)], axis=1))
    return percentile_interval(np.concatenate(means))


def _weighted_precision(weights: NDArray[np.float64], has: Matrix, ends: NDArray[np.intp]) -> NDArray[np.float64]:
    """Returns the average precision of one label in many resamples, nan where no row drawn has it.

    Args:
        weights: How often each row was drawn, the most probable row first, shape (resamples, rows).
        has: 1 where a row has the label.
        ends: The last row of each distinct probability.
    """
    hits = np.cumsum(weights * has, axis=1)[:, ends]
    given = np.cumsum(weights, axis=1)[:, ends]
    gained = np.diff(hits, prepend=0.0) * hits / np.maximum(given, 1.0)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = gained.sum(axis=1) / hits[:, -1]
    return found


def label_f1(counts: NDArray[Any], labels: int) -> NDArray[np.float64]:
    """Computes the F1 of each label from sums of `answer_counts` over rows, shape (…, labels)."""
    return rates(*_parts(counts, labels))["f1-score"]


def _parts(counts: NDArray[Any], labels: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Returns by label right, given and had of `answer_counts`."""
    hits, given, had = np.split(counts[..., : 3 * labels], 3, axis=-1)
    return hits, given, had


def label_calibration_errors(probabilities: Probabilities, truth: Matrix, bins: int = BINS) -> NDArray[np.float64]:
    """Returns for each label the expected calibration error of its probabilities, shape (labels,).

    The mean distance, weighted by rows, of the mean probability and the share of rows that have the label over equally
    wide bins of the probability; Guo et al. (2017), eq. 3, for a yes and a no.

    Args:
        probabilities: Shape (rows, labels).
        truth: Labels of the rows.
        bins: The number of bins between 0 and 1.
    """
    which = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    errors = np.zeros(probabilities.shape[1])
    for label in range(probabilities.shape[1]):
        confidence = np.bincount(which[:, label], weights=probabilities[:, label], minlength=bins)
        had = np.bincount(which[:, label], weights=truth[:, label], minlength=bins)
        errors[label] = np.abs(confidence - had).sum() / max(len(truth), 1)
    return errors


def label_table(probabilities: Probabilities, truth: Matrix, chosen: Matrix) -> dict[str, NDArray[np.float64]]:
    """Returns what is known of each label by itself, by the name of the figure; each of shape (labels,).

    Args:
        probabilities: Shape (rows, labels).
        truth: The labels of the rows.
        chosen: The labels given.

    Returns:
        `f1`, `precision`, `recall`, `average_precision`, `ece` (expected calibration error), `rows` that have the
        label, and `given`.
    """
    has, given = truth.astype(bool), chosen.astype(bool)
    hits = (has & given).sum(axis=0)
    rows, chosen_rows = has.sum(axis=0), given.sum(axis=0)
    found = rates(hits, chosen_rows, rows)
    return {
        "f1": found["f1-score"],
        "precision": found["precision"],
        "recall": found["recall"],
        "average_precision": average_precision(probabilities, truth),
        "ece": label_calibration_errors(probabilities, truth),
        "rows": rows.astype(np.float64),
        "given": chosen_rows.astype(np.float64),
    }
