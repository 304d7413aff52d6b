"""The notebook's second program: every checkpoint on one test file, and which is the best."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import datasets
import torch
from transformers import PreTrainedTokenizerBase

from ..data.column_names import CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import Truth, is_labelled, label_ids
from ..errors import DataError, KoBERTEmotionError
from ..inference.ensemble import Predictor
from ..inference.loading import load_checkpoint
from ..metrics.probabilities import Logits
from ..metrics.scores import Scores
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..modeling.criterion import criterion_of
from ..tasks.choice import check_task
from ..tokenization.long_texts import LongTexts
from ..utils.argument_checks import check_count, check_path
from ..wording import Wording

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckpointScores:
    """One checkpoint on the test rows."""

    path: Path
    loss: float
    """Mean focal loss with the settings of the checkpoint, as in training: of logits undivided by a temperature."""
    scores: Scores
    logits: Logits
    """Shape (rows, classes), in the order of the test rows; see `LogitsModel.predict_logits`."""


def evaluate_checkpoints(
    paths: Iterable[str | os.PathLike[str]],
    dataset: datasets.Dataset,
    batch_size: int = DEFAULT_BATCH_SIZE,
    tokenizer: PreTrainedTokenizerBase | str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
) -> list[CheckpointScores]:
    """Evaluates checkpoints on test rows, one after the other.

    Args:
        paths: Folders written by `save_pretrained`, an ensemble's among them, or files in one of the notebook's
            three formats.
        dataset: Rows with `text` and `label`, which is matched with the checkpoint's by name; see
            `data.label_ids.label_ids`.
        batch_size: Rows a forward pass.
        tokenizer: For the notebook's files, which hold none; see `load_checkpoint`.
        num_attention_heads: For the notebook's files that do not tell it.

    Returns:
        A result for each path, in their order. The best by test accuracy, as the notebook chooses it, is
        `max(results, key=lambda result: result.scores.accuracy)`; that choice makes the figure optimistic.

    Raises:
        CheckpointError: A path is no checkpoint.
        DataError: The test rows' labels are not those of a checkpoint.
        TokenizerError: The tokenizer fits neither the checkpoint nor the data.
    """
    if isinstance(paths, str | os.PathLike):
        raise KoBERTEmotionError(
            f"`paths`에는 경로의 목록이 필요합니다. 대괄호로 감싸세요: [{os.fspath(paths)!r}]",
            f"Expected a list of paths as `paths`, found one. Put it in brackets: [{os.fspath(paths)!r}].",
        )
    check_dataset(dataset, (TEXT_COLUMN, "label"))
    check_count("batch_size", batch_size)
    listed = list(paths)
    if not listed:
        raise KoBERTEmotionError(
            "`paths`에 체크포인트가 하나도 없습니다. 하나 이상 넣으세요.",
            "`paths` names no checkpoint; expected one or more.",
        )
    for path in listed:
        check_path("paths", path)
    found = []
    for path in listed:
        predictor = load_checkpoint(path, tokenizer, num_attention_heads)
        check_turns(predictor, dataset)
        found.append(evaluate_predictor(predictor, Path(path), dataset, batch_size))
    return found


def evaluate_predictor(
    predictor: Predictor,
    path: Path,
    dataset: datasets.Dataset,
    batch_size: int = DEFAULT_BATCH_SIZE,
    long: LongTexts | None = None,
) -> CheckpointScores:
    """Evaluates a classifier or an ensemble on test rows; see `evaluate_checkpoints`.

    Args:
        predictor: It is moved to the GPU where there is one.
        path: Where it came from.
        dataset: Rows with `text` and `label`.
        batch_size: Rows a forward pass.
        long: How texts longer than the model reads are answered; None cuts them.
    """
    check_task(predictor.config, dataset)
    labels = label_ids(dataset, predictor.labels)
    texts = list(dataset[TEXT_COLUMN][:])
    pairs = list(dataset[TEXT_PAIR_COLUMN][:]) if TEXT_PAIR_COLUMN in dataset.column_names else None
    predictor.to_accelerator()
    logits = predictor.predict_logits(texts, pairs, batch_size, long=long)
    loss = mean_focal_loss(predictor, logits, labels)
    counted = is_labelled(labels)
    return CheckpointScores(path, loss, predictor.task.score(logits[counted], labels[counted]), logits)


def check_turns(predictor: Predictor, dataset: datasets.Dataset) -> None:
    """Says where a model that was trained with turns before a line gets none; refuses them for one that was not.

    Raises:
        DataError: Rows have turns before them, and the model was trained without.
    """
    columns = set(dataset.column_names)
    if predictor.context_turns and TEXT_PAIR_COLUMN not in columns:
        logger.warning(
            Wording(
                f"모델은 앞말 {predictor.context_turns}마디까지로 학습했는데 데이터에 앞말이 없어, 모두 앞말 없는 줄로 "
                "답합니다.",
                f"the model was trained with up to {predictor.context_turns} turn(s) before a line, and the rows have "
                "none: all are answered as lines without turns before them",
            )
        )
    if not predictor.context_turns and {TEXT_PAIR_COLUMN, CONVERSATION_COLUMN} <= columns:
        raise DataError(
            "이 모델은 앞말(`context`) 없이 학습했는데 데이터에는 앞말이 있습니다. `context` 없이 읽으세요.",
            "This model was trained without the turns before a line, and the rows have some: load them without "
            "`context`.",
            mend={"context": None},
        )


def mean_focal_loss(predictor: Predictor, logits: Logits, labels: Truth) -> float:
    """Returns the mean focal loss of the predictor's logits, brought back to what they were in training."""
    trained = torch.from_numpy(predictor.as_trained(logits))
    return float(criterion_of(predictor.config)(trained, torch.from_numpy(labels)).item())
