"""Folds of rows with several labels: every label has its share, and what belongs together stays together."""

from __future__ import annotations

import logging
import time
from fractions import Fraction

import datasets
import numpy as np
import pytest

from kobert_hf_emotion.errors import SplitError
from kobert_hf_emotion.splits import several_labels
from kobert_hf_emotion.splits.folds import fold_indices, fold_numbers, split_hash, stratified_kfold

NAMES = [f"감정 {number}" for number in range(12)]


def labels(rows: int, n_labels: int = 12, seed: int = 0) -> np.ndarray:
    """Labels that come together as moods do, rare ones and frequent ones."""
    random = np.random.default_rng(seed)
    mood = random.normal(size=(rows, 3)) @ random.normal(size=(3, n_labels))
    has = (mood + random.normal(size=(rows, n_labels)) > np.linspace(0.2, 4.0, n_labels)).astype(np.int64)
    for label in range(n_labels):
        has[4 * label : 4 * label + 4, label] = 1
    return has


def farthest(has: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """How many rows a label of a fold, or a fold, is from its share, at most."""
    whole = np.hstack([has, np.ones((len(has), 1), dtype=np.int64)])
    counts = np.stack([whole[validation].sum(axis=0) for _, validation in folds])
    return float(np.abs(counts - whole.sum(axis=0) / len(folds)).max())


@pytest.mark.parametrize(("rows", "n_splits", "seed"), [(200, 2, 0), (600, 5, 1), (1500, 5, 2), (1500, 10, 3)])
def test_every_label_is_within_a_row_of_its_share(rows: int, n_splits: int, seed: int) -> None:
    has = labels(rows, seed=seed)
    folds = fold_indices(has, n_splits, seed)
    assert sorted(np.concatenate([validation for _, validation in folds]).tolist()) == list(range(rows))
    assert all(len(np.intersect1d(train, validation)) == 0 for train, validation in folds)
    assert farthest(has, folds) < 1
    assert split_hash(folds) == split_hash(fold_indices(has, n_splits, seed))
    assert split_hash(folds) != split_hash(fold_indices(has, n_splits, seed + 1))


def test_rows_of_a_group_share_a_fold_and_labels_still_have_their_share() -> None:
    has = labels(900, seed=4)
    groups = np.random.default_rng(4).integers(0, 600, 900)
    folds = fold_indices(has, 5, 42, groups)
    numbers = np.asarray(fold_numbers(folds, 900))
    assert all(len(set(numbers[groups == group].tolist())) == 1 for group in np.unique(groups))
    assert farthest(has, folds) <= 1


def test_time_grows_with_the_rows_and_no_faster() -> None:
    has = labels(8000, seed=5)
    started = time.process_time()
    folds = fold_indices(has, 5, 42)
    assert time.process_time() - started < 20, "some half a second"
    assert farthest(has, folds) < 1


def test_a_label_that_some_fold_could_not_train_on_is_refused() -> None:
    has = labels(60)
    has[:, 3] = 0
    has[7, 3] = 1
    with pytest.raises(SplitError, match="'감정 3' has 1 row"):
        fold_indices(has, 5, 42, label_names=NAMES)
    has[8, 3] = 1
    with pytest.raises(SplitError, match="'감정 3' has 1 group"):
        fold_indices(has, 5, 42, np.arange(60) // 2 + (np.arange(60) == 7), label_names=NAMES)
    with pytest.raises(SplitError, match="found 3"):
        fold_indices(has[:3], 5, 42, label_names=NAMES)


def test_rare_labels_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    has = labels(60)
    has[:, 3] = 0
    has[[7, 9, 11], 3] = 1
    with caplog.at_level(logging.WARNING):
        fold_indices(has, 5, 42, label_names=NAMES)
    assert "validates no row with the label(s) 감정 3" in caplog.text


def test_labels_without_a_row_and_too_few_groups_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    has = labels(60)
    has[:, 5] = 0
    with caplog.at_level(logging.WARNING):
        fold_indices(has, 5, 42, label_names=NAMES)
    assert "no rows with the label(s) 감정 5" in caplog.text
    assert "감정 4" not in caplog.text
    with pytest.raises(SplitError, match=r"need as many groups of rows that stay together .*, found 3"):
        fold_indices(has, 5, 42, np.arange(60) % 3, label_names=NAMES)
    with pytest.raises(SplitError, match="one group for each of the 60 rows, found 59"):
        fold_indices(has, 5, 42, np.arange(59), label_names=NAMES)


def test_lists_of_names_are_split_by_the_names_there_are() -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.List(datasets.Value("string"))})
    columns = {
        "text": [f"문장 {i}" for i in range(20)],
        "label": [["가", "나"] if i % 2 else ["나"] for i in range(20)],
    }
    for _, validation in stratified_kfold(datasets.Dataset.from_dict(columns, features=features), 5):
        assert sum("가" in row for row in validation["label"][:]) == 2


