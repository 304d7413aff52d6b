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
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from killed import ended, fork
from small_runs import make_args, make_dataset

from kobert_hf_emotion.runs import cross_validation
from kobert_hf_emotion.runs import writing as run_files
from kobert_hf_emotion.runs.cross_validation import cross_validate

MOST_CHILDREN = 300


def leave_drawing_out() -> None:
    """Makes a run's pictures and its page empty files: drawing takes longer than all the rest."""
    for name in [name for name in vars(run_files) if name.startswith("plot_")]:
        setattr(run_files, name, lambda path, *_: path.touch())
    cross_validation.write_page = lambda run, record: (run / "report.html").touch()  # type: ignore[attr-defined]


def run(model: Path, output: Path) -> None:
    args = make_args(
        per_device_train_batch_size=8, checkpoint_seconds=0, focal_alpha="balanced", logging_steps=2, log_level="error"
    )
    cross_validate(make_dataset(5), output, model, args, n_splits=2)


def run_to_the_end(model: Path, output: Path, modules: Path) -> None:
    """Makes a run without a break, and tells which modules it has loaded."""
    run(model, output)
    modules.write_text(json.dumps(sorted(sys.modules)), encoding="utf-8")


def load_as(modules: Path) -> None:
    """Imports what a child had loaded at its end, so that those that come need not."""
    for name in json.loads(modules.read_text(encoding="utf-8")):
        with suppress(ImportError):
            importlib.import_module(name)


def is_finished(run: Path) -> bool:
    record = run / "run.json"
    return record.is_file() and json.loads(record.read_text(encoding="utf-8"))["finished"]


def main(model: Path, folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    began = time.monotonic()
    ended(fork(partial(run_to_the_end, model, folder / "whole", folder / "modules.json"), folder / "whole"))
    seconds = time.monotonic() - began  # with what it loaded, and so more than others need
    load_as(folder / "modules.json")
    kills: Counter[str] = Counter()
    for number in range(MOST_CHILDREN):
        # Few events first: a child that gets no further than its start moves nothing on, and later ones must.
        events = number * number + 1 if number < 5 else chance.randint(20, 90) if number % 4 else None
        killed = folder / "killed"
        process = fork(partial(run, model, killed), killed, folder / "steps.txt", events)
        if events is None:
            time.sleep(chance.uniform(0.1, 0.4) * seconds)
            os.kill(process, signal.SIGKILL)  # it is a zombie where it has ended
        status = ended(process)
        if status == 0:
            break
        if status != -signal.SIGKILL:
            raise SystemExit(f"child {number} ended with {status}")
        kills["time" if events is None else "event"] += 1
        if is_finished(killed):
            break  # killed after its last file: there is nothing to go on with
    json.dump(kills, sys.stdout)


if __name__ == "__main__":
    leave_drawing_out()  # here, for pytest imports this file to look for doctests
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
