"""The texts that the encoder is pre-trained on, and the soft targets that go with them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from joblib import Parallel, delayed
from torch import Tensor

from training import corpora
from training.emotions import EmotionParts
from training.settings import Settings
from training.stage import save_atomically
from training.teacher import soft_labels, soft_ratings


def distinct_reviews(data_dir: Path, held_out: frozenset[str], seed: int) -> list[corpora.Review]:
    """Returns NSMC's other reviews in random order, each text once, without the test parts' texts."""
    reviews = corpora.without(corpora.read_reviews(data_dir / "nsmc/reviews_rest.tsv.xz"), held_out)
    distinct = list({corpora.text_key(row.text): row for row in reviews}.values())
    return [distinct[index] for index in np.random.default_rng(seed).permutation(len(distinct))]


def balanced(reviews: list[corpora.Review], limit: int) -> list[corpora.Review]:
    """Returns the first `limit` reviews of each rating: almost half of NSMC's are tens."""
    left = dict.fromkeys(range(1, 11), limit)
    chosen = []
    for row in reviews:
        if left[row.rating] > 0:
            left[row.rating] -= 1
            chosen.append(row)
    return chosen


def smoothed_ratings() -> Tensor:
    """Returns the target distribution of each rating, spread over its neighbours, shape (10, 10)."""
    values = np.arange(1, 11)
    kernel = np.exp(-0.5 * ((values[None, :] - values[:, None]) / 0.8) ** 2)
    return torch.from_numpy((kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32))


@dataclass(frozen=True)
class Pool:
    """All texts that the encoder is pre-trained on: rated reviews first, then the rows of KOTE and GoEmotions."""

    reviews: list[str]
    ratings: npt.NDArray[np.int64]
    in_nsmc_train: npt.NDArray[np.bool_]
    parts: EmotionParts

    @property
    def texts(self) -> list[str]:
        """The texts in their order."""
        return self.reviews + self.parts.kote.texts + self.parts.goemotions.texts


def review_pool(reviews: list[corpora.Review], data_dir: Path, parts: EmotionParts) -> Pool:
    """Puts the texts of all sources together; says which reviews stand in NSMC's official train part."""
    train = {corpora.text_key(row.text) for row in corpora.read_reviews(data_dir / "nsmc/ratings_train.tsv.xz")}
    return Pool(
        [row.text for row in reviews],
        np.array([row.rating for row in reviews]),
        np.array([corpora.text_key(row.text) in train for row in reviews]),
        parts,
    )


def teach(pool: Pool, settings: Settings, work: Path) -> dict[str, Any]:
    """Returns targets for each text of `pool`, float16, by head; computes them where `work` has none.

    The target of "rating" is, for a review, half its own rating, smoothed, and half the soft one; for a review of
    NSMC's official train part the soft one alone, so that fine-tuning on that part starts from labels never seen.

    Args:
        pool: The texts.
        settings: Settings of the run.
        work: Folder for the result.
    """
    file = work / "teacher.pt"
    if not file.exists():
        started = time.monotonic()
        kote, goemotions = pool.parts.kote, pool.parts.goemotions
        emotion_texts = kote.texts + goemotions.texts
        # The order of `soft_labels` is others first, then its own texts.
        ratings, from_kote, from_goemotions = Parallel(n_jobs=os.cpu_count())(
            [
                delayed(soft_ratings)(pool.reviews, pool.ratings, emotion_texts, settings.seed),
                delayed(soft_labels)(kote.texts, kote.labels, pool.reviews + goemotions.texts, settings.seed),
                delayed(soft_labels)(goemotions.texts, goemotions.labels, pool.reviews + kote.texts, settings.seed),
            ]
        )
        rated, kote_rows = len(pool.reviews), len(kote.texts)
        own = smoothed_ratings().numpy()[pool.ratings - 1]
        ratings[:rated] = np.where(pool.in_nsmc_train[:, None], ratings[:rated], (ratings[:rated] + own) / 2)
        from_kote = np.concatenate([from_kote[:rated], from_kote[-kote_rows:], from_kote[rated:-kote_rows]])
        targets = {"rating": ratings, "kote": from_kote, "goemotions": from_goemotions}
        state: dict[str, Any] = {name: torch.from_numpy(shares).half() for name, shares in targets.items()}
        state["record"] = {"rows": len(ratings), "seconds": round(time.monotonic() - started, 1)}
        save_atomically(state, file)
    return dict(torch.load(file, weights_only=True))
