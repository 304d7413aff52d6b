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
from ..tasks.calibration import label_scales
from ..tasks.task import Task
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
    labels, task = tuple(model.labels), model.task
    if isinstance(model, EmotionEnsemble):
        members = [identity_of(member) for member in model.members]
        weights = _joined(one.weights_sha256 for one in members)
        vocabularies = _joined(one.tokenizer_sha256 for one in members)
        words = tuple(word for one in members for word in one.settings)
        return ModelIdentity(labels, weights, vocabularies, words, task.name, task.allow_empty, _hierarchy(task))
    if isinstance(model, Classifier):
        weights, temperature = weights_sha256(model.model), model.temperature
        scales = label_scales(model.config)
    else:
        assert isinstance(model, OnnxClassifier), type(model)
        weights, temperature = _joined(sorted(model.manifest.files.values())), model.manifest.temperature
        scales = None  # they are in a file, which has a sum
    tokenizer = model.tokenizer
    settings = [temperature, tokenizer.model_max_length, getattr(tokenizer, "word_split", None)]
    if task.name == "multi-label":
        settings += [None if scales is None else scales.pairs, task.settings()]
    words = tuple(map(str, settings))
    about = (task.name, task.allow_empty, _hierarchy(task))
    return ModelIdentity(labels, weights, vocabulary_sha256(tokenizer), words, *about)


def _hierarchy(task: Task) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Returns the fine labels under each coarse one; None where labels have one level."""
    if task.levels is None:
        return None
    return tuple((name, tuple(fine)) for name, fine in task.levels.hierarchy.to_dict(task.levels.fine).items())


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
