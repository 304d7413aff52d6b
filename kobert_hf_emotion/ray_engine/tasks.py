"""Functions as tasks on Ray: what each is given, where it is done, and what is told where its process is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import KoBERTEmotionError, RunError
from .cluster import connected, require_ray
from .records import check_shared


@dataclass(frozen=True)
class TaskResources:
    """What a task is given.

    Attributes:
        cpus: Cores, and threads to compute with.
        gpus: Graphics processors; a part of one where several tasks share it.
    """

    cpus: int
    gpus: float

    @classmethod
    def parse(cls, text: str, argument: str) -> TaskResources:
        """Reads what the command line takes as `argument`.

        Raises:
            RunError: It is something else.

        Example:
            >>> TaskResources.parse("cpu=4,gpu=0.5", "resources_per_fold")
            TaskResources(cpus=4, gpus=0.5)
        """
        found = dict(re.findall(r"(cpu|gpu)=(\d+(?:\.\d+)?)", text))
        if text.replace(" ", "") != ",".join(f"{name}={value}" for name, value in found.items()) or not found:
            raise RunError(
                f"`{argument}`는 cpu=4 또는 cpu=4,gpu=1 꼴이어야 하는데 {text!r}입니다.",
                f"Expected something like cpu=4 or cpu=4,gpu=1 as `{argument}`, found {text!r}.",
                mend={argument: "cpu=1"},
            )
        return cls(max(1, int(float(found.get("cpu", 1)))), float(found.get("gpu", 0)))

    def places(self, there: dict[str, float]) -> int:
        """Returns how many such tasks a machine has room for that has so much."""
        cores = int(there.get("CPU", 0) / self.cpus)
        return min(cores, int(there.get("GPU", 0) / self.gpus + 1e-9)) if self.gpus else cores


class Tasks:
    """Tasks on the cluster that this process is connected to.

    Args:
        given: What each is given.
        folder: Where they write, which all machines see under this name.
    """

    def __init__(self, given: TaskResources, folder: Path) -> None:
        self.given = given
        self._folder = folder
        self._waiting: dict[Any, int] = {}

    def places(self) -> int:
        """Returns how many tasks the machines that are there now have room for."""
        return sum(self.given.places(there) for there in _machines())

    def start(self, number: int, function: Callable[..., None], *inputs: Any) -> None:
        """Has a function called on some machine.

        Args:
            number: By which `ended` tells of it.
            function: Of a module; its name is that of its process.
            inputs: What it is called with.
        """
        import ray

        task = ray.remote(num_cpus=self.given.cpus, num_gpus=self.given.gpus, max_retries=0)(_call)
        named = task.options(name=function.__name__)
        self._waiting[named.remote(function, inputs, self._folder, self.given.cpus)] = number

    def ended(self, seconds: float) -> tuple[int, str | None] | None:
        """Waits for a task to end.

        Args:
            seconds: For how long.

        Returns:
            Its number, and why its process was lost if it was; None where none has ended.

        Raises:
            KoBERTEmotionError: The function raised it.
            OSError: Likewise.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        done, _ = ray.wait(list(self._waiting), timeout=seconds)
        if not done:
            return None
        number = self._waiting.pop(done[0])
        try:
            ray.get(done[0])
        except RayTaskError as error:
            raise error.cause if isinstance(error.cause, KoBERTEmotionError | OSError) else error from error
        except RayError as error:
            return number, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
        return number, None

    def cancel(self) -> None:
        """Ends the processes of all tasks that have not ended."""
        import ray

        for task in self._waiting:
            ray.cancel(task, force=True)
        self._waiting.clear()


def tasks_on_ray(
    address: str | None = None, each: TaskResources | None = None
) -> Callable[[Path], AbstractContextManager[Tasks]]:
    """Returns what gives tasks that write to a folder, as `search_arguments` takes it.

    Args:
        address: Of a cluster; see `connected`.
        each: What a task is given; by default a graphics processor where there are some, and as many threads as this
            process computes with, or as the largest machine has.
    """

    @contextmanager
    def given(folder: Path) -> Iterator[Tasks]:
        import torch

        with connected(address) as there:
            largest = max([1, *(int(machine.get("CPU", 0)) for machine in _machines())])
            tasks = Tasks(each or TaskResources(min(torch.get_num_threads(), largest), 1 if there.gpus else 0), folder)
            if not tasks.places():
                raise _no_room(tasks.given)
            try:
                yield tasks
            finally:
                tasks.cancel()

    return given


def _machines() -> list[dict[str, float]]:
    return [node["Resources"] for node in require_ray().nodes() if node["Alive"]]


def _call(function: Callable[..., None], inputs: tuple[Any, ...], folder: Path, threads: int) -> None:
    """Calls a function in a process of the cluster."""
    import torch

    torch.set_num_threads(threads)
    check_shared(folder, "output_dir")
    function(*inputs)


def _no_room(given: TaskResources) -> RunError:
    found = "; ".join(f"cpu={there.get('CPU', 0):g},gpu={there.get('GPU', 0):g}" for there in _machines())
    return RunError(
        f"cpu={given.cpus},gpu={given.gpus:g}을(를) 줄 수 있는 컴퓨터가 없습니다(있는 것: {found}). 시도마다 더 적게 "
        "쓰세요.",
        f"No machine has cpu={given.cpus},gpu={given.gpus:g} (there are: {found}). Give each trial less.",
        mend={"resources_per_trial": "cpu=1"},
    )
