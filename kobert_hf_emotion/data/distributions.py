"""Shares of votes of the labels of rows: which label has most, and which rows are tied."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shares: TypeAlias = NDArray[np.floating]
"""Shares of votes, shape (rows, labels), that add up to 1 in each row."""
TIE = 1e-5
"""Shares that differ by less are equal: six decimals of a file, or float32, are not exact."""


def to_shares(votes: NDArray[Any]) -> NDArray[np.float64]:
    """Divides votes, or shares that do not quite add up, by their sum in each row; rows below 0 stay as they are.

    Example:
        >>> to_shares(np.array([[3, 1], [-100, -100]])).tolist()
        [[0.75, 0.25], [-100.0, -100.0]]
    """
    exact = votes.astype(np.float64)
    known = (exact >= 0).all(axis=1, keepdims=True)
    totals = exact.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.where(known, exact / np.where(known & (totals > 0), totals, 1.0), exact)
    return shares


def has_most(shares: Shares) -> NDArray[np.bool_]:
    """Tells of each label of a row whether no other has more votes, shape (rows, labels); several where it is a tie."""
    most: NDArray[np.bool_] = shares >= shares.max(axis=1, keepdims=True, initial=-np.inf) - TIE
    return most


def is_tied(shares: Shares) -> NDArray[np.bool_]:
    """Tells of each row whether several labels have most votes, shape (rows,)."""
    tied: NDArray[np.bool_] = has_most(shares).sum(axis=1) > 1
    return tied


def majority_ids(shares: Shares) -> NDArray[np.int64]:
    """Returns the label with most votes of each row; of a tie the first in the order of the ids.

    Example:
        >>> majority_ids(np.array([[0.2, 0.8], [0.5, 0.5]])).tolist()
        [1, 0]
    """
    return np.asarray(has_most(shares).argmax(axis=1), dtype=np.int64)


def counted_as(shares: Shares, answers: NDArray[np.integer]) -> NDArray[np.int64]:
    """Returns the label that each row counts as beside an answer: any of a tie's labels is as right as the others.

    The answer, where it is among those with most votes; otherwise the first of these.

    Args:
        shares: Shape (rows, labels).
        answers: The ids answered, shape (rows,).

    Example:
        >>> counted_as(np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]), np.array([1, 2, 0])).tolist()
        [1, 0, 2]
    """
    most = has_most(shares)
    among = most[np.arange(len(most)), answers]
    return np.where(among, answers, most.argmax(axis=1)).astype(np.int64)
