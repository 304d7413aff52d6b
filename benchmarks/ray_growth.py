"""`python -m benchmarks.ray_growth`: files on Ray beside the local engine, and how the time grows with rows and actors.

Made-up texts of about 20 tokens in CSV files, random weights. First the local engine with one thread, then Ray with
each number of actors, one thread each; rows, labels and scores are compared before a time is printed. The processor
time of a row is that of all processes between the first part and the last of the run with one actor, so that the start
is no part of it: the start takes longer than the rows of a small model, and never the same. From it and the start the
last run, of twice the rows with half the actors, is forecast by the formula of docs/en/scale.md. With `--kill` there is
one run instead: two local nodes, of which one is removed half-way. With `--memory ROWS...` there is one run for each
number of rows, each on a Ray of its own, for the peak of the memory.

Memory is what no other process shares (resident less shared pages), so that nothing is counted twice, and beside it
what Ray's object store holds. It is looked at twice a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")

import pandas as pd
import psutil
import torch

from kobert_hf_emotion.assets import DEFAULT_MODEL, DEFAULT_MODEL_NAME
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.inference.files import predict_rows
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.ray_engine.cluster import connected
from kobert_hf_emotion.ray_engine.prediction import predict_on_ray
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

from .models import SIZES, save_model
from .report import Disagreement, machine
from .texts import load_texts

TOLERANCE = 1e-5
NODE = {"object_store_memory": 200 * 1024**2, "include_dashboard": False}


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        rows: Rows predicted.
        actors: Processes that hold the model.
        seconds: By the clock, from the call to the manifest, Ray being up.
        starting: Of them, before the first part was begun: the model loaded in the driver and in the actors.
        steps: Processor seconds of predicting and writing in the actors, and of reading in the readers.
        cpu: Processor seconds of all processes, by what they are; the start is in it.
        memory: Greatest MB of the processes, by what they are, and of the object store; "together" at one moment.
        load: The load of the machine at the end: what else ran on it.
        row_cpu: Processor seconds of all processes for a row between the first part and the last; None of one part.
    """

    rows: int
    actors: int
    seconds: float
    starting: float
    steps: dict[str, float]
    cpu: dict[str, float]
    memory: dict[str, float]
    load: float
    row_cpu: float | None

    @property
    def all_cpu(self) -> float:
        """Processor seconds of all processes."""
        return sum(self.cpu.values())

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures and what follows from them."""
        return {
            **asdict(self),
            "rows_a_second": self.rows / (self.seconds - self.starting),
            "us_a_row": {step: 1e6 * seconds / self.rows for step, seconds in self.steps.items()},
        }


class Watch:
    """Adds up the processor seconds of this process and of all it started, those that have ended since too.

    Attributes:
        peaks: Greatest bytes of memory so far; see `Measured.memory`.
    """

    def __init__(self) -> None:
        self.peaks = Counter[str]()
        self._seconds: dict[int, float] = {}
        self._kinds: dict[int, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def totals(self) -> Counter[str]:
        """Returns the seconds up to now, by the kind of process."""
        self._look()
        found = Counter[str]()
        for process, seconds in self._seconds.items():
            found[self._kinds[process]] += seconds
        return found

    def end(self) -> None:
        """Stops looking."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self._look()

    def _look(self) -> None:
        this = psutil.Process()
        now = Counter({"object store": _object_store()})
        for process in [this, *this.children(recursive=True)]:
            with suppress(psutil.Error):
                times, words, held = process.cpu_times(), process.cmdline(), process.memory_info()
                name = words[0] if words else ""
                ray = "actors" if "MapWorker" in name else "readers" if "ray::" in name else "Ray itself"
                kind = self._kinds[process.pid] = "driver" if process == this else ray
                self._seconds[process.pid] = times.user + times.system
                now[kind] += held.rss - held.shared
        self.peaks |= now | Counter({"together": sum(now.values())})


def _object_store() -> int:
    """Returns the bytes that Ray's object store holds on all nodes."""
    import ray

    there, free = ray.cluster_resources(), ray.available_resources()
    return int(there.get("object_store_memory", 0) - free.get("object_store_memory", 0))


