"""Token ids for a data set, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from .errors import DataError
from .token_cache import cache_file

TEXT_COLUMN, TEXT_PAIR_COLUMN, LABEL_COLUMN, LABELS_COLUMN = "text", "text_pair", "label", "labels"


def encode_dataset(dataset: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, max_length: int) -> datasets.Dataset:
    """Tokenises the texts of a data set.

    Args:
        dataset: Rows with `text`, and maybe `text_pair` and `label`; a data set that already has `input_ids`
            is returned as it is.
        tokenizer: The model's tokenizer.
        max_length: Tokens a row is cut to, special tokens included.

    Returns:
        Rows with `input_ids`, `token_type_ids` where the tokenizer gives them, and `labels` (int64) where
        there are labels.
    """
    if "input_ids" in dataset.column_names:
        return dataset

    def encode(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        encoded = tokenizer(
            rows[TEXT_COLUMN],
            rows.get(TEXT_PAIR_COLUMN),
            truncation=True,
            max_length=max_length,
            return_attention_mask=False,
        )
        columns: dict[str, list[Any]] = dict(encoded)
        if LABEL_COLUMN in rows:
            columns[LABELS_COLUMN] = rows[LABEL_COLUMN]
        return columns

    features = datasets.Features(
        {
            name: datasets.List(datasets.Value("int32"))
            for name in tokenizer.model_input_names
            if name != "attention_mask"
        }
    )
    if LABEL_COLUMN in dataset.column_names:
        features[LABELS_COLUMN] = datasets.Value("int64")
    if len(dataset) == 0:  # `map` would leave no columns at all
        return datasets.Dataset.from_dict({name: [] for name in features}, features=features)
    columns = [name for name in (TEXT_COLUMN, TEXT_PAIR_COLUMN, LABEL_COLUMN) if name in dataset.column_names]
    file = cache_file(dataset, columns, tokenizer, max_length)
    return dataset.map(
        encode,
        batched=True,
        remove_columns=dataset.column_names,
        features=features,
        cache_file_name=None if file is None else str(file),
        load_from_cache_file=file is not None,
        keep_in_memory=file is None,
        # Without it `map` would hash the tokenizer once more, and the result differ from one process to the next.
        new_fingerprint=None if file is None else file.stem,
        desc="tokenizing",
    )


def padding_rows(count: int, features: datasets.Features, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Returns `count` rows of an empty text whose label, -100, leaves them out of every loss and metric."""
    encoded = tokenizer("", return_attention_mask=False)
    columns: dict[str, list[Any]] = {name: [encoded[name]] * count for name in features if name != LABELS_COLUMN}
    columns[LABELS_COLUMN] = [-100] * count
    return datasets.Dataset.from_dict(columns, features=features)


def label_ids(dataset: datasets.Dataset, labels: Sequence[str]) -> NDArray[np.int64]:
    """Returns the class ids of the rows, shape (rows,), as a model with `labels` numbers them.

    Raises:
        DataError: The data set has a label that the model has not.
    """
    names = dataset.features[LABEL_COLUMN].names
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise DataError(
            f"체크포인트가 모르는 라벨입니다: {unknown}. 체크포인트의 라벨: {list(labels)}",
            f"The checkpoint does not know the labels {unknown}; it has {list(labels)}.",
        )
    numbers = np.asarray([labels.index(name) for name in names], dtype=np.int64)
    ids: NDArray[np.int64] = numbers[np.asarray(dataset[LABEL_COLUMN])]
    return ids


def with_label_ids(dataset: datasets.Dataset, labels: Sequence[str]) -> datasets.Dataset:
    """Returns the rows with `label` numbered as a model with `labels` numbers them; see `label_ids`."""
    ids = label_ids(dataset, labels).tolist()
    return dataset.remove_columns(LABEL_COLUMN).add_column(
        LABEL_COLUMN, ids, feature=datasets.ClassLabel(names=list(labels))
    )
