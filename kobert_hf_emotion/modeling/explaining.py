"""A torch model as explanations see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from ..configuration import label_names, longest_input, refuse_multi_label, softmax_temperature
from ..explanation.integrated_gradients import Member
from ..explanation.subject import Subject
from ..tokenization.guard import UnknownTexts
from .prediction import predict_logits


def subject_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Subject:
    """Returns a classifier as explanations see it, at its temperature, read up to the length it predicts with."""
    refuse_explaining(model.config)
    temperature = softmax_temperature(model.config)

    def logits_of(texts: list[str]) -> NDArray[np.float32]:
        # What is left of a text without its only readable word is no text to warn of.
        return predict_logits(model, tokenizer, texts, unknown=UnknownTexts()) / np.float32(temperature)

    max_length = min(tokenizer.model_max_length, longest_input(model.config))
    return Subject(logits_of, tokenizer, max_length, label_names(model.config), [Member(model, temperature)])


def refuse_explaining(config: PreTrainedConfig) -> None:
    """Raises `KoBERTEmotionError` for a multi-label model, whose labels do not compete."""
    refuse_multi_label(
        config,
        "낱말의 몫은 레이블 하나를 고르는 모델에서만 셉니다. 레이블마다의 확률은 predict가 줍니다.",
        "What words contribute is computed for models that choose one label. The probability of each label is what "
        "predict gives.",
    )
