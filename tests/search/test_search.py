"""A search: what it leaves, that it can be killed, and that its figures are what they are said to be."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shlex
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import optuna
import pytest
from paths import SUPPORT
from sklearn.metrics import f1_score
from small_runs import make_dataset
from small_search import SPACE, found, small_search

from kobert_hf_emotion.cli.output import quiet_libraries
from kobert_hf_emotion.errors import KoBERTEmotionError, RunError
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.search import searching
from kobert_hf_emotion.search.outcome import SearchResult
from kobert_hf_emotion.search.plan import SearchPlan
from kobert_hf_emotion.search.space import space_from, training_arguments
from kobert_hf_emotion.search.storage import JOURNAL_FILE, KernelLock
from kobert_hf_emotion.search.trial import TrialReporter
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments


@pytest.fixture(scope="module")
def searched(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return small_search(tmp_path_factory.mktemp("search") / "s", tiny_model_folder)


def trials_of(result: SearchResult) -> list[dict[str, str]]:
    with (result.output_dir / "trials.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_it_leaves_a_line_for_each_trial(searched: SearchResult) -> None:
    rows = trials_of(searched)
    assert [int(row["trial"]) for row in rows] == list(range(6))
    assert [int(row["seed"]) for row in rows] == list(range(3, 9))
    assert Counter(row["end"] for row in rows) == {name: n for name, n in searched.by_end.items() if n}
    assert {row["max_length"] for row in rows} == {"24"}
    assert rows[0]["learning_rate"] == "0.0001", "the nearest to train's own"
    complete = [row for row in rows if row["end"] == "complete"]
    best = max(complete, key=lambda row: float(row["macro_f1"]))
    assert int(best["trial"]) == searched.best
    assert float(best["macro_f1"]) == searched.optimism.chosen
    assert len({tuple(row[name] for name in SPACE) for row in rows}) == 6, "no arguments twice"
    record = json.loads((searched.output_dir / "search.json").read_text(encoding="utf-8"))
    assert (record["finished"], record["trials"], record["best"]) == (True, 6, searched.best)
    assert record["versions"]["optuna"] == optuna.__version__
    assert not list(searched.output_dir.glob("trials/*/in_progress"))
    assert not list(searched.output_dir.glob("**/*.safetensors")), "no models"


def test_the_score_is_that_of_a_run_with_these_arguments(
    searched: SearchResult, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """The trial by `cross_validate` on the same rows and folds; its macro F1 by scikit-learn."""
    rows = make_dataset(7)
    held_out = set(held_out_rows(searched))
    kept = [index for index in range(len(rows)) if index not in held_out]
    args = EmotionTrainingArguments(
        **training_arguments(searched.arguments), report_to="none", disable_tqdm=True, use_cpu=True
    )
    split = searching.make_split(rows.select(kept), 2, 3)
    numbers = [1 + (index in set(split.folds[1][1].tolist())) for index in range(len(kept))]
    result = cross_validate(rows.select(kept), tmp_path / "run", tiny_model_folder, args, split=numbers)
    truth = np.asarray(rows.select(kept)["label"][:])
    assert f1_score(truth, result.logits.argmax(1), average="macro") == pytest.approx(
        searched.optimism.chosen, abs=1e-9
    )


def held_out_rows(result: SearchResult) -> list[int]:
    return searching.make_split(make_dataset(7), 5, 3).folds[0][1].tolist()


def test_the_held_out_figure_is_on_rows_no_trial_has_seen(searched: SearchResult) -> None:
    aside = held_out_rows(searched)
    assert searched.held_out_rows == len(aside)
    assert searched.choosing_rows == 49 - len(aside)
    logits = np.load(searched.output_dir / f"held_out/trial_{searched.best}/fold_1/validation_logits.npy")
    truth = np.asarray(make_dataset(7)["label"][:])[aside]
    assert searched.held_out.scores.macro_f1 == pytest.approx(f1_score(truth, logits.argmax(1), average="macro"))
    for fold in searched.output_dir.glob("trials/*/fold_*/fold.json"):
        record = json.loads(fold.read_text(encoding="utf-8"))
        assert record["train_rows"] + record["validation_rows"] == 49 - len(aside)
    assert searched.gain == searched.held_out.scores.macro_f1 - searched.held_out_start.scores.macro_f1
    assert searched.optimism.bootstrap >= 0
    assert searched.optimism.corrected <= searched.optimism.chosen


def test_the_command_trains(searched: SearchResult) -> None:
    words = shlex.split((searched.output_dir / "train.sh").read_text(encoding="utf-8").splitlines()[-1])
    assert words[:3] == ["kobert-emotion", "train", "train.csv"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert given["--seed"] == str(3 + searched.best)
    assert given["--set"].startswith("lr_scheduler_type=")
    assert float(given["--learning-rate"]) == searched.arguments["learning_rate"]
    assert os.access(searched.output_dir / "train.sh", os.X_OK)


def test_pictures_are_in_the_page(searched: SearchResult) -> None:
    page = (searched.output_dir / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 + bool(searched.importance)
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")
    assert (searched.output_dir / "history.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert f"{searched.optimism.chosen:.4f}" in page
    assert f"{searched.held_out.scores.macro_f1:.4f}" in page


@pytest.mark.slow
def test_more_trials_go_on_from_where_it_ended(searched: SearchResult, tiny_model_folder: Path, tmp_path: Path) -> None:
    before = trials_of(searched)
    result = small_search(searched.output_dir, tiny_model_folder, 7)
    assert trials_of(result)[:6] == before, "times among them"
    assert result.trials == 7
    with pytest.raises(RunError, match="7 trials") as caught:
        small_search(searched.output_dir, tiny_model_folder, 6)
    assert caught.value.mend == {"trials": 7}
    with pytest.raises(RunError, match=r"seed: 3 → 4"):
        small_search(searched.output_dir, tiny_model_folder, 7, seed=4)
    (tmp_path / "something").touch()
    with pytest.raises(RunError, match="nothing in it was touched"):
        small_search(tmp_path, tiny_model_folder)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_search_killed_again_and_again_finds_the_same(tiny_model_folder: Path, tmp_path: Path) -> None:
    program = SUPPORT / "killed_search.py"
    done = subprocess.run(
        [sys.executable, str(program), str(tiny_model_folder), str(tmp_path), "5"],
        check=False, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 6, done.stdout
    assert found(tmp_path / "killed") == found(tmp_path / "whole")
    names = [sorted(path.name for path in (tmp_path / name).rglob("*")) for name in ("killed", "whole")]
    assert names[0] == names[1], "something was left behind"
    steps = [line.split() for line in (tmp_path / "steps.txt").read_text().splitlines()]
    begun: dict[str, int] = {}
    for place, step in steps:
        assert place in begun or int(step) == 0, "a fold does not begin at its start"
        assert int(step) >= begun.get(place, 0) - 1, "more than the last step was done again"
        assert place in begun or place not in list(begun)[:-1]
        begun[place] = int(step)
    order = list(dict.fromkeys(place for place, _ in steps))
    seen = [order.index(place) for place, _ in steps]
    assert seen == sorted(seen), "a finished fold was trained again"


def test_half_a_line_of_a_killed_process_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL_FILE
    storage = searching_storage(path)
    study = optuna.create_study(storage=storage, study_name="s")
    study.tell(study.ask(), 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"worker')
    study = optuna.load_study(storage=searching_storage(path), study_name="s")
    study.tell(study.ask(), 2.0)
    assert path.read_bytes().startswith(whole)
    again = optuna.load_study(storage=searching_storage(path), study_name="s")
    assert [trial.value for trial in again.trials] == [1.0, 2.0]


def searching_storage(path: Path) -> optuna.storages.JournalStorage:
    path.touch()
    backend = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=KernelLock(path))
    return optuna.storages.JournalStorage(backend)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_processes_share_the_trials(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By fork, as a new process imports torch for longer than all of this takes; what it is sent is pickled below."""
    monkeypatch.setattr(searching, "_START", "fork")
    result = small_search(tmp_path / "s", tiny_model_folder, 4, n_jobs=2)
    rows = trials_of(result)
    assert [int(row["trial"]) for row in rows] == [0, 1, 2, 3]
    assert len({tuple(row[name] for name in SPACE) for row in rows}) == 4
    folds = [json.loads(path.read_text()) for path in (tmp_path / "s").glob("trials/*/fold_*/fold.json")]
    assert len(folds) == sum(2 for row in rows if row["end"] == "complete")
    assert result.trials == 4


