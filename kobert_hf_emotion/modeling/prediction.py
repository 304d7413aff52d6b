"""Batched inference: texts in, logits or labelled predictions out, in input order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from ..configuration import context_turns, longest_input
from ..data.input_checks import as_pairs
from ..kernels.attention import quick_attention
from ..kernels.packed_bert import packed_bert
from ..tokenization.context import encode_texts
from ..tokenization.guard import UnknownTexts, check_predicted
from ..tokenization.padding import pad
from ..utils.argument_checks import check_count
from ..utils.modules import evaluation_copy
from .batches import DEFAULT_BATCH_SIZE, Batch, logits_by_length

GPU_MULTIPLE = 8
"""What tokens of a row are a multiple of on a GPU: its libraries choose a kernel for each length that they see."""
BATCHES_A_CORE = 4
FEWEST_ROWS = 8
"""Of a batch of those that are computed side by side on the CPU; with fewer the calls take longer than the products."""


def predict_logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Iterable[str],
    text_pairs: Iterable[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    max_length: int | None = None,
    unknown: UnknownTexts | None = None,
) -> NDArray[np.float32]:
    """Computes the logits of texts, batching texts of similar length together.

    Args:
        model: A sequence classifier; it is left in the mode it was in.
        tokenizer: The tokenizer that belongs to the model.
        texts: Sentences.
        text_pairs: Second sentences, as many as `texts`, for a model of sentence pairs. Of a model with
            `context_turns` the turns before each line, the oldest first, the empty string where there are none; the
            line is not cut for them.
        batch_size: Texts a forward pass, at most: on the CPU fewer where there are few, so that every core has some.
        max_length: Tokens to cut a text to; by default the tokenizer's `model_max_length`. Never more than the
            model has positions.
        unknown: What the texts that cannot be read are counted in; None logs their number.

    Returns:
        Logits, shape (texts, classes), float32, in the order of `texts`.

    Raises:
        DataError: An element of `texts` or `text_pairs` is no string, or their lengths differ.
        TokenizerError: The tokenizer is not the model's; see `check_predicted`.
    """
    texts, text_pairs = as_pairs(texts, text_pairs)
    check_count("batch_size", batch_size)
    if max_length is not None:
        check_count("max_length", max_length)
    if not texts:
        return np.zeros((0, int(model.config.num_labels or 0)), dtype=np.float32)
    limit = row_limit(tokenizer, model.config, max_length)
    encoded = encode_texts(tokenizer, texts, text_pairs, limit, in_context=context_turns(model.config) > 0)
    check_predicted(tokenizer, model.config, texts, encoded["input_ids"], unknown, limit)
    packed = packed_bert(model)
    if packed is not None and text_pairs is None:
        encoded.pop("token_type_ids", None)  # all 0, as they are where there are none
    forward = _forward_of(model) if packed is None else packed
    on_gpu = model.device.type == "cuda" and longest_input(model.config) % GPU_MULTIPLE == 0
    multiple = GPU_MULTIPLE if on_gpu else None

    with torch.inference_mode():
        return logits_by_length(
            encoded,
            batch_size if packed is None else min(batch_size, _rows_side_by_side(len(texts))),
            lambda batch: forward(**_tensors(tokenizer, batch, multiple)).numpy(),
            at_once=packed is not None,  # another model may not be made for it
        )


def _rows_side_by_side(texts: int) -> int:
    """Returns how many rows a batch has, so that cores end at about the same time and short texts meet no long ones."""
    return max(FEWEST_ROWS, -(-texts // (BATCHES_A_CORE * torch.get_num_threads())))


def _tensors(tokenizer: PreTrainedTokenizerBase, batch: Batch, multiple: int | None) -> dict[str, Tensor]:
    """Returns a model's inputs: padded and with a mask, where the rows differ in length or are no multiple."""
    if batch.is_even and (multiple is None or batch.lengths[0] % multiple == 0):
        return {name: torch.tensor(column) for name, column in batch.columns.items()}
    return pad(tokenizer, batch.columns, multiple)


def _forward_of(model: PreTrainedModel) -> Callable[..., Tensor]:
    """Returns what computes logits on the device of the model, and brings them to the CPU."""
    computing = evaluation_copy(model)

    def forward(**inputs: Tensor) -> Tensor:
        on_device = {name: column.to(computing.device) for name, column in inputs.items()}
        with quick_attention(computing.device):
            logits: Tensor = computing(**on_device).logits
        return logits.float().cpu()

    return forward


def row_limit(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, max_length: int | None = None) -> int:
    """Returns the tokens a row is cut to, special ones included; see `predict_logits`."""
    return min(max_length or tokenizer.model_max_length, longest_input(config))


def use_accelerator(model: nn.Module) -> None:
    """Moves a model that is on the CPU to the GPU where there is one; where it is on a GPU already, it stays."""
    if torch.accelerator.is_available() and all(parameter.device.type == "cpu" for parameter in model.parameters()):
        model.to(torch.accelerator.current_accelerator())
