"""What logits say: probabilities, and the log loss of the labels under them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import KoBERTEmotionError

Logits = NDArray[np.floating]
ClassIds = NDArray[np.integer]


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Returns the probabilities of `logits` along the last axis, in float64.

    Raises:
        KoBERTEmotionError: Logits have no probabilities; see `check_logits`.
    """
    probabilities = _shifted(logits)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    return probabilities


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    """Returns the logarithms of the probabilities, finite where the logits are, in float64; see `softmax`."""
    shifted = _shifted(logits)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def log_losses(logits: Logits, labels: ClassIds) -> NDArray[np.float64]:
    """Returns -log softmax(logits) at the label of each row, in nats; finite for finite logits however far apart.

    scikit-learn's `log_loss` sees probabilities, in which logits more than about 36 apart are one and the same.

    Args:
        logits: Shape (rows, classes).
        labels: Class ids, shape (rows,).

    Raises:
        KoBERTEmotionError: A label is no class id, or logits have no probabilities.
    """
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


def log_loss(logits: Logits, labels: ClassIds) -> float:
    """Returns the mean of `log_losses`."""
    return float(log_losses(logits, labels).mean())


def check_logits(logits: Logits) -> None:
    """Raises `KoBERTEmotionError` where a row of logits has a NaN, an infinite highest one, or none but -infinity.

    Such a row has no most probable class, but `argmax` names one all the same.
    """
    _highest(logits)


def _highest(logits: Logits) -> NDArray[np.float64]:
    """Returns the highest logit of each row, the last axis kept."""
    highest: NDArray[np.float64] = logits.max(axis=-1, keepdims=True, initial=-np.inf).astype(np.float64)
    if (wrong := np.flatnonzero(~np.isfinite(highest))).size:
        found = logits.reshape(-1, logits.shape[-1])[wrong[0]].tolist()
        raise KoBERTEmotionError(
            f"모델의 로짓으로 확률을 계산할 수 없습니다: {highest.size:,}행 가운데 {wrong.size:,}행, 처음은 "
            f"{wrong[0]}번째 행(0부터 셈) {found}. 학습이 발산했거나 가중치가 손상되었습니다: 학습률을 낮추어 "
            "다시 학습하거나 다른 체크포인트를 쓰세요.",
            f"The model's logits have no probabilities in {wrong.size:,} of {highest.size:,} rows, the first row "
            f"{wrong[0]} (counted from 0): {found}. The training diverged or the weights are damaged: train again "
            "with a lower learning rate, or use another checkpoint.",
        )
    return highest


def _shifted(logits: Logits) -> NDArray[np.float64]:
    """Returns logits in float64, less the highest of their row."""
    shifted = logits.astype(np.float64)
    shifted -= _highest(logits)
    return shifted
