"""`predict_logits` against transformers, a text at a time, with whatever encoder and tokenizer it is given."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from small_encoders import SIZES, word_piece
from transformers import (
    BertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from kobert_hf_emotion.errors import KoBERTEmotionError, TokenizerError
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.tokenization.guard import UnknownTexts
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

pytestmark = pytest.mark.numeric

TEXTS = ["오늘 정말 행복했어", "싫다", "비가 오고 바람이 불어서 우산이 뒤집어졌다", "", "왜 그래"]
PAIRS = ["정말?", "왜 그래 무슨 일이 있었어", "", "아무 말이나", "내일 비가 온대요"]


def sharp(model: PreTrainedModel) -> PreTrainedModel:
    """Makes the answers depend on everything: a fresh head says nearly the same of all texts."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "token_type" in name or name.startswith("classifier") or "position" in name:
                weight.mul_(40)
    return model.eval()


@pytest.fixture
def kobert(tiny_model: EmotionClassifier) -> Any:
    return sharp(tiny_model), tiny_model.tokenizer


@pytest.fixture(scope="module")
def electra() -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        tokenizer = word_piece()
        settings = {"embedding_size": 16, "num_labels": 3, "max_position_embeddings": 24}
        model = ElectraForSequenceClassification(ElectraConfig(vocab_size=len(tokenizer), **SIZES | settings))
    return sharp(model), tokenizer


@pytest.fixture(params=["kobert", "electra"])
def either(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def one_by_one(model: Any, tokenizer: Any, texts: list[str], pairs: list[str] | None, limit: int) -> Any:
    rows = []
    for text, pair in zip(texts, pairs or [None] * len(texts), strict=True):
        encoded = tokenizer(text, pair, truncation=True, max_length=limit, return_tensors="pt")
        with torch.no_grad():
            rows.append(model(**encoded).logits[0].numpy())
    return np.array(rows)


@pytest.mark.parametrize("pairs", [None, PAIRS], ids=["texts", "pairs"])
@pytest.mark.parametrize("limit", [None, 7])
def test_logits_are_those_of_a_text_at_a_time(
    either: tuple[PreTrainedModel, PreTrainedTokenizerBase], pairs: list[str] | None, limit: int | None
) -> None:
    model, tokenizer = either
    plain: Any = model
    if isinstance(model, EmotionClassifier):
        plain = BertForSequenceClassification(model.config).eval()
        plain.load_state_dict(model.state_dict())
    expected = one_by_one(plain, tokenizer, TEXTS, pairs, limit or 24)
    found = predict_logits(model, tokenizer, TEXTS, pairs, batch_size=2, max_length=limit or 24)
    assert np.abs(expected - expected[0]).max() > 1e-2, "the answers are too alike to show a mistake"
    assert found == pytest.approx(expected, abs=2e-5)
    if pairs is not None:
        assert np.abs(found - predict_logits(model, tokenizer, TEXTS, max_length=limit or 24)).max() > 1e-2


def test_the_longest_input_is_the_models(electra: tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> None:
    """The tokenizer tells of no limit, the model has 24 positions."""
    model, tokenizer = electra
    long = "비가 오고 바람이 불어서 " * 9
    expected = one_by_one(model, tokenizer, [long], None, 24)
    for limit in (None, 24, 10_000):
        assert predict_logits(model, tokenizer, [long], max_length=limit) == pytest.approx(expected, abs=2e-5)


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
    assert np.abs(found - predict_logits(model, tokenizer, TEXTS)).max() > 1e-3
