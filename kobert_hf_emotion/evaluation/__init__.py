"""Finished models on test files, and runs beside each other."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "compare_runs": "comparison",
        "evaluate_checkpoints": "checkpoints",
        "evaluate_run": "held_out",
    },
)
