"""Figures of evaluation: scores, intervals, calibration, and what logits say."""

from .classification import EmotionMetrics, compute_metrics

__all__ = ["EmotionMetrics", "compute_metrics"]
