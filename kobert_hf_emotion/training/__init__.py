"""One training: its arguments, the trainer, and what it needs."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "EmotionTrainer": "trainer",
        "EmotionTrainingArguments": "arguments",
    },
)
