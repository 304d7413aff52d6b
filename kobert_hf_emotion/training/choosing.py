"""Which epoch of a fold is kept, and when a fold has gone on long enough: by rows set aside for that alone."""

# ruff: noqa: ARG002 - callbacks take what the Trainer passes

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_model, save_model
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import SAFE_WEIGHTS_NAME

from ..utils.files import atomic_directory

PREFIX = "eval_choosing"
"""Of the metrics of the rows that choose; those of the validation rows begin with "eval"."""
METRIC = f"{PREFIX}_macro_f1"


@dataclass(frozen=True)
class ChosenEpoch:
    """The epoch of a fold that was kept."""

    epoch: float
    step: int
    macro_f1: float
    """On the rows it was chosen on: optimistic, the best of `macro_f1_by_epoch`."""
    rows: int
    """Rows it was chosen on; the model was not trained on them."""
    macro_f1_by_epoch: list[float]
    """On the same rows, of every epoch that was trained."""
    stopped: bool
    """Whether the fold ended before its last epoch, because none of the last ones was better."""

    def to_dict(self) -> dict[str, Any]:
        """Returns what `fold.json` says of it."""
        return asdict(self)


def evaluations(log: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the lines of a trainer's log that tell how the rows that choose were predicted."""
    return [line for line in log if METRIC in line and "train_loss" in line]


def best_of(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Returns the line with the highest macro F1, the first of equals; None where there is none."""
    return max(found, key=lambda line: line[METRIC], default=None)


class EpochKeeper(TrainerCallback):
    """Keeps the weights of the best epoch on the disk, and stops a fold that no longer gets better.

    All that it remembers is the trainer's log, which a checkpoint holds, and one file of weights for the best epoch of
    that log: so a fold that is killed and continued keeps the same epoch as one that is not.

    Args:
        folder: Where the weights are kept while the fold is not finished.
        patience: Epochs without a better one before the fold is stopped; 0 never stops.
        rows: Rows that choose.
    """

    def __init__(self, folder: Path, patience: int, rows: int) -> None:
        self.folder, self.patience, self.rows = folder, patience, rows
        self._of_checkpoint: int | None = None
        """The step whose weights a training that goes on from the last checkpoint may come back to."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Looks where the training begins."""
        self._of_checkpoint = _step(best_of(evaluations(state.log_history)))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keeps the weights where they are the best so far; says where to stop."""
        found = evaluations(state.log_history)
        best = best_of(found)
        if best is None or int(found[-1]["step"]) != state.global_step:
            return  # an evaluation after the training
        if best is found[-1] and state.is_world_process_zero:
            path = self._path(state.global_step)
            shutil.rmtree(path, ignore_errors=True)  # written before the process was killed
            with atomic_directory(path) as folder:
                save_model(kwargs["model"], str(folder / SAFE_WEIGHTS_NAME))
            self._keep_only({state.global_step, self._of_checkpoint})
        if self.patience and len(found) - 1 - found.index(best) >= self.patience:
            control.should_training_stop = True
            control.should_save = False  # a training that goes on from here would not stop

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Removes weights that no checkpoint can come back to."""
        self._of_checkpoint = _step(best_of(evaluations(state.log_history)))
        if state.is_world_process_zero:
            self._keep_only({self._of_checkpoint})

    def load(self, model: nn.Module, state: TrainerState) -> ChosenEpoch:
        """Gives a trained model the weights of its best epoch, and tells which that is.

        Args:
            model: The one that was trained.
            state: Of its trainer.
        """
        found = evaluations(state.log_history)
        best = best_of(found)
        assert best is not None, "a fold is evaluated at the end of each epoch"
        if int(best["step"]) != state.global_step:
            load_model(model, str(self._path(int(best["step"])) / SAFE_WEIGHTS_NAME))
        return ChosenEpoch(
            epoch=best["epoch"],
            step=int(best["step"]),
            macro_f1=best[METRIC],
            rows=self.rows,
            macro_f1_by_epoch=[line[METRIC] for line in found],
            stopped=state.global_step < state.max_steps,
        )

    def _path(self, step: int) -> Path:
        return self.folder / f"best-{step}"

    def _keep_only(self, steps: Collection[int | None]) -> None:
        kept = {self._path(step) for step in steps if step is not None}
        for path in self.folder.glob("best-*"):
            if path not in kept:
                shutil.rmtree(path)


def _step(line: Mapping[str, Any] | None) -> int | None:
    return None if line is None else int(line["step"])
