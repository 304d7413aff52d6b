"""`Trainer` with public methods in place of the private ones that a subclass has to replace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
from torch import nn
from torch.utils.data import Sampler
from transformers import Trainer


class OpenTrainer(Trainer):
    """Calls a method with a public name wherever transformers has none between two private ones.

    Transformers has no argument or callback for the order of rows, none for what a checkpoint holds beside the
    generators' states, and none for what of it is pushed.
    """

    def train_sampler(self, dataset: datasets.Dataset) -> Sampler[int] | None:
        """Returns what draws the training rows; transformers' sampler unless replaced."""
        return super()._get_train_sampler(dataset)

    def eval_sampler(self, dataset: datasets.Dataset) -> Sampler[int] | None:
        """Returns the order of rows to evaluate; transformers' unless replaced."""
        return super()._get_eval_sampler(dataset)

    def save_running_state(self, folder: Path) -> None:
        """Writes to a checkpoint what a continued training needs; called by all processes."""

    def load_running_state(self, folder: Path) -> None:
        """Reads it back; called by all processes."""

    def push_checkpoint(self, folder: Path) -> None:
        """Uploads a checkpoint that was just written; called where checkpoints are pushed, by all processes."""
        super()._push_from_checkpoint(str(folder))

    def write_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Writes a checkpoint to `args.output_dir`."""
        super()._save_checkpoint(model, trial)

    def save_training_state(self, folder: str) -> None:
        """Writes optimizer, schedule, gradient scaler, generators and `save_running_state` to a folder."""
        self._save_optimizer_and_scheduler(folder)
        self._save_scaler(folder)
        self._save_rng_state(folder)

    def save_model_only(self) -> None:
        """Writes the model to `args.output_dir`, and does not push it, as `save_model` may."""
        self.save_model(_internal_call=True)

    def on_device(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Returns a batch on the device of the training."""
        return self._prepare_inputs(inputs)

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        return self.train_sampler(self.train_dataset if train_dataset is None else train_dataset)

    def _get_eval_sampler(self, eval_dataset: datasets.Dataset) -> Sampler[int] | None:
        return self.eval_sampler(eval_dataset)

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        self.save_running_state(Path(output_dir))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is not None:
            self.load_running_state(Path(checkpoint))

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        self.push_checkpoint(Path(checkpoint_folder))

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        self.write_checkpoint(model, trial)
