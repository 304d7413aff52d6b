"""The folds of a run as one classifier: an ensemble of them, or the mean of their weights."""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

from ..errors import CheckpointError
from ..inference.classifier import load_classifier, save_classifier
from ..inference.ensemble import EmotionEnsemble
from ..inference.soup import LOADING, MODELS, average_weights
from ..utils.files import atomic_directory, check_free
from ..utils.progress import each
from .layout import fold_folders

Method: TypeAlias = Literal["probabilities", "weights"]


def combine_folds(
    run: str | os.PathLike[str], output: str | os.PathLike[str], method: Method = "probabilities"
) -> None:
    """Writes the folds of a run as one classifier.

    There is no honest out-of-fold figure for either: every row was trained on by all folds but one. A test file
    tells what they are worth (`kobert-emotion test`).

    Args:
        run: The folder of a run.
        output: The folder to write; it must not exist, or be empty.
        method: "probabilities" keeps every fold's weights and averages what they predict (`EmotionEnsemble`);
            "weights" averages the weights to a single model, which loads wherever a fold does.

    Raises:
        CheckpointError: There are no folds at `run`.
        RunError: `output` is in use.
    """
    check_free(output)
    paths = fold_folders(run)
    if not paths:
        raise CheckpointError(
            f"겹이 없습니다: {run} — fold_1, fold_2, …가 있는 실행 폴더가 필요합니다.",
            f"There are no folds at {run}: expected a run's folder with fold_1, fold_2, ….",
        )
    if method == "weights":
        soup = average_weights(paths)
        with atomic_directory(output) as folder:
            save_classifier(soup.model, soup.tokenizer, folder)
    else:
        members = EmotionEnsemble([load_classifier(path) for path in each(paths, LOADING, MODELS)])
        members.save_pretrained(output, [path.name for path in paths])
