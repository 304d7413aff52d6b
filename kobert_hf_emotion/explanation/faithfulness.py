"""How faithful explanations are: whether the words they name are those that the prediction rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..metrics.probabilities import softmax
from .leave_one_out import PredictLogits, without
from .words import Explanation

SHARES = (0.1, 0.2, 0.5)
"""Shares of a text's words that are taken out or left; at least one word."""


@dataclass(frozen=True)
class Faithfulness:
    """Both of DeYoung et al. (2020, "ERASER"), a figure for each text, averaged over `SHARES`."""

    comprehensiveness: NDArray[np.float64]
    """How far the predicted label's probability falls without the words named; the higher the better."""
    sufficiency: NDArray[np.float64]
    """How far it falls with these words alone; the lower the better."""


def faithfulness(
    predict_logits: PredictLogits,
    labels: Sequence[str],
    explanations: Sequence[Explanation],
    scores: Sequence[NDArray[np.floating]] | None = None,
) -> Faithfulness:
    """Measures explanations of predicted labels.

    Args:
        predict_logits: As for `leave_one_out`.
        labels: Label names in the order of the logits.
        explanations: Of texts with two words or more.
        scores: Another order of the words of each text, such as a random one, shape (words,) each; by default that of
            the contributions to the predicted label.
    """
    ranks = [np.argsort(-found.contributions(), kind="stable") for found in explanations]
    if scores is not None:
        ranks = [np.argsort(-np.asarray(values), kind="stable") for values in scores]
    variants = [
        without(_read(found), [found.words[index].span for index in sorted(chosen)])
        for found, rank in zip(explanations, ranks, strict=True)
        for share in SHARES
        for chosen in _taken_and_left(rank, share)
    ]
    target = np.array([list(labels).index(found.label) for found in explanations])
    before = softmax(predict_logits([_read(found) for found in explanations]))[np.arange(len(target)), target]
    after = softmax(predict_logits(variants)).reshape(len(target), len(SHARES), 2, len(labels))
    falls = before[:, None, None] - np.take_along_axis(after, target[:, None, None, None], axis=-1)[..., 0]
    means: NDArray[np.float64] = falls.mean(axis=1)
    return Faithfulness(comprehensiveness=means[:, 0], sufficiency=means[:, 1])


def _read(found: Explanation) -> str:
    return found.text.removesuffix(found.unread) if found.unread else found.text


def _taken_and_left(rank: NDArray[np.integer], share: float) -> tuple[list[int], list[int]]:
    """Returns the words to take out: the first ones, and then all but the first ones."""
    count = max(1, round(share * len(rank)))
    return rank[:count].tolist(), rank[count:].tolist()
