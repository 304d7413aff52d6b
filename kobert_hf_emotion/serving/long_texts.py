"""Requests whose texts are longer than the model reads: the pieces are asked, and their answers put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..tokenization.long_texts import LongTexts
from ..tokenization.windows import Pieces
from .predictor import Answer, Failure, Line, Predictor


@dataclass(frozen=True)
class Divided:
    """The texts of a request in pieces.

    Attributes:
        pieces: Of each text.
        items: What the model is asked: of each text itself where it fits, and its pieces where there are several.
        counts: How many of the items are those of each text.
    """

    pieces: list[Pieces]
    items: list[str | Line]
    counts: list[int]

    def put_together(
        self, predictor: Predictor, answers: Sequence[Answer | Failure], long: LongTexts
    ) -> list[Answer | Failure]:
        """Returns an answer for each text; of one that failed in a piece the failure."""
        found: list[Answer | Failure] = []
        start = 0
        for pieces, count in zip(self.pieces, self.counts, strict=True):
            own = answers[start : start + count]
            start += count
            answered = [answer for answer in own if isinstance(answer, Answer)]
            failed = next((answer for answer in own if isinstance(answer, Failure)), None)
            found.append(failed or predictor.pooled(pieces, answered, long))
        return found


def divided(predictor: Predictor, lines: Sequence[str | Line], long: LongTexts) -> Divided:
    """Divides the texts of a request.

    Raises:
        KoBERTEmotionError: See `Predictor.divide`.
    """
    texts = [line.text if isinstance(line, Line) else line for line in lines]
    pieces = predictor.divide(texts, long)
    items: list[str | Line] = []
    counts = []
    for line, text, found in zip(lines, texts, pieces, strict=True):
        asked = [text[start:end] for start, end in found.spans]
        if found.fits:
            asked = [text, *asked] if len(asked) > 1 else [text]
        items += [Line(part, line.before) if isinstance(line, Line) else part for part in asked]
        counts.append(len(asked))
    return Divided(pieces, items, counts)
