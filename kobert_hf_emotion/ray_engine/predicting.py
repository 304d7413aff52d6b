"""Parts to predictions on the disk: what an actor on a cluster does."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..configuration import MULTI_LABEL
from ..data.label_ids import Truth
from ..errors import RunError
from ..inference.logits_model import LogitsModel
from ..inference.prediction_csv import PredictionTable
from ..inference.row_counting import counts_of
from ..metrics.probabilities import check_logits
from ..tasks.single_label import SingleLabel
from ..tasks.soft import VOTE_PREFIX
from ..tasks.task import Task
from ..utils.files import atomic_write
from .job import Job, PartFormat, part_name
from .records import Record, Stopwatch

if TYPE_CHECKING:
    import pyarrow as pa

TRIES_OF_A_PART = 5
"""Processes that a part may take with it before the job ends."""


def predict_part(model: LogitsModel, job: Job, record: Record, rows: bytes) -> Record:
    """Predicts the rows of a part, writes them, and returns what is to be known of them.

    A part is written under its own name, whole or not at all: who does it again, because the first who did is gone,
    puts the same in its place.
    """
    import pyarrow as pa

    watch = Stopwatch()
    tries = _count_try(job, record)
    table = pa.ipc.open_stream(rows).read_all()
    columns = {role: table[role].to_pylist() for role in table.column_names if role != "label"}
    truth = _truth(table["label"]) if "label" in table.column_names else None
    labels, task = job.model.identity.labels, model.task
    counts = counts_of(labels, task)
    content = b""
    logits = np.zeros((0, len(model.labels)), dtype=np.float32)
    if columns["text"]:
        logits = model.predict_logits(columns["text"], columns.get("text_pair"), job.batch_size, counts.unknown)
        check_logits(logits)
        counts.add(logits, truth)
    watch.lap("predicting")
    name = None
    if columns["text"]:
        name = part_name(record["file"], record["part"], job.part_format)
        file = {"file": [table.schema.metadata[b"file"].decode()] * len(columns["text"])}
        content = part_content({**file, **columns}, logits, truth, labels, job.part_format, task)
        with atomic_write(job.output / name) as handle:
            handle.write(content)
    tries.unlink(missing_ok=True)
    watch.lap("writing")
    return {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "first_row": columns["row"][0] if columns["row"] else None,
        "last_row": columns["row"][-1] if columns["row"] else None,
        "counts": counts.to_dict(),
        "seconds": watch.to_dict(),
    }


def _count_try(job: Job, record: Record) -> Path:
    """Notes on the disk that a part is tried: what kills its process would do so again, and for ever.

    Raises:
        RunError: It was tried often enough; not raised the next time.
    """
    name = part_name(record["file"], record["part"], job.part_format)
    path = (job.output / name).with_suffix(".tries")
    tried = path.stat().st_size if path.exists() else 0
    if tried >= TRIES_OF_A_PART:
        path.unlink()
        raise RunError(
            f"{name}을(를) 예측하던 프로세스가 {TRIES_OF_A_PART}번 죽었습니다. 메모리가 모자라면 `actors`나 "
            "`batch_size`를 줄이고, `resume`으로 이어서 하세요.",
            f"The process that predicted {name} died {TRIES_OF_A_PART} times. Where memory is short ask for fewer "
            "`actors` or a smaller `batch_size`, and go on with `resume`.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as handle:
        handle.write(b".")
    return path


def _truth(column: pa.ChunkedArray) -> Truth:
    """Returns the labels of rows as they were packed."""
    import pyarrow as pa

    return np.array(column.to_pylist()) if pa.types.is_list(column.type) else column.to_numpy()


def part_content(
    columns: dict[str, list[Any]],
    logits: NDArray[np.float32],
    truth: Truth | None,
    labels: tuple[str, ...],
    part_format: PartFormat,
    task: Task | None = None,
) -> bytes:
    """Returns the content of a part's file.

    Args:
        columns: What stands to the left of the prediction, column by column.
        logits: Shape (rows, classes).
        truth: The labels, below 0 where a row has none; None where no row has.
        labels: Label names in the order of their ids.
        part_format: "csv" for a table as `prediction_csv` writes it; "parquet" for one with 32-bit scores.
        task: How logits become answers; one label a row by default.
    """
    task = task or SingleLabel()
    if part_format == "csv":
        text = io.StringIO(newline="")
        PredictionTable(text, labels, task).write(columns, logits, truth)
        return text.getvalue().encode("utf-8-sig")
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays: dict[str, Any] = {
        role: pa.array(values, pa.int64() if role == "row" else pa.string()) for role, values in columns.items()
    }
    arrays["file"] = arrays["file"].dictionary_encode()
    if truth is not None:
        told = task.true_columns(truth, labels)
        arrays |= {name: _column(name, [cell or None for cell in cells]) for name, cells in told.items()}
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays | _answers(logits, labels, task)), sink, compression="zstd")
    return sink.getvalue()


def _answers(logits: NDArray[np.float32], labels: tuple[str, ...], task: Task) -> dict[str, Any]:
    """Returns the columns of what was predicted, the coarse labels' behind those of the fine ones."""
    import pyarrow as pa

    probabilities = task.probabilities(logits)
    if task.problem_type != MULTI_LABEL:
        arrays = _likeliest("", labels, probabilities)
    else:  # a score for each label that is given
        answers, scores = zip(*(row[:2] for row in task.cells(logits, labels)), strict=True)
        arrays = {"prediction": pa.array(answers, pa.string()), "score": pa.array(scores, pa.string())}
    arrays |= _scores("prob_", labels, probabilities)
    if task.levels is not None:
        above, coarse = task.levels.coarse_probabilities(logits), task.levels.coarse
        arrays |= _likeliest("coarse_", coarse, above) | _scores("coarse_prob_", coarse, above)
    return arrays


def _likeliest(start: str, labels: Sequence[str], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Returns the likeliest label of each row, and its probability."""
    import pyarrow as pa

    names = pa.array(labels, pa.string()).take(pa.array(probabilities.argmax(axis=1)))
    return {f"{start}prediction": names, f"{start}score": probabilities.max(axis=1).astype(np.float32)}


def _scores(start: str, labels: Sequence[str], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Returns a column of 32-bit probabilities for each label."""
    return {f"{start}{label}": probabilities[:, index].astype(np.float32) for index, label in enumerate(labels)}


def _column(name: str, cells: Sequence[str | None]) -> pa.Array:
    """Returns what is known of rows as Arrow has it: shares of votes as numbers, names as text."""
    import pyarrow as pa

    if name.startswith(VOTE_PREFIX):
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float32())
    return pa.array(cells, pa.string())
