"""Models as processes of a cluster load them, and how they tell that all have the same one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import torch

from ..assets import DEFAULT_MODEL_NAME
from ..errors import CheckpointError
from ..export import OnnxClassifier, is_export
from ..inference.classifier import Classifier, weights_sha256
from ..inference.ensemble import EmotionEnsemble
from ..inference.loading import load_checkpoint
from ..inference.logits_model import LogitsModel
from ..tokenization.vocabulary import vocabulary_sha256
from .job import ModelIdentity, ModelSource


def find_source(
    place: str,
    tokenizer: str | None = None,
    num_attention_heads: int | None = None,
    opened: LogitsModel | None = None,
) -> ModelSource:
    """Looks at a model, which is loaded for that unless it is there already.

    Args:
        place: As for `load_checkpoint`, or an exported folder.
        tokenizer: As for `load_checkpoint`.
        num_attention_heads: As for `load_checkpoint`.
        opened: The model, where it is loaded.

    Raises:
        CheckpointError: As for `load_checkpoint`.
    """
    place, tokenizer = _absolute(place), None if tokenizer is None else _absolute(tokenizer)
    model = _load(place, tokenizer, num_attention_heads) if opened is None else opened
    return ModelSource(place, tokenizer, num_attention_heads, identity_of(model))


def load_source(source: ModelSource, threads: int) -> LogitsModel:
    """Loads a model, onto the GPU where this process has one.

    Args:
        source: The model.
        threads: Threads to compute with.

    Raises:
        CheckpointError: There is another model at that place, or none.
    """
    torch.set_num_threads(threads)
    model = _load(source.place, source.tokenizer, source.num_attention_heads, threads)
    if identity_of(model) != source.identity:
        raise CheckpointError(
            f"{source.place}: 시작할 때의 모델이 아닙니다(가중치, 어휘나 설정이 다릅니다). 모든 컴퓨터에 같은 모델을 "
            "두세요.",
            f"{source.place}: this is not the model that was started with (other weights, vocabulary or settings). "
            "All machines need the same model.",
        )
    return model


def identity_of(model: LogitsModel) -> ModelIdentity:
    """Returns what tells whether a model is another one."""
    labels = tuple(model.labels)
    if model.task.name != "single-label":
        raise CheckpointError(
            f"Ray로는 행마다 레이블이 하나인 모델(`task` single-label)만 예측하는데 {model.task.name} 모델입니다. "
            "`engine`을 빼세요.",
            f"Ray predicts with models that choose one label, trained on rows with one label (`task` single-label), "
            f"and this is one of {model.task.name}: leave `engine` out.",
            mend={"engine": None},
        )
    if isinstance(model, EmotionEnsemble):
        members = [identity_of(member) for member in model.members]
        weights = _joined(one.weights_sha256 for one in members)
        vocabularies = _joined(one.tokenizer_sha256 for one in members)
        return ModelIdentity(labels, weights, vocabularies, tuple(word for one in members for word in one.settings))
    if isinstance(model, Classifier):
        weights, temperature = weights_sha256(model.model), model.temperature
    else:
        assert isinstance(model, OnnxClassifier), type(model)
        weights, temperature = _joined(sorted(model.manifest.files.values())), model.manifest.temperature
    tokenizer = model.tokenizer
    settings = (temperature, tokenizer.model_max_length, getattr(tokenizer, "word_split", None))
    return ModelIdentity(labels, weights, vocabulary_sha256(tokenizer), tuple(map(str, settings)))


def _joined(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _load(place: str, tokenizer: str | None, heads: int | None, threads: int | None = None) -> LogitsModel:
    if is_export(place):
        return OnnxClassifier.from_pretrained(place, threads)
    model = load_checkpoint(place, tokenizer, heads)
    model.to_accelerator()
    return model


def _absolute(place: str) -> str:
    """Returns the full name of what lies on this machine, and anything else as it is."""
    there = os.path.expanduser(place)
    return os.path.abspath(there) if place != DEFAULT_MODEL_NAME and os.path.exists(there) else place
