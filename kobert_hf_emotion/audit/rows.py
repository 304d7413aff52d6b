"""The rows of a data set in the form that checks look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
        labels: The label's id, -1 where there is none; shape (rows,).
        label_names: The names of the labels, by id; empty without labels.
        numbers: The row numbers in the file.
        groups: The groups, or None.
    """

    texts: list[str]
    pairs: list[str] | None
    whole: list[str]
    keys: list[str]
    labels: Codes
    label_names: list[str]
    numbers: list[int]
    groups: list[str] | None

    @classmethod
    def of(cls, dataset: Dataset) -> AuditedRows:
        """Takes the columns of a data set of `load_emotion_dataset`, or of any with a `text` and maybe a `label`."""
        columns = dataset.column_names
        texts: list[str] = dataset["text"][:]
        pairs = dataset["text_pair"][:] if "text_pair" in columns else None
        labels = dataset["label"][:] if "label" in columns else [None] * len(texts)
        return cls(
            texts=texts,
            pairs=pairs,
            whole=texts if pairs is None else [f"{text}\t{pair}" for text, pair in zip(texts, pairs, strict=True)],
            keys=list(map(text_key, texts)) if pairs is None else list(map(text_key, texts, pairs)),
            labels=np.asarray([-1 if label is None else label for label in labels], dtype=np.int64),
            label_names=list(dataset.features["label"].names) if "label" in columns else [],
            numbers=dataset["row"][:] if "row" in columns else list(range(1, len(texts) + 1)),
            groups=dataset["group"][:] if "group" in columns else None,
        )

    def __len__(self) -> int:
        return len(self.texts)

    def example(self, index: int) -> Example:
        """Returns the row at `index` as an example."""
        return Example(int(self.numbers[index]), shortened(self.whole[index]))

    def label_name(self, index: int) -> str:
        """Returns the name of the label of the row at `index`."""
        return self.label_names[int(self.labels[index])]


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
