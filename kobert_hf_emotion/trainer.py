"""A Hugging Face Trainer that trains and evaluates with the focal loss."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer
from transformers.trainer_utils import EvalLoopOutput

from .argument_checks import check_dataset, check_type
from .configuration import label_names
from .cpu_kernels import cpu_kernels
from .encoding import LABEL_COLUMN, LABELS_COLUMN, encode_dataset, padding_rows
from .errors import KoBERTEmotionError
from .files import atomic_write
from .legacy import resume_optimizer
from .losses import FocalLoss, focal_loss
from .metrics import compute_metrics
from .modeling import EmotionClassifier
from .sampling import LengthGroupedSampler
from .training_args import EmotionTrainingArguments

SUMS_FILE = "training_sums.json"
"""In a checkpoint: the figures of the training rows since the last line of the log and since the last evaluation."""


@dataclass(frozen=True)
class EpochRecord:
    """One row of a fold's `history.csv`; the training figures are those of the rows seen since the last one."""

    epoch: float
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float


class _Tally:
    """Sums over the training rows seen: the rows, their loss and how many were right; float64, on the device."""

    def __init__(self) -> None:
        self.sums: Tensor | None = None

    def add(self, sums: Tensor) -> None:
        self.sums = sums if self.sums is None else self.sums + sums


