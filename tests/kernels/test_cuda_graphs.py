"""Recorded training steps: the trainer's on an NVIDIA GPU where there is one, the rest simulated on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
import torch
from torch import Tensor

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.kernels import cuda_graphs
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training import recording, trainer
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.trainer import EmotionTrainer
from tests.support.tiny import TINY

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


def rows(count: int) -> datasets.Dataset:
    words = ["기쁘다", "슬픈 하루였다", "화가 나서 견딜 수가 없다", "무섭다 ㅠㅠ", "그냥 그래"]
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(EMOTION_LABELS))}
    )
    columns = {"text": [words[i % 5] * (1 + i % 3) for i in range(count)], "label": [i % 7 for i in range(count)]}
    return datasets.Dataset.from_dict(columns, features=features)


def trained(folder: Path, **arguments: object) -> tuple[list[Tensor], list[float], int]:
    """Returns the weights after a training, the losses of its log, and how many shapes were recorded."""
    torch.manual_seed(0)
    tokenizer = KoBERTTokenizer.from_pretrained("default", model_max_length=64)
    model = EmotionClassifier(EmotionConfig(**TINY))
    model.tokenizer = tokenizer
    args = EmotionTrainingArguments(
        str(folder),
        num_train_epochs=3,
        per_device_train_batch_size=8,
        learning_rate=1e-3,
        logging_steps=5,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **arguments,  # type: ignore[arg-type]
    )
    ours = EmotionTrainer(model, args, rows(130))
    ours.train()
    losses = [line["loss"] for line in ours.state.log_history if "loss" in line]
    recorded = 0 if ours._recorded is None else ours._recorded.shapes
    return [parameter.detach().cpu() for parameter in model.parameters()], losses, recorded


@on_a_gpu
@pytest.mark.parametrize(
    "arguments",
    [{}, {"bf16": True}, {"gradient_accumulation_steps": 3}, {"focal_alpha": "balanced", "bf16": True}],
    ids=["float32", "bf16", "accumulated", "balanced"],
)
def test_replayed_steps_are_those_computed_one_by_one(
    arguments: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, losses, recorded = trained(tmp_path / "a", **arguments)
    assert recorded > 0
    monkeypatch.setattr(trainer, "can_record", lambda *_: False)
    expected, expected_losses, none = trained(tmp_path / "b", **arguments)
    assert none == 0
    rounding = 50 if "bf16" in arguments else 1
    assert losses == pytest.approx(expected_losses, rel=1e-4 * rounding)
    for found, wanted in zip(weights, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3 * rounding, atol=2e-4 * rounding)


class Simulated:
    """What `RecordedSteps` needs of `torch.cuda`: on the CPU a replay computes the step again, into its own tensors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[dict[str, Tensor], tuple[Tensor, ...]]] = []
        self.step: cuda_graphs.Step = lambda _: ()
        self.layer: torch.nn.Module = torch.nn.Identity()
        fakes = {
            "get_rng_state": lambda _: torch.get_rng_state(),
            "set_rng_state": lambda state, _: torch.set_rng_state(state),
            "graph_pool_handle": object,
            "Stream": lambda: SimpleNamespace(wait_stream=lambda _: None),
            "current_stream": lambda: SimpleNamespace(wait_stream=lambda _: None),
            "stream": lambda _: nullcontext(),
            "CUDAGraph": lambda: SimpleNamespace(replay=None),
            "graph": self.graph,
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(torch.cuda, name, fake)

    def watched(self, layer: torch.nn.Module, step: cuda_graphs.Step) -> cuda_graphs.RecordedSteps:
        """Returns recorded steps whose calls are seen."""

        def seen(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
            outputs = step(inputs)
            self.calls.append((inputs, outputs))
            return outputs

        self.step, self.layer = step, layer
        return cuda_graphs.RecordedSteps(layer, seen)

    @contextmanager
    def graph(self, graph: SimpleNamespace, **_: object) -> Iterator[None]:
        """Lets a graph replay what is computed in the context."""
        yield
        inputs, outputs = self.calls[-1]
        parameters = list(self.layer.parameters())
        gradients = [parameter.grad for parameter in parameters]

        def replay() -> None:
            held = [parameter.grad for parameter in parameters]
            self.layer.zero_grad()
            for own, found in zip(outputs, self.step(inputs), strict=True):
                own.copy_(found)
            for own, parameter in zip(gradients, parameters, strict=True):
                assert own is not None
                assert parameter.grad is not None
                own.copy_(parameter.grad)
            for parameter, gradient in zip(parameters, held, strict=True):
                parameter.grad = gradient

        graph.replay = replay


@pytest.fixture(params=["simulated", pytest.param("cuda", marks=on_a_gpu)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """Where a layer lies, and what makes recorded steps of it."""
    if request.param == "cuda":
        return "cuda", cuda_graphs.RecordedSteps
    return "cpu", Simulated(monkeypatch).watched


def sum_of_squares(layer: torch.nn.Module) -> cuda_graphs.Step:
    def step(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        loss = torch.nn.functional.dropout(layer(inputs["x"]), 0.5).square().sum()
        loss.backward()
        return (loss.detach(),)

    return step


def test_gradients_of_replayed_and_plain_steps_add_up(place: tuple[str, Any]) -> None:
    device, recorder = place
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 3, device=device)
    step = sum_of_squares(layer)
    recorded = recorder(layer, step)
    batches = [torch.randn(2 + i % 2, 4, device=device) for i in range(9)]
    state = torch.cuda.get_rng_state(layer.weight.device)
    expected = [step({"x": x})[0].item() for x in batches]
    gradient, layer.weight.grad, layer.bias.grad = layer.weight.grad, None, None
    torch.cuda.set_rng_state(state, layer.weight.device)
    found, replays = [], 0
    for x in batches:
        outputs = recorded.replay({"x": x})
        replays += outputs is not None
        found.append((step({"x": x}) if outputs is None else outputs)[0].item())
    assert replays == len(batches) - 2 * cuda_graphs.SEEN_BEFORE
    assert recorded.shapes == 2
    assert found == pytest.approx(expected, rel=1e-5)
    assert gradient is not None
    torch.testing.assert_close(layer.weight.grad, gradient)


def test_a_replay_after_an_update_starts_from_no_gradient(place: tuple[str, Any]) -> None:
    device, recorder = place
    layer = torch.nn.Linear(4, 3, device=device)
    step = sum_of_squares(layer.eval())
    recorded = recorder(layer, step)
    x = torch.ones(2, 4, device=device)
    for _ in range(4):
        layer.zero_grad()
        if recorded.replay({"x": x}) is None:
            step({"x": x})
        held = layer.weight.grad
        assert held is not None
        with torch.no_grad():
            layer.weight -= 0.1 * held
    copy = torch.nn.Linear(4, 3, device=device)
    copy.load_state_dict(layer.state_dict())
    state = torch.cuda.get_rng_state(layer.weight.device)
    layer.zero_grad()
    assert recorded.replay({"x": x}) is not None
    torch.cuda.set_rng_state(state, layer.weight.device)
    sum_of_squares(copy)({"x": x})
    torch.testing.assert_close(layer.weight.grad, copy.weight.grad)


def test_weights_that_were_moved_are_recorded_anew(place: tuple[str, Any]) -> None:
    device, recorder = place
    layer = torch.nn.Linear(4, 3, device=device)
    recorded = recorder(layer, sum_of_squares(layer))
    x = torch.randn(2, 4, device=device)
    for _ in range(cuda_graphs.SEEN_BEFORE + 1):
        recorded.replay({"x": x})
    assert recorded.shapes == 1
    layer.weight.data = torch.zeros_like(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    found = recorded.replay({"x": x})
    assert found is not None
    assert found[0].item() == 0.0


def test_a_step_that_is_not_the_same_every_time_is_not_recorded(
    place: tuple[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    device, recorder = place
    layer, calls = torch.nn.Linear(4, 3, device=device), []

    def step(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        calls.append(1)
        loss = layer(inputs["x"]).sum() * len(calls)
        loss.backward()
        return (loss.detach(),)

    recorded = recorder(layer, step)
    x = torch.randn(2, 4, device=device)
    assert [recorded.replay({"x": x}) for _ in range(5)] == [None] * 5
    assert "one by one" in caplog.text
    assert layer.weight.grad is None


def test_a_step_that_cannot_be_recorded_is_left_to_the_caller(
    place: tuple[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    device, recorder = place
    layer = torch.nn.Linear(4, 3, device=device)
    recorded = recorder(layer, sum_of_squares(layer))

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory\nand more")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    x = torch.randn(2, 4, device=device)
    assert [recorded.replay({"x": x}) for _ in range(3)] == [None] * 3
    assert "(out of memory)" in caplog.text
    assert layer.weight.grad is None


def test_nothing_is_recorded_on_the_cpu(tmp_path: Path) -> None:
    model = EmotionClassifier(EmotionConfig(**TINY))
    args = EmotionTrainingArguments(str(tmp_path), report_to="none", use_cpu=True)
    assert not recording.can_record(args, model, trainer.criterion_of(model.config))
