"""Labels of two levels: a model of the fine labels, whose coarse answer is the sum of its fine probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import COARSE_COLUMN
from ..data.label_ids import Truth
from ..data.levels import Hierarchy
from ..metrics.probabilities import Logits, log_softmax, softmax
from ..wording import Language, titled
from .single_label import SingleLabel, to_predictions
from .task import Prediction


@dataclass(frozen=True)
class TwoLevels(SingleLabel):
    """One fine label a text, and the coarse label that it stands under.

    All that is said of one label a text is said of the fine ones. The probability of a coarse label is the sum of those
    of its fine labels; the coarse answer is the one with the highest sum, which need not be the one that the fine
    answer stands under.

    Attributes:
        fine: The names of the fine labels, in the order of their ids.
        hierarchy: Which coarse label each of them stands under.
    """

    fine: tuple[str, ...] = ()
    hierarchy: Hierarchy = field(default_factory=lambda: Hierarchy((), ()))

    @property
    def levels(self) -> TwoLevels:
        """Itself."""
        return self

    @property
    def coarse(self) -> tuple[str, ...]:
        """The names of the coarse labels, in the order of their ids."""
        return self.hierarchy.coarse

    def coarse_logits(self, logits: Logits) -> NDArray[np.float64]:
        """Returns logits of the coarse labels, whose softmax are the sums of the fine probabilities.

        They are the logarithms of these: log(sum of exp(log softmax(logits))) over the fine labels of each.

        Args:
            logits: Shape (rows, fine labels).

        Returns:
            Shape (rows, coarse labels).
        """
        of = np.asarray(self.hierarchy.of)
        order = np.argsort(of, kind="stable")
        starts = np.searchsorted(of[order], np.arange(len(self.coarse)))
        sums: NDArray[np.float64] = np.logaddexp.reduceat(log_softmax(logits)[:, order], starts, axis=1)
        return sums

    def settings(self) -> dict[str, Any]:
        """Returns the hierarchy as a model's configuration has it."""
        groups = self.hierarchy.to_dict(self.fine)
        return {"label_hierarchy": [{"label": name, "labels": fine} for name, fine in groups.items()]}

    def about(self, language: Language = "both") -> str:
        """Returns what the levels are."""
        title = titled("두 단계 레이블", "labels of two levels", language)
        fine = titled("소분류", "fine", language)
        coarse = titled("대분류(소분류 확률의 합)", "coarse (sums of the fine probabilities)", language)
        return f"{title}: {fine} {len(self.fine)}, {coarse} {len(self.coarse)}"

    def predictions(self, logits: Logits, labels: Sequence[str]) -> list[Prediction]:
        """Returns the most probable fine label of each text, and the most probable coarse one."""
        found = to_predictions(logits, labels)
        for fine, coarse in zip(found, to_predictions(self.coarse_logits(logits), self.coarse), strict=True):
            fine["coarse"] = {
                "label": coarse["label"],
                "score": coarse["score"],
                "probabilities": coarse["probabilities"],
            }
        return found

    def titles(self, labels: Sequence[str]) -> list[str]:
        """Returns the titles of `cells`."""
        above = ["coarse_prediction", "coarse_score", *(f"coarse_prob_{name}" for name in self.coarse)]
        return [*super().titles(labels), *above]

    def cells(self, logits: Logits, labels: Sequence[str]) -> list[list[str]]:
        """Returns what is said of one label a text, and the same of the coarse labels."""
        above = super().cells(self.coarse_logits(logits), self.coarse)
        return [[*fine, *coarse] for fine, coarse in zip(super().cells(logits, labels), above, strict=True)]

    def true_columns(self, truth: Truth, labels: Sequence[str]) -> dict[str, list[str]]:
        """Returns the fine label of each row and the coarse one."""
        above = self.hierarchy.ids(truth).tolist()
        coarse = {COARSE_COLUMN: [self.coarse[index] if index >= 0 else "" for index in above]}
        return super().true_columns(truth, labels) | coarse

    def coarse_probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """Returns the sums of the fine probabilities, shape (rows, coarse labels)."""
        return softmax(self.coarse_logits(logits))
