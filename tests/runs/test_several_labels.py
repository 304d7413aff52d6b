"""A run with several labels a text, from the file to the prediction, through the commands."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
import torch
from report_languages import check_languages
from sklearn.metrics import f1_score
from transformers import AutoConfig

from kobert_hf_emotion import (
    EmotionClassifier,
    EmotionTrainer,
    EmotionTrainingArguments,
    OnnxClassifier,
    evaluate_run,
    export_onnx,
    load_emotion_dataset,
)
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.evaluation.checkpoints import evaluate_checkpoints
from kobert_hf_emotion.evaluation.comparison import compare_runs
from kobert_hf_emotion.inference.classifier import start_model
from kobert_hf_emotion.inference.ensemble import EmotionEnsemble
from kobert_hf_emotion.inference.loading import load_checkpoint
from kobert_hf_emotion.modeling.sigmoid_loss import sigmoid_focal_loss
from kobert_hf_emotion.runs.finished import read_run
from kobert_hf_emotion.tasks.multi_label import MultiLabel

NAMES = ["기쁨", "놀람", "슬픔"]
WORDS = {"기쁨": "웃음이 나왔다", "놀람": "눈이 커졌다", "슬픔": "눈물이 났다"}
LABELS = ["--labels", ",".join(NAMES)]


def sets(count: int, seed: int) -> list[list[str]]:
    random = np.random.default_rng(seed)
    found = [[name for name in NAMES if random.random() < 0.5] for _ in range(count)]
    return [names or ["슬픔"] for names in found]


def write(path: Path, count: int, seed: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", "labels"])
        for number, names in enumerate(sets(count, seed)):
            writer.writerow([f"{seed}의 {number}번째 일로 " + " ".join(WORDS[name] for name in names), "|".join(names)])
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A folder with a finished run `run` and the file `test.csv`; tests must not change it."""
    folder = tmp_path_factory.mktemp("several")
    write(folder / "train.csv", 60, 1)
    write(folder / "test.csv", 20, 2)
    options = ["--task", "multi-label", *LABELS, "--model", str(tiny_model_folder), "--folds", "2", "--epochs", "2"]
    options += ["--learning-rate", "1e-3", "--batch-size", "16", "--alpha", "balanced", "--gamma", "기쁨=1"]
    assert main(["train", str(folder / "train.csv"), *options, "--output", str(folder / "run")]) == 0
    return folder


