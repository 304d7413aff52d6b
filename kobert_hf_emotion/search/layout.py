"""What lies where in the folder of a search; told without Optuna."""

from __future__ import annotations

from pathlib import Path

SEARCH_FILE, TRIALS_FILE, COMMAND_FILE, RESULT_FILE = "search.json", "trials.csv", "train.sh", "result.json"
"""What a search was begun with; a line a trial; the command with the best arguments; all figures."""


def is_search(folder: Path) -> bool:
    """Whether `folder` is that of a search, finished or not."""
    return (folder / SEARCH_FILE).is_file()
