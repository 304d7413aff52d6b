"""Training a finished classifier on, on new rows: its own head, and if wanted its optimizer's state."""

from __future__ import annotations

import copy
import logging
import os
from pathlib import Path

import datasets
import numpy as np
import torch
from transformers import PreTrainedConfig, PrinterCallback, ProgressCallback, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from ..configuration import is_multi_label
from ..data.column_names import TEXT_COLUMN, WEIGHT_COLUMN
from ..data.input_checks import check_dataset
from ..errors import CheckpointError, KoBERTEmotionError
from ..hub.upload import HISTORY_FILE
from ..inference.classifier import load_classifier, save_classifier
from ..legacy import OPTIMIZER_FILE, load_optimizer_file
from ..tokenization.guard import check_tokenization
from ..utils.argument_checks import check_number, check_path, check_type
from ..utils.files import atomic_directory, check_free
from ..wording import Wording
from .arguments import EmotionTrainingArguments
from .history import EpochRecord, write_history
from .progress import RunProgress
from .rows import RowEncoder
from .trainer import EmotionTrainer

logger = logging.getLogger(__name__)


def continue_training(
    checkpoint: str | os.PathLike[str],
    dataset: datasets.Dataset,
    output_dir: str | os.PathLike[str],
    args: EmotionTrainingArguments | None = None,
    validation: datasets.Dataset | None = None,
    resume_optimizer: bool = False,
    *,
    old_rows: datasets.Dataset | None = None,
    old_weight: float = 1.0,
) -> list[EpochRecord]:
    """Trains a classifier on, without folds, and saves it with the state of its optimizer.

    Args:
        checkpoint: A folder written by `save_pretrained` or `kobert-emotion convert`.
        dataset: Rows with `text` and `label`; labels are matched by name.
        output_dir: Folder to write, complete or not at all; it must not exist, or be empty.
        args: Training arguments. The learning rate and its schedule are theirs, also for a resumed optimizer;
            `max_length` too; `dropout` is the checkpoint's.
        validation: Rows to evaluate on after each epoch.
        resume_optimizer: Carries on the moments and step counts in the checkpoint's `optimizer.pt`.
        old_rows: Rows that the checkpoint was trained on, or of their kind, which are trained on beside the new ones,
            so that less of them is forgotten (rehearsal; Robins, 1995).
        old_weight: How many times the loss of an old row counts, that of a new one counting once; above 0.

    Returns:
        A record an epoch; empty without `validation`.

    Raises:
        CheckpointError: There is no model, or no optimizer's state that fits it.
        DataError: A label is none of the checkpoint's.
        RunError: `output_dir` is in use.
        TokenizerError: The tokenizer fits neither model nor data.
    """
    args = EmotionTrainingArguments() if args is None else copy.copy(args)
    check_type("args", args, EmotionTrainingArguments, "EmotionTrainingArguments(num_train_epochs=3)")
    _check_rows(dataset, validation, old_rows)
    if old_rows is not None:
        check_number("old_weight", old_weight, above=True)
    check_path("output_dir", output_dir)
    output = Path(output_dir)
    check_free(output)
    set_seed(args.seed)
    classifier = load_classifier(checkpoint)
    _forget_answers(classifier.model.config)
    state = _optimizer_state(Path(checkpoint)) if resume_optimizer else None
    check_tokenization(classifier.tokenizer, classifier.model.config, dataset[TEXT_COLUMN][:], args.max_length)
    args.output_dir = os.fspath(output)
    args.save_strategy = SaveStrategy.NO
    args.eval_strategy = IntervalStrategy.NO if validation is None else IntervalStrategy.EPOCH
    rows = dataset
    if old_rows is not None:
        encoder = RowEncoder(classifier.tokenizer, classifier.model.config, args.max_length)
        rows = _weighed(encoder, dataset, old_rows, old_weight, args)
    trainer = EmotionTrainer(classifier.model, args, rows, validation, classifier.tokenizer, state)
    _train(trainer)
    assert trainer.optimizer is not None
    if args.should_save:
        with atomic_directory(output) as folder:
            save_classifier(trainer.model, classifier.tokenizer, folder)
            write_history(folder / HISTORY_FILE, trainer.history)
            torch.save(trainer.optimizer.state_dict(), folder / OPTIMIZER_FILE)
    trainer.accelerator.wait_for_everyone()
    return trainer.history


def _train(trainer: EmotionTrainer) -> None:
    """Trains with our own bar in place of those of transformers."""
    for of_transformers in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(of_transformers)
    with RunProgress(1, disable=trainer.args.disable_tqdm or not trainer.args.should_save) as shown:
        trainer.add_callback(shown)
        trainer.train()


def _check_rows(dataset: datasets.Dataset, validation: datasets.Dataset | None, old: datasets.Dataset | None) -> None:
    """Raises `DataError` where one is no data set with texts and labels."""
    for rows, name in ((dataset, "dataset"), (validation, "validation"), (old, "old_rows")):
        if rows is not None or name == "dataset":
            check_dataset(rows, (TEXT_COLUMN, "label"), name)


def _forget_answers(config: PreTrainedConfig) -> None:
    """Takes the temperature and the thresholds away: what they were fitted to changes now."""
    config.softmax_temperature = 1.0
    if is_multi_label(config):
        config.label_thresholds = config.thresholds_from = config.label_calibration = None
        logger.warning(
            Wording(
                "임계값은 모두 0.5가 되고 보정은 없어집니다: 이어서 학습하면 전의 것은 맞지 않습니다.",
                "all thresholds are 0.5 from now on, and nothing is calibrated: what was fitted before does not fit a "
                "model that is trained on",
            )
        )


def _weighed(
    encoder: RowEncoder,
    dataset: datasets.Dataset,
    old_rows: datasets.Dataset,
    old_weight: float,
    args: EmotionTrainingArguments,
) -> datasets.Dataset:
    """Returns the token ids of new and old rows, each with the weight of its loss; `args` are told to leave it there.

    Raises:
        KoBERTEmotionError: There are several processes.
    """
    if args.world_size > 1:
        raise KoBERTEmotionError(
            "`old_rows`는 프로세스 하나에서만 쓸 수 있습니다. accelerate launch 없이 실행하세요.",
            "`old_rows` are for one process: run it without accelerate launch.",
        )
    parts = []
    for rows, name, weight in ((dataset, "dataset", 1.0), (old_rows, "old_rows", old_weight)):
        encoded = encoder.encode(rows, name)
        parts.append(encoded.add_column(WEIGHT_COLUMN, np.full(len(encoded), weight, dtype=np.float32)))
    args.remove_unused_columns = False  # encoded rows have no others
    return datasets.concatenate_datasets(parts)


def _optimizer_state(checkpoint: Path) -> dict[str, object]:
    path = checkpoint / OPTIMIZER_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{checkpoint}에 {OPTIMIZER_FILE}이 없습니다. 옵티마이저 상태는 _all.tar에만 들어 있습니다. "
            "그 파일을 변환하거나 `resume_optimizer` 없이 학습하세요.",
            f"{checkpoint} has no {OPTIMIZER_FILE}: only the notebook's _all.tar holds the optimizer's state. "
            "Convert that file, or train without `resume_optimizer`.",
            mend={"resume_optimizer": False},
        )
    return load_optimizer_file(path)
