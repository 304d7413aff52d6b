"""Stratified folds of rows of which some belong together, in time that is linear in the rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def grouped_folds(classes: Numbers, groups: Numbers, n_splits: int, seed: int) -> Numbers:
    """Returns the fold, from 0, of each row; rows of a group share one.

    scikit-learn's `StratifiedGroupKFold` takes half a millisecond a group, also of a single row. Here, of groups with
    the same labels each fold gets equally many, which leaves the balance as it is. What is over is placed as
    scikit-learn does it, one by one from the largest on, into the fold where the squares of the labels' shares then
    add up to least. Single rows come last and level the folds, label by label. Where these are enough, the rows of a
    label differ by at most one between the folds.

    What is compared is computed in a fixed order, so that the folds are the same on every machine.

    Args:
        classes: The class of each row, numbered from 0 without a gap, shape (rows,).
        groups: The group of each row, numbered likewise.
        n_splits: The number of folds.
        seed: The seed of the shuffling.
    """
    random = np.random.default_rng(seed)
    class_sizes, group_sizes = np.bincount(classes), np.bincount(groups)
    several = random.permutation(np.flatnonzero(group_sizes > 1))
    fold_of_group = np.full(len(group_sizes), -1, dtype=np.int64)
    fold_of_group[several] = dealt(_kinds(classes, groups)[several], n_splits)
    fold_of_row = fold_of_group[groups]
    is_placed = fold_of_row >= 0
    cells = fold_of_row[is_placed] * len(class_sizes) + classes[is_placed]
    counts = np.bincount(cells, minlength=n_splits * len(class_sizes)).reshape(n_splits, -1).tolist()
    left = several[fold_of_group[several] < 0]
    left = left[np.argsort(-group_sizes[left], kind="stable")]
    fold_of_group[left] = _placed(_contents(classes, groups, left), counts, class_sizes.tolist())
    fold_of_row = fold_of_group[groups]
    rows = [sum(fold) for fold in counts]
    for label in range(len(class_sizes)):
        single = random.permutation(np.flatnonzero((classes == label) & (fold_of_row < 0)))
        given = _levelled([fold[label] for fold in counts], rows, len(single))
        fold_of_row[single] = np.repeat(np.arange(n_splits), given)
        rows = [before + more for before, more in zip(rows, given, strict=True)]
    return fold_of_row


def _kinds(classes: Numbers, groups: Numbers) -> Numbers:
    """Returns a number for each group that is the same for groups with as many rows of each class."""
    of_class = np.random.default_rng(0).integers(2**63, size=int(classes.max()) + 1)
    order = np.argsort(groups)
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sums = np.add.reduceat(of_class[classes[order]], starts)  # modulo 2**64
    return np.unique(sums, return_inverse=True)[1]


def dealt(kinds: Numbers, n_splits: int) -> Numbers:
    """Returns a fold for each group, equally many of each kind in every fold, and -1 for what is over."""
    order = np.argsort(kinds, kind="stable")
    sizes = np.bincount(kinds)[kinds[order]]
    place = np.arange(len(kinds)) - np.searchsorted(kinds[order], kinds[order])  # among those of its kind
    folds = np.empty(len(kinds), dtype=np.int64)
    folds[order] = np.where(place < sizes // n_splits * n_splits, place % n_splits, -1)
    return folds


def _contents(classes: Numbers, groups: Numbers, chosen: Numbers) -> list[list[tuple[int, int]]]:
    """Returns for each of the chosen groups its classes and how many rows it has of each."""
    place = np.full(int(groups.max()) + 1, -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    of_row, n_classes = place[groups], int(classes.max()) + 1
    is_chosen = of_row >= 0
    cells, counts = np.unique(of_row[is_chosen] * n_classes + classes[is_chosen], return_counts=True)
    pairs = list(zip((cells % n_classes).tolist(), counts.tolist(), strict=True))
    edges = np.searchsorted(cells, np.arange(len(chosen) + 1) * n_classes).tolist()
    return [pairs[start:end] for start, end in pairwise(edges)]


def _placed(contents: list[list[tuple[int, int]]], counts: list[list[int]], class_sizes: list[int]) -> list[int]:
    """Returns a fold for each group; `counts`, the rows of each class in each fold, takes its rows in."""
    weights = [1.0 / size**2 for size in class_sizes]
    rows = [sum(fold) for fold in counts]
    folds = []
    for content in contents:
        costs = []
        for taken in counts:
            cost = 0.0  # `sum` rounds otherwise since Python 3.12
            for label, count in content:
                cost += taken[label] * count * weights[label]
            costs.append(cost)
        best = min(range(len(counts)), key=lambda fold: (costs[fold], rows[fold]))
        folds.append(best)
        for label, count in content:
            counts[best][label] += count
            rows[best] += count
    return folds


def _levelled(taken: list[int], rows: list[int], more: int) -> list[int]:
    """Returns how many of `more` rows each fold takes, so that what they then have differs least.

    Args:
        taken: What each fold has already of the class.
        rows: What each fold has in all; of folds that are level the smallest take the rows that do not come out even.
        more: Rows to hand out.
    """
    order = sorted(range(len(taken)), key=lambda fold: (taken[fold], rows[fold]))
    given = [0] * len(taken)
    while sum(taken[fold] for fold in order) + more < len(order) * taken[order[-1]]:
        order.pop()  # the fullest of them has more than its share without a row more
    level, rest = divmod(sum(taken[fold] for fold in order) + more, len(order))
    for fold in order:
        given[fold] = level - taken[fold]
    for fold in sorted(order, key=lambda fold: rows[fold] + given[fold])[:rest]:
        given[fold] += 1
    return given
