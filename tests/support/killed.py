"""Forks that kill themselves (SIGKILL), at an operation on a file or at a training step, and the steps they did."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import Trainer

from kobert_hf_emotion.training.trainer import EmotionTrainer

FILE_EVENTS = {"open", "os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "os.symlink", "os.scandir"}


def die_at(count: int, folder: str) -> None:
    """Kills this process at its `count`-th operation on a file in `folder`."""
    left = iter(range(count))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        inside = event in FILE_EVENTS and any(str(argument).startswith(folder) for argument in arguments[:2])
        if inside and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def log_steps(log: Path) -> None:
    """Writes the folder and the number of every training step of this process into a file, before it is done."""
    step = EmotionTrainer.training_step

    def noted(self: EmotionTrainer, *inputs: Any) -> Any:
        with log.open("a") as handle:
            handle.write(f"{self.args.output_dir} {self.state.global_step}\n")
        return step(self, *inputs)

    EmotionTrainer.training_step = noted  # type: ignore[method-assign]


def killed_at_step(trainer: type[Trainer], steps: int, work: Callable[[], None]) -> bool:
    """Tells whether a fork that does `work` was killed before its training step after `steps` of a trainer's."""

    def until_killed() -> None:
        step, left = trainer.training_step, iter(range(steps))

        def deadly(self: Trainer, *inputs: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self, *inputs)

        trainer.training_step = deadly  # type: ignore[method-assign]
        work()

    return ended(fork(until_killed, Path())) == -signal.SIGKILL


def fork(work: Callable[[], None], folder: Path, log: Path | None = None, events: int | None = None) -> int:
    """Starts `work` in a fork and returns its process id.

    Args:
        work: What is done; the fork ends with 0 after it, and with 1 where it raises.
        folder: Where it writes.
        log: A file that takes the training steps.
        events: The operation on a file in `folder` at which the fork kills itself; it does not if None.
    """
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if events is not None:
                die_at(events, str(folder))
            if log is not None:
                log_steps(log)
            work()
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return process


def ended(process: int) -> int:
    """Waits for a fork and returns how it ended; below 0 where a signal killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
