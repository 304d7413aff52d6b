"""Parts to predictions on the disk: what an actor on a cluster does."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from ..inference.files import RunningCounts
from ..inference.logits_model import LogitsModel
from ..inference.prediction_csv import PredictionTable
from ..metrics.probabilities import check_logits, softmax
from ..utils.files import atomic_write
from .job import Job, PartFormat, part_name
from .records import Record, Stopwatch

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
    truth = table["label"].to_numpy() if "label" in table.column_names else None
    counts = RunningCounts(job.model.identity.labels)
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
        content = part_content({**file, **columns}, logits, truth, job.model.identity.labels, job.part_format)
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


def part_content(
    columns: dict[str, list[Any]],
    logits: NDArray[np.float32],
    truth: NDArray[np.int64] | None,
    labels: tuple[str, ...],
    part_format: PartFormat,
) -> bytes:
    """Returns the content of a part's file.

    Args:
        columns: What stands to the left of the prediction, column by column.
        logits: Shape (rows, classes).
        truth: Ids of the labels, shape (rows,), -1 where a row has none; None where no row has.
        labels: Label names in the order of their ids.
        part_format: "csv" for a table as `prediction_csv` writes it; "parquet" for one with 32-bit scores.
    """
    if part_format == "csv":
        text = io.StringIO(newline="")
        PredictionTable(text, labels).write(columns, logits, None if truth is None else truth.tolist())
        return text.getvalue().encode("utf-8-sig")
    import pyarrow as pa
    import pyarrow.parquet as pq

    probabilities = softmax(logits)
    best = probabilities.argmax(axis=-1)
    names = pa.array(labels, pa.string())
    arrays: dict[str, Any] = {
        role: pa.array(values, pa.int64() if role == "row" else pa.string()) for role, values in columns.items()
    }
    arrays["file"] = arrays["file"].dictionary_encode()
    if truth is not None:
        arrays["label"] = names.take(pa.array(truth, pa.int64(), mask=truth < 0))
    arrays["prediction"] = names.take(pa.array(best))
    arrays["score"] = probabilities[np.arange(len(best)), best].astype(np.float32)
    for index, label in enumerate(labels):
        arrays[f"prob_{label}"] = probabilities[:, index].astype(np.float32)
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, compression="zstd")
    return sink.getvalue()
