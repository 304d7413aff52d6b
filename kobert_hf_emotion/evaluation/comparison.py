"""Whether one run is better than another on the same rows, or only luckier."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import CONVERSATION_COLUMN, LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.distributions import TIE
from ..errors import KoBERTEmotionError, RunError
from ..metrics.bootstrap import (
    SEED,
    Interval,
    confusion_scores,
    percentile_interval,
    resample_counts,
    resampled_sums,
)
from ..metrics.mcnemar import McNemar, mcnemar
from ..metrics.multi_label import answer_counts, label_f1, scores_of_counts
from ..runs.finished import FinishedRun, read_run
from ..splits.groups import connected

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Difference:
    """A score of the second run less that of the first."""

    first: float
    second: float
    difference: float
    interval: Interval
    """95% percentile interval of the difference; paired bootstrap."""
    p: float
    """Two-sided, never 0; see `compare_runs`."""


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same rows, by their out-of-fold predictions."""

    first: Path
    second: Path
    rows: int
    same_split: bool
    """Whether both validated the same rows in the same folds."""
    is_grouped: bool
    """Whether the bootstrap drew groups of rows that belong together, and not single rows."""
    accuracy: Difference
    """Of rows with several labels that of whole sets: every label right, and none besides."""
    macro_f1: Difference
    mcnemar: McNemar
    labels: dict[str, Difference] | None = None
    """Where rows have several labels, the F1 of each label."""

    def verdict(self) -> tuple[str, str]:
        """Returns what to make of it, in Korean and in English."""
        sure = {
            "accuracy": self.mcnemar.mid_p < SIGNIFICANCE,
            "macro F1": self.macro_f1.p < SIGNIFICANCE,
        }
        differences = {"accuracy": self.accuracy.difference, "macro F1": self.macro_f1.difference}
        better = {
            name: self.second if differences[name] > 0 else self.first for name, is_sure in sure.items() if is_sure
        }
        if not better:
            return (
                "차이가 있다고 할 수 없습니다: 다른 행을 뽑았다면 뒤집힐 수 있는 차이입니다.",
                "No difference can be told: other rows of the same kind could turn it around.",
            )
        if len(set(better.values())) == 2:
            return (
                f"지표마다 다릅니다: accuracy는 {better['accuracy']}, macro F1은 {better['macro F1']}이(가) 낫습니다.",
                f"It depends: {better['accuracy']} has the better accuracy, {better['macro F1']} the better macro F1.",
            )
        [winner] = set(better.values())
        names = " · ".join(better)
        unsure = "".join(name for name in sure if name not in better)
        korean = f"{winner}이(가) {names}에서 더 낫습니다(p < {SIGNIFICANCE})."
        english = f"{winner} is better in {' and '.join(better)} (p < {SIGNIFICANCE})."
        if unsure:
            korean += f" {unsure}의 차이는 확실하지 않습니다."
            english += f" The difference in {unsure} is not certain."
        return korean, english


