"""The texts that the encoder is pre-trained on, with what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from default_model import corpora
from default_model.emotions import EmotionParts

RATINGS = 10


def distinct_reviews(data_dir: Path, held_out: frozenset[str]) -> list[corpora.Review]:
    """Returns NSMC's other reviews, each text once, without the test parts' texts."""
    reviews = corpora.without(corpora.read_reviews(data_dir / "nsmc/reviews_rest.tsv.xz"), held_out)
    return list({corpora.text_key(row.text): row for row in reviews}.values())


def smoothed_ratings(ratings: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Returns a target distribution for each rating, spread over its neighbours, shape (ratings, 10)."""
    values = np.arange(1, RATINGS + 1)
    kernel = np.exp(-0.5 * ((values[None, :] - values[:, None]) / 0.8) ** 2)
    smoothed: npt.NDArray[np.float32] = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)[ratings - 1]
    return smoothed


@dataclass(frozen=True)
class Pool:
    """All texts that the encoder is pre-trained on: rated reviews first, then the rows of KOTE and GoEmotions.

    Attributes:
        reviews: Texts of the reviews.
        ratings: Their ratings, 1 to 10.
        in_nsmc_train: Which of them stand in NSMC's official train part.
        parts: Rows of the emotion data sets.
    """

    reviews: list[str]
    ratings: npt.NDArray[np.int64]
    in_nsmc_train: npt.NDArray[np.bool_]
    parts: EmotionParts

    @property
    def texts(self) -> list[str]:
        """The texts in their order."""
        return self.reviews + self.parts.kote.texts + self.parts.goemotions.texts

    @property
    def sources(self) -> npt.NDArray[np.int64]:
        """0 for each review, then 1 for each row of KOTE and 2 for each of GoEmotions."""
        sizes = [len(self.reviews), len(self.parts.kote.texts), len(self.parts.goemotions.texts)]
        return np.repeat(np.arange(3), sizes)


def review_pool(reviews: list[corpora.Review], data_dir: Path, parts: EmotionParts) -> Pool:
    """Puts the texts of all sources together; says which reviews stand in NSMC's official train part."""
    train = {corpora.text_key(row.text) for row in corpora.read_reviews(data_dir / "nsmc/ratings_train.tsv.xz")}
    return Pool(
        [row.text for row in reviews],
        np.array([row.rating for row in reviews]),
        np.array([corpora.text_key(row.text) in train for row in reviews]),
        parts,
    )
