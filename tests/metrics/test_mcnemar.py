"""McNemar's test against SciPy's binomial test and sums by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from kobert_hf_emotion.metrics.mcnemar import mcnemar


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 1), (1, 8), (10, 3), (40, 61), (0, 12)])
def test_mcnemar_is_the_binomial_test(only_first: int, only_second: int) -> None:
    first = np.array([True] * only_first + [False] * only_second + [True, False])
    second = np.array([False] * only_first + [True] * only_second + [True, False])
    found, total = mcnemar(first, second), only_first + only_second
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.exact_p == pytest.approx(binomtest(only_first, total).pvalue)
    tail = sum(comb(total, k) for k in range(min(only_first, only_second))) / 2**total
    at = comb(total, only_first) / 2**total
    assert found.mid_p == pytest.approx(2 * (tail + at / 2)), "the split itself counts half on each side"


def test_mcnemar_of_equal_counts() -> None:
    found = mcnemar(np.array([True, False, True]), np.array([False, True, True]))
    assert (found.only_first, found.only_second, found.exact_p) == (1, 1, 1)
    assert found.mid_p == pytest.approx(0.75)  # 1 - half the probability of 1 of 2
    same = mcnemar(np.array([True, False]), np.array([True, False]))
    assert (same.exact_p, same.mid_p) == (1, 1)
