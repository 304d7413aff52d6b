"""The division of a run: made from labels and groups, or brought along."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.label_ids import class_names
from ..errors import SplitError
from ..wording import Wording
from .csv import read_split
from .folds import Fold, check_folds, fold_indices, fold_numbers, folds_from_numbers, split_hash, stratified_labels
from .groups import Groups, crossing_groups, row_groups

if TYPE_CHECKING:
    from datasets import Dataset

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """The folds of a run and how they came about."""

    folds: list[Fold]
    groups: Groups | None
    """The group of each row, None where no rows have to stay together."""
    settings: dict[str, Any]
    """`group_by`, `group_pattern`, `group_duplicates` and `split_from`: "seed", "file" or "caller"."""

    def describe(self) -> dict[str, Any]:
        """Returns what `run.json` says of the split."""
        groups = None if self.groups is None else len(np.unique(self.groups))
        return {**self.settings, "groups": groups, "split_sha256": split_hash(self.folds)}


def _check_joined(
    dataset: Dataset, n_splits: int, group_by: str | None, group_pattern: str | None, groups: Groups | None
) -> None:
    """Raises `SplitError` where equal texts join groups to fewer than there are folds, which would do without them."""
    alone = row_groups(dataset, group_by, group_pattern, group_duplicates=False)
    if groups is None or alone is None:
        return
    joined, apart = len(np.unique(groups)), len(np.unique(alone))
    if joined < n_splits <= apart:
        raise SplitError(
            f"그룹(대화) {apart:,}개가 같은 글로 이어져 {joined:,}개가 되어 {n_splits}겹으로 나눌 수 없습니다. 같은 "
            "글이 여러 겹에 있어도 되면 `group_duplicates`를 끄세요.",
            f"Equal texts join {apart:,} groups (conversations) to {joined:,}, fewer than {n_splits} folds. Where "
            "equal texts may be in several folds, turn `group_duplicates` off.",
            mend={"group_duplicates": False},
        )


def make_split(
    dataset: Dataset,
    n_splits: int = 5,
    seed: int = 42,
    group_by: str | None = None,
    group_pattern: str | None = None,
    group_duplicates: bool = True,
    given: str | os.PathLike[str] | Sequence[int] | None = None,
) -> Split:
    """Divides the rows of a data set into folds.

    Args:
        dataset: Rows with `text` and `label`, a `ClassLabel` or a list of them, or votes for each.
        n_splits: The number of folds; of no use to a given split.
        seed: The seed of the shuffling; likewise.
        group_by: See `splits.groups.row_groups`, also for the next two.
        group_pattern: A regular expression.
        group_duplicates: Whether rows with the same text stay together.
        given: The fold of each row, from 1, or a file with them. Groups that are in more than one of its folds are
            counted in a warning.

    Raises:
        SplitError: The labels or groups do not allow as many folds, or `given` is not a split of this data.
    """
    names = class_names(dataset) or []
    labels = stratified_labels(dataset, names)
    groups = row_groups(dataset, group_by, group_pattern, group_duplicates)
    settings = {
        "group_by": group_by,
        "group_pattern": group_pattern,
        "group_duplicates": group_duplicates,
        "split_from": "seed" if given is None else "file" if isinstance(given, str | os.PathLike) else "caller",
    }
    if given is None:
        _check_joined(dataset, n_splits, group_by, group_pattern, groups)
        return Split(fold_indices(labels, n_splits, seed, groups, label_names=names), groups, settings)
    numbers = read_split(given, dataset) if isinstance(given, str | os.PathLike) else list(given)
    if len(numbers) != len(dataset):
        raise SplitError(
            f"데이터는 {len(dataset):,}행인데 분할은 {len(numbers):,}행입니다.",
            f"The data has {len(dataset):,} rows and the split {len(numbers):,}; expected a fold for each row.",
        )
    folds = folds_from_numbers(numbers)
    check_folds(labels, folds, names)
    crossing = 0 if groups is None else crossing_groups(groups, fold_numbers(folds, len(dataset)))
    if crossing:
        logger.warning(
            Wording(
                f"주어진 분할에서 함께 있어야 할 그룹 {crossing}개가 여러 겹에 나뉘어 검증 점수가 부풀 수 있습니다",
                f"the given split puts {crossing} group(s) of rows that belong together (equal texts or groups) into "
                "different folds: validation scores may be too high",
            )
        )
    return Split(folds, groups, settings)
