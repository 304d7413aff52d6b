"""The folds of a run as one classifier: the mean of their probabilities, or of their weights."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedConfig

from ..errors import CheckpointError
from ..explanation.subject import Subject
from ..metrics.probabilities import Logits
from ..modeling.long_texts import Reader
from ..tasks.task import Task
from ..tokenization.guard import UnknownTexts
from ..utils.argument_checks import check_path, check_type
from ..utils.files import atomic_directory, write_json
from .classifier import Classifier, load_classifier, save_classifier
from .logits_model import LogitsModel, Question

ENSEMBLE_FILE = "ensemble.json"
"""Lies in the folder of an ensemble, beside a folder for each member, and names them."""


@dataclass(frozen=True)
class EmotionEnsemble(LogitsModel):
    """Several classifiers whose probabilities are averaged.

    Each member's probabilities are taken at its own temperature. Rows that the members were trained on tell nothing
    of an ensemble of folds: every fold has seen the rows that another one held out. Only a test file does.

    Example:
        >>> from kobert_hf_emotion.inference.classifier import load_classifier
        >>> ensemble = EmotionEnsemble([load_classifier("default"), load_classifier("default")])
        >>> [prediction] = ensemble.predict(["오늘 정말 행복했어"])
        >>> sorted(prediction)
        ['label', 'probabilities', 'score']
    """

    members: Sequence[Classifier]

    def __post_init__(self) -> None:
        if not self.members:
            raise CheckpointError("앙상블에 모델이 하나도 없습니다.", "An ensemble needs at least one model.")
        for member in self.members:
            check_type("members", member, Classifier, "Classifier(model, model.tokenizer)")
        for number, member in enumerate(self.members, start=1):
            check_same(self.members[0], member, f"{number}번째 모델", f"member {number}")

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> EmotionEnsemble:
        """Loads an ensemble that `save_pretrained` or `kobert-emotion ensemble` wrote.

        Raises:
            CheckpointError: There is none at `folder`, or a member is missing.
        """
        check_path("folder", folder)
        path = Path(folder) / ENSEMBLE_FILE
        try:
            names = json.loads(path.read_text(encoding="utf-8"))["members"]
            members = [Path(folder, Path(name).name) for name in names]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"앙상블 폴더가 아닙니다: {folder} — {ENSEMBLE_FILE}을 읽을 수 없습니다. "
                "`kobert-emotion ensemble`로 다시 만드세요.",
                f"{folder} is no ensemble's folder: cannot read {ENSEMBLE_FILE} ({error}). "
                "Make it again with `kobert-emotion ensemble`.",
            ) from error
        return cls([load_classifier(member) for member in members])

    def save_pretrained(self, folder: str | os.PathLike[str], names: Sequence[str] | None = None) -> None:
        """Writes the members to one folder, complete or not at all.

        Args:
            folder: It must not exist, or be empty.
            names: The names of the members' folders in it; "member_1", "member_2", … by default.

        Raises:
            RunError: `folder` is in use.
        """
        names = names or [f"member_{number}" for number in range(1, len(self.members) + 1)]
        with atomic_directory(folder) as partial:
            for name, member in zip(names, self.members, strict=True):
                save_classifier(member.model, member.tokenizer, partial / name)
            content = {"combine": "mean of probabilities", "members": list(names), "labels": self.labels}
            write_json(partial / ENSEMBLE_FILE, content)

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return self.members[0].labels

    @property
    def config(self) -> PreTrainedConfig:
        """The configuration of the first member."""
        return self.members[0].config

    @property
    def context_turns(self) -> int:
        """How many turns before a line it was trained with."""
        return self.members[0].context_turns

    @property
    def task(self) -> Task:
        """That of the first member; the folds of a run have the same thresholds."""
        return self.members[0].task

    @property
    def temperature(self) -> float:
        """1: the members' temperatures are applied before the mean, and there are no rows to fit another one on."""
        return 1.0

    def as_trained(self, logits: Logits) -> NDArray[np.float32]:
        """Returns logits as they are: they stand for a mean of probabilities, which no model was trained to give."""
        return np.asarray(logits, dtype=np.float32)

    def to_accelerator(self) -> None:
        """Moves the members to the GPU where there is one."""
        for member in self.members:
            member.to_accelerator()

    def answer(self, question: Question) -> NDArray[np.float32]:
        """Returns logits that give the mean of the members' probabilities."""
        first, *others = self.members
        # All members have one tokenizer, and a text is counted once.
        again = replace(question, unknown=UnknownTexts())
        return self.task.mean([first.answer(question), *(member.answer(again) for member in others)])

    def reader(self) -> Reader:
        """Returns what the first member reads with; all have one tokenizer."""
        return self.members[0].reader()

    def subject(self) -> Subject:
        """Returns the mean of the members' probabilities as explanations see it."""
        members = [member.subject() for member in self.members]
        inside = [each for member in members for each in member.members]
        shortest = min(member.max_length for member in members)
        return Subject(self.logits_of, self.members[0].tokenizer, shortest, self.labels, inside, self.task)


Predictor: TypeAlias = Classifier | EmotionEnsemble
"""What texts can be put to."""


def load_predictor(source: str | os.PathLike[str]) -> Predictor:
    """Loads a classifier with its tokenizer, or an ensemble.

    Args:
        source: "default", a Hub id or a folder.

    Raises:
        CheckpointError: There is neither at `source`.
        TokenizerError: There is no tokenizer, or it does not belong to the model.
    """
    return EmotionEnsemble.from_pretrained(source) if is_ensemble(source) else load_classifier(source)


def is_ensemble(source: str | os.PathLike[str]) -> bool:
    """Whether `source` is the folder of an ensemble."""
    return Path(source, ENSEMBLE_FILE).is_file()


def check_same(first: Classifier, other: Classifier, korean: str, english: str) -> None:
    """Raises `CheckpointError` where a member has not the labels and the tokenizer of the first."""
    if other.task.name != first.task.name:
        raise CheckpointError(
            f"{korean}은(는) {other.task.name}, 첫 모델은 {first.task.name} 모델입니다.",
            f"Expected a {first.task.name} model as the first one is, found a {other.task.name} one in {english}.",
        )
    if other.labels != first.labels:
        raise CheckpointError(
            f"{korean}의 라벨이 첫 모델과 다릅니다: {other.labels} — 첫 모델은 {first.labels}",
            f"Expected the labels of the first model ({first.labels}), found {other.labels} in {english}.",
        )
    found, expected = (getattr(member.config, "tokenizer_sha256", None) for member in (other, first))
    if found != expected:
        raise CheckpointError(
            f"{korean}의 토크나이저가 첫 모델과 다릅니다.",
            f"Expected the tokenizer of the first model, found another one in {english}.",
        )
