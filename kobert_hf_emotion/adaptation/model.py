"""Encoders with a head that names hidden tokens: the model's own head, or a new one on its word embeddings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from ..assets import resolve_default
from ..hub.adapters import refuse_adapter
from ..hub.from_pretrained import load_weights
from ..inference.classifier import encoder_kind
from ..tokenization.guard import check_vocabulary
from ..tokenization.vocabulary import vocabulary_sha256


class MaskedModel(NamedTuple):
    """What is trained, and what is kept as it is.

    Attributes:
        model: The encoder with the head.
        pooler: Weights of the pooler, which the head does not read, by their names in `model`; empty without one.
        head_is_new: Whether the source had no head, or not all of it.
    """

    model: PreTrainedModel
    pooler: dict[str, Tensor]
    head_is_new: bool


def load_masked(source: str | os.PathLike[str], tokenizer: PreTrainedTokenizerBase) -> MaskedModel:
    """Loads an encoder with its head for hidden tokens; one without gets a new one, tied to the word embeddings.

    Seed torch before calling.

    Args:
        source: "default", a Hub id or a folder with a BERT, ELECTRA or RoBERTa encoder.
        tokenizer: The encoder's.

    Raises:
        CheckpointError: There is no model at `source`, or one of another architecture.
        TokenizerError: The tokenizer is not the model's.
    """
    refuse_adapter(source, "온전한 모델에서 시작합니다.", "This starts from a whole model.")
    place = resolve_default(source)
    kind = encoder_kind(place, source)
    config = AutoConfig.from_pretrained(place)
    model, report = load_weights(
        AutoModelForMaskedLM.from_pretrained, place, head="replaced", output_loading_info=True, config=config
    )
    check_vocabulary(tokenizer, model.config)
    model.config.tokenizer_sha256 = vocabulary_sha256(tokenizer)
    prefix = f"{model.base_model_prefix}."
    is_new = any(not name.startswith(prefix) for name in report["missing_keys"])
    return MaskedModel(model, _pooler_of(place, prefix) if kind == "bert" else {}, is_new)


def masked_cross_entropy(model: PreTrainedModel, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the sum of -log p of the hidden tokens of a batch, and how many there are.

    The head sees the hidden tokens alone, a seventh of all: at this size it takes longer than the encoder.

    Args:
        model: The encoder with the head.
        batch: The model's inputs, and `labels`, -100 where nothing is hidden.
    """
    labels = batch["labels"]
    inputs = {name: column for name, column in batch.items() if name != "labels"}
    states = model.base_model(**inputs).last_hidden_state
    hidden = labels != -100
    logits = _head(model, states[hidden])
    return nn.functional.cross_entropy(logits.float(), labels[hidden], reduction="sum"), hidden.sum()


def save_masked(masked: MaskedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Writes encoder, head, pooler and tokenizer to a folder, for `fill-mask` and as `model` of a run."""
    model = masked.model
    weights = {**model.state_dict(), **masked.pooler}
    model.save_pretrained(folder, state_dict=weights)
    tokenizer.save_pretrained(folder)


def _head(model: Any, states: Tensor) -> Tensor:
    """Returns the logits of tokens, shape (tokens, vocabulary)."""
    if hasattr(model, "generator_lm_head"):
        found = model.generator_lm_head(model.generator_predictions(states))
    else:
        found = (model.lm_head if hasattr(model, "lm_head") else model.cls)(states)
    logits: Tensor = found
    return logits


def _pooler_of(place: str, prefix: str) -> dict[str, Tensor]:
    """Returns the weights of a source's pooler, where it has one."""
    with torch.random.fork_rng(devices=[]):
        encoder, report = AutoModel.from_pretrained(place, dtype=torch.float32, output_loading_info=True)
    weights = {name: tensor for name, tensor in encoder.state_dict().items() if name.startswith("pooler.")}
    missing = {name for name in report["missing_keys"] if "pooler." in name}
    return {} if missing else {f"{prefix}{name}": tensor.clone() for name, tensor in weights.items()}
