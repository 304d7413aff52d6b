"""A Hugging Face Trainer that trains and evaluates with the focal loss."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_utils import EvalLoopOutput

from ..data.column_names import LABELS_COLUMN, WEIGHT_COLUMN
from ..errors import KoBERTEmotionError
from ..kernels.cuda_graphs import RecordedSteps
from ..kernels.training import cpu_kernels
from ..legacy import resume_optimizer
from ..modeling.classifier import EmotionClassifier
from ..modeling.criterion import criterion_of
from ..tasks.choice import task_of
from ..utils.argument_checks import check_type
from .arguments import EmotionTrainingArguments, check_loss_is_ours
from .history import EpochRecord, history_of
from .layer_decay import decay_layers
from .loss_settings import loss_settings
from .pushing import PushingTrainer
from .recording import ROWS, can_record
from .rows import RowCollator, RowEncoder, padding_multiple
from .sampling import LengthGroupedSampler, LongestFirst, token_counts
from .tally import RunningFigures, batch_sums


class EmotionTrainer(PushingTrainer):
    """`Trainer` with the focal loss, length-grouped batches and the training accuracy in the log.

    The loss of a step is the mean over all rows of the step, however they are spread over gradient accumulation
    and processes: a batch of 16, 4 accumulated batches of 4, and 2 processes with 8 rows each give the same
    gradient. Evaluation reports the mean of the same criterion over all rows.

    A training resumed from a checkpoint (`train(resume_from_checkpoint=…)`) has the history, and logs the figures,
    of one without a break.

    Args:
        model: The classifier, an `EmotionClassifier` or another encoder's.
        args: Training arguments; `focal_gamma` and `focal_alpha` make the criterion, and are recorded in the
            model's configuration. Weights "balanced" or "effective" are those of the rows of `train_dataset`.
        train_dataset: Rows with `text` and `label`, which are tokenised here, or tokenised rows with
            `input_ids` and `labels`. Labels with names are matched with the model's by name; see
            `data.label_ids.label_ids`.
        eval_dataset: Likewise, or several by name, each matched for itself.
        processing_class: The tokenizer; that of an `EmotionClassifier` by default.
        optimizer_state: `state_dict()` of an optimizer whose moments and step counts are carried on; learning
            rate and schedule are those of `args`.
        **kwargs: As for `Trainer`.

    Raises:
        DataError: Something else than a `datasets.Dataset` is given, or its labels are not the model's.
        KoBERTEmotionError: There is no tokenizer, or something is asked for that would leave the focal loss out of
            the training or of the evaluation, such as label smoothing or a `compute_loss_func`.
    """

    args: EmotionTrainingArguments
    model: PreTrainedModel
    loss_columns: tuple[str, ...] = (LABELS_COLUMN, WEIGHT_COLUMN)
    """Columns of a batch that are for the loss, and not for the model."""

    def __init__(
        self,
        model: PreTrainedModel,
        args: EmotionTrainingArguments,
        train_dataset: datasets.Dataset | None = None,
        eval_dataset: datasets.Dataset | dict[str, datasets.Dataset] | None = None,
        processing_class: PreTrainedTokenizerBase | None = None,
        optimizer_state: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        check_type("model", model, PreTrainedModel, 'EmotionClassifier.from_pretrained("default")')
        check_type("args", args, EmotionTrainingArguments, 'EmotionTrainingArguments("out")')
        check_loss_is_ours(args, kwargs)
        processing_class = _tokenizer_of(model) if processing_class is None else processing_class
        self._rows = RowEncoder(processing_class, model.config, args.max_length)
        self._figures = RunningFigures()
        self._optimizer_state = optimizer_state
        self._padding = 0
        if train_dataset is not None:
            train_dataset = self._rows.encode(train_dataset, "train_dataset")
        counts = None if train_dataset is None else self._rows.label_counts(train_dataset)
        rows = 0 if train_dataset is None else len(train_dataset)
        loss = loss_settings(args, model.config, counts, rows)
        model.config.focal_alpha, model.config.focal_gamma = loss.alpha, loss.gamma
        self.criterion = criterion_of(model.config, reduction="none")
        if train_dataset is not None and args.world_size > 1:
            # Otherwise accelerate repeats rows of the start of the epoch to make the shares of the processes even, and
            # the result would depend on their number.
            filled = self._rows.fill_last_batch(train_dataset, args.world_size * args.train_batch_size)
            self._padding = len(filled) - len(train_dataset)
            train_dataset = filled
        if isinstance(eval_dataset, dict):
            eval_dataset = {
                name: self._rows.encode(rows, f"eval_dataset[{name!r}]") for name, rows in eval_dataset.items()
            }
        elif eval_dataset is not None:
            eval_dataset = self._rows.encode(eval_dataset, "eval_dataset")
        kwargs.setdefault("compute_metrics", task_of(model.config).evaluate)
        multiple = padding_multiple(args, model.config)
        kwargs.setdefault("data_collator", RowCollator(processing_class, self._rows.labels, multiple))
        super().__init__(
            model=model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            **kwargs,
        )
        # The Trainer counts the rows of a whole step only for models it believes to use the count. The loss
        # here does, and is scaled for accumulation by it.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True
        self._recorded: RecordedSteps | None = None

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Makes the optimizer, with the learning rates of the layers and the moments it was given to carry on."""
        fresh = self.optimizer is None
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if fresh and self.args.layer_decay < 1:
            decay_layers(optimizer, self.model, self.args.layer_decay)
        if fresh and self._optimizer_state is not None:
            resume_optimizer(optimizer, self.model, self._optimizer_state)
        return optimizer

    def get_eval_dataloader(self, eval_dataset: str | datasets.Dataset | None = None) -> DataLoader[Any]:
        """Returns batches of `eval_dataset`, which may hold texts, or of the trainer's own."""
        if eval_dataset is not None and not isinstance(eval_dataset, str):
            eval_dataset = self._rows.encode(eval_dataset, "eval_dataset")
        return super().get_eval_dataloader(eval_dataset)

    def get_test_dataloader(self, test_dataset: datasets.Dataset) -> DataLoader[Any]:
        """Returns batches of `test_dataset`, which may hold texts, and may be without labels."""
        return super().get_test_dataloader(self._rows.encode(test_dataset, "test_dataset", needs_labels=False))

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Computes the focal loss of a batch as its share of the mean over the whole step.

        Args:
            model: The (wrapped) model.
            inputs: The batch, with `labels` of shape (batch,); of a multi-label model, and of one of votes, (batch,
                labels); with `row_weight`, shape (batch,), the loss of each row counts so many times.
            return_outputs: Whether to return the model's outputs as well.
            num_items_in_batch: Labelled rows (of a multi-label model: labels of labelled rows) of the step over all
                accumulated batches and processes; the batch's own where it is None.

        Returns:
            The loss, a scalar, and the outputs where they are asked for.
        """
        labels = inputs[LABELS_COLUMN]
        outputs, row_losses, right = self._row_losses(model, inputs)
        if model.training:
            self._figures.add(batch_sums(self.criterion.counted(labels), row_losses, right))
        loss = _weighed(row_losses, inputs).sum() / self._rows_of_step(labels, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Computes the gradients of a batch; on a GPU it replays the step that was recorded of the batch's shape.

        Args:
            model: The (wrapped) model.
            inputs: As for `compute_loss`.
            num_items_in_batch: Likewise.

        Returns:
            The loss, a scalar without a gradient.
        """
        if model is self.model and can_record(self.args, self.model, self.criterion):
            self._recorded = self._recorded or RecordedSteps(self.model, self._step_to_record)
            model.train()
            inputs = self.on_device(inputs)
            rows = self._rows_of_step(inputs[LABELS_COLUMN], num_items_in_batch).float()
            replayed = self._recorded.replay({**inputs, ROWS: rows})
            if replayed is not None:
                loss, sums = replayed
                self._figures.add(sums)
                return loss
        return super().training_step(model, inputs, num_items_in_batch)

    def _step_to_record(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Computes the gradients of a batch; returns its loss and sums as `training_step` needs them."""
        _, row_losses, right = self._row_losses(self.model, {name: inputs[name] for name in inputs if name != ROWS})
        loss = _weighed(row_losses, inputs).sum() / inputs[ROWS]
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), batch_sums(self.criterion.counted(inputs[LABELS_COLUMN]), row_losses, right)

    def _row_losses(self, model: nn.Module, inputs: dict[str, Any]) -> tuple[Any, Tensor, Tensor]:
        """Returns the model's outputs, the loss of each row or element, and whether it is predicted rightly."""
        with nullcontext() if self.args.torch_compile else cpu_kernels(self.model):
            outputs = model(**{name: value for name, value in inputs.items() if name not in self.loss_columns})
        labels = inputs[LABELS_COLUMN]
        return outputs, self.row_losses(outputs.logits, inputs), self.criterion.right(outputs.logits, labels)

    def row_losses(self, logits: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        """Returns the loss of each row of a batch, of several labels a row of each element; 0 where it has no label.

        Args:
            logits: Shape (batch, labels).
            inputs: The batch.
        """
        losses: Tensor = self.criterion(logits, inputs[LABELS_COLUMN])
        return losses

    def _rows_of_step(self, labels: Tensor, counted: Tensor | int | None) -> Tensor:
        """Returns what the sum over a batch is divided by for its share of the mean over the step.

        `Trainer` counts the elements of labels that are not -100. Where those of a row are its shares of votes, the row
        is one item of the loss.
        """
        items = self.criterion.counted(labels)
        if counted is None:
            return items.sum().clamp(min=1)
        each = labels.numel() // items.numel() if items.numel() else 1
        rows = (torch.as_tensor(counted, device=labels.device).sum() / each).clamp(min=1)
        # Data-parallel training averages the gradients of the processes: where the count is that of all of them, each
        # divides by its part of it. With `average_tokens_across_devices=False` it is this process's own.
        return rows / self.accelerator.num_processes if self.args.average_tokens_across_devices else rows

    @property
    def history(self) -> list[EpochRecord]:
        """A record of each evaluation of the current or last training; empty where `eval_dataset` is several."""
        return history_of(self.state.log_history)

    @property
    def _first_evaluation(self) -> str:
        """The prefix of the metrics of the evaluation that comes first; there are several with several data sets."""
        return f"eval_{next(iter(self.eval_dataset), '')}" if isinstance(self.eval_dataset, dict) else "eval"

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds loss and accuracy of the training rows to what is logged, also at each evaluation."""
        if "loss" in logs:
            logs["loss"], logs["accuracy"] = self._figures.since_log.take_means()
        elif self.is_in_train and f"{self._first_evaluation}_loss" in logs:
            logs["train_loss"], logs["train_accuracy"] = self._figures.since_evaluation.take_means()
        super().log(logs, start_time)

    def save_running_state(self, folder: Path) -> None:
        """Saves the running figures of the log."""
        self._figures.save(folder, writes=self.args.should_save)

    def load_running_state(self, folder: Path) -> None:
        """Carries on the running figures of the log."""
        self._figures.load(folder, carries=self.args.process_index == 0)

    def evaluation_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Evaluates, with the loss as the mean over all rows rather than over batches.

        Returns:
            Predictions and labels in the order of the data set, although texts of similar length share a batch.
        """
        loss_only = self.args.prediction_loss_only if prediction_loss_only is None else prediction_loss_only
        unwanted = [*(ignore_keys or ()), "hidden_states", "attentions"]
        compute, self.compute_metrics = self.compute_metrics, None if loss_only else self.compute_metrics
        try:  # with the logits, without which there is no mean over rows of which some may be left out
            output = super().evaluation_loop(dataloader, description, False, unwanted, metric_key_prefix)
        finally:
            self.compute_metrics = compute
        if isinstance(dataloader.dataset, datasets.Dataset):
            order = LongestFirst(dataloader.dataset)
            labels = None if output.label_ids is None else order.undo(np.asarray(output.label_ids))
            output = output._replace(predictions=order.undo(np.asarray(output.predictions)), label_ids=labels)
        if output.label_ids is not None and output.metrics is not None:
            logits, targets = torch.as_tensor(output.predictions), torch.as_tensor(output.label_ids)
            loss = criterion_of(self.model.config)(logits, targets)
            output.metrics[f"{metric_key_prefix}_loss"] = loss.item()
        if loss_only:
            output = output._replace(predictions=None, label_ids=None)  # type: ignore[arg-type]  # as Trainer does
        return output

    def train_sampler(self, dataset: datasets.Dataset) -> Sampler[int] | None:
        """Returns what draws the training rows, those of similar length together where `args` say so."""
        if self.args.train_sampling_strategy != "group_by_length" or not isinstance(dataset, datasets.Dataset):
            return super().train_sampler(dataset)
        step_rows = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        lengths = token_counts(dataset)
        return LengthGroupedSampler(lengths[: len(lengths) - self._padding], step_rows, seed, self._padding)

    def eval_sampler(self, dataset: datasets.Dataset) -> Sampler[int] | None:
        """Returns the order of rows to evaluate, from the longest to the shortest."""
        return LongestFirst(dataset) if isinstance(dataset, datasets.Dataset) else super().eval_sampler(dataset)


def _weighed(row_losses: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
    """Returns the losses of rows, shape (rows,) or (rows, labels), times the rows' weights where they have some."""
    if WEIGHT_COLUMN not in inputs:
        return row_losses
    return row_losses * inputs[WEIGHT_COLUMN].to(row_losses).view(-1, *[1] * (row_losses.ndim - 1))


def _tokenizer_of(model: PreTrainedModel) -> PreTrainedTokenizerBase:
    if isinstance(model, EmotionClassifier):
        return model.tokenizer
    raise KoBERTEmotionError(
        "토크나이저가 필요합니다. EmotionTrainer(…, processing_class=tokenizer)로 넣으세요.",
        "A tokenizer is needed: EmotionTrainer(…, processing_class=tokenizer).",
    )
