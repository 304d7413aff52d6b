"""Texts that differ in a few characters: candidates by MinHash, each confirmed by its true Jaccard similarity.

The shingles of a text are the pairs of neighbouring characters of its folded form (`data.text_keys.text_key`); a Korean
syllable carries about as much as two or three Latin letters. MinHash and locality-sensitive hashing are those of
Broder (1997) and of Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3: two texts of Jaccard
similarity s share the bucket of at least one band with probability 1 - (1 - s^5)^20, which is 0.9996 at 0.8.

Measured on the 193,153 distinct texts of NSMC, one core: 1.9 s for the signatures in numpy, 2.5 s through rensa 0.5
(a compiled dependency), and 0.7 s for 5,000 texts alone with datasketch 2.0. Numpy needs no dependency and won.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..utils.progress import progress
from ..wording import Wording

SIMILARITY = 0.8
"""Jaccard similarity of two texts' character pairs from which they count as near duplicates."""

_BANDS, _BAND_ROWS = 20, 5
# Texts of a bucket that a text is compared with. Without a limit a file of one template would need every pair.
_WINDOW = 4
_CHUNK = 50_000

Rows = NDArray[np.int64]


def near_twins(keys: Sequence[str], probes: Sequence[str] = (), similarity: float = SIMILARITY) -> tuple[Rows, Rows]:
    """Finds for each text an earlier one, and for each probe a text, that is nearly the same.

    A pair that is reported has the similarity asked for; of the texts with a near twin nearly all are found. Time
    and memory grow with the number of texts, not with that of pairs.

    Args:
        keys: Distinct folded texts.
        probes: Folded texts to compare with `keys`, and not with each other.
        similarity: The least Jaccard similarity, above 0 and at most 1.

    Returns:
        For each of `keys` the index of an earlier near twin, and for each of `probes` that of a near twin among
        `keys`; -1 where there is none.

    Example:
        >>> texts = ["오늘은날씨가정말좋네요", "회의는세시에시작합니다", "오늘은날씨가정말좋네요그쵸"]
        >>> near_twins(texts)[0].tolist()
        [-1, -1, 0]
    """
    shingles = _shingle_matrix([*keys, *probes])
    twins = np.full(shingles.shape[0], -1, dtype=np.int64)
    # scipy's sparse products let other threads run, and take most of the time where many texts are alike.
    looking = progress(Wording("거의 같은 글 찾기", "looking for near duplicates"), _BANDS)
    with looking as advance, ThreadPoolExecutor(os.cpu_count()) as threads:
        for rows, buckets in _bands(shingles):
            row, start, end = _by_bucket(rows, buckets, len(keys))
            for step in range(1, _WINDOW + 1):
                without = np.flatnonzero((end - step >= start) & (twins[row] < 0))
                first, second = row[end[without] - step], row[without]
                chunks = [slice(at, at + _CHUNK) for at in range(0, len(without), _CHUNK)]
                values = threads.map(lambda c, f=first, s=second: _jaccard(shingles, f[c], s[c], similarity), chunks)
                for chunk, value in zip(chunks, values, strict=True):
                    near = value >= similarity
                    twins[second[chunk][near]] = first[chunk][near]
            advance(1)
    return twins[: len(keys)], twins[len(keys) :]


def _shingle_matrix(keys: Sequence[str]) -> csr_matrix:
    """Returns which text has which character pair: ones in a matrix of shape (texts, distinct pairs)."""
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    characters = np.frombuffer("".join(keys).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    text = np.repeat(np.arange(len(keys)), lengths)
    within = text[1:] == text[:-1]
    pairs = (characters[:-1] << 21 | characters[1:])[within]  # a code point has 21 bits: no two pairs fall together
    columns, distinct = pd.factorize(pairs)
    bounds = np.concatenate([[0], np.cumsum(np.maximum(lengths - 1, 0))])
    ones = np.ones(len(columns), dtype=np.int32)
    matrix = csr_matrix((ones, columns, bounds), shape=(len(keys), max(len(distinct), 1)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _bands(shingles: csr_matrix) -> Iterator[tuple[Rows, NDArray[np.uint64]]]:
    """Yields for every band the texts that have shingles and their buckets, equal where the band's minima are."""
    random = np.random.default_rng(0)
    rows = np.flatnonzero(np.diff(shingles.indptr))
    starts = shingles.indptr[rows]
    for _ in range(_BANDS if len(rows) else 0):
        buckets = np.zeros(len(rows), dtype=np.uint64)
        for _ in range(_BAND_ROWS):
            rank = random.permutation(shingles.shape[1]).astype(np.uint32)
            minima = np.minimum.reduceat(rank[shingles.indices], starts)
            buckets = buckets * np.uint64(0x9E3779B97F4A7C15) + minima
        yield rows, buckets


def _by_bucket(rows: Rows, buckets: NDArray[np.uint64], n_keys: int) -> tuple[Rows, Rows, Rows]:
    """Sorts rows by bucket, and in it the first `n_keys` before the probes.

    Returns:
        The rows, and for each the positions between which the keys of its bucket stand that come before it.
    """
    order = np.argsort(buckets, kind="stable")
    row, bucket = rows[order], buckets[order]
    opens = np.concatenate([[True], bucket[1:] != bucket[:-1]])
    start: Rows = np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))
    keys_before: Rows = np.cumsum(row < n_keys) - (row < n_keys)
    return row, start, start + keys_before - keys_before[start]


def _jaccard(shingles: csr_matrix, first: Rows, second: Rows, at_least: float) -> NDArray[np.float64]:
    """Returns |A ∩ B| / |A ∪ B| of the rows' shingles; 0 where the sizes alone keep it below `at_least`."""
    sizes = np.diff(shingles.indptr)
    small, large = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
    possible = np.flatnonzero(small >= at_least * large)
    common = shingles[first[possible]].multiply(shingles[second[possible]]).sum(axis=1)
    shared = np.asarray(common, dtype=np.int64).ravel()
    values = np.zeros(len(first))
    values[possible] = shared / (small[possible] + large[possible] - shared)
    return values
