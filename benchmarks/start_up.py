"""What the command line takes from its start to its end, each time in a new process: seconds and memory.

    python -m benchmarks.start_up [--repeats 7] [--text TEXT] [--json]

`predict default TEXT` as it is, without torch, and as it is where ONNX Runtime is not installed, with torch; both in
turn in every round, after one that is not counted. CPU seconds are those of user and system, and memory the largest
resident set, as the system counts them for a process (`wait4`). Before anything is timed, the answers are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIGHT, TORCH = "predict default TEXT", "the same without ONNX Runtime: torch"
TOLERANCE = 1e-4
_RUN = "from kobert_hf_emotion.cli import run; run()"
_HIDDEN = "import sys; sys.modules['onnxruntime'] = None; "


@dataclass(frozen=True)
class Taken:
    """What a process took."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of the processor."""
    megabytes: float
    """The most memory it held."""


def commands(text: str) -> dict[str, list[str]]:
    """Returns the command lines that are measured, by name."""
    predict = ["predict", "default", text]
    return {
        LIGHT: [sys.executable, "-c", _RUN, *predict],
        TORCH: [sys.executable, "-c", _HIDDEN + _RUN, *predict],
        "no command": [sys.executable, "-c", _RUN],
        "--version": [sys.executable, "-c", _RUN, "--version"],
        "--help": [sys.executable, "-c", _RUN, "--help"],
        "predict --help": [sys.executable, "-c", _RUN, "predict", "--help"],
    }


def environment() -> dict[str, str]:
    """Returns this process's environment, in which Python keeps what it compiled: users' does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUTF8": "1"}


def take(command: Sequence[str]) -> Taken:
    """Runs a command and returns what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    _, _, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = 0
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Taken(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def largest_difference(ways: Mapping[str, Sequence[str]]) -> float:
    """Returns by how much a score of one way differs from that of the other.

    Raises:
        ValueError: They give other labels, or the difference is more than `TOLERANCE`.
    """
    answers = []
    for name in (LIGHT, TORCH):
        done = subprocess.run(  # noqa: S603
            [*ways[name], "--json"], check=True, capture_output=True, encoding="utf-8", env=environment()
        )
        answers.append(json.loads(done.stdout)["predictions"][0])
    difference = abs(answers[0]["score"] - answers[1]["score"])
    if answers[0]["label"] != answers[1]["label"] or difference > TOLERANCE:
        raise ValueError(f"the answers differ: {answers}")
    return float(difference)


def measure(text: str, repeats: int) -> dict[str, list[Taken]]:
    """Returns what each command took in every round; one round before them is not counted."""
    ways = commands(text)
    rounds = [{name: take(command) for name, command in ways.items()} for _ in range(repeats + 1)]
    return {name: [found[name] for found in rounds[1:]] for name in ways}


def median(taken: Sequence[Taken]) -> Taken:
    """Returns the median of each figure."""
    return Taken(*(statistics.median(vars(found)[name] for found in taken) for name in ("wall", "cpu", "megabytes")))


def ratios(taken: Sequence[Taken], others: Sequence[Taken]) -> Taken:
    """Returns the median over the rounds of how many times as much the others took."""
    names = ("wall", "cpu", "megabytes")
    pairs = list(zip(taken, others, strict=True))
    return Taken(*(statistics.median(vars(b)[name] / vars(a)[name] for a, b in pairs) for name in names))


def machine() -> str:
    """Returns the processor, and the load that other work puts on it."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{cpu}, {os.cpu_count()} cores{load}, Python {platform.python_version()}"


def main(argv: list[str] | None = None) -> int:
    """Prints a line for each command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--text", default="오늘 정말 행복했어")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        difference = largest_difference(commands(args.text))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    where, taken = machine(), measure(args.text, args.repeats)
    middle, times = {name: median(found) for name, found in taken.items()}, ratios(taken[LIGHT], taken[TORCH])
    if args.json:
        figures = {name: vars(found) for name, found in middle.items()}
        content = {"machine": where, "figures": figures, "torch takes times": vars(times), "difference": difference}
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        return 0
    lines = [
        f"{name:<40} {found.wall:6.2f} s  {found.cpu:6.2f} s of CPU  {found.megabytes:6.0f} MB"
        for name, found in middle.items()
    ]
    lines.append(
        f"torch takes {times.wall:.1f} times the time, {times.cpu:.1f} the CPU, {times.megabytes:.1f} the memory"
    )
    lines.append(f"scores differ by {difference:.1g}; medians of {args.repeats} rounds; {where}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
