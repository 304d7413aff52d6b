"""Training arguments: Hugging Face's, with the notebook's defaults and the settings of the focal loss."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any

import torch
from transformers import TrainingArguments
from transformers.trainer_utils import HubStrategy

from ..errors import KoBERTEmotionError
from ..inference.adapters import LoraSettings
from ..labels import fold_name
from ..modeling.class_weights import ClassWeighting, Counts
from ..modeling.losses import resolve_alpha
from ..modeling.sigmoid_loss import resolve_balance, resolve_gamma
from ..utils.argument_checks import check_count, check_number
from .alpha_and_gamma import DEFAULT_GAMMA, parse_alpha

SAMPLING_STRATEGIES = ("random", "sequential", "group_by_length", "batch_rebalance")
NO_BALANCE = 1.0
"""Alpha of several labels a row that weighs yes and no alike; as a balance it would leave the no out of the loss."""


@dataclass
class EmotionTrainingArguments(TrainingArguments):
    """`TrainingArguments` with the defaults of the KoBERT notebook.

    Defaults that differ from Hugging Face's:

    | argument | here | Hugging Face |
    |---|---|---|
    | `num_train_epochs` | 10 | 3 |
    | `per_device_train_batch_size`, `per_device_eval_batch_size` | 64 | 8 |
    | `warmup_steps` (a ratio below 1) | 0.1 | 0 |
    | `lr_scheduler_type` | "cosine" | "linear" |
    | `weight_decay` (none on biases and LayerNorm) | 0.01 | 0 |
    | `logging_steps` | 200 | 500 |
    | `train_sampling_strategy` | "group_by_length" | "random" |
    | `ddp_find_unused_parameters` | False | None, which means True |

    Args:
        max_length: Tokens a text is cut to, special tokens included.
        dropout: Dropout before the head, the notebook's `dr_rate`; used where a run builds its own model.
        focal_gamma: Focusing parameter of the focal loss, at least 0; of several labels a row also one per label, as a
            sequence or by name (others get 2).
        focal_alpha: Weight of the focal loss: a number, one per class, or by label name; see `parse_alpha` for the
            ways to write it. "balanced" and "effective" compute the weights from the counts of the training rows. Of
            several labels a row the balance of yes and no (`modeling.sigmoid_loss`), from 0 to 1; the default, 1, is
            none.
        lora: Rank of low-rank adapters (LoRA, by peft) that are trained in place of the encoder's weights; 0 trains
            the weights. Used where a run builds its own model.
        lora_alpha: The adapters' product is multiplied by this over the rank; None is twice the rank.
        lora_dropout: Dropout before the adapters.
        lora_target: Which layers get adapters: last parts of their names with commas between them, or "all-linear".
        checkpoint_seconds: Seconds between two checkpoints inside a fold of a k-fold run, at least; also at least
            twenty times what writing the last one took, so that it costs no more than a twentieth of the time.
            0 writes one after every step.
        layer_decay: What the learning rate of a layer is multiplied by for each layer above it, the head being the
            highest and the embeddings the lowest; 1, the default, gives all the same. See `training.layer_decay`.
        best_epoch: Whether a fold of a k-fold run keeps the epoch with the highest macro F1 rather than the last one.
            The epoch is chosen on a part of the fold's training rows that is set aside for it (`choosing_share`), so
            that the scores of its validation rows, which chose nothing, are as honest as without. Stands for Hugging
            Face's `load_best_model_at_end`, which would choose on the rows that are scored.
        early_stopping_patience: Stops a fold after so many epochs without a higher macro F1 on those rows, and keeps
            the best of them; 0 never stops.
        choosing_share: The share of a fold's training rows that the epoch is chosen on, above 0 and up to 0.5.
    """

    num_train_epochs: float = field(default=10.0, metadata={"help": "Passes over the training rows."})
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Training rows a step and device."})
    per_device_eval_batch_size: int = field(default=64, metadata={"help": "Evaluation rows a step and device."})
    warmup_steps: float = field(default=0.1, metadata={"help": "Warm-up: steps, or a ratio of all steps below 1."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "Schedule of the learning rate."})
    weight_decay: float = field(default=0.01, metadata={"help": "Weight decay, not on biases and LayerNorm."})
    logging_steps: float = field(default=200, metadata={"help": "Steps between two lines of the log."})
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={
            "help": "Order of the training rows.",
            "choices": list(SAMPLING_STRATEGIES),
        },
    )
    logging_nan_inf_filter: bool = field(
        default=False, metadata={"help": "Leave losses of nan out of the log; a GPU is waited for at each step then."}
    )
    ddp_find_unused_parameters: bool | None = field(
        default=False, metadata={"help": "Look for parameters without a gradient; this model has none."}
    )
    max_length: int = field(default=64, metadata={"help": "Tokens a text is cut to, special tokens included."})
    dropout: float = field(default=0.5, metadata={"help": "Dropout before the head (the notebook's dr_rate)."})
    focal_gamma: float = field(default=2.0, metadata={"help": "Focusing parameter of the focal loss, at least 0."})
    focal_alpha: str = field(
        default="1.0",
        metadata={
            "help": "Weight of the focal loss: a number, 'balanced', 'effective[:beta]', 'fear=2,sad=1.5', or JSON: "
            "one per class or by label name."
        },
    )
    lora: int = field(default=0, metadata={"help": "Rank of LoRA adapters; 0 trains the weights themselves."})
    lora_alpha: float | None = field(
        default=None, metadata={"help": "LoRA's product is multiplied by this over the rank; twice the rank."}
    )
    lora_dropout: float = field(default=0.0, metadata={"help": "Dropout before LoRA adapters."})
    lora_target: str = field(
        default="query,value", metadata={"help": "Layers with LoRA adapters, by the last part of their names."}
    )
    checkpoint_seconds: float = field(
        default=60.0,
        metadata={"help": "Seconds between checkpoints inside a fold of a k-fold run, at least; 0: after every step."},
    )
    layer_decay: float = field(
        default=1.0, metadata={"help": "Learning rate of a layer over that of the layer above it, above 0, at most 1."}
    )
    best_epoch: bool = field(
        default=False, metadata={"help": "Keep a fold's best epoch, chosen on rows set aside from its training rows."}
    )
    early_stopping_patience: int = field(
        default=0, metadata={"help": "Epochs without a better one before a fold is stopped; 0: never."}
    )
    choosing_share: float = field(
        default=0.1, metadata={"help": "Share of a fold's training rows that its epoch is chosen on."}
    )

    def __post_init__(self) -> None:
        self._check()
        if not torch.cuda.is_available():
            self.dataloader_pin_memory = False  # there is nothing to pin memory for, and torch warns of it
        elif self.accelerator_config is None:  # otherwise every batch would wait for the steps before it
            self.accelerator_config = {"non_blocking": True}
        try:
            super().__post_init__()  # type: ignore[no-untyped-call]
        except ValueError as error:  # a schedule or an optimizer that there is not
            raise KoBERTEmotionError(
                f"학습 인자가 맞지 않습니다: {error}", f"Training arguments: {error}", mend={"other_arguments": None}
            ) from error
        alpha = parse_alpha(self.focal_alpha)
        if not isinstance(alpha, ClassWeighting):
            resolve_alpha(alpha, list(alpha) if isinstance(alpha, Mapping) else ())

    @property
    def adapters(self) -> LoraSettings | None:
        """The adapters to train, None where the weights themselves learn."""
        if not self.lora:
            return None
        alpha = 2.0 * self.lora if self.lora_alpha is None else self.lora_alpha
        target = [name.strip() for name in self.lora_target.split(",") if name.strip()]
        return LoraSettings(self.lora, alpha, self.lora_dropout, target)

    @property
    def chooses_epoch(self) -> bool:
        """Whether a fold keeps its best epoch, chosen on rows that are set aside."""
        return self.best_epoch or self.early_stopping_patience > 0

    @property
    def shards(self) -> str | None:
        """What divides the model itself among processes ("FSDP", "DeepSpeed"), None where each holds all of it."""
        if self.deepspeed or os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
            return "DeepSpeed"
        return "FSDP" if self.fsdp or os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true" else None

    def _check(self) -> None:
        """Raises `KoBERTEmotionError` where a setting is no number, or one out of range."""
        if self.shards == "DeepSpeed" and find_spec("deepspeed") is None:
            raise KoBERTEmotionError(
                "DeepSpeed가 설치되어 있지 않습니다. k겹 실행에는 쓸 수 없으니 데이터 병렬(accelerate launch "
                "--multi_gpu)을 쓰세요.",
                "DeepSpeed is not installed. A k-fold run has no use for it: take data-parallel processes (accelerate "
                "launch --multi_gpu).",
            )
        check_count("max_length", self.max_length, 3)  # [CLS] and [SEP] are counted
        check_count("per_device_train_batch_size", self.per_device_train_batch_size)
        check_count("per_device_eval_batch_size", self.per_device_eval_batch_size)
        check_count("seed", self.seed, 0, 2**32)
        check_number("dropout", self.dropout, 0, 1)
        gammas = list(self.focal_gamma.values()) if isinstance(self.focal_gamma, Mapping) else self.focal_gamma
        for gamma in gammas if isinstance(gammas, list | tuple) else [gammas]:
            check_number("focal_gamma", gamma)
        check_count("lora", self.lora, 0)
        check_number("lora_dropout", self.lora_dropout, 0, 1)
        if self.lora_alpha is not None:
            check_number("lora_alpha", self.lora_alpha, above=True)
        check_number("checkpoint_seconds", self.checkpoint_seconds)
        for name in ("learning_rate", "warmup_steps", "weight_decay", "adam_epsilon"):
            check_number(name, getattr(self, name))
        check_number("max_grad_norm", self.max_grad_norm or 0.0)  # below 0, or not a number, nothing would be clipped
        for name in ("adam_beta1", "adam_beta2"):
            check_number(name, getattr(self, name), 0, 1)
        check_number("layer_decay", self.layer_decay, 0, math.nextafter(1, 2), above=True)
        check_count("early_stopping_patience", self.early_stopping_patience, 0)
        check_number("choosing_share", self.choosing_share, 0, math.nextafter(0.5, 1), above=True)
        if not self.max_steps > 0:
            check_number("num_train_epochs", self.num_train_epochs, 0, above=True)
        _check_sampling(self.train_sampling_strategy)
        self._check_used()

    def _check_used(self) -> None:
        """Raises `KoBERTEmotionError` where a setting was changed that does nothing without another one."""
        groups = (
            ("lora", 8, bool(self.lora), ("lora_alpha", "lora_dropout", "lora_target")),
            ("best_epoch", True, self.chooses_epoch, ("choosing_share",)),
        )
        usual = {setting.name: setting.default for setting in fields(self)}
        for needed, value, is_there, others in groups:
            idle = [f"`{name}`" for name in others if getattr(self, name) != usual[name]]
            if idle and not is_there:
                raise KoBERTEmotionError(
                    f"{', '.join(idle)}은(는) `{needed}` 없이는 아무 일도 하지 않습니다. `{needed}`를 주거나 빼세요.",
                    f"{', '.join(idle)} would do nothing without `{needed}`: give that as well, or leave it out.",
                    mend={needed: value},
                )

    def balance_for(self, labels: list[str], counts: Counts | None = None, rows: int = 0) -> float | list[float] | None:
        """Returns alpha of several labels a row: the balance of yes and no, None for none.

        Args:
            labels: Label names in the order of their ids.
            counts: Training rows that have each label, shape (labels,), for "balanced" and "effective".
            rows: All training rows.

        Raises:
            KoBERTEmotionError: Alpha does not fit the labels, or needs `counts` and there are none.
        """
        parsed = parse_alpha(self.focal_alpha)
        if isinstance(parsed, ClassWeighting):
            if counts is None:
                raise _needs_rows(self.focal_alpha)
            return parsed.balance(counts, rows)
        if not isinstance(parsed, Mapping | list | tuple) and parsed == NO_BALANCE:
            return None
        return _one_each("alpha", resolve_balance(parsed, labels), labels)

    def gamma_for(self, labels: list[str]) -> float | list[float]:
        """Returns gamma of several labels a row as a number or as one for each of `labels`.

        Raises:
            KoBERTEmotionError: Gamma does not fit the labels.
        """
        gamma: Any = self.focal_gamma
        if isinstance(gamma, Mapping):
            resolve_alpha(gamma, labels)  # says which name is none of the labels
            named = {fold_name(name): value for name, value in gamma.items()}
            gamma = [named.get(fold_name(name), DEFAULT_GAMMA) for name in labels]
        found = resolve_gamma(gamma)
        _one_each("gamma", found, labels)
        return found

    def alpha_for(self, labels: list[str], counts: Counts | None = None) -> float | list[float]:
        """Returns alpha as a number or as one weight for each of `labels`.

        Args:
            labels: Label names in the order of their ids.
            counts: Training rows of each label, shape (labels,), for "balanced" and "effective".

        Raises:
            KoBERTEmotionError: Alpha does not fit the labels, or needs `counts` and there are none.
        """
        parsed = parse_alpha(self.focal_alpha)
        if isinstance(parsed, ClassWeighting):
            if counts is None:
                raise _needs_rows(self.focal_alpha)
            return parsed.weights(counts)
        alpha = resolve_alpha(parsed, labels)
        _one_each("alpha", alpha, labels)
        return alpha


def _check_sampling(strategy: str) -> None:
    """Raises `KoBERTEmotionError` for a name that transformers does not know, with which it draws at random."""
    if strategy not in SAMPLING_STRATEGIES:
        raise KoBERTEmotionError(
            f"train_sampling_strategy는 {', '.join(SAMPLING_STRATEGIES)} 중 하나여야 하는데 {strategy!r}입니다.",
            f"Expected one of {', '.join(SAMPLING_STRATEGIES)} as train_sampling_strategy, found {strategy!r}.",
            mend={"other_arguments": None},
        )


def _needs_rows(alpha: str) -> KoBERTEmotionError:
    return KoBERTEmotionError(
        f"alpha {alpha!r}는 학습 행의 라벨 수로 계산합니다. 학습 데이터를 주세요.",
        f"alpha {alpha!r} is computed from the labels of the training rows: give training rows.",
    )


def _one_each(name: str, values: float | list[float] | None, labels: list[str]) -> float | list[float] | None:
    """Returns a number or a list of as many as there are labels.

    Raises:
        KoBERTEmotionError: There are more or fewer.
    """
    if isinstance(values, list) and len(values) != len(labels):
        raise KoBERTEmotionError(
            f"{name}의 수({len(values)}개)가 라벨 수({len(labels)}개: {labels})와 다릅니다.",
            f"{name} has {len(values)} weights, expected one for each of {len(labels)} labels: {labels}.",
        )
    return values


def check_loss_is_ours(args: EmotionTrainingArguments, options: Mapping[str, Any]) -> None:
    """Raises `KoBERTEmotionError` where something is asked for that this trainer would leave out without a word."""
    whole_checkpoints = (HubStrategy.CHECKPOINT, HubStrategy.ALL_CHECKPOINTS)  # with optimizer and pickled arguments
    refused = {
        f"hub_strategy={HubStrategy(args.hub_strategy).value!r}": args.push_to_hub
        and args.hub_strategy in whole_checkpoints,
        "label_smoothing_factor": bool(args.label_smoothing_factor),
        "eval_do_concat_batches=False": not args.eval_do_concat_batches,
        "batch_eval_metrics": args.batch_eval_metrics and options.get("compute_metrics") is None,
        "compute_loss_func": options.get("compute_loss_func") is not None,
        "preprocess_logits_for_metrics": options.get("preprocess_logits_for_metrics") is not None,
    }
    if found := [name for name, is_asked_for in refused.items() if is_asked_for]:
        raise KoBERTEmotionError(
            f"EmotionTrainer는 초점 손실로 학습하고 모든 행의 로짓으로 평가하므로 다음을 쓸 수 없습니다: "
            f"{', '.join(found)}. 빼거나, 다른 손실이라면 transformers.Trainer를 쓰세요.",
            f"EmotionTrainer trains with the focal loss and evaluates on the logits of all rows, and has no use for "
            f"{', '.join(found)}. Leave it out or, for another loss, take transformers.Trainer.",
        )
