"""Focal loss for single-label classification, in the form the KoBERT notebook uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import KoBERTEmotionError
from ..labels import EMOTION_LABELS, fold_name
from ..utils.argument_checks import check_number, check_type

Reduction: TypeAlias = Literal["mean", "sum", "none"] | None
Alpha: TypeAlias = float | Sequence[float] | Mapping[str, float] | Tensor | NDArray[np.floating]


def resolve_alpha(alpha: Alpha, labels: Sequence[str] = EMOTION_LABELS) -> float | list[float]:
    """Turns the ways of writing alpha into a number or one weight per class.

    Args:
        alpha: A number, a weight per class in the order of the class ids (a sequence, a tensor or an array), or
            weights by label name. Labels left out of a mapping weigh 1.0.
        labels: Label names in the order of their ids, for a mapping.

    Returns:
        The number, or the list of weights.

    Raises:
        KoBERTEmotionError: A weight is no number, negative or not finite, or a mapping names an unknown label.
    """
    if isinstance(alpha, Tensor | np.ndarray):
        alpha = alpha.tolist()
    if isinstance(alpha, Mapping):
        resolved: float | list[float] = _by_name(alpha, labels)
    elif isinstance(alpha, Sequence):
        resolved = [_weight(weight) for weight in alpha]
    else:
        resolved = _weight(alpha)
    weights = resolved if isinstance(resolved, list) else [resolved]
    if not all(0.0 <= weight < float("inf") for weight in weights):
        raise KoBERTEmotionError(
            f"alpha는 0 이상의 유한한 수여야 합니다: {resolved}",
            f"alpha must be finite and not negative, found {resolved}.",
        )
    return resolved


def _by_name(alpha: Mapping[str, float], labels: Sequence[str]) -> list[float]:
    """Returns a weight for each of `labels`, 1.0 for those that are not named."""
    ids = {fold_name(name): index for index, name in enumerate(labels)}
    unknown = [name for name in alpha if fold_name(name) not in ids]
    if unknown:
        raise KoBERTEmotionError(
            f"alpha에 모르는 라벨이 있습니다: {unknown}. 쓸 수 있는 라벨: {list(labels)}",
            f"alpha names unknown labels {unknown}; expected some of {list(labels)}.",
        )
    named = {ids[fold_name(name)]: weight for name, weight in alpha.items()}
    if len(named) < len(alpha):
        raise KoBERTEmotionError(
            f"alpha에 같은 라벨이 두 번 있습니다: {list(alpha)}. 한 번만 쓰세요.",
            f"alpha names a label twice: {list(alpha)}. Name each once.",
        )
    return [_weight(named.get(index, 1.0)) for index in range(len(labels))]


def _weight(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise KoBERTEmotionError(
            f"alpha에는 수가 와야 합니다: {value!r}", f"alpha must be made of numbers, found {value!r}."
        ) from error


def focal_loss(
    logits: Tensor,
    target: Tensor,
    alpha: Alpha = 1.0,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
    ignore_index: int = -100,
) -> Tensor:
    r"""Computes the multi-class focal loss of Lin et al., "Focal Loss for Dense Object Detection" (2017).

    For a row with target class y, with p = softmax(logits) and p_t = p[y]:

        FL = alpha[y] * (1 - p_t)^gamma * (-log p_t)

    `alpha` multiplies after p_t is taken, so it never changes the modulating factor. With gamma 0 and
    alpha 1 this is the cross-entropy. The computation runs in at least float32, also under autocast.

    Args:
        logits: Unnormalised scores, shape (batch, classes), any floating dtype.
        target: Class ids, shape (batch,), int64.
        alpha: One weight for all classes, one per class, shape (classes,), or weights by name of the seven
            emotions (`{"fear": 2.0}`; others weigh 1).
        gamma: Focusing parameter, at least 0.
        reduction: "mean" over the rows that are not ignored, "sum", or "none"/None for a value a row.
        ignore_index: Rows with this target count neither in the sum nor in the mean.

    Returns:
        A scalar, or shape (batch,) for "none"; ignored rows hold 0. The mean of a batch in which every
        row is ignored is 0 with a zero gradient.

    Raises:
        KoBERTEmotionError: Shapes, `gamma`, `alpha` or `reduction` are not as above.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
        >>> round(focal_loss(logits, torch.tensor([0, 0]), gamma=0.0).item(), 4)
        1.1269
    """
    _check_arguments(logits, target, gamma, reduction)
    # Autocast leaves what follows alone: there is no matrix product in it.
    scores = logits if logits.dtype == torch.float64 else logits.float()
    kept = target != ignore_index
    rows = torch.where(kept, target, torch.zeros_like(target))
    try:
        log_pt = scores.log_softmax(dim=-1).gather(-1, rows.unsqueeze(-1)).squeeze(-1)
    except RuntimeError as error:
        raise _beyond_classes(rows, scores.shape[-1]) or error from None
    loss = modulating_factor(log_pt, gamma) * -log_pt
    weight = alpha if isinstance(alpha, Tensor) else resolve_alpha(alpha)
    if not isinstance(weight, float):  # a number is no tensor: to make one on a GPU would be to wait for it
        weight = weights_of_classes(weight, scores)[rows]
    loss = torch.where(kept, weight * loss, torch.zeros_like(loss))
    if reduction == "mean":
        return loss.sum() / kept.sum().clamp(min=1)
    return loss.sum() if reduction == "sum" else loss


def weights_of_classes(alpha: list[float] | Tensor, scores: Tensor) -> Tensor:
    """Returns alpha as a tensor of shape (classes,), with the type of `scores` and on their device."""
    weights = torch.as_tensor(alpha, dtype=scores.dtype, device=scores.device)
    weights = weights.expand(scores.shape[-1:]) if weights.ndim == 0 else weights
    if weights.shape != scores.shape[-1:]:
        raise KoBERTEmotionError(
            f"alpha의 길이({tuple(weights.shape)})가 클래스 수({scores.shape[-1]})와 다릅니다.",
            f"alpha has shape {tuple(weights.shape)}, expected ({scores.shape[-1]},): one weight per class.",
        )
    return weights


def modulating_factor(log_pt: Tensor, gamma: float) -> Tensor:
    """Returns (1 - p_t)^gamma, shape of `log_pt`, with a finite gradient everywhere."""
    if gamma == 0:
        return torch.ones_like(log_pt)
    one_minus_pt = -torch.expm1(log_pt)
    # The derivative of x^gamma is infinite at x = 0 for gamma < 1, and infinity times the zero loss of a
    # row with p_t = 1 is NaN. The factor of such a row is 0 whatever gamma is, so its gradient is cut.
    certain = one_minus_pt <= 0
    base = torch.where(certain, torch.ones_like(one_minus_pt), one_minus_pt)
    return torch.where(certain, torch.zeros_like(base), base**gamma)


def _beyond_classes(target: Tensor, classes: int) -> KoBERTEmotionError | None:
    """Returns the error of class ids that there are not, None where all are there."""
    beyond = target[(target < 0) | (target >= classes)]
    if beyond.numel() == 0:
        return None
    return KoBERTEmotionError(
        f"target에는 0부터 {classes - 1}까지의 라벨 번호가 필요한데 {beyond[0].item()}이(가) 있습니다.",
        f"Expected class ids 0 to {classes - 1} as target, found {beyond[0].item()}.",
    )


def _check_arguments(logits: Tensor, target: Tensor, gamma: float, reduction: Reduction) -> None:
    for name, value in (("logits", logits), ("target", target)):
        check_type(name, value, Tensor, "torch.tensor([…])")
    if target.is_floating_point() or target.dtype == torch.bool:
        raise KoBERTEmotionError(
            f"target에는 라벨 번호(int64)가 필요한데 {target.dtype}입니다. target.long()으로 바꾸세요.",
            f"Expected class ids (int64) as target, found {target.dtype}. Turn them into ids: target.long().",
        )
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise KoBERTEmotionError(
            f"logits는 (배치, 클래스), target은 (배치,) 모양이어야 합니다: "
            f"{tuple(logits.shape)}, {tuple(target.shape)}",
            f"Expected logits (batch, classes) and target (batch,), found {tuple(logits.shape)} and "
            f"{tuple(target.shape)}.",
        )
    check_number("gamma", gamma)
    check_reduction(reduction)


def check_reduction(reduction: Reduction) -> None:
    """Raises `KoBERTEmotionError` where `reduction` is none of those there are."""
    if reduction not in ("mean", "sum", "none", None):
        raise KoBERTEmotionError(
            f"reduction은 'mean', 'sum', 'none', None 가운데 하나여야 합니다: {reduction!r}",
            f"reduction must be 'mean', 'sum', 'none' or None, found {reduction!r}.",
        )


class FocalModule(nn.Module):
    """The settings that the losses of one label a row, and of votes, have in common.

    Args:
        alpha: A number, a weight per class, or weights by label name (`{"fear": 2.0}`; others weigh 1).
        gamma: Focusing parameter, at least 0.
        reduction: "mean", "sum", "none" or None.
        labels: Label names in the order of their ids, for an `alpha` by label name.
        ignore_index: Rows with this target are left out.
    """

    def __init__(
        self,
        alpha: Alpha = 1.0,
        gamma: float = 2.0,
        reduction: Reduction = "mean",
        labels: Sequence[str] = EMOTION_LABELS,
        ignore_index: int = -100,
    ) -> None:
        super().__init__()
        check_number("gamma", gamma)
        check_reduction(reduction)
        self.alpha = resolve_alpha(alpha, labels)
        self.gamma = gamma
        self.reduction = reduction
        self.ignore_index = ignore_index

    def extra_repr(self) -> str:
        """Returns the settings, as `repr` of a module shows them."""
        return f"alpha={self.alpha}, gamma={self.gamma}, reduction={self.reduction!r}"


class FocalLoss(FocalModule):
    """`focal_loss` as a module with its settings.

    Args:
        alpha: A number, a weight per class, or weights by label name (`{"fear": 2.0}`; others weigh 1).
        gamma: Focusing parameter, at least 0.
        reduction: "mean", "sum", "none" or None.
        labels: Label names in the order of their ids, for an `alpha` by label name.
        ignore_index: Rows with this target are left out.

    Shape:
        - Input: logits (batch, classes), target (batch,).
        - Output: a scalar, or (batch,) without reduction.

    Example:
        >>> import torch
        >>> criterion = FocalLoss(alpha={"sad": 2.0}, labels=["happy", "sad"])
        >>> criterion(torch.zeros(2, 2), torch.tensor([0, 1])).shape
        torch.Size([])
    """

    _weights: Tensor | None = None

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of `logits` (batch, classes) against `target` (batch,)."""
        alpha = self.alpha if isinstance(self.alpha, float) else self._weights_for(logits)
        return focal_loss(logits, target, alpha, self.gamma, self.reduction, self.ignore_index)

    def _weights_for(self, logits: Tensor) -> Tensor:
        """Returns alpha on the device of logits; it is brought there once, since a GPU would be waited for each time.

        In their precision, too: Apple's GPUs have no float64.
        """
        dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
        if self._weights is None or (self._weights.device, self._weights.dtype) != (logits.device, dtype):
            self._weights = torch.tensor(self.alpha, dtype=dtype, device=logits.device)
        return self._weights

    def counted(self, target: Tensor) -> Tensor:
        """Tells what the mean is taken over: the rows with a label, shape (batch,)."""
        return target != self.ignore_index

    def neutral_target(self, logits: Tensor) -> Tensor:
        """Returns a target that fits logits: the first class."""
        return torch.zeros(len(logits), dtype=torch.long, device=logits.device)

    def right(self, logits: Tensor, target: Tensor) -> Tensor:
        """Tells of each row whether its label has the highest logit, shape (batch,)."""
        return logits.argmax(-1) == target
