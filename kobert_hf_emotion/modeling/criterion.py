"""The loss that a model's configuration asks for."""

from __future__ import annotations

from typing import TypeAlias

from transformers import PreTrainedConfig

from ..configuration import is_multi_label, is_soft
from .losses import FocalLoss, Reduction
from .sigmoid_loss import SigmoidFocalLoss
from .soft_loss import SoftFocalLoss

Criterion: TypeAlias = FocalLoss | SigmoidFocalLoss | SoftFocalLoss
"""What a model is trained with."""


def criterion_of(config: PreTrainedConfig, reduction: Reduction = "mean") -> Criterion:
    """Returns the loss that a model's configuration asks for.

    A configuration that another library wrote has no focal loss in it: the default one is taken.
    """
    gamma = getattr(config, "focal_gamma", 2.0)
    if is_multi_label(config):
        return SigmoidFocalLoss(getattr(config, "focal_alpha", None), gamma, reduction)
    kind = SoftFocalLoss if is_soft(config) else FocalLoss
    return kind(getattr(config, "focal_alpha", 1.0), gamma, reduction)