class EmotionTrainer(Trainer):
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
            `input_ids` and `labels`.
        eval_dataset: Likewise.
        processing_class: The tokenizer; that of an `EmotionClassifier` by default.
        optimizer_state: `state_dict()` of an optimizer whose moments and step counts are carried on; learning
            rate and schedule are those of `args`.
        **kwargs: As for `Trainer`.

    Raises:
        KoBERTEmotionError: Label smoothing is asked for, which this loss has not, or there is no tokenizer.
    """

    args: EmotionTrainingArguments
    model: PreTrainedModel

    def __init__(
        self,
        model: PreTrainedModel,
        args: EmotionTrainingArguments,
        train_dataset: datasets.Dataset | None = None,
        eval_dataset: datasets.Dataset | None = None,
        processing_class: PreTrainedTokenizerBase | None = None,
        optimizer_state: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        check_type("model", model, PreTrainedModel, 'EmotionClassifier.from_pretrained("default")')
        check_type("args", args, EmotionTrainingArguments, 'EmotionTrainingArguments("out")')
        for name, rows in (("train_dataset", train_dataset), ("eval_dataset", eval_dataset)):
            if rows is not None:
                is_encoded = "input_ids" in getattr(rows, "column_names", ())
                check_dataset(rows, () if is_encoded else ("text",), name, may_be_empty=True)
        if args.label_smoothing_factor:
            raise KoBERTEmotionError(
                "초점 손실에는 label smoothing이 없습니다. label_smoothing_factor를 0으로 두세요.",
                f"The focal loss has no label smoothing: leave label_smoothing_factor at 0, found "
                f"{args.label_smoothing_factor}.",
            )
        if processing_class is None:
            processing_class = model.tokenizer if isinstance(model, EmotionClassifier) else None
        if processing_class is None:
            raise KoBERTEmotionError(
                "토크나이저가 필요합니다. EmotionTrainer(…, processing_class=tokenizer)로 넣으세요.",
                "A tokenizer is needed: EmotionTrainer(…, processing_class=tokenizer).",
            )
        self._encoder = processing_class
        labels = label_names(model.config)
        alpha = args.alpha_for(labels, None if train_dataset is None else _label_counts(train_dataset, len(labels)))
        model.config.focal_alpha, model.config.focal_gamma = alpha, args.focal_gamma
        self.criterion = FocalLoss(alpha, args.focal_gamma, reduction="none")
        self._since_log, self._since_epoch = _Tally(), _Tally()
        self._optimizer_state = optimizer_state
        self._padding = 0
        if train_dataset is not None:
            train_dataset = encode_dataset(train_dataset, self._encoder, args.max_length)
            train_dataset = self._fill_last_batch(train_dataset, args)
        if eval_dataset is not None:
            eval_dataset = encode_dataset(eval_dataset, self._encoder, args.max_length)
        kwargs.setdefault("compute_metrics", compute_metrics)
        super().__init__(
            model=model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=self._encoder,
            **kwargs,
        )
        # The Trainer counts the rows of a whole step only for models it believes to use the count. The loss
        # here does, and is scaled for accumulation by it.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def _fill_last_batch(self, dataset: datasets.Dataset, args: EmotionTrainingArguments) -> datasets.Dataset:
        """Adds rows without a label where several processes could not share the rows evenly.

        Otherwise accelerate repeats rows of the start of the epoch to make the shares even, and the result
        would depend on the number of processes.
        """
        if args.world_size == 1 or (missing := -len(dataset) % (args.world_size * args.train_batch_size)) == 0:
            return dataset
        self._padding = missing
        return datasets.concatenate_datasets([dataset, padding_rows(missing, dataset.features, self._encoder)])

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Makes the optimizer, with the moments it was given to carry on."""
        fresh = self.optimizer is None
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if fresh and self._optimizer_state is not None:
            resume_optimizer(optimizer, self.model, self._optimizer_state)
        return optimizer

    def get_eval_dataloader(self, eval_dataset: str | datasets.Dataset | None = None) -> DataLoader[Any]:
        """Returns batches of `eval_dataset`, which may hold texts, or of the trainer's own."""
        if isinstance(eval_dataset, datasets.Dataset):
            eval_dataset = encode_dataset(eval_dataset, self._encoder, self.args.max_length)
        return super().get_eval_dataloader(eval_dataset)

    def get_test_dataloader(self, test_dataset: datasets.Dataset) -> DataLoader[Any]:
        """Returns batches of `test_dataset`, which may hold texts."""
        return super().get_test_dataloader(encode_dataset(test_dataset, self._encoder, self.args.max_length))

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
            inputs: The batch, with `labels` of shape (batch,).
            return_outputs: Whether to return the model's outputs as well.
            num_items_in_batch: Labelled rows of the step over all accumulated batches and processes; the
                batch's own where it is None.

        Returns:
            The loss, a scalar, and the outputs where they are asked for.
        """
        labels = inputs[LABELS_COLUMN]
        with nullcontext() if self.args.torch_compile else cpu_kernels(self.model):
            outputs = model(**{name: value for name, value in inputs.items() if name != LABELS_COLUMN})
        row_losses = self.criterion(outputs.logits, labels)
        if model.training:
            self._count(outputs.logits, labels, row_losses)
        if num_items_in_batch is None:
            loss = row_losses.sum() / (labels != -100).sum().clamp(min=1)
        else:
            # Data-parallel training averages the gradients of the processes, so the sum over them needs a factor.
            count = torch.as_tensor(num_items_in_batch, device=row_losses.device).sum().clamp(min=1)
            loss = row_losses.sum() * self.accelerator.num_processes / count
        return (loss, outputs) if return_outputs else loss

    def _count(self, logits: Tensor, labels: Tensor, row_losses: Tensor) -> None:
        kept = labels != -100
        with torch.no_grad():
            correct = (logits.argmax(-1) == labels) & kept
            sums = torch.stack([kept.sum(), row_losses.detach().sum(), correct.sum()]).double()
        self._since_log.add(sums)
        self._since_epoch.add(sums)

    def _average(self, tally: _Tally) -> tuple[float, float]:
        """Returns mean loss and accuracy of a tally over all processes, and empties it."""
        if tally.sums is None:
            return float("nan"), float("nan")
        rows, loss, correct = self.accelerator.reduce(tally.sums, reduction="sum").tolist()
        tally.sums = None
        return (loss / rows, correct / rows) if rows else (float("nan"), float("nan"))

    @property
    def history(self) -> list[EpochRecord]:
        """A record of each evaluation of the current or last training."""
        return [
            EpochRecord(
                epoch=line["epoch"],
                step=int(line["step"]),
                train_loss=line["train_loss"],
                train_accuracy=line["train_accuracy"],
                val_loss=line["eval_loss"],
                val_accuracy=line["eval_accuracy"],
                val_macro_f1=line["eval_macro_f1"],
            )
            for line in self.state.log_history
            if "eval_loss" in line and "train_loss" in line
        ]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds loss and accuracy of the training rows to what is logged, also at each evaluation."""
        if "loss" in logs:
            logs["loss"], logs["accuracy"] = self._average(self._since_log)
        elif "eval_loss" in logs and self.is_in_train:
            train_loss, train_accuracy = self._average(self._since_epoch)
            logs["train_loss"], logs["train_accuracy"] = train_loss, train_accuracy
        super().log(logs, start_time)

    def _save_rng_state(self, output_dir: str) -> None:
        """Saves beside the state of the generators the running sums of the log, which are lost in a break as well."""
        super()._save_rng_state(output_dir)
        sums = [
            None if tally.sums is None else self.accelerator.reduce(tally.sums, reduction="sum").tolist()
            for tally in (self._since_log, self._since_epoch)
        ]
        if self.args.should_save:
            with atomic_write(Path(output_dir, SUMS_FILE), "w") as handle:
                json.dump(sums, handle)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is None or not os.path.isfile(path := Path(checkpoint, SUMS_FILE)):
            return  # a checkpoint of another trainer
        for tally, sums in zip((self._since_log, self._since_epoch), json.loads(path.read_text()), strict=True):
            if sums is not None:  # of all processes together: the first one carries them on
                total = torch.tensor(sums, dtype=torch.float64, device=self.args.device)
                tally.sums = total if self.args.process_index == 0 else torch.zeros_like(total)

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
        output = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        if isinstance(dataloader.dataset, datasets.Dataset):
            back = np.argsort(_length_order(dataloader.dataset))
            labels = None if output.label_ids is None else np.asarray(output.label_ids)[back]
            output = output._replace(predictions=np.asarray(output.predictions)[back], label_ids=labels)
        if output.label_ids is not None and output.metrics is not None:
            logits, targets = torch.as_tensor(output.predictions), torch.as_tensor(output.label_ids)
            loss = focal_loss(logits, targets, self.criterion.alpha, self.criterion.gamma)
            output.metrics[f"{metric_key_prefix}_loss"] = loss.item()
        return output

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length" or not isinstance(dataset, datasets.Dataset):
            return super()._get_train_sampler(train_dataset)
        step_rows = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        lengths = _lengths(dataset)
        return LengthGroupedSampler(lengths[: len(lengths) - self._padding], step_rows, seed, self._padding)

    def _get_eval_sampler(self, eval_dataset: datasets.Dataset) -> Sampler[int] | None:
        if not isinstance(eval_dataset, datasets.Dataset):
            return super()._get_eval_sampler(eval_dataset)
        return _FixedOrder(_length_order(eval_dataset))


class _FixedOrder(Sampler[int]):
    """Yields row indices in a given order."""

    def __init__(self, order: NDArray[np.intp]) -> None:
        self.order = order

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order.tolist())


def _label_counts(dataset: datasets.Dataset, classes: int) -> NDArray[np.int64]:
    """Returns the rows of each class."""
    column = LABELS_COLUMN if LABELS_COLUMN in dataset.column_names else LABEL_COLUMN
    counts: NDArray[np.int64] = np.bincount(np.asarray(dataset[column][:]), minlength=classes)
    return counts


def _lengths(dataset: datasets.Dataset) -> NDArray[np.int64]:
    """Returns the tokens of each row."""
    lengths: NDArray[np.int64] = pc.list_value_length(dataset.with_format("arrow")["input_ids"][:]).to_numpy()
    return lengths


def _length_order(dataset: datasets.Dataset) -> NDArray[np.intp]:
    """Returns the rows from the longest to the shortest, the order in which they are evaluated."""
    return np.argsort(-_lengths(dataset), kind="stable")
