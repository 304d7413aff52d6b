"""What a finished fold leaves in its folder, so that a run that was killed later need not do it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..data.label_ids import Truth
from ..hub.upload import HISTORY_FILE
from ..metrics.probabilities import Logits
from ..tasks.task import Task
from ..training.history import read_history, write_history
from ..utils.files import write_json
from .layout import FOLD_FILE, LOGITS_FILE
from .result import FoldResult


def write_fold(folder: Path, fold: FoldResult, logits: Logits, more: Mapping[str, Any]) -> None:
    """Writes a fold's record, history and logits into the folder of its model.

    Args:
        folder: Where to write; not `fold.path` while that is not there yet.
        fold: What the fold gave.
        logits: Of its validation rows, shape (rows, classes), in the order of the data set.
        more: What else `fold.json` says.
    """
    write_history(folder / HISTORY_FILE, fold.history)
    np.save(folder / LOGITS_FILE, logits, allow_pickle=False)
    write_json(
        folder / FOLD_FILE,
        {
            "number": fold.number,
            "train_rows": fold.train_rows,
            "validation_rows": fold.validation_rows,
            "initial_weights_sha256": fold.initial_weights_sha256,
            "scores": fold.scores,
            **more,
        },
    )


def read_fold(path: Path, truth: Truth, task: Task) -> tuple[FoldResult, Logits]:
    """Reads what `write_fold` wrote.

    Args:
        path: The fold's folder.
        truth: Labels of its validation rows.
        task: How logits become answers.

    Returns:
        The fold, and the logits of its validation rows.
    """
    record = json.loads((path / FOLD_FILE).read_text(encoding="utf-8"))
    logits: Logits = np.load(path / LOGITS_FILE, allow_pickle=False)
    fold = FoldResult(
        number=record["number"],
        path=path,
        train_rows=record["train_rows"],
        validation_rows=record["validation_rows"],
        scores=task.score(logits, truth),
        initial_weights_sha256=record["initial_weights_sha256"],
        history=read_history(path / HISTORY_FILE),
    )
    return fold, logits
