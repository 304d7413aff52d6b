"""A run on a test file: every fold, all of them together, and how far the figures can be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import Truth, is_labelled, label_ids
from ..data.text_keys import duplicate_groups, text_key
from ..errors import CheckpointError
from ..inference.ensemble import EmotionEnsemble
from ..inference.loading import load_checkpoint
from ..inference.soup import MODELS, average_weights
from ..metrics.bootstrap import Interval, Optimism, selection_optimism
from ..metrics.probabilities import Logits
from ..metrics.scores import Scores
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..runs.finished import run_of
from ..runs.layout import best_fold, find_checkpoints
from ..tasks.choice import check_task
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..tasks.two_levels import TwoLevels
from ..tokenization.long_texts import LongTexts
from ..utils.argument_checks import check_count
from ..utils.progress import each
from ..wording import Wording
from .checkpoints import CheckpointScores, check_turns, evaluate_predictor, mean_focal_loss

CHOSEN_ON_VALIDATION, CHOSEN_ON_TEST, NOT_CHOSEN = "validation", "test", "nothing"
ENSEMBLE, SOUP = "ensemble", "soup"


@dataclass(frozen=True)
class PartScores:
    """Scores of a part of the test rows, with 95% bootstrap intervals; see `metrics.bootstrap.score_intervals`."""

    scores: Scores
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class CoarseScores(PartScores):
    """Scores of the coarse of two levels of labels, by the sums of the fine probabilities."""

    ece: float
    """Expected calibration error of the sums, over 15 bins."""


@dataclass(frozen=True)
class HoldoutScores:
    """One checkpoint, or several together, on the test rows."""

    name: str
    """The checkpoint's path, `ENSEMBLE` or `SOUP`."""
    path: Path | None
    """None of what is not a folder yet; `kobert-emotion ensemble` makes one."""
    loss: float
    """Mean focal loss; of an ensemble that of the mean probabilities."""
    ece: float
    """Expected calibration error of the probabilities predicted, over 15 bins; of several labels the mean over them."""
    all_rows: PartScores
    unseen: PartScores | None
    """Of the rows whose text is not among the run's; None where there are none, or the run's texts are not known."""
    seen: PartScores | None
    """Of the rows whose text is among the run's."""
    right: NDArray[np.bool_]
    """Whether each row was predicted rightly, shape (rows,)."""
    by_label: dict[str, dict[str, float]] | None = None
    """Of several labels a row, figures of each by itself; see `metrics.multi_label.label_table`."""
    coarse: CoarseScores | None = None
    """Of labels with two levels, the scores of the coarse one."""


@dataclass(frozen=True)
class Holdout:
    """What a test file says of a run."""

    checkpoints: list[HoldoutScores]
    """Every fold, in their order, or the single checkpoint."""
    combined: list[HoldoutScores]
    """The ensemble (mean of the folds' probabilities) and the soup (mean of their weights); empty without folds."""
    best: HoldoutScores
    chosen_on: str
    """`CHOSEN_ON_VALIDATION`: the fold the run chose; `CHOSEN_ON_TEST`: the best by test accuracy, as the notebook
    chooses (of several labels a row by macro F1), whose figure is optimistic; `NOT_CHOSEN` where there was but one."""
    optimism: Optimism | None
    """How much choosing on the test rows adds to an accuracy; None without folds to choose from, and of several labels
    a row."""
    seen_rows: int | None
    """Test rows whose text is among the run's; None where the run's texts are not known."""


@dataclass(frozen=True)
class _TestRows:
    """What of the test rows is the same for every checkpoint."""

    labels: Truth
    names: list[str]
    """Of the labels, in the order of their ids."""
    groups: list[int]
    """Rows with equal texts have equal numbers."""
    is_seen: NDArray[np.bool_] | None

    def judge(self, name: str, path: Path | None, loss: float, logits: Logits, task: Task) -> HoldoutScores:
        seen = self.is_seen
        table = task.by_label(logits, self.labels)
        return HoldoutScores(
            name=name,
            path=path,
            loss=loss,
            ece=task.calibration_error(logits, self.labels),
            all_rows=self._part(logits, np.ones(len(logits), dtype=bool), task),
            unseen=None if seen is None or seen.all() else self._part(logits, ~seen, task),
            seen=None if seen is None or not seen.any() else self._part(logits, seen, task),
            right=task.right(logits, self.labels),
            by_label=None
            if table is None
            else {
                label: {figure: float(values[index]) for figure, values in table.items()}
                for index, label in enumerate(self.names)
            },
            coarse=None if task.levels is None else self._coarse(logits, task.levels),
        )

    def _coarse(self, logits: Logits, task: TwoLevels) -> CoarseScores:
        above, labels, level = task.coarse_logits(logits), task.hierarchy.ids(self.labels), SingleLabel()
        intervals = level.intervals(above, labels, self.groups)
        return CoarseScores(level.score(above, labels), intervals, level.calibration_error(above, labels))

    def _part(self, logits: Logits, rows: NDArray[np.bool_], task: Task) -> PartScores:
        kept, labels = logits[rows], self.labels[rows]
        groups = [group for group, is_kept in zip(self.groups, rows, strict=True) if is_kept]
        return PartScores(task.score(kept, labels), task.intervals(kept, labels, groups))


