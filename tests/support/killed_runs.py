"""Runs a k-fold run in child processes that are killed (SIGKILL) at seeded moments, until one of them ends it.

A program of its own rather than a part of the test: the libraries are loaded once, those that a run loads as it goes
too, and each child is a fork.

    python tests/support/killed_runs.py MODEL OUTPUT SEED

Writes the finished run to OUTPUT/killed, one without a break to OUTPUT/whole, and prints as JSON where each child was
killed: "event" for one that killed itself at a file operation or a training step, "time" for one that was shot.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

from small_runs import make_args, make_dataset

from kobert_hf_emotion.runs import cross_validation
from kobert_hf_emotion.runs import writing as run_files
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.training.trainer import EmotionTrainer

FILE_EVENTS = {"open", "os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "os.symlink", "os.scandir"}
MOST_CHILDREN = 300


def leave_drawing_out() -> None:
    """Makes a run's pictures and its page empty files: drawing takes longer than all the rest."""
    for name in [name for name in vars(run_files) if name.startswith("plot_")]:
        setattr(run_files, name, lambda path, *_: path.touch())
    cross_validation.write_page = lambda run, record: (run / "report.html").touch()  # type: ignore[attr-defined]


def run(model: Path, output: Path, log: Path | None) -> None:
    args = make_args(
        per_device_train_batch_size=8, checkpoint_seconds=0, focal_alpha="balanced", logging_steps=2, log_level="error"
    )
    if log is not None:
        step = EmotionTrainer.training_step

        def noted(self: EmotionTrainer, *inputs: Any) -> Any:
            with log.open("a") as handle:
                handle.write(f"{self.args.output_dir} {self.state.global_step}\n")
            return step(self, *inputs)

        EmotionTrainer.training_step = noted  # type: ignore[method-assign]
    cross_validate(make_dataset(5), output, model, args, n_splits=2)


def load_as(modules: Path) -> None:
    """Imports what a child had loaded at its end, so that those that come need not."""
    for name in json.loads(modules.read_text(encoding="utf-8")):
        with suppress(ImportError):
            importlib.import_module(name)


def is_finished(run: Path) -> bool:
    record = run / "run.json"
    return record.is_file() and json.loads(record.read_text(encoding="utf-8"))["finished"]


def die_at(count: int, folder: str) -> None:
    """Kills this process at its `count`-th operation on a file in `folder`."""
    left = iter(range(count))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        inside = event in FILE_EVENTS and any(str(argument).startswith(folder) for argument in arguments[:2])
        if inside and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def child(
    model: Path, output: Path, log: Path | None = None, events: int | None = None, modules: Path | None = None
) -> int:
    """Starts the run in a fork and returns its process id; one that ends well tells which `modules` it has loaded."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if events is not None:
                die_at(events, str(output))
            run(model, output, log)
            if modules is not None:
                modules.write_text(json.dumps(sorted(sys.modules)), encoding="utf-8")
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return process


def main(model: Path, folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    began = time.monotonic()
    os.waitpid(child(model, folder / "whole", modules=folder / "modules.json"), 0)
    seconds = time.monotonic() - began  # with what it loaded, and so more than others need
    load_as(folder / "modules.json")
    kills: Counter[str] = Counter()
    for number in range(MOST_CHILDREN):
        # Few events first: a child that gets no further than its start moves nothing on, and later ones must.
        events = number * number + 1 if number < 5 else chance.randint(20, 90) if number % 4 else None
        process = child(model, folder / "killed", folder / "steps.txt", events)
        if events is None:
            time.sleep(chance.uniform(0.1, 0.4) * seconds)
            os.kill(process, signal.SIGKILL)  # it is a zombie where it has ended
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status == 0:
            break
        if status != -signal.SIGKILL:
            raise SystemExit(f"child {number} ended with {status}")
        kills["time" if events is None else "event"] += 1
        if is_finished(folder / "killed"):
            break  # killed after its last file: there is nothing to go on with
    json.dump(kills, sys.stdout)


if __name__ == "__main__":
    leave_drawing_out()  # here, for pytest imports this file to look for doctests
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
