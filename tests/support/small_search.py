"""A small search, and what of it must not depend on how often it was killed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from small_runs import make_dataset

from kobert_hf_emotion.search.outcome import SearchResult
from kobert_hf_emotion.search.searching import search_arguments

SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "epochs": {"low": 1, "high": 2},
    "batch_size": [8, 16],
    "alpha": ["1.0", "balanced"],
    "layer_decay": {"low": 0.5, "high": 1.0, "step": 0.25},
    "lr_scheduler_type": ["linear", "cosine"],
    "max_length": 24,
}


def small_search(folder: Path, model: Path, trials: int = 6, **settings: Any) -> SearchResult:
    """Searches on 49 rows with a tiny model."""
    given = {"space": SPACE, "n_splits": 2, "held_out": 0.2, "seed": 3, **settings}
    return search_arguments(make_dataset(7), folder, model, trials, **given)


def found(folder: Path) -> dict[str, Any]:
    """Returns what a search says, but for times and places."""
    with (folder / "trials.csv").open(encoding="utf-8", newline="") as handle:
        trials = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(handle)]
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    del result["output_dir"]
    return {"trials": trials, "result": result, "command": (folder / "train.sh").read_text(encoding="utf-8")}
