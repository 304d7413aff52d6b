"""Several labels a row: a scale for each label that brings its probabilities nearer to how often it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from .calibration import BINS
from .multi_label import Matrix, label_calibration_errors
from .probabilities import Logits, sigmoid

_STEPS = 100
_HALVINGS = 40
_FLAT = 1e-8
"""Largest part of a gradient at which a fit has arrived."""
_ROUNDING = 1e-12
"""How much a loss may rise in a step because it is rounded."""
_RIDGE = 1e-12
"""Keeps a label whose probabilities are all 0 or 1 from having no step at all."""


@dataclass(frozen=True)
class LabelScales:
    """The calibrated logit of a label: slope · logit + shift, one of each a label.

    Slopes are above 0, so that the rows of a label stay in their order: what a threshold fitted for it can tell apart,
    and its average precision, do not change. Its place among the other labels may.
    """

    slopes: tuple[float, ...]
    shifts: tuple[float, ...]

    @classmethod
    def none(cls, labels: int) -> Self:
        """Returns scales that leave all logits as they are."""
        return cls((1.0,) * labels, (0.0,) * labels)

    @classmethod
    def of_pairs(cls, pairs: Sequence[Sequence[float]]) -> Self:
        """Returns the scales of a slope and a shift for each label."""
        return cls(tuple(float(slope) for slope, _ in pairs), tuple(float(shift) for _, shift in pairs))

    @property
    def pairs(self) -> list[list[float]]:
        """A slope and a shift for each label."""
        return [list(pair) for pair in zip(self.slopes, self.shifts, strict=True)]

    @property
    def kept(self) -> list[bool]:
        """Whether each label has a scale that does something."""
        return [pair != [1.0, 0.0] for pair in self.pairs]

    def apply(self, logits: Logits) -> NDArray[np.float32]:
        """Returns calibrated logits, shape (rows, labels)."""
        slopes, shifts = self._arrays()
        scaled: NDArray[np.float32] = (logits * slopes + shifts).astype(np.float32)
        return scaled

    def undo(self, logits: Logits) -> NDArray[np.float32]:
        """Returns logits as they were before `apply`."""
        slopes, shifts = self._arrays()
        trained: NDArray[np.float32] = ((logits - shifts) / slopes).astype(np.float32)
        return trained

    def _arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return np.array(self.slopes, dtype=np.float32), np.array(self.shifts, dtype=np.float32)


@dataclass(frozen=True)
class LabelCalibration:
    """Scales of out-of-fold logits, and what they are worth.

    Figures before are those of the logits as trained; figures after are cross-fitted: the rows of a fold have the
    scales that were chosen and fitted on the rows of the other folds.
    """

    scales: LabelScales
    """Chosen and fitted on all rows."""
    folds: dict[int, LabelScales]
    """For each fold those of the rows of the others."""
    ece_before: NDArray[np.float64]
    """Expected calibration error of each label, shape (labels,)."""
    ece_after: NDArray[np.float64]
    loss_before: NDArray[np.float64]
    """Mean binary cross-entropy of each label in nats, shape (labels,)."""
    loss_after: NDArray[np.float64]


def platt_scales(logits: Logits, truth: Matrix) -> LabelScales:
    """Fits for each label sigmoid(slope · logit + shift) to whether rows have it, by Platt's method.

    Platt (1999), Probabilistic Outputs for Support Vector Machines, section 2.2: the slope a and the shift b with the
    least cross-entropy

        -sum over rows of t · log p + (1 - t) · log(1 - p),  p = 1 / (1 + exp(-(a · logit + b)))

    where t is (P + 1) / (P + 2) in the P rows that have the label and 1 / (N + 2) in the N others, so that labels that
    can be told apart without a mistake have a best scale too. Beside the sum stands (a - 1)² / 2, a normal prior of the
    slope: where the logits of a label hardly differ, chance alone would make it hundreds. It is convex; Newton's steps,
    halved where they lead upwards, as in Lin, Lin and Weng (2007), A Note on Platt's Probabilistic Outputs.

    Args:
        logits: Shape (rows, labels), of rows the model was not trained on.
        truth: 1 where a row has a label.

    Returns:
        The scales. A label that no row or every row has, and one whose slope would not be above 0, keeps its logits.
    """
    exact = logits.astype(np.float64)
    has = truth.astype(bool)
    rows, having = len(has), has.sum(axis=0)
    target = np.where(has, (having + 1.0) / (having + 2.0), 1.0 / (rows - having + 2.0))
    slopes, shifts = np.zeros(exact.shape[1]), np.log((having + 1.0) / (rows - having + 1.0))
    losses = _objective(exact, target, slopes, shifts)
    for _ in range(_STEPS):
        probabilities = sigmoid(exact * slopes + shifts)
        wrong, spread = probabilities - target, probabilities * (1 - probabilities)
        to_slope = (wrong * exact).mean(axis=0) + (slopes - 1) / rows
        to_shift = wrong.mean(axis=0)
        if max(np.abs(to_slope).max(), np.abs(to_shift).max()) < _FLAT:
            break
        weight = spread.mean(axis=0) + _RIDGE
        centre = (spread * exact).mean(axis=0) / weight  # seen from it, slope and shift do not depend on each other
        step_slope = (to_slope - centre * to_shift) / ((spread * (exact - centre) ** 2).mean(axis=0) + 1 / rows)
        step_shift = to_shift / weight - centre * step_slope
        size = np.ones_like(slopes)
        for _ in range(_HALVINGS):
            tried = _objective(exact, target, slopes - size * step_slope, shifts - size * step_shift)
            upwards = ~(tried <= losses + _ROUNDING)
            if not upwards.any():
                break
            size[upwards] /= 2
        slopes, shifts, losses = slopes - size * step_slope, shifts - size * step_shift, tried
    useless = (having == 0) | (having == rows) | ~(slopes > 0)
    return LabelScales(
        tuple(np.where(useless, 1.0, slopes).tolist()),
        tuple(np.where(useless, 0.0, shifts).tolist()),
    )


def _cross_entropy(
    logits: NDArray[np.float64],
    target: NDArray[np.float64] | Matrix,
    slopes: NDArray[np.float64],
    shifts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Returns the mean cross-entropy of each label with its targets, shape (labels,)."""
    scaled = logits * slopes + shifts
    losses: NDArray[np.float64] = (np.logaddexp(0.0, scaled) - target * scaled).mean(axis=0)
    return losses


