"""Whatever texts can be put to: one model, the mean of several, or an exported graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.input_checks import as_pairs, as_texts, refuse_files
from ..errors import KoBERTEmotionError
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..modeling.long_texts import LongAnswer, Reader, answer_long, as_long, refuse_long_pairs
from ..tasks.task import Prediction, Task
from ..tokenization.guard import UnknownTexts
from ..tokenization.long_texts import LongMode, LongTexts
from ..utils.argument_checks import check_count

if TYPE_CHECKING:
    from ..explanation.subject import Subject
    from ..explanation.words import Explanation, Method


@dataclass(frozen=True)
class Question:
    """Texts whose logits are asked for.

    Attributes:
        texts: Sentences.
        pairs: As many second sentences, for a model of sentence pairs.
        batch_size: Texts a forward pass.
        unknown: What the texts that cannot be read are counted in; None logs their number.
    """

    texts: list[str]
    pairs: list[str] | None
    batch_size: int
    unknown: UnknownTexts | None


class LogitsModel(ABC):
    """Answers with logits, with labelled predictions, and with what the words contribute to them."""

    @property
    @abstractmethod
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""

    @property
    @abstractmethod
    def task(self) -> Task:
        """How its logits become answers."""

    @property
    def context_turns(self) -> int:
        """How many turns before a line it was trained with, which are then its second texts; 0 for none."""
        return 0

    @abstractmethod
    def answer(self, question: Question) -> NDArray[np.float32]:
        """Returns what `predict_logits` does."""

    def reader(self) -> Reader:
        """Returns what it reads texts with.

        Raises:
            KoBERTEmotionError: It does not tell.
        """
        raise KoBERTEmotionError(
            f"{type(self).__name__}은(는) 긴 글을 나누어 읽지 못합니다. `long`을 빼세요.",
            f"A {type(self).__name__} does not read long texts in pieces: leave `long` out.",
            mend={"long": None},
        )

    @abstractmethod
    def subject(self) -> Subject:
        """Returns itself as explanations see it."""

    def predict_logits(
        self,
        texts: Iterable[str],
        text_pairs: Iterable[str] | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        unknown: UnknownTexts | None = None,
        long: LongTexts | None = None,
    ) -> NDArray[np.float32]:
        """Computes the logits whose softmax (of a multi-label model: sigmoid) are the probabilities predicted.

        They are divided by the temperature.

        Args:
            texts: Sentences.
            text_pairs: Second sentences, for a model of sentence pairs; of a model trained with the turns before a
                line these turns, the oldest first, or the empty string.
            batch_size: Texts a forward pass; those of similar length go together.
            unknown: What the texts that cannot be read are counted in; None logs their number.
            long: How texts longer than the model reads are answered; None cuts them.

        Returns:
            Shape (texts, classes), in the order of `texts`.

        Raises:
            DataError: An element is no string.
            TokenizerError: The tokenizer does not read Korean, or is another model's.
        """
        if long is not None:
            return self.answer_long(texts, long, text_pairs, batch_size, unknown).logits
        firsts, seconds = as_pairs(texts, text_pairs)
        check_count("batch_size", batch_size)
        return self.answer(Question(firsts, seconds, batch_size, unknown))

    def answer_long(
        self,
        texts: Iterable[str],
        long: LongTexts | LongMode,
        text_pairs: Iterable[str] | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        unknown: UnknownTexts | None = None,
    ) -> LongAnswer:
        """Computes the logits of texts of any length and of their pieces; see `modeling.long_texts.answer_long`.

        Raises:
            DataError: An element is no string, or texts are pairs of which the second is no turns before a line.
            KoBERTEmotionError: The stride leaves a window no room.
        """
        firsts, seconds = as_pairs(texts, text_pairs)
        check_count("batch_size", batch_size)
        refuse_long_pairs(seconds, self.context_turns)

        def ask(these: list[str], pairs: list[str] | None, counted: UnknownTexts | None) -> NDArray[np.float32]:
            return self.answer(Question(these, pairs, batch_size, counted))

        return answer_long(ask, self.reader(), self.task, firsts, seconds, as_long(long), unknown)

    def predict(
        self,
        texts: Iterable[str],
        batch_size: int = DEFAULT_BATCH_SIZE,
        text_pairs: Iterable[str] | None = None,
        long: LongTexts | LongMode | None = None,
    ) -> list[Prediction]:
        """Predicts the emotion of texts; arguments and errors are those of `predict_logits`.

        Returns:
            For each text `{"label", "score", "probabilities"}`, the score from 0 to 1 and the probabilities in percent,
            of a multi-label model also `labels`; see `Prediction`. With `long` also `parts`: the same of each window or
            sentence, with its `start` and `end`.
        """
        texts = as_texts(texts)
        refuse_files(texts)
        if long is not None:
            return [*self.answer_long(texts, long, text_pairs, batch_size).predictions(self.task, self.labels)]
        return self.task.predictions(self.predict_logits(texts, text_pairs, batch_size), self.labels)

    def explain(
        self, texts: Iterable[str], method: Method = "leave_one_out", label: str | None = None
    ) -> list[Explanation]:
        """Explains predictions by the words of the texts; see `EmotionClassifier.explain`."""
        return self.subject().explain(texts, method, label)

    def logits_of(self, texts: list[str]) -> NDArray[np.float32]:
        """Returns the logits of texts of which some are what is left of one: nothing is said of unknown words."""
        return self.predict_logits(texts, unknown=UnknownTexts())
