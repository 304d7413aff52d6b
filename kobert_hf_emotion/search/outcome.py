"""What a search gave: the best trial, its score where it was chosen and where it was not, and the files that say so."""

from __future__ import annotations

import csv
import json
import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.text_keys import duplicate_groups
from ..errors import KoBERTEmotionError
from ..metrics.bootstrap import Interval, Optimism
from ..metrics.paired import Answers, macro_f1_difference, macro_f1_optimism
from ..metrics.scores import Scores
from ..runs.fold_record import read_fold
from ..runs.fold_training import Shares, train_fold
from ..runs.layout import FOLD_FILE, IN_PROGRESS, fold_folder
from ..runs.plan import Plan
from ..tasks.multi_label import MultiLabel
from ..tasks.task import Task
from ..utils.files import atomic_write, write_json
from .layout import COMMAND_FILE, RESULT_FILE, TRIALS_FILE
from .plan import SearchPlan
from .space import command_words
from .storage import LOST, arguments_of, best_of, finished
from .trial import out_of_fold_answers, read_logits

logger = logging.getLogger(__name__)

START = 0
"""The number of the trial with `train`'s own arguments."""
END_NAMES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "diverged"}
_ENDS = (*END_NAMES.values(), LOST)


def end_of(trial: FrozenTrial) -> str:
    """Returns how a trial ended: "complete", "pruned", "diverged" or, with its process again and again, "lost"."""
    return LOST if LOST in trial.user_attrs else END_NAMES[trial.state]


@dataclass(frozen=True)
class HeldOutScores:
    """A trial's arguments on the rows that no trial has seen, after a training on all others."""

    trial: int
    scores: Scores
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class SearchResult:
    """What a search gave."""

    output_dir: Path
    trials: int
    by_end: dict[str, int]
    """How many trials were complete, pruned, diverged and lost."""
    best: int
    """The number of the best trial: the complete one with the highest macro F1."""
    arguments: dict[str, Any]
    """Its arguments, by the names of `train`'s options, with its seed."""
    start: dict[str, Any]
    """The arguments of the first trial: `train`'s own, or the nearest that the space has."""
    start_macro_f1: float | None
    """Of the first trial, on the rows that chose; None where it did not come to its end."""
    optimism: Optimism
    """Of the best trial's macro F1 on the rows that chose it."""
    choosing_rows: int
    held_out_rows: int
    held_out: HeldOutScores
    """The best trial's arguments on rows that chose nothing."""
    held_out_start: HeldOutScores | None
    """The first trial's on the same rows; None where it diverged."""
    gain: float | None
    """Macro F1 of the best less that of the first."""
    gain_interval: Interval | None
    """Its 95% interval, by a paired bootstrap over the held-out rows."""
    importance: dict[str, float]
    """Share of each argument in the differences of the scores; empty where there are too few complete trials."""
    command: str
    """What trains with the best arguments."""

    def to_dict(self) -> dict[str, Any]:
        """Returns what `result.json` says."""
        content = asdict(self)
        content["optimism"]["corrected"] = self.optimism.corrected
        return json.loads(json.dumps(content, default=str))  # type: ignore[no-any-return]


def settle(search: SearchPlan, study: optuna.Study, train_command: Sequence[str]) -> SearchResult:
    """Trains the best arguments, and `train`'s own, for the rows that chose nothing, and works out the rest.

    Args:
        search: What the search was to do.
        study: Its trials, all of which have ended.
        train_command: The words of the command that trains on the same rows, without the arguments.
    """
    best = best_of(study)
    if best is None:
        raise KoBERTEmotionError(
            "끝까지 간 시도가 없습니다. 학습률 범위를 낮추거나(`space`) `trials`를 늘리세요.",
            "No trial came to its end: lower the range of learning rates (`space`), or give more `trials`.",
            mend={"trials": 2 * search.trials},
        )
    trials = finished(study)
    start = trials[START]
    arguments = dict(arguments_of(search.space, best)) | {"seed": search.seed_of(best.number)}
    winner, answers = _on_held_out(search, best)
    first, gain, interval = None, None, None
    if start.state != TrialState.FAIL:
        first, first_answers = _on_held_out(search, start)
        gain = winner.scores.macro_f1 - first.scores.macro_f1
        groups = _groups_of(search, search.held_out)
        truth = search.compared[search.held_out]
        interval = macro_f1_difference(first_answers, answers, truth, len(search.labels), groups)
    return SearchResult(
        output_dir=search.folder,
        trials=len(trials),
        by_end={name: sum(end_of(trial) == name for trial in trials) for name in _ENDS},
        best=best.number,
        arguments=arguments,
        start=dict(arguments_of(search.space, start)),
        start_macro_f1=start.value if start.state == TrialState.COMPLETE else None,
        optimism=_optimism(search, trials),
        choosing_rows=len(search.searched),
        held_out_rows=len(search.held_out),
        held_out=winner,
        held_out_start=first,
        gain=gain,
        gain_interval=interval,
        importance=importance_of(study),
        command=shlex.join([*train_command, *command_words(arguments)]),
    )


