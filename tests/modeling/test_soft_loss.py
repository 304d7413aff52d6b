"""The focal loss against shares of votes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.modeling.losses import FocalLoss, focal_loss
from kobert_hf_emotion.modeling.sigmoid_loss import sigmoid_focal_loss
from kobert_hf_emotion.modeling.soft_loss import SoftFocalLoss, soft_focal_loss

CLASSES = 5
WEIGHTS = [0.5, 1.0, 2.0, 0.0, 1.5]


def rows(count: int = 64, scale: float = 4.0) -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(3)
    votes = random.multinomial(10, random.dirichlet(np.ones(CLASSES), count))
    return torch.tensor(random.normal(0, scale, (count, CLASSES))), torch.tensor(votes / 10)


def reference(logits: np.ndarray, shares: np.ndarray, alpha: np.ndarray, gamma: float) -> np.ndarray:
    """Vote by vote: the mean over the votes of what each would cost as the only label."""
    logs = log_softmax(logits, axis=1)
    found = np.zeros(len(logits))
    for row in range(len(logits)):
        for label in range(logits.shape[1]):
            p = np.exp(logs[row, label])
            if shares[row, label] > 0:
                found[row] += alpha[label] * shares[row, label] * (1 - p) ** gamma * -logs[row, label]
    return found


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [1.0, 0.25, WEIGHTS])
def test_values_are_those_of_an_independent_rendering(gamma: float, alpha: float | list[float]) -> None:
    logits, shares = rows()
    weights = np.broadcast_to(np.asarray(alpha), (CLASSES,))
    expected = reference(logits.numpy(), shares.numpy(), weights, gamma)
    found = soft_focal_loss(logits, shares, alpha, gamma, "none")
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(soft_focal_loss(logits, shares, alpha, gamma).item(), expected.mean(), rtol=1e-12)
    np.testing.assert_allclose(soft_focal_loss(logits, shares, alpha, gamma, "sum").item(), expected.sum(), rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_of_one_label_it_is_the_focal_loss_with_its_gradient(gamma: float) -> None:
    logits, _ = rows()
    target = torch.arange(len(logits)) % CLASSES
    one_hot = torch.nn.functional.one_hot(target, CLASSES).double()
    first, second = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    soft, hard = soft_focal_loss(first, one_hot, WEIGHTS, gamma), focal_loss(second, target, WEIGHTS, gamma)
    soft.backward()
    hard.backward()
    torch.testing.assert_close(soft, hard, rtol=1e-13, atol=0)
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_gradient_is_that_of_differences(gamma: float) -> None:
    logits, shares = rows(6, 2.0)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda found: soft_focal_loss(found, shares, WEIGHTS, gamma), (logits,))


def test_without_focus_it_is_torchs_cross_entropy_and_least_at_the_votes() -> None:
    logits, shares = rows()
    ours = soft_focal_loss(logits, shares, gamma=0.0)
    torch.testing.assert_close(ours, torch.nn.functional.cross_entropy(logits, shares), rtol=1e-12, atol=0)
    votes = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    exact = votes.log().requires_grad_()
    soft_focal_loss(exact, votes, gamma=0.0).backward()
    assert exact.grad is not None
    assert exact.grad.abs().max() < 1e-15


def test_it_is_finite_at_a_thousand() -> None:
    logits = torch.tensor([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]], requires_grad=True)
    shares = torch.tensor([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5]])
    for gamma in (0.0, 0.5, 2.0):
        loss = soft_focal_loss(logits, shares, gamma=gamma, reduction="none")
        loss.sum().backward()
        assert torch.isfinite(loss).all()
        assert torch.isfinite(logits.grad).all()
    # -log p is 2000 and 1000 in the first row.
    assert soft_focal_loss(logits, shares, gamma=0.0, reduction="none")[0].item() == pytest.approx(1600)
    infinite = torch.tensor([[0.0, -torch.inf]], requires_grad=True)
    loss = soft_focal_loss(infinite, torch.tensor([[1.0, 0.0]]))
    loss.backward()
    assert loss.item() == 0.0


def test_half_precision_is_computed_in_float32() -> None:
    logits, shares = rows()
    found = soft_focal_loss(logits.bfloat16(), shares.float())
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(soft_focal_loss(logits.bfloat16().double(), shares).item(), rel=1e-5)


def test_rows_without_votes_count_nowhere() -> None:
    logits, shares = rows(4)
    shares[1] = -100
    each = soft_focal_loss(logits, shares, reduction="none")
    assert each[1] == 0
    assert soft_focal_loss(logits, shares).item() == pytest.approx(each[[0, 2, 3]].mean().item())
    assert soft_focal_loss(logits[1:2], shares[1:2]).item() == 0
    assert SoftFocalLoss().counted(shares).tolist() == [True, False, True, True]


def test_an_answer_is_right_where_no_label_has_more_votes() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    shares = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.4, 0.1], [0.4, 0.2, 0.4]])
    assert SoftFocalLoss().right(logits, shares).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("target", "part"),
    [
        ([[3.0, 1.0]], r"add up to 1, found \[3.0, 1.0\]"),
        ([[1.5, -0.5]], "add up to 1"),
        ([[float("nan"), 1.0]], "add up to 1"),
        ([[1.0]], "shape"),
        ([1.0, 0.0], "shape"),
    ],
)
def test_what_is_no_share_is_refused(target: list[object], part: str) -> None:
    with pytest.raises(KoBERTEmotionError, match=part):
        soft_focal_loss(torch.zeros(1, 2), torch.tensor(target))
    with pytest.raises(KoBERTEmotionError, match="one weight per class"):
        soft_focal_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), alpha=[1.0, 1.0, 1.0])


def test_shares_add_up_to_one_but_for_rounding() -> None:
    logits = torch.zeros(1, 2)
    assert soft_focal_loss(logits, torch.tensor([[0.6667, 0.3338]])).isfinite()
    for target in ([[0.66, 0.33]], [[0.6, 0.45]]):
        with pytest.raises(KoBERTEmotionError, match="add up to 1"):
            soft_focal_loss(logits, torch.tensor(target))
    for settings, part in (({"gamma": -1.0}, "gamma"), ({"reduction": "average"}, "reduction")):
        with pytest.raises(KoBERTEmotionError, match=part):
            soft_focal_loss(logits, torch.tensor([[0.5, 0.5]]), **settings)  # type: ignore[arg-type]


def test_weights_by_name_are_those_of_the_seven_emotions() -> None:
    random = np.random.default_rng(5)
    logits, votes = torch.tensor(random.normal(size=(9, 7))), torch.tensor(random.dirichlet(np.ones(7), 9))
    by_name = soft_focal_loss(logits, votes, {"sad": 3.0, "fear": 0.5})
    assert torch.equal(by_name, soft_focal_loss(logits, votes, [0.5, 1, 1, 3, 1, 1, 1]))
    assert torch.equal(by_name, soft_focal_loss(logits, votes, torch.tensor([0.5, 1, 1, 3, 1, 1, 1])))


def test_answers_are_right_row_by_row() -> None:
    logits, shares = rows(40)
    expected = [row[answer] >= max(row) for row, answer in zip(shares.tolist(), logits.argmax(1).tolist(), strict=True)]
    assert SoftFocalLoss().right(logits, shares).tolist() == expected
    assert 0 < sum(expected) < 40


def test_a_target_that_fits_is_equal_shares() -> None:
    target = SoftFocalLoss().neutral_target(torch.zeros(3, 4))
    assert target.tolist() == [[0.25] * 4] * 3
    assert repr(SoftFocalLoss([1.0, 2.0], 0.5, "sum")) == "SoftFocalLoss(alpha=[1.0, 2.0], gamma=0.5, reduction='sum')"


def test_the_module_is_the_function_with_its_settings() -> None:
    logits, shares = rows(20)
    expected = reference(logits.numpy(), shares.numpy(), np.asarray(WEIGHTS), 1.5)
    for reduction, whole in (("none", expected), ("sum", expected.sum()), ("mean", expected.mean())):
        found = SoftFocalLoss(alpha=WEIGHTS, gamma=1.5, reduction=reduction)(logits, shares)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.numpy(), whole, atol=1e-12)
    other = SoftFocalLoss(WEIGHTS, 1.5, "sum", ignore_index=-1)
    shares[[2, 5]] = -1
    np.testing.assert_allclose(other(logits, shares).numpy(), expected.sum() - expected[[2, 5]].sum(), atol=1e-12)
    assert other.counted(shares).sum() == 18


@pytest.mark.parametrize("loss", [SoftFocalLoss, FocalLoss])
@pytest.mark.parametrize("wrong", [{"reduction": "median"}, {"gamma": -1.0}, {"alpha": -2.0}])
def test_the_module_refuses_its_settings_when_it_is_made(loss: type, wrong: dict[str, object]) -> None:
    with pytest.raises(KoBERTEmotionError, match=next(iter(wrong))):
        loss(**wrong)


@pytest.mark.parametrize("ignored", [0, 1])
@pytest.mark.parametrize(
    ("loss", "target", "labels"),
    [
        (focal_loss, torch.tensor([0, 1]), 2),
        (soft_focal_loss, torch.tensor([[0.75, 0.25], [0.5, 0.5]]), 2),
        (sigmoid_focal_loss, torch.tensor([[1], [0]]), 1),
    ],
)
def test_the_mean_is_over_what_is_there_be_it_one_row(
    loss: Any, target: torch.Tensor, labels: int, ignored: int
) -> None:
    logits = torch.tensor([[1.5, -0.5], [0.25, 1.0]])[:, :labels]
    each = loss(logits, target, reduction="none")
    torch.testing.assert_close(loss(logits, target, reduction="sum"), each.sum())
    torch.testing.assert_close(loss(logits[:1], target[:1]), each[0].sum())
    with_one = target.clone()
    with_one[ignored] = -100
    torch.testing.assert_close(loss(logits, with_one), each[1 - ignored].sum())
    torch.testing.assert_close(loss(logits.half(), target), loss(logits.half().float(), target))
    assert loss(logits.half(), target).dtype == torch.float32
    torch.testing.assert_close(loss(logits, target), loss(logits, target, gamma=2.0))
