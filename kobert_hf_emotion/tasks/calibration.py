"""From the logits that a model was trained to give to those whose probabilities it predicts with, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..configuration import is_multi_label, softmax_temperature
from ..errors import CheckpointError
from ..metrics.probabilities import Logits

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from ..metrics.label_calibration import LabelScales


def label_scales(config: PreTrainedConfig) -> LabelScales | None:
    """Returns what calibrates each label of a multi-label model; None where its configuration tells nothing of it.

    Raises:
        CheckpointError: There are scales for more or fewer labels than the model has, or such as are none.
    """
    pairs = getattr(config, "label_calibration", None) if is_multi_label(config) else None
    if pairs is None:
        return None
    if not (isinstance(pairs, list) and len(pairs) == config.num_labels and all(map(_is_scale, pairs))):
        raise CheckpointError(
            f"config.json의 label_calibration은 레이블({config.num_labels}개)마다 0보다 큰 기울기와 절편이어야 합니다: "
            f"{pairs!r:.200}. 지우면 보정하지 않습니다.",
            f"Expected label_calibration of config.json to be a slope above 0 and a shift for each of "
            f"{config.num_labels} labels, found {pairs!r:.200}. Without it nothing is calibrated.",
        )
    from ..metrics.label_calibration import LabelScales  # only models of several labels need it

    return LabelScales.of_pairs(pairs)


def _is_scale(pair: object) -> bool:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return False
    slope, shift = pair
    are_numbers = isinstance(slope, int | float) and isinstance(shift, int | float)
    return are_numbers and math.isfinite(slope) and math.isfinite(shift) and slope > 0


def calibrated(logits: Logits, config: PreTrainedConfig) -> NDArray[np.float32]:
    """Returns the logits whose probabilities are predicted.

    They are divided by the temperature; those of a multi-label model have the scale of their label.

    Args:
        logits: As trained, shape (rows, labels).
        config: The model's.

    Raises:
        CheckpointError: See `label_scales`.
    """
    scales = label_scales(config)
    if scales is not None:
        return scales.apply(logits)
    divided: NDArray[np.float32] = (logits / np.float32(softmax_temperature(config))).astype(np.float32)
    return divided


def as_trained(logits: Logits, config: PreTrainedConfig) -> NDArray[np.float32]:
    """Returns logits as they were before `calibrated`; arguments and errors are its."""
    scales = label_scales(config)
    if scales is not None:
        return scales.undo(logits)
    trained: NDArray[np.float32] = (logits * np.float32(softmax_temperature(config))).astype(np.float32)
    return trained
