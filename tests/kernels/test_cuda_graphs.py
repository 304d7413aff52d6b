"""Recorded training steps: those of the trainer as it stands, to the bit; only where there is an NVIDIA GPU."""

from __future__ import annotations

from pathlib import Path

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
    assert losses == pytest.approx(expected_losses, rel=1e-4)
    for found, wanted in zip(weights, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=2e-4)


@on_a_gpu
def test_gradients_of_replayed_and_plain_steps_add_up() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 3, device="cuda")

    def step(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        loss = layer(inputs["x"]).square().sum()
        loss.backward()
        return (loss.detach(),)

    recorded = cuda_graphs.RecordedSteps(layer, step)
    batches = [torch.randn(2, 4, device="cuda") for _ in range(2 * cuda_graphs.SEEN_BEFORE + 3)]
    replays = 0
    for x in batches:
        found = recorded.replay({"x": x})
        replays += found is not None
        loss = step({"x": x})[0] if found is None else found[0]
        assert loss.item() == pytest.approx(layer(x).square().sum().item(), rel=1e-5)
    assert replays == len(batches) - cuda_graphs.SEEN_BEFORE
    found_gradient = layer.weight.grad.clone()  # type: ignore[union-attr]
    layer.zero_grad()
    torch.stack([layer(x).square().sum() for x in batches]).sum().backward()
    torch.testing.assert_close(found_gradient, layer.weight.grad)


@on_a_gpu
def test_weights_that_were_moved_are_recorded_anew() -> None:
    layer = torch.nn.Linear(4, 3, device="cuda")

    def step(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        loss = layer(inputs["x"]).sum()
        loss.backward()
        return (loss.detach(),)

    recorded = cuda_graphs.RecordedSteps(layer, step)
    x = torch.randn(2, 4, device="cuda")
    for _ in range(cuda_graphs.SEEN_BEFORE + 1):
        recorded.replay({"x": x})
    layer.weight.data = torch.zeros_like(layer.weight)
    found = recorded.replay({"x": x})
    assert found is not None
    assert found[0].item() == pytest.approx(layer.bias.sum().item() * 2, rel=1e-5)


def test_nothing_is_recorded_on_the_cpu(tmp_path: Path) -> None:
    model = EmotionClassifier(EmotionConfig(**TINY))
    args = EmotionTrainingArguments(str(tmp_path), report_to="none", use_cpu=True)
    assert not recording.can_record(args, model, trainer.criterion_of(model.config))
