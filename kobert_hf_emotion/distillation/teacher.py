"""What answers for the texts of a distillation, so that no answer comes from a model that saw the text's label."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import TEXT_PAIR_COLUMN
from ..data.label_parsing import named_labels
from ..data.text_keys import text_key
from ..errors import CheckpointError, RunError
from ..export import OnnxClassifier, is_export
from ..inference.classifier import Classifier, weights_sha256
from ..inference.ensemble import EmotionEnsemble
from ..inference.loading import load_checkpoint
from ..inference.logits_model import LogitsModel
from ..inference.soup import MODELS
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..runs.finished import FinishedRun, read_run, run_of
from ..runs.layout import RUN_FILE, fold_folders
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..tokenization.guard import UnknownTexts
from ..utils.argument_checks import check_path
from ..utils.progress import each
from ..wording import Wording

NOBODY = -1
"""In place of a model's number: each has seen the text's label."""


@dataclass(frozen=True)
class AnswerCounts:
    """Where the answers to texts came from."""

    by_all: int
    """Texts that no training file known here holds: the mean of the probabilities of all models."""
    held_out: int
    """Texts of the run's training file, each answered by the fold that did not train on it."""
    nobody: int
    """Texts of it that every model here trained on: no answer."""


@dataclass(frozen=True)
class Answers:
    """Logits whose softmax (of several labels a text: sigmoid) are a teacher's probabilities."""

    logits: NDArray[np.float32]
    """Shape (texts, labels); a row of NaN where nobody may answer."""
    counts: AnswerCounts


@dataclass(frozen=True)
class Teacher:
    """One model or several, of which each answers for what it has not seen.

    Attributes:
        name: What was given.
        labels: Label names in the order of their ids.
        task: How logits become answers.
        sha256: A hash of all weights.
        sources: Where the models lie; one is in memory at a time.
        knows_rows: Whether it is known what the models were trained on.
    """

    name: str
    labels: list[str]
    task: Task
    sha256: str
    sources: Sequence[str]
    knows_rows: bool
    _open: Callable[[str], LogitsModel] = field(repr=False)
    _holds_out: Mapping[str, int] = field(repr=False)

    def answer(self, texts: Sequence[str], batch_size: int = DEFAULT_BATCH_SIZE) -> Answers:
        """Answers texts; equal spellings of a training text (`data.text_keys.text_key`) are that text.

        Args:
            texts: Sentences.
            batch_size: Texts a forward pass.
        """
        who = np.asarray([self._holds_out.get(text_key(text), len(self.sources)) for text in texts], dtype=np.int64)
        logits = np.full((len(texts), len(self.labels)), np.nan, dtype=np.float32)
        free = who == len(self.sources)
        of_all: list[NDArray[np.float32]] = []
        answering = each(self.sources, Wording("선생의 답", "the teacher's answers"), MODELS)
        for number, source in enumerate(answering):
            asked = np.flatnonzero(free | (who == number))
            model, unknown = self._open(source), UnknownTexts() if number else None
            found = model.predict_logits([texts[index] for index in asked.tolist()], None, batch_size, unknown)
            logits[asked] = found
            of_all.append(found[free[asked]])
        if free.any() and len(of_all) > 1:
            logits[free] = self.task.mean(of_all)
        nobody = int((who == NOBODY).sum())
        return Answers(logits, AnswerCounts(int(free.sum()), len(texts) - int(free.sum()) - nobody, nobody))


def open_teacher(
    source: str | os.PathLike[str],
    tokenizer: str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
) -> Teacher:
    """Opens whatever can teach.

    - The folder of a finished run: for each text of its training file, the fold that held it out; for all others, the
      mean of the folds' probabilities.
    - A fold of such a run (`runs/a/best`): nobody for what it was trained on.
    - Anything else that predicts, of which nobody knows here what it was trained on.

    Args:
        source: A run, a folder, an ensemble's or an export's among them, "default", a Hub id, or one of the notebook's
            files.
        tokenizer: For the notebook's files; see `inference.loading.load_checkpoint`.
        num_attention_heads: Likewise.

    Raises:
        CheckpointError: There is nothing that predicts.
        RunError: The run is not finished, or what is read are pairs of texts, or lines with the turns before them.
    """
    check_path("teacher", source)

    def load(place: str) -> LogitsModel:
        if is_export(place):
            return OnnxClassifier.from_pretrained(place)
        model = load_checkpoint(place, tokenizer, num_attention_heads)
        model.to_accelerator()
        return model

    shown = os.fspath(source)
    if Path(source, RUN_FILE).is_file():
        run = read_run(source)
        folds = fold_folders(source)
        if not folds:
            raise CheckpointError(
                f"겹이 없습니다: {shown} — fold_1, fold_2, …가 있는 실행 폴더가 필요합니다.",
                f"There are no folds at {shown}: expected a run's folder with fold_1, fold_2, ….",
            )
        numbers = [int(path.name.removeprefix("fold_")) for path in folds]
        return _made(shown, list(map(str, folds)), load, _held_out(run, numbers), True)
    found, fold = run_of(source), re.fullmatch("fold_([0-9]+)", Path(source).resolve().name)
    if found is None or fold is None:
        return _made(shown, [shown], load, {}, False)
    number = int(fold[1])
    return _made(shown, [shown], load, _held_out(found, [number]), True)


def _made(
    name: str, sources: list[str], load: Callable[[str], LogitsModel], holds_out: dict[str, int], knows: bool
) -> Teacher:
    digest = hashlib.sha256()
    for source in each(sources, Wording("선생 열기", "opening the teacher"), MODELS):
        model = load(source)
        if model.context_turns:
            raise _reads_pairs(name, model.labels, model.task.name)
        digest.update(_weights_of(model).encode())
    return Teacher(name, model.labels, model.task, digest.hexdigest(), sources, knows, load, holds_out)


def _held_out(run: FinishedRun, folds: list[int]) -> dict[str, int]:
    """Maps each text of a run's training file to the one of `folds` that saw none of its rows, by its place there."""
    if TEXT_PAIR_COLUMN in run.table:
        raise _reads_pairs(str(run.path), run.labels, run.record.get("task"))
    places = {str(number): place for place, number in enumerate(folds)}
    found: dict[str, int] = {}
    for key, fold in zip(run.text_keys, run.table["fold"], strict=True):
        place = places.get(fold, NOBODY)
        # A text whose rows lie in several folds was trained on by all of them.
        found[key] = place if found.get(key, place) == place else NOBODY
    return found


def _reads_pairs(teacher: str, labels: Sequence[str], task: str | None) -> RunError:
    """Returns the error of a teacher that reads a second text, or turns, with a text, which a student does not."""
    return RunError(
        f"{teacher}은(는) 문장 쌍(또는 앞말이 있는 줄)을 읽게 학습한 선생인데 학생은 문장 하나를 읽습니다. `context`나 "
        "`text_pair_column` 없이 학습한 실행으로 가르치세요.",
        f"{teacher} was trained to read pairs of texts, or lines with the turns before them, and a student reads "
        "single texts: train a teacher without `context` or `text_pair_column`.",
        "kobert-emotion train train.csv --output runs/a",
        mend={**named_labels(labels), "task": None if task == SingleLabel.name else task, "train_file": None},
    )


def _weights_of(model: LogitsModel) -> str:
    if isinstance(model, Classifier):
        return weights_sha256(model.model)
    if isinstance(model, EmotionEnsemble):
        return "".join(weights_sha256(member.model) for member in model.members)
    assert isinstance(model, OnnxClassifier)
    return str(model.manifest.files)
