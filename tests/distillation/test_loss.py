"""The loss of a distillation, against NumPy in float64 and a derivative worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from kobert_hf_emotion.distillation.loss import mixed_loss, soft_loss
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.modeling.losses import focal_loss

RANDOM = np.random.default_rng(3)
STUDENT, TEACHER = RANDOM.normal(size=(12, 7)) * 3, RANDOM.normal(size=(12, 7)) * 4


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return (p * (np.log(p) - np.log(q))).sum(-1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 7.0])
def test_the_values_are_those_of_the_paper(temperature: float) -> None:
    expected = temperature**2 * divergence(softmax(TEACHER / temperature, -1), softmax(STUDENT / temperature, -1))
    found = soft_loss(torch.tensor(STUDENT), torch.tensor(TEACHER), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_gradient_is_that_of_the_paper(temperature: float) -> None:
    """Section 2: T^2 times (q - p) / T."""
    logits = torch.tensor(STUDENT, requires_grad=True)
    soft_loss(logits, torch.tensor(TEACHER), temperature).sum().backward()
    expected = temperature * (softmax(STUDENT / temperature, -1) - softmax(TEACHER / temperature, -1))
    np.testing.assert_allclose(logits.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_several_labels_are_as_many_questions_of_yes_and_no() -> None:
    p, q = expit(TEACHER / 2), expit(STUDENT / 2)
    expected = 4 * (divergence(np.stack([p, 1 - p], -1), np.stack([q, 1 - q], -1)))
    found = soft_loss(torch.tensor(STUDENT), torch.tensor(TEACHER), 2.0, several=True)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-8)


def test_a_row_without_an_answer_teaches_nothing() -> None:
    answers = torch.tensor(TEACHER)
    answers[3] = torch.nan
    logits = torch.tensor(STUDENT, requires_grad=True)
    found = soft_loss(logits, answers, 2.0)
    found.sum().backward()
    assert found[3] == 0
    others = np.arange(12) != 3
    whole = soft_loss(torch.tensor(STUDENT), torch.tensor(TEACHER), 2.0)
    assert torch.equal(found.detach()[others], whole[others])
    assert torch.equal(logits.grad[3], torch.zeros(7, dtype=torch.float64))
    assert logits.grad.isfinite().all()


def test_the_temperature_is_1_and_a_row_has_one_label_unless_told_otherwise() -> None:
    found = soft_loss(torch.tensor(STUDENT), torch.tensor(TEACHER))
    np.testing.assert_allclose(found.numpy(), divergence(softmax(TEACHER, -1), softmax(STUDENT, -1)), rtol=1e-12)


def test_certain_answers_stay_finite() -> None:
    answers = torch.tensor([[1e4, 0.0, -1e4]])
    for logits in (answers, -answers):
        assert soft_loss(logits, answers, 1.0).isfinite().all()
        assert soft_loss(logits, answers, 1.0, several=True).isfinite().all()
    assert soft_loss(answers, answers, 1.0).item() == 0


def test_half_precision_is_computed_in_float32() -> None:
    exact = soft_loss(torch.tensor(STUDENT).half().double(), torch.tensor(TEACHER).half().double(), 2.0)
    found = soft_loss(torch.tensor(STUDENT).half(), torch.tensor(TEACHER).half(), 2.0)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-6)


def test_the_mixture() -> None:
    target = torch.tensor([0, 1, 2, 3, 4, 5, 6, -100, 0, 1, 2, -100])
    soft = soft_loss(torch.tensor(STUDENT), torch.tensor(TEACHER), 2.0)
    hard = focal_loss(torch.tensor(STUDENT), target, gamma=2.0, reduction="none")
    q = softmax(STUDENT, -1)[np.arange(12), np.maximum(target.numpy(), 0)]
    focal = np.where(target.numpy() < 0, 0.0, (1 - q) ** 2 * -np.log(q))
    kl = 4 * divergence(softmax(TEACHER / 2, -1), softmax(STUDENT / 2, -1))
    np.testing.assert_allclose(mixed_loss(soft, hard, 0.3).numpy(), 0.3 * kl + 0.7 * focal, rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), "2"])
def test_no_temperature(temperature: object) -> None:
    with pytest.raises(KoBERTEmotionError, match="temperature"):
        soft_loss(torch.zeros(1, 2), torch.zeros(1, 2), temperature)  # type: ignore[arg-type]
