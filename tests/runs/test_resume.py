"""Runs that were interrupted: continued to the same bits, or refused with what differs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from paths import SUPPORT
from preloaded import Preloaded
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs import preparation
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.runs.state import only_process, unfinished_record
from kobert_hf_emotion.splits.csv import read_split, write_split
from kobert_hf_emotion.splits.folds import folds_from_numbers, split_hash
from kobert_hf_emotion.training import resumable_trainer as fold_trainer
from kobert_hf_emotion.training.resumable_trainer import CheckpointClock, FoldTrainer, last_checkpoint
from kobert_hf_emotion.training.trainer import EmotionTrainer

RESULTS = ("fold_*/model.safetensors", "fold_*/history.csv", "fold_*/*.npy", "oof_predictions.csv", "report.json")


class StopHereError(Exception):
    """What these tests stop a run with."""


def hashes(run: Path) -> dict[str, str]:
    files = [path for pattern in RESULTS for path in run.glob(pattern)]
    assert len(files) >= 5
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def interrupt(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Makes the training step of that number raise."""
    step, left = EmotionTrainer.training_step, iter(range(calls))

    def once(self: EmotionTrainer, *args: Any) -> Any:
        if next(left, None) is None:
            monkeypatch.undo()
            raise StopHereError
        return step(self, *args)

    monkeypatch.setattr(EmotionTrainer, "training_step", once)


@pytest.fixture(scope="module")
def dataset() -> datasets.Dataset:
    return make_dataset(6)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_run_killed_again_and_again_ends_with_the_same_bits(
    tiny_model_folder: Path, tmp_path: Path, preloaded: Preloaded
) -> None:
    done = preloaded.run(SUPPORT / "killed_runs.py", tiny_model_folder, tmp_path, 5)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sum(json.loads(done.stdout.splitlines()[-1]).values()) >= 8, (
        done.stdout
    )  # the ninth is shot by the clock, and may have ended
    assert hashes(tmp_path / "killed") == hashes(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    ), "something was left behind"
    steps = [line.split() for line in (tmp_path / "steps.txt").read_text().splitlines()]
    places = [(Path(fold).name, int(step)) for fold, step in steps]
    for before, after in pairwise(places):
        assert after >= (before[0], before[1] - 1), "a finished fold, or more than the last step, was done again"


