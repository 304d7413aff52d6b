"""The rows of a data set in the form that checks look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.column_names import CONVERSATION_COLUMN
from ..data.distributions import majority_ids, to_shares
from ..data.label_ids import IGNORED, Truth, class_names, has_several, has_votes, is_labelled, rows_of_labels, votes_of
from ..data.text_keys import text_key
from .report import Example, shortened

if TYPE_CHECKING:
    from datasets import Dataset

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class AuditedRows:
    """Columns of a data set.

    Attributes:
        texts: The texts.
        pairs: The second texts of pairs, or None.
        whole: What is compared word for word: the text, or both texts of a pair with a tab between them.
        keys: The folded texts; see `data.text_keys.text_key`.
        labels: The label's id, -1 where there is none; shape (rows,). Of several labels a row a number that is the
            same for the same labels; of votes that of the label with most.
        truth: The labels, as in `data.label_ids`, of votes those with most; None without any.
        label_names: The names of the labels, by id; empty without labels.
        numbers: The row numbers in the file.
        groups: The groups, or None.
        in_context: Whether the second texts are turns before a line, which is never cut for them.
    """

    texts: list[str]
    pairs: list[str] | None
    whole: list[str]
    keys: list[str]
    labels: Codes
    truth: Truth | None
    label_names: list[str]
    numbers: list[int]
    groups: list[str] | None
    in_context: bool = False

    @classmethod
    def of(cls, dataset: Dataset) -> AuditedRows:
        """Takes the columns of a data set of `load_emotion_dataset`, or of any with a `text` and maybe a `label`."""
        columns = dataset.column_names
        texts: list[str] = dataset["text"][:]
        pairs = dataset["text_pair"][:] if "text_pair" in columns else None
        truth = _truth(dataset) if "label" in columns else None
        return cls(
            texts=texts,
            pairs=pairs,
            whole=texts if pairs is None else [f"{text}\t{pair}" for text, pair in zip(texts, pairs, strict=True)],
            keys=list(map(text_key, texts)) if pairs is None else list(map(text_key, texts, pairs)),
            labels=np.full(len(texts), -1) if truth is None else _numbers(truth),
            truth=truth,
            label_names=class_names(dataset) or [],
            numbers=dataset["row"][:] if "row" in columns else list(range(1, len(texts) + 1)),
            groups=dataset["group"][:] if "group" in columns else None,
            in_context={"text_pair", CONVERSATION_COLUMN} <= set(columns),
        )

    @property
    def cut_pairs(self) -> list[str] | None:
        """The second texts that are cut together with the first ones."""
        return None if self.in_context else self.pairs

    def __len__(self) -> int:
        return len(self.texts)

    def example(self, index: int) -> Example:
        """Returns the row at `index` as an example."""
        return Example(int(self.numbers[index]), shortened(self.whole[index]))

    def label_name(self, index: int) -> str:
        """Returns the name of the label of the row at `index`, or those of several with a comma between."""
        if self.truth is None or self.truth.ndim == 1:
            return self.label_names[int(self.labels[index])]
        return ", ".join(self.label_names[label] for label in np.flatnonzero(self.truth[index])) or "-"

    def rows_of_labels(self) -> Codes:
        """Counts the rows of each label, shape (labels,)."""
        if self.truth is None:
            return np.zeros(len(self.label_names), dtype=np.int64)
        return rows_of_labels(self.truth, len(self.label_names))

    def with_label(self, label: int) -> Codes:
        """Returns the indices of the rows that have a label."""
        assert self.truth is not None
        return np.flatnonzero(self.truth == label if self.truth.ndim == 1 else self.truth[:, label] == 1)


def _truth(dataset: Dataset) -> Truth:
    """Returns the labels of rows of which some may have none."""
    values = dataset["label"][:]
    names = class_names(dataset) or []
    if has_votes(dataset):
        votes = votes_of(dataset)
        return np.where((votes >= 0).all(axis=1), majority_ids(to_shares(votes)), IGNORED)
    if not has_several(dataset):
        return np.asarray([IGNORED if label is None or label < 0 else label for label in values], dtype=np.int64)
    truth = np.zeros((len(values), len(names)), dtype=np.int64)
    for row, ids in zip(truth, values, strict=True):
        row[slice(None) if ids is None else ids] = IGNORED if ids is None else 1
    return truth


def _numbers(truth: Truth) -> Codes:
    """Returns a number for the labels of each row, -1 where it has none that is known."""
    known = is_labelled(truth)
    if truth.ndim == 1:
        return np.where(known, truth, -1)
    of_label = np.random.default_rng(0).integers(2**63, size=truth.shape[1], dtype=np.uint64)  # in every file the same
    numbers = (truth.astype(np.uint64) * of_label).sum(axis=1) >> np.uint64(1)
    return np.where(known, numbers.astype(np.int64), -1)


def codes(values: list[str]) -> tuple[Codes, Codes]:
    """Numbers distinct values in the order in which they appear.

    Returns:
        The number of each value, and the index at which each distinct value appears first.

    Example:
        >>> numbers, first = codes(["b", "a", "b"])
        >>> numbers.tolist(), first.tolist()
        ([0, 1, 0], [0, 1])
    """
    numbers, distinct = pd.factorize(np.asarray(values, dtype=object))
    first = np.full(len(distinct), len(values), dtype=np.int64)
    np.minimum.at(first, numbers, np.arange(len(values)))
    return numbers.astype(np.int64), first
