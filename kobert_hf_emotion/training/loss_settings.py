"""What a model's configuration says of the focal loss it is trained with."""

from __future__ import annotations

from typing import NamedTuple

from transformers import PreTrainedConfig

from ..configuration import is_multi_label, label_names
from ..errors import KoBERTEmotionError
from ..modeling.class_weights import Counts
from .alpha_and_gamma import DEFAULT_GAMMA
from .arguments import EmotionTrainingArguments


class LossSettings(NamedTuple):
    """What a configuration says of the focal loss."""

    alpha: float | list[float] | None
    gamma: float | list[float]


def loss_settings(
    args: EmotionTrainingArguments, config: PreTrainedConfig, counts: Counts | None = None, rows: int = 0
) -> LossSettings:
    """Returns the settings of the loss that a model is trained with.

    Args:
        args: The arguments of the training.
        config: The model's; it tells whether a row has several labels.
        counts: Training rows of each label.
        rows: All training rows.

    Raises:
        KoBERTEmotionError: Alpha or gamma does not fit the labels, or there is one gamma per label where a row has one.
    """
    labels = label_names(config)
    if is_multi_label(config):
        return LossSettings(args.balance_for(labels, counts, rows), args.gamma_for(labels))
    if not isinstance(args.focal_gamma, int | float):
        raise KoBERTEmotionError(
            f"레이블마다 다른 `focal_gamma`는 다중 레이블에서만 됩니다: {args.focal_gamma!r}. 수 하나로 주세요.",
            f"One `focal_gamma` per label is for several labels a row, found {args.focal_gamma!r}: give a number.",
            mend={"focal_gamma": DEFAULT_GAMMA},
        )
    return LossSettings(args.alpha_for(labels, counts), args.focal_gamma)
