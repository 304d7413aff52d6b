"""The best epoch of a fold: chosen on rows that are neither trained on nor scored, whatever happens to the process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from sklearn.metrics import f1_score
from small_runs import make_args, make_dataset
from torch import nn
from transformers import TrainerControl, TrainerState

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.text_keys import text_key
from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.training.choosing import METRIC, ChosenEpoch, EpochKeeper
from kobert_hf_emotion.training.trainer import EmotionTrainer

SETTINGS: dict[str, Any] = {"num_train_epochs": 5, "learning_rate": 3e-3, "best_epoch": True, "choosing_share": 0.25}


@pytest.fixture(scope="module")
def dataset() -> datasets.Dataset:
    return make_dataset(8)


@pytest.fixture(scope="module")
def run(dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chosen") / "run"
    cross_validate(dataset, folder, tiny_model_folder, make_args(**SETTINGS), n_splits=2)
    return folder


def chosen(run: Path, fold: int) -> dict[str, Any]:
    return json.loads((run / f"fold_{fold}" / "fold.json").read_text(encoding="utf-8"))


def test_the_epoch_with_the_highest_score_on_its_own_rows_is_kept(run: Path, dataset: datasets.Dataset) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for number in (1, 2):
        fold = chosen(run, number)
        epoch = fold["chosen_epoch"]
        assert (fold["train_rows"], epoch["rows"], fold["validation_rows"]) == (21, 7, 28)
        assert len(epoch["macro_f1_by_epoch"]) == 5
        assert not epoch["stopped"]
        assert epoch["epoch"] == 1 + int(np.argmax(epoch["macro_f1_by_epoch"]))
        assert epoch["macro_f1"] == max(epoch["macro_f1_by_epoch"])
        assert record["folds"][number - 1]["chosen_epoch"] == epoch
        history = (run / f"fold_{number}" / "history.csv").read_text().splitlines()
        assert len(history) == 1 + 5
        of_epoch = float(history[int(epoch["epoch"])].split(",")[-1])
        assert fold["scores"]["macro_f1"] == pytest.approx(of_epoch), "the validation rows in that epoch"
    assert any(chosen(run, number)["chosen_epoch"]["epoch"] < 5 for number in (1, 2)), "or nothing is tested"
    assert not (run / "in_progress").exists()
    first = chosen(run, 1)["chosen_epoch"]["epoch"]
    assert (
        f"set aside from training [their number]): fold_1 {first:g}/5 [7], fold_2" in (run / "report.txt").read_text()
    )


def test_the_saved_model_is_that_of_the_epoch(run: Path, dataset: datasets.Dataset) -> None:
    with (run / "split.csv").open(encoding="utf-8") as handle:
        assert handle.readline()
    for number in (1, 2):
        logits = np.load(run / f"fold_{number}" / "validation_logits.npy")
        validation = dataset.select(np.flatnonzero(np.asarray(folds_of(run, dataset)) == number))
        predicted = load_classifier(run / f"fold_{number}").predict_logits(validation["text"][:])
        temperature = load_classifier(run / f"fold_{number}").temperature
        np.testing.assert_allclose(predicted * temperature, logits, atol=1e-4)
        truth = np.asarray(validation["label"][:])
        score = f1_score(truth, logits.argmax(1), average="macro")
        assert chosen(run, number)["scores"]["macro_f1"] == pytest.approx(score)


def folds_of(run: Path, dataset: datasets.Dataset) -> list[int]:
    from kobert_hf_emotion.splits.csv import read_split

    return list(read_split(run / "split.csv", dataset))


@pytest.mark.slow
def test_a_fold_that_gets_no_better_is_stopped(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path
) -> None:
    args = make_args(num_train_epochs=30, learning_rate=1e-7, early_stopping_patience=2, choosing_share=0.25)
    cross_validate(dataset, tmp_path / "run", tiny_model_folder, args, n_splits=2)
    for number in (1, 2):
        epoch = chosen(tmp_path / "run", number)["chosen_epoch"]
        scores = epoch["macro_f1_by_epoch"]
        assert epoch["stopped"]
        assert len(scores) == 1 + int(np.argmax(scores)) + 2, "two epochs after the best"
        assert epoch["rows"] == 7


class StopHereError(Exception):
    """Stands for a kill."""


@pytest.mark.slow
@pytest.mark.parametrize("patience", [0, 1])
def test_a_killed_fold_keeps_the_same_epoch(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int
) -> None:
    args = make_args(**SETTINGS, early_stopping_patience=patience, checkpoint_seconds=0)
    cross_validate(dataset, tmp_path / "whole", tiny_model_folder, args, n_splits=2)
    step, left = EmotionTrainer.training_step, iter(())

    def counted(self: EmotionTrainer, *inputs: Any) -> Any:
        if next(left, None) is None:
            raise StopHereError
        return step(self, *inputs)

    monkeypatch.setattr(EmotionTrainer, "training_step", counted)
    for calls in (1, 2, 3, 1, 2, 3, 2, 4, 3):
        left = iter(range(1, calls + 1))
        try:
            cross_validate(dataset, tmp_path / "broken", tiny_model_folder, args, n_splits=2)
        except StopHereError:
            continue
        break
    else:
        left = iter(range(1, 1000))
        cross_validate(dataset, tmp_path / "broken", tiny_model_folder, args, n_splits=2)
    for name in ("fold.json", "history.csv", "model.safetensors", "validation_logits.npy"):
        for fold in ("fold_1", "fold_2"):
            whole, broken = (tmp_path / run / fold / name for run in ("whole", "broken"))
            assert whole.read_bytes() == broken.read_bytes(), (fold, name)


def test_weights_stay_as_long_as_a_checkpoint_may_come_back_to_them(tmp_path: Path, tiny_model: Any) -> None:
    keeper = EpochKeeper(tmp_path, 0, 7)
    control = type("Control", (), {"should_training_stop": False, "should_save": False})()
    state = type("State", (), {"log_history": [], "global_step": 0, "is_world_process_zero": True})()

    def evaluate(step: int, score: float) -> list[str]:
        state.global_step = step
        state.log_history.append({"step": step, METRIC: score, "train_loss": 1.0, "epoch": float(step)})
        keeper.on_evaluate(None, state, control, model=tiny_model)  # type: ignore[arg-type]
        return sorted(path.name for path in tmp_path.iterdir())

    keeper.on_train_begin(None, state, control)  # type: ignore[arg-type]
    assert evaluate(1, 0.5) == ["best-1"]
    keeper.on_save(None, state, control)  # type: ignore[arg-type]
    assert evaluate(2, 0.6) == ["best-1", "best-2"], "a checkpoint says 1"
    assert evaluate(3, 0.7) == ["best-1", "best-3"]
    assert evaluate(4, 0.7) == ["best-1", "best-3"], "the first of equals"
    keeper.on_save(None, state, control)  # type: ignore[arg-type]
    assert evaluate(5, 0.1) == ["best-3"]


class Fold:
    """A model of four numbers, which are the step it was last trained in, and what a trainer tells an `EpochKeeper`."""

    def __init__(self, folder: Path, patience: int = 0) -> None:
        self.model = nn.Linear(2, 2, bias=False)
        self.keeper = EpochKeeper(folder, patience, 7)
        self.state, self.control = TrainerState(max_steps=40), TrainerControl(should_save=True)
        self.keeper.on_train_begin(make_args(), self.state, self.control)

    def train(self, *scores: float) -> None:
        for score in scores:
            step = self.state.global_step = self.state.global_step + 10
            nn.init.constant_(self.model.weight, step)
            line = {"step": step, METRIC: score, "train_loss": 1.0, "epoch": step / 10}
            self.state.log_history += [{"step": step, "loss": 2.0}, line]
            self.keeper.on_evaluate(make_args(), self.state, self.control, model=self.model)


@pytest.mark.parametrize(("scores", "best"), [((0.5, 0.7, 0.6, 0.7), 2), ((0.5, 0.7, 0.6, 0.8), 4), ((0.5,), 1)])
def test_the_weights_of_the_best_epoch_are_given_back(tmp_path: Path, scores: tuple[float, ...], best: int) -> None:
    fold = Fold(tmp_path)
    fold.train(*scores)
    expected = ChosenEpoch(float(best), 10 * best, max(scores), 7, list(scores), len(scores) < 4)
    assert fold.keeper.load(fold.model, fold.state) == expected
    assert fold.model.weight.tolist() == [[10.0 * best] * 2] * 2
    assert not fold.control.should_training_stop


@pytest.mark.parametrize("patience", [1, 2])
def test_as_many_epochs_as_patience_without_a_better_one_end_a_fold(tmp_path: Path, patience: int) -> None:
    fold = Fold(tmp_path, patience)
    fold.train(0.5, 0.6, *[0.6] * (patience - 1))
    assert (fold.control.should_training_stop, fold.control.should_save) == (False, True)
    fold.train(0.1)
    assert (fold.control.should_training_stop, fold.control.should_save) == (True, False)


def test_what_a_killed_process_left_is_written_anew_and_what_is_another_processs_is_left(tmp_path: Path) -> None:
    (tmp_path / "best-10").mkdir()
    (tmp_path / "best-10" / "half.tmp").touch()
    other = Fold(tmp_path)
    other.state.is_world_process_zero = False
    other.train(0.5)
    assert [path.name for path in tmp_path.rglob("*")] == ["best-10", "half.tmp"]
    other.keeper.on_save(make_args(), other.state, other.control)
    assert (tmp_path / "best-10").exists()
    fold = Fold(tmp_path)
    fold.train(0.5)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["best-10", "model.safetensors"]


def test_an_evaluation_after_the_training_changes_nothing(tmp_path: Path) -> None:
    fold = Fold(tmp_path, patience=1)
    fold.keeper.on_evaluate(make_args(), fold.state, fold.control, model=fold.model)  # of the base, before it
    assert not list(tmp_path.iterdir())
    fold.train(0.5)
    fold.state.global_step = 15
    fold.state.log_history += [{"step": 15, METRIC: 0.9}, {"step": 15, "train_loss": 1.0}]
    fold.keeper.on_evaluate(make_args(), fold.state, fold.control, model=fold.model)
    assert [path.name for path in tmp_path.iterdir()] == ["best-10"]
    assert not fold.control.should_training_stop


def test_a_fold_that_goes_on_from_a_checkpoint_keeps_what_that_may_come_back_to(tmp_path: Path) -> None:
    first = Fold(tmp_path)
    first.train(0.5)
    again = Fold(tmp_path)
    again.state = first.state
    again.keeper.on_train_begin(make_args(), again.state, again.control)
    again.train(0.6, 0.7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-10", "best-30"]
    again.keeper.on_save(make_args(), again.state, again.control)
    assert [path.name for path in tmp_path.iterdir()] == ["best-30"]


def test_what_a_fold_says_of_its_epoch() -> None:
    chosen_epoch = ChosenEpoch(2.0, 20, 0.7, 7, [0.5, 0.7], True)
    assert chosen_epoch.to_dict() == {
        "epoch": 2.0, "step": 20, "macro_f1": 0.7, "rows": 7, "macro_f1_by_epoch": [0.5, 0.7], "stopped": True,
    }  # fmt: skip


@pytest.mark.slow
def test_equal_texts_are_on_one_side(tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kobert_hf_emotion.runs import fold_training

    base = make_dataset(8)
    rows = datasets.concatenate_datasets([base, base.map(lambda row: {"text": row["text"] + " !"})])
    shares = []
    real = fold_training.train_fold

    def noted(plan: Any, number: int, encoded: Any, share: Any, *others: Any) -> Any:
        shares.append(share)
        return real(plan, number, encoded, share, *others)

    monkeypatch.setattr(fold_training, "train_fold", noted)
    cross_validate(
        rows,
        tmp_path / "run",
        tiny_model_folder,
        make_args(num_train_epochs=1, best_epoch=True, choosing_share=0.25),
        n_splits=2,
    )
    for share in shares:
        parts = [{text_key(rows[int(index)]["text"]) for index in part} for part in share]
        assert len(set.union(*parts)) == sum(map(len, parts)), "a text in two parts"
        assert sum(map(len, share)) == len(rows)


def test_too_few_rows_to_choose_on_are_told_with_what_to_do(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="choosing_share") as caught:
        cross_validate(make_dataset(4), tmp_path / "run", tiny_model_folder, make_args(best_epoch=True), n_splits=2)
    assert caught.value.mend == {"choosing_share": 0.5}


def test_the_notebooks_files_do_not_go_with_it(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RunError, match="legacy_export"):
        cross_validate(
            dataset, tmp_path / "run", tiny_model_folder, make_args(best_epoch=True), n_splits=2, legacy_export=True
        )
    assert main(["train", str(tmp_path / "none.csv"), "--best-epoch"]) == 2
    capsys.readouterr()
