"""One training: its arguments, the trainer, and what it needs."""

from .arguments import EmotionTrainingArguments
from .trainer import EmotionTrainer

__all__ = ["EmotionTrainer", "EmotionTrainingArguments"]
