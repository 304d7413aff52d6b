"""Leave one out: what changes in a model's answer when a word is taken out of the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..tokenization.alignment import Span
from .words import Explanation, ReadText, Word, decisive, explanation_of, read_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PredictLogits = Callable[[list[str]], NDArray[np.float32]]
"""Texts to logits at the model's temperature, shape (texts, classes)."""


def leave_one_out(
    predict_logits: PredictLogits,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    labels: Sequence[str],
    texts: Sequence[str],
    task: Task | None = None,
) -> list[Explanation]:
    """Explains texts by predicting them again without each of their words.

    The contribution of a word to a label is f(text) - f(text without the word), where f is the label's logit less the
    mean of all labels', of a multi-label model the label's logit (Li et al., 2016, "Understanding Neural Networks
    through Representation Erasure", with logits in place of log-likelihoods). The model need not be seen from inside,
    so that it works on any that predicts.

    Args:
        predict_logits: Computes the logits of texts.
        tokenizer: The model's; it tells where the model stops reading.
        max_length: Tokens the model reads, special tokens included.
        labels: Label names in the order of the logits.
        texts: Texts.
        task: How logits become answers; one label a text by default.

    Returns:
        An explanation for each text, with contributions to every label.

    Raises:
        TokenizerError: The tokenizer tells nothing of positions.
    """
    task = task or SingleLabel()
    reads = [read_text(tokenizer, text, max_length) for text in texts]
    variants = [without(read.text, [word]) for read in reads for word in read.words]
    logits = predict_logits([*(read.text for read in reads), *variants])
    whole, left = logits[: len(reads)], decisive(logits[len(reads) :], task)
    explanations, start = [], 0
    for read, row in zip(reads, whole, strict=True):
        changes = decisive(row, task) - left[start : start + len(read.words)]
        start += len(read.words)
        explanations.append(explanation_of(read, row, labels, "leave_one_out", _words(read, changes, labels), task))
    return explanations


def without(text: str, spans: Sequence[Span]) -> str:
    """Returns a text without the words at `spans`, and without the white space before each of them."""
    kept, last = [], 0
    for start, end in spans:
        kept.append(text[last:start].rstrip())
        last = end
    return ("".join(kept) + text[last:]).strip()


def _words(read: ReadText, changes: NDArray[np.float64], labels: Sequence[str]) -> list[Word]:
    return [
        Word(read.text[slice(*span)], span, dict(zip(labels, row, strict=True)))
        for span, row in zip(read.words, changes.tolist(), strict=True)
    ]
