"""The k-fold run: fresh weights in every fold, honest out-of-fold predictions, complete files."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from small_runs import make_args, make_dataset

from kobert_hf_emotion.configuration import softmax_temperature
from kobert_hf_emotion.errors import CheckpointError, RunError, SplitError, TokenizerError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.legacy import read_legacy_checkpoint
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.runs.result import CrossValidationResult


@pytest.fixture(scope="module")
def dataset() -> datasets.Dataset:
    return make_dataset()


@pytest.fixture(scope="module")
def result(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> CrossValidationResult:
    run = tmp_path_factory.mktemp("runs") / "a"
    return cross_validate(dataset, run, tiny_model_folder, make_args(), n_splits=3, legacy_export=True)


def test_every_fold_starts_from_the_same_fresh_weights(result: CrossValidationResult, tiny_model_folder: Path) -> None:
    assert len({fold.initial_weights_sha256 for fold in result.folds}) == 1
    pretrained = load_file(tiny_model_folder / "model.safetensors")
    trained = [load_file(fold.path / "model.safetensors") for fold in result.folds]
    name = "bert.encoder.layer.0.attention.self.query.weight"
    moved = [(weights[name] - pretrained[name]).abs().max().item() for weights in trained]
    # Two epochs of 1e-3 move a weight by a hundredth; folds that train on from each other move ever further.
    assert all(0 < distance < 0.02 for distance in moved), moved


@pytest.mark.slow
def test_out_of_fold_logits_are_those_of_the_model_that_did_not_see_the_row(
    result: CrossValidationResult, dataset: datasets.Dataset
) -> None:
    labels = np.asarray(dataset["label"])
    splits = StratifiedKFold(3, shuffle=True, random_state=42).split(labels, labels)
    for fold, (_, validation) in zip(result.folds, splits, strict=True):
        model = EmotionClassifier.from_pretrained(fold.path)
        for index in validation[:5]:
            [prediction] = model.predict([dataset[int(index)]["text"]])
            expected = (torch.tensor(result.logits[index]) / softmax_temperature(model.config)).softmax(-1)
            assert prediction["score"] == pytest.approx(expected.max().item(), abs=1e-5)
            assert prediction["label"] == EMOTION_LABELS[int(expected.argmax())]


@pytest.mark.slow
def test_a_run_audits_its_rows_first(tiny_model_folder: Path, tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO", "kobert_hf_emotion")
    planted = datasets.concatenate_datasets([make_dataset(), make_dataset().select([3, 3, 5])])
    cross_validate(planted, tmp_path / "a", tiny_model_folder, make_args(num_train_epochs=1, max_steps=1), n_splits=2)
    audit = json.loads((tmp_path / "a" / "audit.json").read_text(encoding="utf-8"))
    assert audit["exact_duplicates"] == 3
    [said] = [record.args[0] for record in caplog.records if "equal texts: " in record.getMessage()]
    assert [said.in_language(language).partition(": ")[0] for language in ("ko", "en")] == ["같은 글", "equal texts"]
    assert re.search("[가-힣]", said.english) is None
    assert audit["conflicting_labels"] == 0


def test_pooled_scores_are_scikit_learns(result: CrossValidationResult, dataset: datasets.Dataset) -> None:
    labels = np.asarray(dataset["label"])
    expected = f1_score(labels, result.logits.argmax(-1), average="macro", zero_division=0)
    assert result.scores.macro_f1 == pytest.approx(expected)
    assert result.best.scores.macro_f1 == max(fold.scores.macro_f1 for fold in result.folds)


def test_files_of_a_run(result: CrossValidationResult, dataset: datasets.Dataset) -> None:
    run = result.output_dir
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["finished"] is True
    assert record["split_sha256"] == result.split_sha256
    assert record["training_arguments"]["seed"] == 42
    assert record["tokenization"]["unknown_share"] < 0.05
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["text"] for row in rows] == dataset["text"][:]
    assert [row["label"] for row in rows] == [EMOTION_LABELS[label] for label in dataset["label"]]
    assert [row["prediction"] for row in rows] == [EMOTION_LABELS[i] for i in result.logits.argmax(-1)]
    assert {row["fold"] for row in rows} == {"1", "2", "3"}
    assert all(abs(sum(float(row[f"prob_{label}"]) for label in EMOTION_LABELS) - 1) < 1e-4 for row in rows)
    with Image.open(run / "curves.png") as picture:
        assert picture.size[0] > 800
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["pooled"]["macro_f1"] == result.scores.macro_f1
    assert (run / "best").resolve() == result.best.path.resolve()
    assert not list(run.glob(".*"))
    modes = {path.stat().st_mode & 0o777 for path in result.best.path.iterdir()}
    assert len(modes) == 1, "a colleague can read one file and not the other"


def test_history_has_a_row_an_epoch(result: CrossValidationResult) -> None:
    for fold in result.folds:
        with (fold.path / "history.csv").open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert list(rows[0]) == [
            "epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_macro_f1",
        ]  # fmt: skip
        assert [float(row["epoch"]) for row in rows] == [1.0, 2.0]
        assert float(rows[-1]["val_accuracy"]) == pytest.approx(fold.scores.accuracy)


def test_the_three_legacy_files_hold_the_trained_weights(result: CrossValidationResult) -> None:
    fold = result.folds[1]
    stem = fold.path / "Focal_KoBERT_e2_b16_fold_2"
    weights = load_file(fold.path / "model.safetensors")
    for suffix in (".pt", "_state_dict.pt", "_all.tar"):
        legacy = read_legacy_checkpoint(Path(f"{stem}{suffix}"), num_attention_heads=2)
        assert legacy.state_dict.keys() == weights.keys()
        assert all(torch.equal(legacy.state_dict[name], tensor) for name, tensor in weights.items())
        assert (legacy.optimizer_state is not None) == (suffix == "_all.tar")


def test_the_saved_tokenizer_and_settings_are_those_of_training(
    result: CrossValidationResult, tiny_model_folder: Path
) -> None:
    model = EmotionClassifier.from_pretrained(result.best.path)
    assert model.tokenizer.model_max_length == 64
    assert model.config.classifier_dropout == 0.5
    assert model.config.focal_gamma == 2.0
    assert model.tokenizer.vocab_sha256 == model.config.tokenizer_sha256


@pytest.mark.slow
def test_a_run_twice_gives_the_same(dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path) -> None:
    runs = [
        cross_validate(dataset, tmp_path / name, tiny_model_folder, make_args(num_train_epochs=1), n_splits=2)
        for name in "ab"
    ]
    np.testing.assert_array_equal(runs[0].logits, runs[1].logits)
    other = cross_validate(
        dataset, tmp_path / "c", tiny_model_folder, make_args(num_train_epochs=1, seed=0), n_splits=2
    )
    assert other.split_sha256 != runs[0].split_sha256


@pytest.mark.slow
def test_training_learns(tiny_model_folder: Path, tmp_path: Path) -> None:
    data = make_dataset(20)
    args = make_args(num_train_epochs=20, learning_rate=5e-3, dropout=0.1)
    learned = cross_validate(data, tmp_path / "run", tiny_model_folder, args, n_splits=2)
    assert learned.scores.macro_f1 > 0.5  # chance is 0.14


@pytest.mark.slow
def test_groups_stay_in_one_fold(dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path) -> None:
    groups = [f"speaker {index % 9}" for index in range(len(dataset))]
    grouped = dataset.add_column("group", groups)
    args = make_args(num_train_epochs=1)
    run = cross_validate(grouped, tmp_path / "run", tiny_model_folder, args, n_splits=3, group_by="group")
    with (run.output_dir / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        folds = [row["fold"] for row in csv.DictReader(handle)]
    assert len(set(zip(groups, folds, strict=True))) == 9


@pytest.mark.slow
def test_other_labels_and_word_split(tiny_model_folder: Path, tmp_path: Path) -> None:
    data = make_dataset(6).filter(lambda row: row["label"] in (3, 5))
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["부정", "긍정"])}
    )
    columns = {"text": data["text"][:], "label": [int(label == 5) for label in data["label"]]}
    run = cross_validate(
        datasets.Dataset.from_dict(columns, features=features),
        tmp_path / "run",
        tiny_model_folder,
        make_args(num_train_epochs=1, focal_alpha='{"긍정": 0.5}'),
        n_splits=2,
        word_split="gluonnlp",
    )
    model = EmotionClassifier.from_pretrained(run.best.path)
    assert model.config.labels == ["부정", "긍정"]
    assert model.config.focal_alpha == [1.0, 0.5]
    assert model.tokenizer.word_split == "gluonnlp"


def test_a_folder_in_use_is_left_alone(dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(RunError, match="nothing in it was touched"):
        cross_validate(dataset, tmp_path, tiny_model_folder, make_args())
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_a_class_smaller_than_the_folds_is_named(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="fear"):
        cross_validate(make_dataset(3), tmp_path / "run", tiny_model_folder, make_args(), n_splits=5)
    assert not (tmp_path / "run").exists()


def test_garbage_texts_are_refused_before_training(tiny_model_folder: Path, tmp_path: Path) -> None:
    data = make_dataset(8).map(
        lambda row, index: {"text": "\u16a0\u16b1\u16c1 \u16a8" + chr(0x16A0 + index)}, with_indices=True, desc="runes"
    )
    with pytest.raises(TokenizerError, match=r"\[UNK\]"):
        cross_validate(data, tmp_path / "run", tiny_model_folder, make_args())
    assert not (tmp_path / "run").exists()


def test_a_missing_model_is_an_error(dataset: datasets.Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises((CheckpointError, TokenizerError), match=r"spiece\.model"):
        cross_validate(dataset, tmp_path / "run", tmp_path / "empty", make_args())


def test_checkpoint_arguments_that_a_run_has_not(
    dataset: datasets.Dataset, tiny_model_folder: Path, tmp_path: Path
) -> None:
    args = make_args(resume_from_checkpoint="somewhere")
    with pytest.raises(RunError, match="resume_from_checkpoint"):
        cross_validate(dataset, tmp_path / "run", tiny_model_folder, args)