def test_a_data_set_with_lists_of_labels_is_split_by_them() -> None:
    has = labels(100, 3)
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=NAMES[:3]))}
    )
    columns = {
        "text": [f"문장 {number // 2}" for number in range(100)],
        "label": [np.flatnonzero(row).tolist() for row in has],
    }
    rows = datasets.Dataset.from_dict(columns, features=features)
    shards = list(stratified_kfold(rows, 4))
    assert sum(len(validation) for _, validation in shards) == 100
    for train, validation in shards:
        assert set(train["text"][:]).isdisjoint(validation["text"][:]), "equal texts stay together"


def placed_slowly(units: list[list[int]], n_splits: int) -> list[int]:
    """Sechidis and others (2011), algorithm 1, for groups of rows: in plain lists and fractions."""
    *of_labels, rows = range(len(units[0]))
    wanted = [[Fraction(sum(unit[label] for unit in units), n_splits) for label in (*of_labels, rows)]] * n_splits
    wanted = [list(fold) for fold in wanted]
    folds = [-1] * len(units)
    while -1 in folds:
        left = [number for number, fold in enumerate(folds) if fold < 0]
        sums = {label: sum(units[number][label] for number in left) for label in of_labels}
        rarest = min((label for label in of_labels if sums[label]), key=sums.__getitem__, default=rows)
        for number in (number for number in left if units[number][rarest]):
            fold = max(range(n_splits), key=lambda fold: (wanted[fold][rarest], wanted[fold][rows]))
            folds[number] = fold
            wanted[fold] = [want - has for want, has in zip(wanted[fold], units[number], strict=True)]
    return folds


def test_what_is_over_goes_where_the_rarest_label_lacks_most() -> None:
    random = np.random.default_rng(8)
    for n_splits in (2, 3, 5):
        size = random.integers(1, 4, 60)
        units = np.column_stack([random.binomial(size, share) for share in (0.02, 0.1, 0.3, 0.8)] + [size])
        fold_of_unit = np.full(60, -1)
        missing = np.tile(units.sum(axis=0), (n_splits, 1))
        several_labels._place(units, np.arange(60), fold_of_unit, missing)
        assert fold_of_unit.tolist() == placed_slowly(units.tolist(), n_splits)
        assert missing.tolist() == [
            (units.sum(axis=0) - n_splits * units[fold_of_unit == fold].sum(axis=0)).tolist()
            for fold in range(n_splits)
        ]


def beyond(missing: list[list[int]], n_splits: int) -> int:
    """How far folds are from their shares: a whole row or more, times `n_splits`, squared."""
    return sum(max(abs(number) - (n_splits - 1), 0) ** 2 for fold in missing for number in fold)


@pytest.mark.parametrize("n_splits", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_an_exchange_is_the_best_there_is(seed: int, n_splits: int) -> None:
    random = np.random.default_rng(seed)
    size = random.integers(1, 4, 14)
    units = np.column_stack([random.binomial(size, 0.5), random.binomial(size, 0.2), size])
    before = random.integers(0, n_splits, 14)
    sums = np.array([units[before == fold].sum(axis=0) for fold in range(n_splits)])
    missing = units.sum(axis=0) - n_splits * sums
    fold, label = divmod(int(np.abs(missing[:, :2]).argmax()), 2)
    wanted = missing[:, label].tolist()
    other = wanted.index(min(wanted) if wanted[fold] > 0 else max(wanted))
    source, target = (other, fold) if wanted[fold] > 0 else (fold, other)
    costs = []
    for given in (unit for unit in range(14) if before[unit] == source and units[unit, label]):
        for taken in (None, *(unit for unit in range(14) if before[unit] == target and not units[unit, label])):
            now = before.copy()
            now[given] = target
            if taken is not None:
                now[taken] = source
            sums = np.array([units[now == fold].sum(axis=0) for fold in range(n_splits)])
            costs.append(beyond((units.sum(axis=0) - n_splits * sums).tolist(), n_splits))
    after, left = before.copy(), missing.copy()
    helped = several_labels._improve(units, after, left, fold, label, np.random.default_rng(0))
    assert helped == (min(costs) < beyond(missing.tolist(), n_splits))
    sums = np.array([units[after == fold].sum(axis=0) for fold in range(n_splits)])
    assert left.tolist() == (units.sum(axis=0) - n_splits * sums).tolist()
    assert beyond(left.tolist(), n_splits) == (min(costs) if helped else beyond(missing.tolist(), n_splits))


def test_what_only_makes_another_fold_worse_is_not_moved() -> None:
    # Three rows of one group: whichever fold has them has too many, and giving them away helps nobody.
    units, folds = np.array([[3, 3], [0, 1], [0, 1], [0, 1]]), np.array([0, 1, 1, 1])
    missing = units.sum(axis=0) - 2 * np.array([[3, 3], [0, 3]])
    assert not several_labels._improve(units, folds, missing, 0, 0, np.random.default_rng(0))
    assert folds.tolist() == [0, 1, 1, 1]


def test_less_than_a_row_too_many_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_labels, "_improve", None)
    folds = fold_indices(np.ones((4, 1), dtype=np.int64), 3)
    assert sorted(len(validation) for _, validation in folds) == [1, 1, 2]