def _objective(
    logits: NDArray[np.float64], target: NDArray[np.float64], slopes: NDArray[np.float64], shifts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns what `platt_scales` makes least, divided by the number of rows, shape (labels,)."""
    return _cross_entropy(logits, target, slopes, shifts) + (slopes - 1) ** 2 / (2 * len(logits))


def label_losses(logits: Logits, truth: Matrix) -> NDArray[np.float64]:
    """Returns the mean binary cross-entropy of each label in nats, shape (labels,)."""
    ones = np.ones(logits.shape[1])
    return _cross_entropy(logits.astype(np.float64), truth, ones, np.zeros_like(ones))


def fit_label_scales(logits: Logits, truth: Matrix, folds: NDArray[np.integer]) -> LabelScales:
    """Fits the scales of labels, and keeps those that lower the cross-entropy on rows they were not fitted on.

    Whether one does is seen by fitting it on all folds but one and taking the loss of that one, for each in turn.

    Args:
        logits: Shape (rows, labels), of rows the model was not trained on.
        truth: 1 where a row has a label.
        folds: The fold of each row; where all are of one, every second row stands in for another.

    Example:
        >>> logits = np.tile([[-1.0], [0.5], [-0.5], [1.0]], (10, 1))
        >>> found = fit_label_scales(logits, (logits > 0).astype(int), np.arange(40) % 4)
        >>> found.slopes[0] > 1  # always right, and not sure enough
        True
    """
    if len(np.unique(folds)) < 2:
        folds = np.arange(len(folds)) % 2
    scaled = logits.copy()
    for fold in np.unique(folds):
        held_out = folds == fold
        scaled[held_out] = platt_scales(logits[~held_out], truth[~held_out]).apply(logits[held_out])
    better = label_losses(scaled, truth) < label_losses(logits, truth)
    fitted = platt_scales(logits, truth)
    return LabelScales.of_pairs(
        [pair if kept else [1.0, 0.0] for pair, kept in zip(fitted.pairs, better.tolist(), strict=True)]
    )


def scales_without_each(logits: Logits, truth: Matrix, folds: NDArray[np.integer]) -> dict[int, LabelScales]:
    """Returns for each fold the scales that were chosen and fitted on the rows of the others."""
    found = {}
    for fold in np.unique(folds):
        others = folds != fold
        found[int(fold)] = fit_label_scales(logits[others], truth[others], folds[others])
    return found


def calibrate_labels(logits: Logits, truth: Matrix, folds: NDArray[np.integer], bins: int = BINS) -> LabelCalibration:
    """Fits scales on out-of-fold logits, and measures what such scales are worth.

    Args:
        logits: Shape (rows, labels).
        truth: 1 where a row has a label.
        folds: The fold each row was held out in, shape (rows,).
        bins: Of the expected calibration error.
    """
    by_fold = scales_without_each(logits, truth, folds)
    scaled = logits.copy()
    for fold, scales in by_fold.items():
        scaled[folds == fold] = scales.apply(logits[folds == fold])
    errors = [label_calibration_errors(sigmoid(found), truth, bins) for found in (logits, scaled)]
    losses = [label_losses(found, truth) for found in (logits, scaled)]
    return LabelCalibration(fit_label_scales(logits, truth, folds), by_fold, *errors, *losses)
