"""Stratified folds: scikit-learn's own, their invariants, and loud failures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from kobert_hf_emotion.errors import SplitError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.splits import fold_indices, split_hash, stratified_kfold


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


def test_grouped_folds_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    labels, groups = rng.integers(0, 3, 300), rng.integers(0, 40, 300).astype(str)
    expected = list(StratifiedGroupKFold(5, shuffle=True, random_state=7).split(labels, labels, groups))
    for ours, theirs in zip(fold_indices(labels, 5, 7, groups), expected, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


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


def test_seed_decides() -> None:
    labels = [0, 1] * 50
    assert split_hash(fold_indices(labels, 5, 42)) == split_hash(fold_indices(labels, 5, 42))
    assert len({split_hash(fold_indices(labels, 5, seed)) for seed in range(5)}) == 5


def test_split_hash_is_over_the_validation_rows_fold_by_fold() -> None:
    def packed(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(8, "little") for number in numbers)

    folds = [([2], [0, 1]), ([0, 1], [2])]
    assert split_hash(folds) == hashlib.sha256(packed(2, 0, 1, 1, 2)).hexdigest()
    assert split_hash([(np.array([2], np.int32), np.array([0, 1], np.int32)), folds[1]]) == split_hash(folds)
    assert split_hash([([], [0]), ([], [1, 2])]) != split_hash([([], [0, 1]), ([], [2])])


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
    # Found by search: scikit-learn 1.9 puts groups 1 and 2, the only ones with label 0, into one shard.
    labels, groups = [1, 1, 1, 2, 2, 2, 0, 0, 2, 1, 2, 0, 0, 1], [0] * 6 + [1] * 2 + [2] * 6
    message = failure(labels, 2, 0, groups, label_names=EMOTION_LABELS)
    assert "labels missing: fear" in message
    assert "another seed" in message


def test_groups_that_leave_a_label_unvalidated_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    labels = [int(digit) for digit in "0011100000201200102022201111210212"]
    groups = [int(digit) for digit in "0111111122223333344444455566666666"]
    folds = fold_indices(labels, 3, 0, groups)
    unseen = [number for number, (_, rows) in enumerate(folds, 1) if {labels[row] for row in rows} != {0, 1, 2}]
    assert unseen
    assert f"fold {unseen[0]} validates no row" in caplog.text


def test_missing_columns() -> None:
    dataset = build([0, 1] * 10)
    with pytest.raises(SplitError, match=r"no column 'speaker'.*text, label"):
        stratified_kfold(dataset, group_by="speaker")
    with pytest.raises(SplitError, match="no column 'label'"):
        stratified_kfold(dataset.remove_columns("label"))


@pytest.mark.parametrize("missing", [None, -1])
def test_rows_without_label(missing: int | None) -> None:
    with pytest.raises(SplitError, match=r"2 row\(s\) have no 'label' \(the first at index 3\)"):
        stratified_kfold(build([0, 1, 0, missing, 1, missing]), n_splits=2)


def test_rows_without_group() -> None:
    with pytest.raises(SplitError, match=r"1 row\(s\) have no 'group'"):
        stratified_kfold(build([0, 1, 0, 1], group=["a", None, "b", "b"]), n_splits=2, group_by="group")


def test_labels_that_do_not_occur_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    list(stratified_kfold(build([i % 6 for i in range(60)])))
    assert "disgust" in caplog.text
    assert "happy" not in caplog.text
