"""What lies where in the folder of a run: the names of its files, its folds, and the best of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..assets import DEFAULT_MODEL_NAME
from ..errors import CheckpointError, RunError, Setting
from ..hub.repo_id import is_only_on_hub
from ..inference.ensemble import is_ensemble
from ..utils.argument_checks import check_path

RUN_FILE, AUDIT_FILE, PREDICTIONS_FILE = "run.json", "audit.json", "oof_predictions.csv"
REPORT_FILE, REPORT_JSON_FILE, HTML_FILE = "report.txt", "report.json", "report.html"
TEST_FILES = "test*.json"
"""What `kobert-emotion test --output` wrote, where that is in the run."""
CURVES_FILE, CONFUSION_FILE, CALIBRATION_FILE = PICTURES = ("curves.png", "confusion_matrix.png", "calibration.png")
FOLD_FILE, LOGITS_FILE = "fold.json", "validation_logits.npy"
"""Files in the folder of a fold, beside the history."""
IN_PROGRESS, BEST = "in_progress", "best"
"""Folders: what is not finished, and a link to the best fold."""
_FOLD = re.compile("fold_[1-9][0-9]*")


def fold_folder(run: Path, number: int) -> Path:
    """Returns the folder of a fold, 1 for the first."""
    return run / f"fold_{number}"


def fold_folders(run: str | os.PathLike[str]) -> list[Path]:
    """Returns the folders `fold_1`, `fold_2`, … of a run in the order of their numbers, and nothing of another name."""
    folds = {path: _FOLD.fullmatch(path.name) for path in Path(run).glob("fold_*") if path.is_dir()}
    return sorted((path for path in folds if folds[path]), key=lambda path: int(path.name.removeprefix("fold_")))


def find_checkpoints(path: str | os.PathLike[str]) -> list[Path]:
    """Returns the fold folders of a run, or `path` itself where it is a single checkpoint, "default" or a Hub id.

    Raises:
        CheckpointError: `path` does not exist, or is a folder with neither folds nor a model.
    """
    check_path("run", path)
    folder = Path(path)
    if folder.is_file():
        return [folder]
    if is_ensemble(folder):
        return [folder]
    if folds := fold_folders(folder):
        return folds
    if (folder / "config.json").is_file() or folder == Path(DEFAULT_MODEL_NAME) or is_only_on_hub(folder):
        return [folder]
    raise CheckpointError(
        f"체크포인트를 찾을 수 없습니다: {path} — 실행 폴더(fold_1, fold_2, …), config.json이 있는 폴더, "
        "또는 .pt/.tar 파일이 필요합니다.",
        f"No checkpoint at {path}: expected a run folder (fold_1, fold_2, …), a folder with config.json, or a "
        ".pt or .tar file.",
    )


def best_fold(run: str | os.PathLike[str]) -> Path | None:
    """Returns the fold a finished run chose on its validation rows, None where `run` is no such folder."""
    record = read_record(run)
    best = None if record is None else record.get("best")
    return None if best is None else Path(run) / best


def read_record(run: str | os.PathLike[str], mend: Mapping[str, Setting] | None = None) -> dict[str, Any] | None:
    """Returns the content of `run.json`, None where there is none.

    Args:
        run: The folder of a run.
        mend: Arguments that lead out of the error; see `KoBERTEmotionError`.

    Raises:
        RunError: The file is damaged.
    """
    path = Path(run) / RUN_FILE
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error), mend) from error
    if not isinstance(record, dict):
        raise _damaged(path, f"expected an object, found {type(record).__name__}", mend)
    if not isinstance(record.get("best"), str | None):
        raise _damaged(path, f"expected the name of a fold as 'best', found {record['best']!r}", mend)
    return record


def _damaged(record: Path, why: str, mend: Mapping[str, Setting] | None) -> RunError:
    return RunError(
        f"실행의 기록이 손상되었습니다: {record} — 백업이 있으면 되돌리고, 없으면 겹의 폴더(fold_1, …)를 모델로 "
        "쓰거나 새 폴더에 다시 학습하세요.",
        f"The record of the run is damaged: {record} ({why}). Put a copy of it back or, without one, use a fold's "
        "folder (fold_1, …) as a model, or train again in a new folder.",
        mend=mend,
    )
