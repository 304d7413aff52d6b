"""Figures and reports of predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score, classification_report, f1_score

from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.scores import score, table_report, text_report

NAMES = list(EMOTION_LABELS)
RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(60, 7)).astype(np.float32)
LABELS = RANDOM.integers(0, 7, 60)


def test_scores_are_scikit_learns() -> None:
    scores = score(LOGITS, LABELS)
    predictions = LOGITS.argmax(1)
    assert scores.rows == 60
    assert scores.accuracy == pytest.approx(accuracy_score(LABELS, predictions))
    assert scores.macro_f1 == pytest.approx(f1_score(LABELS, predictions, average="macro"))
    assert scores.weighted_f1 == pytest.approx(f1_score(LABELS, predictions, average="weighted"))
    nats = -log_softmax(LOGITS.astype(np.float64), axis=1)[np.arange(60), LABELS].mean()
    assert scores.log_loss == pytest.approx(nats)


def test_scores_where_classes_are_missing() -> None:
    scores = score(np.array([[5.0, 0, 0], [4, 0, 0]]), np.array([0, 0]))
    assert (scores.accuracy, scores.macro_f1) == (1.0, 1.0)
    assert scores.log_loss == pytest.approx((math.log(1 + 2 * math.exp(-5)) + math.log(1 + 2 * math.exp(-4))) / 2)


def test_reports_are_scikit_learns() -> None:
    names = [NAMES[i] for i in LABELS], [NAMES[i] for i in LOGITS.argmax(1)]
    table = table_report(LOGITS, LABELS, NAMES)
    expected = classification_report(*names, output_dict=True)
    for name in (*NAMES, "macro avg", "weighted avg"):
        assert table[name] == pytest.approx(expected[name])
    text = text_report(LOGITS, LABELS, NAMES)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    for name in NAMES:
        assert float(rows[name][3]) == pytest.approx(expected[name]["f1-score"], abs=5e-5)
        assert int(rows[name][4]) == expected[name]["support"]
    assert [line.split()[0] for line in text.splitlines() if line.strip()][1:8] == NAMES


def test_a_class_that_neither_occurs_nor_is_predicted_counts_nowhere() -> None:
    logits, labels = np.eye(7)[[0, 5, 5, 2]], np.array([0, 5, 2, 2])
    table = table_report(logits, labels, NAMES)
    assert {name for name in NAMES if name in table} == {NAMES[0], NAMES[2], NAMES[5]}
    assert table["macro avg"]["f1-score"] == pytest.approx(score(logits, labels).macro_f1)
    assert "disgust" not in text_report(logits, labels, NAMES)


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    logits, labels = np.eye(3)[[0, 0, 2]], np.array([0, 1, 2])
    names = ["가", "나", "다"]
    assert table_report(logits, labels, names)["나"]["precision"] == 0
    lines = {line.split()[0]: line.split()[1:] for line in text_report(logits, labels, names).splitlines() if line}
    assert lines["가"] == ["0.5000", "1.0000", "0.6667", "1"], "four digits"
    assert lines["나"] == ["0.0000", "0.0000", "0.0000", "1"]


def test_the_figure_that_chooses_is_the_accuracy_and_there_are_no_remarks() -> None:
    scores = score(np.eye(3)[[0, 0, 1]], np.array([0, 1, 1]))
    assert scores.choice == scores.accuracy == pytest.approx(2 / 3)
    assert scores.remarks() == []