@pytest.fixture
def work(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def test_what_a_run_leaves(work: Path) -> None:
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    config = json.loads((work / "run/best/config.json").read_text(encoding="utf-8"))
    assert config["problem_type"] == "multi_label_classification"
    assert config["id2label"] == {str(index): name for index, name in enumerate(NAMES)}
    assert config["focal_gamma"] == [1, 2.0, 2.0]
    assert all(0 < alpha < 1 for alpha in config["focal_alpha"])
    assert config["label_thresholds"] == [line["threshold"] for line in report["labels"].values()]
    assert "60행" in config["thresholds_from"]
    scales = [[line["slope"], line["shift"]] for line in report["labels"].values()]
    kept = sum(pair != [1, 0] for pair in scales)
    assert config["label_calibration"] == (scales if kept else None)
    assert report["label_calibration"]["labels"] == kept
    assert json.loads((work / "run/run.json").read_text(encoding="utf-8"))["task"] == "multi-label"
    assert not (work / "run/confusion_matrix.png").exists()
    check_languages(work / "run", NAMES)
    text = (work / "run/report.txt").read_text(encoding="utf-8")
    assert "subset accuracy" in text
    assert "Hamming loss" in text
    found = report["label_calibration"]
    assert f"ECE       {found['ece_before']:.4f} → {found['ece_after']:.4f}" in text
    assert found["ece_before"] == pytest.approx(np.mean([line["ece"] for line in report["labels"].values()]))
    assert "several labels" in (work / "run/README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_of_thresholds_that_have_not_seen_the_row(work: Path) -> None:
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    with (work / "run/oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    truth = np.array([[name in row["label"].split("|") for name in NAMES] for row in rows])
    chosen = np.zeros_like(truth)
    for index, row in enumerate(rows):
        thresholds = np.array(report["thresholds"]["folds"][row["fold"]])
        slopes, shifts = np.array(report["label_calibration"]["folds"][row["fold"]]).T
        trained = np.array([float(row[f"prob_{name}"]) for name in NAMES])
        probabilities = 1 / (1 + np.exp(-(slopes * np.log(trained / (1 - trained)) + shifts)))
        chosen[index] = probabilities >= thresholds
        if not chosen[index].any():
            odds = np.log(probabilities / (1 - probabilities)) - np.log(thresholds / (1 - thresholds))
            chosen[index, odds.argmax()] = True
    assert report["pooled"]["macro_f1"] == pytest.approx(f1_score(truth, chosen, average="macro"), abs=0.02)
    assert report["thresholds"]["folds"]["1"] != report["thresholds"]["folds"]["2"]


@pytest.mark.slow
def test_test_and_predict_agree(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "run", "test.csv", "--json"]) == 0
    tested = json.loads(capsys.readouterr().out)
    assert len(tested["checkpoints"]) == 2
    assert [line["name"] for line in tested["combined"]] == ["ensemble", "soup"]
    assert set(tested["checkpoints"][0]["labels"]) == set(NAMES)
    assert main(["predict", "run/fold_1", "test.csv", "--output", str(work / "p.csv"), "--json"]) == 0
    predicted = json.loads(capsys.readouterr().out)
    first = tested["checkpoints"][0]
    for name in ("macro_f1", "micro_f1", "accuracy", "hamming_loss", "log_loss"):
        assert predicted["scores"][name] == pytest.approx(first[name], abs=1e-6)
    with (work / "p.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["label"] for row in rows] == ["|".join(names) for names in sets(20, 2)]
    assert all(row["prediction"] for row in rows), "no answer is empty"
    assert main(["predict", "run/fold_1", "비가 왔다"]) == 0
    captured = capsys.readouterr()
    assert "임계값 (thresholds): 레이블마다" in captured.err
    assert "기쁨" in captured.out


SCALES = [[2.0, 0.5], [0.5, -1.0], [1.0, 0.0]]


@pytest.fixture(scope="module")
def scaled(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fold of the run with scales of ours; tests must not change it."""
    folder = tmp_path_factory.mktemp("scaled") / "model"
    shutil.copytree(place / "run/fold_1", folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {"label_calibration": SCALES}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_all_that_predicts_is_calibrated_alike(scaled: Path, place: Path, tmp_path: Path) -> None:
    """The model, its loss, members of an ensemble, a graph, long texts and explanations."""
    pytest.importorskip("onnxruntime")
    texts = ["눈물이 났다", "웃음이 나왔다"]
    fold, model = load_checkpoint(place / "run/fold_1"), load_checkpoint(scaled)
    own = fold.predict_logits(texts)
    trained = fold.as_trained(own)
    expected = trained * np.array(SCALES)[:, 0] + np.array(SCALES)[:, 1]
    np.testing.assert_allclose(model.predict_logits(texts), expected, atol=1e-5)
    whole = EmotionClassifier.from_pretrained(scaled)
    percents = [list(line["probabilities"].values()) for line in whole.predict(texts)]
    np.testing.assert_allclose(percents, 100 / (1 + np.exp(-expected)), atol=0.01)
    in_pieces = [list(line["probabilities"].values()) for line in whole.predict(texts, long="window")]
    np.testing.assert_allclose(in_pieces, percents, atol=0.01)
    [words] = whole.explain(texts[:1])
    assert [100 * p for p in words.probabilities.values()] == pytest.approx(percents[0], abs=0.01)
    both = EmotionEnsemble([model, fold])
    mean = (1 / (1 + np.exp(-expected)) + 1 / (1 + np.exp(-own))) / 2
    np.testing.assert_allclose(1 / (1 + np.exp(-both.predict_logits(texts))), mean, atol=1e-5)
    export_onnx(model, tmp_path / "graph")
    graph = OnnxClassifier.from_pretrained(tmp_path / "graph")
    np.testing.assert_allclose(graph.predict_logits(texts), expected, atol=1e-3)
    rows = load_emotion_dataset(place / "test.csv", task="multi-label", labels=NAMES)
    plainly, ours = (evaluate_checkpoints([path], rows)[0] for path in (place / "run/fold_1", scaled))
    assert ours.loss == pytest.approx(plainly.loss, rel=1e-4), "the loss is that of the logits as trained"
    assert ours.scores.log_loss != plainly.scores.log_loss


@pytest.mark.slow
def test_a_plain_pipeline_gives_the_same_scores_before_they_are_calibrated(scaled: Path, plain: Any) -> None:
    text = "갑자기 문이 열려 눈이 커졌다"
    [mine] = EmotionClassifier.from_pretrained(scaled).predict([text])
    code = """
from transformers import pipeline
found = pipeline("text-classification", model=model, top_k=None)(text)
found = found[0] if isinstance(found[0], list) else found
result = {line["label"]: line["score"] for line in found}
"""
    theirs = plain.run(code, model=str(scaled), text=text)
    for (slope, shift), name in zip(SCALES, NAMES, strict=True):
        odds = slope * np.log(theirs[name] / (1 - theirs[name])) + shift
        assert 100 / (1 + np.exp(-odds)) == pytest.approx(mine["probabilities"][name], abs=0.01)
    assert mine["label"] in mine["probabilities"]


@pytest.mark.slow
def test_members_and_graphs_answer_as_the_model(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ensemble", "run", "--output", str(tmp_path / "ensemble")]) == 0
    texts = ["눈물이 났다", "웃음이 나왔다"]
    folds = [load_checkpoint(work / "run" / name) for name in ("fold_1", "fold_2")]
    mean = np.mean([1 / (1 + np.exp(-fold.predict_logits(texts).astype(float))) for fold in folds], axis=0)
    ensemble = load_checkpoint(tmp_path / "ensemble")
    found = [list(prediction["probabilities"].values()) for prediction in ensemble.predict(texts)]
    np.testing.assert_allclose(found, 100 * mean, atol=0.01)
    pytest.importorskip("onnxruntime")
    assert main(["export", "run/fold_1", "--output", str(tmp_path / "graph")]) == 0
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "graph"), *texts, "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)["predictions"]
    for line, expected in zip(exported, folds[0].predict(texts), strict=True):
        assert line["labels"] == expected["labels"]
        assert line["probabilities"] == pytest.approx(expected["probabilities"], abs=0.02)


def test_a_server_answers_with_the_labels_given(work: Path) -> None:
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from kobert_hf_emotion.serving import create_app

    model = load_checkpoint(work / "run/fold_1")
    [expected] = model.predict(["눈물이 났다"])
    with TestClient(create_app(model)) as client:
        while client.get("/health").status_code != 200:
            pass
        [found] = client.post("/predict", json={"texts": ["눈물이 났다"]}).json()["predictions"]
        ranked = client.post("/", json={"inputs": "눈물이 났다"}).json()[0]
        softmax = client.post("/", json={"inputs": "a", "parameters": {"function_to_apply": "softmax"}})
    assert found["labels"] == expected["labels"]
    assert {line["label"]: round(100 * line["score"], 2) for line in ranked} == expected["probabilities"]
    assert softmax.status_code == 422


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (
            "train train.csv --task multi-label --labels 기쁨,놀람,슬픔 --model run/best --folds 2 --legacy-export "
            "--output new",
            "--legacy-export",
        ),
        ("train train.csv --task multi-label --labels 기쁨,놀람 --output new", "row"),
    ],
)
def test_what_cannot_be_done_is_said(work: Path, capsys: pytest.CaptureFixture[str], command: str, part: str) -> None:
    assert main(command.split()) == 2
    assert part in capsys.readouterr().err
    assert not (work / "new").exists()


@pytest.mark.slow
def test_two_runs_are_compared_label_by_label(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against scikit-learn's F1 of the same answers, and of the same rows drawn."""
    shutil.copytree(work / "run", tmp_path / "other", symlinks=True)
    table = pd.read_csv(work / "run/oof_predictions.csv", encoding="utf-8-sig", dtype=str, na_filter=False)
    table["prob_놀람"] = [f"{1 - float(p):.6f}" for p in table["prob_놀람"]]
    table.to_csv(tmp_path / "other/oof_predictions.csv", index=False, encoding="utf-8-sig")
    found = compare_runs(work / "run", tmp_path / "other", resamples=100)
    runs = [read_run(path) for path in (work / "run", tmp_path / "other")]
    truth = runs[0].label_sets
    assert [list(np.flatnonzero(row)) for row in truth] == [[NAMES.index(n) for n in names] for names in sets(60, 1)]
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    assert found.macro_f1.first == pytest.approx(report["pooled"]["macro_f1"], abs=0.02)
    scores = [f1_score(truth, run.answer_sets, average=None, zero_division=0) for run in runs]
    assert found.labels is not None
    for index, name in enumerate(NAMES):
        difference = found.labels[name]
        assert (difference.first, difference.second) == pytest.approx((scores[0][index], scores[1][index]))
    assert found.labels["기쁨"].difference == 0
    assert found.labels["기쁨"].p == 1
    assert found.macro_f1.second == pytest.approx(scores[1].mean())
    random, drawn = np.random.default_rng(42), []
    for _ in range(100):
        rows = random.integers(0, len(truth), len(truth))
        two = [f1_score(truth[rows], run.answer_sets[rows], average="macro", zero_division=0) for run in runs]
        drawn.append(two[1] - two[0])
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.macro_f1.interval.low, found.macro_f1.interval.high) == pytest.approx((low, high))
    assert main(["compare", "run", str(tmp_path / "other"), "--lang", "en"]) == 0
    assert "F1, by label: A, B, B - A (of 3 labels about 0.2 have p < 0.05 by chance alone)" in capsys.readouterr().out
    (tmp_path / "other/report.json").write_text("{}", encoding="utf-8")
    assert main(["compare", "run", str(tmp_path / "other")]) == 2


@pytest.mark.parametrize("method", ["leave_one_out", "integrated_gradients"])
def test_words_speak_for_each_label_given(work: Path, capsys: pytest.CaptureFixture[str], method: Any) -> None:
    if method == "integrated_gradients":
        pytest.importorskip("captum")
    text = "문이 열려 눈이 커졌다"
    model = load_checkpoint(work / "run/best")
    [found] = model.explain([text], method)
    [expected] = model.predict([text])
    assert found.labels == expected["labels"]
    assert {name: round(100 * p, 2) for name, p in found.probabilities.items()} == expected["probabilities"]
    whole, left = model.predict_logits([text, "열려 눈이 커졌다"]).astype(float)
    for name in found.labels:
        if method == "leave_one_out":
            index = NAMES.index(name)
            assert found.contributions(name)[0] == pytest.approx(whole[index] - left[index], abs=1e-5)
        else:
            assert abs(found.deltas[name]) < 0.05
    assert main(["explain", "run/best", text, "--method", method]) == 0
    shown = capsys.readouterr().out
    assert shown.count("커졌다") == len(found.labels)
    ensemble = EmotionEnsemble([load_checkpoint(work / "run" / fold) for fold in ("fold_1", "fold_2")])
    [both] = ensemble.explain([text], method)
    assert both.probabilities == pytest.approx(
        {name: p / 100 for name, p in ensemble.predict([text])[0]["probabilities"].items()}, abs=1e-4
    )


def test_a_model_that_is_trained_on_loses_thresholds_that_no_longer_fit(
    work: Path, scaled: Path, tmp_path: Path
) -> None:
    arguments = ["continue", str(scaled), "train.csv", "--epochs", "1", "--output", str(tmp_path / "on")]
    assert main(arguments) == 0
    config = AutoConfig.from_pretrained(tmp_path / "on")
    assert config.problem_type == "multi_label_classification"
    assert getattr(config, "label_thresholds", None) is None
    assert getattr(config, "label_calibration", None) is None


def test_an_answer_may_be_empty_where_that_is_asked_for(work: Path, tmp_path: Path) -> None:
    shutil.copytree(work / "run/fold_1", tmp_path / "model")
    path = tmp_path / "model/config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"label_thresholds": [1.0] * 3}
    path.write_text(json.dumps(config), encoding="utf-8")
    [never] = EmotionClassifier.from_pretrained(tmp_path / "model").predict(["눈물이 났다"])
    assert len(never["labels"]) == 1
    path.write_text(json.dumps(config | {"allow_empty": True}), encoding="utf-8")
    [may] = EmotionClassifier.from_pretrained(tmp_path / "model").predict(["눈물이 났다"])
    assert may["labels"] == []
    path.write_text(json.dumps(config | {"label_thresholds": [0.5]}), encoding="utf-8")
    with pytest.raises(KoBERTEmotionError, match="for each of 3 labels"):
        EmotionClassifier.from_pretrained(tmp_path / "model").predict(["눈물이 났다"])


def dataset(count: int = 16) -> datasets.Dataset:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=NAMES))}
    )
    columns = {
        "text": [f"{number}번째 " + "아 " * number for number in range(count)],
        "label": [[NAMES.index(name) for name in names] for names in sets(count, 3)],
    }
    return datasets.Dataset.from_dict(columns, features=features)