def write_files(folder: Path, rows: int, files: int, words: str = "") -> list[Path]:
    """Writes CSV files of made-up texts, each text with its number."""
    texts = load_texts("generated", Path(), min(rows, 20_000)).texts
    folder.mkdir()
    paths, each = [], -(-rows // files)
    for number in range(files):
        path = folder / f"comments-{number:03}.csv"
        numbers = range(number * each, min(rows, (number + 1) * each))
        pd.DataFrame({"text": [f"{texts[row % len(texts)]} {words}{row}" for row in numbers]}).to_csv(path, index=False)
        paths.append(path)
    return paths


def run_local(model: Path, paths: Sequence[Path], folder: Path) -> tuple[float, pd.DataFrame]:
    """Predicts files one after the other in this process; returns the seconds and what came out."""
    folder.mkdir()
    start = time.perf_counter()
    classifier = load_classifier(model)
    for path in paths:
        predict_rows(classifier, open_rows(path, classifier.labels), folder / path.name)
    seconds = time.perf_counter() - start
    frames = [pd.read_csv(folder / path.name, encoding="utf-8-sig").assign(file=str(path)) for path in paths]
    return seconds, pd.concat(frames)[["file", "row", "prediction", "score"]].reset_index(drop=True)


def run_ray(
    model: Path, paths: Sequence[Path], output: Path, actors: int, step: Callable[[int], None] | None = None
) -> tuple[Measured, list[Path]]:
    """Predicts files on the Ray that is up; `step` is called with the rows that are done. Returns the parts as well."""
    steps = dict.fromkeys(("predicting", "writing", "reading"), 0.0)
    begun: list[float] = []
    marks: list[tuple[int, float]] = []
    done = 0
    watch = Watch()

    def note(record: dict[str, Any]) -> None:
        nonlocal done
        for name, (_, cpu) in record.get("seconds", {}).items():
            steps[name] += cpu
        if record["kind"] == "part":
            done += record["rows"]
            marks.append((done, sum(watch.totals().values())))
            if not begun:
                begun.append(time.perf_counter() - sum(clock for clock, _ in record["seconds"].values()))
            if step is not None:
                step(done)

    before, start = watch.totals(), time.perf_counter()
    result = predict_on_ray(model, [str(path) for path in paths], output, actors=actors, on_progress=note)
    seconds, cpu = time.perf_counter() - start, watch.totals()
    cpu.subtract(before)
    watch.end()
    parts = [output / part["name"] for file in result.manifest["files"] for part in file["parts"]]
    (first, cpu_first), (last, cpu_last) = marks[0], marks[-1]
    row_cpu = (cpu_last - cpu_first) / (last - first) if last > first else None
    rows, load = result.manifest["rows_out"], os.getloadavg()[0]
    memory = {kind: held / 1e6 for kind, held in watch.peaks.items()}
    return Measured(rows, actors, seconds, begun[0] - start, steps, dict(cpu), memory, load, row_cpu), parts


def predicted(parts: Sequence[Path]) -> pd.DataFrame:
    """Returns what the parts hold."""
    columns = ["file", "row", "prediction", "score"]
    frame = pd.concat([pd.read_parquet(part, columns=columns) for part in parts], ignore_index=True)
    return frame.assign(file=frame["file"].astype(str))


def compare(ours: pd.DataFrame, local: pd.DataFrame) -> dict[str, Any]:
    """Compares what Ray predicted with the local engine.

    Raises:
        Disagreement: A row is missing, there twice, or has another label, or a score differs by more than 1e-5.
    """
    ours, local = (frame.sort_values(["file", "row"], ignore_index=True) for frame in (ours, local))
    hashes = [_hash(frame) for frame in (ours, local)]
    if len(ours) != len(local) or hashes[0] != hashes[1]:
        raise Disagreement(f"{len(ours):,} rows and {len(local):,}; SHA-256 of rows and labels {hashes}")
    largest = float((ours["score"] - local["score"]).abs().max())
    if largest > TOLERANCE:
        raise Disagreement(f"scores differ by up to {largest:.2g}")
    return {"rows": len(ours), "sha256 of file, row, label": hashes[0], "largest difference of scores": largest}


def _hash(frame: pd.DataFrame) -> str:
    lines = frame["file"] + "\t" + frame["row"].astype(str) + "\t" + frame["prediction"] + "\n"
    return hashlib.sha256("".join(lines.tolist()).encode()).hexdigest()


@contextmanager
def nodes(count: int, cpus: int) -> Iterator[Any]:
    """Starts a local cluster of so many nodes, and joins it."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus, **NODE})
    try:
        added = [cluster.add_node(num_cpus=cpus, **NODE) for _ in range(count - 1)]
        with connected(cluster.address):
            cluster.wait_for_nodes()
            yield cluster, added
    finally:
        ray.shutdown()
        cluster.shutdown()


def model_of(name: str, folder: Path) -> Path:
    """Writes a model of a size with random weights to a folder; the default is where it is."""
    if name == DEFAULT_MODEL_NAME:
        return DEFAULT_MODEL
    return save_model(name, EMOTION_LABELS, KoBERTTokenizer.from_pretrained("default"), folder)


def measure(args: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Returns the figures of all runs."""
    torch.set_num_threads(1)
    model = model_of(args.model, place / "model")
    paths = write_files(place / "data", args.rows, args.files)
    cpu = time.process_time()
    seconds, expected = run_local(model, paths, place / "local")
    cpu = time.process_time() - cpu
    found: dict[str, Any] = {"machine": machine(), "model": args.model, "rows": args.rows, "files": args.files}
    found["local"] = {"seconds": seconds, "cpu_us_a_row": 1e6 * cpu / args.rows}
    if args.kill:
        found["killed"] = _measure_killed(model, paths, place, args.actors[-1], expected)
        return found
    runs: list[Measured] = []
    with nodes(1, max(args.actors)):
        half, _ = run_ray(model, paths[: len(paths) // 2], place / "ray-half", 1)
        for actors in args.actors:
            run, parts = run_ray(model, paths, place / f"ray-{actors}", actors)
            found[f"{actors} actors"] = run.to_dict() | {"checks": compare(predicted(parts), expected)}
            runs.append(run)
        more = write_files(place / "more", 2 * args.rows, 2 * args.files, "#")
        fewer = max(1, runs[-1].actors // 2)
        again, _ = run_ray(model, more, place / "ray-more", fewer)
    one = runs[0]
    a_row = one.row_cpu or one.all_cpu / one.rows
    start = one.all_cpu - a_row * one.rows
    clock = runs[-1].starting + 2 * (runs[-1].seconds - runs[-1].starting) * runs[-1].actors / fewer
    found["half the rows, 1 actor"] = half.to_dict()
    found["a row"] = {
        "processor us": 1e6 * a_row,
        "not the model": 1 - one.steps["predicting"] / one.rows / a_row,
        "start, processor seconds": start,
    }
    found["twice the rows, half the actors"] = again.to_dict() | {
        "forecast of the processor seconds": start + a_row * again.rows,
        "measured / forecast": again.all_cpu / (start + a_row * again.rows),
        "forecast by the clock": clock,
        "measured / forecast by the clock": again.seconds / clock,
    }
    return found


def measure_memory(args: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Returns the peak of the memory for each number of rows, in MB, beside the MB of the files."""
    torch.set_num_threads(1)
    model = model_of(args.model, place / "model")
    actors, found = args.actors[-1], []
    for rows in args.memory:
        paths = write_files(place / f"data-{rows}", rows, args.files)
        with nodes(1, actors):
            run, _ = run_ray(model, paths, place / f"ray-{rows}", actors)
        size = sum(path.stat().st_size for path in paths) / 1e6
        found.append({"rows": run.rows, "files MB": size, "seconds": run.seconds, "peak MB": run.memory})
        sys.stderr.write(f"{found[-1]}\n")
    return {"machine": machine(), "model": args.model, "actors": actors, "files": args.files, "memory": found}


def _measure_killed(
    model: Path, paths: Sequence[Path], place: Path, actors: int, expected: pd.DataFrame
) -> dict[str, Any]:
    removed: list[float] = []
    with nodes(2, 1) as (cluster, added):

        def step(done: int) -> None:
            if not removed and done > len(expected) / 2:
                removed.append(done)
                cluster.remove_node(added[0], allow_graceful=False)

        run, parts = run_ray(model, paths, place / "ray-killed", actors, step)
    return run.to_dict() | {"node removed at row": removed[0], "checks": compare(predicted(parts), expected)}


def main(argv: list[str] | None = None) -> int:
    """Measures and prints JSON; 1 where the results differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument(
        "--model", choices=[*SIZES, DEFAULT_MODEL_NAME], default="tiny", help="random weights, or default"
    )
    parser.add_argument("--actors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kill", action="store_true", help="two nodes, one of them removed half-way")
    parser.add_argument("--memory", type=int, nargs="+", metavar="ROWS", help="peak of the memory for these rows")
    args = parser.parse_args(argv)
    with TemporaryDirectory() as place:
        try:
            with redirect_stdout(sys.stderr):  # Ray prints what it lost
                found = (measure_memory if args.memory else measure)(args, Path(place))
        except Disagreement as error:
            sys.stderr.write(f"결과가 서로 달라 속도를 비교하지 않습니다 (the results differ): {error}\n")
            return 1
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
