"""The report of out-of-fold predictions, of rows made so that the figures can be told beforehand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from kobert_hf_emotion.runs import out_of_fold
from kobert_hf_emotion.runs.out_of_fold import OutOfFoldReport, out_of_fold_report
from kobert_hf_emotion.runs.report_text import confusion_text, report_text
from kobert_hf_emotion.utils.files import write_json

NAMES = ["기쁨", "슬픔", "놀람", "분노", "없음"]
TRUTH = np.array([0, 1, 2] * 20)
# Joy is always seen, sadness never: it is taken for anger, which no row has. Nothing is said of the last one.
ANSWERS = np.where(TRUTH == 1, 3, TRUTH)
FOLDS = np.arange(60) % 2 + 1


def report(groups: list[Any] | None = None) -> OutOfFoldReport:
    logits = np.full((60, 5), 0.0, dtype=np.float32)
    logits[np.arange(60), ANSWERS] = np.linspace(1, 4, 60)
    return out_of_fold_report(logits, TRUTH, FOLDS, NAMES, groups)


def test_each_label_has_its_own_intervals() -> None:
    found = report().class_intervals
    assert list(found) == ["기쁨", "슬픔", "놀람", "분노"]
    ends = {name: {figure: (end.low, end.high) for figure, end in each.items()} for name, each in found.items()}
    for name, figure in (("기쁨", 1.0), ("놀람", 1.0), ("슬픔", 0.0), ("분노", 0.0)):
        assert ends[name] == dict.fromkeys(("precision", "recall", "f1-score"), (figure, figure))


def test_what_is_written_as_json() -> None:
    found = report()
    written = found.to_dict()
    intervals = written["intervals"]
    about = {name: intervals[name] for name in ("level", "method", "resamples", "seed", "drawn")}
    assert about == {
        "level": 0.95, "method": "percentile bootstrap", "resamples": 2000, "seed": 42,
        "drawn": {"unit": "rows", "number": 60},
    }  # fmt: skip
    # Two rows in three are right: the middle of the draws is there, the ends a binomial's.
    low, high = intervals["accuracy"]
    assert low == pytest.approx(2 / 3 - 1.96 * (2 / 9 / 60) ** 0.5, abs=0.02)
    assert high == pytest.approx(2 / 3 + 1.96 * (2 / 9 / 60) ** 0.5, abs=0.02)
    assert set(intervals) - set(about) == {"accuracy", "macro_f1", "weighted_f1", "classes"}
    assert intervals["classes"]["슬픔"] == {"precision": [0.0, 0.0], "recall": [0.0, 0.0], "f1-score": [0.0, 0.0]}


def test_rows_that_belong_together_are_drawn_together(tmp_path: Path) -> None:
    alone, together = report(), report([index // 3 for index in range(60)])
    assert (alone.drawn, alone.is_grouped) == (60, False)
    assert (together.drawn, together.is_grouped) == (20, True)
    assert together.to_dict()["intervals"]["drawn"] == {"unit": "groups of rows", "number": 20}
    # Each group has one row of each label: every draw has the same shares.
    assert together.to_dict()["intervals"]["accuracy"] == pytest.approx([2 / 3, 2 / 3])
    write(tmp_path, alone)
    assert "행 60개를 2,000번" in report_text(tmp_path, "ko")
    assert "2,000 resamples of 60 rows," in report_text(tmp_path, "en")
    write(tmp_path, together)
    assert "2,000 resamples of 20 groups of equal texts or groups," in report_text(tmp_path, "en")


def write(run: Path, found: OutOfFoldReport) -> None:
    """Writes `report.json` as a run does."""
    scores = {"rows": 60, "accuracy": 2 / 3, "macro_f1": 0.5, "weighted_f1": 2 / 3}
    about = {"folds": {"fold_1": scores}, "pooled": scores, "best": {"fold": "fold_1"}}
    write_json(run / "report.json", about | found.to_dict())


def test_what_is_written_as_text(tmp_path: Path) -> None:
    found = report()
    write(tmp_path, found)
    text = report_text(tmp_path)
    lines = text.splitlines()
    assert lines[1].split() == ["fold_1", "60", "0.6667", "0.5000", "0.6667"]
    of = {line.split()[0]: line for line in lines if line.startswith("  ")}
    for name, interval in found.intervals.items():
        assert of[name] == f"  {name.ljust(12)}  {interval}"
    calibration = found.calibration
    assert re.search(rf"온도 \(temperature\) {calibration.temperature:.4f}\b", text)
    assert of["ECE"].split()[1:] == [f"{calibration.ece_before:.4f}", "→", f"{calibration.ece_after:.4f}"]
    logits = np.full((60, 5), 0.0)
    logits[np.arange(60), ANSWERS] = np.linspace(1, 4, 60)
    loss = -log_softmax(logits, axis=1)[np.arange(60), TRUTH].mean()
    assert of["log"].split()[2] == f"{loss:.4f}"
    assert of["log"].split()[4] == f"{calibration.log_loss_after:.4f}"
    assert confusion_text(found.confusion, NAMES) in text


def test_pictures_are_of_the_matrix_and_the_calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[Any, ...]] = []
    monkeypatch.setattr(out_of_fold, "plot_confusion", lambda *given: drawn.append(given))
    monkeypatch.setattr(out_of_fold, "plot_calibration", lambda *given: drawn.append(given))
    found = report()
    found.draw(tmp_path)
    [(first, matrix, names), (second, calibration)] = drawn
    assert (first.parent, second.parent) == (tmp_path, tmp_path)
    assert {first.name, second.name} == {"confusion_matrix.png", "calibration.png"}
    assert matrix is found.confusion
    assert (names, calibration) == (NAMES, found.calibration)
