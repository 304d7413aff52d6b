"""The trials on the disk: Optuna's journal, and which of them is whose."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

from .locks import CAN_LOCK, give_back, only_one, share, take
from .space import Space

JOURNAL_FILE = "trials.journal"
TRIALS = "trials"
"""The folder with a folder for each trial."""
_NAME = "search"
_CLAIMS = ".claims.lock"
_RANDOM_TRIALS = 8
"""Trials drawn by chance before the sampler learns from those before."""
COMPARED_TRIALS = 4
"""Trials that end before one is measured by the median of those before it."""
LOST = "lost"
"""What a trial is marked with whose process was lost too often."""
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class KernelLock:
    """Lock of a journal that goes with its process, and mends what a killed one has left.

    Optuna's own locks are links or files that stay where a process is killed, and are waited for for 30 seconds; and
    half a line at the journal's end would spoil the next one that is written, and with it all that come after.

    Args:
        journal: The file to lock.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._block: Any = None

    def acquire(self) -> bool:
        """Waits for the lock."""
        self._block = only_one(self._journal.with_name(f".{self._journal.name}.lock"))
        self._block.__enter__()
        _cut_torn_line(self._journal)
        return True

    def release(self) -> None:
        """Gives the lock back."""
        block, self._block = self._block, None
        block.__exit__(None, None, None)


def reported_by(trial: Trial) -> dict[int, float]:
    """Returns what a trial has reported so far, by step."""
    return trial.storage.get_trial(trial._trial_id).intermediate_values


def _cut_torn_line(path: Path) -> None:
    """Cuts off what stands behind the last line's end; to be called where nobody else writes."""
    with path.open("rb+") as handle:
        size = handle.seek(0, os.SEEK_END)
        end = size
        while end:
            start = max(0, end - 4096)
            handle.seek(start)
            found = handle.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            handle.truncate(end)


@dataclass(frozen=True)
class TrialStore:
    """The trials of a search, for all processes that are at it.

    Attributes:
        folder: Of the search.
        space: What is looked for.
        seed: Of the whole search.
        prunes: Whether trials are given up early.
    """

    folder: Path
    space: Space
    seed: int
    prunes: bool = True

    def open(self) -> optuna.Study:
        """Returns the study, made with its first trial where there is none."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path = self.folder / JOURNAL_FILE
        lock: Any = KernelLock(path) if CAN_LOCK else JournalFileOpenLock(str(path))
        with self._claiming():
            path.touch()
            storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
            study = optuna.create_study(
                storage=storage,
                study_name=_NAME,
                direction="maximize",
                load_if_exists=True,
                sampler=self._sampler(0, ""),
                pruner=self._pruner(),
            )
            if not study.get_trials(deepcopy=False):
                study.enqueue_trial(self.space.start())
        return study

    def _pruner(self) -> BasePruner:
        return MedianPruner(n_startup_trials=COMPARED_TRIALS, n_warmup_steps=2) if self.prunes else NopPruner()

    @contextmanager
    def claimed(self, study: optuna.Study, trials: int) -> Iterator[Trial | None]:
        """Yields a trial for this process: one whose process is gone, else a new one; None where there is none.

        A trial whose process was killed is taken up as it is, with its number, its arguments and what of it is on the
        disk. Others do not get it before the block ends, or this process does.

        Args:
            study: As `open` returned it.
            trials: How many there are to be.
        """
        trial, taken = self.claim(study, trials)
        try:
            yield trial
        finally:
            if taken is not None:
                give_back(taken)

    def claim(self, study: optuna.Study, trials: int, shared: bool = False) -> tuple[Trial | None, int | None]:
        """Returns a trial as `claimed` yields it, and what `give_back` takes.

        Args:
            study: As `open` returned it.
            trials: How many there are to be.
            shared: Whether a process that makes the trial for this one takes its folder as well: then it is free for
                others once both are gone.
        """
        with self._claiming():
            trial, taken = self._claim(study, trials)
            if shared and taken is not None:
                share(taken)
        return trial, taken

    def of_another(self, study: optuna.Study, number: int) -> Trial | None:
        """Returns a trial that another process has claimed for this one; None where it has ended."""
        found = study.get_trials(deepcopy=False)[number]
        return None if found.state.is_finished() else Trial(study, found._trial_id)

    def _claim(self, study: optuna.Study, trials: int) -> tuple[Trial | None, int | None]:
        for found in study.get_trials(deepcopy=False):
            if found.state == TrialState.RUNNING and (taken := take(self.trial_folder(found.number))) is not None:
                return self._with_arguments(study, Trial(study, found._trial_id)), taken
        if begun(study) >= trials:
            return None, None
        trial = study.ask()
        return self._with_arguments(study, trial), take(self.trial_folder(trial.number))

    def _with_arguments(self, study: optuna.Study, trial: Trial) -> Trial:
        """Draws the arguments that a trial has not got yet.

        The generator of each draw is seeded by the trial and the argument, not by what was drawn before in the same
        process: so a search that is continued draws what one without a break would have drawn.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study.sampler = self._sampler(trial.number, "")
            _ = trial.relative_params  # all that are drawn together
            for name, part in self.space.searched.items():
                study.sampler = self._sampler(trial.number, name)
                part.draw(trial, name)
        return trial

    def _sampler(self, number: int, name: str) -> TPESampler:
        digest = hashlib.sha256(f"{self.seed} {number} {name}".encode()).digest()
        return TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=int.from_bytes(digest[:4], "little"))

    def trial_folder(self, number: int) -> Path:
        """Returns where the files of a trial are."""
        return self.folder / TRIALS / f"trial_{number}"

    @contextmanager
    def _claiming(self) -> Iterator[None]:
        with only_one(self.folder / _CLAIMS):
            yield


def give_up(study: optuna.Study, trial: Trial, why: str) -> None:
    """Ends a trial whose process was lost too often."""
    trial.set_user_attr(LOST, why)
    study.tell(trial, state=TrialState.FAIL)


def begun(study: optuna.Study) -> int:
    """Returns how many trials have begun, those among them that have ended."""
    return sum(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))


def ended(study: optuna.Study) -> int:
    """Returns how many trials are over, however they ended."""
    return sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Returns the trials that have ended, in the order of their numbers."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state in _FINISHED]


def is_anything_running(study: optuna.Study) -> bool:
    """Whether a trial has begun and not ended."""
    return any(trial.state == TrialState.RUNNING for trial in study.get_trials(deepcopy=False))


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """Returns the complete trial with the highest score, the first of equals; None where there is none."""
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    return max(complete, key=lambda trial: (trial.value, -trial.number), default=None)


def arguments_of(space: Space, trial: FrozenTrial | Trial) -> Mapping[str, Any]:
    """Returns all arguments of a trial by the names of `train`'s options, those that all trials share among them."""
    return {**space.fixed, **{name: trial.params[name] for name in space.searched}}
