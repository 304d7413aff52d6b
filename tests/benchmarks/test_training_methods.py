"""The ways to train that are measured: each computes what its paper says, beside torch's own functions."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from paths import ROOT
from small_trainer import LABELS, TEXTS, arguments, build_model, rows
from torch import Tensor, nn
from torch.nn import functional

from kobert_hf_emotion.kernels.training import cpu_kernels
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer


@pytest.fixture(autouse=True)
def methods(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import training_methods

    yield training_methods
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.fixture
def batch(tokenizer: KoBERTTokenizer) -> dict[str, Tensor]:
    return {**tokenizer(TEXTS, padding=True, return_tensors="pt"), "labels": torch.tensor(LABELS)}


def trainer_of(kind: Any, tokenizer: KoBERTTokenizer, folder: Path, **settings: Any) -> Any:
    """Returns a trainer of cross-entropy, which torch computes too."""
    trainer = kind(build_model(tokenizer, **settings), arguments(folder, focal_gamma=0.0), rows())
    trainer.model.train()
    return trainer


def gradients(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def step(trainer: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the gradients of a step; the weights have to be what they were."""
    before = copy.deepcopy(trainer.model.state_dict())
    trainer.model.zero_grad()
    trainer.training_step(trainer.model, dict(batch), None)
    for name, weight in trainer.model.state_dict().items():
        assert torch.equal(weight, before[name]), name
    return gradients(trainer.model)


def plain(model: nn.Module, batch: dict[str, Tensor], loss: Any = functional.cross_entropy) -> dict[str, Tensor]:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    model.zero_grad()
    loss(model(**inputs).logits, batch["labels"]).backward()
    return gradients(model)


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-6), name


def test_smoothed_labels_are_torchs(
    methods: Any, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(methods.SmoothedLabels, tokenizer, tmp_path)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits, labels, label_smoothing=0.1)

    assert_equal(step(trainer, batch), plain(trainer.model, batch, loss))


@pytest.mark.parametrize(("kind", "strength"), [("AdjustedLogits", 1.0), ("HalfAdjustedLogits", 0.5)])
def test_the_shares_of_the_classes_are_added_while_training(
    methods: Any, kind: str, strength: float, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(getattr(methods, kind), tokenizer, tmp_path)
    shares = torch.tensor([LABELS.count(label) / len(LABELS) for label in range(7)])

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        weighed = logits.exp() * shares**strength  # the softmax of Ren et al., as they write it
        return -(weighed / weighed.sum(1, keepdim=True)).gather(1, labels[:, None]).log().mean()

    assert_equal(step(trainer, batch), plain(trainer.model, batch, loss))
    trainer.model.eval()
    evaluated = trainer.compute_loss(trainer.model, dict(batch))
    logits = trainer.model(**{name: value for name, value in batch.items() if name != "labels"}).logits
    assert evaluated.item() == pytest.approx(functional.cross_entropy(logits, batch["labels"]).item(), rel=1e-5)


def test_two_passes_are_pulled_together(
    methods: Any, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(methods.TwoPasses, tokenizer, tmp_path)
    trainer.model.dropout.p = 0.5
    torch.manual_seed(3)
    found = trainer.compute_loss(trainer.model, dict(batch))
    torch.manual_seed(3)
    inputs = {name: torch.cat([value, value]) for name, value in batch.items() if name != "labels"}
    with cpu_kernels(trainer.model):  # whose masks are drawn otherwise, where the trainer takes them
        first, second = trainer.model(**inputs).logits.softmax(-1).chunk(2)
    assert not torch.equal(first, second)
    nll = -torch.stack([first, second]).gather(2, batch["labels"].expand(2, -1)[..., None]).log().mean()
    there, back = (p.mul((p / q).log()).sum(1).mean() for p, q in ((second, first), (first, second)))
    assert found.item() == pytest.approx((nll + (there + back) / 4).item(), rel=1e-5)


def test_embeddings_are_moved_by_one_along_their_gradient(
    methods: Any, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(methods.MovedEmbeddings, tokenizer, tmp_path)
    found = step(trainer, batch)
    moved = copy.deepcopy(trainer.model)
    first = plain(moved, batch)
    name = "bert.embeddings.word_embeddings.weight"
    with torch.no_grad():
        moved.get_parameter(name).add_(first[name] / first[name].norm())
    second = plain(moved, batch)
    assert_equal(found, {key: first[key] + second[key] for key in first})


def test_weights_are_moved_from_the_second_epoch_on(
    methods: Any, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(methods.MovedWeights, tokenizer, tmp_path)
    first = plain(trainer.model, batch)
    trainer.state.epoch = 0.5
    assert_equal(step(trainer, batch), first)
    trainer.state.epoch = 1.0
    found = step(trainer, batch)
    moved = copy.deepcopy(trainer.model)
    with torch.no_grad():
        for name, weight in moved.named_parameters():
            if weight.ndim > 1:
                weight.add_(0.01 * weight.norm() / first[name].norm() * first[name])
    second = plain(moved, batch)
    assert_equal(found, {key: first[key] + second[key] for key in first})


def test_half_of_the_weights_are_the_starts(
    methods: Any, batch: dict[str, Tensor], tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    trainer = trainer_of(methods.MixedOut, tokenizer, tmp_path)
    expected = plain(trainer.model, batch)
    torch.manual_seed(0)
    found = step(trainer, batch)  # at the start nothing is changed by a mixture: the gradient alone is
    shares = []
    for name, gradient in expected.items():
        if not name.startswith("bert.encoder") or gradient.ndim < 2:
            assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-6), name
            continue
        kept = found[name] != 0
        assert torch.allclose(found[name][kept], 2 * gradient[kept], rtol=1e-4, atol=1e-6), name
        shares.append(kept.float().mean().item())
    assert sum(shares) / len(shares) == pytest.approx(0.5, abs=0.02)


def test_the_mean_of_the_second_half_of_the_steps(methods: Any) -> None:
    model, callback = nn.Linear(2, 1), methods.MeanOfSteps()
    seen = []
    for number in range(1, 7):
        with torch.no_grad():
            model.weight.fill_(float(number**2))
        callback.on_step_end(None, SimpleNamespace(global_step=number, max_steps=6), None, model=model)
        seen.append(model.weight.clone())
    callback.on_train_end(None, None, None, model=model)
    assert torch.allclose(model.weight, torch.stack(seen[3:]).mean(0))


@pytest.mark.parametrize("kind", ["MeanOfTokens", "LastFourLayers"])
def test_pooling_knows_no_padding(methods: Any, kind: str, tokenizer: KoBERTTokenizer) -> None:
    start = build_model(tokenizer).eval()
    model = getattr(methods, kind)(start.config).eval()
    model.load_state_dict(start.state_dict())
    together = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits
    for text, logits in zip(TEXTS, together, strict=True):
        inputs = tokenizer([text], return_tensors="pt")
        assert torch.allclose(model(**inputs).logits[0], logits, atol=1e-5)
        states = model.bert(**inputs, output_hidden_states=True).hidden_states
        pooled = states[-1][0].mean(0) if kind == "MeanOfTokens" else (states[1][0, 0] + states[2][0, 0]) / 2
        by_hand = model.classifier(torch.tanh(model.bert.pooler.dense(pooled)))
        assert torch.allclose(by_hand, logits, atol=1e-5)
