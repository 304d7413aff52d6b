"""McNemar's test: whether two classifiers are right equally often on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same rows: only rows that one has right and the other wrong count."""

    only_first: int
    """Rows the first has right and the second wrong."""
    only_second: int
    exact_p: float
    """Two-sided binomial p-value of such a split where both were equally good; never too small."""
    mid_p: float
    """The same with half the probability of the split itself; nearer to 5% false alarms at the level of 5%.

    Fagerland, Lydersen and Laake (2013), The McNemar test for binary matched-pairs data.
    """


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """Tests whether two classifiers are right equally often on the same rows.

    Args:
        first_right: Whether the first is right, shape (rows,).
        second_right: Whether the second is.

    Example:
        >>> import numpy as np
        >>> mcnemar(np.array([1, 1, 1, 0]) == 1, np.array([0, 0, 0, 0]) == 1).exact_p
        0.25
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    total, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:  # the two tails overlap
        return McNemar(only_first, only_second, 1.0, float(1 - binom.pmf(fewer, total, 0.5) / 2) if total else 1.0)
    exact = float(2 * binom.cdf(fewer, total, 0.5))
    return McNemar(only_first, only_second, exact, exact - float(binom.pmf(fewer, total, 0.5)))
