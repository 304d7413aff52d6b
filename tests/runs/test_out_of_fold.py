"""What a run leaves about its out-of-fold predictions, against scikit-learn and models loaded without this package."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from report_languages import check_languages
from scipy.special import softmax
from sentences import sentences
from sklearn.metrics import confusion_matrix, log_loss
from transformers import AutoModelForSequenceClassification, pipeline

from kobert_hf_emotion import EmotionClassifier, EmotionTrainingArguments, cross_validate
from kobert_hf_emotion.inference.classifier import start_model, store_settings
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.calibration import calibrate_out_of_fold
from kobert_hf_emotion.runs.finished import read_run
from kobert_hf_emotion.runs.out_of_fold import out_of_fold_report
from kobert_hf_emotion.runs.plots import plot_calibration, plot_confusion
from kobert_hf_emotion.runs.report_text import confusion_text
from kobert_hf_emotion.runs.result import CrossValidationResult

NAMES = list(EMOTION_LABELS)


@pytest.fixture(scope="module")
def rows() -> datasets.Dataset:
    pairs = sentences(8)
    pairs += [(f"{text}  ", label) for text, label in pairs[:6]]  # the same texts to a reader
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)})
    columns = {"text": [text for text, _ in pairs], "label": [NAMES.index(label) for _, label in pairs]}
    return datasets.Dataset.from_dict(columns, features=features)


@pytest.fixture(scope="module")
def result(
    rows: datasets.Dataset, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> CrossValidationResult:
    settings = {"num_train_epochs": 4, "learning_rate": 5e-3, "per_device_train_batch_size": 16, "disable_tqdm": True}
    run = tmp_path_factory.mktemp("runs") / "run"
    return cross_validate(rows, run, tiny_model_folder, EmotionTrainingArguments(**settings), n_splits=2)


@pytest.fixture(scope="module")
def report(result: CrossValidationResult) -> dict[str, object]:
    found: dict[str, object] = json.loads((result.output_dir / "report.json").read_text(encoding="utf-8"))
    return found


def test_confusion_matrix(result: CrossValidationResult, report: dict[str, dict], rows: datasets.Dataset) -> None:
    expected = confusion_matrix(rows["label"][:], result.logits.argmax(1), labels=range(7))
    assert report["confusion_matrix"]["counts"] == expected.tolist()
    check_languages(result.output_dir, NAMES)
    text = (result.output_dir / "report.txt").read_text(encoding="utf-8")
    lines = {line.split()[0]: line.split()[1:8] for line in text.split("across)\n")[1].splitlines()[1:8]}
    assert [[int(count) for count in lines[name]] for name in NAMES] == expected.tolist()


def test_intervals_hold_the_scores_and_draw_equal_texts_together(report: dict[str, dict]) -> None:
    intervals = report["intervals"]
    assert intervals["drawn"] == {"unit": "groups of rows", "number": 56}
    for name in ("accuracy", "macro_f1", "weighted_f1"):
        low, high = intervals[name]
        assert low < report["pooled"][name] < high
    assert (intervals["level"], intervals["resamples"]) == (0.95, 2000)


def test_calibration_is_measured_across_folds(
    result: CrossValidationResult, report: dict[str, dict], rows: datasets.Dataset
) -> None:
    found, truth = report["calibration"], np.asarray(rows["label"])
    folds = read_run(result.output_dir).table["fold"].astype(int).to_numpy()
    scaled = result.logits.astype(float)
    for number, temperature in enumerate(found["fold_temperatures"], start=1):
        scaled[folds == number] /= temperature
    assert found["log_loss_before"] == pytest.approx(log_loss(truth, softmax(result.logits.astype(float), axis=1)))
    assert found["log_loss_after"] == pytest.approx(log_loss(truth, softmax(scaled, axis=1)))
    assert len(found["reliability"]["after"]) == found["ece_bins"] == 15
    assert sum(part["rows"] for part in found["reliability"]["before"]) == len(truth)


def test_every_fold_is_saved_with_the_temperature(
    result: CrossValidationResult, report: dict[str, dict], rows: datasets.Dataset
) -> None:
    temperature = report["calibration"]["temperature"]
    assert temperature != 1
    folds = read_run(result.output_dir).table["fold"].astype(int).to_numpy()
    for fold in result.folds:
        model = EmotionClassifier.from_pretrained(fold.path)
        assert model.config.softmax_temperature == temperature
        held_out = np.flatnonzero(folds == fold.number)[:5]
        expected = softmax(result.logits[held_out].astype(float) / temperature, axis=1)
        for probabilities, prediction in zip(
            expected, model.predict([rows["text"][int(i)] for i in held_out]), strict=True
        ):
            assert prediction["label"] == NAMES[int(probabilities.argmax())]
            assert prediction["score"] == pytest.approx(probabilities.max(), abs=1e-5)


def test_a_pipeline_gives_the_same_labels_with_scores_before_scaling(
    result: CrossValidationResult, report: dict[str, dict], rows: datasets.Dataset
) -> None:
    """What docs and model card say of plain transformers."""
    path, texts = result.best.path, rows["text"][:20]
    model = EmotionClassifier.from_pretrained(path)
    classify = pipeline("text-classification", AutoModelForSequenceClassification.from_pretrained(path),
                        tokenizer=model.tokenizer)  # fmt: skip
    temperature = report["calibration"]["temperature"]
    for text, ours, plain in zip(texts, model.predict(texts), classify(list(texts)), strict=True):
        with torch.no_grad():
            logits = model.eval()(**model.tokenizer(text, return_tensors="pt")).logits[0].double()
        assert plain["label"] == ours["label"]
        assert plain["score"] == pytest.approx(logits.softmax(-1).max().item(), abs=1e-5)
        assert ours["score"] == pytest.approx((logits / temperature).softmax(-1).max().item(), abs=1e-5)


def test_plain_transformers_can_save_what_it_loaded(result: CrossValidationResult, tmp_path: Path) -> None:
    """A `temperature` by that name would be a setting of text generation, which no configuration may hold."""
    AutoModelForSequenceClassification.from_pretrained(result.best.path).save_pretrained(tmp_path)
    expected = EmotionClassifier.from_pretrained(result.best.path).config.softmax_temperature
    assert EmotionClassifier.from_pretrained(tmp_path).config.softmax_temperature == expected


def test_a_new_training_starts_at_temperature_one(tiny_model_folder: Path, tmp_path: Path) -> None:
    model = EmotionClassifier.from_pretrained(tiny_model_folder, softmax_temperature=2.0)
    tokenizer = model.tokenizer
    model.save_pretrained(tmp_path / "fold")
    assert EmotionClassifier.from_pretrained(tmp_path / "fold").config.softmax_temperature == 2
    assert start_model(tmp_path / "fold", NAMES, 0.5, tokenizer).config.softmax_temperature == 1


def test_other_encoders_keep_a_temperature_too(tmp_path: Path) -> None:
    from transformers import ElectraConfig

    from kobert_hf_emotion.configuration import softmax_temperature

    ElectraConfig().save_pretrained(tmp_path)
    assert softmax_temperature(ElectraConfig.from_pretrained(tmp_path)) == 1
    store_settings(tmp_path, {"softmax_temperature": 1.25})
    assert softmax_temperature(ElectraConfig.from_pretrained(tmp_path)) == 1.25


def test_text_of_a_matrix_with_korean_labels() -> None:
    lines = confusion_text(np.array([[3, 1], [0, 0]]), ["긍정", "부정"]).splitlines()
    assert lines[0].split() == ["긍정", "부정", "rows", "right"]
    assert lines[1].split() == ["긍정", "3", "1", "4", "75.0%"]
    assert lines[2].split() == ["부정", "0", "0", "0", "-"]
    assert {len(line) + sum(character >= "가" for character in line) for line in lines} == {len(lines[1]) + 2}


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 20])
def test_pictures(tmp_path: Path, classes: int) -> None:
    random = np.random.default_rng(0)
    names = [f"감정 {number}" for number in range(classes)]
    labels, logits = random.integers(0, classes, 400), random.normal(size=(400, classes))
    found = out_of_fold_report(logits, labels, np.arange(400) % 3, names)
    plot_confusion(tmp_path / "confusion.png", found.confusion, names)
    plot_calibration(tmp_path / "calibration.png", calibrate_out_of_fold(logits, labels, np.arange(400) % 3))
    for name in ("confusion.png", "calibration.png"):
        with Image.open(tmp_path / name) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert pixels.shape[1] > 400
        assert pixels.std() > 10, "an empty picture"
