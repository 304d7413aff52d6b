"""Stratified folds: scikit-learn's own, their invariants, and loud failures."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from kobert_hf_emotion.errors import KoBERTEmotionError, SplitError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.splits import stratified
from kobert_hf_emotion.splits.folds import (
    check_folds,
    fold_indices,
    fold_numbers,
    folds_from_numbers,
    set_aside,
    split_hash,
    stratified_kfold,
)
from kobert_hf_emotion.splits.split import make_split
from kobert_hf_emotion.splits.stratified import dealt, grouped_folds


def build(labels: Sequence[int | None], **columns: Sequence[object]) -> Dataset:
    features = {"text": Value("string"), "label": ClassLabel(names=list(EMOTION_LABELS))}
    features |= {name: Value("string") for name in columns}
    data = {"text": [f"문장 {i}" for i in range(len(labels))], "label": list(labels), **columns}
    return Dataset.from_dict(data, features=Features(features))


def failure(*args: object, **options: object) -> str:
    with pytest.raises(SplitError) as caught:
        fold_indices(*args, **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("n_splits", [2, 5])
def test_folds_are_those_of_scikit_learn(n_splits: int, seed: int) -> None:
    labels = np.random.default_rng(1).integers(0, 7, 300)
    expected = list(StratifiedKFold(n_splits, shuffle=True, random_state=seed).split(labels, labels))
    for ours, theirs in zip(fold_indices(labels, n_splits, seed), expected, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def imbalance(labels: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """What scikit-learn's `StratifiedGroupKFold` makes small: how unevenly each label is shared out, on average."""
    counts = np.array([[(labels[rows] == label).sum() for label in np.unique(labels)] for _, rows in folds])
    return float((counts / counts.sum(axis=0)).std(axis=0).mean())


@pytest.mark.parametrize(("rows", "n_groups"), [(300, 40), (400, 250), (1000, 25)])
def test_grouped_folds_are_as_even_as_those_of_scikit_learn(rows: int, n_groups: int) -> None:
    ours, theirs = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        labels = rng.choice(5, rows, p=[0.07, 0.13, 0.2, 0.25, 0.35])
        groups = rng.integers(0, n_groups, rows)
        ours.append(imbalance(labels, fold_indices(labels, 5, seed, groups)))
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        theirs.append(imbalance(labels, list(splitter.split(labels, labels, groups))))
    assert np.mean(ours) <= np.mean(theirs)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_single_rows_level_what_groups_leave_uneven(n_splits: int, seed: int, pairs: list[int]) -> None:
    # Pairs of equal texts with one label among many single rows: as even as without them.
    labels = np.array([label for label in pairs for _ in range(2)] + [0, 1, 2] * 30)
    groups = np.r_[np.arange(2 * len(pairs)) // 2, len(pairs) + np.arange(90)]
    for label in range(3):
        counts = [(labels[rows] == label).sum() for _, rows in fold_indices(labels, n_splits, seed, groups)]
        assert max(counts) - min(counts) <= 1


def test_of_groups_alike_each_fold_gets_equally_many() -> None:
    kinds = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0])  # 7 and 5
    folds = dealt(kinds, 3)
    for kind, each, over in ((0, 2, 1), (1, 1, 2)):
        assert np.bincount(folds[kinds == kind] + 1).tolist() == [over, each, each, each]


def test_groups_of_the_same_labels_are_alike_and_no_others() -> None:
    contents = [list(np.repeat([0, 1, 2], counts)) for counts in product(range(7), repeat=3) if any(counts)]
    classes = np.array([label for content in contents * 2 for label in content[::-1]])
    groups = np.repeat(np.arange(2 * len(contents)), [len(content) for content in contents * 2])
    order = np.random.default_rng(0).permutation(len(groups))
    kinds = stratified._kinds(classes[order], groups[order]).tolist()
    assert len(set(kinds)) == len(contents)
    assert kinds[: len(contents)] == kinds[len(contents) :]


