"""Classifiers as a run starts, saves and identifies them: KoBERT's, and those of other encoders."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import CONFIG_NAME

from ..assets import resolve_default
from ..configuration import (
    EmotionConfig,
    context_turns,
    label_names,
    softmax_temperature,
)
from ..errors import CheckpointError, KoBERTEmotionError
from ..explanation.subject import Subject
from ..hub.adapters import base_of, is_adapter, refuse_adapter
from ..hub.from_pretrained import load_weights, unloadable
from ..metrics.probabilities import Logits
from ..modeling.classifier import EmotionClassifier
from ..modeling.explaining import subject_of
from ..modeling.long_texts import Reader
from ..modeling.prediction import predict_logits, row_limit, use_accelerator
from ..tasks.calibration import as_trained, calibrated
from ..tasks.choice import task_of
from ..tasks.task import Task
from ..tokenization.guard import check_vocabulary
from ..tokenization.loading import load_tokenizer
from ..tokenization.model_files import fit_length
from ..tokenization.vocabulary import vocabulary_sha256
from ..utils.files import atomic_write
from .adapters import has_adapters, merge_adapters, save_adapters
from .logits_model import LogitsModel, Question

ADAPTED = "adapted_encoder_sha256"
"""In the configuration beside adapters: `encoder_sha256` of the model that they were trained on."""
ENCODERS = ("bert", "electra", "roberta")
"""Types of models whose head has one dropout, `classifier_dropout`, as the notebook's has."""


@dataclass(frozen=True)
class Classifier(LogitsModel):
    """A model and the tokenizer that belongs to it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return label_names(self.model.config)

    @property
    def config(self) -> PreTrainedConfig:
        """The model's configuration."""
        return self.model.config

    @property
    def context_turns(self) -> int:
        """How many turns before a line it was trained with."""
        return context_turns(self.config)

    @property
    def task(self) -> Task:
        """How its logits become answers, with the thresholds of the configuration."""
        return task_of(self.config)

    @property
    def temperature(self) -> float:
        """What `predict_logits` divides the model's own logits by."""
        return softmax_temperature(self.config)

    def to_accelerator(self) -> None:
        """Moves the model to the GPU where there is one."""
        use_accelerator(self.model)

    def answer(self, question: Question) -> NDArray[np.float32]:
        """Returns the model's logits, calibrated; see `tasks.calibration.calibrated`."""
        logits = predict_logits(
            self.model, self.tokenizer, question.texts, question.pairs, question.batch_size, unknown=question.unknown
        )
        return calibrated(logits, self.config)

    def as_trained(self, logits: Logits) -> NDArray[np.float32]:
        """Returns what `predict_logits` gave as the model itself gives it."""
        return as_trained(logits, self.config)

    def reader(self) -> Reader:
        """Returns the tokenizer, and how many tokens of a text the model reads."""
        return Reader(self.tokenizer, self.config, row_limit(self.tokenizer, self.config))

    def subject(self) -> Subject:
        """Returns the classifier as explanations see it."""
        return subject_of(self.model, self.tokenizer)


def load_classifier(source: str | os.PathLike[str], base: str | os.PathLike[str] | None = None) -> Classifier:
    """Loads a classifier with its tokenizer. Adapters (LoRA) are merged into the weights they were trained on.

    Args:
        source: "default", a Hub id or a folder.
        base: Of adapters: where the model is that they were trained on, if not where they say.

    Raises:
        CheckpointError: There is no model at `source`, or one of another architecture.
        TokenizerError: There is no tokenizer, or it does not belong to the model.
    """
    model = _load_adapted(source, base) if is_adapter(source) else load_model(source, head="needed")
    tokenizer = model.tokenizer if isinstance(model, EmotionClassifier) else load_tokenizer(source)
    classifier = Classifier(model, attach_tokenizer(model, tokenizer))
    _ = classifier.labels, classifier.task  # what contradicts itself is an error now, not after the first prediction
    return classifier


