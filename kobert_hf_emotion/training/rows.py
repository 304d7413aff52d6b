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
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..configuration import context_turns, label_names, longest_input
from ..data.column_names import IDS_COLUMN, LABELS_COLUMN, TEXT_COLUMN, WEIGHT_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import IGNORED, label_column, label_ids, rows_of_labels
from ..errors import DataError
from ..tasks.choice import check_task
from ..tokenization.encoding import encode_dataset, padding_rows
from ..tokenization.padding import pad
from .arguments import EmotionTrainingArguments


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
        encoded = encode_dataset(rows, self.tokenizer, self.max_length, self.labels, context_turns(self.config) > 0)
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


def padding_multiple(args: EmotionTrainingArguments, config: PreTrainedConfig) -> int | None:
    """Returns what the tokens of a row are a multiple of once they are padded; None for as few as will do.

    On a GPU that is 8: its matrix units want it, and steps of the same shape can be recorded.
    """
    fits = -(-args.max_length // 8) * 8 <= longest_input(config)
    return 8 if args.device.type == "cuda" and fits else None


class RowCollator:
    """Pads rows to a batch; of lists of labels it makes a 1 where a row has a label and a 0 where not.

    Votes for each label it puts into a row in the order of the labels.

    Args:
        tokenizer: Tells how to pad.
        labels: The names of the labels, in the order of their ids.
        multiple: What the tokens of a row become a multiple of; None for as few as will do.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], multiple: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._labels = list(labels)
        self._multiple = multiple

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns the columns of a batch as tensors."""
        inputs = {name: [row[name] for row in rows] for name in rows[0] if name not in (LABELS_COLUMN, WEIGHT_COLUMN)}
        batch = pad(self._tokenizer, inputs, self._multiple)
        if WEIGHT_COLUMN in rows[0]:
            batch[WEIGHT_COLUMN] = torch.tensor([row[WEIGHT_COLUMN] for row in rows])
        if LABELS_COLUMN in rows[0]:
            labels = [row[LABELS_COLUMN] for row in rows]
            batch[LABELS_COLUMN] = self._target(labels)
        return batch

    def _target(self, labels: Sequence[Any]) -> Tensor:
        if isinstance(labels[0], dict):
            return torch.tensor([[row[name] for name in self._labels] for row in labels], dtype=torch.float32)
        return self._several(labels) if isinstance(labels[0], list) else torch.tensor(labels)

    def _several(self, lists: Sequence[Sequence[int]]) -> Tensor:
        target = torch.zeros(len(lists), len(self._labels))
        for row, ids in enumerate(lists):
            if IGNORED in ids:
                target[row] = IGNORED
            else:
                target[row, list(ids)] = 1.0
        return target
