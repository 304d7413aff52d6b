"""The table a benchmark prints, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from kobert_hf_emotion.errors import KoBERTEmotionError

from .timing import Timing, ratio

OURS = "kobert_hf_emotion"


class Disagreement(Exception):  # noqa: N818 - the name says what was found
    """The results of two ways differ by more than they may: there is no speed to compare."""


@dataclass
class Report:
    """The figures of one benchmark.

    Args:
        title: What was measured, on which data.
        checks: What agrees, by name, as it was found before anything was timed.
        timings: The runs of each way; the one called `OURS` is what the others are compared with.
        items: Texts (or rows) of one run, which makes a rate of a time.
        facts: Further figures by name.
    """

    title: str
    checks: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Timing] = field(default_factory=dict)
    items: int = 1
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values, with medians, spreads and ratios."""
        return {
            "title": self.title,
            "machine": machine(),
            "checks": self.checks,
            "items": self.items,
            "timings": {
                name: {
                    **asdict(timing),
                    "median": timing.median,
                    "spread": timing.spread,
                    "per_second": self.items / timing.median,
                    "times_slower_than_ours": ratio(timing, self.timings[OURS]),
                }
                for name, timing in self.timings.items()
            },
            "facts": self.facts,
        }


def report(measure: Callable[[], list[Report]], as_json: bool) -> int:
    """Measures, prints, and returns the exit code: 1 where the results differ, 2 where something cannot be measured."""
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        show(measure(), as_json)
    except Disagreement as error:
        sys.stderr.write(f"결과가 서로 달라 속도를 비교하지 않습니다 (the results differ): {error}\n")
        return 1
    except (KoBERTEmotionError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def show(reports: list[Report], as_json: bool) -> None:
    """Prints reports as one JSON list, or as tables."""
    console = Console(soft_wrap=True, width=120)
    if as_json:
        console.out(json.dumps([report.to_dict() for report in reports], ensure_ascii=False, indent=2), highlight=False)
        return
    for report in reports:
        console.print(_table(report))
        for name, value in {**report.checks, **report.facts}.items():
            console.print(f"  {name}: {_plain(value)}", highlight=False)
        console.print()
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)


def _table(report: Report) -> Table:
    table = Table(title=report.title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("median", "spread", "per second", "ours is faster by"):
        table.add_column(heading, justify="right")
    for name, timing in report.timings.items():
        times = "" if name == OURS else f"{ratio(timing, report.timings[OURS]):.2f}x"
        rate = f"{report.items / timing.median:,.0f}"
        table.add_row(name, f"{timing.median:.4g} s", f"{timing.spread:.0%}", rate, times)
    return table


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict[str, str]:
    """Returns what the figures depend on: processor, threads, accelerator, versions."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": f"{cpu} ({os.cpu_count()} cores)",
        "threads": str(torch.get_num_threads()),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "-",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
