"""Runs a search in child processes that are killed (SIGKILL) at seeded moments, until one of them ends it.

A program of its own rather than a part of the test: the libraries are loaded once, and each child is a fork.

    python tests/support/killed_search.py MODEL OUTPUT SEED

Writes the finished search to OUTPUT/killed, one without a break to OUTPUT/whole, the steps of the former to
OUTPUT/steps.txt, and prints how many children were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

from small_search import SPACE, small_search

from kobert_hf_emotion.search import page
from kobert_hf_emotion.training.trainer import EmotionTrainer

FILE_EVENTS = {"open", "os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "os.scandir"}
MOST_CHILDREN = 60
TRIALS = 3


def search(model: Path, output: Path, log: Path | None) -> None:
    if log is not None:
        step = EmotionTrainer.training_step

        def noted(self: EmotionTrainer, *inputs: Any) -> Any:
            with log.open("a") as handle:
                handle.write(f"{self.args.output_dir} {self.state.global_step}\n")
            return step(self, *inputs)

        EmotionTrainer.training_step = noted  # type: ignore[method-assign]
    space = {**SPACE, "epochs": 1, "batch_size": [16, 32]}
    small_search(output, model, TRIALS, space=space, checkpoint_seconds=0)


def die_at(count: int, folder: str) -> None:
    """Kills this process at its `count`-th operation on a file in `folder`."""
    left = iter(range(count))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        inside = event in FILE_EVENTS and any(str(argument).startswith(folder) for argument in arguments[:2])
        if inside and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def child(model: Path, output: Path, log: Path | None = None, events: int | None = None) -> int:
    """Searches in a fork and returns how that ended."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if events is not None:
                die_at(events, str(output))
            search(model, output, log)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(model: Path, folder: Path, seed: int) -> None:
    page.write_page = lambda *_: None  # type: ignore[assignment]  # drawing takes longer than all the rest
    chance = random.Random(seed)
    if child(model, folder / "whole") != 0:
        raise SystemExit("the search without a break failed")
    kills = 0
    for number in range(MOST_CHILDREN):
        # Few events first: at its start a search writes what tells whose it is.
        events = (2, 9, 60)[number] if number < 3 else chance.randint(100, 260)
        status = child(model, folder / "killed", folder / "steps.txt", events)
        if status == 0:
            break
        if status != -signal.SIGKILL:
            raise SystemExit(f"child {number} ended with {status}")
        kills += 1
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