def start_model(
    source: str | os.PathLike[str],
    labels: Sequence[str],
    dropout: float,
    tokenizer: PreTrainedTokenizerBase,
    task: Task | None = None,
    context: int = 0,
) -> PreTrainedModel:
    """Builds a classifier from a pre-trained encoder and a new head.

    The head is new even where the source has one, so that a run depends on the encoder alone. Seed torch
    before calling.

    Args:
        source: "default", a Hub id or a folder with a BERT, ELECTRA or RoBERTa encoder.
        labels: Label names in the order of their ids.
        dropout: Dropout in the head.
        tokenizer: The tokenizer to go with the model.
        task: Whether a text gets one label, as by default, or several.
        context: How many turns before a line the model is to be trained with.

    Raises:
        CheckpointError: There is no model at `source`, or one of another architecture.
        TokenizerError: The tokenizer does not belong to the model.
    """
    refuse_adapter(source, "학습은 온전한 모델에서 시작합니다.", "A training starts from a whole model.")
    model: Any = load_model(
        source,
        tokenizer=tokenizer,
        head="replaced",
        id2label=dict(enumerate(labels)),
        label2id={name: index for index, name in enumerate(labels)},
        classifier_dropout=dropout,
    )
    for module in model.classifier.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=model.config.initializer_range)
            nn.init.zeros_(module.bias)
            last = module
    if task is not None:
        nn.init.constant_(last.bias, task.start_bias)
    model.config.softmax_temperature = 1.0  # the source's belongs to its head
    model.config.problem_type = None if task is None else task.problem_type
    # Likewise.
    answering: dict[str, Any] = {"label_thresholds": None, "thresholds_from": None, "allow_empty": False}
    answering["label_calibration"] = None
    answering |= {"label_hierarchy": None, "soft_labels": False, "context_turns": context}
    for name, value in (answering | ({} if task is None else task.settings())).items():
        if value or hasattr(model.config, name):
            setattr(model.config, name, value)
    attach_tokenizer(model, tokenizer)
    started: PreTrainedModel = model
    return started


def load_model(
    source: str | os.PathLike[str], tokenizer: PreTrainedTokenizerBase | None = None, **settings: Any
) -> PreTrainedModel:
    """Loads a sequence classifier: `EmotionClassifier` for BERT, transformers' own class for ELECTRA and RoBERTa.

    Args:
        source: "default", a Hub id or a folder.
        tokenizer: For `EmotionClassifier`; by default the one beside the weights.
        **settings: As for `from_pretrained`; `head` as for `load_weights`.

    Raises:
        CheckpointError: There is no model at `source`, one of another architecture, or weights that are not all of
            the model's.
    """
    place = resolve_default(source)
    kind = encoder_kind(place, source)
    if kind == EmotionConfig.model_type:
        return EmotionClassifier.from_pretrained(place, tokenizer=tokenizer, **settings)
    model: PreTrainedModel = load_weights(AutoModelForSequenceClassification.from_pretrained, place, **settings)
    return model


