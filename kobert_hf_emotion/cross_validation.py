"""Stratified k-fold fine-tuning: every fold from fresh pre-trained weights, and a prediction for every row."""

from __future__ import annotations

import copy
import gc
import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedTokenizerBase, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from .assets import DEFAULT_MODEL_NAME
from .checkpoints import save_classifier, start_model, weights_sha256
from .configuration import EmotionConfig
from .encoding import LABEL_COLUMN, TEXT_COLUMN, encode_dataset
from .errors import RunError
from .files import atomic_directory, check_free
from .legacy import export_legacy_checkpoint
from .reports import Logits, score, write_json
from .results import CrossValidationResult, FoldResult
from .run_files import write_history, write_run
from .splits import fold_indices, split_hash
from .tokenization import WordSplit
from .tokenizer_guard import check_tokenization
from .tokenizer_loading import load_tokenizer, vocabulary_sha256
from .trainer import EmotionTrainer
from .training_args import EmotionTrainingArguments
from .versions import library_versions

logger = logging.getLogger(__name__)


def cross_validate(
    dataset: datasets.Dataset,
    output_dir: str | os.PathLike[str],
    model: str | os.PathLike[str] = DEFAULT_MODEL_NAME,
    args: EmotionTrainingArguments | None = None,
    n_splits: int = 5,
    word_split: WordSplit | None = None,
    group_by: str | None = None,
    legacy_export: bool = False,
    dataset_ids: Sequence[str] = (),
    license_id: str | None = None,
) -> CrossValidationResult:
    """Fine-tunes one classifier a fold and writes the files of a run.

    Every fold starts from the pre-trained encoder anew, with the same new head (the seed is set before it is
    made), and is saved as it is after its last epoch. In several processes (`accelerate launch`) each does
    its share of every batch.

    Args:
        dataset: Rows with `text` and `label` (a `ClassLabel`), as `load_emotion_dataset` gives them.
        output_dir: The folder of the run; it must not exist, or be empty.
        model: "default", a Hub id such as "skt/kobert-base-v1", or a folder; any BERT, ELECTRA or RoBERTa with
            its own tokenizer.
        args: Training arguments; `output_dir`, `eval_strategy` and `save_strategy` in them are not used, for a
            fold is evaluated every epoch and saved at its end.
        n_splits: The number of folds, at least 2.
        word_split: Overrides the setting of KoBERT's tokenizer; see `KoBERTTokenizer`.
        group_by: A column whose equal values stay in one fold.
        legacy_export: Whether to write the notebook's three files for every fold; for BERT only.
        dataset_ids: Hub ids of the data, such as "searle-j/kote", for the metadata of the model cards.
        license_id: Licence of the models, such as "apache-2.0", for the same.

    Returns:
        The folds, the out-of-fold logits and their scores.

    Raises:
        RunError: `output_dir` is in use, or `args` asks for what a run has not.
        SplitError: The labels or groups do not allow as many folds.
        TokenizerError: The tokenizer fits neither model nor data.
        CheckpointError: There is no model at `model`.
    """
    args = EmotionTrainingArguments() if args is None else args
    run = Path(output_dir)
    _check_args(args)
    check_free(run)
    if args.world_size > 1:
        args.distributed_state.wait_for_everyone()  # all have looked before the first one writes
    labels = dataset.features[LABEL_COLUMN].names
    args.alpha_for(labels)
    truth = np.asarray(dataset[LABEL_COLUMN])
    groups = None if group_by is None else dataset[group_by]
    folds = fold_indices(truth, n_splits, args.seed, groups, label_names=labels)
    settings = {} if word_split is None else {"word_split": word_split}
    tokenizer = load_tokenizer(model, model_max_length=args.max_length, **settings)
    config = start_model(model, labels, args.dropout, tokenizer).config  # fails here rather than in the first fold
    if legacy_export and config.model_type != EmotionConfig.model_type:
        raise RunError(
            f"노트북 파일(--legacy-export)은 BERT 모델만 됩니다: {config.model_type}",
            f"The notebook's files (--legacy-export) are those of BERT, and this is {config.model_type}.",
        )
    guard = check_tokenization(tokenizer, config, dataset[TEXT_COLUMN][:], args.max_length)
    plan = _Plan(run, os.fspath(model), labels, args, n_splits, tokenizer, legacy_export)
    record = {
        **plan.describe(),
        "group_by": group_by,
        "datasets": list(dataset_ids),
        "license": license_id,
        "rows": len(dataset),
        "data_sha256": data_sha256(dataset),
        "split_sha256": split_hash(folds),
        "tokenization": asdict(guard),
        "versions": library_versions(),
    }
    if args.should_save:
        write_json(run / "run.json", {**record, "finished": False})
    encoded = encode_dataset(dataset, tokenizer, args.max_length)
    logits = np.zeros((len(dataset), len(labels)), dtype=np.float32)
    results: list[FoldResult] = []
    for number, (train, validation) in enumerate(folds, start=1):
        fold, logits[validation] = plan.run_fold(number, encoded.select(train), encoded.select(validation))
        results.append(fold)
        gc.collect()
    result = CrossValidationResult(run, labels, results, score(logits, truth), logits, record["split_sha256"])
    if args.should_save:
        write_run(result, dataset, truth, folds, record)
        write_json(run / "run.json", {**record, "finished": True, "best": result.best.path.name, "folds": results})
    return result


