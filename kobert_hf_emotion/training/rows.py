"""Rows as the trainer takes them in: texts or token ids, with labels that are numbered as the model numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DataCollatorWithPadding, PreTrainedConfig, PreTrainedTokenizerBase

from ..configuration import label_names
from ..data.column_names import IDS_COLUMN, LABELS_COLUMN, TEXT_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import IGNORED, label_column, label_ids, rows_of_labels
from ..errors import DataError
from ..tasks.choice import check_task
from ..tokenization.encoding import encode_dataset, padding_rows


@dataclass(frozen=True)
class RowEncoder:
    """Makes what a model is fed with out of data sets.

    Attributes:
        tokenizer: The model's.
        config: The model's.
        max_length: Tokens a row is cut to.
    """

    tokenizer: PreTrainedTokenizerBase
    config: PreTrainedConfig
    max_length: int

    @property
    def labels(self) -> list[str]:
        """The model's label names in the order of their ids."""
        return label_names(self.config)

    def encode(self, rows: datasets.Dataset, name: str, needs_labels: bool = True) -> datasets.Dataset:
        """Returns tokenised rows; `name` is that of the argument, for errors.

        Raises:
            DataError: It is no data set, or has no texts, or no labels where it needs some, or other ones.
        """
        is_encoded = IDS_COLUMN in getattr(rows, "column_names", ())
        check_dataset(rows, () if is_encoded else (TEXT_COLUMN,), name, may_be_empty=True)
        if label_column(rows) is not None and len(rows):
            check_task(self.config, rows, name)
        encoded = encode_dataset(rows, self.tokenizer, self.max_length, self.labels)
        if needs_labels and LABELS_COLUMN not in encoded.column_names:
            raise DataError(
                f"{name}에 라벨 열이 없습니다. 'label' 열이 필요합니다. 있는 열: {rows.column_names}",
                f"{name} has no labels: expected a column 'label', found {rows.column_names}.",
            )
        return encoded

    def fill_last_batch(self, dataset: datasets.Dataset, batch_rows: int) -> datasets.Dataset:
        """Adds rows without a label where the last batch would have fewer than `batch_rows`."""
        missing = -len(dataset) % batch_rows
        if missing == 0:
            return dataset
        return datasets.concatenate_datasets([dataset, padding_rows(missing, dataset.features, self.tokenizer)])

    def label_counts(self, dataset: datasets.Dataset) -> NDArray[np.int64]:
        """Returns the rows of each class of a tokenised data set."""
        truth = label_ids(dataset.select_columns([LABELS_COLUMN]), self.labels)
        return rows_of_labels(truth, len(self.labels))


class RowCollator:
    """Pads rows to a batch, and makes of lists of labels a 1 where a row has a label and a 0 where not.

    Args:
        tokenizer: What pads.
        labels: How many labels there are.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, labels: int) -> None:
        self._pad = DataCollatorWithPadding(tokenizer)
        self._labels = labels

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns the columns of a batch as tensors."""
        lists = [row[LABELS_COLUMN] for row in rows if LABELS_COLUMN in row]
        if not lists or not isinstance(lists[0], list):
            return dict(self._pad(list(rows)))
        batch = dict(self._pad([{name: row[name] for name in row if name != LABELS_COLUMN} for row in rows]))
        return batch | {LABELS_COLUMN: self._several(lists)}

    def _several(self, lists: Sequence[Sequence[int]]) -> Tensor:
        target = torch.zeros(len(lists), self._labels)
        for row, ids in enumerate(lists):
            if IGNORED in ids:
                target[row] = IGNORED
            else:
                target[row, list(ids)] = 1.0
        return target
