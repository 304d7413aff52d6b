"""A distillation: the teacher's answers, the training of a student on them, and the folder it is saved in."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from ..assets import DEFAULT_MODEL_NAME
from ..data.column_names import LABEL_COLUMN, TEXT_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import label_ids, rows_of_labels
from ..errors import KoBERTEmotionError, RunError
from ..hub.cards import CARD_FILE
from ..hub.upload import HISTORY_FILE
from ..inference.classifier import save_classifier, start_model, weights_sha256
from ..metrics.scores import Scores
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..runs.preparation import data_sha256
from ..runs.work import work_folder
from ..tokenization.guard import check_tokenization
from ..tokenization.loading import load_tokenizer
from ..tokenization.pieces import WordSplit
from ..training.arguments import EmotionTrainingArguments
from ..training.history import EpochRecord, write_history
from ..training.loss_settings import loss_settings
from ..training.single import train_alone
from ..utils.argument_checks import check_number, check_path, check_type
from ..utils.files import atomic_directory, atomic_write, check_free, write_json
from ..utils.versions import library_versions
from ..wording import Wording
from .card import render_student_card
from .rows import StudentRows, gather
from .teacher import AnswerCounts, Answers, Teacher, open_teacher
from .trainer import DistillationTrainer

logger = logging.getLogger(__name__)

RECORD_FILE = "training_record.json"
"""In the student's folder: what it was made of, and how."""
_ANSWERS_FILE, _CHECKPOINTS = "answers.npz", "checkpoints"


@dataclass(frozen=True)
class Distillation:
    """What a distillation gave."""

    output_dir: Path
    counts: AnswerCounts
    labelled: int
    """Rows with a label."""
    unlabelled: int
    """Texts without one that were learned from."""
    repeated: int
    """Texts that were left out, since they are there already."""
    history: list[EpochRecord]
    """A record an epoch; empty without `validation`."""
    scores: dict[str, Scores]
    """Of "student" and "teacher" on the validation rows; empty without them. The teacher's are of the rows it may
    answer."""


def distill(
    teacher: str | os.PathLike[str] | Teacher,
    texts: Iterable[str],
    output_dir: str | os.PathLike[str],
    student: str | os.PathLike[str] = DEFAULT_MODEL_NAME,
    labelled: datasets.Dataset | None = None,
    validation: datasets.Dataset | None = None,
    args: EmotionTrainingArguments | None = None,
    temperature: float = 2.0,
    mixture: float = 0.5,
    *,
    word_split: WordSplit | None = None,
    tokenizer: str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
) -> Distillation:
    """Trains a classifier on a teacher's answers and on labels, and saves it as a plain folder.

    The loss of a row is mixture * T^2 * KL(teacher || student), both at temperature T, plus 1 - mixture of the focal
    loss of its label where it has one (Hinton et al., 2015); see `loss.soft_loss`. Without labelled rows it is the
    teacher's part alone. What the teacher answers are the probabilities that it predicts with, its own temperature
    in them.

    No answer comes from a model that saw the text's label, where `teacher` is a run or a fold of one; see
    `teacher.open_teacher`.

    A distillation that was interrupted, however hard, is continued by the same call, from a folder beside
    `output_dir` that ends in `.in_progress`; on the CPU the result is the same to the last bit.

    Args:
        teacher: A run, a model's folder, an ensemble's or an export's among them, "default", a Hub id, or one of the
            notebook's files; or what `open_teacher` returned.
        texts: Texts without labels.
        output_dir: Folder to write, complete or not at all; it must not exist, or be empty.
        student: "default", a Hub id or a folder: any BERT, ELECTRA or RoBERTa encoder, which gets a new head.
        labelled: Rows with `text` and `label`, matched with the teacher's labels by name.
        validation: Rows to evaluate on after each epoch; nothing is chosen by them.
        args: Training arguments of the student. Weights "balanced" and "effective" are those of `labelled`.
        temperature: T, above 0.
        mixture: From 0, the labels alone, to 1, the teacher alone.
        word_split: Overrides the setting of the student's tokenizer; see `KoBERTTokenizer`.
        tokenizer: Of a teacher that is one of the notebook's files; see `inference.loading.load_checkpoint`.
        num_attention_heads: Likewise.

    Raises:
        CheckpointError: There is no model at `teacher` or `student`.
        DataError: There is nothing to learn from, or labels that the teacher has not.
        RunError: `output_dir` is in use, or another distillation is unfinished beside it, or the teacher's run is.
        TokenizerError: A tokenizer fits neither model nor texts.
    """
    args = EmotionTrainingArguments() if args is None else copy.copy(args)
    check_type("args", args, EmotionTrainingArguments, "EmotionTrainingArguments(num_train_epochs=3)")
    for name, path in (("output_dir", output_dir), ("student", student)):
        check_path(name, path)
    check_number("temperature", temperature, above=True)
    _check_mixture(mixture)
    if args.world_size > 1:
        raise RunError(
            f"증류는 한 프로세스로 하는데 {args.world_size}개입니다. accelerate launch 없이 실행하세요.",
            f"A distillation runs in one process, found {args.world_size}: start it without accelerate launch.",
        )
    check_free(output_dir)
    taught = teacher if isinstance(teacher, Teacher) else open_teacher(teacher, tokenizer, num_attention_heads)
    rows = gather(texts, labelled, taught.labels, taught.task)
    if validation is not None:
        check_dataset(validation, (TEXT_COLUMN, LABEL_COLUMN), "validation")
    job = _Job(Path(output_dir), os.fspath(student), taught, rows, validation, args, temperature, mixture, word_split)
    return job.run()


