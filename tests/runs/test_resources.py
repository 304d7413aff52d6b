"""A run with many folds: nothing of a fold outlives it, one bar for all, and a tracker's run for each."""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
import weakref
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.runs import fold_record
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.tasks.single_label import SingleLabel
from kobert_hf_emotion.training import progress
from kobert_hf_emotion.training.resumable_trainer import FoldTrainer


@pytest.mark.slow
def test_twenty_folds_leave_nothing_behind(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier: list[weakref.ref[Any]] = []
    memory: list[int] = []
    start = FoldTrainer.__init__

    def watched(self: FoldTrainer, *args: Any, **kwargs: Any) -> None:
        assert not any(reference() for reference in earlier), "a trainer or model of an earlier fold is alive"
        memory.append(psutil.Process().memory_info().rss)
        start(self, *args, **kwargs)
        earlier.extend([weakref.ref(self), weakref.ref(self.model), weakref.ref(self.callback_handler)])

    monkeypatch.setattr(FoldTrainer, "__init__", watched)
    data = make_dataset(20)
    few = data.select([index for index, label in enumerate(data["label"]) if label in (3, 5)])
    cross_validate(few, tmp_path / "run", tiny_model_folder, make_args(num_train_epochs=1), n_splits=20)
    gc.collect()
    assert len(memory) == 20
    assert not any(reference() for reference in earlier)
    assert memory[-1] - memory[4] < 16 * 2**20, [size // 2**20 for size in memory]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
def test_one_bar_counts_the_steps_of_all_folds(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    screen, bars = Terminal(), []
    monkeypatch.setattr(sys, "stderr", screen)
    make = progress.tqdm

    def noted(*args: Any, **kwargs: Any) -> Any:
        bars.append(make(*args, **kwargs))
        return bars[-1]

    monkeypatch.setattr(progress, "tqdm", noted)
    with caplog.at_level(logging.INFO):
        cross_validate(make_dataset(6), tmp_path / "run", tiny_model_folder, make_args(disable_tqdm=False), n_splits=3)
    assert [(bar.n, bar.total) for bar in bars] == [(12, 12)]  # 3 folds, 2 epochs, 28 rows in batches of 16
    assert "fold 3/3" in screen.getvalue()
    assert "fold 2/3, epoch 2.00, step 4/4: validation loss" in caplog.text


def test_no_bar_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.RunProgress(2) as bar:
        bar.skip(10)
    assert capfd.readouterr().err == ""


def run_with(tracker: str, model: Path, run: Path) -> None:
    args = make_args(report_to=[tracker], num_train_epochs=1, logging_steps=1)
    cross_validate(make_dataset(4), run, model, args, n_splits=2)


@pytest.mark.slow
def test_tensorboard_has_a_run_a_fold(tiny_model_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_with("tensorboard", tiny_model_folder, tmp_path / "a")
    folders = sorted(path.name for path in (tmp_path / "a" / "tensorboard").iterdir())
    assert folders == ["fold_1", "fold_2"]
    for number, fold in enumerate(folders, start=1):
        events = EventAccumulator(str(tmp_path / "a" / "tensorboard" / fold)).Reload()
        [record] = fold_record.read_fold(tmp_path / "a" / f"fold_{number}", _truth(tmp_path, fold), SingleLabel())[
            0
        ].history
        [logged] = events.Scalars("eval/macro_f1")
        assert (logged.step, logged.value) == (record.step, pytest.approx(record.val_macro_f1))
    assert "TENSORBOARD_LOGGING_DIR" not in os.environ


def _truth(folder: Path, fold: str) -> Any:
    import numpy as np

    data = np.asarray(make_dataset(4)["label"])
    lines = (folder / "a" / "split.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    return data[[line.split(",")[1] == fold[-1] for line in lines]]


@pytest.mark.slow
def test_wandb_has_a_run_a_fold_in_one_group(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    started = []
    init = wandb.init

    def noted(*args: Any, **kwargs: Any) -> Any:
        run = init(*args, **kwargs)
        started.append((run.name, run.group))
        return run

    monkeypatch.setattr(wandb, "init", noted)
    run_with("wandb", tiny_model_folder, tmp_path / "a")
    assert started == [("fold_1", "a"), ("fold_2", "a")]
    assert wandb.run is None
    assert len(list((tmp_path / "wandb").glob("offline-run-*"))) == 2


def test_trackers_that_are_not_there(tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="expected tensorboard, wandb, trackio or none"):
        run_with("mlflow", tiny_model_folder, tmp_path / "a")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RunError, match="pip install trackio"):
        run_with("trackio", tiny_model_folder, tmp_path / "a")
    assert not (tmp_path / "a").exists()
