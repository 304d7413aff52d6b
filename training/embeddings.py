"""Token embeddings from co-occurrence counts: where the default model's word embeddings start from.

A truncated SVD of the positive pointwise mutual information of tokens within a window (Levy and Goldberg,
2014) takes a minute on one core and gives synonyms neighbouring vectors before the first training step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.extmath import randomized_svd


def cooccurrence(rows: Sequence[Sequence[int]], vocab_size: int, window: int) -> sparse.csr_matrix:
    """Counts tokens at distance 1 to `window` within a row, a pair at distance d weighing 1/d; symmetric."""
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    tokens = np.fromiter((token for row in rows for token in row), dtype=np.int64, count=int(lengths.sum()))
    owner = np.repeat(np.arange(len(rows)), lengths)
    total = sparse.csr_matrix((vocab_size, vocab_size), dtype=np.float64)
    for distance in range(1, window + 1):
        same = owner[:-distance] == owner[distance:]
        left, right = tokens[:-distance][same], tokens[distance:][same]
        weights = np.full(len(left), 1 / distance)
        total = total + sparse.coo_matrix((weights, (left, right)), shape=total.shape).tocsr()
    return total + total.T


def ppmi_embeddings(
    rows: Sequence[Sequence[int]], vocab_size: int, size: int, *, window: int = 6, std: float = 0.02, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Returns one vector a token, shape (vocab_size, size).

    Args:
        rows: Token ids of texts.
        vocab_size: Number of tokens.
        size: Length of a vector.
        window: Largest distance of two tokens that count as neighbours.
        std: Standard deviation of the result; tokens never seen get normal noise of that size.
        seed: Seed of the randomised SVD and of the noise.
    """
    counts = cooccurrence(rows, vocab_size, window).tocoo()
    margin = np.bincount(counts.row, weights=counts.data, minlength=vocab_size)
    context = margin**0.75
    information = np.log(counts.data * context.sum() / (margin[counts.row] * context[counts.col]))
    kept = information > 0
    matrix = sparse.csr_matrix((information[kept], (counts.row[kept], counts.col[kept])), shape=counts.shape)
    left, singular, _ = randomized_svd(matrix, size, n_iter=3, random_state=seed)
    vectors = left * np.sqrt(singular)
    vectors -= vectors[margin > 0].mean(axis=0)
    noise = np.random.default_rng(seed).normal(size=vectors.shape)
    # Rows of equal length: a rare token would otherwise start near zero, a frequent one far out.
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(margin[:, None] > 0, vectors / np.maximum(norms, 1e-8) * np.sqrt(size), noise)
    return (vectors * std).astype(np.float32)
