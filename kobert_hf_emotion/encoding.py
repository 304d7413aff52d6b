"""Token ids for a data set, computed once."""

from __future__ import annotations

from typing import Any

import datasets
from transformers import PreTrainedTokenizerBase

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
    return dataset.map(
        encode,
        batched=True,
        remove_columns=dataset.column_names,
        features=features,
        load_from_cache_file=False,
        keep_in_memory=True,
        desc="tokenizing",
    )


def padding_rows(count: int, features: datasets.Features, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Returns `count` rows of an empty text whose label, -100, leaves them out of every loss and metric."""
    encoded = tokenizer("", return_attention_mask=False)
    columns: dict[str, list[Any]] = {name: [encoded[name]] * count for name in features if name != LABELS_COLUMN}
    columns[LABELS_COLUMN] = [-100] * count
    return datasets.Dataset.from_dict(columns, features=features)
