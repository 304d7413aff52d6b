"""Integrated gradients, against a sum over many small steps in plain torch."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.inference.classifier import Classifier
from kobert_hf_emotion.inference.ensemble import EmotionEnsemble
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

TEXT = "오늘 12,000원 잃어버려서 슬프다ㅠㅠ"
METHOD = "integrated_gradients"


def centred(model: EmotionClassifier, embedded: torch.Tensor, target: int) -> torch.Tensor:
    logits = model(inputs_embeds=embedded).logits / model.config.softmax_temperature
    return logits[:, target] - logits.mean(dim=-1)


def by_small_steps(model: EmotionClassifier, target: int, steps: int = 400) -> tuple[list[float], float]:
    """The integral by midpoints, for each token between [CLS] and [SEP], and the whole difference."""
    tokenizer = model.tokenizer
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    masked = ids.clone()
    masked[0, 1:-1] = tokenizer.mask_token_id
    end, start = (model.bert.embeddings.word_embeddings(each).detach() for each in (ids, masked))
    total = torch.zeros_like(end)
    for step in range(steps):
        point = (start + (step + 0.5) / steps * (end - start)).requires_grad_()
        total += torch.autograd.grad(centred(model, point, target).sum(), point)[0]
    with torch.no_grad():
        difference = float(centred(model, end, target) - centred(model, start, target))
    return ((end - start) * total / steps).sum(dim=-1)[0, 1:-1].tolist(), difference


@pytest.fixture
def steep(tiny_model: EmotionClassifier) -> EmotionClassifier:
    """A model whose answers depend on its words enough to be told apart."""
    with torch.no_grad():
        for weights in tiny_model.parameters():
            weights.mul_(4)
    tiny_model.config.softmax_temperature = 1.5
    return tiny_model


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, "disgust"])
def test_contributions_are_the_integral(steep: EmotionClassifier, label: str | None) -> None:
    [found] = steep.explain([TEXT], METHOD, label)
    assert found.label == steep.predict([TEXT])[0]["label"]
    shown = label or found.label
    expected, difference = by_small_steps(steep, steep.config.labels.index(shown))
    pieces = [piece for word in found.words for piece in word.pieces]
    assert [piece.token for piece in pieces] == steep.tokenizer.tokenize(TEXT)
    np.testing.assert_allclose([p.contributions[shown] for p in pieces], expected, atol=0.02 * np.abs(expected).max())
    assert [word.text for word in found.words] == TEXT.split()
    assert found.contributions(shown).sum() == pytest.approx(difference + found.deltas[shown], abs=1e-3)
    assert abs(found.deltas[shown]) < 0.05 * abs(difference) + 1e-3


def test_an_ensemble_of_twins_is_explained_as_one_of_them(steep: EmotionClassifier) -> None:
    one = Classifier(steep, steep.tokenizer)
    [alone] = one.explain([TEXT], METHOD)
    [both] = EmotionEnsemble([one, one]).explain([TEXT], METHOD)
    np.testing.assert_allclose(both.contributions(), alone.contributions(), rtol=1e-3, atol=1e-4)
    assert both.score == pytest.approx(alone.score, abs=1e-5)


def test_the_model_stays_as_it_was(steep: EmotionClassifier) -> None:
    steep.train()
    [found] = steep.explain([TEXT], METHOD)
    assert steep.training
    assert all(weights.grad is None for weights in steep.parameters())
    steep.eval()
    np.testing.assert_allclose(steep.explain([TEXT], METHOD)[0].contributions(), found.contributions(), rtol=1e-4)


def test_texts_without_words(steep: EmotionClassifier) -> None:
    assert [found.words for found in steep.explain(["", "  "], METHOD)] == [[], []]


def test_another_label_was_not_explained(steep: EmotionClassifier) -> None:
    [found] = steep.explain([TEXT], METHOD, "happy")
    with pytest.raises(KoBERTEmotionError, match="'joy'"):
        found.contributions("joy")


def test_without_captum_the_extra_is_named(steep: EmotionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(KoBERTEmotionError, match=r"pip install 'kobert-hf-emotion\[explain\]'"):
        steep.explain([TEXT], METHOD)
