"""Soft labels for texts that have none: what linear models over character n-grams say of them.

TF-IDF over character n-grams learns from 4,500 rows of KOTE which words carry an emotion; the encoder, which
would overfit them, learns the same from its answers on hundreds of thousands of reviews. Ratings get soft labels
too, because people rate the same words differently. A text never gets an answer from a model that has seen its
own label: labelled rows are answered by models of the other half (cross-fitting).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from torch import Tensor

from default_model.pool import Pool
from default_model.settings import Settings
from default_model.stage import save_atomically

CHUNK = 20_000
Shares = npt.NDArray[np.float32]


def soft_labels(texts: Sequence[str], labels: npt.NDArray[np.float32], others: Sequence[str], seed: int) -> Shares:
    """Returns the probability of each label for `others` and then for `texts`, shape (others + texts, labels).

    Args:
        texts: Labelled texts; they are answered by cross-fitting.
        labels: Their multi-hot labels, shape (texts, labels); every label occurs in either half.
        others: The texts to label.
        seed: Draws the halves.
    """
    model = _label_model().fit(texts, labels.astype(np.int8))
    chunks = (others[start : start + CHUNK] for start in range(0, len(others), CHUNK))
    answers = [model.predict_proba(chunk).astype(np.float32) for chunk in chunks]
    own = np.empty(labels.shape, np.float32)
    for seen, asked in KFold(2, shuffle=True, random_state=seed).split(own):
        half = _label_model().fit([texts[i] for i in seen], labels[seen].astype(np.int8))
        own[asked] = half.predict_proba([texts[i] for i in asked])
    return np.concatenate([*answers, own])


def soft_ratings(texts: Sequence[str], ratings: npt.NDArray[np.int64], others: Sequence[str], seed: int) -> Shares:
    """Returns the distribution over the ratings 1 to 10 for `texts` and then for `others`, shape (texts + others, 10).

    Args:
        texts: Rated texts; they are answered by cross-fitting.
        ratings: Their ratings, shape (texts,); every rating occurs in either half.
        others: Texts without a rating; the models of both halves answer for them.
        seed: Draws the halves and the order of the updates.
    """
    vectors = HashingVectorizer(
        analyzer="char", ngram_range=(1, 5), n_features=2**20, alternate_sign=False, norm=None, dtype=np.float32
    )
    weights = TfidfTransformer(sublinear_tf=True)
    features = weights.fit_transform(vectors.transform(texts)).astype(np.float32)
    rest = weights.transform(vectors.transform(others)).astype(np.float32)
    own, from_both = np.empty((len(texts), 10), np.float32), np.zeros((len(others), 10), np.float32)
    for seen, asked in KFold(2, shuffle=True, random_state=seed).split(own):
        model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=5, tol=None, average=True, random_state=seed)
        model.fit(features[seen], ratings[seen])
        own[asked] = model.predict_proba(features[asked])
        from_both += model.predict_proba(rest).astype(np.float32) / 2
    return np.concatenate([own, from_both])


class LinearModels:
    """The linear models of all heads, which compute in processes of their own from here on.

    Args:
        pool: The texts.
        settings: Settings of the run.
        work: Folder for the result, `linear.pt`; where it is there, nothing is computed.
    """

    def __init__(self, pool: Pool, settings: Settings, work: Path) -> None:
        self.pool, self.file, self.started = pool, work / "linear.pt", time.monotonic()
        kote, goemotions, seed = pool.parts.kote, pool.parts.goemotions, settings.seed
        tasks = [
            delayed(soft_ratings)(pool.reviews, pool.ratings, kote.texts + goemotions.texts, seed),
            delayed(soft_labels)(kote.texts, kote.labels, pool.reviews + goemotions.texts, seed),
            delayed(soft_labels)(goemotions.texts, goemotions.labels, pool.reviews + kote.texts, seed),
        ]
        self.results = None if self.file.exists() else Parallel(n_jobs=len(tasks), return_as="generator")(tasks)

    def answers(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Waits for the models and returns probabilities by head, float16, shape (texts, outputs), and a record."""
        if self.results is not None:
            ratings, from_kote, from_goemotions = self.results
            # `soft_labels` answers for the others first, then for the labelled texts.
            rated, rows = len(self.pool.reviews), len(self.pool.parts.kote.texts)
            from_kote = np.concatenate([from_kote[:rated], from_kote[-rows:], from_kote[rated:-rows]])
            answers = {"rating": ratings, "kote": from_kote, "goemotions": from_goemotions}
            record = {"rows": len(ratings), "seconds": round(time.monotonic() - self.started, 1)}
            halves = {name: torch.from_numpy(shares).half() for name, shares in answers.items()}
            save_atomically({"answers": halves, "record": record}, self.file)
        state = torch.load(self.file, weights_only=True)
        return state["answers"], state["record"]


def _label_model() -> Pipeline:
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=200_000)
    return make_pipeline(vectors, OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear")))
