"""What a run is to do: the same for all of its folds, and in all of its processes."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import datasets
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from ..data.label_ids import Truth, class_names, label_ids
from ..data.levels import Hierarchy, hierarchy_of
from ..inference.adapters import add_adapters
from ..inference.classifier import ADAPTED, encoder_sha256, start_model
from ..splits.split import Split
from ..tasks.choice import task_for
from ..tasks.task import Task
from ..tokenization.encoding import encode_dataset
from ..tokenization.loading import load_tokenizer
from ..tokenization.pieces import WordSplit
from ..tokenization.vocabulary import vocabulary_sha256
from ..training.arguments import EmotionTrainingArguments
from .layout import IN_PROGRESS, fold_folder


@dataclass(frozen=True)
class Plan:
    """What all folds of a run have in common."""

    run: Path
    """The folder of the run."""
    model: str
    dataset: datasets.Dataset
    """Rows with `text` and `label`, a `ClassLabel`, a list of them, or votes for each."""
    args: EmotionTrainingArguments
    word_split: WordSplit | None
    legacy_export: bool
    allow_empty: bool = False
    """Whether a text may get no label, where rows have several."""
    context: int = 0
    """How many turns before a line its second text has, at most; 0 where second texts are something else."""

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return class_names(self.dataset) or []

    @property
    def task(self) -> Task:
        """How logits become answers."""
        return task_for(self.dataset, self.allow_empty, self.hierarchy)

    @cached_property
    def hierarchy(self) -> Hierarchy | None:
        """Which coarse label each label stands under, where there are two levels."""
        return hierarchy_of(self.dataset)

    @cached_property
    def truth(self) -> Truth:
        """The labels of each row."""
        return label_ids(self.dataset, self.labels)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""
        settings = {} if self.word_split is None else {"word_split": self.word_split}
        return load_tokenizer(self.model, model_max_length=self.args.max_length, **settings)

    def start_model(self) -> PreTrainedModel:
        """Returns the model that every fold starts from, with adapters on it where these are to be trained."""
        set_seed(self.args.seed)
        model = start_model(self.model, self.labels, self.args.dropout, self.tokenizer, self.task, self.context)
        if self.args.adapters is not None:
            setattr(model.config, ADAPTED, encoder_sha256(model))
            add_adapters(model, self.args.adapters, self.model)
        return model

    def encoded(self) -> datasets.Dataset:
        """Returns the token ids of all rows."""
        return encode_dataset(self.dataset, self.tokenizer, self.args.max_length, self.labels, self.context > 0)

    def checkpoints(self, fold: int) -> Path:
        """Returns where the checkpoints of a fold are while it is not finished."""
        return fold_folder(self.run / IN_PROGRESS, fold)

    def fold_args(self, fold: int) -> EmotionTrainingArguments:
        """Returns the training arguments of a fold: evaluated every epoch, saved at its end."""
        args = copy.copy(self.args)
        args.output_dir = os.fspath(self.checkpoints(fold))
        args.eval_strategy, args.save_strategy = IntervalStrategy.EPOCH, SaveStrategy.NO
        args.disable_tqdm = True  # one bar for the run stands for those of the folds
        return args

    def describe(self, split: Split) -> dict[str, Any]:
        """Returns what `run.json` says of the plan and of the folds that the rows were divided into."""
        return {
            "model": self.model,
            "labels": self.labels,
            "word_split": getattr(self.tokenizer, "word_split", None),  # of KoBERT's tokenizer alone
            "tokenizer_sha256": vocabulary_sha256(self.tokenizer),
            "n_splits": len(split.folds),
            "legacy_export": self.legacy_export,
            "processes": self.args.world_size,
            "training_arguments": self.args.to_dict(),  # type: ignore[no-untyped-call]
            **split.describe(),
            **({"context": self.context} if self.context else {}),
            **({} if self.task.name == "single-label" else {"task": self.task.name}),
            **({"allow_empty": self.allow_empty} if self.task.name == "multi-label" else {}),
            **({} if self.hierarchy is None else {"hierarchy": self.hierarchy.to_dict(self.labels)}),
        }
