"""Macro F1 of several models on the same rows: what the best owes to being chosen on them, and how two differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.label_ids import Truth
from .bootstrap import SEED, Interval, Optimism, percentile_interval, times_drawn, unit_numbers

Answers = NDArray[np.int64]
"""Of a model: class ids, shape (rows,), or of several labels a row 1 where it gives one, shape (rows, labels)."""


def macro_f1_optimism(
    answers: Sequence[Answers],
    truth: Truth,
    labels: int,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 500,
    seed: int = SEED,
) -> Optimism:
    """Estimates what choosing the best of several models by their macro F1 adds to it.

    As `metrics.bootstrap.selection_optimism` does for accuracy: in every resample the best is chosen on the rows drawn
    and looked up on those that were not. The mean of all models' differences between the two parts is taken off, as
    macro F1, other than accuracy, is not the same on average on fewer rows.

    Args:
        answers: Of each model that could have been chosen, for the rows that choose.
        truth: The labels of the rows.
        labels: How many labels there are.
        groups: The group of each row, drawn as a whole; by default every row is one.
        resamples: How often to draw.
        seed: Of the drawing.
    """
    units = unit_numbers(groups, len(truth))
    tables = [_Table.of(found, truth, labels, units) for found in answers]
    everything = np.ones((1, tables[0].units))
    overall = np.array([table.macro_f1(everything)[0] for table in tables])
    times = _drawn(tables[0].units, resamples, seed)
    times = times[(times == 0).any(axis=1)]  # of a handful of rows all may be drawn
    if not len(times):
        return Optimism(float(overall.max()), float(overall.mean()), 0.0)
    inside = np.stack([table.macro_f1(times) for table in tables], axis=1)
    outside = np.stack([table.macro_f1(times == 0) for table in tables], axis=1)
    chosen = inside.argmax(axis=1)
    rows = np.arange(len(times))
    gaps = inside[rows, chosen] - outside[rows, chosen] - (inside - outside).mean(axis=1)
    return Optimism(float(overall.max()), float(overall.mean()), float(gaps.mean()))


def macro_f1_difference(
    first: Answers,
    second: Answers,
    truth: Truth,
    labels: int,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    seed: int = SEED,
) -> Interval:
    """Returns the 95% interval of the second model's macro F1 less the first one's, by a paired bootstrap."""
    units = unit_numbers(groups, len(truth))
    one, other = (_Table.of(found, truth, labels, units) for found in (first, second))
    times = _drawn(one.units, resamples, seed)
    return percentile_interval(other.macro_f1(times) - one.macro_f1(times))


@dataclass(frozen=True)
class _Table:
    """For each unit that is drawn as a whole, counts by label, shape (units, labels)."""

    hits: NDArray[np.float64]
    given: NDArray[np.float64]
    """Labels given and labels there, added up: the denominator of F1."""
    counts_absent: bool
    """Whether a label that neither occurs nor is given counts as 0; of several labels a row it does."""

    @classmethod
    def of(cls, answers: Answers, truth: Truth, labels: int, units: NDArray[np.intp]) -> _Table:
        has, gives = _one_hot(truth, labels), _one_hot(answers, labels)
        return cls(_summed(has & gives, units), _summed(has, units) + _summed(gives, units), truth.ndim == 2)

    @property
    def units(self) -> int:
        return len(self.hits)

    def macro_f1(self, times: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns the macro F1 where each unit comes so often.

        Args:
            times: Shape (draws, units).
        """
        hits, given = times @ self.hits, times @ self.given
        f1 = 2 * hits / np.maximum(given, 1)
        counted = given.shape[1] if self.counts_absent else (given > 0).sum(axis=1)
        found: NDArray[np.float64] = f1.sum(axis=1) / counted
        return found


def _one_hot(ids: Truth | Answers, labels: int) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = ids == 1 if ids.ndim == 2 else ids[:, None] == np.arange(labels)
    return flags


def _summed(flags: NDArray[np.bool_], units: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.stack([np.bincount(units, weights=column) for column in flags.T], axis=1)


def _drawn(units: int, resamples: int, seed: int) -> NDArray[np.float64]:
    return np.concatenate(list(times_drawn(units, resamples, seed)))
