"""Soft emotion labels for texts that have none: what TF-IDF models of the labelled rows say of them.

TF-IDF over character n-grams learns from 4,500 rows of KOTE which words carry an emotion; the encoder, which
would overfit them, learns the same from its answers on hundreds of thousands of reviews.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

CHUNK = 20_000
Shares = npt.NDArray[np.float32]


def soft_labels(texts: Sequence[str], labels: npt.NDArray[np.float32], others: Sequence[str]) -> Shares:
    """Returns the probability of each label for each of `others`, shape (others, labels), float32.

    Args:
        texts: Labelled texts.
        labels: Their multi-hot labels, shape (texts, labels); every label occurs.
        others: The texts to label.
    """
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=200_000)
    features = vectors.fit_transform(texts)
    models = OneVsRestClassifier(LogisticRegression(C=5.0, solver="liblinear"))
    models.fit(features, labels.astype(np.int8))
    chunks = (others[start : start + CHUNK] for start in range(0, len(others), CHUNK))
    return np.concatenate([models.predict_proba(vectors.transform(chunk)).astype(np.float32) for chunk in chunks])
