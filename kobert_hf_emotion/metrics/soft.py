"""Answers against votes: how far they are from the majority, and probabilities from the shares."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import Shares, counted_as, has_most, is_tied
from ..wording import Language, titled
from .bootstrap import RESAMPLES, SEED, Interval, percentile_interval, resampled_sums
from .probabilities import Logits, log_losses, softmax
from .scores import Scores

VOTE_SUMS = 8
"""Columns of `vote_sums`."""


@dataclass(frozen=True)
class SoftScores(Scores):
    """Metrics against the majority of votes and, below, against the votes.

    A row on which several labels have most votes counts as right where the answer is any of these; for the F1s it then
    counts as a row of the label answered, and otherwise as one of the first of them. `log_loss` is the mean
    cross-entropy of the shares of votes, in nats, which is never less than `entropy`.
    """

    TITLES: ClassVar[dict[str, str]] = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "weighted_f1": "weighted F1",
        "vote_share": "vote share",
        "log_loss": "cross-entropy",
        "jensen_shannon": "JS divergence",
    }
    SHORT: ClassVar[dict[str, str]] = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "vote_share": "votes",
        "log_loss": "CE",
        "jensen_shannon": "JS",
    }

    vote_share: float = float("nan")
    """Mean share of the votes that the answer has: how often a vote drawn from the row agrees with it."""
    best_vote_share: float = float("nan")
    """Mean share of the label with most votes: the most that `vote_share` can be."""
    jensen_shannon: float = float("nan")
    """Mean Jensen-Shannon divergence of the probabilities and the shares, in nats, from 0 to log 2."""
    entropy: float = float("nan")
    """Mean entropy of the shares, in nats: the least that `log_loss` can be."""
    untied_accuracy: float = float("nan")
    """Accuracy of the rows without a tie."""
    ties: int = 0
    """Rows with a tie."""

    def remarks(self, language: Language = "both") -> list[str]:
        """Returns how ties count, and the best that the votes allow."""
        untied = f"; {titled('나머지 행의 정확도', 'accuracy of the others', language)} {self.untied_accuracy:.4f}"
        return [
            f"{titled('표가 같은 행(동률)', 'rows with a tie', language)}: {self.ties:,}/{self.rows:,}; "
            + titled("그중 어느 레이블로 답해도 맞은 것으로 셈", "any of the tied labels counts as right", language)
            + ("" if math.isnan(self.untied_accuracy) else untied),
            f"{titled('표가 허락하는 최고', 'the best that the votes allow', language)}: "
            f"{titled('답이 받은 표의 몫', 'vote share', language)} {self.best_vote_share:.4f}, "
            f"{titled('교차 엔트로피', 'cross-entropy', language)} {self.entropy:.4f}",
        ]


def entropies(shares: Shares) -> NDArray[np.float64]:
    """Returns the entropy of each row's shares, in nats, shape (rows,)."""
    exact = shares.astype(np.float64)
    found: NDArray[np.float64] = -(exact * np.log(np.where(exact > 0, exact, 1.0))).sum(axis=1)
    return found


def jensen_shannon(probabilities: NDArray[np.floating], shares: Shares) -> NDArray[np.float64]:
    """Returns the Jensen-Shannon divergence of probabilities and shares in each row, in nats, shape (rows,).

    JS(p, q) = (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2 (Lin, 1991, Divergence Measures Based on the Shannon
    Entropy); the square of scipy's `jensenshannon`, which is the distance.

    Args:
        probabilities: Shape (rows, labels).
        shares: Shape (rows, labels).
    """
    from scipy.special import rel_entr  # which takes long to import, and predicting needs none

    p, q = probabilities.astype(np.float64), shares.astype(np.float64)
    mean = (p + q) / 2
    found: NDArray[np.float64] = np.maximum((rel_entr(p, mean) + rel_entr(q, mean)).sum(axis=1) / 2, 0.0)
    return found


def soft_scores(logits: Logits, shares: Shares, answers: NDArray[np.integer]) -> SoftScores:
    """Computes the metrics of answers.

    Args:
        logits: Shape (rows, labels).
        shares: Shares of the votes, shape (rows, labels).
        answers: The ids answered, shape (rows,).
    """
    from .classification import classification_scores  # which takes long to import, and predicting needs none

    sums = vote_sums(logits, shares, answers).sum(axis=0)
    figures = classification_scores(counted_as(shares, answers), np.asarray(answers))
    return from_sums(sums, figures)


def from_sums(sums: NDArray[np.floating], figures: dict[str, float]) -> SoftScores:
    """Returns the scores whose `vote_sums` over all rows are given, beside those against the majority."""
    found = {name: float(value) for name, value in vote_figures(sums).items()}
    return SoftScores(rows=int(sums[0]), ties=int(sums[0] - sums[5]), **figures, **found)


def vote_sums(logits: Logits, shares: Shares, answers: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns for each row what figures against votes are sums of, shape (rows, 8).

    1; the share of the answer; that of the majority; cross-entropy; divergence; 1 without a tie; 1 where that row is
    right; entropy.
    """
    every = np.arange(len(shares))
    untied = ~is_tied(shares)
    right = has_most(shares)[every, answers]
    columns: list[NDArray[Any]] = [
        np.ones(len(shares)),
        shares[every, answers],
        shares.max(axis=1),
        log_losses(logits, shares),
        jensen_shannon(softmax(logits), shares),
        untied,
        untied & right,
        entropies(shares),
    ]
    return np.stack(columns, axis=1)


def vote_figures(sums: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Computes figures from sums of `vote_sums` over rows, in the last axis."""
    rows, share, best, nats, divergence, untied, right, entropy = np.moveaxis(sums, -1, 0)
    some = np.maximum(rows, 1)
    return {
        "vote_share": share / some,
        "best_vote_share": best / some,
        "log_loss": nats / some,
        "jensen_shannon": divergence / some,
        "entropy": entropy / some,
        "untied_accuracy": right / np.where(untied > 0, untied, np.nan),
    }


def vote_intervals(
    logits: Logits,
    shares: Shares,
    answers: NDArray[np.integer],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Interval]:
    """Computes 95% percentile bootstrap intervals of the figures against the votes.

    What is drawn, and what the intervals tell, is as for `metrics.bootstrap.score_intervals`: rows are drawn, with
    their votes as they are.

    Args:
        logits: Shape (rows, labels).
        shares: Shares of the votes.
        answers: The ids answered.
        groups: Rows with equal values come and go together; by default every row for itself.
        resamples: How often to draw.
        seed: Of the drawing.
    """
    drawn = resampled_sums(vote_sums(logits, shares, answers), groups, resamples, seed)
    figures = vote_figures(drawn)
    return {
        name: percentile_interval(known) for name, values in figures.items() if len(known := values[~np.isnan(values)])
    }
