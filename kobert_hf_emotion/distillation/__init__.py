"""A small model that learns a large one's answers: what answers, what is learned from, and the training."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__, {"Distillation": "student", "distill": "student", "open_teacher": "teacher", "soft_loss": "loss"}
)
