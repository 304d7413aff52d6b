"""Pushing a run, a fold or a model to the Hugging Face Hub: one commit, or nothing."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from huggingface_hub import CommitInfo, CommitOperationAdd, HfApi

from ..errors import HubError, RunError, Setting
from ..hub.adapters import refuse_adapter
from ..hub.cards import CARD_FILE, with_repo_id
from ..hub.errors import FAILED_CALLS, hub_error, is_broken_connection
from ..hub.upload import files_of_model
from ..utils.argument_checks import check_path
from ..wording import Wording
from .layout import PICTURES, REPORT_FILE, REPORT_JSON_FILE, RUN_FILE, best_fold, find_checkpoints

logger = logging.getLogger(__name__)

PUSHED_FILES = (CARD_FILE, RUN_FILE, REPORT_JSON_FILE, REPORT_FILE, *PICTURES)
"""What is pushed of a run beside its models."""
_ATTEMPTS = 3
_Answer = TypeVar("_Answer")


def push_run(
    path: str | os.PathLike[str],
    repo_id: str,
    private: bool = False,
    revision: str | None = None,
    token: str | None = None,
    commit_message: str | None = None,
    all_folds: bool = False,
) -> CommitInfo:
    """Pushes a run's folder, a fold's or a model's to the Hub in one commit.

    Of a run the best model goes to the root of the repository, so that `from_pretrained(repo_id)` loads it, with the
    run's reports and card beside it. What lies in a folder and does not belong to the model (see `hub_files`) stays
    here, and so do the predictions (`oof_predictions.csv`), which hold the training texts.

    Args:
        path: The folder.
        repo_id: "user/name"; the repository is made where it is missing.
        private: Whether a repository that is made is private; one that is there stays as it is.
        revision: The branch to push to, made where it is missing; "main" by default.
        token: A token with the right to write; by default the one of `hf auth login` or HF_TOKEN.
        commit_message: The title of the commit.
        all_folds: Whether to push every fold of a run as well, as `fold_1/`, `fold_2/`, ….

    Returns:
        Hugging Face's `CommitInfo`. Where nothing has changed since the last push, that of the last commit.

    Raises:
        HubError: The Hub refuses the name or the token, or the connection broke several times; the commit is there
            as a whole or not at all.
        RunError: There is neither a finished run nor a model at `path`.
    """
    files = files_to_push(path, all_folds)
    api = HfApi(token=token)
    message = commit_message or f"Upload {Path(path).resolve().name} with kobert-emotion"
    retry: dict[str, Setting] = {"repo_id": repo_id}  # what was typed, once more

    def push() -> CommitInfo:
        name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if revision is not None:
            api.create_branch(name, branch=revision, exist_ok=True)
        return api.create_commit(name, _operations(files, name), commit_message=message, revision=revision)

    try:
        return _insist(push)
    except FAILED_CALLS as error:
        found = hub_error(error, repo_id, retry)
        if found is None:
            raise
        raise found from error
    except ValueError as error:  # a name the Hub does not allow, or a card with broken metadata
        raise HubError(
            f"Hub에 올릴 수 없는 이름({repo_id!r}) 또는 모델 카드입니다. 이름은 '사용자/이름' 꼴이어야 합니다.",
            f"The Hub takes no such name ({repo_id!r}; expected 'user/name') or no such model card: {error}",
        ) from error


def files_to_push(path: str | os.PathLike[str], all_folds: bool = False) -> dict[str, Path]:
    """Maps each path in the repository to the file that `push_run` pushes there.

    Raises:
        RunError: There is neither a finished run nor a model at `path`.
    """
    check_path("path", path)
    folder = Path(path)
    if (folder / "config.json").is_file():
        return _files_of(folder)
    best = best_fold(folder)
    if best is None or not (best / "config.json").is_file():
        raise RunError(
            f"끝난 실행 폴더도 모델 폴더도 아닙니다: {path} — {RUN_FILE}과 fold_1, fold_2, …, 또는 config.json이 "
            "있어야 합니다.",
            f"Expected a finished run ({RUN_FILE}, fold_1, fold_2, …) or a model's folder (config.json), found neither "
            f"at {path}.",
        )
    files = _files_of(best)
    files |= {name: folder / name for name in PUSHED_FILES if (folder / name).is_file()}
    if all_folds:
        for fold in find_checkpoints(folder):
            files |= _files_of(fold, f"{fold.name}/")
    return files


def _files_of(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Maps paths in the repository to the files of a model's folder.

    Raises:
        CheckpointError: It holds adapters: what they were trained on may lie on this machine alone.
    """
    refuse_adapter(folder, "Hub에는 온전한 모델을 올립니다.", "What is pushed is a whole model.")
    return {f"{prefix}{file.relative_to(folder).as_posix()}": file for file in files_of_model(folder)}


def _operations(files: dict[str, Path], repo_id: str) -> list[CommitOperationAdd]:
    return [
        CommitOperationAdd(
            name,
            with_repo_id(file.read_text(encoding="utf-8"), repo_id).encode() if file.name == CARD_FILE else file,
        )
        for name, file in files.items()
    ]


def _insist(action: Callable[[], _Answer]) -> _Answer:
    """Calls `action` again where the connection broke. A commit that was made but not answered is not made twice."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return action()
        except FAILED_CALLS as error:
            cause = error.__cause__ or error
            if not (is_broken_connection(error) or is_broken_connection(cause)):
                raise
            logger.warning(
                Wording(
                    f"{_ATTEMPTS}번 중 {attempt}번째: 연결이 끊겼습니다 ({cause})",
                    f"attempt {attempt} of {_ATTEMPTS}: the connection broke ({cause})",
                )
            )
            time.sleep(2**attempt)
    return action()
