"""The examples, run as a user runs them."""

from __future__ import annotations

import csv
import json
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


def train_kfold(command: list[str], model: Path, data: Path, run: Path, batch: int) -> list[list[float]]:
    """Runs the example and returns the out-of-fold probabilities."""
    arguments = {
        "train_file": data, "run_dir": run, "model": model, "folds": 2, "num_train_epochs": 2, "learning_rate": 1e-3,
        "dropout": 0, "per_device_train_batch_size": batch, "use_cpu": True, "disable_tqdm": True,
    }  # fmt: skip
    flags = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    subprocess.run(
        [*command, str(EXAMPLES / "train_kfold.py"), *flags], check=True, capture_output=True, text=True, timeout=300
    )
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        return [[float(row[name]) for name in row if name.startswith("prob_")] for row in csv.DictReader(handle)]


def test_train_kfold_gives_the_same_alone_and_in_two_processes(no_dropout_folder: Path, tmp_path: Path) -> None:
    data = write_seed_csv(tmp_path / "train.csv", sentences(7))
    alone = train_kfold([sys.executable], no_dropout_folder, data, tmp_path / "one", 16)
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


def test_train_kfold_says_what_is_wrong_with_the_data(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("Text,Label\n좋아,기쁘다요\n", encoding="utf-8")
    command = [sys.executable, str(EXAMPLES / "train_kfold.py"), "--train_file", str(tmp_path / "bad.csv")]
    done = subprocess.run(
        [*command, "--run_dir", str(tmp_path / "run")], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "기쁘다요" in done.stderr
    assert "Traceback" not in done.stderr
