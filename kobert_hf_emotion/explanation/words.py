"""An explanation: the words of a text, each with what it contributes to the scores of labels."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..configuration import MULTI_LABEL
from ..data.label_parsing import LabelParser
from ..errors import KoBERTEmotionError
from ..tasks.task import Task
from ..tokenization.alignment import Span, token_spans, word_spans

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Method: TypeAlias = Literal["leave_one_out", "integrated_gradients"]


@dataclass(frozen=True)
class Piece:
    """A token of the tokenizer's, inside a word."""

    token: str
    span: Span
    contributions: dict[str, float]
    """For each label that was explained."""


@dataclass(frozen=True)
class Word:
    """What stands between white space, an eojeol."""

    text: str
    span: Span
    """Its first character in the text, and the one after its last."""
    contributions: dict[str, float]
    """For each label that was explained: positive where the word speaks for the label, in units of logits."""
    pieces: list[Piece] = field(default_factory=list)
    """The tokens in it, where the method sees tokens."""


@dataclass(frozen=True)
class Explanation:
    """What the words of a text contribute to what a model says of it.

    A contribution is a part of the label's logit (at the model's temperature) less the mean of all labels' logits: what
    decides between them. Over all labels, the contributions of a word add up to 0. Of a multi-label model it is a part
    of the label's own logit, its log odds, for there every label is decided by itself.
    """

    text: str
    label: str
    """The label the model predicts."""
    score: float
    """Its probability, 0 to 1."""
    probabilities: dict[str, float]
    """The probability of every label, 0 to 1."""
    method: Method
    words: list[Word]
    """Those the model reads; see `unread`."""
    unread: str = ""
    """The end of the text that is beyond the model's length, and contributes nothing."""
    deltas: dict[str, float] = field(default_factory=dict)
    """Integrated gradients: how far, for each label explained, the contributions are from adding up to the difference
    between the text and the empty text; the smaller, the better the integral is approximated."""
    labels: list[str] | None = None
    """Of a multi-label model: the labels given, the most probable first."""

    def contributions(self, label: str | None = None) -> NDArray[np.float64]:
        """Returns the contribution of each word to a label, by default the predicted one; shape (words,).

        Raises:
            KoBERTEmotionError: The label is none of those explained.
        """
        label = self.label if label is None else label
        if self.words and label not in self.words[0].contributions:
            check_label(label, list(self.words[0].contributions))
        return np.array([word.contributions[label] for word in self.words], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Returns the explanation in plain types, as JSON has them."""
        from dataclasses import asdict

        return asdict(self)


@dataclass(frozen=True)
class ReadText:
    """What a model reads of a text."""

    text: str
    """Cut where the model stops reading."""
    unread: str
    words: list[Span]
    ids: list[int]
    """Without special tokens."""
    spans: list[Span]
    """Of the ids."""

    def words_of_tokens(self) -> list[int]:
        """Returns the number of the word that each token belongs to.

        A token without characters of its own, such as the mark of a word's beginning, belongs to the word behind it.
        """
        ends = [end for _, end in self.words]
        return [min(bisect_right(ends, start), len(ends) - 1) for start, _ in self.spans]


def read_text(tokenizer: PreTrainedTokenizerBase, text: str, max_length: int) -> ReadText:
    """Finds words and tokens of a text, up to where a model of `max_length` tokens stops reading.

    Raises:
        TokenizerError: The tokenizer tells nothing of positions.
    """
    ids, spans = token_spans(tokenizer, text)
    room = max(max_length - 2, 0)  # [CLS] and [SEP]
    end = spans[room - 1][1] if 0 < room < len(ids) else len(text)
    words = [(first, min(last, end)) for first, last in word_spans(text) if first < end]
    return ReadText(text[:end], text[end:], words, ids[:room], spans[:room])


def decisive(logits: NDArray[np.floating], task: Task) -> NDArray[np.float64]:
    """Returns what the labels are decided by.

    Logits less the mean of their row where one label is chosen: differences between labels are all that a softmax sees.
    The logits themselves where each label is decided by itself.
    """
    exact = logits.astype(np.float64)
    if task.problem_type == MULTI_LABEL:
        return exact
    shifted: NDArray[np.float64] = exact - exact.mean(axis=-1, keepdims=True)
    return shifted


def explanation_of(
    read: ReadText,
    logits: NDArray[np.floating],
    labels: Sequence[str],
    method: Method,
    words: list[Word],
    task: Task,
    deltas: dict[str, float] | None = None,
) -> Explanation:
    """Puts an explanation together.

    Args:
        read: The text.
        logits: The model's, shape (classes,).
        labels: Label names in their order.
        method: How the contributions were computed.
        words: One for each of `read`'s.
        task: How logits become answers.
        deltas: See `Explanation`.
    """
    probabilities = task.probabilities(logits[None])[0]
    best = int(probabilities.argmax())
    return Explanation(
        text=read.text + read.unread,
        label=labels[best],
        score=float(probabilities[best]),
        probabilities=dict(zip(labels, probabilities.tolist(), strict=True)),
        method=method,
        words=words,
        unread=read.unread,
        deltas=deltas or {},
        labels=task.predictions(logits[None], labels)[0].get("labels"),
    )


def check_label(label: str, labels: Sequence[str]) -> None:
    """Raises `KoBERTEmotionError` where `label` is none of `labels`."""
    if label not in labels:
        parser = LabelParser(tuple(labels))
        meant = parser.parse(label).id
        if meant is None:
            meant = parser.nearest(label)
        guess = ("", "") if meant is None else (f" 혹시 {labels[meant]}인가요?", f" Did you mean {labels[meant]}?")
        raise KoBERTEmotionError(
            f"`label`은(는) {', '.join(labels)} 가운데 하나여야 하는데 {label!r}입니다.{guess[0]}",
            f"Expected one of {', '.join(labels)} as `label`, found {label!r}.{guess[1]}",
            mend={"label": labels[meant or 0]},
        )


def check_method(method: str, possible: Sequence[Method] = get_args(Method)) -> None:
    """Raises `KoBERTEmotionError` where `method` is none of the possible ones."""
    if method not in possible:
        raise KoBERTEmotionError(
            f"이 모델을 설명하는 `method`는 {', '.join(possible)}인데 {method!r}입니다.",
            f"Expected {' or '.join(possible)} as `method` for this model, found {method!r}.",
            mend={"method": possible[0]},
        )
