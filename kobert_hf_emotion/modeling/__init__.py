"""The model, its losses, and how it predicts."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "EmotionClassifier": "classifier",
    },
)
