"""What a search is to do: the rows, the space, and what all of its trials have in common."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from ..data.distributions import majority_ids
from ..data.label_ids import Truth, class_names, has_several, has_votes, label_ids
from ..data.levels import hierarchy_of
from ..errors import KoBERTEmotionError
from ..runs.plan import Plan
from ..splits.folds import Fold, Indices
from ..splits.groups import Groups
from ..tasks.choice import task_for
from ..tasks.task import Task
from ..tokenization.pieces import WordSplit
from ..training.arguments import EmotionTrainingArguments
from .space import Space, training_arguments
from .storage import TrialStore

HELD_OUT = "held_out"
"""The folder of the trainings whose scores chose nothing."""


@dataclass(frozen=True)
class SearchPlan:
    """What all processes at a search know.

    Attributes:
        folder: Of the search.
        model: What every trial starts from.
        dataset: All rows, with `text` and `label`.
        held_out: Indices of the rows that no trial sees.
        folds: Of the other rows, as indices of these.
        groups: The group of each row of `dataset`, None where no rows have to stay together.
        space: What is looked for.
        trials: How many trials there are to be.
        seed: Of the split, and of the first trial; others count up from it.
        settings: What else the trials' training arguments have in common.
        prunes: Whether trials that do worse than the median are given up early.
        word_split: See `cross_validate`.
        allow_empty: See `cross_validate`.
        context: See `cross_validate`.
    """

    folder: Path
    model: str
    dataset: datasets.Dataset
    held_out: Indices
    folds: list[Fold]
    groups: Groups | None
    space: Space
    trials: int
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    prunes: bool = True
    word_split: WordSplit | None = None
    allow_empty: bool = False
    context: int = 0

    @cached_property
    def searched(self) -> Indices:
        """Indices of the rows that trials see."""
        return np.setdiff1d(np.arange(len(self.dataset)), self.held_out)

    @cached_property
    def searched_rows(self) -> datasets.Dataset:
        """The rows that trials see."""
        return self.dataset.select(self.searched)

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return class_names(self.dataset) or []

    @cached_property
    def truth(self) -> Truth:
        """The labels of all rows."""
        return label_ids(self.dataset, self.labels)

    @property
    def task(self) -> Task:
        """How logits become answers."""
        return task_for(self.dataset, self.allow_empty, hierarchy_of(self.dataset))

    @cached_property
    def compared(self) -> Truth:
        """What answers are compared with row by row: the labels; of votes the one with most, of a tie the first."""
        return majority_ids(self.truth) if has_votes(self.dataset) else self.truth

    @property
    def store(self) -> TrialStore:
        """The trials on the disk."""
        return TrialStore(self.folder, self.space, self.seed, self.prunes)

    def seed_of(self, number: int) -> int:
        """Returns the seed of a trial."""
        return self.seed + number

    def training_arguments(self, number: int, arguments: Mapping[str, Any]) -> EmotionTrainingArguments:
        """Returns the training arguments of a trial.

        Raises:
            KoBERTEmotionError: A value is out of the range of its argument.
        """
        given = {"report_to": "none", "disable_tqdm": True, **self.settings, **training_arguments(arguments)}
        return EmotionTrainingArguments(**given, seed=self.seed_of(number))

    def check_space(self) -> None:
        """Raises `KoBERTEmotionError` where a trial could draw a value that a training refuses."""
        for name, part in self.space.searched.items():
            for value in part.ends:
                self._check_arguments(f"{name} {value}", {**self.space.fixed, name: value})

    def _check_arguments(self, shown: str, arguments: Mapping[str, Any]) -> None:
        counts = np.ones(len(self.labels), dtype=np.int64)
        try:
            args = self.training_arguments(0, arguments)
            if has_several(self.dataset):
                args.balance_for(self.labels, counts, len(self.labels))
            else:
                args.alpha_for(self.labels, counts)
        except KoBERTEmotionError as error:
            korean, english = f"`space`의 {shown}: {error.korean}", f"{shown} of `space`: {error.english}"
            raise KoBERTEmotionError(korean, english, mend={"space": None}) from error

    def of_trial(self, number: int, arguments: Mapping[str, Any]) -> Plan:
        """Returns the run that a trial is: folds of the rows that trials see."""
        args = self.training_arguments(number, arguments)
        return self._plan(self.store.trial_folder(number), self.searched_rows, args)

    def of_held_out(self, number: int, arguments: Mapping[str, Any]) -> Plan:
        """Returns the run of one fold that trains on all rows that trials see and is scored on the others."""
        args = self.training_arguments(number, arguments)
        return self._plan(self.held_out_folder(number), self.dataset, args)

    def held_out_folder(self, number: int) -> Path:
        """Returns the folder of that run."""
        return self.folder / HELD_OUT / f"trial_{number}"

    def _plan(self, run: Path, rows: datasets.Dataset, args: EmotionTrainingArguments) -> Plan:
        return Plan(run, os.fspath(self.model), rows, args, self.word_split, False, self.allow_empty, self.context)
