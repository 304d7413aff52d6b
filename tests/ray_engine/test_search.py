"""Trials of a search on a real Ray: those of a search without it, also where their processes and machines are lost."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray_worker import NODE
from small_search import SPACE, found, small_search

from kobert_hf_emotion.errors import KoBERTEmotionError, RunError
from kobert_hf_emotion.ray_engine.tasks import TaskResources, tasks_on_ray
from kobert_hf_emotion.search import elsewhere, page
from kobert_hf_emotion.search.space import space_from

SHORT: dict[str, Any] = {**SPACE, "epochs": 1, "batch_size": [16, 32]}
ONE_CORE = TaskResources(1, 0)


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take longer than all the rest, and are tested elsewhere."""
    monkeypatch.setattr(page, "write_page", lambda *_: None)


def trials_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "trials.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def trial_processes() -> list[psutil.Process]:
    """The processes that make a trial, as Ray names them."""
    running = psutil.process_iter(["cmdline"])
    return [process for process in running if (process.info["cmdline"] or [""])[0] == "ray::make_trial"]


@contextmanager
def once(is_time: Callable[[], Any], act: Callable[[], None]) -> Iterator[list[bool]]:
    """Acts as soon as it is time, beside the block; what is yielded tells whether it was."""
    done: list[bool] = []
    ended = threading.Event()

    def watch() -> None:
        while not done and not ended.wait(0.005):
            if is_time():
                act()
                done.append(True)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
def test_a_search_on_ray_finds_what_one_without_it_finds(
    cluster: Any, tmp_path: Path, tiny_model_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One trial at a time; the process of one is killed after a checkpoint, and another goes on from there."""
    settings = {"space": SHORT, "checkpoint_seconds": 0}
    small_search(tmp_path / "local", tiny_model_folder, 3, **settings)
    folder = tmp_path / "ray"

    def kill() -> None:
        for process in trial_processes():
            os.kill(process.pid, signal.SIGKILL)

    with once(lambda: list(folder.glob("trials/trial_1/in_progress/fold_*/checkpoint-*")), kill) as killed:
        on_ray = tasks_on_ray(each=ONE_CORE)
        small_search(folder, tiny_model_folder, 3, n_jobs=1, elsewhere=on_ray, **settings)
    assert killed
    assert found(folder) == found(tmp_path / "local")
    places = (folder, tmp_path / "local")
    names = [sorted(str(path.relative_to(place)) for path in place.rglob("*")) for place in places]
    assert names[0] == names[1], "something was left behind"
    assert "process of trial 1 was lost" in caplog.text


@pytest.mark.slow
def test_a_node_is_removed_and_either_engine_goes_on_with_the_other(
    cluster: Any, tmp_path: Path, tiny_model_folder: Path
) -> None:
    folder, settings = tmp_path / "s", {"space": SHORT, "checkpoint_seconds": 0}
    small_search(folder, tiny_model_folder, 2, **settings)
    node = cluster.add_node(**NODE | {"num_cpus": 1})
    cluster.wait_for_nodes()
    most: list[int] = []

    def is_time() -> bool:
        most.append(len(trial_processes()))
        return most[-1] == 3

    with once(is_time, lambda: cluster.remove_node(node, allow_graceful=False)) as removed:
        small_search(folder, tiny_model_folder, 7, elsewhere=tasks_on_ray(each=ONE_CORE), **settings)
    assert removed
    assert max(most) == 3
    result = small_search(folder, tiny_model_folder, 8, **settings)
    rows = trials_of(folder)
    assert [int(row["trial"]) for row in rows] == list(range(8))
    assert len({tuple(row[name] for name in SHORT) for row in rows}) == 8, "no arguments twice"
    assert sum(result.by_end.values()) == 8
    assert result.by_end["lost"] == 0
    done = [json.loads(path.read_text())["number"] for path in folder.glob("trials/*/fold_*/fold.json")]
    assert len(done) >= 2 * result.by_end["complete"]
    assert not list(folder.glob("trials/*/in_progress"))


class HereWithLosses:
    """Calls functions in this process, but for one trial whose process is lost whenever it begins."""

    def __init__(self, unlucky: int, _folder: Path) -> None:
        self.unlucky, self.begun = unlucky, Counter[int]()
        self.waiting: list[int] = []

    def __enter__(self) -> HereWithLosses:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def places(self) -> int:
        return 1

    def start(self, number: int, function: Callable[..., None], *inputs: Any) -> None:
        self.begun[number] += 1
        self.waiting.append(number)
        if number != self.unlucky:
            function(*inputs)

    def ended(self, seconds: float) -> tuple[int, str | None] | None:
        number = self.waiting.pop(0)
        return number, "WorkerCrashedError: gone" if number == self.unlucky else None


@pytest.mark.slow
def test_a_trial_that_takes_every_process_with_it_is_told(tmp_path: Path, tiny_model_folder: Path) -> None:
    made: list[HereWithLosses] = []

    def given(folder: Path) -> HereWithLosses:
        made.append(HereWithLosses(1, folder))
        return made[0]

    result = small_search(tmp_path / "s", tiny_model_folder, 3, space=SHORT, elsewhere=given)
    assert made[0].begun[1] == elsewhere.TRIES_OF_A_TRIAL
    assert [row["end"] for row in trials_of(tmp_path / "s")].count("lost") == 1
    assert trials_of(tmp_path / "s")[1]["end"] == "lost"
    assert result.by_end["lost"] == 1
    assert result.best in (0, 2)


def test_what_cannot_be_done_is_said(cluster: Any, tmp_path: Path, tiny_model_folder: Path) -> None:
    """Before a trial begins, and where the function or its place is at fault."""
    with pytest.raises(RunError, match=r"No machine has cpu=64,gpu=0 \(there are: cpu=2,gpu=0\)") as caught:
        small_search(tmp_path / "a", tiny_model_folder, 2, elsewhere=tasks_on_ray(each=TaskResources(64, 0)))
    assert caught.value.mend == {"resources_per_trial": "cpu=1"}
    for folder, error in ((tmp_path, "nothing_like_it"), (tmp_path / "b", "does not see the folder")):
        with tasks_on_ray(each=ONE_CORE)(folder) as tasks:
            tasks.start(3, space_from, {"nothing_like_it": [1, 2]})
            with pytest.raises(KoBERTEmotionError, match=error):
                assert tasks.ended(60)


@pytest.mark.parametrize(
    ("given", "there", "places"),
    [
        (TaskResources(2, 0), {"CPU": 5.0}, 2),
        (TaskResources(1, 1), {"CPU": 8.0}, 0),
        (TaskResources(1, 0.1), {"CPU": 64.0, "GPU": 1.0}, 10),
        (TaskResources(4, 0.5), {"CPU": 8.0, "GPU": 4.0}, 2),
    ],
)
def test_how_many_trials_a_machine_has_room_for(given: TaskResources, there: dict[str, float], places: int) -> None:
    assert given.places(there) == places