def _on_held_out(search: SearchPlan, trial: FrozenTrial) -> tuple[HeldOutScores, Answers]:
    """Trains a trial's arguments on all rows that trials see, or reads what came of it."""
    plan = search.of_held_out(trial.number, arguments_of(search.space, trial))
    truth = plan.truth[search.held_out]
    path = fold_folder(plan.run, 1)
    if not (path / FOLD_FILE).is_file():
        train_for_held_out(plan, search)
    _, logits = read_fold(path, truth, plan.task)
    groups = _groups_of(search, search.held_out)
    task = _fitted(search, trial)
    scores, intervals = task.score(logits, truth), task.intervals(logits, truth, groups)
    return HeldOutScores(trial.number, scores, intervals), task.answers(logits)


def train_for_held_out(plan: Plan, search: SearchPlan) -> None:
    """Trains on all rows that trials see, and leaves what it answers for the others on the disk.

    Args:
        plan: As `SearchPlan.of_held_out` gives it.
        search: What the search was to do.
    """
    shares = Shares(search.searched, search.held_out)
    train_fold(plan, 1, plan.encoded(), shares, [], keeps_model=False)
    if (plan.run / IN_PROGRESS).is_dir():
        (plan.run / IN_PROGRESS).rmdir()


def measured(study: optuna.Study) -> list[FrozenTrial]:
    """Returns the trials whose arguments are measured on the rows held out: the best, and the first."""
    best, start = best_of(study), finished(study)[START]
    if best is None:
        return []
    return [best] if start.state == TrialState.FAIL or start.number == best.number else [best, start]


def _fitted(search: SearchPlan, trial: FrozenTrial) -> Task:
    """Returns how logits become answers; of several labels a row by thresholds fitted on the trial's other rows."""
    task = search.task
    if not isinstance(task, MultiLabel) or trial.state != TrialState.COMPLETE:
        return task
    logits = read_logits(search, trial.number, arguments_of(search.space, trial))
    return task.fitted(logits, search.truth[search.searched])


def _groups_of(search: SearchPlan, rows: Any) -> list[int]:
    """Returns a number for each row, equal where rows are drawn together."""
    if search.groups is not None:
        return np.unique(search.groups[rows], return_inverse=True)[1].tolist()  # type: ignore[no-any-return]
    chosen = search.dataset.select(rows)
    pairs = chosen[TEXT_PAIR_COLUMN][:] if TEXT_PAIR_COLUMN in chosen.column_names else None
    return duplicate_groups(chosen[TEXT_COLUMN][:], pairs)


def _optimism(search: SearchPlan, trials: Sequence[FrozenTrial]) -> Optimism:
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    answers = [
        out_of_fold_answers(search, read_logits(search, trial.number, arguments_of(search.space, trial)))
        for trial in complete
    ]
    groups = _groups_of(search, search.searched)
    return macro_f1_optimism(answers, search.compared[search.searched], len(search.labels), groups)


def importance_of(study: optuna.Study) -> dict[str, float]:
    """Returns the share of each argument in what sets good trials apart, by PED-ANOVA; empty where it cannot be told.

    Watanabe et al. (2023), PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces.
    """
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    if len({trial.value for trial in complete}) < 4:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in found.items()}


def write_trials(path: Path, search: SearchPlan, trials: Sequence[FrozenTrial]) -> None:
    """Writes a CSV with a line for each trial: its number, how it ended, its seed, its score and its arguments."""
    names = [*search.space.searched, *search.space.fixed]
    with atomic_write(path, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["trial", "end", "seed", "macro_f1", "told_at", "seconds", *names])
        for trial in trials:
            arguments = arguments_of(search.space, trial)
            seconds = "" if trial.duration is None else f"{trial.duration.total_seconds():.1f}"
            writer.writerow(
                [
                    trial.number,
                    end_of(trial),
                    search.seed_of(trial.number),
                    "" if trial.value is None else repr(trial.value),
                    "" if trial.last_step is None else trial.last_step,
                    seconds,
                    *(arguments[name] for name in names),
                ]
            )


def write_command(path: Path, command: str) -> None:
    """Writes a shell script that trains with the best arguments."""
    with atomic_write(path, "w") as handle:
        handle.write(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def write_result(search: SearchPlan, study: optuna.Study, result: SearchResult) -> None:
    """Writes all files of a finished search but its page."""
    write_trials(search.folder / TRIALS_FILE, search, finished(study))
    write_command(search.folder / COMMAND_FILE, result.command)
    write_json(search.folder / RESULT_FILE, result.to_dict())


def read_result(folder: Path) -> Mapping[str, Any] | None:
    """Returns what `result.json` says, None where there is none."""
    path = folder / RESULT_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
