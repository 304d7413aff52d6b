"""Running sums over the rows that a training has seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate.utils import gather_object
from torch import Tensor

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

    def _fetch(self) -> None:
        if self._waiting:
            for step in torch.stack(self._waiting).tolist():  # in their order: a continued training adds as before
                self._sums = [total + more for total, more in zip(self._sums, step, strict=True)]
        self._waiting = []
