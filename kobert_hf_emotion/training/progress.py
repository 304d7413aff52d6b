"""One progress bar for all folds of a run."""

# ruff: noqa: ARG002 - callbacks take what the Trainer passes

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

logger = logging.getLogger(__name__)


class RunProgress(TrainerCallback, AbstractContextManager["RunProgress"]):
    """Shows the steps of all folds in one bar on a terminal, and logs a line an evaluation.

    Give the same object to the trainer of every fold as a callback; with one "fold" it is a training by itself. It is a
    context manager: lines of the log are written above the bar until the block ends.

    Args:
        folds: Number of folds.
        disable: Shows no bar; on what is no terminal there is none in any case.
    """

    def __init__(self, folds: int, disable: bool = False) -> None:
        self.folds = folds
        self.fold = 0
        self._finished_steps = 0
        self._stack = ExitStack()
        self._bar: tqdm[Any] = tqdm(disable=disable or None, unit="step", dynamic_ncols=True, file=sys.stderr)

    def __enter__(self) -> RunProgress:
        """Sends lines of the log past the bar."""
        if not self._bar.disable:
            self._stack.enter_context(logging_redirect_tqdm())
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the bar."""
        self._stack.close()
        self._bar.close()

    def skip(self, steps: int) -> None:
        """Counts a fold that an earlier process has finished."""
        self.fold += 1
        self._show(steps, steps)
        self._finished_steps += steps

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Starts the next fold; a continued one does not start at 0."""
        self.fold += 1
        self._show(state.global_step, state.max_steps)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Moves the bar on."""
        self._bar.update(self._finished_steps + state.global_step - self._bar.n)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Logs loss and accuracy of the training and of the validation rows."""
        logs: dict[str, float] = kwargs["logs"]
        if not state.is_world_process_zero or not ("eval_loss" in logs or "loss" in logs):
            return
        figures = {name: value for name, value in logs.items() if name in _SHOWN}
        shown = ", ".join(f"{_SHOWN[name]} {value:.4f}" for name, value in figures.items())
        step = f"step {state.global_step}/{state.max_steps}"
        fold = "" if self.folds == 1 else f"{self._title}, "
        logger.info("%sepoch %.2f, %s: %s", fold, state.epoch or 0.0, step, shown)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Counts the fold's steps as done."""
        self._finished_steps += state.global_step

    @property
    def _title(self) -> str:
        return "training" if self.folds == 1 else f"fold {self.fold}/{self.folds}"

    def _show(self, step: int, steps_of_fold: int) -> None:
        self._bar.set_description(self._title, refresh=False)
        self._bar.total = self._finished_steps + steps_of_fold * (self.folds - self.fold + 1)
        self._bar.n = self._finished_steps + step
        self._bar.refresh()


_SHOWN = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy",
    "eval_loss": "validation loss",
    "eval_accuracy": "validation accuracy",
    "eval_macro_f1": "validation macro F1",
}
