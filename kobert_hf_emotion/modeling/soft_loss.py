"""Focal cross-entropy against a distribution: of the votes of several annotators."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import KoBERTEmotionError
from ..utils.argument_checks import check_number, check_type
from .losses import Alpha, FocalModule, Reduction, check_reduction, modulating_factor, resolve_alpha, weights_of_classes

SUM_TOLERANCE = 1e-3
"""How far from 1 the shares of a row may add up to."""


def soft_focal_loss(
    logits: Tensor,
    target: Tensor,
    alpha: Alpha = 1.0,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
    ignore_index: int = -100,
) -> Tensor:
    r"""Computes the focal loss of Lin et al. (2017) against shares of labels: its mean over the votes of a row.

    For a row with shares q (of each label k, adding up to 1), with p = softmax(logits):

        FL = sum_k alpha[k] * q[k] * (1 - p[k])^gamma * (-log p[k])

    This is the mean of `losses.focal_loss` over annotators who each name one label. Where q is 1 for one label it is
    that loss itself. With gamma 0 and alpha 1 it is the cross-entropy H(q, p), the loss whose least value is at p = q.
    With gamma above 0 that lies at flatter probabilities than the votes, which the temperature that a run fits on its
    out-of-fold predictions brings back. The computation runs in at least float32, also under autocast.

    Args:
        logits: Unnormalised scores, shape (batch, classes), any floating dtype.
        target: Shares q, shape (batch, classes), that add up to 1 in each row.
        alpha: As for `focal_loss`.
        gamma: Focusing parameter, at least 0.
        reduction: "mean" over the rows that are not ignored, "sum", or "none"/None for a value a row.
        ignore_index: Rows that hold this in place of shares count neither in the sum nor in the mean.

    Returns:
        A scalar, or shape (batch,) for "none"; ignored rows hold 0.

    Raises:
        KoBERTEmotionError: Shapes, shares, `gamma`, `alpha` or `reduction` are not as above.

    Example:
        >>> import torch
        >>> logits, votes = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.75, 0.25]])
        >>> round(soft_focal_loss(logits, votes, gamma=0.0).item(), 4)
        0.6269
    """
    _check_shares(logits, target, gamma, reduction, ignore_index)
    scores = logits if logits.dtype == torch.float64 else logits.float()
    kept = (target != ignore_index).all(dim=-1)
    shares = torch.where(kept.unsqueeze(-1), target, torch.zeros_like(target)).to(scores.dtype)
    log_p = scores.log_softmax(dim=-1)
    # A label without votes counts nothing, however small its probability is: 0 times infinity would be NaN.
    log_p = torch.where(shares > 0, log_p, torch.zeros_like(log_p))
    weight = alpha if isinstance(alpha, Tensor) else resolve_alpha(alpha)
    if not isinstance(weight, float):
        weight = weights_of_classes(weight, scores)
    loss = (weight * shares * modulating_factor(log_p, gamma) * -log_p).sum(dim=-1)
    if reduction == "mean":
        return loss.sum() / kept.sum().clamp(min=1)
    return loss.sum() if reduction == "sum" else loss


def _check_shares(logits: Tensor, target: Tensor, gamma: float, reduction: Reduction, ignore_index: int) -> None:
    for name, value in (("logits", logits), ("target", target)):
        check_type(name, value, Tensor, "torch.tensor([…])")
    if logits.ndim != 2 or target.shape != logits.shape:
        raise KoBERTEmotionError(
            f"logits와 target은 모두 (배치, 클래스) 모양이어야 합니다: {tuple(logits.shape)}, {tuple(target.shape)}",
            f"Expected logits and target of shape (batch, classes), found {tuple(logits.shape)} and "
            f"{tuple(target.shape)}.",
        )
    check_number("gamma", gamma)
    check_reduction(reduction)
    if target.device.type != "cpu":
        return
    rows = target.to(torch.float64)
    ignored = (rows == ignore_index).all(dim=-1)
    whole = (rows >= 0).all(dim=-1) & ((rows.sum(dim=-1) - 1).abs() <= SUM_TOLERANCE)
    if not (known := whole | ignored).all():
        found = rows[~known][0].tolist()
        raise KoBERTEmotionError(
            f"target의 행은 합이 1인 0 이상의 몫이어야 합니다: {found}. 표의 수라면 합으로 나누세요.",
            f"Each row of target must hold shares of 0 or more that add up to 1, found {found}. Divide votes by their "
            "sum.",
        )


class SoftFocalLoss(FocalModule):
    """`soft_focal_loss` as a module with its settings.

    Args:
        alpha: A number, a weight per class, or weights by label name (others weigh 1).
        gamma: Focusing parameter, at least 0.
        reduction: "mean", "sum", "none" or None.
        labels: Label names in the order of their ids, for an `alpha` by label name.
        ignore_index: Rows that hold this are left out.

    Shape:
        - Input: logits and target (batch, classes).
        - Output: a scalar, or (batch,) without reduction.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of `logits` against `target`, both (batch, classes)."""
        return soft_focal_loss(logits, target, self.alpha, self.gamma, self.reduction, self.ignore_index)

    def counted(self, target: Tensor) -> Tensor:
        """Tells what the mean is taken over: the rows that have votes, shape (batch,)."""
        return (target != self.ignore_index).all(dim=-1)

    def neutral_target(self, logits: Tensor) -> Tensor:
        """Returns a target that fits logits: equal shares."""
        return torch.full_like(logits, 1.0 / logits.shape[-1])

    def right(self, logits: Tensor, target: Tensor) -> Tensor:
        """Tells of each row whether no label has more votes than the one with the highest logit, shape (batch,)."""
        answered = target.gather(-1, logits.argmax(-1, keepdim=True)).squeeze(-1)
        return answered >= target.amax(-1) - 1e-5
