"""Copies of a model in evaluation mode that leave the model to others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from torch import nn

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.utils.modules import evaluation_copy, every_module

TEXTS = ["오늘 정말 행복했어", "무서워서 잠이 안 와ㅠㅠ", "회의는 세 시입니다", "헐 진짜?", "토할 것 같아"]


@pytest.fixture
def model(tiny_model: EmotionClassifier) -> EmotionClassifier:
    """A model that computes for itself, for something hears what a layer of it gives."""
    tiny_model.bert.encoder.layer[0].register_forward_hook(lambda *_: None)
    assert tiny_model.tokenizer is not None
    return tiny_model


def test_threads_predict_with_a_model_in_training_mode(model: EmotionClassifier) -> None:
    expected = predict_logits(model.eval(), model.tokenizer, TEXTS)
    model.train()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: predict_logits(model, model.tokenizer, TEXTS, batch_size=1), range(48)))
    for logits in found:
        np.testing.assert_allclose(logits, expected, atol=1e-6)
    assert all(module.training for module in model.modules())


def test_nobody_sees_another_mode_while_there_is_a_prediction(model: EmotionClassifier) -> None:
    model.train()
    seen: list[bool] = []
    model.bert.encoder.layer[0].register_forward_hook(lambda *_: seen.extend(m.training for m in model.modules()))
    predict_logits(model, model.tokenizer, TEXTS)
    assert seen
    assert all(seen)


def test_a_training_in_another_thread_keeps_its_dropout(model: EmotionClassifier) -> None:
    expected = predict_logits(model.eval(), model.tokenizer, TEXTS)
    batch = model.tokenizer(TEXTS, padding=True, return_tensors="pt")
    model.train()
    done, losses = threading.Event(), []

    def train() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        while not done.is_set():
            loss = model(**batch, labels=torch.tensor([5, 0, 4, 1, 6])).loss
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(20):
            np.testing.assert_allclose(predict_logits(model, model.tokenizer, TEXTS), expected, atol=1e-6)
    finally:
        done.set()
        thread.join()
    assert len(set(losses)) == len(losses), "with dropout no two steps are alike"


def test_switching_modes_in_another_thread_does_not_reach_a_prediction(model: EmotionClassifier) -> None:
    expected = predict_logits(model.eval(), model.tokenizer, TEXTS)
    model.bert.embeddings.register_forward_hook(lambda *_: model.train() and None)
    np.testing.assert_allclose(predict_logits(model, model.tokenizer, TEXTS), expected, atol=1e-6)


def test_weights_and_hooks_are_shared(model: EmotionClassifier) -> None:
    copy = evaluation_copy(model.train())
    assert type(copy) is EmotionClassifier
    assert [name for name, _ in copy.named_modules()] == [name for name, _ in model.named_modules()]
    assert all(a is b for a, b in zip(copy.parameters(), model.parameters(), strict=True))
    assert all(a is b for a, b in zip(copy.buffers(), model.buffers(), strict=True))
    assert not any(module.training for module in copy.modules())
    assert not {id(module) for module in every_module(copy)} & {id(module) for module in every_module(model)}
    assert copy.tokenizer is model.tokenizer


def test_a_module_in_two_places_is_one_module_in_the_copy() -> None:
    shared = nn.Dropout(0.9)
    copy = evaluation_copy(nn.Sequential(shared, nn.Linear(3, 3), shared).train())
    assert copy[0] is copy[2]
    assert not copy[0].training


class _Aside(nn.Module):
    """Keeps a module where torch does not look for one, too."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.order = [self.drop]
        self.way = self.through

    def through(self, values: torch.Tensor) -> torch.Tensor:
        return self.drop(values)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.order[0](self.way(values))


def _bound(module: nn.Module) -> None:
    module.forward = module.through


@pytest.mark.parametrize("change", [lambda module: None, lambda m: add_hook_to_module(m, ModelHook()), _bound])
def test_what_belongs_to_a_module_belongs_to_its_copy(change: Callable[[nn.Module], object]) -> None:
    module = _Aside().train()
    change(module)
    values = torch.ones(1000)
    assert torch.equal(evaluation_copy(module)(values), values)
    assert not torch.equal(module(values), values)


def test_a_forward_that_is_a_mere_function_is_refused_in_training_mode() -> None:
    module = nn.Sequential(nn.Dropout(0.5))
    module.forward = lambda values: module[0](values * 1)
    with pytest.raises(KoBERTEmotionError, match="Call model"):
        evaluation_copy(module.train())
    assert torch.equal(evaluation_copy(module.eval())(torch.ones(9)), torch.ones(9))
