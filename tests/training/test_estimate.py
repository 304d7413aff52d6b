"""The estimate of memory and time."""

from __future__ import annotations

import math

import pytest
import torch
from sentences import sentences

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.estimate import RunPlan, estimate_run

TEXTS = [text for text, _ in sentences(8)]


def test_steps_are_those_of_the_trainer() -> None:
    # 5 folds of 1,000 rows: 800 train rows are 13 batches of 64, ten epochs
    assert RunPlan(rows=1000).steps == 13 * 10 * 5
    assert RunPlan(rows=1000, n_splits=2, epochs=1, batch_size=100).steps == 5 * 2
    assert RunPlan(rows=1000, epochs=2).evaluated_rows == 2 * 1000


def test_memory_of_the_states_is_that_of_the_parameters(
    tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer
) -> None:
    estimate = estimate_run(tiny_model, tokenizer, TEXTS, RunPlan(rows=56), budget_seconds=0.05)
    numbers = sum(parameter.numel() for parameter in tiny_model.parameters())
    assert estimate.parameters == numbers
    assert (estimate.weight_bytes, estimate.gradient_bytes) == (4 * numbers, 4 * numbers)
    optimizer = torch.optim.AdamW(tiny_model.parameters())
    optimizer.step()  # the probe has left gradients
    moments = [value for state in optimizer.state.values() for value in state.values() if value.dim()]
    assert estimate.optimizer_bytes == pytest.approx(sum(value.nbytes for value in moments), rel=0.01)
    assert estimate.memory_bytes == 16 * numbers + estimate.activation_bytes


def test_activations_grow_with_batch_layers_and_length(tokenizer: KoBERTTokenizer) -> None:
    def activations(layers: int = 2, batch_size: int = 8, max_length: int = 16) -> int:
        size = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
        model = EmotionClassifier(EmotionConfig(num_hidden_layers=layers, **size))
        plan = RunPlan(rows=100, batch_size=batch_size, max_length=max_length)
        return estimate_run(model, tokenizer, ["기나긴 글 " * 40] * 4, plan, budget_seconds=0.01).activation_bytes

    base = activations()
    assert activations(batch_size=16) == 2 * base
    another = activations(layers=3) - base  # the last layer keeps less than the others
    assert another > base / 2
    assert activations(layers=4) == base + 2 * another
    assert 1.9 * base < activations(max_length=32) < 4 * base


def test_activations_are_the_tensors_a_layer_keeps() -> None:
    """One linear layer with a ReLU keeps its input and its output, and no weight is counted."""
    from kobert_hf_emotion.training.estimate import _Probe

    class Head(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(6, 5)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.linear(features).relu().sum()

    class Bare(_Probe):
        def _batch(self, rows: object) -> dict[str, torch.Tensor]:
            return {"features": torch.ones(3, 6, requires_grad=True)}

        def _loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return self._model(**batch)

    probe = Bare(Head(), None, {}, torch.device("cpu"))  # type: ignore[arg-type]
    assert probe.activation_bytes([0]) == 4 * (3 * 6 + 3 * 5)


def test_time_is_extrapolated_from_the_steps(tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer) -> None:
    estimate = estimate_run(tiny_model, tokenizer, TEXTS, RunPlan(rows=5600, batch_size=8), budget_seconds=0.2)
    assert estimate.steps == math.ceil(4480 / 8) * 10 * 5
    assert estimate.total_seconds > estimate.steps * estimate.step_seconds > 0
    assert 5 <= estimate.timed_rows <= 40
    assert estimate.device in ("cpu", "cuda")


def test_fewer_texts_than_a_batch(tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer) -> None:
    estimate = estimate_run(tiny_model, tokenizer, ["하나뿐인 글"], RunPlan(rows=2, n_splits=2), budget_seconds=0.01)
    assert estimate.timed_rows == 5
