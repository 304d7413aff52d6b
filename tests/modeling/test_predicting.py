"""What `predict_logits` takes, refuses and counts."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from kobert_hf_emotion.errors import KoBERTEmotionError, TokenizerError
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.tokenization.guard import UnknownTexts
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

pytestmark = pytest.mark.numeric

TEXTS = ["오늘 정말 행복했어", "싫다", "비가 오고 바람이 불어서 우산이 뒤집어졌다", "", "왜 그래"]


@pytest.fixture
def kobert(tiny_model: EmotionClassifier) -> Any:
    return tiny_model, tiny_model.tokenizer


@pytest.mark.parametrize("number", [0, -1, 1.5, "8", True])
@pytest.mark.parametrize("name", ["batch_size", "max_length"])
def test_numbers_that_are_none(kobert: Any, name: str, number: Any) -> None:
    """Also where there is nothing to predict."""
    for texts in (TEXTS, []):
        with pytest.raises(KoBERTEmotionError, match=f"as `{name}`, found"):
            predict_logits(*kobert, texts, **{name: number})


def test_another_models_tokenizer_is_refused(kobert: Any) -> None:
    model, tokenizer = kobert
    with pytest.raises(TokenizerError):
        predict_logits(model, _with_many_ids(tokenizer), ["뷁뷁"])


def _with_many_ids(tokenizer: KoBERTTokenizer) -> KoBERTTokenizer:
    larger = KoBERTTokenizer(tokenizer.vocab_file)
    larger.add_tokens(["뷁뷁"])
    return larger


def test_unknown_texts_are_counted(kobert: Any) -> None:
    counted = UnknownTexts()
    predict_logits(*kobert, [*TEXTS, "🦄🐉"], unknown=counted)
    assert (counted.texts, counted.unknown) == (6, 2)  # the empty one, and one of signs it does not know


def test_a_tokenizer_of_a_subclass_is_asked_its_own_way(kobert: Any) -> None:
    model, tokenizer = kobert

    class Backwards(KoBERTTokenizer):
        def __call__(self, text: Any = None, *more: Any, **options: Any) -> Any:
            return super().__call__([row[::-1] for row in text], *more, **options)

    turned = copy.copy(tokenizer)
    turned.__class__ = Backwards
    found = predict_logits(model, turned, TEXTS)
    assert found == pytest.approx(predict_logits(model, tokenizer, [row[::-1] for row in TEXTS]), abs=2e-5)
    assert np.abs(found - predict_logits(model, tokenizer, TEXTS)).max() > 1e-4
