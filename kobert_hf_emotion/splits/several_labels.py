"""Folds of rows with several labels each, in which every label has its share of rows.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011, On the Stratification of Multi-label Data), and after
it exchanges between folds until each label is within one row of its share. The libraries that stratify by several
labels know no groups of rows, and look through all rows for each of them: iterative-stratification 0.1.9 is of 2024,
scikit-multilearn 0.2.0 of 2018.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..utils.progress import each
from ..wording import Wording
from .stratified import dealt

Numbers = NDArray[np.int64]
_CANDIDATES = 48
_MOST_ROUNDS = 400
"""Exchanges a label and fold, at most."""


def several_label_folds(has: Numbers, groups: Numbers | None, n_splits: int, seed: int) -> Numbers:
    """Returns the fold, from 0, of each row; rows of a group share one.

    Of groups with the same labels each fold gets equally many. What is over is placed as Sechidis and others do it:
    those with the rarest label first, each into the fold that lacks most rows of that label. Exchanges of two groups,
    or moves of one, then bring the labels, and the rows of the folds, within one row of their share, which large groups
    alone can prevent.

    Everything is counted in whole numbers, so that the folds are the same on every machine.

    Args:
        has: 1 where a row has a label, shape (rows, labels).
        groups: The group of each row, numbered from 0 without a gap; None where each row is one.
        n_splits: The number of folds.
        seed: The seed of the shuffling.
    """
    random = np.random.default_rng(seed)
    groups = np.arange(len(has)) if groups is None else groups
    units = _contents(has, groups)
    order = random.permutation(len(units))
    fold_of_unit = np.empty(len(units), dtype=np.int64)
    fold_of_unit[order] = dealt(_kinds(units[order]), n_splits)
    missing = _missing(units, fold_of_unit, n_splits)
    left = order[fold_of_unit[order] < 0]
    _place(units, left, fold_of_unit, missing)
    _exchange(units, fold_of_unit, missing, random)
    return fold_of_unit[groups]


def _contents(has: Numbers, groups: Numbers) -> Numbers:
    """Returns for each group how many of its rows have each label, and in the last column its rows."""
    rows = np.pad(has, ((0, 0), (0, 1)), constant_values=1)
    units = np.zeros_like(rows, shape=(int(groups.max()) + 1, rows.shape[1]))
    np.add.at(units, groups, rows)
    return units


def _kinds(units: Numbers) -> Numbers:
    """Returns a number for each group that is the same for groups with the same contents."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(unit.tobytes(), len(numbers)) for unit in units])


def _missing(units: Numbers, fold_of_unit: Numbers, n_splits: int) -> Numbers:
    """Returns, times `n_splits`, how many rows of each label a fold lacks to its share; shape (folds, labels + 1)."""
    counts = np.zeros_like(units, shape=(n_splits, units.shape[1]))
    placed = fold_of_unit >= 0
    np.add.at(counts, fold_of_unit[placed], units[placed])
    missing: Numbers = units.sum(axis=0) - n_splits * counts
    return missing


def _place(units: Numbers, left: Numbers, fold_of_unit: Numbers, missing: Numbers) -> None:
    """Gives each of the groups `left` a fold; `missing` takes them in."""
    n_splits = len(missing)
    remaining = units[left].sum(axis=0)
    waiting = np.ones(len(left), dtype=bool)
    labels = units.shape[1] - 1
    while waiting.any():
        open_labels = np.flatnonzero(remaining[:labels] > 0)
        label = int(open_labels[remaining[open_labels].argmin()]) if len(open_labels) else labels
        chosen = np.flatnonzero(waiting & (units[left, label] > 0))
        for position in chosen.tolist():
            unit = left[position]
            wanted, rows = missing[:, label], missing[:, labels]
            fold = max(range(n_splits), key=lambda index: (wanted[index], rows[index]))
            fold_of_unit[unit] = fold
            missing[fold] -= n_splits * units[unit]
        waiting[chosen] = False
        remaining = remaining - units[left[chosen]].sum(axis=0)


def _exchange(units: Numbers, fold_of_unit: Numbers, missing: Numbers, random: np.random.Generator) -> None:
    """Moves and exchanges groups until no fold is a whole row or more from the share of a label, or nothing helps."""
    n_splits = len(missing)
    stuck: set[tuple[int, int]] = set()
    for _ in each(range(_MOST_ROUNDS * missing.size), Wording("겹으로 나누기", "dividing into folds")):
        excess = np.maximum(np.abs(missing) - (n_splits - 1), 0)
        for fold, label in stuck:
            excess[fold, label] = 0
        worst = int(excess.argmax())
        fold, label = divmod(worst, missing.shape[1])
        if excess[fold, label] == 0:
            return
        if _improve(units, fold_of_unit, missing, fold, label, random):
            stuck.clear()
        else:
            stuck.add((fold, label))


def _improve(
    units: Numbers, fold_of_unit: Numbers, missing: Numbers, fold: int, label: int, random: np.random.Generator
) -> bool:
    """Brings a label of a fold nearer to its share without the others going farther in all; tells whether it could."""
    n_splits = len(missing)
    lacks = missing[fold, label] > 0
    other = int(missing[:, label].argmin() if lacks else missing[:, label].argmax())
    source, target = (other, fold) if lacks else (fold, other)
    given = _drawn(np.flatnonzero((fold_of_unit == source) & (units[:, label] > 0)), random)
    taken = _drawn(np.flatnonzero((fold_of_unit == target) & (units[:, label] == 0)), random)
    back = np.vstack([np.zeros((1, units.shape[1]), dtype=np.int64), units[taken]])  # nothing comes back: a move
    moved = n_splits * (units[given][:, None, :] - back[None, :, :])
    before = _cost(missing[source], n_splits) + _cost(missing[target], n_splits)
    after = _cost(missing[source] + moved, n_splits) + _cost(missing[target] - moved, n_splits)
    best = int(after.argmin())
    row, column = divmod(best, after.shape[1])
    if after[row, column] >= before:
        return False
    fold_of_unit[given[row]] = target
    if column > 0:
        fold_of_unit[taken[column - 1]] = source
    missing[source] += moved[row, column]
    missing[target] -= moved[row, column]
    return True


def _cost(missing: Numbers, n_splits: int) -> Numbers:
    """Returns the sum of squares of what is missing or too much beyond less than a row, over the labels."""
    beyond = np.maximum(np.abs(missing) - (n_splits - 1), 0)
    cost: Numbers = (beyond * beyond).sum(axis=-1)
    return cost


def _drawn(units: Numbers, random: np.random.Generator) -> Numbers:
    """Returns some of the groups."""
    return units if len(units) <= _CANDIDATES else random.choice(units, _CANDIDATES, replace=False)
