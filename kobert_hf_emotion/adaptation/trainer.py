"""The trainer of an encoder that names hidden tokens."""

from __future__ import annotations

from typing import Any

import datasets
from torch import Tensor, nn
from torch.utils.data import Sampler

from ..kernels.training import cpu_kernels
from ..training.resumable_trainer import CheckpointingTrainer
from ..training.sampling import LengthGroupedSampler, token_counts
from .masking import Masks
from .model import masked_cross_entropy


class AdaptationTrainer(CheckpointingTrainer):
    """A trainer with checkpoints whose batches hold texts of similar length, and whose loss is that of hidden tokens.

    Args:
        *args: As for `Trainer`.
        masks: What makes batches of rows.
        **kwargs: As for `Trainer`.
    """

    def __init__(self, *args: Any, masks: Masks, **kwargs: Any) -> None:
        super().__init__(*args, data_collator=masks, **kwargs)
        self._masks = masks
        # The loss is a share of the mean over all hidden tokens of a step, also over accumulated batches.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def compute_loss(
        self,
        model: nn.Module,  # noqa: ARG002 - the wrapped one, which has no head to call alone
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Computes the loss of a batch as its share of the mean over the hidden tokens of the step."""
        with cpu_kernels(self.model):
            total, count = masked_cross_entropy(self.model, inputs)
        loss = total / (count if num_items_in_batch is None else num_items_in_batch)
        return (loss, {}) if return_outputs else loss

    def train_sampler(self, dataset: datasets.Dataset) -> Sampler[int] | None:
        """Returns what draws the rows, those of similar length together; the masks of an epoch follow it."""
        rows = self.args.train_batch_size * self.args.gradient_accumulation_steps
        sampler = LengthGroupedSampler(token_counts(dataset), rows, self.args.seed)
        self._masks.epoch = lambda: sampler.epoch
        return sampler