def compare_runs(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    resamples: int = 10_000,
    seed: int = SEED,
) -> Comparison:
    """Tests whether two runs on the same data differ in accuracy and macro F1.

    Accuracy is tested by McNemar's test, macro F1 by a paired bootstrap: the same rows are drawn for both, and the
    p-value is twice (b + 1) / (resamples + 1), with b the resamples whose difference is on the far side of 0 or 0
    itself (Davison and Hinkley 1997, Bootstrap Methods and their Application, ch. 4; Phipson and Smyth 2010,
    Permutation P-values should never be zero). But for the ones it is the level at which the percentile interval
    starts to contain 0; it is never less than 2 / (resamples + 1), and never more than 1. Rows with equal texts, and
    rows of a group the runs were split by, are drawn together; McNemar's test counts each for itself.

    Rows with several labels are right where their whole set is, and the F1 of each label is tested like the macro F1.
    Answers are those of thresholds that were fitted on the other folds, as in the reports of the runs. Of many labels
    some p-values are small by chance: of 44 without any difference two are expected below 0.05.

    Both tests tell of the rows that happened to be in the file. What another seed of the training would give they
    do not tell: for that, compare runs with several seeds.

    Args:
        first: The folder of a finished run.
        second: That of another one on the same file.
        resamples: How often the bootstrap draws.
        seed: Of the drawing.

    Raises:
        KoBERTEmotionError: There are too few `resamples` for any difference to be significant.
        RunError: A folder is no finished run, or the runs have other rows or labels.
    """
    if resamples < (least := round(2 / SIGNIFICANCE)):
        raise KoBERTEmotionError(
            f"`resamples`는 {least} 이상이어야 합니다: {resamples}번으로는 p가 {SIGNIFICANCE}보다 작아질 수 없습니다.",
            f"Expected `resamples` of at least {least}, found {resamples}: with fewer no p-value falls below "
            f"{SIGNIFICANCE}.",
        )
    runs = read_run(first), read_run(second)
    _check_same_rows(*runs)
    if runs[0].has_several:
        return _compare_several(*runs, resamples, seed)
    groups, n_classes = _groups_of_both(*runs), len(runs[0].labels)
    numbers = np.asarray([runs[0].labels.index(name) for name in runs[1].labels])
    predictions = runs[0].predictions, numbers[runs[1].predictions]
    # Those of votes differ on ties: each run's answer is right where it is any of the labels tied.
    truths = runs[0].truth, numbers[runs[1].truth]
    # One cell for each of labels and predictions that occur together: a draw of rows is a draw of counts of these.
    places, cells = np.unique(np.stack([*truths, *predictions]), axis=1, return_inverse=True)
    drawn = resample_counts(cells, places.shape[1], groups, resamples, seed)
    found, resampled = (
        [_scores(counts, places[run], places[run + 2], n_classes) for run in (0, 1)]
        for counts in (np.bincount(cells)[None], drawn)
    )
    return Comparison(
        first=runs[0].path,
        second=runs[1].path,
        rows=len(cells),
        same_split=runs[0].record["split_sha256"] == runs[1].record["split_sha256"],
        is_grouped=groups is not None,
        accuracy=_difference(found, resampled, "accuracy"),
        macro_f1=_difference(found, resampled, "macro_f1"),
        mcnemar=mcnemar(predictions[0] == truths[0], predictions[1] == truths[1]),
    )


def _compare_several(first: FinishedRun, second: FinishedRun, resamples: int, seed: int) -> Comparison:
    """Compares runs whose rows have several labels, answered by thresholds that were fitted on the other folds."""
    names, truth, groups = first.labels, first.label_sets, _groups_of_both(first, second)
    order = [second.labels.index(name) for name in names]
    answers = first.answer_sets, second.answer_sets[:, order]
    counts = [answer_counts(truth, chosen) for chosen in answers]
    drawn = resampled_sums(np.hstack(counts), groups, resamples, seed)  # the same rows for both
    found = [_sums_scores(each.sum(axis=0)[None], names) for each in counts]
    resampled = [_sums_scores(part, names) for part in np.hsplit(drawn, 2)]
    return Comparison(
        first=first.path,
        second=second.path,
        rows=len(truth),
        same_split=first.record["split_sha256"] == second.record["split_sha256"],
        is_grouped=groups is not None,
        accuracy=_difference(found, resampled, "accuracy"),
        macro_f1=_difference(found, resampled, "macro_f1"),
        mcnemar=mcnemar(*((chosen == truth).all(axis=1) for chosen in answers)),
        labels={name: _difference(found, resampled, f"F1 {name}") for name in names},
    )


