"""The table of predictions: what stands in it, read back by other programs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax as scipy_softmax

from kobert_hf_emotion.inference.prediction_csv import prediction_csv
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.tasks.multi_label import MultiLabel

NAMES = list(EMOTION_LABELS)
LOGITS = np.random.default_rng(0).normal(size=(60, 7)).astype(np.float32)


class TestPredictionCsv:
    texts = ('쉼표, 그리고 "따옴표"', "줄\n바꿈", "=수식", "행복해")

    def write(self, path: Path, labels: np.ndarray | None) -> None:
        columns = {"id": ["a", "b", "c", "d"], "text": list(self.texts)}
        with prediction_csv(path, NAMES) as table:
            table.write(columns, LOGITS[:4], labels)

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

    def test_parts_are_written_as_the_whole(self, tmp_path: Path) -> None:
        labels = np.array([0, -1, 2, 6])
        self.write(tmp_path / "whole.csv", labels)
        with prediction_csv(tmp_path / "parts.csv", NAMES) as table:
            for part in (slice(0, 1), slice(1, 4)):
                table.write({"id": list("abcd")[part], "text": self.texts[part]}, LOGITS[:4][part], labels[part])
        assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()

    def test_no_rows(self, tmp_path: Path) -> None:
        with prediction_csv(tmp_path / "out.csv", NAMES) as table:
            table.write({"text": []}, np.zeros((0, 7)))
        assert len(pd.read_csv(tmp_path / "out.csv")) == 0

    def test_a_failure_leaves_the_old_file(self, tmp_path: Path) -> None:
        file = tmp_path / "out.csv"
        self.write(file, None)
        before = file.read_bytes()
        with pytest.raises(ValueError, match="shorter"), prediction_csv(file, NAMES) as table:
            table.write({"text": ["too", "few"]}, LOGITS[:4])
        assert file.read_bytes() == before
        assert list(tmp_path.iterdir()) == [file]

    def test_a_model_of_several_labels_has_its_own_columns(self, tmp_path: Path) -> None:
        logits = np.array([[3.0, -3.0, 2.0], [-3.0, -3.0, -2.0]], dtype=np.float32)
        with prediction_csv(tmp_path / "out.csv", ["a", "b", "c"], MultiLabel(allow_empty=True)) as table:
            table.write({"text": ["가", "나"]}, logits)
        rows = pd.read_csv(tmp_path / "out.csv", encoding="utf-8-sig", keep_default_na=False)
        assert [set(cell.split("|")) for cell in rows["prediction"]] == [{"a", "c"}, {"[]"}]