@pytest.mark.parametrize(("batch", "steps"), [(16, 1), (4, 4), (5, 4)])
def test_a_step_is_the_same_however_its_rows_are_accumulated(
    tiny_model_folder: Path, tmp_path: Path, batch: int, steps: int
) -> None:
    tokenizer = EmotionClassifier.from_pretrained(tiny_model_folder).tokenizer
    torch.manual_seed(0)
    model = start_model(tiny_model_folder, NAMES, 0.0, tokenizer, MultiLabel())
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    rows = dataset()
    args = EmotionTrainingArguments(
        str(tmp_path), per_device_train_batch_size=batch, gradient_accumulation_steps=steps, max_steps=1,
        logging_steps=1, max_grad_norm=0.0, report_to="none", disable_tqdm=True, save_strategy="no",
    )  # fmt: skip
    trainer = EmotionTrainer(model, args, rows)
    with torch.no_grad():
        encoded = tokenizer(rows["text"][:], padding=True, return_tensors="pt", truncation=True, max_length=64)
        logits = model(**encoded).logits
    truth = torch.from_numpy(label_ids(rows, NAMES))
    expected = sigmoid_focal_loss(logits, truth).item()
    assert trainer.evaluate(rows)["eval_loss"] == pytest.approx(expected, rel=1e-5)
    trainer.train()
    assert trainer.state.log_history[-2]["loss"] == pytest.approx(expected, rel=1e-5)


