"""Bootstrap intervals: how far a score could lie elsewhere on other rows of the same kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..utils.argument_checks import check_count
from ..utils.progress import progress
from ..wording import Wording
from .rates import rates

RESAMPLES = 2000
SEED = 42
LEVEL = 0.95
_BLOCK = 64
"""Resamples that are drawn at a time."""
DRAWING, DRAWS = Wording("부트스트랩", "bootstrap"), Wording("번", "draws")
"""What drawing is called where its progress is shown, and what is counted."""

Counts = NDArray[np.integer]


@dataclass(frozen=True)
class Interval:
    """A percentile interval, of `LEVEL`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.4f}–{self.high:.4f}"


def score_intervals(
    labels: NDArray[np.integer],
    predictions: NDArray[np.integer],
    n_classes: int,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Interval]:
    """Computes 95% percentile bootstrap intervals of accuracy, macro F1 and weighted F1.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13. The model is held fixed: the intervals
    tell of the rows that happened to be drawn, not of what another seed of the training would give.

    Args:
        labels: Class ids, shape (rows,).
        predictions: Class ids, shape (rows,).
        n_classes: The number of classes.
        groups: What is drawn: rows with equal values come and go together (the cluster bootstrap), as copies of one
            text tell no more than one. By default every row for itself.
        resamples: How often to draw.
        seed: Of the drawing; equal arguments give equal intervals.

    Returns:
        The intervals of `accuracy`, `macro_f1` and `weighted_f1`.
    """
    cells = confusion_cells(labels, predictions, n_classes)
    drawn = resample_counts(cells, n_classes**2, groups, resamples, seed)
    return intervals_of(confusion_scores(drawn.reshape(-1, n_classes, n_classes)))


def intervals_of(scores: Mapping[str, NDArray[np.floating]]) -> dict[str, Interval]:
    """Returns the interval of each score, whose values in the resamples are given, shape (resamples,)."""
    return {name: percentile_interval(values) for name, values in scores.items()}


def confusion_cells(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], n_classes: int
) -> NDArray[np.integer]:
    """Numbers the cell of the confusion matrix (labels down, predictions across) each row falls into."""
    cells: NDArray[np.integer] = np.asarray(labels, dtype=np.int64) * n_classes + np.asarray(predictions)
    return cells


