"""Stratified k-fold fine-tuning: every fold from fresh pre-trained weights, and a prediction for every row."""

from __future__ import annotations

import copy
import gc
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from ..assets import DEFAULT_MODEL_NAME
from ..audit import AuditReport, audit_dataset
from ..configuration import EmotionConfig
from ..data.column_names import LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import label_ids, named_labels
from ..errors import RunError, SplitError
from ..inference.classifier import save_classifier, start_model, weights_sha256
from ..legacy import export_legacy_checkpoint
from ..metrics.probabilities import ClassIds, Logits
from ..metrics.scores import score
from ..splits.csv import SPLIT_FILE, read_split, write_split
from ..splits.folds import fold_numbers, folds_from_numbers, split_hash
from ..splits.split import Split, make_split
from ..tokenization.encoding import encode_dataset
from ..tokenization.guard import check_tokenization
from ..tokenization.loading import load_tokenizer, vocabulary_sha256
from ..tokenization.tokenizer import WordSplit
from ..training.arguments import EmotionTrainingArguments
from ..training.progress import RunProgress
from ..training.resumable_trainer import FoldTrainer, last_checkpoint
from ..training.tracking import check_trackers, tracked_fold, trackers_of
from ..utils.argument_checks import check_path, check_type
from ..utils.files import atomic_directory, write_json
from ..utils.garbage_collection import collector_ignores_startup
from ..utils.versions import library_versions
from .fold_record import read_fold, write_fold
from .layout import AUDIT_FILE, FOLD_FILE, IN_PROGRESS, RUN_FILE
from .result import CrossValidationResult, FoldResult
from .state import check_same_run, forget_progress, only_process, unfinished_record
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
) -> CrossValidationResult:
    """Fine-tunes one classifier a fold and writes the files of a run.

    Every fold starts from the pre-trained encoder anew, with the same new head (the seed is set before it is
    made), and is saved as it is after its last epoch. In several processes (`accelerate launch`) each does
    its share of every batch.

    A run that was interrupted, however hard, is continued by the same call: finished folds are read, the unfinished
    one goes on from its last checkpoint (see `EmotionTrainingArguments.checkpoint_seconds`), and on the CPU the
    result is the same to the last bit. Data, split, model, arguments and versions must be those of before.

    The rows are audited first (`audit.audit_dataset`): what is found is logged and written to `audit.json`.

    Args:
        dataset: Rows with `text` and `label`, a `ClassLabel`, as `load_emotion_dataset` gives them, or names of the
            seven emotions. Every row has a label.
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
    run = Path(output_dir)
    _check_args(args)
    begun = unfinished_record(run)
    dataset = named_labels(dataset)
    labels = list(dataset.features[LABEL_COLUMN].names)
    truth = label_ids(dataset, labels)
    args.alpha_for(labels, np.bincount(truth, minlength=len(labels)))
    division = make_split(dataset, n_splits, args.seed, group_by, group_pattern, group_duplicates, split)
    if begun is not None:
        division = _begun_with(run, begun, dataset, division, args.seed)
    settings = {} if word_split is None else {"word_split": word_split}
    tokenizer = load_tokenizer(model, model_max_length=args.max_length, **settings)
    plan = _Plan(run, os.fspath(model), labels, args, len(division.folds), tokenizer, legacy_export)
    start = plan.start_model()  # fails here rather than in the first fold
    if legacy_export and start.config.model_type != EmotionConfig.model_type:
        raise RunError(
            f"노트북 파일(`legacy_export`)은 BERT 모델만 됩니다: {start.config.model_type}",
            f"The notebook's files (`legacy_export`) are those of BERT, and this is {start.config.model_type}.",
            mend={"legacy_export": False},
        )
    guard = check_tokenization(tokenizer, start.config, dataset[TEXT_COLUMN][:], args.max_length)
    audit = audit_dataset(
        dataset, tokenizer=tokenizer, config=start.config, n_splits=plan.n_splits, max_length=args.max_length
    )
    record = {
        **plan.describe(),
        **division.describe(),
        "start_weights_sha256": weights_sha256(start),
        "datasets": list(dataset_ids),
        "license": license_id,
        "rows": len(dataset),
        "data_sha256": data_sha256(dataset),
        "tokenization": asdict(guard),
        "versions": library_versions(),
    }
    del start
    if begun is not None:
        check_same_run(run, begun, record)
    if args.world_size > 1:
        args.distributed_state.wait_for_everyone()  # all have looked before the first one writes
    with only_process(run) if args.should_save else nullcontext():
        if args.should_save:
            write_json(run / RUN_FILE, {**record, "finished": False})  # first: without it the folder is not ours
            write_split(run / SPLIT_FILE, dataset, fold_numbers(division.folds, len(dataset)), division.groups)
            write_json(run / AUDIT_FILE, audit.to_dict())
            _log_findings(audit)
        result = plan.run_folds(encode_dataset(dataset, tokenizer, args.max_length, labels), truth, division)
        if args.should_save:
            forget_progress(run)
            write_run(result, dataset, truth, division.folds, record)
            folds = [{**asdict(fold), **_fold_settings(fold.path)} for fold in result.folds]
            write_json(run / RUN_FILE, {**record, "finished": True, "best": result.best.path.name, "folds": folds})
    return result


def data_sha256(dataset: datasets.Dataset) -> str:
    """Returns a SHA-256 over the texts, where there are some their pairs, and the labels of a data set, in order."""
    digest = hashlib.sha256()
    names = [name for name in (LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN) if name in dataset.column_names]
    for values in zip(*(dataset[name][:] for name in names), strict=True):
        digest.update(("\t".join(map(str, values)) + "\n").encode())
    return digest.hexdigest()


def _begun_with(run: Path, begun: Mapping[str, Any], dataset: datasets.Dataset, division: Split, seed: int) -> Split:
    """Returns the folds an unfinished run was begun with, where the same settings made others in an earlier version.

    Where settings or data differ, `division` itself: what has changed is said when the records are compared.
    """
    asked = {**division.settings, "n_splits": len(division.folds), "seed": seed}
    before = {**begun, "seed": begun.get("training_arguments", {}).get("seed")}
    if division.settings["split_from"] != "seed" or any(before.get(name) != value for name, value in asked.items()):
        return division
    try:
        return replace(division, folds=folds_from_numbers(read_split(run / SPLIT_FILE, dataset)))
    except SplitError:
        return division


def _log_findings(audit: AuditReport) -> None:
    for finding in audit.findings:
        if finding.status != "ok":
            level = logging.WARNING if finding.status == "problem" else logging.INFO
            logger.log(level, "%s: %s / %s", finding.check, finding.found.korean, finding.found.english)


def _check_args(args: EmotionTrainingArguments) -> None:
    if args.load_best_model_at_end or args.resume_from_checkpoint or args.prediction_loss_only or args.push_to_hub:
        raise RunError(
            "k겹 실행에는 load_best_model_at_end, resume_from_checkpoint, prediction_loss_only, push_to_hub를 쓸 수 "
            "없습니다. 겹마다 마지막 에폭의 모델을 저장하고 검증 행을 예측하며, 끊긴 실행은 같은 명령으로 이어집니다. "
            "Hub에는 끝난 뒤 push_run으로 올리세요.",
            "A k-fold run has no use for load_best_model_at_end, resume_from_checkpoint, prediction_loss_only and "
            "push_to_hub: a fold is saved as it is after its last epoch, its validation rows are predicted, and an "
            "interrupted run is continued by the same command. A finished run is pushed by push_run.",
        )
    check_trackers(trackers_of(args))


def _fold_settings(path: Path) -> dict[str, Any]:
    """Returns what was computed for a fold alone: the weights of its labels."""
    return {"focal_alpha": json.loads((path / FOLD_FILE).read_text(encoding="utf-8"))["focal_alpha"]}


@dataclass(frozen=True)
class _Plan:
    """What all folds of a run have in common."""

    run: Path
    model: str
    labels: list[str]
    args: EmotionTrainingArguments
    n_splits: int
    tokenizer: PreTrainedTokenizerBase
    legacy_export: bool

    def describe(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "labels": self.labels,
            "word_split": getattr(self.tokenizer, "word_split", None),  # of KoBERT's tokenizer alone
            "tokenizer_sha256": vocabulary_sha256(self.tokenizer),
            "n_splits": self.n_splits,
            "legacy_export": self.legacy_export,
            "processes": self.args.world_size,
            "training_arguments": self.args.to_dict(),  # type: ignore[no-untyped-call]
        }

    def start_model(self) -> PreTrainedModel:
        """Returns the model that every fold starts from."""
        set_seed(self.args.seed)
        return start_model(self.model, self.labels, self.args.dropout, self.tokenizer)

    def run_folds(self, encoded: datasets.Dataset, truth: ClassIds, split: Split) -> CrossValidationResult:
        """Trains the folds that are not in the folder of the run yet, and reads the others."""
        logits = np.zeros((len(truth), len(self.labels)), dtype=np.float32)
        results: list[FoldResult] = []
        bar = RunProgress(self.n_splits, self.args.disable_tqdm or not self.args.should_save)
        with collector_ignores_startup(), bar as progress:
            for number, (train, validation) in enumerate(split.folds, start=1):
                path = self.run / f"fold_{number}"
                if (path / FOLD_FILE).is_file():
                    fold, logits[validation] = read_fold(path, truth[validation])
                    progress.skip(fold.history[-1].step)
                else:
                    fold_args = self._fold_args(number)
                    with tracked_fold(fold_args, self.run, path.name):
                        fold, logits[validation] = self._run_fold(
                            number, fold_args, encoded.select(train), encoded.select(validation), progress
                        )
                    gc.collect()  # a trainer and its model refer to each other
                scores = fold.scores
                logger.info(
                    "fold %d/%d: accuracy %.4f, macro F1 %.4f", number, self.n_splits, scores.accuracy, scores.macro_f1
                )
                results.append(fold)
        return CrossValidationResult(
            self.run, self.labels, results, score(logits, truth), logits, split_hash(split.folds)
        )

    def _run_fold(
        self,
        number: int,
        args: EmotionTrainingArguments,
        train: datasets.Dataset,
        validation: datasets.Dataset,
        progress: RunProgress,
    ) -> tuple[FoldResult, Logits]:
        model = self.start_model()
        initial = weights_sha256(model)
        checkpoint = last_checkpoint(self._checkpoints(number))
        if checkpoint is not None:
            logger.info("fold %d/%d: continued from %s / 이어서 학습합니다", number, self.n_splits, checkpoint)
        trainer = FoldTrainer(model, args, train, validation, self.tokenizer, callbacks=[progress])
        trainer.train(resume_from_checkpoint=checkpoint)
        output = trainer.validate()
        logits, truth = np.asarray(output.predictions), np.asarray(output.label_ids)
        path = self.run / f"fold_{number}"
        scores = score(logits, truth)
        result = FoldResult(number, path, len(train), len(validation), scores, initial, trainer.history)
        if self.args.should_save:
            self._save(trainer, result, logits)
        trainer.accelerator.wait_for_everyone()  # until the main process has saved
        return result, logits

    def _checkpoints(self, number: int) -> Path:
        """Returns where the checkpoints of a fold are while it is not finished."""
        return self.run / IN_PROGRESS / f"fold_{number}"

    def _fold_args(self, number: int) -> EmotionTrainingArguments:
        args = copy.copy(self.args)
        args.output_dir = os.fspath(self._checkpoints(number))
        args.eval_strategy, args.save_strategy = IntervalStrategy.EPOCH, SaveStrategy.NO
        args.disable_tqdm = True  # one bar for the run stands for those of the folds
        return args

    def _save(self, trainer: FoldTrainer, fold: FoldResult, logits: Logits) -> None:
        alpha = trainer.criterion.alpha
        weights = dict(zip(self.labels, alpha, strict=True)) if isinstance(alpha, list) else alpha
        with atomic_directory(fold.path) as folder:
            save_classifier(trainer.model, self.tokenizer, folder)
            write_fold(folder, fold, logits, {"focal_alpha": weights})
            if self.legacy_export:
                epochs, batch = self.args.num_train_epochs, self.args.train_batch_size
                stem = f"Focal_KoBERT_e{epochs:g}_b{batch}_fold_{fold.number}"
                export_legacy_checkpoint(trainer.model, folder / stem, trainer.optimizer)
        if (checkpoints := self._checkpoints(fold.number)).exists():
            shutil.rmtree(checkpoints)
