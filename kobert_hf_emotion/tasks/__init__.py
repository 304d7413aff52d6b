"""What a model's answers are: one label a text, several, or the one most voted for; all that depends on it."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "MultiLabel": "multi_label",
        "Prediction": "task",
        "SingleLabel": "single_label",
        "Soft": "soft",
        "Task": "task",
        "TwoLevels": "two_levels",
        "task_of": "choice",
    },
)
