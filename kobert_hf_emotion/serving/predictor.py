"""A model that answers batches of texts one by one: what fails, or cannot be read, is told of each text alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..errors import KoBERTEmotionError
from ..inference.ensemble import EmotionEnsemble
from ..metrics.probabilities import check_logits
from ..tasks.task import Prediction
from ..tokenization.guard import PROBES, UnknownTexts, check_predicted

if TYPE_CHECKING:
    from ..inference.logits_model import LogitsModel

logger = logging.getLogger(__name__)

TEXTS_A_PASS = 12
"""Most texts of a batch that go through the model at once, those of similar length together."""
FEWEST_A_PASS = 4
"""So many texts are not divided among the processor's cores."""


@dataclass(frozen=True)
class Answer:
    """What the model says of one text."""

    prediction: Prediction
    """As `EmotionClassifier.predict` gives it."""
    scores: list[float]
    """The probability of every label, 0 to 1, in the order of the labels."""
    unknown: bool
    """Whether the tokenizer could not read the text: its prediction says nothing."""

    @property
    def shown(self) -> str:
        """The label, or the labels, as a log shows them."""
        return ", ".join(self.prediction.get("labels", [self.prediction["label"]]))


@dataclass(frozen=True)
class Failure:
    """Why there is no answer for one text."""

    message: str


class Predictor:
    """Puts batches to a model.

    Args:
        model: What predicts.
    """

    def __init__(self, model: LogitsModel) -> None:
        self.labels = list(model.labels)
        self.has_several = model.task.name == "multi-label"
        self._model = model
        self._counted = UnknownTexts()
        first = model.members[0] if isinstance(model, EmotionEnsemble) else model
        self._tokenizer: PreTrainedTokenizerBase | None = getattr(first, "tokenizer", None)

    def warm_up(self) -> None:
        """Predicts plain Korean sentences, on which the tokenizer is judged once and for all.

        Raises:
            KoBERTEmotionError: The tokenizer does not read them, or the model's logits have no probabilities.
        """
        check_logits(self._model.predict_logits(PROBES, None, TEXTS_A_PASS, UnknownTexts()))
        self._counted.texts = max(self._counted.texts, len(PROBES))  # so that texts no one can read are not held
        # against the tokenizer: they are counted, and the server goes on

    def __call__(self, texts: Sequence[str]) -> list[Answer | Failure]:
        """Returns an answer for each text; one that fails does not take the others with it."""
        try:
            return list(self._predict(texts))
        except Exception as error:
            if len(texts) > 1:
                return [answer for text in texts for answer in self([text])]
            if isinstance(error, KoBERTEmotionError):
                logger.warning("%s", error)
                return [Failure(f"{error.korean} ({error.english})")]
            logger.exception("예측하지 못한 글이 있습니다 (a text could not be predicted)")
            return [Failure(f"예측하지 못했습니다 (could not be predicted): {type(error).__name__}")]

    def _predict(self, texts: Sequence[str]) -> list[Answer]:
        before = self._counted.unknown
        logits = self._model.predict_logits(texts, None, _texts_a_pass(len(texts)), self._counted)
        check_logits(logits)
        found = self._counted.unknown - before
        unknown = self._unknown(texts) if 0 < found < len(texts) else [found > 0] * len(texts)
        task = self._model.task
        rows = zip(task.predictions(logits, self.labels), task.probabilities(logits).tolist(), unknown, strict=True)
        return [Answer(*row) for row in rows]

    def _unknown(self, texts: Sequence[str]) -> list[bool]:
        """Tells of each text of a batch whether it is one of those that could not be read."""
        if self._tokenizer is None:
            return [False] * len(texts)
        config = PreTrainedConfig()
        config.vocab_size = len(self._tokenizer)
        found = []
        for text, row in zip(texts, self._tokenizer(list(texts), truncation=True)["input_ids"], strict=True):
            count = UnknownTexts(texts=1)  # the tokenizer has been judged
            check_predicted(self._tokenizer, config, [text], [row], count)
            found.append(count.unknown > 0)
        return found


def _texts_a_pass(texts: int) -> int:
    """Returns how many texts of a batch go through the model at once, so that every core has some."""
    return min(TEXTS_A_PASS, max(FEWEST_A_PASS, -(-texts // torch.get_num_threads())))
