"""The folds of a run as one classifier, against means computed by hand and plain transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from tiny import TINY, sharp_model
from transformers import AutoModelForSequenceClassification

from kobert_hf_emotion import EmotionClassifier, EmotionConfig, KoBERTTokenizer
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError, RunError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.inference.ensemble import ENSEMBLE_FILE, EmotionEnsemble, load_predictor
from kobert_hf_emotion.inference.soup import average_weights
from kobert_hf_emotion.runs.combination import combine_folds
from kobert_hf_emotion.tasks.single_label import SingleLabel

TEXTS = ["오늘 정말 행복했어", "무서워서 잠이 안 와", "회의는 두 시", "ㅠㅠ"]


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory, tokenizer: KoBERTTokenizer) -> Path:
    """A run's folder with three folds that differ in their heads' and encoders' weights, and their temperature."""
    run = tmp_path_factory.mktemp("runs") / "run"
    for number, temperature in enumerate((0.5, 1.0, 2.0), start=1):
        model = sharp_model(number, softmax_temperature=temperature)
        model.tokenizer = tokenizer
        model.save_pretrained(run / f"fold_{number}")
    return run


def members(run: Path) -> list[EmotionClassifier]:
    return [EmotionClassifier.from_pretrained(run / f"fold_{number}") for number in (1, 2, 3)]


def plain_probabilities(folder: Path) -> np.ndarray:
    """Probabilities by plain transformers, at the temperature in the file."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = KoBERTTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in TEXTS]).numpy()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return softmax(logits.astype(float) / config.get("softmax_temperature", 1.0), axis=1)


def test_the_mean_of_probabilities(folds: Path, tmp_path: Path) -> None:
    expected = np.mean([plain_probabilities(folds / f"fold_{number}") for number in (1, 2, 3)], axis=0)
    combine_folds(folds, tmp_path / "ensemble")
    ensemble = load_predictor(tmp_path / "ensemble")
    assert isinstance(ensemble, EmotionEnsemble)
    np.testing.assert_allclose(softmax(ensemble.predict_logits(TEXTS), axis=1), expected, atol=1e-6)
    for row, prediction in zip(expected, ensemble.predict(TEXTS), strict=True):
        assert prediction["label"] == ensemble.labels[int(row.argmax())]
        assert prediction["score"] == pytest.approx(row.max(), abs=1e-6)
        assert list(prediction["probabilities"].values()) == pytest.approx((100 * row).round(2), abs=0.011)


def test_the_mean_of_weights_is_a_plain_model(folds: Path, tmp_path: Path) -> None:
    combine_folds(folds, tmp_path / "soup", "weights")
    found = load_file(tmp_path / "soup" / "model.safetensors")
    weights = [load_file(folds / f"fold_{number}" / "model.safetensors") for number in (1, 2, 3)]
    assert found.keys() == weights[0].keys()
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, torch.stack([w[name].double() for w in weights]).mean(0).float(), msg=name)
    predictions = EmotionClassifier.from_pretrained(tmp_path / "soup").predict(TEXTS)
    expected = plain_probabilities(tmp_path / "soup")
    assert [prediction["score"] for prediction in predictions] == pytest.approx(expected.max(1), abs=1e-6)


def test_a_fold_with_itself_is_the_fold(folds: Path) -> None:
    fold = folds / "fold_1"
    alone = load_classifier(fold)
    twice = EmotionEnsemble([alone, load_classifier(fold)])
    np.testing.assert_allclose(
        softmax(twice.predict_logits(TEXTS), axis=1), softmax(alone.predict_logits(TEXTS), axis=1), atol=1e-6
    )
    soup = average_weights([fold, fold])
    np.testing.assert_array_equal(soup.predict_logits(TEXTS), alone.predict_logits(TEXTS))


def test_certainty_of_a_member_does_not_overflow() -> None:
    found = SingleLabel().mean([np.array([[0.0, 5000.0]], dtype=np.float32)] * 2)
    assert np.isfinite(found).all()
    assert softmax(found.astype(float), axis=1)[0, 1] == 1


def test_members_that_do_not_go_together(folds: Path, tmp_path: Path, gluon_tokenizer: KoBERTTokenizer) -> None:
    other = EmotionClassifier(EmotionConfig(**TINY, id2label={0: "부정", 1: "긍정"}))
    other.tokenizer = gluon_tokenizer
    other.save_pretrained(tmp_path / "other")
    for combine in (average_weights, lambda paths: EmotionEnsemble(list(map(load_classifier, paths)))):
        with pytest.raises(CheckpointError, match="부정"):
            combine([folds / "fold_1", tmp_path / "other"])
    wider = EmotionClassifier(EmotionConfig(**(TINY | {"intermediate_size": 32})))
    wider.tokenizer = gluon_tokenizer
    wider.save_pretrained(tmp_path / "wider")
    with pytest.raises(CheckpointError, match="shapes"):
        average_weights([folds / "fold_1", tmp_path / "wider"])
    with pytest.raises(CheckpointError):
        EmotionEnsemble([])


@pytest.mark.slow
def test_the_command_and_what_reads_its_folder(folds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test.csv").write_text("text,label\n행복해,5\n무서워,0\n두 시에 봐,4\n", encoding="utf-8")
    for method in ("probabilities", "weights"):
        folder = tmp_path / method
        assert main(["ensemble", str(folds), "--output", str(folder), "--method", method]) == 0
        capsys.readouterr()
        assert main(["predict", str(folder), *TEXTS, "--json"]) == 0
        predictions = json.loads(capsys.readouterr().out)["predictions"]
        expected = load_predictor(folder).predict_logits(TEXTS)
        assert [found["score"] for found in predictions] == pytest.approx(softmax(expected, axis=1).max(1), abs=1e-6)
        assert main(["test", str(folder), str(tmp_path / "test.csv"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["best"] == str(folder)
        assert len(found["checkpoints"]) == 1
    assert [path.name for path in sorted((tmp_path / "probabilities").iterdir())] == [
        ENSEMBLE_FILE, "fold_1", "fold_2", "fold_3",
    ]  # fmt: skip


def test_what_is_in_the_way_or_missing(folds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "keep.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(RunError, match="nothing in it was touched"):
        combine_folds(folds, tmp_path / "used")
    assert main(["ensemble", str(tmp_path), "--output", str(tmp_path / "new")]) == 2
    assert "no folds" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ENSEMBLE_FILE).write_text('{"members": ["fold_1"]}', encoding="utf-8")
    with pytest.raises(CheckpointError):
        load_predictor(tmp_path / "broken")
    (tmp_path / "broken" / ENSEMBLE_FILE).write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is no ensemble's folder"):
        load_predictor(tmp_path / "broken")
