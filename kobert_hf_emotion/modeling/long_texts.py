"""Answers for texts that are longer than a model reads: of their pieces, pooled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import NotRequired, TypedDict

from ..errors import DataError
from ..metrics.probabilities import Logits
from ..tasks.task import CoarsePrediction, Prediction, Task
from ..tokenization.guard import UnknownTexts, check_predicted
from ..tokenization.long_texts import LongMode, LongTexts, Pool
from ..tokenization.windows import Divider, Pieces
from ..wording import Wording

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

Ask: TypeAlias = Callable[[list[str], list[str] | None, UnknownTexts | None], NDArray[np.float32]]
"""Returns the logits of texts and, if any, their second texts; what cannot be read is counted."""


@dataclass(frozen=True)
class Reader:
    """What a model reads with: its tokenizer, its configuration, and the tokens of a row."""

    tokenizer: PreTrainedTokenizerBase
    config: PreTrainedConfig
    limit: int


class Part(TypedDict):
    """What the model says of a piece of a text."""

    start: int
    """Where it begins, in characters."""
    end: int
    """Where it ends."""
    label: str
    score: float
    probabilities: dict[str, float]
    labels: NotRequired[list[str]]
    coarse: NotRequired[CoarsePrediction]


class LongPrediction(Prediction):
    """What the model says of one text, and of its pieces."""

    parts: list[Part]


@dataclass
class LongCounts:
    """Texts and their pieces, over any number of calls.

    Attributes:
        limit: Tokens of a row.
        texts: Texts answered.
        long: Those longer than the limit.
        parts: The pieces of these.
    """

    limit: int = 0
    texts: int = 0
    long: int = 0
    parts: int = 0

    def add(self, more: LongCounts) -> None:
        """Adds those of other texts."""
        self.limit = more.limit
        self.texts += more.texts
        self.long += more.long
        self.parts += more.parts

    def message(self, long: LongTexts) -> Wording:
        """Returns what to say of them."""
        piece = ("창", "windows") if long.mode == "window" else ("문장", "sentences")
        return Wording(
            f"글 {self.texts:,}개 중 {self.limit}토큰보다 긴 {self.long:,}개를 {piece[0]} {self.parts:,}개로 나누어 "
            f"답하고 확률을 합쳤습니다(`pool` {long.pool}).",
            f"of {self.texts:,} text(s) {self.long:,} longer than {self.limit} tokens were answered in {self.parts:,} "
            f"{piece[1]}, and their probabilities pooled (`pool` {long.pool})",
        )


@dataclass(frozen=True)
class LongAnswer:
    """The logits of texts and of their pieces.

    Attributes:
        logits: Shape (texts, classes).
        pieces: Of each text.
        parts: The logits of the pieces of each text, shape (pieces, classes) each.
        counts: How many there were.
    """

    logits: NDArray[np.float32]
    pieces: list[Pieces]
    parts: list[NDArray[np.float32]]
    counts: LongCounts = field(default_factory=LongCounts)

    def predictions(self, task: Task, labels: Sequence[str]) -> list[LongPrediction]:
        """Returns what the model says of each text and of its pieces."""
        found = task.predictions(self.logits, labels)
        return [{**whole, "parts": list(self.parts_of(index, task, labels))} for index, whole in enumerate(found)]

    def cells(self, task: Task, labels: Sequence[str]) -> list[str]:
        """Returns the pieces of each text as a cell of a table: JSON with where they are, label and score."""
        return [
            json.dumps(
                [_without_probabilities(part) for part in self.parts_of(index, task, labels)], ensure_ascii=False
            )
            for index in range(len(self.pieces))
        ]

    def parts_of(self, index: int, task: Task, labels: Sequence[str]) -> Iterator[Part]:
        """Yields what the model says of the pieces of a text."""
        predictions = task.predictions(self.parts[index], labels)
        for (start, end), prediction in zip(self.pieces[index].spans, predictions, strict=True):
            yield {"start": start, "end": end, **prediction}


def answer_long(
    ask: Ask,
    reader: Reader,
    task: Task,
    texts: list[str],
    contexts: list[str] | None,
    long: LongTexts,
    unknown: UnknownTexts | None = None,
) -> LongAnswer:
    """Answers texts of any length.

    A text that fits is answered whole, as without `long`; with "sentence" its sentences are answered besides. One that
    does not is answered by its pieces.

    Args:
        ask: The model.
        reader: What it reads with.
        task: How its logits become probabilities.
        texts: The texts.
        contexts: The turns before each, of a model trained with them; they go with every piece that has room.
        long: How long texts are divided and their pieces pooled.
        unknown: What the texts that cannot be read are counted in; None logs their number.
    """
    if not texts:
        return LongAnswer(ask(texts, contexts, unknown), [], [], LongCounts(reader.limit))
    pieces = Divider(reader.tokenizer, reader.limit, long).divide(texts)
    whole = [index for index, found in enumerate(pieces) if found.fits]
    cut = [index for index, found in enumerate(pieces) if not found.fits]
    if cut:  # of the whole texts, not of their pieces
        beyond = [texts[index] for index in cut]
        rows = reader.tokenizer(beyond, verbose=False)["input_ids"]
        check_predicted(reader.tokenizer, reader.config, beyond, rows, unknown)
    of_whole = ask([texts[index] for index in whole], _chosen(contexts, whole), unknown)
    logits = np.zeros((len(texts), of_whole.shape[1]), dtype=np.float32)
    logits[whole] = of_whole
    parts = _answer_pieces(ask, texts, contexts, pieces, logits)
    for index in cut:
        logits[index] = pool_logits(task, parts[index], long.pool)
    counts = LongCounts(reader.limit, len(texts), len(cut), sum(len(pieces[index].spans) for index in cut))
    return LongAnswer(logits, pieces, parts, counts)


def _without_probabilities(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an answer without the probabilities of all labels, those of the coarse ones neither."""
    return {
        name: _without_probabilities(value) if isinstance(value, dict) else value
        for name, value in answer.items()
        if name != "probabilities"
    }