def _sums_scores(sums: NDArray[Any], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Computes scores from sums of `answer_counts`, shape (draws, counts), those of each label behind "F1 "."""
    of_labels = label_f1(sums, len(names)).T
    return scores_of_counts(sums, len(names)) | {f"F1 {name}": f1 for name, f1 in zip(names, of_labels, strict=True)}


def _groups_of_both(first: FinishedRun, second: FinishedRun) -> Sequence[Hashable] | None:
    """Returns the group of each row, rows being together where either run has them so; None where all differ."""
    found = [groups for run in (first, second) if (groups := run.groups()) is not None]
    if len(found) < 2:
        return found[0] if found else None
    joined: list[Hashable] = connected(*found).tolist()
    return joined


def _scores(
    counts: NDArray[np.integer], labels: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int
) -> dict[str, NDArray[np.float64]]:
    """Computes the scores of a run from the counts of cells, shape (draws, cells), each a label and a prediction."""
    places, place_of = np.unique(labels * n_classes + predicted, return_inverse=True)
    order = np.argsort(place_of)
    starts = np.searchsorted(place_of[order], np.arange(len(places)))
    confusions = np.zeros((len(counts), n_classes * n_classes), dtype=np.int64)
    confusions[:, places] = np.add.reduceat(counts[:, order], starts, axis=1)
    return confusion_scores(confusions.reshape(-1, n_classes, n_classes))


def _difference(
    found: list[dict[str, NDArray[np.float64]]], resampled: list[dict[str, NDArray[np.float64]]], name: str
) -> Difference:
    first, second = (float(scores[name][0]) for scores in found)
    drawn = resampled[1][name] - resampled[0][name]
    # Equal scores of different counts differ in the last bit.
    below, above = (drawn <= 1e-12).sum(), (drawn >= -1e-12).sum()
    p = min(1.0, 2 * float(min(below, above) + 1) / (len(drawn) + 1))
    return Difference(first, second, second - first, percentile_interval(drawn), p)


def _same_labels(first: FinishedRun, second: FinishedRun) -> bool:
    """Whether two runs have the same labels, in whichever order; sets and votes of rows are the same, too."""
    if sorted(first.labels) != sorted(second.labels) or first.has_several != second.has_several:
        return False
    if not _has_columns(first, second):
        return True
    order = [second.labels.index(name) for name in first.labels]
    one, other = ((run.label_sets if run.has_several else run.shares) for run in (first, second))
    return len(one) == len(other) and np.allclose(one, other[:, order], rtol=0, atol=TIE)


def _has_columns(first: FinishedRun, second: FinishedRun) -> bool:
    """Whether the labels of a row are several, or votes: its cell lists them in the order of their ids."""
    return first.has_several or (first.has_votes and second.has_votes)


def _check_same_rows(first: FinishedRun, second: FinishedRun) -> None:
    """Raises `RunError` where the runs differ in texts or labels; in which order labels are numbered is no matter."""
    compared = {TEXT_COLUMN, TEXT_PAIR_COLUMN, LABEL_COLUMN}
    if any(CONVERSATION_COLUMN in run.table for run in (first, second)):
        compared -= {TEXT_PAIR_COLUMN}  # the turns before a line, of which runs may have more, or none
    known = [compared.intersection(run.table) for run in (first, second)]
    same_columns, columns = known[0] == known[1], sorted(known[0])
    same_labels = _same_labels(first, second)
    if same_labels and _has_columns(first, second):
        columns.remove(LABEL_COLUMN)  # cells list labels in the order of their ids, which may differ
    if not same_labels or not same_columns or not first.table[columns].equals(second.table[columns]):
        hashes = [run.record["data_sha256"][:12] for run in (first, second)]
        raise RunError(
            f"두 실행의 행이 다릅니다: {first.path}는 {len(first.table):,}행({hashes[0]}…), 라벨 {first.labels}, "
            f"{second.path}는 {len(second.table):,}행({hashes[1]}…), 라벨 {second.labels}. 같은 파일, 같은 라벨로 "
            "학습한 실행만 비교할 수 있습니다.",
            f"The runs have different rows: {first.path} {len(first.table):,} ({hashes[0]}…), labels {first.labels}; "
            f"{second.path} {len(second.table):,} ({hashes[1]}…), labels {second.labels}. Only runs on the same file "
            "and labels can be compared.",
        )