def _check_mixture(mixture: float) -> None:
    if check_number("mixture", mixture) > 1:
        raise KoBERTEmotionError(
            f"`mixture`는 0(라벨만)에서 1(선생만) 사이여야 하는데 {mixture:g}입니다.",
            f"Expected `mixture` from 0 (labels alone) to 1 (the teacher alone), found {mixture:g}.",
            mend={"mixture": 0.5},
        )


@dataclass(frozen=True)
class _Job:
    """A distillation that is about to be done."""

    output: Path
    student: str
    teacher: Teacher
    rows: StudentRows
    validation: datasets.Dataset | None
    args: EmotionTrainingArguments
    temperature: float
    mixture: float
    word_split: WordSplit | None

    def run(self) -> Distillation:
        """Does it, or the rest of it."""
        settings = {} if self.word_split is None else {"word_split": self.word_split}
        tokenizer = load_tokenizer(self.student, model_max_length=self.args.max_length, **settings)
        set_seed(self.args.seed)
        model = start_model(self.student, self.teacher.labels, self.args.dropout, tokenizer, self.teacher.task)
        check_tokenization(tokenizer, model.config, self.rows.texts, self.args.max_length)
        self._settle_loss(model)
        record = self._record(model)
        with work_folder(self.output, record) as work:
            answers = self._answers(work)
            _say_answers(self.teacher, answers.counts)
            train = self.rows.encode(
                answers.logits, tokenizer, self.args.max_length, self.teacher.labels, self.teacher.task
            )
            trainer = self._train(model, tokenizer, train, work / _CHECKPOINTS)
            scores = {} if self.validation is None else self._scores(trainer, self.validation)
            unlabelled = len(train) - self.rows.labelled
            found = Distillation(
                self.output,
                answers.counts,
                self.rows.labelled,
                unlabelled,
                self.rows.repeated,
                trainer.history,
                scores,
            )
            self._save(trainer, tokenizer, record, found)
        return found

    def _settle_loss(self, model: PreTrainedModel) -> None:
        """Computes weights of the labels from the labelled rows, and not from the teacher's answers."""
        count = self.rows.labelled
        given = self.rows.given[:count]
        counts = rows_of_labels(given, len(self.teacher.labels)) if count else None
        alpha = loss_settings(self.args, model.config, counts, count).alpha
        if alpha is not None:
            self.args.focal_alpha = json.dumps(alpha)

    def _record(self, model: PreTrainedModel) -> dict[str, Any]:
        unlabelled = len(self.rows.texts) - self.rows.labelled
        return {
            "kind": "distillation",
            "teacher": self.teacher.name,
            "teacher_sha256": self.teacher.sha256,
            "teacher_models": len(self.teacher.sources),
            "student": self.student,
            "start_weights_sha256": weights_sha256(model),
            "labels": self.teacher.labels,
            "task": self.teacher.task.name,
            "temperature": self.temperature,
            "mixture": self.mixture if self.rows.labelled else 1.0,
            "texts": {
                "labelled": self.rows.labelled,
                "unlabelled": unlabelled,
                "repeated": self.rows.repeated,
                "sha256": self.rows.sha256,
            },
            "validation_sha256": None if self.validation is None else data_sha256(self.validation),
            "word_split": self.word_split,
            "training_arguments": self.args.to_dict(),  # type: ignore[no-untyped-call]
            "versions": library_versions(),
            "finished": False,
        }

    def _answers(self, work: Path) -> Answers:
        """Returns the teacher's answers, which a distillation that is continued has on the disk."""
        path = work / _ANSWERS_FILE
        if path.is_file():
            with np.load(path, allow_pickle=False) as saved:
                return Answers(saved["logits"], AnswerCounts(*saved["counts"].tolist()))
        answers = self.teacher.answer(self.rows.texts, DEFAULT_BATCH_SIZE)
        with atomic_write(path) as handle:
            np.savez(handle, logits=answers.logits, counts=np.asarray(list(asdict(answers.counts).values())))
        return answers

    def _train(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        train: datasets.Dataset,
        checkpoints: Path,
    ) -> DistillationTrainer:
        args = copy.copy(self.args)
        args.output_dir = os.fspath(checkpoints)
        args.eval_strategy = IntervalStrategy.NO if self.validation is None else IntervalStrategy.EPOCH
        args.save_strategy = SaveStrategy.NO
        args.remove_unused_columns = False  # the Trainer would take the teacher's answers for such

        def make(callbacks: list[TrainerCallback]) -> DistillationTrainer:
            return DistillationTrainer(
                model,
                args,
                train,
                self.validation,
                tokenizer,
                callbacks=callbacks,
                temperature=self.temperature,
                mixture=self.mixture if self.rows.labelled else 1.0,
            )

        return train_alone(make, checkpoints, shows=not args.disable_tqdm)

    def _scores(self, trainer: DistillationTrainer, validation: datasets.Dataset) -> dict[str, Scores]:
        output = trainer.validate()
        truth = label_ids(validation, self.teacher.labels)
        task = self.teacher.task
        answers = self.teacher.answer(list(validation[TEXT_COLUMN][:])).logits
        known = ~np.isnan(answers).any(axis=1)
        scores = {"student": task.score(np.asarray(output.predictions), truth)}
        return scores | ({"teacher": task.score(answers[known], truth[known])} if known.any() else {})

    def _save(
        self,
        trainer: DistillationTrainer,
        tokenizer: PreTrainedTokenizerBase,
        record: Mapping[str, Any],
        found: Distillation,
    ) -> None:
        learned = {**record["texts"], "unlabelled": found.unlabelled}
        whole = {
            **record,
            "texts": learned,
            "answers": asdict(found.counts),
            "teacher_rows_known": self.teacher.knows_rows,
            "scores": {name: asdict(scores) for name, scores in found.scores.items()},
            "finished": True,
        }
        with atomic_directory(self.output) as folder:
            save_classifier(trainer.model, tokenizer, folder)
            write_history(folder / HISTORY_FILE, found.history)
            write_json(folder / RECORD_FILE, whole)
            with atomic_write(folder / CARD_FILE, "w") as handle:
                handle.write(render_student_card(json.loads(json.dumps(whole, default=str)), self.output.name))


def _say_answers(teacher: Teacher, counts: AnswerCounts) -> None:
    if not teacher.knows_rows:
        logger.warning(
            Wording(
                f"{teacher.name}이(가) 무엇으로 학습했는지 알 수 없습니다. 학습한 글에는 너무 확신하는 답을 합니다. "
                "실행 폴더(runs/a)를 주면 글마다 그 글을 보지 않은 겹이 답합니다.",
                f"what {teacher.name} was trained on is not known here; it is too sure of texts that it has seen. Of a "
                "run (runs/a) each text is answered by a fold that has not seen it.",
            )
        )
        return
    logger.info(
        Wording(
            f"답: 학습 파일에 없는 글 {counts.by_all:,}개는 모든 모델의 평균, 학습 파일의 글 {counts.held_out:,}개는 "
            f"그 글을 보지 않은 겹이 답했고, 모두가 본 글 {counts.nobody:,}개에는 답이 없습니다.",
            f"answers: {counts.by_all:,} texts that are not in the training file by the mean of all models, "
            f"{counts.held_out:,} of it by the fold that held them out, none for {counts.nobody:,} that all have seen",
        )
    )
