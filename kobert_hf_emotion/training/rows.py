"""Rows as the trainer takes them in: texts or token ids, with labels that are numbered as the model numbers them."""

from __future__ import annotations

from dataclasses import dataclass

import datasets
import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from ..data.column_names import IDS_COLUMN, LABELS_COLUMN, TEXT_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import IGNORED
from ..errors import DataError
from ..tokenization.encoding import encode_dataset, padding_rows


@dataclass(frozen=True)
class RowEncoder:
    """Makes what a model is fed with out of data sets.

    Attributes:
        tokenizer: The model's.
        labels: The model's label names in the order of their ids.
        max_length: Tokens a row is cut to.
    """

    tokenizer: PreTrainedTokenizerBase
    labels: list[str]
    max_length: int

    def encode(self, rows: datasets.Dataset, name: str, needs_labels: bool = True) -> datasets.Dataset:
        """Returns tokenised rows; `name` is that of the argument, for errors.

        Raises:
            DataError: It is no data set, or has no texts, or no labels where it needs some, or other ones.
        """
        is_encoded = IDS_COLUMN in getattr(rows, "column_names", ())
        check_dataset(rows, () if is_encoded else (TEXT_COLUMN,), name, may_be_empty=True)
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
        ids = dataset.with_format("numpy")[LABELS_COLUMN][:]
        counts: NDArray[np.int64] = np.bincount(ids[ids != IGNORED], minlength=len(self.labels))
        return counts
