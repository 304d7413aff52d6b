"""The kernels for training on the CPU, beside plain torch, and when they step back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from kobert_hf_emotion.kernels import onednn
from kobert_hf_emotion.kernels import training as cpu_kernels
from kobert_hf_emotion.kernels.training import CPUKernels
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

pytestmark = pytest.mark.numeric

pytestmark = pytest.mark.skipif(not onednn.is_available(), reason="oneDNN's products are called on x86-64 alone")


def _relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected).norm() / expected.norm())


def _products(layer: nn.Linear, inputs: Tensor, weights: Tensor) -> list[Tensor]:
    """The outputs of a layer and the gradients of their weighted sum."""
    leaf = inputs.detach().requires_grad_()
    outputs = layer(leaf)
    (outputs * weights).sum().backward()
    return [outputs.detach(), leaf.grad, *(parameter.grad for parameter in layer.parameters())]


def _skipping(inputs: Tensor) -> Tensor:
    """The first tokens alone, as the last layer takes them: with gaps between the rows."""
    return inputs[:, :1]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("view", [Tensor.contiguous, _skipping, lambda x: x.transpose(0, 1), lambda x: x[0]])
def test_outputs_and_gradients_of_a_linear_layer(bias: bool, view: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    layer, exact = nn.Linear(96, 160, bias), nn.Linear(96, 160, bias).double()
    exact.load_state_dict(layer.state_dict())
    inputs = view(torch.randn(7, 19, 96))
    weights = torch.randn(*inputs.shape[:-1], 160)
    with CPUKernels():
        found = _products(layer, inputs, weights)
    for ours, expected in zip(found, _products(exact, inputs.double(), weights.double()), strict=True):
        assert ours.dtype == torch.float32
        assert ours.shape == expected.shape
        assert _relative_error(ours, expected) < 1e-6


@pytest.mark.parametrize("frozen", ["weight", "bias", "inputs"])
def test_no_gradient_for_what_is_frozen(frozen: str) -> None:
    tensors = {"inputs": torch.randn(5, 8), "weight": torch.randn(6, 8), "bias": torch.randn(6)}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name != frozen)
    with CPUKernels():
        functional.linear(tensors["inputs"], tensors["weight"], tensors["bias"]).sum().backward()
    assert {name for name, tensor in tensors.items() if tensor.grad is None} == {frozen}


class _Marked(Tensor):
    """A tensor that wants to compute for itself, as those of quantised weights do."""


@pytest.mark.parametrize("why", ["autocast", "float64", "subclass", "empty", "vector"])
def test_other_tensors_are_left_to_torch(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "product", lambda *_: pytest.fail("oneDNN was called"))
    inputs, weight = torch.randn(5, 8), torch.randn(6, 8)
    if why == "float64":
        inputs, weight = inputs.double(), weight.double()
    elif why == "subclass":
        weight = weight.as_subclass(_Marked)
    elif why == "empty":
        inputs = inputs[:0]
    elif why == "vector":
        weight = weight[0]
    with torch.autocast("cpu", torch.bfloat16, enabled=why == "autocast"):
        expected = functional.linear(inputs, weight)
        with CPUKernels():
            found = functional.linear(inputs, weight)
    assert type(found) is type(expected)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_is_distributed_as_torchs(p: float) -> None:
    torch.manual_seed(5)
    inputs = torch.rand(500, 1003).add_(1).requires_grad_()
    with CPUKernels():
        outputs = functional.dropout(inputs, p)
    kept = outputs != 0
    torch.testing.assert_close(outputs[kept], inputs[kept] / (1 - p), rtol=1e-4, atol=0)
    deviation = (p * (1 - p) / kept.numel()) ** 0.5
    assert abs(kept.double().mean().item() - (1 - p)) < 4 * deviation
    for other in (kept[1:], kept[:, 1:]):  # neighbours know nothing of each other
        both = (kept[: len(other), : other.shape[1]] & other).double().mean().item()
        assert abs(both - (1 - p) ** 2) < 6 * deviation
    outputs.sum().backward()
    torch.testing.assert_close(inputs.grad, outputs.detach() / inputs.detach())
    with CPUKernels():
        assert not torch.equal(functional.dropout(inputs, p) != 0, kept)
        torch.manual_seed(5)
        torch.rand(500, 1003)
        assert torch.equal(functional.dropout(inputs, p) != 0, kept), "the seed decides"


@pytest.mark.parametrize(
    ("options", "threads"),
    [({"training": False}, 1), ({"p": 0.0}, 1), ({"p": 1.0}, 1), ({"inplace": True}, 1), ({}, 5)],
)
def test_dropout_that_is_left_to_torch(options: dict[str, Any], threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    inputs = torch.rand(20, 30)
    torch.manual_seed(1)
    expected = functional.dropout(inputs.clone(), **options)
    torch.manual_seed(1)
    with CPUKernels():
        found = functional.dropout(given := inputs.clone(), **options)
    assert torch.equal(found, expected)
    assert found is given or not options.get("inplace")


def _gradients(model: EmotionClassifier) -> dict[str, Tensor]:
    """Gradients of a sum of squared logits, without dropout."""
    model.train().zero_grad()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with cpu_kernels.cpu_kernels(model):
        logits = model(torch.arange(5, 65).view(4, 15), torch.ones(4, 15, dtype=torch.long)).logits
    logits.square().sum().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("outruns", [True, False])
def test_gradients_of_a_whole_model(
    tiny_model: EmotionClassifier, outruns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    product = onednn.product
    monkeypatch.setattr(onednn, "product", lambda *arguments: (calls.append(1), product(*arguments))[1])
    monkeypatch.setattr(onednn, "outruns_mkl", lambda: outruns)
    found = _gradients(tiny_model)
    assert bool(calls) is outruns
    exact = _gradients(tiny_model.double())
    assert found.keys() == exact.keys()
    for name, expected in exact.items():
        torch.testing.assert_close(found[name].double(), expected, rtol=1e-5, atol=1e-6, msg=name)


def test_checkpointed_activations_are_computed_as_they_were(
    tiny_model: EmotionClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onednn, "outruns_mkl", lambda: True)
    plain = _gradients(tiny_model)
    tiny_model.gradient_checkpointing_enable()
    for name, expected in _gradients(tiny_model).items():
        torch.testing.assert_close(plain[name], expected, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize(
    ("vendor", "capability", "expected"),
    [("AuthenticAMD", "AVX512", True), ("AuthenticAMD", "AVX2", False), ("GenuineIntel", "AVX512", False)],
)
def test_the_processor_decides(
    vendor: str, capability: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "cpuinfo"
    known.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\n", encoding="utf-8")
    monkeypatch.setattr(onednn, "_CPU_INFO", known)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    assert onednn.outruns_mkl.__wrapped__() is expected
    monkeypatch.setattr(onednn, "_CPU_INFO", tmp_path / "missing")
    monkeypatch.setattr(onednn.platform, "processor", lambda: f"AMD64 Family 25 Model 33 Stepping 0, {vendor}")
    assert onednn.outruns_mkl.__wrapped__() is expected
