"""What `predict_logits` takes, refuses and counts."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from kobert_hf_emotion.errors import DataError, KoBERTEmotionError, TokenizerError
from kobert_hf_emotion.modeling import prediction
from kobert_hf_emotion.modeling.batches import Batch
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


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_the_packed_model_answers_as_the_plain_one(
    kobert: Any, monkeypatch: pytest.MonkeyPatch, paired: bool, batch_size: int
) -> None:
    """One text by itself, with transformers' own call, is what both must give."""
    model, tokenizer = kobert
    pairs = TEXTS[::-1] if paired else None
    packed = predict_logits(model, tokenizer, TEXTS, pairs, batch_size)
    monkeypatch.setattr(prediction, "packed_bert", lambda _model: None)
    plain = predict_logits(model, tokenizer, TEXTS, pairs, batch_size)
    rows = [(text, pair) for text, pair in zip(TEXTS, pairs or [None] * 5, strict=True)]
    with torch.no_grad():
        expected = np.concatenate(
            [model(**tokenizer(text, pair, return_tensors="pt")).logits.numpy() for text, pair in rows]
        )
    assert packed == pytest.approx(expected, abs=2e-5)
    assert plain == pytest.approx(expected, abs=2e-5)
    assert packed.dtype == plain.dtype == np.float32


def test_the_second_texts_are_told_from_the_first(kobert: Any) -> None:
    model, tokenizer = kobert
    turned = predict_logits(model, tokenizer, TEXTS[::-1], TEXTS)
    assert np.abs(predict_logits(model, tokenizer, TEXTS, TEXTS[::-1]) - turned).max() > 3e-5
    with pytest.raises(DataError, match=r"as many second texts as texts \(5\), found 4"):
        predict_logits(model, tokenizer, TEXTS, TEXTS[:4])
    with pytest.raises(DataError, match="text_pairs"):
        predict_logits(model, tokenizer, TEXTS, [None] * 5)  # type: ignore[list-item]


def test_of_no_texts_there_are_no_rows(kobert: Any) -> None:
    found = predict_logits(*kobert, [])
    assert (found.shape, found.dtype) == ((0, 7), np.float32)
    assert predict_logits(*kobert, [], []).shape == (0, 7)


def test_texts_are_cut_where_they_are_told_to_be_and_the_model_ends(kobert: Any) -> None:
    model, tokenizer = kobert
    short, long = copy.copy(tokenizer), copy.copy(tokenizer)
    short.model_max_length, long.model_max_length = 5, 10**6
    cut = tokenizer(TEXTS, truncation=True, max_length=5)["input_ids"]
    expected = predict_logits(model, tokenizer, TEXTS, max_length=5)
    assert max(map(len, cut)) == 5
    np.testing.assert_array_equal(predict_logits(model, short, TEXTS), expected)
    assert np.abs(expected - predict_logits(model, tokenizer, TEXTS)).max() > 1e-4
    positions = model.config.max_position_embeddings
    for most in (None, positions, positions + 1):
        assert predict_logits(model, long, ["가 " * 4 * positions], max_length=most).shape == (1, 7)
        assert prediction.row_limit(long, model.config, most) == positions
    assert prediction.row_limit(short, model.config) == 5
    assert prediction.row_limit(short, model.config, 9) == 9


@pytest.mark.parametrize(
    ("lengths", "multiple", "shape"),
    [
        ([3, 3], None, (2, 3)),
        ([8, 8], 8, (2, 8)),
        ([3, 3], 8, (2, 8)),
        ([2, 3], None, (2, 3)),
        ([2, 9], 8, (2, 16)),
    ],
)
def test_rows_are_padded_where_they_must_be(
    kobert: Any, lengths: list[int], multiple: int | None, shape: tuple[int, int]
) -> None:
    tokenizer = kobert[1]
    rows = [list(range(10, 10 + length)) for length in lengths]
    found = prediction._tensors(tokenizer, Batch({"input_ids": rows}, lengths), multiple)
    assert tuple(found["input_ids"].shape) == shape
    is_padded = any(length != shape[1] for length in lengths)
    assert ("attention_mask" in found) == is_padded, "a mask costs time"
    for row, ids in enumerate(rows):
        assert found["input_ids"][row].tolist() == [*ids, *[tokenizer.pad_token_id] * (shape[1] - len(ids))]
        if is_padded:
            assert found["attention_mask"][row].tolist() == [1] * len(ids) + [0] * (shape[1] - len(ids))


@pytest.mark.parametrize(
    ("texts", "batch_size", "most"),
    [(100, 64, 25), (100, 7, 7), (3, 64, 3), (20, 64, 8), (1000, 64, 64)],  # four batches a core, of 8 rows or more
)
def test_few_texts_are_divided_among_the_cores(
    kobert: Any, monkeypatch: pytest.MonkeyPatch, texts: int, batch_size: int, most: int
) -> None:
    model, tokenizer = kobert
    shapes: list[int] = []

    def packed(input_ids: torch.Tensor, **_: torch.Tensor) -> torch.Tensor:
        shapes.append(len(input_ids))
        return torch.zeros(len(input_ids), 2)

    monkeypatch.setattr(prediction, "packed_bert", lambda _model: packed)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert predict_logits(model, tokenizer, ["그래"] * texts, batch_size=batch_size).shape == (texts, 2)
    assert max(shapes) == most
    assert sum(shapes) == texts


def test_a_model_that_is_not_packed_has_the_batches_it_was_asked_for(
    kobert: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = kobert
    shapes: list[int] = []
    monkeypatch.setattr(prediction, "packed_bert", lambda _model: None)

    def forward_of(_model: Any) -> Any:
        return lambda input_ids, **_: shapes.append(len(input_ids)) or torch.zeros(len(input_ids), 2)

    monkeypatch.setattr(prediction, "_forward_of", forward_of)
    predict_logits(model, tokenizer, ["그래"] * 100, batch_size=64)
    assert shapes == [64, 36]
