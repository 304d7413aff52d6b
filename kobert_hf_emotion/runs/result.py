"""What a k-fold run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..metrics.probabilities import Logits
from ..metrics.scores import Scores
from ..training.history import EpochRecord


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave."""

    number: int
    """1 for the first fold."""
    path: Path
    """The folder of the trained model."""
    train_rows: int
    validation_rows: int
    scores: Scores
    """Of the validation rows."""
    initial_weights_sha256: str
    """Hash of the weights training started from; the same for every fold."""
    history: list[EpochRecord]


@dataclass(frozen=True)
class CrossValidationResult:
    """What a k-fold run gave."""

    output_dir: Path
    labels: list[str]
    folds: list[FoldResult]
    scores: Scores
    """Of the out-of-fold predictions of all rows together."""
    logits: Logits
    """Out-of-fold logits, shape (rows, classes), in the order of the data set."""
    split_sha256: str

    @property
    def best(self) -> FoldResult:
        """The fold with the highest macro F1 on its validation rows; the first of equals."""
        return max(self.folds, key=lambda fold: fold.scores.macro_f1)
