"""Ways to train beside the plain one, as others use them, each written for `EmotionTrainer` and no more than measured.

What is worth it becomes an option of the library; what is not stays here, where its figures come from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import TrainerCallback
from transformers.modeling_outputs import SequenceClassifierOutput

from kobert_hf_emotion.data.column_names import LABELS_COLUMN
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.training.trainer import EmotionTrainer

SMOOTHED = 0.1
"""Share of the target that all classes have together (Szegedy et al., 2016)."""

DIVERGENCE = 1.0
"""Weight of the divergence of two passes (alpha of Liang et al., 2021)."""

STEP_OF_EMBEDDINGS = 1.0
"""Length of the step of FGM (epsilon of Miyato et al., 2017)."""

STEP_OF_WEIGHTS = 0.01
"""Step of AWP, as a share of each weight matrix's length (gamma of Wu et al., 2020)."""

MIXED_OUT = 0.5
"""Share of the weights that are those of the start in a step (p of Lee et al., 2020)."""


class SmoothedLabels(EmotionTrainer):
    """The focal loss of the label, and a tenth of the mean of those of all classes."""

    def row_losses(self, logits: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        """See `EmotionTrainer.row_losses`."""
        own = super().row_losses(logits, inputs)
        classes = range(logits.shape[-1])
        each = [self.criterion(logits, torch.full_like(inputs[LABELS_COLUMN], label)) for label in classes]
        return (1 - SMOOTHED) * own + SMOOTHED * torch.stack(each).mean(0)


class AdjustedLogits(EmotionTrainer):
    """Balanced softmax (Ren et al., 2020): the logits carry the log of the classes' shares while training.

    With `strength` 1 it is the same as the logit adjustment of Menon et al., 2021, in its form as a loss.
    """

    strength = 1.0

    def row_losses(self, logits: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        """See `EmotionTrainer.row_losses`."""
        if not self.model.training:
            return super().row_losses(logits, inputs)
        counts = torch.bincount(torch.as_tensor(self.train_dataset[LABELS_COLUMN][:]), minlength=logits.shape[-1])
        shares = (counts.clamp(min=1) / counts.sum()).log()
        return super().row_losses(logits + self.strength * shares, inputs)


class HalfAdjustedLogits(AdjustedLogits):
    """Half the log of the shares."""

    strength = 0.5


class TwoPasses(EmotionTrainer):
    """R-Drop (Liang et al., 2021): two passes with other dropout masks, whose answers are to agree.

    The loss is half the sum of both passes' focal losses and a quarter of both divergences: half of the paper's, so
    that the learning rate means the same.
    """

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """See `EmotionTrainer.compute_loss`."""
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        twice = {name: torch.cat([value, value]) for name, value in inputs.items()}
        loss, outputs = super().compute_loss(model, twice, True, None)
        first, second = functional.log_softmax(outputs.logits, dim=-1).chunk(2)
        there = functional.kl_div(first, second, log_target=True, reduction="batchmean")
        back = functional.kl_div(second, first, log_target=True, reduction="batchmean")
        return loss + DIVERGENCE / 4 * (there + back)


class MovedEmbeddings(EmotionTrainer):
    """FGM (Miyato et al., 2017): a second pass with the word embeddings moved along their gradient."""

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """See `EmotionTrainer.training_step`."""
        loss = super().training_step(model, dict(inputs), num_items_in_batch)
        embeddings = self.model.get_input_embeddings().weight
        length = embeddings.grad.norm()
        if length > 0:
            with _moved({embeddings: STEP_OF_EMBEDDINGS * embeddings.grad / length}):
                super().training_step(model, dict(inputs), num_items_in_batch)
        return loss


class MovedWeights(EmotionTrainer):
    """AWP (Wu et al., 2020) as used for text classifiers: from the second epoch on, a second pass with moved weights.

    Each matrix is moved along its gradient by a share of its own length; the gradients of both passes are added.
    """

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """See `EmotionTrainer.training_step`."""
        loss = super().training_step(model, dict(inputs), num_items_in_batch)
        if (self.state.epoch or 0) >= 1:
            moves = {
                weight: STEP_OF_WEIGHTS * weight.norm() * weight.grad / weight.grad.norm()
                for weight in self.model.parameters()
                if weight.ndim > 1 and weight.grad is not None and weight.grad.norm() > 0
            }
            with _moved(moves):
                super().training_step(model, dict(inputs), num_items_in_batch)
        return loss


@contextlib.contextmanager
def _moved(moves: Mapping[nn.Parameter, Tensor]) -> Iterator[None]:
    """Moves weights, and puts them back to the bit."""
    before = {weight: weight.detach().clone() for weight in moves}
    with torch.no_grad():
        for weight, move in moves.items():
            weight.add_(move)
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, value in before.items():
                weight.copy_(value)


class MixedOut(EmotionTrainer):
    """Mixout (Lee et al., 2020): in each step half of the weights of the encoder's matrices are those of the start.

    What is computed with is `(mask * start + (1 - mask) * weight - p * start) / (1 - p)`, whose mean is the weight.
    """

    _start: dict[nn.Parameter, Tensor] | None = None

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """See `EmotionTrainer.training_step`."""
        if self._start is None:
            layers = self.model.base_model.encoder.named_parameters()
            self._start = {weight: weight.detach().clone() for _, weight in layers if weight.ndim > 1}
        masks = {weight: torch.rand_like(weight) < MIXED_OUT for weight in self._start}
        kept = {weight: weight.detach().clone() for weight in self._start}
        with torch.no_grad():
            for weight, start in self._start.items():
                mixed = torch.where(masks[weight], start, weight)
                weight.copy_((mixed - MIXED_OUT * start) / (1 - MIXED_OUT))
        loss = super().training_step(model, inputs, num_items_in_batch)
        with torch.no_grad():
            for weight, mask in masks.items():
                weight.copy_(kept[weight])
                if weight.grad is not None:
                    weight.grad.mul_(~mask).div_(1 - MIXED_OUT)
        return loss


class MeanOfSteps(TrainerCallback):
    """Averages the weights after each step of the second half (Izmailov et al., 2018), and ends with the mean."""

    def __init__(self) -> None:
        """Starts with no step."""
        self._mean: dict[str, Tensor] = {}
        self._steps = 0

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Takes the weights into the mean."""
        if state.global_step <= state.max_steps // 2:
            return
        self._steps += 1
        for name, weight in model.named_parameters():
            mean = self._mean.setdefault(name, torch.zeros_like(weight))
            mean += (weight.detach() - mean) / self._steps

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Gives the model the mean."""
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight.copy_(self._mean[name])


class MeanOfTokens(EmotionClassifier):
    """Pools the mean of all tokens' last states instead of [CLS]'s; not what plain BERT computes from the folder."""

    def pooled(self, states: tuple[Tensor, ...], mask: Tensor) -> Tensor:
        """Returns what goes into the pooler, shape (batch, hidden)."""
        shares = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(-1)
        return (states[-1] * shares).sum(dim=1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,  # noqa: ARG002 - a Trainer keeps the columns that are named here
        **kwargs: Any,  # noqa: ARG002
    ) -> SequenceClassifierOutput:
        """Computes logits; see `EmotionClassifier.forward`. `attention_mask` is needed."""
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, output_hidden_states=True
        )
        pooler = self.bert.pooler
        pooled = pooler.activation(pooler.dense(self.pooled(outputs.hidden_states, attention_mask)))
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(pooled)))


