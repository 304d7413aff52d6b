"""Stratified k-fold splits that refuse what scikit-learn only warns of."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import LABEL_COLUMN
from ..data.distributions import majority_ids
from ..data.input_checks import check_dataset
from ..data.label_ids import class_names, has_several, has_votes, label_ids
from ..errors import Setting, SplitError
from ..utils.argument_checks import check_count
from ..wording import Wording
from .groups import check_column, check_present, row_groups
from .several_labels import several_label_folds
from .stratified import grouped_folds

if TYPE_CHECKING:
    from datasets import Dataset

logger = logging.getLogger(__name__)

Indices = NDArray[np.int64]
Fold = tuple[Indices, Indices]


def stratified_kfold(
    dataset: Dataset,
    n_splits: int = 5,
    seed: int = 42,
    group_by: str | None = None,
    label_column: str = "label",
    group_pattern: str | None = None,
    group_duplicates: bool = True,
) -> Iterator[tuple[Dataset, Dataset]]:
    """Splits a dataset into folds with the same shares of the labels.

    All checks are done, and all folds fixed, when the function is called; the shards are made one by one.

    Invariants:
        - Every row is in the validation shard of exactly one fold and in the train shard of the others.
        - Within a shard, rows keep the order of the dataset.
        - Rows with the same text (`data.text_keys.text_key`) are in one shard, unless `group_duplicates` is False.
        - Where no text comes twice and there is no `group_by`, the number of rows of a label differs by at
          most one between the validation shards. Of several labels a row (`label` is a list) each is within one row
          of its share where that can be; see `splits.several_labels`.
        - With `group_by`, no group has rows in both shards of a fold; shares of the labels are kept as
          far as groups and equal texts allow.
        - The same labels, groups, `n_splits` and `seed` give the same folds; where no rows have to stay together,
          those of scikit-learn's `StratifiedKFold` with `shuffle=True, random_state=seed`.

    Args:
        dataset: A dataset with a label in each row.
        n_splits: The number of folds, at least 2.
        seed: The seed of the shuffling.
        group_by: A column; rows with the same value in it stay together.
        label_column: The column to stratify by.
        group_pattern: A regular expression; rows with the same match in `group_by` stay together. See
            `splits.groups.row_groups`.
        group_duplicates: Whether rows with the same text stay together.

    Returns:
        An iterator over `n_splits` pairs of a train and a validation shard.

    Raises:
        SplitError: A column is missing, a row has no label or group, or the labels or groups do not allow
            as many folds.
    """
    check_dataset(dataset, (), may_be_empty=True)
    check_column(dataset, label_column)
    labels, names = _labels_in(dataset, label_column)
    groups = row_groups(dataset, group_by, group_pattern, group_duplicates)
    folds = fold_indices(labels, n_splits, seed, groups, label_names=names)
    return ((dataset.select(train), dataset.select(validation)) for train, validation in folds)


def _labels_in(dataset: Dataset, column: str) -> tuple[Sequence[Any] | NDArray[Any], list[str] | None]:
    """Returns what the rows are stratified by, and the names of the labels.

    Raises:
        SplitError: A row has none.
    """
    labels = list(dataset[column][:])
    if column == LABEL_COLUMN and has_votes(dataset):
        check_present(labels, column)
        return stratified_labels(dataset, class_names(dataset) or []), class_names(dataset)
    if column == LABEL_COLUMN and has_several(dataset):
        check_present(labels, column)
        of_lists = class_names(dataset) or sorted({label for row in labels for label in row})
        return label_ids(dataset, of_lists), of_lists
    names = getattr(dataset.features[column], "names", None)
    check_present(labels, column, below_zero_is_missing=names is not None)
    return labels, names


def stratified_labels(dataset: Dataset, names: Sequence[str]) -> NDArray[Any]:
    """Returns what folds are stratified by: the label of each row, or its labels, or the one with most votes.

    Of a tie it is the first label, in the order of the ids, of those with most votes.
    """
    if has_votes(dataset):
        return majority_ids(label_ids(dataset, names))
    return label_ids(dataset, names) if has_several(dataset) else np.asarray(dataset[LABEL_COLUMN][:])


def fold_indices(
    labels: Sequence[Any] | NDArray[Any],
    n_splits: int = 5,
    seed: int = 42,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    *,
    label_names: Sequence[str] | None = None,
) -> list[Fold]:
    """Returns the row indices, train and validation, of every fold.

    The invariants are those of `stratified_kfold`.

    Args:
        labels: The label of each row; of several a row, 1 where it has a label and 0 where not, shape (rows, labels).
        n_splits: The number of folds, at least 2.
        seed: The seed of the shuffling.
        groups: The group of each row, or None.
        label_names: Names of the labels 0, 1, …, for messages.

    Raises:
        SplitError: The labels or groups do not allow as many folds.

    Example:
        >>> folds = fold_indices([0, 0, 1, 1], n_splits=2, seed=42)
        >>> sorted(int(row) for _, validation in folds for row in validation)
        [0, 1, 2, 3]
    """
    from sklearn.model_selection import StratifiedKFold

    y = np.asarray(labels)
    _check_n_splits(n_splits)
    check_count("seed", seed, 0, 2**32)
    if y.ndim == 2:
        return _several_folds(y, n_splits, seed, groups, label_names)
    _check_classes(y, n_splits, label_names)
    if groups is None:
        splitter = StratifiedKFold(n_splits=n_splits, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(y)), y))
    grouped = _numbered(np.asarray(groups))
    _check_groups(y, grouped, n_splits, label_names)
    found = grouped_folds(_numbered(y), grouped, n_splits, seed)
    folds = [(np.flatnonzero(found != fold), np.flatnonzero(found == fold)) for fold in range(n_splits)]
    check_folds(y, folds, label_names)
    return folds


def set_aside(
    labels: Sequence[Any] | NDArray[Any],
    share: float,
    seed: int = 42,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    label_names: Sequence[str] | None = None,
) -> Fold:
    """Divides rows into those that are kept and a share that is set aside, stratified, with groups kept whole.

    Args:
        labels: As for `fold_indices`.
        share: Of the rows set aside, above 0 and up to 0.5: 1 of 1 / `share`, rounded, equal parts.
        seed: The seed of the shuffling.
        groups: The group of each row, or None.
        label_names: Names of the labels 0, 1, …, for messages.

    Returns:
        Indices of the rows that are kept, and of those set aside.

    Raises:
        SplitError: The labels or groups do not allow it.

    Example:
        >>> kept, aside = set_aside([0, 0, 0, 0, 1, 1, 1, 1], share=0.25)
        >>> len(kept), len(aside)
        (6, 2)
    """
    return fold_indices(labels, round(1 / share), seed, groups, label_names=label_names)[0]


def _several_folds(
    has: NDArray[Any],
    n_splits: int,
    seed: int,
    groups: Sequence[Any] | NDArray[Any] | None,
    names: Sequence[str] | None,
) -> list[Fold]:
    """Returns folds of rows with several labels each; see `splits.several_labels`."""
    _check_rows(has)
    numbered = None if groups is None else _numbered(np.asarray(groups))
    if numbered is not None:
        _check_group_count(len(has), numbered, n_splits)
    elif len(has) < n_splits:
        raise SplitError(
            f"{len(has)}행뿐이라 {n_splits}폴드로 나눌 수 없습니다. {_way_out(len(has))[0]}",
            f"{n_splits} folds need as many rows, found {len(has)}. {_way_out(len(has))[1]}",
            mend=_fewer(len(has)),
        )
    _check_trainable(np.asarray(has), numbered, names)
    found = several_label_folds(np.asarray(has, dtype=np.int64), numbered, n_splits, seed)
    folds = [(np.flatnonzero(found != fold), np.flatnonzero(found == fold)) for fold in range(n_splits)]
    _say_absent(np.flatnonzero(has.any(axis=0)), names)
    check_folds(has, folds, names)
    return folds


def _check_trainable(has: NDArray[Any], groups: NDArray[np.int64] | None, names: Sequence[str] | None) -> None:
    """Raises `SplitError` where all rows of a label must be in one fold, which then could not learn it."""
    places = np.arange(len(has)) if groups is None else groups
    spread = {label: len(np.unique(places[has[:, label] == 1])) for label in np.flatnonzero(has.any(axis=0))}
    alone = [f"'{_name(label, names)}'" for label, count in spread.items() if count < 2]
    if alone:
        unit = ("행", "row") if groups is None else ("그룹(같은 글은 한 그룹)", "group")
        raise SplitError(
            f"레이블마다 {unit[0]}이 둘 이상 있어야 하는데 {', '.join(alone)}은(는) 하나뿐입니다. 그것을 검증하는 겹은 "
            "배우지 못합니다. 데이터를 더 모으거나 그 레이블을 빼세요.",
            f"Each label needs two {unit[1]}s or more; {', '.join(f'{name} has 1 {unit[1]}' for name in alone)}. "
            "The fold that validates it could not learn it: add data, or leave the label out.",
        )


def folds_from_numbers(numbers: Sequence[int] | NDArray[np.integer]) -> list[Fold]:
    """Returns the row indices, train and validation, of folds given as a number for each row, from 1 on.

    Raises:
        SplitError: There are fewer than two folds, or the numbers leave one out.

    Example:
        >>> [validation.tolist() for _, validation in folds_from_numbers([2, 1, 2])]
        [[1], [0, 2]]
    """
    of_row = np.asarray(numbers)
    if of_row.dtype.kind not in "iu":
        raise SplitError(
            f"폴드 번호는 정수여야 하는데 {of_row[:3].tolist()}입니다.",
            f"Expected whole numbers as folds, found {of_row[:3].tolist()}.",
        )
    found = sorted({int(number) for number in of_row})
    if len(found) < 2 or found != list(range(1, len(found) + 1)):
        raise SplitError(
            f"폴드 번호는 1부터 빠짐없이 둘 이상이어야 하는데 {found}입니다.",
            f"Expected the folds 1, 2, … without a gap and at least two of them, found {found}.",
        )
    return [(np.flatnonzero(of_row != number), np.flatnonzero(of_row == number)) for number in found]


def fold_numbers(folds: Sequence[Fold], rows: int) -> list[int]:
    """Returns for each of `rows` rows the number, from 1, of the fold that validates it."""
    numbers = np.zeros(rows, dtype=np.int64)
    for number, (_, validation) in enumerate(folds, start=1):
        numbers[validation] = number
    return list(numbers.tolist())


def split_hash(folds: Iterable[tuple[Sequence[int] | Indices, Sequence[int] | Indices]]) -> str:
    """Returns a SHA-256 over the validation indices of folds, the same on every platform.

    Two runs with the same hash validated the same rows in the same folds.
    """
    digest = hashlib.sha256()
    for _, validation in folds:
        digest.update(len(validation).to_bytes(8, "little"))
        digest.update(np.asarray(validation, dtype="<i8").tobytes())
    return digest.hexdigest()


def _numbered(values: NDArray[Any]) -> NDArray[np.int64]:
    """Returns values as numbers from 0 without a gap, in the order in which they come first."""
    import pandas as pd

    return pd.factorize(values)[0]


def _check_n_splits(n_splits: int) -> None:
    if not isinstance(n_splits, (int, np.integer)) or n_splits < 2:  # True is below 2
        raise SplitError(
            f"폴드 수는 2 이상의 정수여야 하는데 {n_splits!r}입니다.",
            f"Expected a whole number of folds, 2 or more, found {n_splits!r}.",
        )


def _check_rows(labels: NDArray[Any]) -> None:
    if len(labels) == 0:
        raise SplitError(
            "나눌 데이터가 비어 있습니다. 데이터를 한 행 이상 넣으세요.",
            "There are no rows to split; expected some.",
        )


def _say_absent(classes: NDArray[Any], names: Sequence[str] | None) -> None:
    absent = [name for index, name in enumerate(names or ()) if index not in classes]
    if absent:
        shown = ", ".join(absent)
        logger.warning(Wording(f"이 레이블의 행이 하나도 없습니다: {shown}", f"no rows with the label(s) {shown}"))


def _check_classes(labels: NDArray[Any], n_splits: int, names: Sequence[str] | None) -> None:
    _check_rows(labels)
    if labels.dtype.kind == "f":
        raise SplitError(
            f"라벨이 소수입니다: {labels[0]}. 라벨 이름이나 정수 번호여야 합니다.",
            f"The labels are no names or whole numbers but floats, such as {labels[0]}.",
        )
    classes, counts = np.unique(labels, return_counts=True)
    rare = {_name(label, names): int(count) for label, count in zip(classes, counts, strict=True) if count < n_splits}
    if rare:
        raise _too_few(rare, n_splits, "행", "row(s)")
    _say_absent(classes, names)


def _check_groups(labels: NDArray[Any], groups: NDArray[np.int64], n_splits: int, names: Sequence[str] | None) -> None:
    _check_group_count(len(labels), groups, n_splits)
    spread = {_name(label, names): len(np.unique(groups[labels == label])) for label in np.unique(labels)}
    rare = {name: count for name, count in spread.items() if count < n_splits}
    if rare:
        raise _too_few(rare, n_splits, "그룹(같은 글은 한 그룹)", "group(s) of rows that stay together")


def _check_group_count(rows: int, groups: NDArray[np.int64], n_splits: int) -> None:
    if len(groups) != rows:
        raise SplitError(
            f"행은 {rows}개인데 그룹은 {len(groups)}개입니다. 행마다 그룹이 하나씩 있어야 합니다.",
            f"Expected one group for each of the {rows} rows, found {len(groups)}.",
        )
    total = int(groups.max()) + 1
    if total < n_splits:
        raise SplitError(
            f"그룹(같은 글은 한 그룹)이 {total}개뿐이라 {n_splits}폴드로 나눌 수 없습니다. {_way_out(total)[0]}",
            f"{n_splits} folds need as many groups of rows that stay together (equal texts do), found {total}. "
            f"{_way_out(total)[1]}",
            mend=_fewer(total),
        )


def check_folds(labels: NDArray[Any], folds: Sequence[Fold], names: Sequence[str] | None = None) -> None:
    """Checks what the greedy placing of whole groups, or a split brought along, does not ensure.

    Args:
        labels: As for `fold_indices`.
        folds: The folds.
        names: Names of the labels 0, 1, …, for messages.

    Raises:
        SplitError: A label has no row to train on in a fold.
    """
    classes = _present(labels)
    for number, (train, validation) in enumerate(folds, start=1):
        untrained = np.setdiff1d(classes, _present(labels[train]))
        if len(untrained) or len(validation) == 0:
            what = ", ".join(_name(label, names) for label in untrained) or "-"
            raise SplitError(
                f"폴드 {number}: 그룹을 나누지 않고는 모든 레이블을 학습에 넣을 수 없습니다(빠진 레이블: {what}). "
                "폴드 수를 줄이거나 seed를 바꾸세요.",
                f"Fold {number}: keeping groups whole leaves a shard without rows or labels to train on "
                f"(labels missing: {what}). Use fewer folds or another seed.",
            )
        unseen = np.setdiff1d(classes, _present(labels[validation]))
        if len(unseen):
            listed = ", ".join(_name(label, names) for label in unseen)
            logger.warning(
                Wording(
                    f"{number}번 겹의 검증에 없는 레이블: {listed}",
                    f"fold {number} validates no row with the label(s) {listed}",
                )
            )


def _present(labels: NDArray[Any]) -> NDArray[Any]:
    """Returns the labels that some row has."""
    return np.flatnonzero(labels.any(axis=0)) if labels.ndim == 2 else np.unique(labels)


def _too_few(rare: dict[str, int], n_splits: int, korean_unit: str, english_unit: str) -> SplitError:
    korean = ", ".join(f"'{name}' {count}{korean_unit}" for name, count in rare.items())
    english = ", ".join(f"'{name}' has {count} {english_unit}" for name, count in rare.items())
    largest = min(rare.values())
    return SplitError(
        f"{n_splits}폴드로 나누려면 레이블마다 {n_splits}{korean_unit} 이상 있어야 하는데 {korean}뿐입니다. "
        f"{_way_out(largest)[0]}",
        f"{n_splits} folds need {n_splits} or more {english_unit} of each label; {english}. {_way_out(largest)[1]}",
        mend=_fewer(largest),
    )


def _way_out(largest: int) -> tuple[str, str]:
    if largest < 2:
        return "어떤 폴드 수로도 나눌 수 없으니 데이터를 더 모으세요.", "No number of folds works; add data."
    return (
        f"`n_splits`을 {largest} 이하로 하세요.",
        f"The largest `n_splits` that works is {largest}.",
    )


def _fewer(largest: int) -> dict[str, Setting] | None:
    return None if largest < 2 else {"n_splits": largest}


def _name(label: Any, names: Sequence[str] | None) -> str:
    if names is not None and isinstance(label, np.integer) and 0 <= label < len(names):
        return names[int(label)]
    return str(label)
