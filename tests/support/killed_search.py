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
from functools import partial
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from killed import ended, fork
from small_search import SPACE, small_search

from kobert_hf_emotion.search import page

MOST_CHILDREN = 60
TRIALS = 3


def search(model: Path, output: Path) -> None:
    space = {**SPACE, "epochs": 1, "batch_size": [16, 32]}
    small_search(output, model, TRIALS, space=space, checkpoint_seconds=0)


def main(model: Path, folder: Path, seed: int) -> None:
    page.write_page = lambda *_: None  # type: ignore[assignment]  # drawing takes longer than all the rest
    chance = random.Random(seed)
    whole, killed = folder / "whole", folder / "killed"
    if ended(fork(partial(search, model, whole), whole)) != 0:
        raise SystemExit("the search without a break failed")
    kills = 0
    for number in range(MOST_CHILDREN):
        # Few events first: at its start a search writes what tells whose it is.
        events = (2, 9, 60)[number] if number < 3 else chance.randint(100, 260)
        status = ended(fork(partial(search, model, killed), killed, folder / "steps.txt", events))
        if status == 0:
            break
        if status != -signal.SIGKILL:
            raise SystemExit(f"child {number} ended with {status}")
        kills += 1
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
