"""The trainer of a student: the teacher's answers and the labels in one loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..configuration import is_multi_label
from ..training.resumable_trainer import FoldTrainer
from .loss import mixed_loss, soft_loss

ANSWERS_COLUMN, GIVEN_COLUMN = "teacher", "given"
"""Of the training rows: the teacher's logits, NaN where there are none, and the label, -100 where there is none."""


class DistillationTrainer(FoldTrainer):
    """`FoldTrainer` whose rows have the teacher's logits beside a label, or in place of one.

    `labels` of a training row are what the running accuracy of the log compares with: the label or, where there is
    none, what the teacher answers. Evaluation is that of `EmotionTrainer`, on labels alone.

    Args:
        *args: As for `FoldTrainer`.
        temperature: See `soft_loss`.
        mixture: See `mixed_loss`.
        **kwargs: As for `FoldTrainer`.
    """

    loss_columns = (*FoldTrainer.loss_columns, ANSWERS_COLUMN, GIVEN_COLUMN)

    def __init__(self, *args: Any, temperature: float, mixture: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.temperature = temperature
        self.mixture = mixture

    def row_losses(self, logits: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        """Returns the mixed loss of each row of a batch, without the teacher's answers in it that of the labels."""
        if ANSWERS_COLUMN not in inputs:
            return super().row_losses(logits, inputs)
        hard: Tensor = self.criterion(logits, inputs[GIVEN_COLUMN])
        several = is_multi_label(self.model.config)
        soft = soft_loss(logits, inputs[ANSWERS_COLUMN], self.temperature, several)
        return mixed_loss(soft.to(hard.dtype), hard, self.mixture)