def test_of_many_groups_some_are_tried_and_of_few_all() -> None:
    random = np.random.default_rng(0)
    few = np.arange(several_labels._CANDIDATES) * 3
    assert several_labels._drawn(few, random).tolist() == few.tolist()
    many = np.arange(200) * 3
    drawn = several_labels._drawn(many, random).tolist()
    assert len(set(drawn)) == len(drawn) == several_labels._CANDIDATES
    assert set(drawn) < set(many.tolist())
    assert drawn != several_labels._drawn(many, random).tolist(), "others the next time"


def test_contents_of_groups_are_their_labels_and_rows_in_whole_numbers() -> None:
    has = np.array([[1, 0], [1, 1], [0, 1], [1, 0]])
    for groups, expected in (
        (np.arange(4), [[1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]]),
        (np.array([1, 0, 1, 1]), [[1, 1, 1], [2, 1, 3]]),
    ):
        units = several_labels._contents(has, groups)
        assert units.tolist() == expected
        missing = several_labels._missing(units, np.array([1, 0, *[-1] * (len(units) - 2)]), 2)
        assert missing.tolist() == [
            [total - 2 * number for total, number in zip(units.sum(axis=0).tolist(), expected[unit], strict=True)]
            for unit in (1, 0)
        ]
        assert units.dtype == missing.dtype == np.int64


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int8, float])
def test_labels_may_be_written_in_any_type(kind: type) -> None:
    has, groups = labels(300, seed=6), np.arange(300) // 2
    assert split_hash(fold_indices(has.astype(kind), 5, 1, groups)) == split_hash(fold_indices(has, 5, 1, groups))


def test_as_many_rows_as_folds_are_enough() -> None:
    folds = fold_indices(np.ones((4, 2), dtype=np.int64), 4)
    assert [len(validation) for _, validation in folds] == [1] * 4


def test_groups_of_other_contents_are_not_taken_for_the_same() -> None:
    units = np.array([[first, second, 9] for first in range(40) for second in range(40)])
    found = several_labels._kinds(np.vstack([units, units]))
    assert len(set(found.tolist())) == 1600
    assert found[:1600].tolist() == found[1600:].tolist()


def test_a_group_that_fits_nowhere_does_not_keep_them_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    improve = several_labels._improve
    monkeypatch.setattr(several_labels, "_improve", lambda *given: asked.append(given) or improve(*given))
    has = np.ones((30, 1), dtype=np.int64)
    groups = np.maximum(np.arange(30) - 19, 0)  # twenty rows of thirty are one group
    numbers = np.asarray(fold_numbers(fold_indices(has, 5, 0, groups), 30))
    assert np.bincount(numbers).max() == 20
    assert len(asked) <= 2 * 5 * 2, "each label of each fold, and once more"


def test_the_folds_of_a_seed_stay_the_same() -> None:
    """A run that is continued, or repeated on another machine, has the folds that it was begun with."""
    has = (np.arange(120)[:, None] * [3, 5, 7, 11, 13, 17] % 19 < [2, 3, 5, 7, 9, 12]).astype(np.int64)
    found = split_hash(fold_indices(has, 4, 42, np.arange(120) // 2))
    assert found == "6dd0c72f97bbf05c212519b3abe7069d3ff7ddd8f2a37682049e62616392c18d"
