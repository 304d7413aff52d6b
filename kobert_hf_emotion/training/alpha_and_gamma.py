"""The focal loss's alpha and gamma as they may be written on a command line."""

from __future__ import annotations

import json
from typing import Any

from ..errors import KoBERTEmotionError
from ..modeling.class_weights import ClassWeighting, parse_weighting
from ..modeling.losses import Alpha

DEFAULT_GAMMA = 2.0


def parse_alpha(alpha: Any) -> Alpha | ClassWeighting:
    """Reads alpha as it may be written on a command line.

    Args:
        alpha: A number, a sequence or a mapping; any of them as JSON text (`[1, 2]`, `{"fear": 2}`); names and
            weights as `fear=2,sad=1.5`; or `balanced`, `effective` or `effective:0.99` (see `class_weights`).

    Raises:
        KoBERTEmotionError: The text is none of them.
    """
    if not isinstance(alpha, str):
        return alpha  # type: ignore[no-any-return]
    weighting = parse_weighting(alpha)
    if weighting is not None:
        return weighting
    value = _number_or_several(alpha)
    if value is None:
        raise KoBERTEmotionError(
            f"alpha를 읽을 수 없습니다: {alpha!r}. 수 하나, balanced, effective, fear=2,sad=1.5, JSON 목록 또는 "
            "JSON 사전이어야 합니다.",
            f"Cannot read alpha {alpha!r}: expected a number, balanced, effective, fear=2,sad=1.5, a JSON list or a "
            'JSON object such as {"fear": 2.0}.',
            mend={"focal_alpha": "1.0"},
        )
    return value


def parse_gamma(gamma: str) -> Any:
    """Reads gamma as it may be written on a command line: a number, or one per label as alpha is written.

    Raises:
        KoBERTEmotionError: The text is none of them.
    """
    value = None if parse_weighting(gamma) is not None else _number_or_several(gamma)
    if value is None:
        raise KoBERTEmotionError(
            f"gamma를 읽을 수 없습니다: {gamma!r}. 수 하나이거나, 다중 레이블이면 기쁨=1,슬픔=3 또는 JSON 목록입니다.",
            f"Cannot read gamma {gamma!r}: expected a number or, of several labels, joy=1,sadness=3 or a JSON list.",
            mend={"focal_gamma": DEFAULT_GAMMA},
        )
    return value


def _number_or_several(text: str) -> float | list[Any] | dict[str, Any] | None:
    """Reads a number, `fear=2,sad=1.5`, or either of them in JSON; None where a text is none of these."""
    try:
        value = _named_weights(text) if "=" in text and "{" not in text else json.loads(text)
    except ValueError:
        return None
    return None if isinstance(value, bool) or not isinstance(value, int | float | list | dict) else value


def _named_weights(text: str) -> dict[str, float]:
    """Reads `fear=2,sad=1.5`; raises `ValueError` where a part is no name and number, or a name comes twice."""
    pairs = [part.rpartition("=") for part in text.split(",")]
    weights = {name.strip(): float(weight) for name, _, weight in pairs}
    if "" in weights or len(weights) < len(pairs):
        raise ValueError(text)
    return weights
