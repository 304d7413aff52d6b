"""Precision, recall and F1 of counts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kobert_hf_emotion.metrics.rates import rates


@pytest.mark.parametrize(
    ("hits", "given", "had", "expected"),
    [
        (1, 1, 1, (1, 1, 1)),
        (0, 0, 0, (0, 0, 0)),
        (0, 1, 0, (0, 0, 0)),
        (0, 0, 1, (0, 0, 0)),
        (1, 1, 4, (1, 1 / 4, 2 / 5)),
        (1, 4, 1, (1 / 4, 1, 2 / 5)),
        (6, 8, 12, (3 / 4, 1 / 2, 3 / 5)),
    ],
)
def test_they_are_those_of_hand_computed_examples(
    hits: int, given: int, had: int, expected: tuple[float, float, float]
) -> None:
    found = rates(*(np.array([[count], [0]]) for count in (hits, given, had)))
    assert list(found) == ["precision", "recall", "f1-score"]
    for value, values in zip(expected, found.values(), strict=True):
        assert values.tolist() == [[pytest.approx(value)], [0.0]]
