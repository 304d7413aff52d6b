"""A training loop that can be interrupted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from default_model.network import MovingAverage, MultiTaskNetwork
from default_model.settings import Settings

CHECKPOINT_SECONDS = 150.0
LOG_STEPS = 50


class Stage:
    """A training loop that can be interrupted: steps, learning rate, averaging, log, checkpoints.

    Args:
        name: Name of the files in `work`.
        network: What is trained; it starts as it is and ends with the averaged weights.
        settings: Settings of the run.
        work: Folder for checkpoints.
        steps: Number of updates.
        learning_rate: Peak of the schedule: a warm-up, then cosine to 0.
        constant_share: Share of the steps at the peak, before the cosine begins.
    """

    def __init__(
        self,
        name: str,
        network: MultiTaskNetwork,
        settings: Settings,
        work: Path,
        *,
        steps: int,
        learning_rate: float,
        constant_share: float = 0.0,
    ) -> None:
        self.name, self.network, self.settings, self.steps = name, network, settings, steps
        self.constant_steps = int(steps * constant_share)
        self.done_file, self.partial_file = work / f"{name}.pt", work / f"{name}.partial.pt"
        decayed = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.average = MovingAverage(network, settings.average_decay)
        self.step, self.seconds, self.log = 0, 0.0, []  # type: int, float, list[dict[str, float]]

    def _rate(self, step: int) -> float:
        warmup = max(1, int(self.steps * self.settings.warmup_share))
        if step < warmup:
            return (step + 1) / warmup
        start = max(warmup, self.constant_steps)
        done = (step - start) / max(1, self.steps - start)
        return 0.5 * (1 + float(np.cos(np.pi * min(1.0, max(0.0, done)))))

    def run(
        self,
        epoch_batches: Callable[[int], Iterator[Any]],
        loss: Callable[[Any, torch.Generator], Tensor],
        report: Callable[[], dict[str, float]] | None = None,
    ) -> dict[str, Any]:
        """Trains to the end, or returns at once where the stage is done.

        Args:
            epoch_batches: Gives the batches of an epoch; the same number gives the same batches.
            loss: Loss of a batch; all its randomness comes from the generator and torch's own.
            report: Figures on held-out rows, for the log, with the averaged weights in place.

        Returns:
            Steps, seconds and log of the stage.
        """
        if self.done_file.exists():
            state = torch.load(self.done_file, weights_only=True)
            self.network.load_state_dict(state["network"])
            record: dict[str, Any] = state["record"]
            return record
        self._resume()
        started, saved, running = time.monotonic() - self.seconds, time.monotonic(), []
        self.network.train()
        position = 0
        for epoch in range(1_000_000):
            for batch in epoch_batches(epoch):
                position += 1
                if position <= self.step:
                    continue
                running.append(self._update(batch, loss))
                self.seconds = time.monotonic() - started
                if self.step % LOG_STEPS == 0:
                    self._note({"loss": float(torch.stack(running).mean())})
                    running = []
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save_partial()
                    saved = time.monotonic()
                if self.step >= self.steps:
                    return self._finish(report)
        raise AssertionError("unreachable")

    def _update(self, batch: Any, loss: Callable[[Any, torch.Generator], Tensor]) -> Tensor:
        torch.manual_seed(self.settings.seed + self.step)
        generator = torch.Generator().manual_seed(self.settings.seed + self.step)
        value = loss(batch, generator)
        self.optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.average.update(self.network)
        self.step += 1
        return value.detach()

    def _note(self, figures: dict[str, float]) -> None:
        entry = {"step": self.step, "seconds": round(self.seconds, 1), **figures}
        self.log.append(entry)
        print(self.name, json.dumps(entry), flush=True)

    def _save_partial(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.average,
            "updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
        }
        save_atomically(state, self.partial_file)

    def _resume(self) -> None:
        if not self.partial_file.exists():
            return
        state = torch.load(self.partial_file, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.average, self.average.updates = state["average"], state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    def _finish(self, report: Callable[[], dict[str, float]] | None) -> dict[str, Any]:
        self.network.load_state_dict(self.average.average)
        if report is not None:
            self._note(report())
        record = {"steps": self.step, "seconds": round(self.seconds, 1), "log": self.log}
        save_atomically({"network": self.network.state_dict(), "record": record}, self.done_file)
        self.partial_file.unlink(missing_ok=True)
        return record


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Writes with `torch.save` so that `path` is either the old file or the whole new one."""
    partial = path.with_name(path.name + ".tmp")
    torch.save(state, partial)
    os.replace(partial, path)
