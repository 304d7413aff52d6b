"""A run on a test file: seen and unseen texts, the folds together, and the price of choosing on the test rows."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from oof import write_finished_run
from scipy.special import softmax
from sentences import sentences, write_seed_csv
from sklearn.metrics import accuracy_score, f1_score
from tiny import sharp_model

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.evaluation.checkpoints import evaluate_checkpoints
from kobert_hf_emotion.evaluation.held_out import ENSEMBLE, SOUP, evaluate_run
from kobert_hf_emotion.inference.soup import average_weights
from kobert_hf_emotion.labels import EMOTION_LABELS

PAIRS = sentences(8)
TRAINED = [text for text, _ in PAIRS[:20]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tokenizer: KoBERTTokenizer) -> Path:
    """Three random folds, the second chosen, of a run whose file held 20 of the test texts, spelled otherwise."""
    truth = np.arange(20) % 7
    texts = [f" {text.replace(' ', '  ')} " for text in TRAINED]
    run = tmp_path_factory.mktemp("runs") / "run"
    write_finished_run(run, np.eye(7)[truth], truth, EMOTION_LABELS, texts, best="fold_2")
    for number in (1, 2, 3):
        model = sharp_model(number, softmax_temperature=0.7)
        model.tokenizer = tokenizer
        model.save_pretrained(run / f"fold_{number}")
    return run


@pytest.fixture(scope="module")
def rows() -> datasets.Dataset:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(EMOTION_LABELS))}
    )
    columns = {"text": [text for text, _ in PAIRS], "label": [EMOTION_LABELS.index(label) for _, label in PAIRS]}
    return datasets.Dataset.from_dict(columns, features=features)


def test_seen_and_unseen_texts(run: Path, rows: datasets.Dataset) -> None:
    found = evaluate_run(run, rows)
    assert found.seen_rows == 20
    assert len({tuple(checkpoint.right) for checkpoint in found.checkpoints}) == 3
    truth = np.asarray(rows["label"])
    is_seen = np.array([text in TRAINED for text in rows["text"]])
    for checkpoint, plain in zip(found.checkpoints, evaluate_checkpoints([c.path for c in found.checkpoints], rows),
                                 strict=True):  # fmt: skip
        predicted = plain.logits.argmax(1)
        for part, kept in ((checkpoint.seen, is_seen), (checkpoint.unseen, ~is_seen)):
            assert part is not None
            assert part.scores.rows == kept.sum()
            assert part.scores.accuracy == accuracy_score(truth[kept], predicted[kept])
            expected = f1_score(truth[kept], predicted[kept], average="macro", zero_division=0)
            assert part.scores.macro_f1 == pytest.approx(expected)
            assert part.intervals["accuracy"].low <= part.scores.accuracy <= part.intervals["accuracy"].high


@pytest.mark.slow
def test_the_folds_together(run: Path, rows: datasets.Dataset) -> None:
    found = evaluate_run(run, rows)
    ensemble, soup = found.combined
    assert (ensemble.name, soup.name) == (ENSEMBLE, SOUP)
    truth = np.asarray(rows["label"])
    plain = evaluate_checkpoints([c.path for c in found.checkpoints], rows)
    mean = np.mean([softmax(c.logits.astype(float), axis=1) for c in plain], axis=0)
    assert ensemble.all_rows.scores.accuracy == accuracy_score(truth, mean.argmax(1))
    assert ensemble.all_rows.scores.log_loss == pytest.approx(-np.log(mean[np.arange(len(truth)), truth]).mean())
    of_label = mean[np.arange(len(truth)), truth]
    assert ensemble.loss == pytest.approx((-((1 - of_label) ** 2) * np.log(of_label)).mean(), rel=1e-5)
    logits = average_weights([c.path for c in found.checkpoints]).predict_logits(list(rows["text"]))
    assert soup.all_rows.scores.accuracy == accuracy_score(truth, logits.argmax(1))


def test_the_loss_is_that_of_training_whatever_the_temperature(run: Path, rows: datasets.Dataset) -> None:
    [found] = evaluate_checkpoints([run / "fold_1"], rows)
    model = EmotionClassifier.from_pretrained(run / "fold_1").eval()
    with torch.no_grad():
        losses = [
            model(**model.tokenizer(row["text"], return_tensors="pt"), labels=torch.tensor([row["label"]])).loss.item()
            for row in rows
        ]
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-4)


@pytest.mark.slow
def test_who_is_chosen_and_on_what(run: Path, rows: datasets.Dataset) -> None:
    found = evaluate_run(run, rows)
    assert (found.best.path, found.chosen_on) == (run / "fold_2", "validation")
    on_test = evaluate_run(run, rows, select_on_test=True)
    accuracies = [c.all_rows.scores.accuracy for c in on_test.checkpoints]
    assert on_test.chosen_on == "test"
    assert on_test.best.all_rows.scores.accuracy == max(accuracies)
    assert on_test.optimism is not None
    assert on_test.optimism.chosen == pytest.approx(max(accuracies))
    assert on_test.optimism.mean == pytest.approx(np.mean(accuracies))
    single = evaluate_run(run / "fold_3", rows)
    assert (single.chosen_on, single.optimism, single.combined) == ("nothing", None, [])
    assert single.seen_rows == 20, "the run's file is beside the fold"


def test_a_model_of_no_run(tiny_model_folder: Path, rows: datasets.Dataset) -> None:
    found = evaluate_run(tiny_model_folder, rows)
    assert found.seen_rows is None
    assert found.best.seen is None
    assert found.best.unseen is None


@pytest.mark.slow
def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(write_seed_csv(tmp_path / "test.csv", PAIRS))
    assert main(["test", str(run), file]) == 0
    out = capsys.readouterr().out
    for part in ("ensemble", "soup", "20행", "36행", "unseen", "검증", "optimism"):
        assert part in out, out
    assert main(["test", str(run), file, "--select-on-test", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found["combined"]] == ["ensemble", "soup"]
    assert found["seen_rows"] == found["checkpoints"][0]["seen"]["rows"] == 20
    assert found["choosing_on_test"]["chosen"] == max(entry["accuracy"] for entry in found["checkpoints"])
    assert set(found["checkpoints"][0]["intervals"]) == {"accuracy", "macro_f1", "weighted_f1"}