def as_long(long: LongTexts | LongMode) -> LongTexts:
    """Returns how long texts are answered, also where the mode alone is given."""
    return long if isinstance(long, LongTexts) else LongTexts(long)


def refuse_long_pairs(pairs: Sequence[str] | None, context_turns: int) -> None:
    """Raises `DataError` where texts to be divided have second texts that are no turns before a line."""
    if pairs is not None and not context_turns:
        raise DataError(
            "`long`은 문장 쌍을 나누지 못합니다. 둘 중 하나를 빼세요.",
            "`long` does not divide pairs of texts: leave it or the second texts out.",
            mend={"long": None},
        )


def _answer_pieces(
    ask: Ask, texts: list[str], contexts: list[str] | None, pieces: list[Pieces], logits: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Returns the logits of the pieces of each text; of a text that is one piece its own."""
    parts = [row[None] for row in logits.copy()]
    divided = [index for index, found in enumerate(pieces) if not found.fits or len(found.spans) > 1]
    owners = np.repeat(divided, [len(pieces[index].spans) for index in divided]).tolist()
    if not owners:
        return parts
    spans = chain.from_iterable(pieces[index].spans for index in divided)
    asked = [texts[index][start:end] for index, (start, end) in zip(owners, spans, strict=True)]
    judged = UnknownTexts(texts=len(asked))  # what cannot be read is counted of whole texts
    found = ask(asked, _chosen(contexts, owners), judged)
    begins = np.searchsorted(owners, divided)
    for index, rows in zip(divided, np.split(found, begins[1:]), strict=True):
        parts[index] = rows
    return parts


def _chosen(contexts: list[str] | None, rows: Sequence[int]) -> list[str] | None:
    return None if contexts is None else [contexts[row] for row in rows]


def pool_logits(task: Task, parts: Logits, pool: Pool) -> NDArray[np.float32]:
    """Returns logits that give a text the pooled probabilities of its pieces.

    With p(w, c) for the probability that piece w, of n, gives label c:

    - "mean": P(c) = sum over w of p(w, c) / n.
    - "max": P(c) = M(c) / sum over k of M(k), where M(c) is the largest p(w, c) of the pieces. Of a model that gives
      several labels P(c) = M(c): each label has a probability of its own.

    Args:
        task: How logits become probabilities.
        parts: Shape (pieces, classes).
        pool: "mean" or "max".

    Returns:
        Shape (classes,); of one piece its own logits.
    """
    if len(parts) == 1:
        return np.asarray(parts[0], dtype=np.float32)
    rows = [row[None] for row in parts]
    pooled = task.mean(rows) if pool == "mean" else task.highest(rows)
    return np.asarray(pooled[0], dtype=np.float32)
