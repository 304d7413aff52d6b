"""Whether a run folder is new, unfinished or finished, and whether an unfinished one is still the same run."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..utils.files import check_free, free_path
from .layout import BEST, IN_PROGRESS, RUN_FILE, read_record

if sys.platform != "win32":
    import fcntl

_NOT_COMPARED = frozenset({"output_dir", "disable_tqdm", "report_to", "run_name", "project", "checkpoint_seconds"})
"""Training arguments that change nothing about the result, and may differ when a run is continued."""


def unfinished_record(run: Path) -> dict[str, Any] | None:
    """Returns what the `run.json` of an unfinished run says, or None where the folder is missing or empty.

    Raises:
        RunError: The run is finished, its record is damaged, or the folder holds something else.
    """
    if run.is_file():
        check_free(run)
    record = read_record(run, mend={"output_dir": f"{run}_new"})
    if record is None:
        with suppress(FileNotFoundError):
            if all(entry.match(f".{RUN_FILE}.*.partial") for entry in run.iterdir()):
                return None  # killed while the first file was written
        check_free(run)
        return None
    if record.get("finished") is not False:
        check_free(run)
    return record


def check_same_run(run: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raises `RunError` with every difference where `new` is not the run that `old` describes.

    Args:
        run: The folder, for the message.
        old: The content of its `run.json`.
        new: What `run.json` would say of the run that is to continue there.
    """
    before, after = _flat(old), _flat(json.loads(json.dumps(new, default=str)))
    names = [
        name for name in {**before, **after} if name != "finished" and name.rpartition(".")[2] not in _NOT_COMPARED
    ]
    missing = object()
    changed = [name for name in names if before.get(name, missing) != after.get(name, missing)]
    if changed:
        listed = "\n".join(f"  {name}: {_show(before, name)} → {_show(after, name)}" for name in changed)
        raise RunError(
            f"{run}에는 다른 설정의 실행이 있어 이어서 할 수 없습니다. 시작할 때의 설정을 주거나 다른 `output_dir`을 "
            f"쓰세요. 달라진 것(전 → 지금):\n{listed}",
            f"The run in {run} has other settings and cannot be continued. Give those it was started with, or another "
            f"`output_dir`. What differs (before → now):\n{listed}",
            mend={"output_dir": str(free_path(run))},
        )


@contextmanager
def only_process(run: Path) -> Iterator[None]:
    """Makes the folder of a run and keeps other processes from running in it until the block ends.

    The lock goes with the process, however that ends. On Windows, and on file systems without locks, there is none.

    Raises:
        RunError: Another process is at this run.
    """
    run.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunError(
            f"다른 프로세스가 지금 {run}에서 실행 중입니다. 끝나기를 기다리거나 다른 `output_dir`을 쓰세요.",
            f"Another process is running in {run} at this moment. Wait for it, or choose another `output_dir`.",
        ) from error
    except OSError:  # the file system has no locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)


def forget_progress(run: Path) -> None:
    """Removes the checkpoints of folds that are finished, and the pointer to the best fold, which is made last."""
    shutil.rmtree(run / IN_PROGRESS, ignore_errors=True)
    best = run / BEST
    if best.is_symlink():
        best.unlink()
    elif best.is_dir():  # a copy, where the system has no links
        shutil.rmtree(best)


def _flat(content: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(content, Mapping):
        return {prefix: content}
    return {
        name: value
        for key, inner in content.items()
        for name, value in _flat(inner, f"{prefix}.{key}" if prefix else str(key)).items()
    }


def _show(content: Mapping[str, Any], name: str) -> str:
    return json.dumps(content[name], ensure_ascii=False) if name in content else "-"
