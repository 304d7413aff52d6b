"""Running figures of the rows that a training has seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate.utils import gather_object
from torch import Tensor

from ..utils.files import atomic_write

SUMS_FILE = "training_sums.json"
"""In a checkpoint: the sums since the last line of the log and since the last evaluation."""
_MOST_WAITING = 256


class Tally:
    """Sums over the training rows seen: the rows, their loss and how many were right.

    A step's sums stay on its device until they are asked for, since fetching them would make the device wait. They are
    added up in float64 on the CPU: Apple's GPUs have no such numbers, and float32 would lose the rows of a long epoch.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self, sums: Sequence[float] | None = None) -> None:
        """Starts at `sums`, or at nothing."""
        self._sums = list(sums or (0.0, 0.0, 0.0))
        self._waiting: list[Tensor] = []

    def add(self, sums: Tensor) -> None:
        """Adds the sums of a step, shape (3,)."""
        self._waiting.append(sums)
        if len(self._waiting) == _MOST_WAITING:
            self._fetch()

    def totals(self) -> list[float]:
        """Returns the sums over all processes, which must all ask at the same time."""
        self._fetch()
        return [sum(column) for column in zip(*gather_object([self._sums]), strict=True)]

    def take_means(self) -> tuple[float, float]:
        """Returns mean loss and accuracy over all processes, and starts anew; nan where there were no rows."""
        rows, loss, correct = self.totals()
        self.restart()
        return (loss / rows, correct / rows) if rows else (float("nan"), float("nan"))

    def _fetch(self) -> None:
        if self._waiting:
            for step in torch.stack(self._waiting).tolist():  # in their order: a continued training adds as before
                self._sums = [total + more for total, more in zip(self._sums, step, strict=True)]
        self._waiting = []


def batch_sums(kept: Tensor, losses: Tensor, right: Tensor) -> Tensor:
    """Sums up the rows of a batch, or their elements.

    Args:
        kept: Whether each counts, shape (batch,), or of several labels a row (batch, labels).
        losses: Of the same shape.
        right: Whether they are predicted rightly, of the same shape.

    Returns:
        How many there are, their loss, and how many are right: shape (3,), float32.
    """
    with torch.no_grad():
        return torch.stack([kept.sum(), losses.detach().sum(), (right & kept).sum()]).float()


class RunningFigures:
    """Loss and accuracy of the training rows since the last line of the log, and since the last evaluation.

    Both are lost in a break unless a checkpoint carries them.
    """

    def __init__(self) -> None:
        self.since_log, self.since_evaluation = self._tallies = Tally(), Tally()

    def add(self, sums: Tensor) -> None:
        """Adds the sums of a batch, as `batch_sums` gives them."""
        for tally in self._tallies:
            tally.add(sums)

    def save(self, folder: Path, writes: bool) -> None:
        """Writes the sums of all processes, which must all call it, to a checkpoint; one of them `writes`."""
        sums = [tally.totals() for tally in self._tallies]
        if writes:
            with atomic_write(folder / SUMS_FILE, "w") as handle:
                json.dump(sums, handle)

    def load(self, folder: Path, carries: bool) -> None:
        """Starts at the sums of a checkpoint, if it has some; they are those of all processes, and one `carries` them.

        A checkpoint of another trainer has none.
        """
        if not (path := folder / SUMS_FILE).is_file():
            return
        for tally, sums in zip(self._tallies, json.loads(path.read_text()), strict=True):
            tally.restart(sums if carries else None)
