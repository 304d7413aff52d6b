"""Finished models on test files, and runs beside each other."""

from .checkpoints import evaluate_checkpoints
from .comparison import compare_runs
from .held_out import evaluate_run

__all__ = ["compare_runs", "evaluate_checkpoints", "evaluate_run"]
