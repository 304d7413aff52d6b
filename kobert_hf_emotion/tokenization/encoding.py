"""Token ids for a data set, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedTokenizerBase

from ..data.column_names import IDS_COLUMN, LABELS_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import IGNORED, class_names, label_column, label_ids, with_labels
from ..errors import DataError
from ..utils.progress import ROWS, progress
from ..wording import Wording
from .cache import cache_file
from .context import encode_texts


def encode_dataset(
    dataset: datasets.Dataset,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    labels: Sequence[str],
    in_context: bool = False,
) -> datasets.Dataset:
    """Tokenises the texts of a data set, and numbers its labels as a model does.

    Args:
        dataset: Rows with `text`, and maybe `text_pair` and `label`; or tokenised ones with `input_ids`, of which
            only the labels are looked at.
        tokenizer: The model's tokenizer.
        max_length: Tokens a row is cut to, special tokens included.
        labels: The model's label names in the order of their ids.
        in_context: Whether second texts are the turns before a line; see `tokenization.context`.

    Returns:
        Rows with `input_ids`, `token_type_ids` where the tokenizer gives them, and `labels` (a `ClassLabel` with the
        model's names) where there are labels; `dataset` itself where it has all that.

    Raises:
        DataError: There are neither texts nor token ids, or the labels are not the model's; see `label_ids`.
    """
    column = label_column(dataset)
    ids = None if column is None else label_ids(dataset, labels)
    if IDS_COLUMN in dataset.column_names:
        encoded = dataset
        if column == LABELS_COLUMN and class_names(dataset) == list(labels):
            return dataset
        if column is not None:
            encoded = dataset.remove_columns([column])
    else:
        encoded = _encode_texts(dataset, tokenizer, max_length, in_context)
    return encoded if ids is None else with_labels(encoded, ids, labels)


def _encode_texts(
    dataset: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, max_length: int, in_context: bool
) -> datasets.Dataset:
    if TEXT_COLUMN not in dataset.column_names:
        raise DataError(
            f"데이터에 '{TEXT_COLUMN}' 열이 없습니다. 있는 열: {dataset.column_names}. 글이 있는 열의 이름을 바꾸세요: "
            f"dataset.rename_column(…, '{TEXT_COLUMN}')",
            f"The data has no column '{TEXT_COLUMN}', found {dataset.column_names}. Rename the one with the texts: "
            f"dataset.rename_column(…, '{TEXT_COLUMN}').",
        )

    features = datasets.Features(
        {
            name: datasets.List(datasets.Value("int32"))
            for name in tokenizer.model_input_names
            if name != "attention_mask"
        }
    )
    if len(dataset) == 0:  # `map` would leave no columns at all
        return datasets.Dataset.from_dict({name: [] for name in features}, features=features)
    columns = [name for name in (TEXT_COLUMN, TEXT_PAIR_COLUMN) if name in dataset.column_names]
    file = cache_file(dataset, columns, tokenizer, max_length, in_context and TEXT_PAIR_COLUMN in columns)
    with progress(Wording("토큰으로 나누기", "tokenizing"), len(dataset), ROWS) as advance:

        def encode(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
            found = encode_texts(tokenizer, rows[TEXT_COLUMN], rows.get(TEXT_PAIR_COLUMN), max_length, in_context)
            advance(len(rows[TEXT_COLUMN]))
            return dict(found)

        return dataset.map(
            encode,
            batched=True,
            remove_columns=dataset.column_names,
            features=features,
            cache_file_name=None if file is None else str(file),
            load_from_cache_file=file is not None,
            keep_in_memory=file is None,
            # Without it `map` would hash the function once more, and the result differ from one process to the next.
            new_fingerprint=None if file is None else file.stem,
            desc="tokenizing",
        )


def padding_rows(count: int, features: datasets.Features, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
    """Returns `count` rows of an empty text whose label, -100, leaves them out of every loss and metric."""
    encoded = tokenizer("", return_attention_mask=False)
    columns = [name for name in features if name != LABELS_COLUMN]
    rows = datasets.Dataset.from_dict(
        {name: [encoded[name]] * count for name in columns},
        features=datasets.Features({name: features[name] for name in columns}),
    )
    feature = features[LABELS_COLUMN]
    if isinstance(feature, dict):
        return with_labels(rows, np.full((count, len(feature)), float(IGNORED)), list(feature))
    if isinstance(feature, datasets.List):
        names = feature.feature.names
        return with_labels(rows, np.full((count, len(names)), IGNORED), names)
    return with_labels(rows, np.full(count, IGNORED), feature.names)
