"""The focal loss of several labels a row, beside torchvision's formula and binary cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.modeling.sigmoid_loss import SigmoidFocalLoss, sigmoid_focal_loss

LABELS = ["기쁨", "슬픔", "놀람"]


def torchvision_loss(inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """`torchvision.ops.sigmoid_focal_loss` without reduction, line by line (BSD-3-Clause, Soumith Chintala 2016)."""
    p = torch.sigmoid(inputs)
    ce_loss = functional.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = ce_loss * ((1 - p_t) ** gamma)
    if alpha >= 0:
        alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
        loss = alpha_t * loss
    return loss


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = 4 * torch.randn(64, 3, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(64, 3, generator=generator) < 0.3).double()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [None, 0.0, 0.25, 0.9, 1.0])
def test_values_and_gradients_are_torchvisions(batch: tuple[Tensor, Tensor], alpha: float | None, gamma: float) -> None:
    logits, target = batch
    mine, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    found = sigmoid_focal_loss(mine, target, alpha, gamma, reduction="none")
    expected = torchvision_loss(other, target, -1.0 if alpha is None else alpha, gamma)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    found.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(mine.grad, other.grad, rtol=1e-7, atol=1e-10)


def test_each_label_has_its_own_alpha_and_gamma(batch: tuple[Tensor, Tensor]) -> None:
    logits, target = batch
    alphas, gammas = [0.25, 0.5, 0.9], [0.0, 2.0, 3.0]
    found = sigmoid_focal_loss(logits, target, alphas, gammas, reduction="none")
    for label, (alpha, gamma) in enumerate(zip(alphas, gammas, strict=True)):
        torch.testing.assert_close(found[:, label], torchvision_loss(logits, target, alpha, gamma)[:, label])
    named = SigmoidFocalLoss({"놀람": 0.9}, gammas, "none", LABELS)
    assert named.alpha == [0.5, 0.5, 0.9]


def test_without_focus_and_balance_it_is_the_loss_of_transformers(batch: tuple[Tensor, Tensor]) -> None:
    logits, target = batch
    expected = torch.nn.BCEWithLogitsLoss()(logits, target)
    torch.testing.assert_close(sigmoid_focal_loss(logits, target, gamma=0.0), expected)
    torch.testing.assert_close(sigmoid_focal_loss(logits, target.long(), gamma=0.0), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_extreme_logits_have_finite_losses_and_gradients(gamma: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[1000.0, -1000.0, 0.0]] * 2, dtype=dtype, requires_grad=True)
    target = torch.tensor([[1, 0, 1], [0, 1, 0]])
    loss = sigmoid_focal_loss(logits, target, 0.5, gamma, reduction="none")
    right, wrong = loss[0, :2].tolist(), loss[1, :2].tolist()
    assert right == [0.0, 0.0]
    assert wrong == [500.0, 500.0]
    loss.sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_ignored_elements_count_nowhere() -> None:
    logits = torch.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=True)
    target = torch.tensor([[1, 0], [-100, -100]])
    mean = sigmoid_focal_loss(logits, target)
    torch.testing.assert_close(mean, torchvision_loss(logits[:1], target[:1].float(), -1.0).mean())
    mean.backward()
    assert logits.grad is not None
    assert logits.grad[1].tolist() == [0.0, 0.0]
    assert sigmoid_focal_loss(logits, torch.full((2, 2), -100)).item() == 0.0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"alpha": 1.5}, "from 0 to 1"),
        ({"alpha": [0.5, 0.5]}, "alpha has shape (2,), expected (3,)"),
        ({"gamma": -1.0}, "`gamma`"),
        ({"gamma": [1.0, -1.0, 0.0]}, "`gamma`"),
        ({"gamma": [1.0, 1.0]}, "gamma has shape (2,), expected (3,)"),
        ({"reduction": "median"}, "reduction"),
        ({"target": torch.tensor([[0, 1]])}, "shape (batch, labels)"),
        ({"target": torch.tensor([[0, 1, 2]])}, "found 2"),
    ],
)
def test_what_it_cannot_take_is_refused(arguments: dict[str, object], part: str) -> None:
    usual = {"target": torch.tensor([[0, 1, 1]])}
    with pytest.raises(KoBERTEmotionError) as caught:
        sigmoid_focal_loss(torch.zeros(1, 3), **(usual | arguments))  # type: ignore[arg-type]
    assert part in caught.value.english
    korean = {"shape (batch, labels)": "(1, 3), (1, 2)", "found 2": "2이(가) 있습니다"}
    assert korean.get(part, "") in caught.value.korean
    if "expected (3,)" in part:
        assert "의 길이((2,))가 레이블 수(3)와 다릅니다" in caught.value.korean


def test_the_module_leaves_out_what_is_not_labelled_and_has_the_focus_of_its_paper(
    batch: tuple[Tensor, Tensor],
) -> None:
    logits, target = batch
    unknown = torch.cat([target, torch.full_like(target[:3], -100)])
    found = SigmoidFocalLoss(alpha=0.25)(torch.cat([logits, logits[:3]]), unknown)
    torch.testing.assert_close(found, torchvision_loss(logits, target, 0.25, 2.0).mean())


def test_a_row_is_right_where_it_has_its_labels_and_no_other() -> None:
    logits = torch.tensor([[1.0, -1.0, 2.0], [-3.0, -1.0, -2.0], [1.0, 1.0, -1.0], [-3.0, -1.0, -2.0]])
    target = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    found = SigmoidFocalLoss().right(logits, target)
    assert found.tolist() == [[True] * 3, [True] * 3, [False] * 3, [False] * 3]


def test_answers_are_right_row_by_row() -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randint(-3, 2, (80, 4), generator=generator) / 2.0  # some of them 0, and the last label is rare
    logits[:, 3] -= 2
    target = (torch.rand(80, 4, generator=generator) < 0.3).double()
    target[::2] = (logits[::2] >= 0).double()
    expected = []
    for row, truth in zip(logits.tolist(), target.tolist(), strict=True):
        chosen = [label for label, logit in enumerate(row) if logit >= 0] or [row.index(max(row))]
        expected.append([chosen == [label for label, has in enumerate(truth) if has]] * 4)
    assert SigmoidFocalLoss().right(logits, target).tolist() == expected
    assert 20 < sum(row[0] for row in expected) < 70


def test_a_target_that_fits_is_no_label_and_what_is_not_known_is_not_counted() -> None:
    logits = torch.ones(2, 3, dtype=torch.float64)
    target = SigmoidFocalLoss().neutral_target(logits)
    assert target.tolist() == [[0.0] * 3] * 2
    assert SigmoidFocalLoss()(logits, target).isfinite()
    known = SigmoidFocalLoss(ignore_index=5).counted(torch.tensor([[0, 1], [5, 5]]))
    assert known.tolist() == [[True, True], [False, False]]
    target[1] = 5
    torch.testing.assert_close(
        SigmoidFocalLoss(ignore_index=5)(logits, target), SigmoidFocalLoss()(logits[:1], target[:1])
    )


@pytest.mark.parametrize("wrong", [{"reduction": "median"}, {"gamma": -1.0}, {"alpha": 2.0}])
def test_the_module_refuses_its_settings_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(KoBERTEmotionError, match=next(iter(wrong))):
        SigmoidFocalLoss(**wrong)


@pytest.mark.parametrize("alpha", [0.5, [0.5, 0.25, 0.75], torch.tensor([0.5, 0.25, 0.75])])
@pytest.mark.parametrize("gamma", [2.0, [0.0, 1.0, 2.0], torch.tensor([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])])
def test_settings_go_where_the_logits_are_however_they_are_written(alpha: Any, gamma: Any) -> None:
    """A device that every build of torch has, and that refuses tensors of another."""
    away = torch.zeros(4, 3, device="meta", dtype=torch.bfloat16)
    assert sigmoid_focal_loss(away, torch.zeros(4, 3, device="meta"), alpha, gamma).device.type == "meta"
    here = sigmoid_focal_loss(torch.ones(4, 3), torch.ones(4, 3), alpha, gamma, "none")
    alphas = [0.5] * 3 if isinstance(alpha, float) else list(map(float, alpha))
    gammas = [2.0] * 3 if isinstance(gamma, float) else list(map(float, gamma))
    for label in range(3):
        expected = torchvision_loss(torch.ones(4, 3), torch.ones(4, 3), alphas[label], gammas[label])[:, label]
        torch.testing.assert_close(here[:, label], expected)
