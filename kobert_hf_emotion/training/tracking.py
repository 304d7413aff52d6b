"""One run a fold in TensorBoard, Weights & Biases or Trackio, all under the name of the run's folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from transformers import TrainingArguments

from ..errors import RunError

TRACKERS = ("tensorboard", "wandb", "trackio")
"""What `report_to` may name; each is a package of that name, none of them required."""


def check_trackers(trackers: Sequence[str]) -> None:
    """Raises `RunError` where a tracker is unknown or not installed."""
    for name in trackers:
        if name not in TRACKERS:
            raise RunError(
                f"`report_to`에 모르는 기록 도구가 있습니다: {name!r}. 쓸 수 있는 것: {', '.join(TRACKERS)}, none",
                f"Unknown tracker {name!r} in `report_to`; expected {', '.join(TRACKERS)} or none.",
                mend={"report_to": None},
            )
        if importlib.util.find_spec(name) is None:
            raise RunError(
                f"{name}이(가) 설치되어 있지 않습니다. 설치하거나(pip install {name}) `report_to`를 빼세요.",
                f"{name} is not installed. Install it (pip install {name}), or leave `report_to` out.",
                mend={"report_to": None},
            )


def trackers_of(args: TrainingArguments) -> list[str]:
    """Returns the names in `report_to`, which `TrainingArguments` makes a list."""
    return list(args.report_to) if isinstance(args.report_to, list) else []


@contextmanager
def tracked_fold(args: TrainingArguments, run: Path, fold: str) -> Iterator[None]:
    """Names the tracker's run of a fold, and ends it when the block ends.

    TensorBoard's files go to `RUN/tensorboard/FOLD`; runs of Weights & Biases are called FOLD in the group RUN; of
    Trackio, which is told no group, RUN/FOLD. A group set by the user (`WANDB_RUN_GROUP`) is kept.

    Args:
        args: The fold's arguments; their `run_name` is set.
        run: The folder of the run.
        fold: Such as "fold_1".
    """
    group = run.resolve().name
    args.run_name = f"{group}/{fold}" if "trackio" in trackers_of(args) else fold
    settings = {"TENSORBOARD_LOGGING_DIR": os.fspath(run / "tensorboard" / fold)}
    if "WANDB_RUN_GROUP" not in os.environ:
        settings["WANDB_RUN_GROUP"] = group
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    failed = True
    try:
        yield
        failed = False
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        _finish(trackers_of(args), failed)


def _finish(trackers: Sequence[str], failed: bool) -> None:
    """Ends the run of wandb, which would log the next fold into this one's otherwise; the others end their own."""
    wandb = sys.modules.get("wandb")
    if "wandb" in trackers and wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=int(failed))
