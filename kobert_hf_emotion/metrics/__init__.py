"""Figures of evaluation: scores, intervals, calibration, and what logits say."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "EmotionMetrics": "classification",
        "compute_metrics": "classification",
    },
)
