"""Precision, recall and F1 of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[Any]


def rates(hits: Counts, given: Counts, had: Counts) -> dict[str, NDArray[np.float64]]:
    """Computes precision, recall and F1, each 0 where it is 0 / 0.

    Args:
        hits: How often a label was given rightly.
        given: How often it was given.
        had: How often it was there.

    Returns:
        `precision`, `recall` and `f1-score`, named as in scikit-learn's report, each of the shape of the counts.

    Example:
        >>> {name: float(found) for name, found in rates(np.array(1), np.array(2), np.array(4)).items()}
        {'precision': 0.5, 'recall': 0.25, 'f1-score': 0.3333333333333333}
    """
    return {
        "precision": hits / np.maximum(given, 1),
        "recall": hits / np.maximum(had, 1),
        "f1-score": 2 * hits / np.maximum(given + had, 1),
    }
