"""What processes of a cluster tell each other: of files, of parts, and of what they cannot go on for."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import KoBERTEmotionError, RunError

Record: TypeAlias = dict[str, Any]
"""What is told of a file or a part, in values that JSON has; `kind` says of what."""


class Stopwatch:
    """Adds up the seconds of steps, by the clock and of the processor: the latter do not depend on what else runs."""

    def __init__(self) -> None:
        self._last = time.perf_counter(), time.process_time()
        self._sums: dict[str, list[float]] = {}

    def lap(self, step: str | None) -> None:
        """Counts the time since the last lap for a step; for none if None."""
        now = time.perf_counter(), time.process_time()
        if step is not None:
            sums = self._sums.setdefault(step, [0.0, 0.0])
            for index in (0, 1):
                sums[index] += now[index] - self._last[index]
        self._last = now

    def to_dict(self) -> dict[str, list[float]]:
        """Returns the seconds of each step, by the clock and of the processor."""
        return {step: [round(part, 6) for part in sums] for step, sums in self._sums.items()}


def failure_record(error: KoBERTEmotionError | OSError) -> Record:
    """Returns the record of an error that ends the job."""
    number = error.errno if isinstance(error, OSError) else None
    way_out = error.try_this if isinstance(error, KoBERTEmotionError) else None
    about = {"type": type(error).__name__, "errno": number, "try_this": way_out}
    return {"kind": "failure", **about, "error": languages(error)}


def languages(error: KoBERTEmotionError | OSError) -> dict[str, str]:
    """Returns the message of an error in both languages."""
    if isinstance(error, KoBERTEmotionError):
        return {"korean": error.korean, "english": error.english}
    return {"korean": str(error), "english": str(error)}


def check_shared(output: Path, argument: str = "output") -> None:
    """Raises `RunError` where a process does not see the folder of the result: its machine would write elsewhere."""
    if output.is_dir():
        return
    machine = platform.node()
    raise RunError(
        f"컴퓨터 {machine}에는 {output} 폴더가 없습니다. 모든 컴퓨터가 같은 이름으로 보는 공유 폴더를 "
        f"`{argument}`(으)로 주세요.",
        f"The machine {machine} does not see the folder {output}. Give a shared folder as `{argument}` that all "
        "machines see under the same name.",
    )
