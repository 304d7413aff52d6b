"""What logits say: probabilities, and the log loss of the labels under them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import KoBERTEmotionError

Logits = NDArray[np.floating]
ClassIds = NDArray[np.integer]
Target = NDArray[Any]
"""What a row's label is: class ids, shape (rows,), or shares of votes that add up to 1, shape (rows, classes)."""


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Returns the probabilities of `logits` along the last axis, in float64.

    Raises:
        KoBERTEmotionError: Logits have no probabilities; see `check_logits`.
    """
    probabilities = _shifted(logits)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(logits: Logits) -> NDArray[np.float64]:
    """Returns the probability of each label by itself, 1 / (1 + exp(-logit)), in float64.

    Raises:
        KoBERTEmotionError: A logit is no number.
    """
    check_finite(logits)
    exact = logits.astype(np.float64)
    smaller = np.exp(-np.abs(exact))
    probabilities: NDArray[np.float64] = np.where(exact >= 0, 1.0, smaller) / (1.0 + smaller)
    return probabilities


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    """Returns the logarithms of the probabilities, finite where the logits are, in float64; see `softmax`."""
    shifted = _shifted(logits)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def log_losses(logits: Logits, labels: Target) -> NDArray[np.float64]:
    """Returns -log softmax(logits) at the label of each row, in nats; finite for finite logits however far apart.

    Of shares of votes it is the cross-entropy, the mean over the votes.

    scikit-learn's `log_loss` sees probabilities, in which logits more than about 36 apart are one and the same.

    Args:
        logits: Shape (rows, classes).
        labels: Class ids, shape (rows,), or shares, shape (rows, classes).

    Raises:
        KoBERTEmotionError: A label is no class id, or logits have no probabilities.
    """
    if labels.ndim == 2:
        exact = log_softmax(logits)
        found: NDArray[np.float64] = -(labels * np.where(labels > 0, exact, 0.0)).sum(axis=1)
        return found
    if (wrong := np.flatnonzero((labels < 0) | (labels >= logits.shape[1]))).size:
        row, classes = int(wrong[0]), logits.shape[1]
        raise KoBERTEmotionError(
            f"라벨 번호는 0부터 {classes - 1}까지여야 합니다: {row}번째 행(0부터 셈)의 라벨이 {labels[row]}입니다. "
            "라벨이 없는 행을 빼고 다시 재세요.",
            f"Expected class ids from 0 to {classes - 1}, found {labels[row]} in row {row} (counted from 0). Leave "
            "rows without a label out.",
        )
    losses: NDArray[np.float64] = -log_softmax(logits)[np.arange(len(labels)), labels]
    return losses


def log_loss(logits: Logits, labels: Target) -> float:
    """Returns the mean of `log_losses`."""
    return float(log_losses(logits, labels).mean())


def check_logits(logits: Logits) -> None:
    """Raises `KoBERTEmotionError` where a row of logits has a NaN, an infinite highest one, or none but -infinity.

    Such a row has no most probable class, but `argmax` names one all the same.
    """
    _highest(logits)


def check_finite(logits: Logits) -> None:
    """Raises `KoBERTEmotionError` where a row of logits has a NaN: its label has no probability."""
    if (wrong := np.flatnonzero(np.isnan(logits).any(axis=-1))).size:
        raise _no_probabilities(logits, wrong)


def _highest(logits: Logits) -> NDArray[np.float64]:
    """Returns the highest logit of each row, the last axis kept."""
    highest: NDArray[np.float64] = logits.max(axis=-1, keepdims=True, initial=-np.inf).astype(np.float64)
    if (wrong := np.flatnonzero(~np.isfinite(highest))).size:
        raise _no_probabilities(logits, wrong)
    return highest


def _no_probabilities(logits: Logits, wrong: NDArray[np.intp]) -> KoBERTEmotionError:
    """Returns the error of logits that have no probabilities in the rows `wrong`."""
    flat = logits.reshape(-1, logits.shape[-1])
    return KoBERTEmotionError(
        f"모델의 로짓으로 확률을 계산할 수 없습니다: {len(flat):,}행 가운데 {wrong.size:,}행, 처음은 "
        f"{wrong[0]}번째 행(0부터 셈) {flat[wrong[0]].tolist()}. 학습이 발산했거나 가중치가 손상되었습니다: 학습률을 "
        "낮추어 다시 학습하거나 다른 체크포인트를 쓰세요.",
        f"The model's logits have no probabilities in {wrong.size:,} of {len(flat):,} rows, the first row "
        f"{wrong[0]} (counted from 0): {flat[wrong[0]].tolist()}. The training diverged or the weights are damaged: "
        "train again with a lower learning rate, or use another checkpoint.",
    )


def _shifted(logits: Logits) -> NDArray[np.float64]:
    """Returns logits in float64, less the highest of their row."""
    shifted = logits.astype(np.float64)
    shifted -= _highest(logits)
    return shifted
