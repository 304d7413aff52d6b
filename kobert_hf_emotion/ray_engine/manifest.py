"""What a finished job tells of itself: counted from the records of its parts and against those of its files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..inference.files import RunningCounts, SingleLabelPrediction
from ..tokenization.guard import UnknownTexts
from ..utils.versions import library_versions
from .inputs import InputFile
from .job import ModelSource
from .journal import Journal
from .records import Record

FORMAT_VERSION = 1


def found_in(manifest: Mapping[str, Any]) -> SingleLabelPrediction:
    """Returns the counts of all rows of a finished job."""
    labels = tuple(manifest["predicted"])
    confusion = manifest.get("confusion") or np.zeros((len(labels), len(labels)))
    predicted = np.array(list(manifest["predicted"].values()), dtype=np.int64)
    return SingleLabelPrediction(
        labels,
        predicted,
        int(predicted.sum()),
        int(np.sum(confusion)),
        manifest["scores"]["log_loss"] if "scores" in manifest else float("nan"),
        UnknownTexts(manifest["rows_out"], manifest["unknown_texts"]),
        np.array(confusion, dtype=np.int64),
    )


def _totals(labels: tuple[str, ...], journal: Journal) -> SingleLabelPrediction:
    """Returns what was predicted for all files together, added up in the order of their rows."""
    counts = RunningCounts(labels)
    for _, parts in sorted(journal.parts.items()):
        for _, part in sorted(parts.items()):
            counts.add_dict(part["counts"])
    return counts.prediction()


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
    found = _totals(source.identity.labels, journal)
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
    }
    if found.labelled:
        report = {"scores": asdict(found.scores()), "report": found.table_report()}
        manifest |= {**report, "confusion": found.confusion.tolist()}
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
    return {**{name: part[name] for name in names}, "predicted": part["counts"]["predicted"]}


def _check_counts(files: Sequence[Mapping[str, Any]]) -> None:
    """Raises `RunError` where the rows of the parts are not those of their file."""
    wrong = []
    for file in files:
        if "error" in file:
            continue
        rows = sum(part["rows"] for part in file["parts"])
        predicted = sum(sum(part["predicted"]) for part in file["parts"])
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