@pytest.mark.parametrize("n_splits", [2, 3, 5])
def test_what_is_over_goes_where_the_squares_of_the_shares_add_up_to_least(n_splits: int) -> None:
    random = np.random.default_rng(n_splits)
    sizes = [32, 64, 128]  # their weights are exact
    contents = [
        [(label, int(count)) for label, count in enumerate(random.integers(0, 4, 3)) if count] for _ in range(24)
    ]
    counts = random.integers(0, 3, (n_splits, 3)).tolist()
    placed = [list(fold) for fold in counts]
    found = stratified._placed(contents, placed, sizes)
    for content, fold in zip(contents, found, strict=True):
        costs = []
        for taking in range(n_splits):
            after = [list(taken) for taken in counts]
            for label, count in content:
                after[taking][label] += count
            squares = sum(Fraction(number, sizes[label]) ** 2 for taken in after for label, number in enumerate(taken))
            costs.append((squares, sum(counts[taking])))
        assert fold == costs.index(min(costs)), "of equals the one with fewest rows, the first of these"
        for label, count in content:
            counts[fold][label] += count
    assert placed == counts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6), st.integers(0, 30))
def test_rows_are_handed_out_one_by_one_to_whoever_has_least(folds: list[tuple[int, int]], more: int) -> None:
    taken, rows = [has for has, _ in folds], [has + other for has, other in folds]
    given = stratified._levelled(taken, rows, more)
    slowly = [0] * len(taken)
    for _ in range(more):
        slowly[min(range(len(taken)), key=lambda fold: (taken[fold] + slowly[fold], rows[fold] + slowly[fold]))] += 1
    assert sum(given) == more
    for whole in (taken, rows):
        found, expected = ([has + new for has, new in zip(whole, handed, strict=True)] for handed in (given, slowly))
        assert sorted(found) == sorted(expected)


def test_what_could_go_anywhere_goes_to_the_smaller_fold() -> None:
    # Two groups that have no label in common: by their labels any fold would do.
    assert np.bincount(grouped_folds(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 2, 0)).tolist() == [2, 2]
    # Four single rows of each of three labels in three folds: each fold takes the odd row of one label.
    rows = np.arange(12)
    for seed in range(3):
        assert np.bincount(grouped_folds(rows // 4, rows, 3, seed)).tolist() == [4, 4, 4]


def test_one_large_group_takes_the_place_of_single_rows() -> None:
    labels, groups = np.array([0] * 40 + [1] * 20), np.r_[[0] * 15, np.arange(1, 46)]
    shares = [np.bincount(labels[rows]).tolist() for _, rows in fold_indices(labels, 5, 3, groups)]
    assert sorted(shares) == [[6, 4], [6, 4], [6, 4], [7, 4], [15, 4]]


@pytest.mark.parametrize("kind", ["one pair", "pairs", "twenties"])
def test_steps_are_linear_in_the_rows(kind: str) -> None:
    def steps(rows: int) -> int:
        numbers = np.arange(rows)
        groups = {"one pair": np.maximum(numbers - 1, 0), "pairs": numbers // 2, "twenties": numbers // 20}[kind]
        classes = np.random.default_rng(0).integers(0, 7, rows)
        lines = 0

        def count(_frame: object, event: str, _argument: object) -> object:
            nonlocal lines
            lines += event == "line"
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            grouped_folds(classes, groups, 5, 42)
        finally:
            sys.settrace(before)
        return lines

    assert steps(16_000) < 10 * steps(2_000)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[list[int], int]:
    n_splits = draw(st.integers(2, 6))
    counts = draw(st.lists(st.integers(n_splits, 20), min_size=1, max_size=7))
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    return draw(st.permutations(labels)), n_splits


@settings(max_examples=60, deadline=None)
@given(labelled(), st.integers(0, 2**32 - 1))
def test_partition_and_stratification(data: tuple[list[int], int], seed: int) -> None:
    labels, n_splits = data
    folds = fold_indices(labels, n_splits, seed)
    assert len(folds) == n_splits
    assert sorted(np.concatenate([validation for _, validation in folds]).tolist()) == list(range(len(labels)))
    for train, validation in folds:
        assert sorted([*train.tolist(), *validation.tolist()]) == list(range(len(labels)))
        assert train.tolist() == sorted(train.tolist())
    for label in set(labels):
        counts = [sum(labels[row] == label for row in validation) for _, validation in folds]
        assert max(counts) - min(counts) <= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(5, 20), st.integers(0, 2**32 - 1), st.integers(0, 100))
def test_groups_stay_whole(n_splits: int, n_groups: int, seed: int, shuffle: int) -> None:
    rng = np.random.default_rng(shuffle)
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 5, n_groups) * 2)
    labels = np.arange(len(groups)) % 2  # both labels in every group
    folds = fold_indices(labels, n_splits, seed, groups)
    assert sorted(np.concatenate([validation for _, validation in folds]).tolist()) == list(range(len(labels)))
    for train, validation in folds:
        assert set(groups[train].tolist()).isdisjoint(groups[validation].tolist())
        assert len(validation) > 0


