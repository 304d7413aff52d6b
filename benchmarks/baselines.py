"""What users would run instead, written out as plainly as they would write it.

`NotebookLoop` does what the seed notebook's training cell does, `hf_trainer_fold` what Hugging Face's own
examples do, `text_pipeline` is transformers' pipeline, `fast_tokenizer` the `tokenizers` library.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertModel,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    get_cosine_schedule_with_warmup,
    pipeline,
)

from kobert_hf_emotion.modeling.losses import FocalLoss


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters that all ways of training share; the notebook's but for the learning rate."""

    epochs: int
    batch_size: int = 64
    max_length: int = 64
    learning_rate: float = 2e-4  # random weights would hardly move with the notebook's 5e-5
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.5
    max_grad_norm: float = 1.0
    seed: int = 42
    device: str = "cpu"
    bf16: bool = False


@dataclass(frozen=True)
class Shard:
    """Texts and class ids."""

    texts: Sequence[str]
    labels: Sequence[int]


class NotebookClassifier(nn.Module):
    """The notebook's classifier, with its loop over the rows of a batch for the attention mask."""

    def __init__(self, bert: BertModel, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(bert.config.hidden_size, num_classes)
        bert._init_weights(self.classifier)  # as BERT's own heads start, so that loss curves can be compared

    def forward(self, token_ids: Tensor, valid_length: Tensor, segment_ids: Tensor) -> Tensor:
        """Returns logits, shape (batch, classes), of ids and segments of shape (batch, 64)."""
        attention_mask = torch.zeros_like(token_ids)
        for row, length in enumerate(valid_length):
            attention_mask[row][:length] = 1
        pooled = self.bert(token_ids, attention_mask=attention_mask.float(), token_type_ids=segment_ids)[1]
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


class NotebookLoop:
    """The notebook's training of one fold, in float32: every row padded to `max_length`, in random order."""

    def __init__(self, model_folder: Path, tokenizer: PreTrainedTokenizerBase, classes: int, settings: Settings):
        torch.manual_seed(settings.seed)
        self.settings, self.tokenizer = settings, tokenizer
        self.device = torch.device(settings.device)
        bert = BertModel.from_pretrained(model_folder)
        self.model = NotebookClassifier(bert, classes, settings.dropout).to(self.device)
        self.loss_fn = FocalLoss()

    def _batches(self, shard: Shard, order: Tensor) -> Any:
        size = self.settings.batch_size
        for start in range(0, len(order), size):
            chosen = order[start : start + size].tolist()
            encoded = self.tokenizer(
                [shard.texts[i] for i in chosen],
                padding="max_length",
                truncation=True,
                max_length=self.settings.max_length,
                return_tensors="pt",
            )
            labels = torch.tensor([shard.labels[i] for i in chosen])
            lengths = encoded["attention_mask"].sum(1)
            yield tuple(
                part.to(self.device) for part in (encoded["input_ids"], lengths, encoded["token_type_ids"], labels)
            )

    def fit(self, train: Shard, validation: Shard, folder: Path) -> list[tuple[float, float]]:
        """Trains, validates after each epoch and saves the notebook's three files.

        Returns:
            Training and validation loss of each epoch.
        """
        self.start(len(train.texts))
        curve = [(self.train_epoch(train), self.evaluate(validation)) for _ in range(self.settings.epochs)]
        state = self.model.state_dict()
        torch.save(self.model, folder / "model.pt")
        torch.save(state, folder / "model_state_dict.pt")
        torch.save({"model": state, "optimizer": self.optimizer.state_dict()}, folder / "all.tar")
        return curve

    def start(self, rows: int) -> None:
        """Makes optimizer and schedule for a training on so many rows."""
        settings = self.settings
        plain = ("bias", "LayerNorm.weight")
        parameters = list(self.model.named_parameters())
        groups = [
            {
                "params": [p for name, p in parameters if not name.endswith(plain)],
                "weight_decay": settings.weight_decay,
            },
            {"params": [p for name, p in parameters if name.endswith(plain)], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
        steps = -(-rows // settings.batch_size) * settings.epochs
        self.scheduler = get_cosine_schedule_with_warmup(self.optimizer, int(steps * settings.warmup_ratio), steps)

    def train_epoch(self, train: Shard) -> float:
        """Returns the mean training loss of an epoch."""
        model = self.model.train()
        train_loss, train_accuracy = 0.0, 0.0
        for token_ids, valid_length, segment_ids, label in self._batches(train, torch.randperm(len(train.texts))):
            self.optimizer.zero_grad()
            logits = model(token_ids, valid_length, segment_ids)
            loss = self.loss_fn(logits, label)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), self.settings.max_grad_norm)
            self.optimizer.step()
            self.scheduler.step()
            train_loss += loss.item() * len(label)
            train_accuracy += (logits.argmax(1) == label).float().mean().item()
        return train_loss / len(train.texts)

    @torch.no_grad()
    def evaluate(self, shard: Shard) -> float:
        """Returns the mean loss over a shard."""
        self.model.eval()
        total, correct = 0.0, 0.0
        for token_ids, valid_length, segment_ids, label in self._batches(shard, torch.arange(len(shard.texts))):
            logits = self.model(token_ids, valid_length, segment_ids)
            total += self.loss_fn(logits, label).item() * len(label)
            correct += (logits.argmax(1) == label).float().mean().item()
        return total / len(shard.texts)


def hf_trainer_fold(
    model_folder: Path, train: Shard, validation: Shard, folder: Path, settings: Settings
) -> list[tuple[float, float]]:
    """Trains one fold with Hugging Face's Trainer and saves it.

    Returns:
        Training and validation loss of each epoch.
    """
    trainer = hf_trainer(model_folder, train, validation, folder, settings)
    trainer.train()
    trainer.save_model(os.fspath(folder))
    log = trainer.state.log_history
    train_losses = [line["loss"] for line in log if "loss" in line]
    return list(zip(train_losses, [line["eval_loss"] for line in log if "eval_loss" in line], strict=True))


def hf_trainer(model_folder: Path, train: Shard, validation: Shard | None, folder: Path, settings: Settings) -> Trainer:
    """Returns Hugging Face's Trainer: random batches, each padded to its longest row.

    Args:
        model_folder: The model to start from.
        train: Rows to train on.
        validation: Rows to validate after each epoch, if any.
        folder: For the Trainer's own files.
        settings: The hyper-parameters.
    """
    model = AutoModelForSequenceClassification.from_pretrained(model_folder)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    loss_fn = FocalLoss()

    def encode(shard: Shard) -> datasets.Dataset:
        rows = datasets.Dataset.from_dict({"text": list(shard.texts), "label": list(shard.labels)})
        return rows.map(
            lambda batch: tokenizer(batch["text"], truncation=True, max_length=settings.max_length),
            batched=True,
            remove_columns=["text"],
        )

    args = TrainingArguments(
        output_dir=os.fspath(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup_ratio,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        eval_strategy="no" if validation is None else "epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=settings.device == "cpu",
        dataloader_pin_memory=settings.device != "cpu",
        bf16=settings.bf16,
    )
    trainer = Trainer(
        model,
        args,
        data_collator=DataCollatorWithPadding(tokenizer),
        train_dataset=encode(train),
        eval_dataset=None if validation is None else encode(validation),
        compute_loss_func=lambda outputs, labels, num_items_in_batch=None: loss_fn(outputs.logits, labels),  # noqa: ARG005
    )
    trainer.remove_callback(PrinterCallback)  # a line for every evaluation would stand between the tables
    return trainer


def text_pipeline(model_folder: Path, device: str, bf16: bool) -> Any:
    """Returns `pipeline("text-classification")` over a saved folder, which gives logits for every label."""
    return pipeline(
        "text-classification",
        model=os.fspath(model_folder),
        device=device,
        dtype=torch.bfloat16 if bf16 else torch.float32,
        function_to_apply="none",
        top_k=None,
    )


def fast_tokenizer(model_folder: Path) -> PreTrainedTokenizerFast:
    """Returns the same vocabulary on the `tokenizers` library's Unigram model."""
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(model_folder)
    return tokenizer
