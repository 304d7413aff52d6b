"""The folds of a run, one after the other: trained, or read where they are finished already."""

from __future__ import annotations

import gc
import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import datasets
import numpy as np
from transformers import TrainerCallback

from ..data.label_ids import has_votes
from ..errors import RunError, SplitError
from ..inference.classifier import save_classifier, weights_sha256
from ..legacy import export_legacy_checkpoint
from ..metrics.probabilities import Logits
from ..metrics.scores import Scores
from ..splits.folds import Indices, fold_numbers, set_aside, split_hash
from ..splits.split import Split
from ..tokenization.cache import CACHED_ROWS
from ..training.choosing import ChosenEpoch
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
            path, validation = fold_folder(plan.run, number), rows[1]
            if (path / FOLD_FILE).is_file():
                fold, logits[validation] = read_fold(path, plan.truth[validation], plan.task)
                progress.skip(fold.history[-1].step)
            else:
                fold, logits[validation] = train_fold(plan, number, encoded, _shares(plan, split, number), [progress])
                gc.collect()  # a trainer and its model refer to each other
            scores = fold.scores
            logger.info("fold %d/%d: accuracy %.4f, macro F1 %.4f", number, count, scores.accuracy, scores.macro_f1)
            results.append(fold)
    folds, pooled = _judged(plan, split, results, logits)
    return CrossValidationResult(plan.run, plan.labels, folds, pooled, logits, split_hash(split.folds))


def _judged(plan: Plan, split: Split, folds: list[FoldResult], logits: Logits) -> tuple[list[FoldResult], Scores]:
    """Returns the folds with the scores of answers fitted on the other folds, and those of all rows together."""
    numbers = np.asarray(fold_numbers(split.folds, len(logits)))
    answers = plan.task.held_out_answers(logits, plan.truth, numbers)
    judged = []
    for fold in folds:
        rows = numbers == fold.number
        scores = plan.task.score_answers(logits[rows], plan.truth[rows], answers[rows])
        judged.append(replace(fold, scores=scores))
    return judged, plan.task.score_answers(logits, plan.truth, answers)


def _encode(plan: Plan) -> datasets.Dataset:
    """Returns the token ids of all rows, made by the main process alone."""

    def encode() -> datasets.Dataset:
        return plan.encoded()

    if len(plan.dataset) < CACHED_ROWS:
        return once_for_all(plan.args, encode)
    with plan.args.main_process_first(desc="tokenizing"):  # the others find them in the cache
        return encode()


def train_one_fold(plan: Plan, split: Split, number: int) -> None:
    """Trains one fold of a run, for a process that does no more than that."""
    encoded = plan.encoded()
    with collector_ignores_startup(), RunProgress(len(split.folds), disable=True) as progress:
        progress.fold = number - 1
        train_fold(plan, number, encoded, _shares(plan, split, number), [progress])


class Shares(NamedTuple):
    """The rows of a fold, as indices of the data set."""

    train: Indices
    validation: Indices
    choosing: Indices | None = None
    """Rows that the epoch is chosen on, which are in neither of the others; None where the last one is kept."""


def _shares(plan: Plan, split: Split, number: int) -> Shares:
    """Returns the rows of a fold, with those set aside for choosing its epoch where that is asked for."""
    train, validation = split.folds[number - 1]
    if not plan.args.chooses_epoch:
        return Shares(train, validation)
    if has_votes(plan.dataset):
        raise RunError(
            "라벨이 주석자들의 표이면 `best_epoch`와 `early_stopping_patience`를 아직 쓸 수 없습니다.",
            "`best_epoch` and `early_stopping_patience` do not know labels that are votes of annotators yet.",
            mend={"best_epoch": False, "early_stopping_patience": None, "choosing_share": None},
        )
    groups = None if split.groups is None else split.groups[train]
    try:
        kept, choosing = set_aside(plan.truth[train], plan.args.choosing_share, plan.args.seed, groups, plan.labels)
    except SplitError as error:
        largest = error.mend.get("n_splits")
        raise RunError(
            f"{number}번 겹의 학습 행에서 에폭을 고를 행(`choosing_share` {plan.args.choosing_share:g})을 떼어 낼 수 "
            f"없습니다: {error.korean}",
            f"No rows to choose the epoch on (`choosing_share` {plan.args.choosing_share:g}) can be set aside from the "
            f"training rows of fold {number}: {error.english}",
            mend={"choosing_share": 1 / int(str(largest))}
            if largest
            else {"best_epoch": False, "early_stopping_patience": None, "choosing_share": None},
        ) from error
    return Shares(train[kept], validation, train[choosing])


def train_fold(
    plan: Plan,
    number: int,
    encoded: datasets.Dataset,
    shares: Shares,
    callbacks: Sequence[TrainerCallback],
    keeps_model: bool = True,
) -> tuple[FoldResult, Logits]:
    """Trains a fold from its last checkpoint or from the start, and writes its folder.

    Args:
        plan: What all folds have in common.
        number: The fold's, from 1.
        encoded: Token ids of all rows.
        shares: Which of them it is trained and validated on.
        callbacks: Of the trainer.
        keeps_model: Whether the model is saved; the scores and the logits are in any case.

    Returns:
        The fold, and the logits of its validation rows.
    """
    path, args = fold_folder(plan.run, number), plan.fold_args(number)
    train, validation = encoded.select(shares.train), encoded.select(shares.validation)
    choosing = None if shares.choosing is None else encoded.select(shares.choosing)
    with tracked_fold(args, plan.run, path.name):
        model = plan.start_model()
        initial = weights_sha256(model)
        checkpoint = last_checkpoint(plan.checkpoints(number))
        if checkpoint is not None:
            logger.info(
                Wording(f"{path.name}: {checkpoint}에서 이어서 학습합니다", f"{path.name}: continued from {checkpoint}")
            )
        trainer = FoldTrainer(
            model, args, train, validation, plan.tokenizer, choosing=choosing, callbacks=list(callbacks)
        )
        trainer.train(resume_from_checkpoint=checkpoint)
        chosen = trainer.keep_best()
        output = trainer.validate()
        logits = np.asarray(output.predictions)
        scores = plan.task.score(logits, plan.truth[shares.validation])
        fold = FoldResult(number, path, len(train), len(validation), scores, initial, trainer.history)
        if args.should_save:
            _save(plan, trainer, fold, logits, chosen, keeps_model)
        trainer.accelerator.wait_for_everyone()  # until the main process has saved
    return fold, logits


def _save(
    plan: Plan, trainer: FoldTrainer, fold: FoldResult, logits: Logits, chosen: ChosenEpoch | None, keeps_model: bool
) -> None:
    alpha = trainer.criterion.alpha
    weights = dict(zip(plan.labels, alpha, strict=True)) if isinstance(alpha, list) else alpha
    epoch = {} if chosen is None else {"chosen_epoch": chosen.to_dict()}
    with atomic_directory(fold.path) as folder:
        if keeps_model:
            save_classifier(trainer.model, plan.tokenizer, folder)
        write_fold(folder, fold, logits, {"focal_alpha": weights, **epoch})
        if plan.legacy_export:
            epochs, batch = plan.args.num_train_epochs, plan.args.train_batch_size
            stem = f"Focal_KoBERT_e{epochs:g}_b{batch}_fold_{fold.number}"
            export_legacy_checkpoint(trainer.model, folder / stem, trainer.optimizer)
    if (checkpoints := plan.checkpoints(fold.number)).exists():
        shutil.rmtree(checkpoints)