@pytest.mark.slow
def test_any_order_of_rows_and_accumulated_steps_continue(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = make_args(
        per_device_train_batch_size=4, gradient_accumulation_steps=2, train_sampling_strategy="random",
        checkpoint_seconds=0, num_train_epochs=3,
    )  # fmt: skip
    cross_validate(dataset, tmp_path / "whole", tiny_model_folder, args, n_splits=2)
    for calls in (3, 6, 8):  # within an epoch, at the end of one, and in the second fold
        interrupt(monkeypatch, calls)
        with pytest.raises(StopHereError):
            cross_validate(dataset, tmp_path / "broken", tiny_model_folder, args, n_splits=2)
    cross_validate(dataset, tmp_path / "broken", tiny_model_folder, args, n_splits=2)
    assert hashes(tmp_path / "broken") == hashes(tmp_path / "whole")


@pytest.fixture(scope="module")
def unfinished(dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "unfinished"
    with pytest.MonkeyPatch.context() as monkeypatch:
        interrupt(monkeypatch, 3)
        with pytest.raises(StopHereError):
            cross_validate(dataset, run, tiny_model_folder, make_args(checkpoint_seconds=0), n_splits=2)
    return run


def refusal(run: Path, dataset: datasets.Dataset, model: Path, **options: Any) -> str:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    options = {"args": make_args(), "n_splits": 2, **options}
    with pytest.raises(RunError) as caught:
        cross_validate(dataset, run, model, **options)
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    return str(caught.value)


def test_what_changed_is_listed(unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path) -> None:
    args = make_args(learning_rate=2e-3, focal_gamma=1.0)
    message = refusal(unfinished, dataset, tiny_model_folder, args=args, n_splits=3)
    assert "training_arguments.learning_rate: 0.001 → 0.002" in message
    assert "training_arguments.focal_gamma: 2.0 → 1.0" in message
    assert "n_splits: 2 → 3" in message
    assert "checkpoint_seconds" not in message
    assert "data_sha256" not in message


def test_changed_data_and_splits_are_refused(
    unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path
) -> None:
    other = dataset.map(lambda row, index: {"text": row["text"] + "?" * (index == 5)}, with_indices=True)
    message = refusal(unfinished, other, tiny_model_folder)
    assert "data_sha256" in message
    assert "split_sha256" not in message
    numbers = [1 + index % 2 for index in range(len(dataset))]
    assert "split_sha256" in refusal(unfinished, dataset, tiny_model_folder, split=numbers)


def test_a_changed_model_is_refused(
    unfinished: Path, dataset: datasets.Dataset, tiny_model: EmotionClassifier, tiny_model_folder: Path
) -> None:
    record = json.loads((unfinished / "run.json").read_text(encoding="utf-8"))
    with torch.no_grad():
        tiny_model.bert.embeddings.LayerNorm.bias[0] += 1
    folder = unfinished.parent / "other"
    tiny_model.tokenizer  # noqa: B018 - reads it, so that it is saved as well
    tiny_model.save_pretrained(folder)
    message = refusal(unfinished, dataset, folder)
    assert "start_weights_sha256" in message
    assert f"model: {json.dumps(record['model'])} → " in message


def test_changed_versions_are_refused(
    unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = preparation.library_versions()
    monkeypatch.setattr(preparation, "library_versions", lambda: {**now, "torch": "0.1"})
    assert f'versions.torch: "{torch.__version__}" → "0.1"' in refusal(unfinished, dataset, tiny_model_folder)


def test_two_processes_are_not_at_one_run(unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path) -> None:
    with only_process(unfinished):
        assert "Another process" in refusal(unfinished, dataset, tiny_model_folder)


def test_a_checkpoint_is_not_unpickled(
    unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "touched"),)

    checkpoint = last_checkpoint(unfinished / "in_progress" / "fold_1")
    assert checkpoint is not None
    path = Path(checkpoint, "optimizer.pt")
    good = path.read_bytes()
    torch.save({"state": Evil()}, path)
    try:
        with pytest.raises(pickle.UnpicklingError):
            cross_validate(dataset, unfinished, tiny_model_folder, make_args(), n_splits=2)
    finally:
        path.write_bytes(good)
    assert not (tmp_path / "touched").exists()


def test_what_is_no_unfinished_run(tmp_path: Path) -> None:
    assert unfinished_record(tmp_path / "nothing") is None
    assert unfinished_record(tmp_path) is None
    (tmp_path / ".run.json.0123456789ab.partial").touch()
    assert unfinished_record(tmp_path) is None
    (tmp_path / "run.json").write_text('{"finished": true}')
    with pytest.raises(RunError, match="nothing in it was touched"):
        unfinished_record(tmp_path)


def test_checkpoints_cost_a_twentieth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(fold_trainer.time, "monotonic", lambda: now[0])
    alone = type("Alone", (), {"num_processes": 1})()
    clock = CheckpointClock(alone, 60.0)
    due = []
    for now[0], spent in ((59.0, None), (60.0, 1.0), (119.0, None), (120.0, 6.0), (239.0, None), (240.0, 1.0)):
        due.append(clock._is_due())
        if spent is not None:
            clock.restart(fold_trainer.COST * spent)
    assert due == [False, True, False, True, False, True]


@pytest.mark.slow
def test_a_short_run_writes_no_checkpoint(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FoldTrainer, "_save_checkpoint", lambda *args: pytest.fail("a checkpoint was written"))
    cross_validate(dataset, tmp_path / "run", tiny_model_folder, make_args(), n_splits=2)


@pytest.mark.slow
def test_a_run_begun_with_another_way_to_split_goes_on_with_its_own(
    unfinished: Path, dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(unfinished, run)
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    # As an earlier version would have left it: the same settings, other folds.
    numbers = [3 - number for number in read_split(run / "split.csv", dataset)]
    write_split(run / "split.csv", dataset, numbers)
    record["split_sha256"] = split_hash(folds_from_numbers(numbers))
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    for folder in (*run.glob("fold_*"), run / "in_progress"):
        shutil.rmtree(folder, ignore_errors=True)
    result = cross_validate(dataset, run, tiny_model_folder, make_args(), n_splits=2)
    assert result.split_sha256 == record["split_sha256"]
    after = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert (after["split_from"], after["finished"]) == ("seed", True)
