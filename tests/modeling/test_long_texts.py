"""Answers of texts longer than a model reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.inference.classifier import Classifier
from kobert_hf_emotion.inference.ensemble import EmotionEnsemble
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.long_texts import pool_logits
from kobert_hf_emotion.tasks.multi_label import MultiLabel
from kobert_hf_emotion.tasks.single_label import SingleLabel
from kobert_hf_emotion.tokenization.guard import UnknownTexts
from kobert_hf_emotion.tokenization.long_texts import LongTexts

SHORT = ["오늘 정말 행복했어", "왜 늦었어? 그만 좀 해.", ""]
DIARY = "아침에는 비가 왔다. 버스를 놓쳐서 짜증이 났다! 그래도 점심은 맛있었다.\n저녁에 친구가 전화했다. " * 6
LONG = LongTexts(stride=8)


@pytest.fixture
def model(tiny_model: EmotionClassifier) -> Classifier:
    tiny_model.tokenizer.model_max_length = 24
    tiny_model.config.softmax_temperature = 1.7
    return Classifier(tiny_model, tiny_model.tokenizer)


def rows(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=4, size=(5, 7)).astype(np.float32)


def test_pooled_probabilities_are_the_mean_and_the_highest() -> None:
    parts = rows(0)
    one, several = softmax(parts.astype(np.float64), axis=1), expit(parts.astype(np.float64))
    found = softmax(pool_logits(SingleLabel(), parts, "mean"))
    np.testing.assert_allclose(found, one.mean(axis=0), rtol=1e-5)
    found = softmax(pool_logits(SingleLabel(), parts, "max"))
    np.testing.assert_allclose(found, one.max(axis=0) / one.max(axis=0).sum(), rtol=1e-5)
    np.testing.assert_allclose(expit(pool_logits(MultiLabel(), parts, "mean")), several.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(expit(pool_logits(MultiLabel(), parts, "max")), several.max(axis=0), rtol=1e-5)
    for pool in ("mean", "max"):
        assert pool_logits(SingleLabel(), parts[:1], pool).tolist() == parts[0].tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["window", "sentence"])
def test_texts_that_fit_are_answered_as_without(model: Classifier, mode: str) -> None:
    long = LongTexts(mode, 8)  # type: ignore[arg-type]
    assert (model.predict_logits(SHORT, long=long) == model.predict_logits(SHORT)).all()
    expected = model.predict(SHORT)
    for found, plain in zip(model.predict(SHORT, long=long), expected, strict=True):
        parts = found.pop("parts")  # type: ignore[typeddict-item]
        assert found == plain
        assert len(parts) in (1, 2)
    assert [len(p["parts"]) for p in model.predict(SHORT, long=long)] == [1, 2 if mode == "sentence" else 1, 1]  # type: ignore[typeddict-item]


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("mode", ["window", "sentence"])
def test_a_long_text_is_what_its_pieces_are_together(model: Classifier, mode: str, pool: str) -> None:
    long = LongTexts(mode, 8, pool)  # type: ignore[arg-type]
    texts = [SHORT[0], DIARY]
    found = model.answer_long(texts, long)
    spans = found.pieces[1].spans
    assert found.counts.long == 1
    assert found.counts.parts == len(spans) > 3
    alone = model.predict_logits([DIARY[start:end] for start, end in spans])
    np.testing.assert_allclose(found.parts[1], alone, atol=1e-5)
    np.testing.assert_allclose(found.logits[1], pool_logits(model.task, alone, pool), atol=1e-5)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.logits[:1], model.predict_logits(texts[:1]), atol=1e-5)
    [_, prediction] = model.predict(texts, long=long)
    [_, own] = EmotionClassifier.predict(model.model, texts, long=long)  # type: ignore[arg-type]
    assert own["label"] == prediction["label"]
    assert [part["start"] for part in prediction["parts"]] == [start for start, _ in spans]  # type: ignore[typeddict-item]
    cells = json.loads(found.cells(model.task, model.labels)[1])
    assert [(cell["start"], cell["end"]) for cell in cells] == spans
    assert set(cells[0]) == {"start", "end", "label", "score"}


def test_what_is_cut_is_counted_and_what_cannot_be_read(model: Classifier) -> None:
    counted = UnknownTexts()
    model.predict_logits([*SHORT[:2], DIARY, "🦄 " * 60], unknown=counted)
    assert (counted.texts, counted.unknown, counted.cut) == (4, 1, 2)
    message = counted.cut_message()
    assert message is not None
    assert "2 of 4" in message.english
    divided = UnknownTexts()
    model.predict_logits([*SHORT[:2], DIARY, "🦄 " * 60], unknown=divided, long=LONG)
    assert (divided.texts, divided.unknown, divided.cut) == (4, 1, 0)


def test_an_ensemble_divides_as_its_members(model: Classifier) -> None:
    ensemble = EmotionEnsemble([model, model])
    found = ensemble.answer_long([DIARY, SHORT[0]], LONG)
    np.testing.assert_allclose(found.logits - found.logits.max(axis=1, keepdims=True), _shifted(model), atol=1e-4)


def _shifted(model: Classifier) -> np.ndarray:
    logits = model.predict_logits([DIARY, SHORT[0]], long=LONG)
    shifted: np.ndarray = logits - logits.max(axis=1, keepdims=True)
    return shifted


def test_pairs_of_texts_are_not_divided(model: Classifier) -> None:
    with pytest.raises(DataError) as error:
        model.predict_logits(SHORT, SHORT, long=LONG)
    assert error.value.mend == {"long": None}


def test_no_texts_are_no_answers(model: Classifier, tmp_path: Path) -> None:
    assert model.predict_logits([], long=LONG).shape == (0, 7)