def data_sha256(dataset: datasets.Dataset) -> str:
    """Returns a SHA-256 over the texts and labels of a data set, in their order."""
    digest = hashlib.sha256()
    for text, label in zip(dataset[TEXT_COLUMN], dataset[LABEL_COLUMN], strict=True):
        digest.update(f"{label}\t{text}\n".encode())
    return digest.hexdigest()


def _check_args(args: EmotionTrainingArguments) -> None:
    if args.load_best_model_at_end or args.resume_from_checkpoint:
        raise RunError(
            "k겹 실행은 에폭별 체크포인트를 남기지 않으므로 load_best_model_at_end와 "
            "resume_from_checkpoint를 쓸 수 없습니다.",
            "A k-fold run keeps no checkpoints between epochs: leave load_best_model_at_end and "
            "resume_from_checkpoint out.",
        )


@dataclass(frozen=True)
class _Plan:
    """What all folds of a run have in common."""

    run: Path
    model: str
    labels: list[str]
    args: EmotionTrainingArguments
    n_splits: int
    tokenizer: PreTrainedTokenizerBase
    legacy_export: bool

    def describe(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "labels": self.labels,
            "word_split": getattr(self.tokenizer, "word_split", None),  # of KoBERT's tokenizer alone
            "tokenizer_sha256": vocabulary_sha256(self.tokenizer),
            "n_splits": self.n_splits,
            "legacy_export": self.legacy_export,
            "processes": self.args.world_size,
            "training_arguments": self.args.to_dict(),  # type: ignore[no-untyped-call]
        }

    def run_fold(self, number: int, train: datasets.Dataset, validation: datasets.Dataset) -> tuple[FoldResult, Logits]:
        path = self.run / f"fold_{number}"
        set_seed(self.args.seed)
        model = start_model(self.model, self.labels, self.args.dropout, self.tokenizer)
        initial = weights_sha256(model)
        trainer = EmotionTrainer(model, self._fold_args(path), train, validation, self.tokenizer)
        trainer.train()
        output = trainer.predict(validation)
        logits, truth = np.asarray(output.predictions), np.asarray(output.label_ids)
        scores = score(logits, truth)
        logger.info("fold %d/%d: accuracy %.4f, macro F1 %.4f", number, self.n_splits, scores.accuracy, scores.macro_f1)
        if self.args.should_save:
            self._save(trainer, path, number)
        trainer.accelerator.wait_for_everyone()  # until the main process has saved
        result = FoldResult(number, path, len(train), len(validation), scores, initial, trainer.history)
        trainer.accelerator.free_memory()
        return result, logits

    def _fold_args(self, path: Path) -> EmotionTrainingArguments:
        args = copy.copy(self.args)
        args.output_dir = os.fspath(path)
        args.eval_strategy, args.save_strategy = IntervalStrategy.EPOCH, SaveStrategy.NO
        return args

    def _save(self, trainer: EmotionTrainer, path: Path, number: int) -> None:
        with atomic_directory(path) as folder:
            save_classifier(trainer.model, self.tokenizer, folder)
            write_history(folder / "history.csv", trainer.history)
            if self.legacy_export:
                epochs, batch = self.args.num_train_epochs, self.args.train_batch_size
                stem = f"Focal_KoBERT_e{epochs:g}_b{batch}_fold_{number}"
                export_legacy_checkpoint(trainer.model, folder / stem, trainer.optimizer)
