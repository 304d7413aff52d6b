"""The metric module against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import EvalPrediction

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.metrics.classification import EmotionMetrics, classification_scores, compute_metrics


def count(predictions: list[int], references: list[int]) -> dict[str, float]:
    """Accuracy and F1 from their definitions, over the classes that occur."""
    rows = list(zip(predictions, references, strict=True))
    f1, support = {}, {}
    for c in {*predictions, *references}:
        hits = sum(p == r == c for p, r in rows)
        f1[c] = 2 * hits / (sum(p == c for p, _ in rows) + sum(r == c for _, r in rows))
        support[c] = sum(r == c for _, r in rows)
    return {
        "accuracy": sum(p == r for p, r in rows) / len(rows),
        "macro_f1": sum(f1.values()) / len(f1),
        "weighted_f1": sum(f1[c] * support[c] for c in f1) / len(rows),
    }


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_definitions(rows: list[tuple[int, int]]) -> None:
    predictions, references = map(list, zip(*rows, strict=True))
    scores = EmotionMetrics().compute(predictions=predictions, references=references)
    assert scores == pytest.approx(count(predictions, references))
    assert classification_scores(references, predictions) == scores


def test_from_logits() -> None:
    random = np.random.default_rng(3)
    logits, references = random.normal(size=(50, 7)).astype(np.float32), random.integers(0, 7, 50)
    scores = compute_metrics(EvalPrediction(predictions=logits, label_ids=references))
    assert sorted(scores) == ["accuracy", "macro_f1", "weighted_f1"]
    assert scores == pytest.approx(count(logits.argmax(1).tolist(), references.tolist()))


def test_ignored_rows_do_not_count() -> None:
    logits = np.eye(3)[[0, 1, 2, 2, 1]]
    references = np.array([0, 1, -100, -100, 2])
    scores = compute_metrics(EvalPrediction(predictions=logits, label_ids=references))
    assert scores == pytest.approx(count([0, 1, 1], [0, 1, 2]))


def test_perfect_and_hopeless() -> None:
    metrics = EmotionMetrics()
    assert set(metrics.compute(predictions=[0, 1], references=[0, 1]).values()) == {1.0}
    assert set(metrics.compute(predictions=[1, 0], references=[0, 1]).values()) == {0.0}


def test_logits_that_are_nan_are_refused_unless_their_row_does_not_count() -> None:
    logits, references = np.eye(3), np.array([0, 1, -100])
    logits[2] = np.nan
    assert compute_metrics(EvalPrediction(predictions=logits, label_ids=references))["accuracy"] == 1
    logits[1] = np.nan
    with pytest.raises(KoBERTEmotionError, match="no probabilities in 1 of 2 rows"):
        compute_metrics(EvalPrediction(predictions=logits, label_ids=references))