class LastFourLayers(MeanOfTokens):
    """Pools the mean of [CLS] in the last four layers (all there are, where there are fewer)."""

    def pooled(self, states: tuple[Tensor, ...], mask: Tensor) -> Tensor:  # noqa: ARG002
        """See `MeanOfTokens.pooled`."""
        return torch.stack([layer[:, 0] for layer in states[1:][-4:]]).mean(dim=0)


METHODS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer decay 0.9": {"arguments": {"layer_decay": 0.9}},
    "R-Drop": {"trainer": TwoPasses},
    "FGM": {"trainer": MovedEmbeddings},
    "AWP": {"trainer": MovedWeights},
    "mean of the steps": {"callback": MeanOfSteps},
    "label smoothing 0.1": {"trainer": SmoothedLabels},
    "mean of the tokens": {"model": MeanOfTokens},
    "last four [CLS]": {"model": LastFourLayers},
    "balanced softmax": {"trainer": AdjustedLogits},
    "half of it": {"trainer": HalfAdjustedLogits},
    "mixout 0.5": {"trainer": MixedOut},
}
"""What each differs in: the trainer, the model's class, a callback, arguments."""


def build(method: str) -> tuple[type[EmotionTrainer], type[EmotionClassifier], list[Any], dict[str, Any]]:
    """Returns the classes of trainer and model, callbacks and arguments of a method."""
    settings = METHODS[method]
    callback: Callable[[], Any] | None = settings.get("callback")
    return (
        settings.get("trainer", EmotionTrainer),
        settings.get("model", EmotionClassifier),
        [] if callback is None else [callback()],
        settings.get("arguments", {}),
    )
