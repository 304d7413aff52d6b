"""Class weights from the counts of the training rows: balanced, or by the effective number of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import KoBERTEmotionError

Counts = Sequence[int] | NDArray[np.integer]
DEFAULT_BETA = 0.999


@dataclass(frozen=True)
class ClassWeighting:
    """A rule that makes one weight per class of the rows of each class.

    Args:
        beta: Of `effective_weights`; None for `balanced_weights`.
    """

    beta: float | None = None

    def weights(self, counts: Counts) -> list[float]:
        """Returns a weight for each class; see `balanced_weights` and `effective_weights`."""
        return balanced_weights(counts) if self.beta is None else effective_weights(counts, self.beta)

    def balance(self, counts: Counts, rows: int) -> list[float]:
        """Returns for each label how much its yes weighs, from 0 to 1; its no weighs the rest.

        They are in inverse proportion to the rows that have the label and those that have not, or to the effective
        numbers of these (see `effective_weights`): together they then weigh the same. A label that no row has, or
        that every row has, gets 0.5.

        Args:
            counts: Rows that have each label.
            rows: All rows.

        Example:
            >>> ClassWeighting().balance([1, 0], rows=4)
            [0.75, 0.5]
        """
        yes = np.asarray(counts, dtype=np.float64)
        no = rows - yes
        if self.beta:
            yes, no = (-np.expm1(found * np.log(self.beta)) for found in (yes, no))
        elif self.beta is not None:
            yes, no = np.sign(yes), np.sign(no)
        known = (yes > 0) & (no > 0)
        alpha = np.full(len(yes), 0.5)
        alpha[known] = no[known] / (yes + no)[known]
        return [float(weight) for weight in alpha]


def parse_weighting(text: str) -> ClassWeighting | None:
    """Reads "balanced", "effective" or "effective:0.99"; returns None where the text is none of them.

    Raises:
        KoBERTEmotionError: What follows "effective:" is no number in [0, 1).
    """
    name, colon, number = text.strip().partition(":")
    if name == "balanced" and not colon:
        return ClassWeighting()
    if name != "effective":
        return None
    try:
        beta = float(number) if colon else DEFAULT_BETA
    except ValueError:
        beta = float("nan")
    if not 0.0 <= beta < 1.0:
        raise KoBERTEmotionError(
            f"effective 뒤의 beta는 0 이상 1 미만의 수여야 합니다: {text!r}. 예: effective:0.999",
            f"Expected a beta in [0, 1) after 'effective:', found {text!r}; for example effective:0.999.",
        )
    return ClassWeighting(beta)


def balanced_weights(counts: Counts) -> list[float]:
    """Returns n / (k * n_i) for a class with n_i of the n rows, k the number of classes with rows.

    These are the weights of scikit-learn's `compute_class_weight("balanced", …)`. A class without rows weighs 1:
    no row of the training uses it.

    Example:
        >>> balanced_weights([6, 2, 0])
        [0.6666666666666666, 2.0, 1.0]
    """
    rows = np.asarray(counts)
    present = rows > 0
    weights = np.ones(len(rows))
    weights[present] = rows.sum() / (present.sum() * rows[present])
    return [float(weight) for weight in weights]


def effective_weights(counts: Counts, beta: float = DEFAULT_BETA) -> list[float]:
    """Returns weights in inverse proportion to the effective number of samples of each class.

    For a class with n_i rows the effective number is E_i = (1 - beta^n_i) / (1 - beta), and the weight is 1 / E_i,
    scaled so that the weights of the classes with rows add up to their number; Cui et al., "Class-Balanced Loss
    Based on Effective Number of Samples" (2019). A beta of 0 weighs all classes the same; near 1 the weights
    approach 1 / n_i. A class without rows weighs 1: no row of the training uses it.

    Args:
        counts: Rows of each class.
        beta: In [0, 1).

    Example:
        >>> effective_weights([10, 1000], beta=0.0)
        [1.0, 1.0]
    """
    rows = np.asarray(counts)
    present = rows > 0
    inverse = (1.0 - beta) / -np.expm1(rows[present] * np.log(beta)) if beta else np.ones(int(present.sum()))
    weights = np.ones(len(rows))
    weights[present] = inverse * present.sum() / inverse.sum()
    return [float(weight) for weight in weights]
