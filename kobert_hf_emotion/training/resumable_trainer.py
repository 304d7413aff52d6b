"""The trainer of one fold, with checkpoints that a killed process can be continued from."""

# ruff: noqa: ARG002 - methods that the Trainer calls take what it passes

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from safetensors.torch import save_model
from torch import nn
from transformers import (
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, EvalLoopOutput
from transformers.utils import SAFE_WEIGHTS_NAME

from ..utils.files import atomic_directory
from .arguments import EmotionTrainingArguments
from .choosing import PREFIX, ChosenEpoch, EpochKeeper
from .pushing import PushingTrainer
from .trainer import EmotionTrainer

COST = 20
"""A checkpoint is due after at least so many times the seconds that writing the last one took."""


class CheckpointingTrainer(PushingTrainer):
    """A trainer that writes a checkpoint now and then, whole or not at all, and keeps only the last.

    `train(resume_from_checkpoint=last_checkpoint(args.output_dir))` continues and ends, on the CPU, with the same
    bits as a training without a break: weights, optimizer, schedule, random generators and the place in the epoch are
    carried on. Transformers' own bars and prints are left out.

    Args:
        *args: As for the trainer that a subclass mixes this one with.
        **kwargs: Likewise.
    """

    args: EmotionTrainingArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.clock = CheckpointClock(self.accelerator, self.args.checkpoint_seconds)
        self.add_callback(self.clock)

    def write_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Writes a checkpoint, whole or not at all, and removes those before it."""
        started = time.monotonic()
        output = Path(str(self.args.output_dir))
        name = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        with _shared_directory(output / name, self.accelerator) as folder:
            if self.args.should_save:  # no tokenizer: it does not change, and takes longer than the weights
                save_model(self.model, str(Path(folder, SAFE_WEIGHTS_NAME)))
            self.save_training_state(folder)
            if self.args.should_save:
                self.state.save_to_json(str(Path(folder, TRAINER_STATE_NAME)))
        if self.args.should_save:
            for older in _checkpoints(output):
                if older.name != name:
                    shutil.rmtree(older)
        self.clock.restart(COST * (time.monotonic() - started))


class FoldTrainer(CheckpointingTrainer, EmotionTrainer):
    """`EmotionTrainer` with checkpoints, which carry on the running figures of the log too.

    Args:
        *args: As for `EmotionTrainer`.
        choosing: Rows that the kept epoch is chosen on, and by which a training may be stopped; see
            `EmotionTrainingArguments.best_epoch`. Where there are none, the last epoch is kept.
        **kwargs: As for `EmotionTrainer`.
    """

    def __init__(self, *args: Any, choosing: datasets.Dataset | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keeper: EpochKeeper | None = None
        if choosing is not None:
            self._choosing = self.get_eval_dataloader(choosing)
            self.keeper = EpochKeeper(Path(str(self.args.output_dir)), self.args.early_stopping_patience, len(choosing))
            self.add_callback(self.keeper)
        self._last_evaluation: tuple[int, EvalLoopOutput] | None = None

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """Evaluates as `EmotionTrainer` does, and in a training the rows that choose as well.

        The output of the validation rows is kept for `validate`.
        """
        output = super().evaluation_loop(*args, **kwargs)
        if self.keeper is not None and self.is_in_train:
            chosen_by = super().evaluation_loop(self._choosing, "Choosing", metric_key_prefix=PREFIX)
            output = output._replace(metrics={**(output.metrics or {}), **(chosen_by.metrics or {})})
        self._last_evaluation = (self.state.global_step, output)
        return output

    def keep_best(self) -> ChosenEpoch | None:
        """Goes back to the weights of the best epoch, where one is chosen, and tells which."""
        if self.keeper is None:
            return None
        self.accelerator.wait_for_everyone()
        chosen = self.keeper.load(self.model, self.state)
        if chosen.step != self.state.global_step:
            self._last_evaluation = None  # of other weights
        return chosen

    def validate(self) -> EvalLoopOutput:
        """Returns logits and labels of the validation rows for the weights as they are.

        The evaluation that ends the last epoch has them already; only where there was none are they computed.
        """
        if self._last_evaluation is None or self._last_evaluation[0] != self.state.global_step:
            self.evaluate()
        assert self._last_evaluation is not None
        return self._last_evaluation[1]


class CheckpointClock(TrainerCallback):
    """Asks for a checkpoint after a step where one is due.

    Args:
        accelerator: That of the trainer; the clock of its first process counts for all.
        seconds: Between two checkpoints, at least; 0 makes one due after every step.
    """

    def __init__(self, accelerator: Accelerator, seconds: float) -> None:
        self.accelerator = accelerator
        self.seconds = seconds
        self.restart(0.0)

    def restart(self, seconds: float) -> None:
        """Starts to count anew; the next checkpoint is not due before `seconds` have passed."""
        self._due = time.monotonic() + (max(self.seconds, seconds) if self.seconds else 0.0)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Asks within an epoch; at its end the evaluation comes first, or the continued run would not have it."""
        if not control.should_training_stop and not (state.epoch or 0.0).is_integer():
            control.should_save = self._is_due()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Asks at the end of an epoch, but not of the last one: the fold's own folder is written then."""
        if not control.should_training_stop:
            control.should_save = self._is_due()

    def _is_due(self) -> bool:
        due = [time.monotonic() >= self._due]
        if self.accelerator.num_processes > 1:
            broadcast_object_list(due)
        return due[0]


def last_checkpoint(folder: Path) -> str | None:
    """Returns the path of the last checkpoint in a trainer's folder, or None where there is none."""
    found = _checkpoints(folder)
    return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def _checkpoints(folder: Path) -> list[Path]:
    """Returns the checkpoints in a folder, and nothing that somebody put aside there under a name of their own."""
    named = re.compile(rf"{PREFIX_CHECKPOINT_DIR}-\d+")
    return [path for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.is_dir() and named.fullmatch(path.name)]


@contextmanager
def _shared_directory(path: Path, accelerator: Accelerator) -> Iterator[str]:
    """Yields to every process the hidden folder that becomes `path` when all of them are done with it."""
    shared = [""]
    if not accelerator.is_main_process:
        broadcast_object_list(shared)
        yield shared[0]
        accelerator.wait_for_everyone()
        accelerator.wait_for_everyone()
        return
    with atomic_directory(path) as folder:
        shared[0] = str(folder)
        if accelerator.num_processes > 1:
            broadcast_object_list(shared)
        yield shared[0]
        accelerator.wait_for_everyone()  # until all have written, before the folder gets its name
    accelerator.wait_for_everyone()