def test_what_a_helper_is_sent(searched: SearchResult, tiny_model_folder: Path) -> None:
    rows = make_dataset(7)
    split = searching.make_split(rows, 5, 3)
    plan = SearchPlan(
        searched.output_dir, str(tiny_model_folder), rows, split.folds[0][1], split.folds, None, space_from(SPACE), 6, 3
    )
    sent = pickle.loads(pickle.dumps((plan, partial(quiet_libraries))))[0]  # noqa: S301 - our own
    assert sent.searched_rows["text"][:] == plan.searched_rows["text"][:]
    assert sent.of_trial(1, {"epochs": 2}).args.to_dict() == plan.of_trial(1, {"epochs": 2}).args.to_dict()
    searching.work(sent, os.getppid())  # all trials have ended


def test_a_trial_below_the_median_is_given_up(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(4, 2))
    for score in (0.5, 0.6, 0.7, 0.8):
        trial = study.ask()
        for step in (2, 4):
            trial.report(score, step)
        study.tell(trial, score)
    trial = study.ask()
    state = type("State", (), {"global_step": 5, "max_steps": 10})()
    reporter = TrialReporter(trial, 1, [])
    with pytest.raises(optuna.TrialPruned):
        reporter.on_evaluate(None, state, None, metrics={"eval_loss": 1.0, "eval_macro_f1": 0.64})  # type: ignore[arg-type]
    better = TrialReporter(study.ask(), 1, [])
    better.on_evaluate(None, state, None, metrics={"eval_loss": 1.0, "eval_macro_f1": 0.66})  # type: ignore[arg-type]
    assert study.trials[-1].intermediate_values == {2: 0.66}
    state.global_step = 2
    better.on_evaluate(None, state, None, metrics={"eval_loss": 1.0, "eval_macro_f1": 0.1})  # type: ignore[arg-type]
    assert study.trials[-1].intermediate_values == {2: 0.66}, "nothing is told in the first quarter"


