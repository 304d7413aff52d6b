"""Timing of several ways to do one thing, in turn, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """The seconds of each run, in the order of the rounds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The range of the runs as a share of their median; 0.1 says that slowest and fastest lie 10% apart."""
        return (max(self.seconds) - min(self.seconds)) / self.median


def interleave(candidates: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Timing]:
    """Runs all candidates one after the other, `repeats` times.

    Args:
        candidates: What to time, by name; anything that is done once only (loading, warming up) has been done.
        repeats: Rounds, at least 1.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # what was launched is not done yet
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def ratio(slower: Timing, faster: Timing) -> float:
    """Returns how many times as fast the second is, as the median over the rounds."""
    return statistics.median(a / b for a, b in zip(slower.seconds, faster.seconds, strict=True))
