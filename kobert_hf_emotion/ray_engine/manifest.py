"""What a finished job tells of itself: counted from the records of its parts and against those of its files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..data.levels import Hierarchy
from ..data.task_names import TaskName
from ..errors import RunError
from ..inference.file_prediction import FilePrediction, SingleLabelPrediction, TwoLevelPrediction
from ..inference.row_counting import Counts, counts_of
from ..tasks.multi_label import MultiLabel
from ..tasks.single_label import SingleLabel
from ..tasks.soft import Soft
from ..tasks.task import Task
from ..tasks.two_levels import TwoLevels
from ..utils.versions import library_versions
from .inputs import InputFile
from .job import ModelIdentity, ModelSource
from .journal import Journal
from .records import Record

FORMAT_VERSION = 1


def found_in(manifest: Mapping[str, Any]) -> FilePrediction:
    """Returns the counts of all rows of a finished job."""
    about = manifest["model"]
    counts = counts_of(tuple(manifest["predicted"]), _task(about["task"], about["labels"], about["hierarchy"]))
    counts.add_dict(manifest["counts"])
    return counts.prediction()


def _task(name: TaskName, labels: Sequence[str], hierarchy: Iterable[tuple[str, Sequence[str]]] | None) -> Task:
    """Returns a task that tells which counts a job has: of its other settings they know nothing."""
    if hierarchy is None:
        return _TASKS[name]()
    return TwoLevels(fine=tuple(labels), hierarchy=Hierarchy.from_dict(dict(hierarchy), labels))


_TASKS: dict[TaskName, Callable[[], Task]] = {"single-label": SingleLabel, "multi-label": MultiLabel, "soft": Soft}


def _totals(identity: ModelIdentity, journal: Journal) -> Counts:
    """Returns what was predicted for all files together, added up in the order of their rows."""
    counts = counts_of(identity.labels, _task(identity.task, identity.labels, identity.hierarchy))
    for _, parts in sorted(journal.parts.items()):
        for _, part in sorted(parts.items()):
            counts.add_dict(part["counts"])
    return counts


def build_manifest(
    source: ModelSource, job: Mapping[str, Any], files: Sequence[InputFile], journal: Journal, output: Path
) -> dict[str, Any]:
    """Returns the content of `manifest.json`.

    Raises:
        RunError: Rows or parts are missing, or are there twice: nothing is written of a result that does not add up.
    """
    described = [_of_file(file, journal) for file in files]
    _check_counts(described)
    _check_disk(described, output)
    counts = _totals(source.identity, journal)
    found = counts.prediction()
    good = [file for file in described if "error" not in file]
    dropped = Counter[str]()
    for file in good:
        dropped.update(file["dropped"])
    manifest: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "complete": len(good) == len(described),
        "rows_in": sum(file["rows_in"] for file in good),
        "rows_out": found.rows,
        "dropped": dict(dropped),
        "predicted": dict(zip(found.labels, found.predicted.tolist(), strict=True)),
        "unknown_texts": found.unknown.unknown,
        "bad_files": [file["file"] for file in described if "error" in file],
        **job,
        "model": {"source": source.place, **job["model"]},
        "versions": library_versions(),
        "counts": counts.to_dict(),
    }
    if found.labelled:
        manifest |= {"scores": asdict(found.scores()), "report": found.table_report()}
    if found.labelled and isinstance(found, SingleLabelPrediction):
        manifest["confusion"] = found.confusion.tolist()
    if isinstance(found, TwoLevelPrediction):
        manifest["coarse"] = found.coarse_report()
    return {**manifest, "files": described}


def _of_file(file: InputFile, journal: Journal) -> dict[str, Any]:
    about: dict[str, Any] = {"file": file.name, "number": file.number, "bytes": file.stamp[0]}
    if (bad := journal.bad.get(file.number)) is not None:
        return {**about, "error": bad["error"]}
    if file.number not in journal.files:
        raise _lost([file.name])
    record = journal.files[file.number]
    names = ("rows_in", "rows_out", "dropped", "encoding", "columns", "labels", "null_texts", "notes")
    parts = [part for _, part in sorted(journal.parts.get(file.number, {}).items())]
    if len(parts) != record["parts"]:
        raise _lost([f"{file.name} ({len(parts)}/{record['parts']})"])
    return {**about, **{name: record[name] for name in names}, "parts": [_of_part(part) for part in parts]}


def _of_part(part: Record) -> dict[str, Any]:
    names = ("name", "rows", "first_row", "last_row", "sha256", "bytes")
    counts = {"predicted": part["counts"]["predicted"], "rows_predicted": part["counts"]["rows"]}
    return {**{name: part[name] for name in names}, **counts}


def _check_counts(files: Sequence[Mapping[str, Any]]) -> None:
    """Raises `RunError` where the rows of the parts are not those of their file."""
    wrong = []
    for file in files:
        if "error" in file:
            continue
        rows = sum(part["rows"] for part in file["parts"])
        predicted = sum(part["rows_predicted"] for part in file["parts"])
        kept = file["rows_in"] - sum(file["dropped"].values())
        if not rows == predicted == kept == file["rows_out"]:
            wrong.append(f"{file['file']} ({rows:,} / {file['rows_out']:,})")
    if wrong:
        raise _lost(wrong)


def _check_disk(files: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Raises `RunError` where a part is not on the disk with its size."""
    wrong = []
    for part in (part for file in files if "error" not in file for part in file["parts"] if part["name"] is not None):
        try:
            size = os.stat(output / part["name"]).st_size
        except FileNotFoundError:
            size = -1
        if size != part["bytes"]:
            wrong.append(part["name"])
    if wrong:
        raise _lost(wrong)


def _lost(what: Sequence[str]) -> RunError:
    shown = ", ".join(what[:5]) + (f", … (+{len(what) - 5})" if len(what) > 5 else "")
    return RunError(
        f"빠지거나 달라진 부분이 있어 결과를 완성하지 못했습니다: {shown}. `resume`으로 이어서 하세요.",
        f"Parts are missing or not what was written: {shown}. Go on with `resume`.",
        mend={"resume": True},
    )
