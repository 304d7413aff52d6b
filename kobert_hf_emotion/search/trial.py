"""One trial: the folds trained with its arguments, told epoch by epoch, and given up where others do better."""

# ruff: noqa: ARG002 - callbacks take what the Trainer passes

from __future__ import annotations

import gc
import logging
import math
import shutil
from collections.abc import Mapping
from typing import Any

import datasets
import numpy as np
import optuna
from optuna.trial import Trial, TrialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..metrics.paired import Answers
from ..metrics.probabilities import Logits
from ..runs.fold_record import read_fold
from ..runs.fold_training import Shares, train_fold
from ..runs.layout import FOLD_FILE, IN_PROGRESS, fold_folder
from ..runs.plan import Plan
from ..splits.folds import fold_numbers
from ..wording import Wording
from .plan import SearchPlan
from .storage import LOST, arguments_of, best_of, reported_by

logger = logging.getLogger(__name__)

PARTS = 4
"""A fold tells how far it has come at the first epoch that ends in each of so many parts of it."""
SCORE = "macro_f1"


class Diverged(Exception):  # noqa: N818 - nothing is wrong but the arguments
    """A loss is no number any more."""


class TrialReporter(TrainerCallback):
    """Tells a trial's macro F1 after an epoch, as the mean over its folds so far, and ends it where that is too low.

    Trials have different numbers of epochs, so they are compared by the part of a fold that is done.

    Args:
        trial: The trial.
        fold: The fold that is trained, from 1.
        before: Scores of the folds before it.
    """

    def __init__(self, trial: Trial, fold: int, before: list[float]) -> None:
        self.trial, self.fold, self.before = trial, fold, before

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Tells the score.

        Raises:
            Diverged: The loss of the validation rows is no number.
            optuna.TrialPruned: Most trials before had a higher score here.
        """
        metrics: Mapping[str, float] = kwargs["metrics"]
        if not math.isfinite(metrics["eval_loss"]):
            raise Diverged
        part = math.floor(PARTS * state.global_step / state.max_steps)
        step = PARTS * (self.fold - 1) + part
        told = reported_by(self.trial)
        if part == 0:
            return
        if step not in told:  # it is where an epoch is done again, or is the second in the same part
            self.trial.report(float(np.mean([*self.before, metrics[f"eval_{SCORE}"]])), step)
        if self.trial.should_prune():
            raise optuna.TrialPruned


class TokenIds:
    """The token ids of the searched rows, for the last of the lengths that were asked for."""

    def __init__(self) -> None:
        self._of: tuple[int, datasets.Dataset] | None = None

    def encoded(self, plan: Plan) -> datasets.Dataset:
        """Returns the token ids of a plan's rows."""
        length = plan.args.max_length
        if self._of is None or self._of[0] != length:
            self._of = length, plan.encoded()
        return self._of[1]


def run_trial(search: SearchPlan, study: optuna.Study, trial: Trial, ids: TokenIds) -> None:
    """Trains what of a trial is not on the disk yet, and tells the study how it ended.

    Args:
        search: What the search is to do.
        study: The search's trials.
        trial: One that this process has claimed.
        ids: Where token ids are kept from one trial to the next.
    """
    arguments = arguments_of(search.space, trial)
    plan = search.of_trial(trial.number, arguments)
    try:
        logits = _train(search, plan, trial, ids)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except Diverged:
        study.tell(trial, state=TrialState.FAIL)
    else:
        scores = plan.task.score_answers(logits, plan.truth, out_of_fold_answers(search, logits))
        study.tell(trial, float(getattr(scores, SCORE)))
    shutil.rmtree(plan.run / IN_PROGRESS, ignore_errors=True)
    log_trial(search, study, trial.number)


def _train(search: SearchPlan, plan: Plan, trial: Trial, ids: TokenIds) -> Logits:
    """Returns the out-of-fold logits of the rows that trials see."""
    logits = np.zeros((len(plan.truth), len(plan.labels)), dtype=np.float32)
    scores: list[float] = []
    for number, (train, validation) in enumerate(search.folds, start=1):
        path = fold_folder(plan.run, number)
        if (path / FOLD_FILE).is_file():
            fold, logits[validation] = read_fold(path, plan.truth[validation], plan.task)
        else:
            reporter = TrialReporter(trial, number, list(scores))
            shares = Shares(train, validation)
            fold, logits[validation] = train_fold(
                plan, number, ids.encoded(plan), shares, [reporter], keeps_model=False
            )
            gc.collect()  # a trainer and its model refer to each other
        scores.append(float(getattr(fold.scores, SCORE)))
    return logits


def out_of_fold_answers(search: SearchPlan, logits: Logits) -> Answers:
    """Returns what out-of-fold logits answer; of several labels a row by thresholds fitted on the other folds."""
    truth = search.truth[search.searched]
    return search.task.held_out_answers(logits, truth, np.asarray(fold_numbers(search.folds, len(truth))))


def read_logits(search: SearchPlan, number: int, arguments: Mapping[str, Any]) -> Logits:
    """Returns the out-of-fold logits that a complete trial left on the disk."""
    plan = search.of_trial(number, arguments)
    logits = np.zeros((len(plan.truth), len(plan.labels)), dtype=np.float32)
    for fold, (_, validation) in enumerate(search.folds, start=1):
        _, logits[validation] = read_fold(fold_folder(plan.run, fold), plan.truth[validation], plan.task)
    return logits


_ENDS = {
    TrialState.PRUNED: Wording("[중앙값보다 낮아 그만둠]", "[given up, below the median]"),
    TrialState.FAIL: Wording("[손실이 수가 아니게 됨]", "[diverged: a loss is no number]"),
}
_LOST = Wording("[프로세스를 거듭 잃어 그만둠]", "[given up, its process was lost again and again]")


def log_trial(search: SearchPlan, study: optuna.Study, number: int) -> None:
    """Tells how a trial ended."""
    trial, best = study.get_trials(deepcopy=False)[number], best_of(study)
    shown = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
    score = "" if trial.value is None else f"macro F1 {trial.value:.4f}"
    end = _LOST if LOST in trial.user_attrs else _ENDS.get(trial.state, Wording("", ""))
    so_far = "-" if best is None else f"{best.value:.4f} ({best.number})"
    logger.info(
        Wording(
            f"시도 {number} (0–{search.trials - 1}): {score} {end.korean}; 지금까지 {so_far}; {shown}",
            f"trial {number} of 0–{search.trials - 1}: {score} {end.english}; best so far {so_far}; {shown}",
        )
    )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
