"""The folds of a run, one after the other: trained, or read where they are finished already."""

from __future__ import annotations

import gc
import logging
import shutil
from dataclasses import replace

import datasets
import numpy as np

from ..inference.classifier import save_classifier, weights_sha256
from ..legacy import export_legacy_checkpoint
from ..metrics.probabilities import Logits
from ..metrics.scores import Scores
from ..splits.folds import Fold, fold_numbers, split_hash
from ..splits.split import Split
from ..tokenization.cache import CACHED_ROWS
from ..tokenization.encoding import encode_dataset
from ..training.progress import RunProgress
from ..training.resumable_trainer import FoldTrainer, last_checkpoint
from ..training.tracking import tracked_fold
from ..utils.files import atomic_directory
from ..utils.garbage_collection import collector_ignores_startup
from ..wording import Wording
from .fold_record import read_fold, write_fold
from .layout import FOLD_FILE, fold_folder
from .plan import Plan
from .preparation import once_for_all
from .result import CrossValidationResult, FoldResult

logger = logging.getLogger(__name__)


def train_folds(plan: Plan, split: Split) -> CrossValidationResult:
    """Trains the folds that are not in the folder of the run yet, and reads the others."""
    encoded = _encode(plan)
    logits = np.zeros((len(plan.truth), len(plan.labels)), dtype=np.float32)
    results: list[FoldResult] = []
    count = len(split.folds)
    bar = RunProgress(count, plan.args.disable_tqdm or not plan.args.should_save)
    with collector_ignores_startup(), bar as progress:
        for number, rows in enumerate(split.folds, start=1):
            path, (_, validation) = fold_folder(plan.run, number), rows
            if (path / FOLD_FILE).is_file():
                fold, logits[validation] = read_fold(path, plan.truth[validation], plan.task)
                progress.skip(fold.history[-1].step)
            else:
                fold, logits[validation] = _train_fold(plan, number, encoded, rows, progress)
                gc.collect()  # a trainer and its model refer to each other
            scores = fold.scores
            logger.info("fold %d/%d: accuracy %.4f, macro F1 %.4f", number, count, scores.accuracy, scores.macro_f1)
            results.append(fold)
    folds, pooled = _judged(plan, split, results, logits)
    return CrossValidationResult(plan.run, plan.labels, folds, pooled, logits, split_hash(split.folds))


def _judged(plan: Plan, split: Split, folds: list[FoldResult], logits: Logits) -> tuple[list[FoldResult], Scores]:
    """Returns the folds with the scores of answers fitted on the other folds, and those of all rows together."""
    numbers = np.asarray(fold_numbers(split.folds, len(logits)))
    answering = plan.task.without_each(logits, plan.truth, numbers)
    answers = np.zeros_like(plan.task.answers(logits))
    judged = []
    for fold in folds:
        rows = numbers == fold.number
        answers[rows] = answering[fold.number].answers(logits[rows])
        scores = plan.task.score_answers(logits[rows], plan.truth[rows], answers[rows])
        judged.append(replace(fold, scores=scores))
    return judged, plan.task.score_answers(logits, plan.truth, answers)


def _encode(plan: Plan) -> datasets.Dataset:
    """Returns the token ids of all rows, made by the main process alone."""

    def encode() -> datasets.Dataset:
        return encode_dataset(plan.dataset, plan.tokenizer, plan.args.max_length, plan.labels, plan.context > 0)

    if len(plan.dataset) < CACHED_ROWS:
        return once_for_all(plan.args, encode)
    with plan.args.main_process_first(desc="tokenizing"):  # the others find them in the cache
        return encode()


def train_one_fold(plan: Plan, split: Split, number: int) -> None:
    """Trains one fold of a run, for a process that does no more than that."""
    encoded = encode_dataset(plan.dataset, plan.tokenizer, plan.args.max_length, plan.labels, plan.context > 0)
    with collector_ignores_startup(), RunProgress(len(split.folds), disable=True) as progress:
        progress.fold = number - 1
        _train_fold(plan, number, encoded, split.folds[number - 1], progress)


def _train_fold(
    plan: Plan, number: int, encoded: datasets.Dataset, rows: Fold, progress: RunProgress
) -> tuple[FoldResult, Logits]:
    path, args = fold_folder(plan.run, number), plan.fold_args(number)
    train, validation = (encoded.select(indices) for indices in rows)
    with tracked_fold(args, plan.run, path.name):
        model = plan.start_model()
        initial = weights_sha256(model)
        checkpoint = last_checkpoint(plan.checkpoints(number))
        if checkpoint is not None:
            logger.info(
                Wording(f"{path.name}: {checkpoint}에서 이어서 학습합니다", f"{path.name}: continued from {checkpoint}")
            )
        trainer = FoldTrainer(model, args, train, validation, plan.tokenizer, callbacks=[progress])
        trainer.train(resume_from_checkpoint=checkpoint)
        output = trainer.validate()
        logits = np.asarray(output.predictions)
        scores = plan.task.score(logits, plan.truth[rows[1]])
        fold = FoldResult(number, path, len(train), len(validation), scores, initial, trainer.history)
        if args.should_save:
            _save(plan, trainer, fold, logits)
        trainer.accelerator.wait_for_everyone()  # until the main process has saved
    return fold, logits


def _save(plan: Plan, trainer: FoldTrainer, fold: FoldResult, logits: Logits) -> None:
    alpha = trainer.criterion.alpha
    weights = dict(zip(plan.labels, alpha, strict=True)) if isinstance(alpha, list) else alpha
    with atomic_directory(fold.path) as folder:
        save_classifier(trainer.model, plan.tokenizer, folder)
        write_fold(folder, fold, logits, {"focal_alpha": weights})
        if plan.legacy_export:
            epochs, batch = plan.args.num_train_epochs, plan.args.train_batch_size
            stem = f"Focal_KoBERT_e{epochs:g}_b{batch}_fold_{fold.number}"
            export_legacy_checkpoint(trainer.model, folder / stem, trainer.optimizer)
    if (checkpoints := plan.checkpoints(fold.number)).exists():
        shutil.rmtree(checkpoints)
