"""The classification report of a confusion matrix against scikit-learn's of the rows it counts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report

from kobert_hf_emotion.metrics.classification_report import table_report_of, text_report_of

NAMES = ("fear", "놀람", "a name that is longer than the averages'", "accuracy of old")


@pytest.mark.filterwarnings("error")
def test_names_are_those_of_the_classes_that_occur_or_are_predicted() -> None:
    confusion = np.array([[0, 0, 0, 0], [0, 2, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    table = table_report_of(confusion, NAMES)
    assert list(table) == [NAMES[1], NAMES[3], "accuracy", "macro avg", "weighted avg"]
    assert table[NAMES[1]] == pytest.approx({"precision": 1, "recall": 2 / 3, "f1-score": 4 / 5, "support": 3})
    assert table[NAMES[3]] == {"precision": 0, "recall": 0, "f1-score": 0, "support": 0}
    assert table["accuracy"] == pytest.approx(2 / 3)
    lines = [line.split() for line in text_report_of(confusion, NAMES).splitlines()]
    assert lines[2] == [NAMES[1], "1.0000", "0.6667", "0.8000", "3"]


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_it_is_scikit_learns_of_the_rows(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    confusion = np.zeros((4, 4), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    present = np.union1d(truth, predicted)
    arguments = {"labels": present, "target_names": [NAMES[i] for i in present], "digits": 4, "zero_division": 0}
    expected = classification_report(truth, predicted, **arguments)
    if not (truth == predicted).any():  # then scikit-learn counts in decimals
        expected = re.sub(r"(?m)(\d+)\.0$", r"  \1", expected)
    assert text_report_of(confusion, NAMES) == expected
    table = table_report_of(confusion, NAMES)
    assert table == classification_report(truth, predicted, **arguments, output_dict=True)
    assert all(type(line["support"]) is int for line in table.values() if isinstance(line, dict))
