"""What each text of the pool should be answered with, head by head, and the loss of a network's answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from default_model.emotions import LABEL_SETS, balancing_weights
from default_model.network import MultiTaskNetwork
from default_model.pool import Pool, smoothed_ratings

HEADS = ("rating", "kote", "goemotions", "emotion")
SOURCES_OF_HEAD = {"rating": (0,), "kote": (1,), "goemotions": (2,), "emotion": (1, 2)}
"""Which sources of a pool carry labels for a head; see `Pool.sources`."""


@dataclass(frozen=True)
class Targets:
    """Targets by head, each of shape (rows, outputs), and how much a row counts there, shape (rows,)."""

    shares: dict[str, Tensor]
    weights: dict[str, Tensor]

    def loss(self, network: MultiTaskNetwork, pooled: Tensor, rows: Tensor) -> Tensor:
        """Returns the sum over heads of the mean loss of the rows, each of the size of one cross-entropy."""
        total = torch.zeros((), device=pooled.device)
        for name, logits in network.answers(pooled).items():
            shares, weights = self.shares[name][rows].float(), self.weights[name][rows].float()
            if name in LABEL_SETS:
                each = functional.binary_cross_entropy_with_logits(logits, shares, reduction="none")
                losses = each.sum(dim=-1) / LABEL_SETS[name]
            else:
                losses = -(shares * logits.log_softmax(dim=-1)).sum(dim=-1)
            total = total + (weights * losses).sum() / weights.sum().clamp(min=1)
        return total

    def to(self, device: torch.device) -> Targets:
        """Returns the same on `device`."""
        return Targets(
            *({name: value.to(device) for name, value in part.items()} for part in (self.shares, self.weights))
        )


def own_targets(pool: Pool) -> Targets:
    """Returns the labels that each text of the pool carries itself; where it has none for a head, its weight is 0.

    Ratings are smoothed, and emotions balanced: a row weighs as `balancing_weights` says.
    """
    sources = pool.sources
    parts = pool.parts
    emotions = np.concatenate([parts.kote.targets, parts.goemotions.targets])
    values = {
        "rating": smoothed_ratings(pool.ratings),
        "kote": parts.kote.labels,
        "goemotions": parts.goemotions.labels,
        "emotion": (emotions * balancing_weights(emotions)).astype(np.float32),
    }
    shares, weights = {}, {}
    for name, value in values.items():
        labelled = torch.from_numpy(np.isin(sources, SOURCES_OF_HEAD[name]))
        full = torch.zeros(len(sources), value.shape[1], dtype=torch.float16)
        full[labelled] = torch.from_numpy(value).half()
        shares[name], weights[name] = full, labelled.half()
    return Targets(shares, weights)


def taught_targets(pool: Pool, answers: dict[str, Tensor]) -> Targets:
    """Returns the soft targets of a student: a teacher's answers, and half of a review's own rating.

    A review that stands in NSMC's official train part gets the answer alone, so that fine-tuning on that part starts
    from labels never seen.

    Args:
        pool: The texts.
        answers: Probabilities by head, each of shape (texts, outputs), from models that had not seen the text's label.
    """
    shares = dict(answers)
    rating = answers["rating"].float()
    others = torch.from_numpy(np.flatnonzero(~pool.in_nsmc_train))
    own = torch.from_numpy(smoothed_ratings(pool.ratings))[others].to(rating)
    rating[others.to(rating.device)] = (rating[others.to(rating.device)] + own) / 2
    shares["rating"] = rating.half()
    ones = torch.ones(len(rating), dtype=torch.float16, device=rating.device)
    return Targets(shares, dict.fromkeys(shares, ones))
