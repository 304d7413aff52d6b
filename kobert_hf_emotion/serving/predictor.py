"""A model that answers batches of texts one by one: what fails, or cannot be read, is told of each text alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..errors import KoBERTEmotionError
from ..inference.ensemble import EmotionEnsemble
from ..metrics.probabilities import check_logits
from ..modeling.long_texts import LongPrediction, Part, pool_logits
from ..tasks.multi_label import MultiLabel
from ..tasks.task import Prediction
from ..tokenization.guard import PROBES, UnknownTexts, check_predicted
from ..tokenization.long_texts import LongTexts
from ..tokenization.windows import Divider, Pieces

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
    logits: NDArray[np.float32]
    """What the probabilities are those of, shape (classes,)."""

    @property
    def shown(self) -> str:
        """The label, or the labels, as a log shows them."""
        return ", ".join(self.prediction.get("labels", [self.prediction["label"]]))


@dataclass(frozen=True)
class Failure:
    """Why there is no answer for one text."""

    message: str


@dataclass(frozen=True)
class Line:
    """A line of a conversation with what was said before it."""

    text: str
    before: str
    """The turns before it, the oldest first."""

    def __len__(self) -> int:
        return len(self.text) + len(self.before)


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
        self.context_turns: int = getattr(first, "context_turns", 0)
        self._tokenizer: PreTrainedTokenizerBase | None = getattr(first, "tokenizer", None)

    def choosing(self) -> dict[str, Any]:
        """Returns the fields of `schemas.Labels` that say how a multi-label model chooses; none of another."""
        task = self._model.task
        if not isinstance(task, MultiLabel):
            return {}
        fitted_on = None if task.thresholds is None else task.source
        thresholds = task.thresholds_for(len(self.labels)).tolist()
        return {"thresholds": thresholds, "thresholds_from": fitted_on, "allow_empty": task.allow_empty}

    def warm_up(self) -> None:
        """Predicts plain Korean sentences, on which the tokenizer is judged once and for all.

        Raises:
            KoBERTEmotionError: The tokenizer does not read them, or the model's logits have no probabilities.
        """
        check_logits(self._model.predict_logits(PROBES, None, TEXTS_A_PASS, UnknownTexts()))
        self._counted.texts = max(self._counted.texts, len(PROBES))  # so that texts no one can read are not held
        # against the tokenizer: they are counted, and the server goes on

    def __call__(self, texts: Sequence[str | Line]) -> list[Answer | Failure]:
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

    def _predict(self, lines: Sequence[str | Line]) -> list[Answer]:
        before = self._counted.unknown
        texts = [line.text if isinstance(line, Line) else line for line in lines]
        turns = [line.before if isinstance(line, Line) else "" for line in lines] if self.context_turns else None
        logits = self._model.predict_logits(texts, turns, _texts_a_pass(len(texts)), self._counted)
        check_logits(logits)
        found = self._counted.unknown - before
        unknown = self._unknown(texts) if 0 < found < len(texts) else [found > 0] * len(texts)
        task = self._model.task
        scores = task.probabilities(logits).tolist()
        rows = zip(task.predictions(logits, self.labels), scores, unknown, logits, strict=True)
        return [Answer(*row) for row in rows]

    def divide(self, texts: Sequence[str], long: LongTexts) -> list[Pieces]:
        """Returns the pieces in which texts are answered.

        Raises:
            KoBERTEmotionError: The stride leaves a window no room, or the model does not tell what it reads with.
        """
        reader = self._model.reader()
        return Divider(reader.tokenizer, reader.limit, long).divide(texts)

    def pooled(self, pieces: Pieces, answers: Sequence[Answer], long: LongTexts) -> Answer:
        """Returns the answer for a text whose pieces were answered; of one that fits the first answer is its own."""
        task, labels = self._model.task, self.labels
        parts = list(answers[1:] if pieces.fits else answers) or list(answers)
        if pieces.fits:
            whole = answers[0]
        else:
            logits = pool_logits(task, np.stack([part.logits for part in parts]), long.pool)[None]
            [prediction], [scores] = task.predictions(logits, labels), task.probabilities(logits).tolist()
            whole = Answer(prediction, scores, all(part.unknown for part in parts), logits[0])
        listed: list[Part] = [
            {"start": start, "end": end, **part.prediction}
            for (start, end), part in zip(pieces.spans, parts, strict=True)
        ]
        prediction_with_parts: LongPrediction = {**whole.prediction, "parts": listed}
        return replace(whole, prediction=prediction_with_parts)

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
