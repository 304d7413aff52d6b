"""A torch model as explanations see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..configuration import label_names, longest_input, softmax_temperature
from ..explanation.integrated_gradients import Member
from ..explanation.subject import Subject
from ..tasks.calibration import calibrated, label_scales
from ..tasks.choice import task_of
from ..tokenization.guard import UnknownTexts
from .prediction import predict_logits


def subject_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Subject:
    """Returns a classifier as explanations see it, calibrated, read up to the length it predicts with."""
    config = model.config

    def logits_of(texts: list[str]) -> NDArray[np.float32]:
        # What is left of a text without its only readable word is no text to warn of.
        return calibrated(predict_logits(model, tokenizer, texts, unknown=UnknownTexts()), config)

    max_length = min(tokenizer.model_max_length, longest_input(model.config))
    members = [Member(model, softmax_temperature(config), label_scales(config))]
    return Subject(logits_of, tokenizer, max_length, label_names(config), members, task_of(config))