def _load_adapted(folder: str | os.PathLike[str], base: str | os.PathLike[str] | None) -> PreTrainedModel:
    """Loads the model that adapters were trained on, with their folder's configuration, and merges them.

    Raises:
        CheckpointError: The model is not there, or is another one than it was.
        TokenizerError: There is no tokenizer in the folder, or it is not the model's.
    """
    place = base_of(folder) if base is None else os.fspath(base)
    tokenizer = load_tokenizer(folder)
    kind = kind_of(os.fspath(folder))
    reader: Any = EmotionConfig if kind == EmotionConfig.model_type else AutoConfig
    config = reader.from_pretrained(folder)
    try:
        model = load_model(place, tokenizer=tokenizer, head="replaced", config=config)
    except KoBERTEmotionError as error:
        raise CheckpointError(
            f"{folder}: 어댑터를 학습한 모델을 열 수 없습니다. 옮겼다면 merge --base로 주세요. {error.korean}",
            f"{folder}: cannot open the model the adapters were trained on; where it was moved, give it to "
            f"merge --base. {error.english}",
            error.try_this,
            mend=None if base is None else {"base": None},
        ) from error
    expected, found = getattr(config, ADAPTED, None), encoder_sha256(model)
    if expected is not None and found != expected:
        raise CheckpointError(
            f"{folder}: 어댑터를 학습한 모델이 {place}의 것과 다릅니다(기대한 가중치 sha256 {expected[:12]}…, 실제 "
            f"{found[:12]}…). 그때의 모델을 merge --base로 주세요.",
            f"{folder}: the adapters were trained on other weights than those of {place} (expected sha256 "
            f"{expected[:12]}…, found {found[:12]}…). Give the model of then to merge --base.",
            mend=None if base is None else {"base": None},
        )
    merged = merge_adapters(model, folder)
    setattr(merged.config, ADAPTED, None)
    return merged


def encoder_kind(place: str, source: str | os.PathLike[str]) -> str:
    """Returns which of `ENCODERS` the model in a folder or a repository is.

    Raises:
        CheckpointError: There is no model, or one of another architecture; `source` is what is named.
    """
    kind = kind_of(place)
    if kind not in ENCODERS:
        raise CheckpointError(
            f"{source}은(는) {kind!r} 모델입니다. 쓸 수 있는 모델: {', '.join(ENCODERS)}",
            f"{source} is a {kind!r} model; expected one of {', '.join(ENCODERS)}.",
        )
    return kind


def kind_of(place: str) -> str:
    """Returns the type of the model in a folder or a repository."""
    try:
        kind: str = AutoConfig.from_pretrained(place).model_type
    except (OSError, ValueError, StrictDataclassError) as error:
        raise unloadable(place, error) from error
    return kind


def attach_tokenizer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Checks that a tokenizer fits a model and records in the model's configuration which it is.

    Returns:
        The tokenizer, or a copy that cuts texts to what the model has positions for.

    Raises:
        TokenizerError: It does not fit.
    """
    if isinstance(model, EmotionClassifier):
        model.tokenizer = tokenizer
        return model.tokenizer
    if getattr(model.config, "type_vocab_size", 2) < 2:  # klue/roberta: its tokenizer would number the sentences
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    check_vocabulary(tokenizer, model.config)
    model.config.tokenizer_sha256 = vocabulary_sha256(tokenizer)
    return fit_length(tokenizer, model.config)


def save_classifier(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Writes the files of a model, or of its adapters, and of its tokenizer to a folder."""
    tokenizer = attach_tokenizer(model, tokenizer)
    if has_adapters(model):
        save_adapters(model, folder)
        model.config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return
    model.save_pretrained(folder)
    if not isinstance(model, EmotionClassifier):  # which saves its tokenizer itself
        tokenizer.save_pretrained(folder)


def store_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Records in the `config.json` of a classifier's folder how its logits become answers."""
    path = folder / CONFIG_NAME
    config = json.loads(path.read_text(encoding="utf-8")) | dict(settings)
    with atomic_write(path, "w") as handle:
        json.dump(config, handle, ensure_ascii=False, indent=2, sort_keys=True)
        handle.write("\n")


def encoder_sha256(model: PreTrainedModel) -> str:
    """Returns a SHA-256 over a classifier's encoder but for the pooler, which may be new."""
    return weights_sha256(model.base_model, without="pooler.")


def weights_sha256(model: nn.Module, without: str | None = None) -> str:
    """Returns a SHA-256 over the names and the bytes of all parameters and buffers of a model.

    Args:
        model: The model.
        without: The beginning of names that are left out.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if without is not None and name.startswith(without):
            continue
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:

    return bytes(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
