"""Reports and tables of predictions."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import accuracy_score, classification_report, f1_score

from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.scores import score, table_report, text_report, write_predictions

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


class TestPredictions:
    texts = ('쉼표, 그리고 "따옴표"', "줄\n바꿈", "=수식", "행복해")

    def write(self, path: Path, labels: np.ndarray | None) -> None:
        columns = {"id": ["a", "b", "c", "d"], "text": list(self.texts)}
        write_predictions(path, LOGITS[:4], NAMES, columns, labels)

    def test_columns(self, tmp_path: Path) -> None:
        file = tmp_path / "out.csv"
        self.write(file, np.array([0, -1, 2, 6]))
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        with file.open(encoding="utf-8-sig", newline="") as handle:
            head, *rows = csv.reader(handle)
        assert head == ["id", "text", "label", "prediction", "score", *(f"prob_{name}" for name in NAMES)]
        assert tuple(row[1] for row in rows) == self.texts
        assert [row[2] for row in rows] == ["fear", "", "angry", "disgust"]

    def test_figures(self, tmp_path: Path) -> None:
        file = tmp_path / "out.csv"
        self.write(file, None)
        table = pd.read_csv(file, encoding="utf-8-sig")
        assert "label" not in table
        expected = scipy_softmax(LOGITS[:4].astype(np.float64), axis=1)
        assert np.allclose(table[[f"prob_{name}" for name in NAMES]], expected, atol=5e-7)
        assert np.allclose(table["score"], expected.max(1), atol=5e-7)
        assert table["prediction"].tolist() == [NAMES[i] for i in LOGITS[:4].argmax(1)]

    def test_no_rows(self, tmp_path: Path) -> None:
        write_predictions(tmp_path / "out.csv", np.zeros((0, 7)), NAMES, {"text": []})
        assert len(pd.read_csv(tmp_path / "out.csv")) == 0

    def test_a_failure_leaves_the_old_file(self, tmp_path: Path) -> None:
        file = tmp_path / "out.csv"
        self.write(file, None)
        before = file.read_bytes()
        with pytest.raises(IndexError):
            write_predictions(file, LOGITS[:4], NAMES, {"text": ["too", "few"]})
        assert file.read_bytes() == before
        assert list(tmp_path.iterdir()) == [file]
