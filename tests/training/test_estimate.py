"""The estimate of memory and time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from sentences import sentences

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training import estimate as estimate_module
from kobert_hf_emotion.training.estimate import Pace, RunPlan, draw_batches, estimate_run, time_batches
from kobert_hf_emotion.training.sampling import LengthGroupedSampler

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
    for parameter in tiny_model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
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


LENGTHS = np.repeat(np.arange(5, 45), 32)


@pytest.mark.parametrize("budget", [0.0, 20.0, 1000.0])
def test_the_estimate_of_a_machine_of_known_speed_is_its_time(
    tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer, monkeypatch: pytest.MonkeyPatch, budget: float
) -> None:
    texts = ["아 " * (length - 2) for length in LENGTHS]
    lengths = np.array([len(ids) for ids in tokenizer(texts, truncation=True, max_length=64)["input_ids"]])
    ran: list[list[int]] = []

    def of_known_speed(batch: Sequence[int]) -> float:
        ran.append(list(batch))
        return 0.01 * lengths[list(batch)].max() * len(batch)

    monkeypatch.setattr(estimate_module, "_timed", lambda run, device: of_known_speed)
    plan = RunPlan(rows=len(texts), n_splits=4, epochs=3, batch_size=32)
    estimate = estimate_run(tiny_model, tokenizer, texts, plan, budget_seconds=budget)
    sampler = LengthGroupedSampler(lengths, 32, seed=5)
    truth = sum(of_known_speed(batch) for batch in np.array(list(sampler)).reshape(-1, 32))  # of an epoch of all rows
    assert estimate.total_seconds == pytest.approx(truth * (3 * 3 + 3), rel=0.15)  # three of four parts of 4 folds
    assert estimate.step_seconds * estimate.steps == pytest.approx(truth * 3 * 3, rel=0.15)
    assert {len(batch) for batch in ran} == {32}, "steps of another size than the run's"
    assert estimate.timed_rows == 32 * {0.0: 1, 20.0: 3, 1000.0: 50}[budget]


def test_the_first_step_is_not_timed() -> None:
    clock = iter([100.0, 1.0, 2.0])
    pace = time_batches([[0, 1], [2, 3]], np.array([4, 5, 10, 7]), lambda batch: next(clock), budget_seconds=1.5)
    assert pace == Pace(token_seconds=3 / (2 * 5 + 2 * 10), rows=4)


def test_batches_come_from_the_middle_outwards_and_cover_the_rows() -> None:
    batches = draw_batches(LENGTHS, RunPlan(rows=10_000, batch_size=64), most_rows=64)
    assert sorted(row for batch in batches for row in batch) == list(range(len(LENGTHS)))
    longest = [LENGTHS[batch].max() for batch in batches]
    assert abs(longest[0] - 25) < 3
    assert set(longest[-2:]) == {min(longest), max(longest)}


def test_a_batch_is_no_larger_than_the_rows_of_a_fold_or_the_memory() -> None:
    few = draw_batches(LENGTHS, RunPlan(rows=40, n_splits=2), most_rows=1000)
    assert [len(batch) for batch in few] == [20]
    small = draw_batches(LENGTHS, RunPlan(rows=10_000), most_rows=7)
    assert max(map(len, small)) == 7


def test_fewer_texts_than_a_batch(tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer) -> None:
    estimate = estimate_run(tiny_model, tokenizer, ["하나뿐인 글"], RunPlan(rows=2, n_splits=2), budget_seconds=0.0)
    assert estimate.timed_rows == 1
    assert estimate.total_seconds > estimate.steps * estimate.step_seconds > 0