def confusion_matrix(labels: NDArray[np.integer], predictions: NDArray[np.integer], n_classes: int) -> Counts:
    """Counts rows by label (down) and prediction (across), shape (classes, classes)."""
    cells = confusion_cells(labels, predictions, n_classes)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def resample_counts(
    cells: NDArray[np.integer],
    n_cells: int,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Counts:
    """Draws rows, or groups of rows, with replacement and counts the rows in every cell.

    Where a score depends on nothing but counts, drawing n of n units is one draw from a multinomial distribution
    over the distinct units, which makes the cost independent of the number of rows.

    Args:
        cells: The cell of each row, shape (rows,), 0 to `n_cells` - 1.
        n_cells: The number of cells.
        groups: The group of each row; by default every row is one.
        resamples: How often to draw.
        seed: Of the drawing.

    Returns:
        Shape (resamples, cells).

    Raises:
        KoBERTEmotionError: `resamples` is no whole number of 1 or more.
    """
    check_count("resamples", resamples)
    random = np.random.default_rng(seed)
    if groups is None:
        counts = np.bincount(cells, minlength=n_cells)
        return np.concatenate(list(_multinomials(random, len(cells), counts / len(cells), resamples)))
    units = Counter(_contents(cells, groups))
    profiles = np.stack([np.bincount(unit, minlength=n_cells) for unit in units])
    numbers = np.array(list(units.values()))
    exact = profiles.astype(np.float64)  # counts stay far below 2**53, and floats multiply by the fast routine
    drawn = _multinomials(random, int(numbers.sum()), numbers / numbers.sum(), resamples)
    return np.concatenate([np.rint(times @ exact).astype(np.int64) for times in drawn])


def _multinomials(
    random: np.random.Generator, total: int, shares: NDArray[np.float64], resamples: int
) -> Iterator[Counts]:
    """Yields draws of `total` things in these shares, some at a time: the same that one call would make."""
    with progress(DRAWING, resamples, DRAWS) as advance:
        for start in range(0, resamples, _BLOCK):
            size = min(_BLOCK, resamples - start)
            yield random.multinomial(total, shares, size=size)
            advance(size)


def resampled_sums(
    profiles: NDArray[np.floating] | NDArray[np.integer],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> NDArray[np.float64]:
    """Draws rows, or groups of rows, with replacement, and adds up what each brings.

    Args:
        profiles: What figures are computed from, for each row, shape (rows, columns).
        groups: The group of each row; by default every row is one.
        resamples: How often to draw.
        seed: Of the drawing.

    Returns:
        Shape (resamples, columns).
    """
    units = unit_numbers(groups, len(profiles))
    sums = np.zeros((units.max() + 1, profiles.shape[1]))  # floats hold counts below 2**53, and multiply faster
    np.add.at(sums, units, profiles)
    return np.concatenate([times @ sums for times in times_drawn(len(sums), resamples, seed)])


def unit_numbers(groups: Sequence[Hashable] | None, rows: int) -> NDArray[np.intp]:
    """Returns the number of what is drawn that each row belongs to, from 0 in the order of the rows, shape (rows,)."""
    if groups is None:
        return np.arange(rows)
    first: dict[Hashable, int] = {}
    return np.asarray([first.setdefault(group, len(first)) for group in groups], dtype=np.intp)


def times_drawn(units: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yields how often each unit is drawn, some resamples at a time, shape (resamples, units).

    What is drawn depends on the seed and on the number of units alone: figures of the same rows go together.

    Raises:
        KoBERTEmotionError: `resamples` is no whole number of 1 or more.
    """
    check_count("resamples", resamples)
    random = np.random.default_rng(seed)
    with progress(DRAWING, resamples, DRAWS) as advance:
        for start in range(0, resamples, _BLOCK):
            size = min(_BLOCK, resamples - start)
            times = [np.bincount(random.integers(0, units, units), minlength=units) for _ in range(size)]
            yield np.stack(times).astype(np.float64)
            advance(size)


def _contents(cells: NDArray[np.integer], groups: Sequence[Hashable]) -> list[tuple[int, ...]]:
    """Returns the sorted cells of every group: groups with equal contents are the same thing to draw."""
    members: dict[Hashable, list[int]] = {}
    for group, cell in zip(groups, cells.tolist(), strict=True):
        members.setdefault(group, []).append(cell)
    return [tuple(sorted(found)) for found in members.values()]


def confusion_scores(counts: Counts) -> dict[str, NDArray[np.float64]]:
    """Computes accuracy, macro F1 and weighted F1 of many confusion matrices, as scikit-learn defines them.

    A class that neither occurs nor is predicted in a matrix does not count in its macro F1.

    Args:
        counts: Shape (matrices, classes, classes), labels down, predictions across.

    Returns:
        Three arrays of shape (matrices,).
    """
    hits, support, predicted = np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2), counts.sum(axis=1)
    rows = support.sum(axis=1)
    f1 = rates(hits, predicted, support)["f1-score"]
    present = (support + predicted) > 0
    return {
        "accuracy": hits.sum(axis=1) / rows,
        "macro_f1": f1.sum(axis=1) / present.sum(axis=1),
        "weighted_f1": (f1 * support).sum(axis=1) / rows,
    }


def class_scores(counts: Counts) -> dict[str, NDArray[np.float64]]:
    """Computes precision, recall and F1 of every class in many confusion matrices, 0 where they are 0 / 0.

    Args:
        counts: Shape (matrices, classes, classes), labels down, predictions across.

    Returns:
        `precision`, `recall` and `f1-score`, as in scikit-learn's report, each of shape (matrices, classes).
    """
    return rates(np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=1), counts.sum(axis=2))


def percentile_interval(values: NDArray[np.floating]) -> Interval:
    """Returns the percentiles between which the middle `LEVEL` of `values` lies."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class Optimism:
    """How much a score gains by being the best of several on the rows it was chosen on."""

    chosen: float
    """The accuracy of the chosen one, on the rows it was chosen on."""
    mean: float
    """The mean accuracy of all candidates on the same rows: what one gets without choosing."""
    bootstrap: float
    """The mean gap between choosing rows and other rows; see `selection_optimism`."""

    @property
    def corrected(self) -> float:
        """The accuracy of the chosen one, less the gap."""
        return self.chosen - self.bootstrap


def selection_optimism(
    correct: Mapping[str, NDArray[np.bool_]],
    groups: Sequence[Hashable] | None = None,
    resamples: int = 500,
    seed: int = SEED,
) -> Optimism:
    """Estimates what choosing the best of several models by their test accuracy adds to that accuracy.

    In every resample the best is chosen on the rows drawn and looked up on the rows that were not (some 37%, the
    out-of-bag rows); the estimate is the mean of the first accuracy less the second. For a model that was not
    chosen the two are equal on average. It errs on the side of too much: a resample of the rows is noisier than the
    rows. Where two models are equally good, the first is chosen.

    Args:
        correct: For each model whether it was right, shape (rows,).
        groups: The group of each row, drawn as a whole; by default every row is one.
        resamples: How often to draw.
        seed: Of the drawing.
    """
    right = np.stack(list(correct.values()), axis=1)
    overall = right.mean(axis=0)
    units = unit_numbers(groups, len(right))
    sizes = np.bincount(units)
    hits = np.stack([np.bincount(units, weights=column) for column in right.T], axis=1)
    gaps = []
    for times in (once for some in times_drawn(len(hits), resamples, seed) for once in some):
        left_out = times == 0
        if not left_out.any():
            continue  # of a handful of rows all may be drawn
        inside = times @ hits / (times @ sizes)
        outside = hits[left_out].sum(axis=0) / sizes[left_out].sum()
        best = inside.argmax()
        gaps.append(inside[best] - outside[best])
    return Optimism(float(overall.max()), float(overall.mean()), float(np.mean(gaps)) if gaps else 0.0)
