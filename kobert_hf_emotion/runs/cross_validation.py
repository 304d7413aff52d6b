"""Stratified k-fold fine-tuning: every fold from fresh pre-trained weights, and a prediction for every row."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import datasets

from ..assets import DEFAULT_MODEL_NAME
from ..audit import AuditReport
from ..audit.titles import TITLES
from ..data.column_names import CONVERSATION_COLUMN, LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import named_labels
from ..errors import DataError, RunError
from ..splits.csv import SPLIT_FILE, write_split
from ..splits.folds import fold_numbers
from ..splits.split import Split, make_split
from ..tokenization.pieces import WordSplit
from ..training.arguments import EmotionTrainingArguments
from ..training.tracking import check_trackers, trackers_of
from ..utils.argument_checks import check_count, check_path, check_type
from ..utils.files import write_json
from ..wording import Wording
from .fold_training import train_folds
from .layout import AUDIT_FILE, FOLD_FILE, RUN_FILE
from .plan import Plan
from .preparation import Preparation, prepare_once
from .reporting import write_page
from .result import CrossValidationResult
from .state import forget_progress, only_process
from .writing import write_run

logger = logging.getLogger(__name__)


def cross_validate(
    dataset: datasets.Dataset,
    output_dir: str | os.PathLike[str],
    model: str | os.PathLike[str] = DEFAULT_MODEL_NAME,
    args: EmotionTrainingArguments | None = None,
    n_splits: int = 5,
    word_split: WordSplit | None = None,
    group_by: str | None = None,
    legacy_export: bool = False,
    dataset_ids: Sequence[str] = (),
    license_id: str | None = None,
    *,
    group_pattern: str | None = None,
    group_duplicates: bool = True,
    split: str | os.PathLike[str] | Sequence[int] | None = None,
    train_elsewhere: Callable[[Plan, Split], None] | None = None,
    allow_empty: bool = False,
    context: int = 0,
) -> CrossValidationResult:
    """Fine-tunes one classifier a fold and writes the files of a run.

    Every fold starts from the pre-trained encoder anew, with the same new head (the seed is set before it is
    made), and is saved as it is after its last epoch, or with `args.best_epoch` or `args.early_stopping_patience` as it
    was after the best one, chosen on rows that are set aside from its training rows. In several processes (`accelerate
    launch`) each does its share of every batch.

    A run that was interrupted, however hard, is continued by the same call: finished folds are read, the unfinished
    one goes on from its last checkpoint (see `EmotionTrainingArguments.checkpoint_seconds`), and on the CPU the
    result is the same to the last bit. Data, split, model, arguments and versions must be those of before.

    The rows are audited first (`audit.audit_dataset`): what is found is logged and written to `audit.json`.

    Args:
        dataset: Rows with `text` and `label`, a `ClassLabel`, as `load_emotion_dataset` gives them, or names of the
            seven emotions. Every row has a label. A list of labels a row makes models that give a text several, with a
            threshold for each label that is fitted on the out-of-fold predictions.
        output_dir: The folder of the run; it must not exist, be empty, or hold this run unfinished.
        model: "default", a Hub id such as "skt/kobert-base-v1", or a folder; any BERT, ELECTRA or RoBERTa with
            its own tokenizer.
        args: Training arguments; `output_dir`, `eval_strategy` and `save_strategy` in them are not used, for a
            fold is evaluated every epoch and saved at its end. `report_to` opens a tracker's run for each fold.
        n_splits: The number of folds, at least 2.
        word_split: Overrides the setting of KoBERT's tokenizer; see `KoBERTTokenizer`.
        group_by: A column whose equal values stay in one fold.
        legacy_export: Whether to write the notebook's three files for every fold; for BERT only.
        dataset_ids: Hub ids of the data, such as "searle-j/kote", for the metadata of the model cards.
        license_id: Licence of the models, such as "apache-2.0", for the same.
        group_pattern: A regular expression; rows with an equal match in `group_by` stay in one fold. See
            `splits.groups.row_groups`.
        group_duplicates: Whether rows with the same text stay in one fold.
        split: The fold of each row, from 1, or a file with them (see `splits.csv.read_split`), such as the
            `split.csv` of another run; the number of folds is that of the split. Groups and equal texts that it
            puts into different folds are counted in a warning.
        train_elsewhere: What trains the folds that are not there yet in other processes, before this one reads them
            and trains what is still missing; see `ray_engine.training.folds_on_ray`.
        allow_empty: Whether a text may get no label, where rows have several.
        context: With rows whose `text_pair` has turns before a line, as `load_emotion_dataset(…, context=2)` gives
            them, the same number. A line is then never cut for its turns, the models' configurations tell the number
            (`context_turns`), and a conversation stays in one fold.

    Returns:
        The folds, the out-of-fold logits and their scores.

    Raises:
        DataError: A row has no label, or the labels have no names.
        RunError: `output_dir` is in use, holds another run unfinished, or `args` asks for what a run has not.
        SplitError: The labels or groups do not allow as many folds, or `split` is not one of this data.
        TokenizerError: The tokenizer fits neither model nor data.
        CheckpointError: There is no model at `model`.
    """
    args = EmotionTrainingArguments() if args is None else args
    check_type("args", args, EmotionTrainingArguments, "EmotionTrainingArguments(num_train_epochs=3)")
    check_dataset(dataset, (TEXT_COLUMN, LABEL_COLUMN))
    check_path("output_dir", output_dir)
    check_path("model", model)
    _check_args(args)
    check_context(dataset, context)
    plan = Plan(
        Path(output_dir), os.fspath(model), named_labels(dataset), args, word_split, legacy_export, allow_empty, context
    )
    _check_export(plan)
    divide = partial(make_split, plan.dataset, n_splits, args.seed, group_by, group_pattern, group_duplicates, split)
    prepared = prepare_once(plan, divide, {"datasets": list(dataset_ids), "license": license_id})
    with only_process(plan.run) if args.should_save else nullcontext():
        if args.should_save:
            _begin(plan, prepared)
        if train_elsewhere is not None:
            train_elsewhere(plan, prepared.split)
        result = train_folds(plan, prepared.split)
        if args.should_save:
            _finish(plan, prepared, result)
    return result


def check_context(dataset: datasets.Dataset, context: int) -> None:
    """Raises `DataError` where rows have turns before them and `context` is not given, or the other way round."""
    check_count("context", context, 0)
    has_turns = {TEXT_PAIR_COLUMN, CONVERSATION_COLUMN} <= set(dataset.column_names)
    if bool(context) != has_turns:
        raise DataError(
            "`context`는 `load_emotion_dataset(…, context=…)`로 읽은 데이터와 같은 수여야 합니다: "
            f"{context}을(를) 주었고 데이터에는 앞말이 {'있습니다' if has_turns else '없습니다'}.",
            "Expected as `context` what the data was loaded with, `load_emotion_dataset(…, context=…)`; found "
            f"{context}, and rows {'with' if has_turns else 'without'} turns before them.",
        )


def _check_args(args: EmotionTrainingArguments) -> None:
    if args.load_best_model_at_end or args.resume_from_checkpoint or args.prediction_loss_only or args.push_to_hub:
        raise RunError(
            "k겹 실행에는 load_best_model_at_end, resume_from_checkpoint, prediction_loss_only, push_to_hub를 쓸 수 "
            "없습니다. 가장 좋은 에폭을 남기려면 best_epoch=True를 쓰세요. 겹마다 검증 행을 예측하고, 끊긴 실행은 같은 "
            "명령으로 이어집니다. Hub에는 끝난 뒤 push_run으로 올리세요.",
            "A k-fold run has no use for load_best_model_at_end, resume_from_checkpoint, prediction_loss_only and "
            "push_to_hub. To keep the best epoch, chosen on rows that are not scored, give best_epoch=True; validation "
            "rows are predicted, and an interrupted run is continued by the same command. A finished run is pushed by "
            "push_run.",
        )
    if args.shards is not None:
        raise RunError(
            f"k겹 실행은 {args.shards}로 나눈 모델을 학습하지 않습니다: 겹의 모델과 체크포인트는 한 프로세스가 다 가진 "
            "모델로 저장합니다. 데이터 병렬(accelerate launch --multi_gpu)을 쓰세요.",
            f"A k-fold run trains no model that {args.shards} divides among processes: a fold is saved, and continued, "
            "by a process that holds all of it. Take data-parallel processes (accelerate launch --multi_gpu).",
        )
    check_trackers(trackers_of(args))


def _check_export(plan: Plan) -> None:
    if plan.legacy_export and plan.args.chooses_epoch:
        raise RunError(
            "노트북의 _all.tar에는 마지막 에폭의 옵티마이저가 들어가므로, `legacy_export`는 `best_epoch`나 "
            "`early_stopping_patience`와 함께 쓸 수 없습니다.",
            "The notebook's _all.tar holds the optimizer of the last epoch, so `legacy_export` does not go with "
            "`best_epoch` or `early_stopping_patience`.",
            mend={"legacy_export": False},
        )


def _begin(plan: Plan, prepared: Preparation) -> None:
    """Writes what is known of a run before its first fold."""
    split, rows = prepared.split, len(plan.dataset)
    write_json(plan.run / RUN_FILE, {**prepared.record, "finished": False})  # first: else the folder is not ours
    write_split(plan.run / SPLIT_FILE, plan.dataset, fold_numbers(split.folds, rows), split.groups)
    write_json(plan.run / AUDIT_FILE, prepared.audit.to_dict())
    _log_findings(prepared.audit)


def _finish(plan: Plan, prepared: Preparation, result: CrossValidationResult) -> None:
    """Writes what all folds together gave; the record that says so comes last."""
    forget_progress(plan.run)
    write_run(result, plan.dataset, plan.truth, prepared.split.folds, prepared.record, plan.task)
    folds = [{**asdict(fold), **_fold_settings(fold.path)} for fold in result.folds]
    record = {**prepared.record, "finished": True, "best": result.best.path.name, "folds": folds}
    write_page(plan.run, json.loads(json.dumps(record, default=str)))
    write_json(plan.run / RUN_FILE, record)


def _fold_settings(path: Path) -> dict[str, Any]:
    """Returns what was computed for a fold alone: the weights of its labels, and the epoch where one was chosen."""
    record = json.loads((path / FOLD_FILE).read_text(encoding="utf-8"))
    return {name: record[name] for name in ("focal_alpha", "chosen_epoch") if name in record}


def _log_findings(audit: AuditReport) -> None:
    for finding in audit.findings:
        if finding.status != "ok":
            level = logging.WARNING if finding.status == "problem" else logging.INFO
            title, found = TITLES[finding.check], finding.found
            korean, english = f"{title.korean}: {found.korean}", f"{title.english}: {found.english}"
            logger.log(level, "%s", Wording(korean, english))