def test_models_and_rows_of_different_tasks_are_refused(tiny_model: EmotionClassifier, tmp_path: Path) -> None:
    args = EmotionTrainingArguments(str(tmp_path), report_to="none", disable_tqdm=True)
    with pytest.raises(KoBERTEmotionError, match="problem_type='multi_label_classification'"):
        EmotionTrainer(tiny_model, args, dataset())
    one = datasets.Dataset.from_dict({"text": ["가"], "label": ["happy"]})
    tiny_model.config.problem_type = "multi_label_classification"
    with pytest.raises(KoBERTEmotionError, match="task='multi-label'"):
        EmotionTrainer(tiny_model, args, one)
    with pytest.raises(KoBERTEmotionError, match="problem_type"):
        evaluate_run("default", dataset())


def test_labels_that_the_run_disputes_are_reviewed_and_put_back(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A set that is wrong in the file is among those to review, and what a person writes there comes back."""
    pytest.importorskip("cleanlab")
    shutil.copytree(place / "run", tmp_path / "run", symlinks=True)
    assert main(["review", str(tmp_path / "run"), "--output", str(tmp_path / "r.csv"), "--top", "60", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    table = pd.read_csv(tmp_path / "r.csv", encoding="utf-8-sig", dtype=str, na_filter=False)
    run = read_run(tmp_path / "run")
    other = (run.label_sets != run.answer_sets).any(axis=1)
    assert len(table) == said["rows"] == other.sum()
    assert table["suspect"].eq("yes").sum() == said["suspects"]
    assert set(table["row"].astype(int)) == set(np.flatnonzero(other) + 1)
    for line in table.to_dict("records"):
        given, had = (set(line[name].split("|")) - {""} for name in ("predicted", "label"))
        assert given - had == set(line["would_add"].split("|")) - {""}
        assert had - given == set(line["would_remove"].split("|")) - {""}
    table.loc[0, "new_label"] = "놀람,슬픔"
    table.to_csv(tmp_path / "r.csv", index=False, encoding="utf-8-sig")
    words = ["review", str(tmp_path / "run"), "--apply", str(tmp_path / "r.csv"), "--output", str(tmp_path / "new.csv")]
    assert main(words) == 0
    assert "--task multi-label" in capsys.readouterr().out
    rows = load_emotion_dataset(tmp_path / "new.csv", task="multi-label", labels=NAMES)
    expected = run.label_sets.copy()
    expected[int(table["row"][0]) - 1] = [0, 1, 1]
    np.testing.assert_array_equal(label_ids(rows, NAMES), expected)
    table.loc[0, "new_label"] = "화남"
    table.to_csv(tmp_path / "r.csv", index=False, encoding="utf-8-sig")
    assert main([*words[:-1], str(tmp_path / "newer.csv")]) == 2
    assert "화남" in capsys.readouterr().err
