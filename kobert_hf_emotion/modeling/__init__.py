"""The model, its losses, and how it predicts."""

from .classifier import EmotionClassifier

__all__ = ["EmotionClassifier"]
