"""Configuration of an emotion classifier: its class, and what a configuration says of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..utils.lazy_names import lazy_names
from .settings import (
    MULTI_LABEL,
    context_turns,
    is_multi_label,
    is_soft,
    label_names,
    longest_input,
    refuse_multi_label,
    softmax_temperature,
)

if TYPE_CHECKING:
    from .emotion_config import EmotionConfig

__all__ = [
    "MULTI_LABEL",
    "EmotionConfig",
    "context_turns",
    "is_multi_label",
    "is_soft",
    "label_names",
    "longest_input",
    "refuse_multi_label",
    "softmax_temperature",
]

__getattr__ = lazy_names(__name__, {"EmotionConfig": "emotion_config"})