def test_shards_are_datasets_of_the_same_columns() -> None:
    dataset = build([0, 1] * 10)
    folds = list(stratified_kfold(dataset, n_splits=4, seed=3))
    assert len(folds) == 4
    for train, validation in folds:
        assert isinstance(train, Dataset)
        assert train.features == validation.features == dataset.features
        assert Counter(train["text"][:]) + Counter(validation["text"][:]) == Counter(dataset["text"][:])
        assert train["text"][0] != validation["text"][0]
    expected = fold_indices([0, 1] * 10, 4, 3)
    assert folds[2][1]["text"][:] == [f"문장 {row}" for row in expected[2][1]]


def test_shards_by_group() -> None:
    groups = [f"화자{i % 6}" for i in range(36)]
    labels = [(i // 6) % 3 for i in range(36)]
    for train, validation in stratified_kfold(build(labels, group=groups), n_splits=3, group_by="group"):
        assert set(train["group"][:]).isdisjoint(validation["group"][:])


def test_shards_by_another_column_and_by_a_part_of_the_group() -> None:
    columns = {"mood": ["맑음", "흐림"] * 12, "speaker": [f"화자{row // 4}-{row}" for row in range(24)]}
    data = build([0] * 23 + [1], **columns).remove_columns("text")
    shards = list(stratified_kfold(data, 3, 7, "speaker", "mood", r"^화자\d", group_duplicates=False))
    assert len(shards) == 3
    for train, validation in shards:
        assert Counter(validation["mood"][:]) == {"맑음": 4, "흐림": 4}
        speakers = [{name.split("-")[0] for name in part["speaker"][:]} for part in (train, validation)]
        assert not speakers[0] & speakers[1]


def test_seed_decides() -> None:
    labels = [0, 1] * 50
    assert split_hash(fold_indices(labels, 5, 42)) == split_hash(fold_indices(labels, 5, 42))
    assert len({split_hash(fold_indices(labels, 5, seed)) for seed in range(5)}) == 5
    pairs = np.arange(100) // 4
    assert split_hash(fold_indices(labels, 5, 42, pairs)) == split_hash(fold_indices(labels, 5, 42, pairs))
    assert len({split_hash(fold_indices(labels, 5, seed, pairs)) for seed in range(5)}) == 5


def test_the_grouped_folds_of_a_seed_stay_the_same() -> None:
    """A run that is continued, or repeated on another machine, has the folds that it was begun with."""
    labels, groups = np.arange(120) * 7 % 11 % 3, np.arange(120) * np.arange(120) // 150
    found = split_hash(fold_indices(labels, 4, 42, groups))
    assert found == "43079eea4fb40ea5aa62a62efc63179a2ad3447f43fa8198556cb3061b7be0c5"


def test_split_hash_is_over_the_validation_rows_fold_by_fold() -> None:
    def packed(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(8, "little") for number in numbers)

    folds = [([2], [0, 1]), ([0, 1], [2])]
    assert split_hash(folds) == hashlib.sha256(packed(2, 0, 1, 1, 2)).hexdigest()
    assert split_hash([(np.array([2], np.int32), np.array([0, 1], np.int32)), folds[1]]) == split_hash(folds)
    assert split_hash([([], [0]), ([], [1, 2])]) != split_hash([([], [0, 1]), ([], [2])])


def test_five_folds_and_the_seed_42_are_the_defaults() -> None:
    labels = np.random.default_rng(1).integers(0, 3, 90)
    expected = [rows.tolist() for _, rows in StratifiedKFold(5, shuffle=True, random_state=42).split(labels, labels)]
    assert [rows.tolist() for _, rows in fold_indices(labels)] == expected
    data = build(labels.tolist())
    texts = [[f"문장 {row}" for row in rows] for rows in expected]
    assert [validation["text"][:] for _, validation in stratified_kfold(data)] == texts


@given(st.lists(st.integers(1, 4), min_size=4, max_size=20).map(lambda drawn: [1, 2, 3, 4, *drawn]))
@settings(max_examples=20, deadline=None)
def test_numbers_of_folds_come_back(numbers: list[int]) -> None:
    folds = folds_from_numbers(numbers)
    found = fold_numbers(folds, len(numbers))
    assert found == numbers
    assert all(type(number) is int for number in found), "as JSON takes them"
    for number, (train, validation) in enumerate(folds, start=1):
        assert validation.tolist() == [row for row, found in enumerate(numbers) if found == number]
        assert train.tolist() == [row for row, found in enumerate(numbers) if found != number]


@pytest.mark.parametrize("numbers", [[], [1, 1], [2, 2, 1, 4], [0, 1], [2, 3], [0, 1, 2]])
def test_numbers_that_leave_a_fold_out_are_refused(numbers: list[int]) -> None:
    with pytest.raises(SplitError) as caught:
        folds_from_numbers(numbers)
    assert str(sorted(set(numbers))) in caught.value.english


def test_two_folds_are_enough() -> None:
    assert [rows.tolist() for _, rows in folds_from_numbers([2, 1, 1])] == [[1, 2], [0]]


def test_equal_texts_stay_together_unless_told_otherwise() -> None:
    data = build([0, 1] * 12).map(lambda _, row: {"text": f"글 {row // 6}"}, with_indices=True)
    for train, validation in stratified_kfold(data, 2):
        assert not set(train["text"][:]) & set(validation["text"][:])
    apart = list(stratified_kfold(data, 2, group_duplicates=False))
    assert any(set(train["text"][:]) & set(validation["text"][:]) for train, validation in apart)


def test_a_row_in_no_fold_has_the_number_0() -> None:
    assert fold_numbers([([1], [0]), ([0], [1])], 3) == [1, 2, 0]


def test_a_fold_must_train_every_label_and_validate_a_row(caplog: pytest.LogCaptureFixture) -> None:
    labels, rows = np.array([0, 0, 1, 1]), np.arange(4)
    check_folds(labels, [(rows[[0, 2]], rows[[1, 3]]), (rows[[1, 3]], rows[[0, 2]])])
    assert not caplog.records
    with pytest.raises(SplitError, match=r"Fold 2: .* \(labels missing: -\)"):
        check_folds(labels, [(rows[[0, 2]], rows[[1, 3]]), (rows, rows[:0])])
    with pytest.raises(SplitError, match=r"Fold 1: .* \(labels missing: 슬픔, 2\)"):
        check_folds(np.array([0, 0, 2, 2]), [(rows[:0], rows)], ["슬픔", "기쁨"])


@pytest.mark.parametrize(
    ("labels", "n_splits", "groups", "korean", "english", "mend"),
    [
        (
            [0] * 5 + [1] * 2,
            5,
            None,
            "'1' 2행뿐입니다. `n_splits`을 2 이하로 하",
            "5 folds need 5 or more row(s) of each label; '1' has 2 row(s). The largest `n_splits` that works is 2.",
            {"n_splits": 2},
        ),
        ([0] * 5 + [1], 2, None, "'1' 1행뿐입니다. 어떤 폴드 수로도", "No number of folds works; add data.", {}),
        (
            [0, 1] * 6,
            5,
            [0, 0, 1, 1, 2, 2] * 2,
            "3개뿐이라 5폴드로 나눌 수 없습니다. `n_splits`을 3 이",
            "found 3. The largest",
            {"n_splits": 3},
        ),
        ([0, 1] * 6, 2, [0] * 12, "1개뿐이라 2폴드로 나눌 수 없습니다. 어떤 폴드 수로도", "found 1. No number", {}),
        (
            [0, 0, 0, 1, 1, 1],
            3,
            [0, 1, 2, 3, 3, 4],
            "레이블마다 3그룹(같은 글은 한 그룹) 이상 있어야 하는데 '1' 2그룹(같은 글은 한 그룹)뿐",
            "3 folds need 3 or more group(s) of rows that stay together of each label; '1' has 2 group(s)",
            {"n_splits": 2},
        ),
        (
            [[1], [1], [1]],
            4,
            None,
            "3행뿐이라 4폴드로 나눌 수 없습니다. `n_splits`을 3 이하로",
            "found 3. The largest",
            {"n_splits": 3},
        ),
        ([[1]], 2, None, "1행뿐이라 2폴드로 나눌 수 없습니다. 어떤 폴드 수로도", "found 1. No number", {}),
        ([[1], [0], [0]], 2, None, "레이블마다 행이 둘 이상 있어야 하는데 '0'은(는) 하나뿐", "'0' has 1 row", {}),
        ([[1], [1], [0]], 2, [0, 0, 1], "레이블마다 그룹(같은 글은 한 그룹)이 둘 이상", "'0' has 1 group", {}),
    ],
)
def test_what_cannot_be_divided_is_told_in_both_languages_with_the_way_out(
    labels: list[object], n_splits: int, groups: list[int] | None, korean: str, english: str, mend: dict[str, object]
) -> None:
    with pytest.raises(SplitError) as caught:
        fold_indices(labels, n_splits, groups=groups)
    assert korean in caught.value.korean
    assert english in caught.value.english
    assert caught.value.mend == mend


def test_rare_label_is_named_with_its_count_and_the_way_out() -> None:
    dataset = build([0] * 10 + [5] * 3 + [6] * 4)
    with pytest.raises(SplitError) as caught:
        stratified_kfold(dataset)  # raises before the first fold is asked for
    assert "'happy' has 3 row(s), 'disgust' has 4 row(s)" in caught.value.english
    assert "'happy' 3행" in caught.value.korean
    assert caught.value.mend == {"n_splits": 3}
    assert len(list(stratified_kfold(dataset, n_splits=3))) == 3


def test_a_single_row_of_a_label_allows_no_folds() -> None:
    assert "No number of folds works" in failure([0, 0, 0, 1], 2)
    assert "'b' has 1 row(s)" in failure(["a", "a", "b"], 2)


@pytest.mark.parametrize("n_splits", [1, 0, -2, 2.5, True, "5", None])
def test_number_of_folds(n_splits: object) -> None:
    assert repr(n_splits) in failure([0, 0, 1, 1], n_splits)


def test_no_rows() -> None:
    assert "no rows to split" in failure([], 2)
    with pytest.raises(SplitError, match="no rows to split"):
        stratified_kfold(build([]))


def test_too_few_groups() -> None:
    message = failure([0, 1] * 10, 5, groups=["a", "a", "b", "b"] * 5)
    assert "found 2" in message
    assert "`n_splits` that works is 2" in message
    assert "20 rows, found 3" in failure([0, 1] * 10, 2, groups=["a", "b", "c"])


def test_label_in_too_few_groups() -> None:
    groups = [f"g{i % 6}" for i in range(60)]
    labels = [6 if group in ("g0", "g1", "g2") and i < 30 else 0 for i, group in enumerate(groups)]
    message = failure(labels, 5, groups=groups, label_names=EMOTION_LABELS)
    assert "'disgust' has 3 group(s)" in message
    assert "`n_splits` that works is 3" in message


def test_groups_that_leave_a_label_untrained() -> None:
    # Every two of the three groups are the only ones with some label: two of them must share one of two folds.
    labels, groups = [0, 2, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    message = failure(labels, 2, 0, groups, label_names=EMOTION_LABELS)
    assert re.search("labels missing: (fear|surprise|angry)", message)
    assert "another seed" in message


def test_groups_that_leave_a_label_unvalidated_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    labels = [int(digit) for digit in "0011100000201200102022201111210212"]
    groups = [int(digit) for digit in "0111111122223333344444455566666666"]
    folds = fold_indices(labels, 3, 0, groups)
    unseen = [number for number, (_, rows) in enumerate(folds, 1) if {labels[row] for row in rows} != {0, 1, 2}]
    assert unseen
    assert f"fold {unseen[0]} validates no row" in caplog.text
    assert f"{unseen[0]}번 겹의 검증에 없는 레이블: " in caplog.text


def test_missing_columns() -> None:
    dataset = build([0, 1] * 10)
    with pytest.raises(SplitError, match=r"no column 'speaker'.*text, label"):
        stratified_kfold(dataset, group_by="speaker")
    with pytest.raises(SplitError, match="no column 'label'"):
        stratified_kfold(dataset.remove_columns("label"))


@pytest.mark.parametrize("missing", [None, -1])
def test_rows_without_label(missing: int | None) -> None:
    with pytest.raises(SplitError, match=rf"2 row\(s\) have no 'label' \(the first at index 3: {missing}\)"):
        stratified_kfold(build([0, 1, 0, missing, 1, missing]), n_splits=2)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (List(ClassLabel(names=["가", "나"])), [[0], [1]]),
        ({"가": Value("float64"), "나": Value("float64")}, [{"가": 2.0, "나": 1.0}, {"가": 0.0, "나": 3.0}]),
    ],
    ids=["several labels", "votes"],
)
def test_rows_with_a_label_of_another_kind_are_divided_by_it_and_none_may_lack_it(kind: object, known: Any) -> None:
    def of(labels: list[object]) -> Dataset:
        texts = [f"문장 {row}" for row in range(len(labels))]
        return Dataset.from_dict(
            {"text": texts, "label": labels}, features=Features({"text": Value("string"), "label": kind})
        )

    for _, validation in stratified_kfold(of(known * 6), 3):
        assert sorted(map(str, validation["label"][:])) == sorted(map(str, known * 2))
    for _, rows in make_split(of(known * 6), 3).folds:
        assert sorted((rows % 2).tolist()) == [0, 0, 1, 1]
    with pytest.raises(SplitError, match=r"1 row\(s\) have no 'label' \(the first at index 2: None\)"):
        stratified_kfold(of([*known, None]), 2)


def test_rows_without_group() -> None:
    with pytest.raises(SplitError, match=r"1 row\(s\) have no 'group'"):
        stratified_kfold(build([0, 1, 0, 1], group=["a", None, "b", "b"]), n_splits=2, group_by="group")


def test_labels_that_do_not_occur_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    list(stratified_kfold(build([i % 6 for i in range(60)])))
    assert "no rows with the label(s) disgust" in caplog.text
    assert "이 레이블의 행이 하나도 없습니다: disgust" in caplog.text
    assert "happy" not in caplog.text


def test_labels_that_are_floats() -> None:
    assert "floats, such as 0.0." in failure([0.0, 1.0] * 4, 2)
    assert "라벨이 소수입니다: 0.2." in failure([0.2, 0.8] * 4, 2)


@pytest.mark.parametrize(("share", "parts"), [(0.5, 2), (0.34, 3), (0.25, 4), (0.1, 10)])
def test_a_share_is_set_aside(share: float, parts: int) -> None:
    labels = np.random.default_rng(2).integers(0, 3, 90)
    splitter = StratifiedKFold(parts, shuffle=True, random_state=42)
    kept, aside = next(iter(splitter.split(labels, labels)))
    found = set_aside(labels, share)
    assert [rows.tolist() for rows in found] == [kept.tolist(), aside.tolist()]
    assert [rows.tolist() for rows in set_aside(labels, share, 7)] != [kept.tolist(), aside.tolist()]
    groups = np.arange(90) // 2
    kept, aside = set_aside(labels, share, groups=groups)
    assert not set(groups[kept]) & set(groups[aside])
    assert abs(len(aside) - 90 / parts) <= 4
    with pytest.raises(SplitError, match="'쌍' has 1 row"):
        set_aside([0] * 9 + [1], share, label_names=["홀", "쌍"])


@pytest.mark.parametrize(("seed", "is_one"), [(0, True), (2**32 - 1, True), (-1, False), (2**32, False), (1.5, False)])
def test_seeds_are_those_numpy_takes(seed: float, is_one: bool) -> None:
    if is_one:
        assert len(fold_indices([0, 1] * 4, 2, seed)) == 2  # type: ignore[arg-type]
        return
    with pytest.raises(KoBERTEmotionError, match="`seed`"):
        fold_indices([0, 1] * 4, 2, seed)  # type: ignore[arg-type]


def test_names_stand_for_the_numbers_that_they_have() -> None:
    assert "'7' has 1 row(s)" in failure([7, 0, 0, 0], 2, label_names=EMOTION_LABELS)
    assert "'-1' has 1 row(s)" in failure([-1, 0, 0, 0], 2, label_names=EMOTION_LABELS)
    assert "'disgust' has 1 row(s)" in failure([6, 0, 0, 0], 2, label_names=EMOTION_LABELS)


def test_folds_brought_along_are_whole_numbers() -> None:
    with pytest.raises(SplitError, match=r"whole numbers as folds, found \[1\.0, 2\.5\]"):
        folds_from_numbers([1.0, 2.5])  # type: ignore[list-item]
    with pytest.raises(SplitError) as caught:
        folds_from_numbers([1.0, 2.5, 1.5, 2.0])  # type: ignore[list-item]
    assert "found [1.0, 2.5, 1.5]." in caught.value.english
    assert "[1.0, 2.5, 1.5]입니다" in caught.value.korean


@pytest.mark.parametrize("kind", ["DatasetDict", "rows", "table"])
def test_what_is_no_data_set_is_not_split(kind: str) -> None:
    columns = {"text": ["가", "나", "다", "라"], "label": [0, 1, 0, 1]}
    wrong = {
        "DatasetDict": DatasetDict({"train": Dataset.from_dict(columns)}),
        "rows": [{"text": "가", "label": 0}],
        "table": columns,
    }[kind]
    with pytest.raises(KoBERTEmotionError, match="`dataset`"):
        stratified_kfold(wrong, 2)  # type: ignore[arg-type]
