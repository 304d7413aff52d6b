"""Rows of token ids made as long as the longest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..data.column_names import IDS_COLUMN

_TYPES, _MASK = "token_type_ids", "attention_mask"


def pad(
    tokenizer: PreTrainedTokenizerBase, columns: Mapping[str, Sequence[Sequence[int]]], multiple: int | None = None
) -> dict[str, Tensor]:
    """Returns what `tokenizer.pad(columns, return_tensors="pt")` does, without walking over the rows in Python.

    Args:
        tokenizer: Tells what is filled in, and on which side.
        columns: `input_ids` of at least one row, and `token_type_ids` where the model has some.
        multiple: What the tokens of a row become a multiple of; None for as few as will do.

    Returns:
        The columns and `attention_mask`, each of shape (rows, tokens), int64.
    """
    is_usual = type(tokenizer).pad is PreTrainedTokenizerBase.pad and tokenizer.pad_token_id is not None
    if not is_usual or not set(columns) <= {IDS_COLUMN, _TYPES}:
        rows: Any = dict(columns)
        return dict(tokenizer.pad(rows, pad_to_multiple_of=multiple, return_tensors="pt"))
    lengths = np.fromiter(map(len, columns[IDS_COLUMN]), np.int64, len(columns[IDS_COLUMN]))
    longest = int(lengths.max())
    places = np.arange(longest if multiple is None else -(-longest // multiple) * multiple)
    if tokenizer.padding_side == "left":
        places = places[::-1]
    is_token = places < lengths[:, None]
    filling = {IDS_COLUMN: tokenizer.pad_token_id, _TYPES: tokenizer.pad_token_type_id}
    padded = {}
    for name, column in columns.items():
        padded[name] = np.full(is_token.shape, filling[name], np.int64)
        padded[name][is_token] = np.fromiter(chain.from_iterable(column), np.int64, int(lengths.sum()))
    padded[_MASK] = is_token.astype(np.int64)
    return {name: torch.from_numpy(values) for name, values in padded.items()}
