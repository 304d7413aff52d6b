"""Running figures of the training rows, and what a checkpoint carries of them."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pytest
import torch

from kobert_hf_emotion.training.tally import SUMS_FILE, RunningFigures, Tally, batch_sums

LABELS = torch.tensor([0, 0, -100])
LOSSES = torch.tensor([0.25, 1.25, 0.0])
RIGHT = torch.tensor([True, False, False])


def test_rows_without_a_label_count_nowhere() -> None:
    figures = RunningFigures()
    figures.add(batch_sums(LABELS != -100, LOSSES, RIGHT))
    assert figures.since_log.take_means() == (0.75, 0.5)
    assert all(map(isnan, figures.since_log.take_means()))
    figures.add(batch_sums(LABELS[:1] != -100, LOSSES[:1], RIGHT[:1]))
    assert figures.since_log.take_means() == (0.25, 1.0)
    assert figures.since_evaluation.take_means() == pytest.approx((1.75 / 3, 2 / 3))


def test_a_checkpoint_carries_them(tmp_path: Path) -> None:
    broken, whole = RunningFigures(), RunningFigures()
    for figures in (broken, whole):
        figures.add(batch_sums(LABELS != -100, LOSSES, RIGHT))
    broken.since_log.take_means()
    whole.since_log.take_means()
    broken.save(tmp_path, writes=True)
    first, other = RunningFigures(), RunningFigures()
    first.load(tmp_path, carries=True)
    other.load(tmp_path, carries=False)  # of a second process: the first has the sums of both
    for figures in (first, whole):
        figures.add(batch_sums(LABELS != -100, LOSSES, RIGHT))
    assert first.since_log.totals() == whole.since_log.totals() == [2.0, 1.5, 1.0]
    assert first.since_evaluation.totals() == whole.since_evaluation.totals() == [4.0, 3.0, 2.0]
    assert other.since_evaluation.totals() == [0.0, 0.0, 0.0]


def test_a_checkpoint_of_version_0_2_0_and_one_of_another_trainer(tmp_path: Path) -> None:
    figures = RunningFigures()
    figures.load(tmp_path, carries=True)
    assert figures.since_log.totals() == [0.0, 0.0, 0.0]
    (tmp_path / SUMS_FILE).write_text("[[3.0, 1.5, 2.0], [9.0, 4.5, 6.0]]")
    figures.load(tmp_path, carries=True)
    assert figures.since_log.take_means() == (0.5, 2 / 3)
    assert figures.since_evaluation.totals() == [9.0, 4.5, 6.0]


def test_one_process_writes(tmp_path: Path) -> None:
    RunningFigures().save(tmp_path, writes=False)
    assert not list(tmp_path.iterdir())


def test_a_device_is_waited_for_once_in_many_steps_and_no_row_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched, stack = [], torch.stack
    monkeypatch.setattr(torch, "stack", lambda steps: fetched.append(len(steps)) or stack(steps))
    sums = Tally()
    sums.restart([2.0**24, 0.0, 0.0])  # float32 has no odd number above
    for _ in range(600):
        sums.add(torch.tensor([1.0, 0.5, 1.0]))
    assert fetched == [256, 256]
    assert sums.totals() == [2.0**24 + 600, 300.0, 600.0]
    assert sums.totals() == [2.0**24 + 600, 300.0, 600.0]
    assert fetched == [256, 256, 88]
    sums.add(torch.tensor([1.0, 0.5, 0.0]))
    assert sums.totals() == [2.0**24 + 601, 300.5, 600.0], "it goes on after it was asked"
