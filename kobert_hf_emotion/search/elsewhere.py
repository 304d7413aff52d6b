"""Trials made in processes that something else starts, on this machine or others; this one hands them out."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import optuna
from optuna.trial import Trial, TrialState

from ..runs.layout import FOLD_FILE, fold_folder
from ..wording import Wording
from .counting import trials_counted
from .locks import give_back, take
from .outcome import measured, train_for_held_out
from .plan import SearchPlan
from .storage import arguments_of, give_up, is_anything_running
from .trial import TokenIds, log_trial, run_trial

logger = logging.getLogger(__name__)

TRIES_OF_A_TRIAL = 5
"""Processes that a trial may take with it before it is given up."""
_WAIT_SECONDS = 0.5
_LOOK_SECONDS = 5.0
"""After which it is looked whether machines have come, though no trial has ended."""


class Tasks(Protocol):
    """What calls functions in other processes; see `ray_engine.tasks`."""

    def places(self) -> int:
        """Returns how many there is room for now."""

    def start(self, number: int, function: Callable[..., None], *inputs: Any) -> None:
        """Has a function called."""

    def ended(self, seconds: float) -> tuple[int, str | None] | None:
        """Waits for one to end; returns its number, and why its process was lost if it was."""


Elsewhere: TypeAlias = Callable[[Path], AbstractContextManager[Tasks]]
"""Gives tasks that write to a folder, until a block ends."""


def work_elsewhere(search: SearchPlan, tasks: Tasks, most: int | None) -> None:
    """Has trials made until there are as many as there are to be.

    The trials, their arguments and their folders are those of a search without it: either goes on with what the other
    has begun. A trial whose process is lost goes on from its last checkpoint in another.

    Args:
        search: What the search is to do.
        tasks: Where trials are made.
        most: Trials at a time; None for as many as there is room for.
    """
    work = _Work(search, tasks, most)
    try:
        with trials_counted(search, work.study) as look:
            while work.goes_on():
                look()
    finally:
        for taken in work.taken.values():
            give_back(taken)


class _Work:
    """What this process has handed out.

    Attributes:
        taken: The folders of the trials that are made now, by the trial's number.
    """

    def __init__(self, search: SearchPlan, tasks: Tasks, most: int | None) -> None:
        self.study = search.store.open()
        self.taken: dict[int, int] = {}
        self._search, self._tasks, self._most = search, tasks, most
        self._trials: dict[int, Trial] = {}
        self._lost = Counter[int]()

    def goes_on(self) -> bool:
        """Hands out what there is room for and waits a while; returns whether there was something to wait for."""
        while self.has_room() and self.hand_out():
            pass
        if self.taken:
            self.look()
        elif is_anything_running(self.study):  # in a process that is not ours
            time.sleep(_WAIT_SECONDS)
        else:
            return False
        return True

    def has_room(self) -> bool:
        """Whether another trial can be made beside those that are; one may wait for a machine that is to come."""
        places = max(1, self._tasks.places())
        return len(self.taken) < (places if self._most is None else min(places, self._most))

    def hand_out(self) -> bool:
        """Has another trial made; returns whether there was one."""
        trial, taken = self._search.store.claim(self.study, self._search.trials, shared=True)
        if trial is None or taken is None:
            return False
        self.taken[trial.number], self._trials[trial.number] = taken, trial
        self._start(trial.number)
        return True

    def look(self) -> None:
        """Waits a while for a trial to end."""
        ended = self._tasks.ended(_LOOK_SECONDS)
        if ended is None:
            return
        number, why = ended
        if why is not None and self.study.get_trials(deepcopy=False)[number].state == TrialState.RUNNING:
            self._lost[number] += 1
            if self._lost[number] < TRIES_OF_A_TRIAL:
                _tell_loss(number, why, self._lost[number])
                self._start(number)
                return
            give_up(self.study, self._trials[number], why)
        log_trial(self._search, self.study, number)
        give_back(self.taken.pop(number))

    def _start(self, number: int) -> None:
        self._tasks.start(number, make_trial, _sent(self._search), number)


def hold_out_elsewhere(search: SearchPlan, study: optuna.Study, tasks: Tasks) -> None:
    """Has the arguments that are measured on the rows held out trained; what is lost is left for this process.

    Args:
        search: What the search was to do.
        study: Its trials, all of which have ended.
        tasks: Where they are trained.
    """
    waiting = {trial.number for trial in measured(study) if not _is_held_out_done(search, trial.number)}
    for number in waiting:
        tasks.start(number, train_held_out, _sent(search), number)
    while waiting:
        ended = tasks.ended(_LOOK_SECONDS)
        if ended is not None:
            number, why = ended
            waiting.discard(number)
            if why is not None:
                _tell_loss(number, why, 1)


def make_trial(search: SearchPlan, number: int) -> None:
    """Makes a trial that another process has claimed, in this one."""
    study, folder = search.store.open(), search.store.trial_folder(number)
    taken = take(folder, shared=True)
    if taken is None:  # the process that claimed it is gone, and another has it
        return
    try:
        trial = search.store.of_another(study, number)
        if trial is not None:
            run_trial(search, study, trial, TokenIds())
    finally:
        give_back(taken)


def train_held_out(search: SearchPlan, number: int) -> None:
    """Trains a trial's arguments on all rows that trials see."""
    trial = search.store.open().get_trials(deepcopy=False)[number]
    train_for_held_out(search.of_held_out(number, arguments_of(search.space, trial)), search)


def _is_held_out_done(search: SearchPlan, number: int) -> bool:
    return (fold_folder(search.held_out_folder(number), 1) / FOLD_FILE).is_file()


def _sent(search: SearchPlan) -> SearchPlan:
    """Returns the search as processes know it that work in other folders."""
    model = Path(search.model)
    absolute = str(model.absolute()) if model.exists() else search.model
    return replace(search, folder=search.folder.absolute(), model=absolute)


def _tell_loss(number: int, why: str, times: int) -> None:
    logger.warning(
        Wording(
            f"시도 {number}의 프로세스를 잃었습니다({why}). 마지막 체크포인트부터 다시 합니다"
            f"({times}/{TRIES_OF_A_TRIAL}).",
            f"The process of trial {number} was lost ({why}). It goes on from its last checkpoint "
            f"({times} of {TRIES_OF_A_TRIAL}).",
        )
    )
