"""Focal loss of several labels a row, each for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import KoBERTEmotionError
from ..labels import EMOTION_LABELS, fold_name
from ..utils.argument_checks import check_number, check_type
from .losses import Alpha, Reduction, check_reduction, resolve_alpha

Gamma: TypeAlias = float | Sequence[float] | Tensor | NDArray[np.floating]


def sigmoid_focal_loss(
    logits: Tensor,
    target: Tensor,
    alpha: Alpha | None = None,
    gamma: Gamma = 2.0,
    reduction: Reduction = "mean",
    ignore_index: int = -100,
) -> Tensor:
    r"""Computes the focal loss of Lin et al., "Focal Loss for Dense Object Detection" (2017), of each label by itself.

    For a label with target y, 1 or 0, and probability p = sigmoid(logit), with p_t = p where y is 1 and 1 - p where
    it is 0 (equations 2 to 5 of the paper):

        FL = alpha_t * (1 - p_t)^gamma * (-log p_t),    alpha_t = alpha where y is 1, 1 - alpha where it is 0

    Without alpha, alpha_t is 1. With gamma 0 and no alpha this is the binary cross-entropy, which transformers trains
    multi-label models with. The values are those of torchvision's `sigmoid_focal_loss`, whose alpha -1 is None here.
    The computation runs in at least float32, also under autocast.

    Args:
        logits: Shape (batch, labels), any floating dtype.
        target: 1 where a row has a label and 0 where not, shape (batch, labels), any dtype.
        alpha: From 0 to 1: one for all labels, or one per label, shape (labels,); None weighs yes and no alike.
        gamma: Focusing parameter, at least 0: one for all labels, or one per label.
        reduction: "mean" over all labels of all rows that are not ignored, "sum", or "none"/None for a value each.
        ignore_index: Elements with this target count neither in the sum nor in the mean.

    Returns:
        A scalar, or shape (batch, labels) for "none"; ignored elements hold 0.

    Raises:
        KoBERTEmotionError: Shapes, targets, `alpha`, `gamma` or `reduction` are not as above.

    Example:
        >>> import torch
        >>> logits, target = torch.tensor([[2.0, 0.0]]), torch.tensor([[1, 0]])
        >>> round(sigmoid_focal_loss(logits, target, gamma=0.0).item(), 4)
        0.41
    """
    _check_several(logits, target, ignore_index, reduction)
    scores = logits if logits.dtype == torch.float64 else logits.float()
    kept, has = target != ignore_index, target == 1
    signed = torch.where(has, scores, -scores)  # the logit of what is so
    log_pt = torch.nn.functional.logsigmoid(signed)
    gammas = _as_tensor(resolve_gamma(gamma), scores, "gamma")
    loss = _power_of_complement(torch.sigmoid(-signed), gammas) * -log_pt
    if alpha is not None:
        alphas = _as_tensor(alpha if isinstance(alpha, Tensor) else resolve_balance(alpha), scores, "alpha")
        loss = torch.where(has, alphas, 1 - alphas) * loss
    loss = torch.where(kept, loss, torch.zeros_like(loss))
    if reduction == "mean":
        return loss.sum() / kept.sum().clamp(min=1)
    return loss.sum() if reduction == "sum" else loss


def _power_of_complement(complement: Tensor, gamma: Tensor) -> Tensor:
    """Returns (1 - p_t)^gamma with a finite gradient, 0 where p_t is 1; see `losses.modulating_factor`."""
    certain = complement <= 0
    base = torch.where(certain, torch.ones_like(complement), complement)
    return torch.where(certain, torch.zeros_like(base), base**gamma)


def _as_tensor(values: Any, scores: Tensor, name: str) -> Tensor:
    tensor = torch.as_tensor(values, dtype=scores.dtype, device=scores.device)
    if tensor.ndim > 0 and tensor.shape != scores.shape[-1:]:
        raise KoBERTEmotionError(
            f"{name}의 길이({tuple(tensor.shape)})가 레이블 수({scores.shape[-1]})와 다릅니다.",
            f"{name} has shape {tuple(tensor.shape)}, expected ({scores.shape[-1]},): one for each label.",
        )
    return tensor


def _check_several(logits: Tensor, target: Tensor, ignore_index: int, reduction: Reduction) -> None:
    for name, value in (("logits", logits), ("target", target)):
        check_type(name, value, Tensor, "torch.tensor([…])")
    if logits.ndim != 2 or target.shape != logits.shape:
        raise KoBERTEmotionError(
            f"logits와 target은 모두 (배치, 레이블) 모양이어야 합니다: {tuple(logits.shape)}, {tuple(target.shape)}",
            f"Expected logits and target of shape (batch, labels), found {tuple(logits.shape)} and "
            f"{tuple(target.shape)}.",
        )
    if target.device.type == "cpu" and not (known := (target == 0) | (target == 1) | (target == ignore_index)).all():
        found = target[~known][0].item()
        raise KoBERTEmotionError(
            f"target은 0 또는 1이어야 하는데 {found}이(가) 있습니다.", f"Expected 0 or 1 as target, found {found}."
        )
    check_reduction(reduction)


def resolve_balance(alpha: Alpha | None, labels: Sequence[str] = ()) -> float | list[float] | None:
    """Turns the ways of writing the balance of yes and no into one number or one per label, from 0 to 1.

    Args:
        alpha: As for `resolve_alpha`; None for no balance. Labels left out of a mapping get 0.5.
        labels: Label names in the order of their ids, for a mapping.

    Raises:
        KoBERTEmotionError: A number is not from 0 to 1, or as for `resolve_alpha`.
    """
    if alpha is None:
        return None
    resolved = resolve_alpha(alpha, labels)
    if isinstance(alpha, Mapping) and isinstance(resolved, list):
        named = {fold_name(name) for name in alpha}
        resolved = [weight if fold_name(name) in named else 0.5 for name, weight in zip(labels, resolved, strict=True)]
    if not all(weight <= 1.0 for weight in (resolved if isinstance(resolved, list) else [resolved])):
        raise KoBERTEmotionError(
            f"다중 레이블의 alpha는 0에서 1 사이여야 합니다: {resolved}",
            f"alpha of several labels must be from 0 to 1, found {resolved}.",
        )
    return resolved


def resolve_gamma(gamma: Gamma) -> float | list[float]:
    """Returns the focusing parameter as one number or one per label.

    Raises:
        KoBERTEmotionError: One is no number, negative or not finite.
    """
    if isinstance(gamma, Tensor | np.ndarray):
        gamma = gamma.tolist()
    if isinstance(gamma, Sequence):
        return [check_number("gamma", value) for value in gamma]
    return check_number("gamma", gamma)


class SigmoidFocalLoss(nn.Module):
    """`sigmoid_focal_loss` as a module with its settings.

    Args:
        alpha: Balance of yes and no: a number from 0 to 1, one per label, by label name (others get 0.5), or None.
        gamma: Focusing parameter: one for all labels, or one per label.
        reduction: "mean", "sum", "none" or None.
        labels: Label names in the order of their ids, for an `alpha` by label name.
        ignore_index: Elements with this target are left out.

    Shape:
        - Input: logits and target (batch, labels).
        - Output: a scalar, or (batch, labels) without reduction.
    """

    def __init__(
        self,
        alpha: Alpha | None = None,
        gamma: Gamma = 2.0,
        reduction: Reduction = "mean",
        labels: Sequence[str] = EMOTION_LABELS,
        ignore_index: int = -100,
    ) -> None:
        super().__init__()
        check_reduction(reduction)
        self.alpha = resolve_balance(alpha, labels)
        self.gamma = resolve_gamma(gamma)
        self.reduction = reduction
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of `logits` against `target`, both (batch, labels)."""
        return sigmoid_focal_loss(logits, target, self.alpha, self.gamma, self.reduction, self.ignore_index)

    def counted(self, target: Tensor) -> Tensor:
        """Tells what the mean is taken over: the labels of rows whose labels are known, shape (batch, labels)."""
        return target != self.ignore_index

    def neutral_target(self, logits: Tensor) -> Tensor:
        """Returns a target that fits logits: no label."""
        return torch.zeros_like(logits)

    def right(self, logits: Tensor, target: Tensor) -> Tensor:
        """Tells whether each row gets its labels and no other, for each of its labels the same; (batch, labels).

        A row gets the labels with a probability of 0.5 or more, or the most probable one where there is none.
        """
        chosen = logits >= 0
        highest = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).bool()
        chosen = chosen | (highest & ~chosen.any(-1, keepdim=True))
        return (chosen == (target == 1)).all(-1, keepdim=True).expand_as(chosen)

    def extra_repr(self) -> str:
        """Returns the settings, as `repr` of a module shows them."""
        return f"alpha={self.alpha}, gamma={self.gamma}, reduction={self.reduction!r}"
