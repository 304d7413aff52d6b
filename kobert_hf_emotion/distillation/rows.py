"""The rows a student learns from: labelled ones, and texts that nobody labelled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import datasets
import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from ..data.column_names import LABELS_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.input_checks import as_texts, check_dataset
from ..data.label_ids import IGNORED, Truth, label_ids, with_labels
from ..data.text_keys import text_key
from ..errors import DataError
from ..tasks.multi_label import MultiLabel
from ..tasks.soft import Soft
from ..tasks.task import Task
from ..tokenization.encoding import encode_dataset
from .trainer import ANSWERS_COLUMN, GIVEN_COLUMN


@dataclass(frozen=True)
class StudentRows:
    """Texts, the labelled ones first.

    Attributes:
        texts: All of them.
        given: Their labels, `IGNORED` where there is none; see `Truth`.
        labelled: How many have one.
        repeated: Unlabelled texts that were left out: they stand among the labelled ones, or stood here before.
    """

    texts: list[str]
    given: Truth
    labelled: int
    repeated: int

    @property
    def sha256(self) -> str:
        """A SHA-256 over the texts and their labels, in order."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.given.tolist(), strict=True):
            digest.update(f"{label}\t{text}\n".encode())
        return digest.hexdigest()

    def encode(
        self,
        answers: NDArray[np.float32],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int,
        labels: Sequence[str],
        task: Task,
    ) -> datasets.Dataset:
        """Returns tokenised rows with the teacher's answers; those with neither an answer nor a label are left out.

        Args:
            answers: The teacher's logits, shape (texts, labels), a row of NaN where there are none.
            tokenizer: The student's.
            max_length: Tokens a text is cut to.
            labels: Label names in the order of their ids.
            task: How logits become answers.
        """
        answered = ~np.isnan(answers).any(axis=1)
        has_label = np.arange(len(self.texts)) < self.labelled
        kept = np.flatnonzero(answered | has_label)
        filled = np.nan_to_num(answers)
        taught = task.probabilities(filled) if isinstance(task, Soft) else task.answers(filled)
        several = self.given.ndim == 2
        compared = np.where(has_label[:, None] if several else has_label, self.given, taught)
        rows = datasets.Dataset.from_dict({TEXT_COLUMN: [self.texts[index] for index in kept]})
        encoded = encode_dataset(rows, tokenizer, max_length, labels)
        encoded = with_labels(encoded, compared[kept], labels, LABELS_COLUMN)
        number = datasets.Value(str(self.given.dtype))
        given = datasets.List(number, length=len(labels)) if several else number
        encoded = encoded.add_column(GIVEN_COLUMN, self.given[kept].tolist(), feature=given)
        logits = datasets.List(datasets.Value("float32"), length=len(labels))
        return encoded.add_column(ANSWERS_COLUMN, answers[kept].tolist(), feature=logits)


def gather(texts: Iterable[str], labelled: datasets.Dataset | None, labels: Sequence[str], task: Task) -> StudentRows:
    """Puts labelled rows and unlabelled texts together, each spelling of a text once (`data.text_keys.text_key`).

    Args:
        texts: Texts without labels.
        labelled: Rows with `text` and `label`, all of which are kept.
        labels: The teacher's label names in the order of their ids.
        task: The teacher's.

    Raises:
        DataError: There are no rows, or labels that the teacher has not, or pairs of texts.
    """
    found = as_texts(texts)
    own: list[str] = []
    shape = (0, len(labels)) if isinstance(task, MultiLabel | Soft) else (0,)
    truth: Truth = np.zeros(shape, dtype=np.float64 if isinstance(task, Soft) else np.int64)
    if labelled is not None:
        check_dataset(labelled, (TEXT_COLUMN, "label"), "labelled")
        _refuse_pairs(labelled)
        own, truth = list(labelled[TEXT_COLUMN][:]), label_ids(labelled, labels)
        if truth.ndim != len(shape) or truth.dtype.kind != ("f" if isinstance(task, Soft) else "i"):
            raise DataError(
                "`labelled`의 라벨이 선생의 것과 다른 종류입니다(하나, 여럿, 평가자들의 표). "
                f"load_emotion_dataset(path, task='{task.name}')로 읽거나 `labelled`를 빼세요.",
                "The labels of `labelled` are of another kind than the teacher's (one, several, votes of annotators): "
                f"read them with load_emotion_dataset(path, task='{task.name}'), or leave `labelled` out.",
                mend={"labelled": None},
            )
    seen = set(map(text_key, own))
    fresh: list[str] = []
    for text in found:
        key = text_key(text)
        if key not in seen:
            seen.add(key)
            fresh.append(text)
    if not own and not fresh:
        raise DataError(
            "배울 글이 없습니다. 한 행 이상 넣으세요.",
            "There is nothing to learn from: expected one text or more, with a label or without.",
        )
    without = np.full((len(fresh), *shape[1:]), IGNORED, dtype=truth.dtype)
    return StudentRows([*own, *fresh], np.concatenate([truth, without]), len(own), len(found) - len(fresh))


def _refuse_pairs(rows: datasets.Dataset) -> None:
    if TEXT_PAIR_COLUMN in rows.column_names:
        raise DataError(
            "`labelled`의 행이 문장 쌍입니다. 증류는 문장 하나를 읽는 모델만 됩니다.",
            "The rows of `labelled` are pairs of texts; distillation is for models of single texts.",
        )