def evaluate_run(
    run: str | os.PathLike[str],
    dataset: datasets.Dataset,
    select_on_test: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    tokenizer: PreTrainedTokenizerBase | str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
    long: LongTexts | None = None,
) -> Holdout:
    """Evaluates a run, or a single checkpoint, on test rows.

    The intervals and the optimism draw rows with equal texts together. A text counts as seen where the run's file
    has it (see `data.text_keys.text_key`), in whichever fold.

    Args:
        run: The folder of a run, a fold, a model or an ensemble, one of the notebook's files, "default" or a Hub id.
        dataset: Rows with `text` and `label`, which is matched with the checkpoints' by name; see
            `data.label_ids.label_ids`. Rows whose label is -100 are left out.
        select_on_test: Whether to choose the best fold by its test accuracy, as the notebook does. Without it the
            choice is the run's own, and by test accuracy only where a folder of folds records none.
        batch_size: Rows a forward pass.
        tokenizer: For the notebook's files, which hold none; see `load_checkpoint`.
        num_attention_heads: For the notebook's files that do not tell it.
        long: How texts longer than the models read are answered; None cuts them.

    Raises:
        CheckpointError: There is no checkpoint at `run`.
        DataError: The test rows' labels are not those of a checkpoint.
        TokenizerError: The tokenizer fits neither the checkpoint nor the data.
    """
    check_dataset(dataset, (TEXT_COLUMN, "label"))
    check_count("batch_size", batch_size)
    paths = find_checkpoints(run)
    rows: _TestRows | None = None
    names: list[str] = []
    found: list[CheckpointScores] = []
    checkpoints = []
    for path in each(paths, Wording("모델 평가", "evaluating models"), MODELS):
        predictor = load_checkpoint(path, tokenizer, num_attention_heads)
        if rows is None:
            names = predictor.labels
            check_task(predictor.config, dataset)
            check_turns(predictor, dataset)
            dataset = dataset.select(np.flatnonzero(is_labelled(label_ids(dataset, names))))
            rows = _test_rows(run, dataset, names)
        _check_same_labels(path, predictor.labels, paths[0], names)
        found.append(evaluate_predictor(predictor, path, dataset, batch_size, long))
        checkpoints.append(rows.judge(str(path), path, found[-1].loss, found[-1].logits, predictor.task))
    assert rows is not None
    is_run = len(paths) > 1
    best, chosen_on = _best(checkpoints, None if select_on_test else best_fold(run))
    return Holdout(
        checkpoints=checkpoints,
        combined=_combined(paths, found, rows, dataset, batch_size, long) if is_run else [],
        best=best,
        chosen_on=chosen_on if is_run else NOT_CHOSEN,
        optimism=_optimism(checkpoints, rows) if is_run else None,
        seen_rows=None if rows.is_seen is None else int(rows.is_seen.sum()),
    )


def _check_same_labels(path: Path, labels: list[str], first: Path, names: list[str]) -> None:
    """Raises `CheckpointError` where checkpoints of one folder have other labels, or number them otherwise."""
    if labels != names:
        raise CheckpointError(
            f"{path}의 라벨 순서가 {first}과(와) 다릅니다: {labels}, {names}. 함께 평가할 수 없으니 하나씩 평가하세요.",
            f"The labels of {path} are not those of {first} in their order: {labels}, {names}. They cannot be "
            "evaluated together; evaluate one at a time.",
        )


def _best(checkpoints: Sequence[HoldoutScores], chosen: Path | None) -> tuple[HoldoutScores, str]:
    """Returns the checkpoint that a run chose by itself, or else the best of the test rows; and which of the two."""
    by_path = {checkpoint.path: checkpoint for checkpoint in checkpoints}
    best = by_path.get(chosen) or max(checkpoints, key=lambda found: found.all_rows.scores.choice)
    return best, CHOSEN_ON_VALIDATION if best.path == chosen else CHOSEN_ON_TEST


def _optimism(checkpoints: Sequence[HoldoutScores], rows: _TestRows) -> Optimism | None:
    """Returns what choosing by test accuracy adds; of several labels a row, whose sets are seldom right, nothing."""
    if checkpoints[0].by_label is not None:
        return None
    return selection_optimism({checkpoint.name: checkpoint.right for checkpoint in checkpoints}, rows.groups)


def _test_rows(run: str | os.PathLike[str], dataset: datasets.Dataset, names: Sequence[str]) -> _TestRows:
    texts = list(dataset[TEXT_COLUMN][:])
    pairs = list(dataset[TEXT_PAIR_COLUMN][:]) if TEXT_PAIR_COLUMN in dataset.column_names else None
    is_seen = None
    if (trained := run_of(run)) is not None:
        known = set(trained.text_keys)
        keys = [text_key(text) for text in texts] if pairs is None else list(map(text_key, texts, pairs))
        is_seen = np.asarray([key in known for key in keys])
    return _TestRows(label_ids(dataset, names), list(names), duplicate_groups(texts, pairs), is_seen)


def _combined(
    paths: Sequence[Path],
    found: Sequence[CheckpointScores],
    rows: _TestRows,
    dataset: datasets.Dataset,
    batch_size: int,
    long: LongTexts | None,
) -> list[HoldoutScores]:
    """Evaluates what the folds are together; the ensemble needs no forward pass of its own."""
    soup = average_weights(paths)
    logits = soup.task.mean([scores.logits for scores in found])
    loss = mean_focal_loss(EmotionEnsemble([soup]), logits, rows.labels)
    ensemble = rows.judge(ENSEMBLE, None, loss, logits, soup.task)
    scores = evaluate_predictor(soup, Path(SOUP), dataset, batch_size, long)
    return [ensemble, rows.judge(SOUP, None, scores.loss, scores.logits, soup.task)]