@pytest.mark.slow
def test_a_trial_that_diverges_does_not_end_the_search(tiny_model_folder: Path, tmp_path: Path) -> None:
    space = {"learning_rate": [1e-3, 1e9], "optim": ["adamw_torch", "sgd"], "epochs": 1, "max_length": 24}
    result = small_search(tmp_path / "s", tiny_model_folder, 4, space=space, n_splits=2)
    ends = {(row["optim"], float(row["learning_rate"])): row["end"] for row in trials_of(result)}
    assert result.by_end["complete"] >= 1
    assert all(end != "diverged" for (_, rate), end in ends.items() if rate < 1)


@pytest.mark.slow
def test_texts_with_several_labels(tiny_model_folder: Path, tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    kinds = [["a"], ["b"], ["c"], ["a", "b"], ["b", "c"], ["a", "b", "c"]]
    ids = [[names.index(name) for name in kinds[row % 6]] for row in range(36)]
    rows = datasets.Dataset.from_dict(
        {"text": [f"{row}번째 글 {' '.join(kinds[row % 6])}" for row in range(36)], "label": ids},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=names))}
        ),
    )
    space = {"learning_rate": {"low": 1e-3, "high": 1e-2}, "epochs": 1, "max_length": 16}
    result = searching.search_arguments(rows, tmp_path / "s", tiny_model_folder, 2, space, 2)
    assert result.held_out.scores.rows == result.held_out_rows
    assert 0 < result.optimism.chosen <= 1
    assert set(result.held_out.intervals) >= {"macro_f1"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trials": 1}, "trials"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"held_out": 0.6}, "held_out"),
        ({"n_splits": 9}, "n_splits"),
        # No trial may end a search that has run for hours.
        ({"space": {"learning_rate": [1e-4, -1]}}, "space"),
        ({"space": {"gamma": {"low": -1, "high": 2}}}, "space"),
        ({"space": {"dropout": [0.1, 1.5]}}, "space"),
        ({"space": {"batch_size": [8, 0]}}, "space"),
        ({"space": {"lr_scheduler_type": ["linear", "lineal"]}}, "space"),
        ({"space": {"alpha": ["1.0", "joyful=2"]}}, "space"),
        ({"space": {"gamma": [1, 2], "max_length": 2}}, "space"),
    ],
)
def test_arguments_out_of_range(settings: dict[str, Any], said: str, tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KoBERTEmotionError, match=f"`{said}`"):
        small_search(tmp_path / "s", tiny_model_folder, **settings)
    assert not (tmp_path / "s").exists()


def test_without_optuna_the_error_says_what_to_install(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "find_spec", lambda name: None if name == "optuna" else object())
    with pytest.raises(KoBERTEmotionError, match=r"needs optuna") as caught:
        small_search(tmp_path / "s", tiny_model_folder)
    assert caught.value.try_this == "pip install 'kobert-hf-emotion[search]'"
