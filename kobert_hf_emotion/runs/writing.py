"""The files that a training or a run leaves, apart from the models."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from numpy.typing import NDArray

from ..data.column_names import ANNOTATIONS_COLUMN, CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import Truth
from ..hub.cards import CARD_FILE, is_hub_id
from ..inference.classifier import store_settings
from ..inference.prediction_csv import prediction_csv
from ..splits.folds import Fold, fold_numbers
from ..splits.groups import row_groups
from ..tasks.multi_label import MultiLabel
from ..tasks.soft import Soft
from ..tasks.task import Task
from ..utils.files import atomic_write, write_json
from ..wording import Wording
from .card import render_run_card
from .layout import (
    BEST,
    CURVES_FILE,
    PREDICTIONS_FILE,
    REPORT_FILE,
    REPORT_JSON_FILE,
)
from .out_of_fold import OutOfFoldReport, out_of_fold_report
from .plots import counted_pictures, plot_curves
from .report_text import report_text
from .result import CrossValidationResult
from .several_labels import SeveralLabelsReport, several_labels_report
from .soft import SoftReport, soft_report
from .two_levels import CoarseReport, coarse_report

logger = logging.getLogger(__name__)


_KNOWN_COLUMNS = (
    *("file", "row", "id", "group", CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN),
    ANNOTATIONS_COLUMN,
)
"""What a table of predictions says of a row, where the data set knows it."""


def write_run(
    result: CrossValidationResult,
    dataset: datasets.Dataset,
    truth: Truth,
    folds: list[Fold],
    record: Mapping[str, Any],
    task: Task,
) -> None:
    """Writes the predictions, reports, pictures and model cards of a run, and points `best` at its fold.

    What was fitted on the out-of-fold logits, a temperature or thresholds, is written into the configuration of every
    fold's model; `oof_predictions.csv` has the probabilities and answers as they were before that.

    Args:
        result: What the run gave.
        dataset: Its rows.
        truth: Their labels.
        folds: Training and validation rows of each fold.
        record: What `run.json` says of the run.
        task: How logits become answers.
    """
    run, labels = result.output_dir, result.labels
    numbers = np.asarray(fold_numbers(folds, len(truth)))
    known = {name: dataset[name][:] for name in _KNOWN_COLUMNS if name in dataset.column_names}
    with prediction_csv(run / PREDICTIONS_FILE, labels, task) as table:
        table.write({**known, "fold": numbers.tolist()}, result.logits, truth)
    groups = row_groups(dataset, record.get("group_by"), record.get("group_pattern"))
    listed = None if groups is None else groups.tolist()
    details = _details(task, result, truth, numbers, listed)
    for fold in result.folds:
        store_settings(fold.path, details.settings)
    with counted_pictures(1) as advance:
        plot_curves(run / CURVES_FILE, {fold.number: fold.history for fold in result.folds})
        advance(1)
    details.draw(run)
    coarse = _coarse(task, result, truth, numbers, listed)
    report = _report(result, details, coarse)
    write_json(run / REPORT_JSON_FILE, report)
    _write_cards(result, report, record, known.get("file", ()))
    with atomic_write(run / REPORT_FILE, "w") as handle:
        handle.write(report_text(run))
    _point(run / BEST, result.best.path)


def _report(
    result: CrossValidationResult,
    details: OutOfFoldReport | SeveralLabelsReport | SoftReport,
    coarse: Mapping[str, CoarseReport],
) -> dict[str, Any]:
    """Returns the content of `report.json`."""
    return {
        "folds": {fold.path.name: asdict(fold.scores) for fold in result.folds},
        "pooled": asdict(result.scores),
        "best": {"fold": result.best.path.name, "chosen_on": "validation macro_f1"},
        **details.to_dict(),
        **{name: part.to_dict() for name, part in coarse.items()},
    }


def _details(
    task: Task,
    result: CrossValidationResult,
    truth: Truth,
    numbers: NDArray[np.integer],
    groups: Sequence[Hashable] | None,
) -> OutOfFoldReport | SeveralLabelsReport | SoftReport:
    """Returns what there is to say of the out-of-fold predictions beside their scores."""
    if isinstance(task, MultiLabel):
        return several_labels_report(task, result.logits, truth, numbers, result.labels, groups)
    report = soft_report if isinstance(task, Soft) else out_of_fold_report
    return report(result.logits, truth, numbers, result.labels, groups)


def _coarse(
    task: Task,
    result: CrossValidationResult,
    truth: Truth,
    numbers: NDArray[np.integer],
    groups: Sequence[Hashable] | None,
) -> dict[str, CoarseReport]:
    """Returns the report of the coarse labels, as "coarse"; nothing where labels have one level."""
    if task.levels is None:
        return {}
    folders = [fold.path.name for fold in sorted(result.folds, key=lambda fold: fold.number)]
    return {"coarse": coarse_report(task.levels, result.logits, truth, numbers, folders, groups)}


def _write_cards(
    result: CrossValidationResult, report: Mapping[str, Any], record: Mapping[str, Any], files: Iterable[str]
) -> None:
    """Writes a model card into the run and into every fold's folder."""
    base_model = record["model"] if is_hub_id(record["model"]) else None
    names = sorted({Path(file).name for file in files})
    for fold in (None, *(fold.path.name for fold in result.folds)):
        card = render_run_card(
            record, report, result.output_dir.name, fold, base_model, record["datasets"], names, record["license"]
        )
        with atomic_write(result.output_dir / (fold or "") / CARD_FILE, "w") as handle:
            handle.write(card)


def _point(link: Path, target: Path) -> None:
    """Makes `link` a relative link to the folder `target`, or a copy where the system has no such links."""
    if link.is_symlink():  # of a run that was interrupted right here
        link.unlink()
    elif link.is_dir():
        shutil.rmtree(link)
    try:
        link.symlink_to(target.name, target_is_directory=True)
    except OSError as error:  # Windows without the right to make links
        logger.warning(
            Wording(
                f"{link}에서 {target}(으)로 링크를 만들 수 없어 복사합니다 ({error})",
                f"cannot link {link} to {target} ({error}): copying it",
            )
        )
        shutil.copytree(target, link)
