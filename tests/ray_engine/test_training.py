"""Folds of a run on a real Ray: the files and bits of a run without it, also where a fold's process is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.ray_engine.tasks import TaskResources
from kobert_hf_emotion.ray_engine.training import folds_on_ray
from kobert_hf_emotion.runs.cross_validation import cross_validate

PICTURES = {".png"}


def files_of(run: Path) -> dict[str, str]:
    """The files of a run by their name, with the SHA-256 of each."""
    paths = [path for path in sorted(run.rglob("*")) if path.is_file() and path.suffix not in PICTURES]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def fold_processes() -> list[psutil.Process]:
    """The processes that train a fold, as Ray names them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0] == "ray::_fold":
            found.append(process)
    return found


@pytest.mark.slow
def test_a_run_on_ray_is_the_run_without_it(cluster: Any, tmp_path: Path, tiny_model_folder: Path) -> None:
    """A fold is killed after its first checkpoint, and goes on from it."""
    settings = {"per_device_train_batch_size": 4, "num_train_epochs": 2, "checkpoint_seconds": 0}
    dataset, local, ray = make_dataset(6), tmp_path / "local" / "run", tmp_path / "ray" / "run"
    cross_validate(dataset, local, tiny_model_folder, make_args(**settings), 2)
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 120
        while not killed and time.monotonic() < until:
            if list(ray.glob("in_progress/fold_*/checkpoint-*")):
                for process in fold_processes()[:1]:
                    os.kill(process.pid, signal.SIGKILL)
                    killed.append(process.pid)
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    on_ray = folds_on_ray(each=TaskResources(1, 0))
    cross_validate(dataset, ray, tiny_model_folder, make_args(**settings), 2, train_elsewhere=on_ray)
    killer.join()
    assert killed
    ours, theirs = files_of(ray), files_of(local)
    differing = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}
    assert differing <= {"run.json"}, differing  # which names its folder
    records = [
        json.loads((tmp_path / name / "run" / "run.json").read_text(encoding="utf-8")) for name in ("ray", "local")
    ]
    for record in records:
        record["training_arguments"].pop("output_dir", None)
        for fold in record["folds"]:
            fold.pop("path")
    assert records[0] == records[1]


@pytest.mark.parametrize("text", ["4", "cpu=4;gpu=1", "gpu", "cpu=x"])
def test_resources_that_are_none(text: str) -> None:
    with pytest.raises(RunError, match="cpu=4"):
        TaskResources.parse(text, "resources_per_fold")
