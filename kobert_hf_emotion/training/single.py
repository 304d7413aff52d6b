"""A training by itself, without folds: its bar, and the checkpoint it goes on from."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from transformers import TrainerCallback

from ..utils.garbage_collection import collector_ignores_startup
from ..wording import Wording
from .progress import RunProgress
from .resumable_trainer import CheckpointingTrainer, last_checkpoint

logger = logging.getLogger(__name__)
_Trainer = TypeVar("_Trainer", bound=CheckpointingTrainer)


def train_alone(make: Callable[[list[TrainerCallback]], _Trainer], checkpoints: Path, shows: bool) -> _Trainer:
    """Trains, from the last checkpoint where there is one.

    Args:
        make: Makes the trainer, with these callbacks.
        checkpoints: Where its checkpoints are.
        shows: Whether a terminal shows how far it has come.

    Returns:
        The trainer, at its end.
    """
    checkpoint = last_checkpoint(checkpoints)
    if checkpoint is not None:
        logger.info(Wording(f"{checkpoint}에서 이어서 학습합니다", f"continued from {checkpoint}"))
    with collector_ignores_startup(), RunProgress(1, disable=not shows) as progress:
        trainer = make([progress])
        trainer.train(resume_from_checkpoint=checkpoint)
    return trainer
