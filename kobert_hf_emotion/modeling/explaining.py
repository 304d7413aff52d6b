"""A torch model as explanations see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..configuration import label_names, longest_input, softmax_temperature
from ..explanation.integrated_gradients import Member
from ..explanation.subject import Subject
from ..tasks.choice import task_of
from ..tokenization.guard import UnknownTexts
from .prediction import predict_logits


def subject_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Subject:
    """Returns a classifier as explanations see it, at its temperature, read up to the length it predicts with."""
    temperature = softmax_temperature(model.config)

    def logits_of(texts: list[str]) -> NDArray[np.float32]:
        # What is left of a text without its only readable word is no text to warn of.
        return predict_logits(model, tokenizer, texts, unknown=UnknownTexts()) / np.float32(temperature)

    max_length = min(tokenizer.model_max_length, longest_input(model.config))
    labels, members = label_names(model.config), [Member(model, temperature)]
    return Subject(logits_of, tokenizer, max_length, labels, members, task_of(model.config))
