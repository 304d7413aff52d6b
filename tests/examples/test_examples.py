"""The examples, run as a user runs them."""

from __future__ import annotations

import csv
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT
from sentences import sentences, write_seed_csv
from small_trainer import launcher

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def no_dropout_folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without dropout: with it every process draws its own masks."""
    from kobert_hf_emotion.modeling.classifier import EmotionClassifier

    model = EmotionClassifier.from_pretrained(
        tiny_model_folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model.tokenizer  # noqa: B018 - reads it, so that it is saved as well
    folder = tmp_path_factory.mktemp("model") / "plain"
    model.save_pretrained(folder)
    return folder


def run_here(name: str, flags: list[str]) -> object:
    """Runs an example in this process, where the libraries are loaded, and returns its exit code."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sys, "argv", [name, *flags])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return stopped.value.code


def train_kfold(command: list[str] | None, model: Path, data: Path, run: Path, batch: int) -> list[list[float]]:
    """Runs the example by a command, or in this process, and returns the out-of-fold probabilities."""
    arguments = {
        "train_file": data, "run_dir": run, "model": model, "folds": 2, "num_train_epochs": 2, "learning_rate": 1e-3,
        "dropout": 0, "per_device_train_batch_size": batch, "use_cpu": True, "disable_tqdm": True,
    }  # fmt: skip
    flags = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    if command is None:
        assert run_here("train_kfold.py", flags) == 0
    else:
        script = str(EXAMPLES / "train_kfold.py")
        subprocess.run([*command, script, *flags], check=True, capture_output=True, text=True, timeout=600)
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        return [[float(row[name]) for name in row if name.startswith("prob_")] for row in csv.DictReader(handle)]


@pytest.mark.slow
def test_train_kfold_gives_the_same_alone_and_in_two_processes(no_dropout_folder: Path, tmp_path: Path) -> None:
    data = write_seed_csv(tmp_path / "train.csv", sentences(7))
    alone = train_kfold(None, no_dropout_folder, data, tmp_path / "one", 16)
    both = train_kfold(launcher(2), no_dropout_folder, data, tmp_path / "two", 8)
    assert len(alone) == 49
    assert [pytest.approx(row, abs=2e-5) for row in alone] == both
    records = [json.loads((tmp_path / run / "run.json").read_text(encoding="utf-8")) for run in ("one", "two")]
    assert [record["processes"] for record in records] == [1, 2]
    assert records[0]["split_sha256"] == records[1]["split_sha256"]
    for fold in ("fold_1", "fold_2"):
        histories = [(tmp_path / run / fold / "history.csv").read_text(encoding="utf-8") for run in ("one", "two")]
        tables = [[float(cell) for line in text.split()[1:] for cell in line.split(",")] for text in histories]
        assert tables[1] == pytest.approx(tables[0], abs=1e-4)


def test_train_kfold_says_what_is_wrong_with_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text("Text,Label\n좋아,기쁘다요\n", encoding="utf-8")
    flags = ["--train_file", str(tmp_path / "bad.csv"), "--run_dir", str(tmp_path / "run")]
    assert run_here("train_kfold.py", flags) == 2
    err = capsys.readouterr().err
    assert "기쁘다요" in err
    assert "Traceback" not in err
