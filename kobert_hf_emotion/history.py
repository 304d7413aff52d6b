"""The figures of a training, evaluation by evaluation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochRecord:
    """One row of a fold's `history.csv`; the training figures are those of the rows seen since the last one."""

    epoch: float
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float
