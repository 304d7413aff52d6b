"""Parts of files on their way through a cluster: read, handed on, predicted, written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.row_stream import open_rows
from ..errors import DataError, KoBERTEmotionError, RunError
from ..inference.files import RunningCounts
from ..inference.logits_model import LogitsModel
from ..inference.prediction_csv import PredictionTable
from ..metrics.probabilities import check_logits, softmax
from ..utils.files import atomic_write
from .inputs import stamp_of
from .job import Job, PartFormat, part_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Record = dict[str, Any]
"""What is told of a file or a part, in values that JSON has; `kind` says of what."""


def read_parts(batch: pa.Table, job: Job) -> Iterator[pa.Table]:
    """Reads files and yields a row for each of their parts, then one for the file.

    A file that is broken is told of by a row of its own, and ends nothing else.

    Args:
        batch: `item`: what `item_of` returns, as JSON.
        job: What is to be done.

    Yields:
        Rows with `record` (JSON) and `rows` (Arrow's stream format; empty where the record is of a file).
    """
    for item in batch["item"].to_pylist():
        wanted = json.loads(item)
        about = {"file": wanted["file"], "stamp": wanted["stamp"]}
        try:
            for record, rows in _parts_of(wanted, job):
                yield _row({**record, **about}, rows)
        except (DataError, OSError) as error:
            yield _row({"kind": "bad", **about, "error": _languages(error)})


def _parts_of(wanted: Record, job: Job) -> Iterator[tuple[Record, bytes]]:
    path, done = Path(wanted["path"]), set(wanted["done"])
    start = time.perf_counter()
    rows = open_rows(
        path, job.model.identity.labels, **job.columns, read_labels=job.read_labels, reading=job.reading,
        chunk_rows=job.part_rows,
    )  # fmt: skip
    seconds, parts = time.perf_counter() - start, 0
    chunks = rows.chunks(job.part_rows)
    while True:
        start = time.perf_counter()
        frame = next(chunks, None)
        if frame is not None and parts + 1 not in done:
            packed = pack(frame, wanted["name"])
        seconds += time.perf_counter() - start
        if frame is None:
            break
        parts += 1
        if parts not in done:
            yield {"kind": "part", "part": parts, "rows": len(frame)}, packed
    if list(stamp_of(path)) != wanted["stamp"]:
        raise DataError(
            f"{path}: 읽는 동안 파일이 바뀌었습니다. 다 쓰인 다음에 다시 실행하세요.",
            f"{path}: the file changed while it was read. Run again when it is complete.",
        )
    report = rows.report
    yield (
        {
            "kind": "file",
            "parts": parts,
            "rows_in": report.rows_read,
            "rows_out": report.rows_kept,
            "dropped": report.dropped,
            "encoding": report.encodings[0],
            "columns": report.columns[0].in_words(korean=False),
            "notes": [note._asdict() for note in report.notes],
            "labels": report.label_counts,
            "null_texts": report.null_texts,
            "seconds_reading": seconds,
        },
        b"",
    )


def pack(frame: pd.DataFrame, name: str) -> bytes:
    """Returns the rows of a part in Arrow's stream format; `name` is that of their file."""
    import pyarrow as pa

    columns: dict[str, Any] = {str(role): column.tolist() for role, column in frame.items() if role != "label"}
    if "label" in frame:
        columns["label"] = frame["label"].fillna(-1).to_numpy(dtype=np.int64)
    types = {"row": pa.int64(), "label": pa.int64()}
    table = pa.table({role: pa.array(values, types.get(role, pa.string())) for role, values in columns.items()})
    table = table.replace_schema_metadata({"file": name})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


class PartPredictor:
    """Predicts parts with a model that is loaded once, and writes them; an object of it lives in each actor.

    Nothing is raised for what trying again would not help: it is told of by a record, and ends the job.

    Args:
        job: What is to be done.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._model: LogitsModel | None = None
        self._failure: Record | None = None
        try:
            self._model = job.model.load(job.threads)
            _check_shared(job.output)
        except (KoBERTEmotionError, OSError) as error:
            self._failure = failure_record(error)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Returns the records of a batch, those of its parts completed."""
        return _records(self._finished(record, rows) for record, rows in _rows(batch))

    def _finished(self, record: Record, rows: bytes) -> Record:
        if record["kind"] != "part":
            return record
        if self._model is None:
            assert self._failure is not None
            return self._failure
        try:
            return {**record, **predict_part(self._model, self._job, record, rows), **_where()}
        except (KoBERTEmotionError, OSError) as error:
            return failure_record(error)


def predict_part(model: LogitsModel, job: Job, record: Record, rows: bytes) -> Record:
    """Predicts the rows of a part, writes them, and returns what is to be known of them.

    A part is written under its own name, whole or not at all: who does it again, because the first who did is gone,
    puts the same in its place.
    """
    import pyarrow as pa

    start = time.perf_counter()
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
    predicted = time.perf_counter()
    name = None
    if columns["text"]:
        name = part_name(record["file"], record["part"], job.part_format)
        file = {"file": [table.schema.metadata[b"file"].decode()] * len(columns["text"])}
        content = part_content({**file, **columns}, logits, truth, job.model.identity.labels, job.part_format)
        with atomic_write(job.output / name) as handle:
            handle.write(content)
    return {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "first_row": columns["row"][0] if columns["row"] else None,
        "last_row": columns["row"][-1] if columns["row"] else None,
        "counts": counts.to_dict(),
        "seconds_predicting": predicted - start,
        "seconds_writing": time.perf_counter() - predicted,
    }


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


def failure_record(error: KoBERTEmotionError | OSError) -> Record:
    """Returns the record of an error that ends the job."""
    number = error.errno if isinstance(error, OSError) else None
    way_out = error.try_this if isinstance(error, KoBERTEmotionError) else None
    about = {"type": type(error).__name__, "errno": number, "try_this": way_out}
    return {"kind": "failure", **about, "error": _languages(error)}


def _languages(error: KoBERTEmotionError | OSError) -> dict[str, str]:
    if isinstance(error, KoBERTEmotionError):
        return {"korean": error.korean, "english": error.english}
    return {"korean": str(error), "english": str(error)}


def _where() -> Record:
    """Returns which process of which machine this is."""
    import ray

    node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else None
    return {"process": os.getpid(), "node": node}


def _check_shared(output: Path) -> None:
    """Raises `RunError` where a process does not see the folder of the result: its machine would write elsewhere."""
    if output.is_dir():
        return
    machine = os.uname().nodename if hasattr(os, "uname") else ""
    raise RunError(
        f"컴퓨터 {machine}에는 {output} 폴더가 없습니다. 모든 컴퓨터가 같은 이름으로 보는 공유 폴더를 `output`으로 "
        "주세요.",
        f"The machine {machine} does not see the folder {output}. Give a shared folder as `output` that all machines "
        "see under the same name.",
    )


def _row(record: Record, rows: bytes = b"") -> pa.Table:
    import pyarrow as pa

    types = pa.schema({"record": pa.string(), "rows": pa.large_binary()})
    return pa.table({"record": [json.dumps(record, ensure_ascii=False)], "rows": [rows]}, schema=types)


def _rows(batch: pa.Table) -> Iterator[tuple[Record, bytes]]:
    for record, rows in zip(batch["record"].to_pylist(), batch["rows"].to_pylist(), strict=True):
        yield json.loads(record), rows


def _records(records: Iterator[Record]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"record": [json.dumps(record, ensure_ascii=False) for record in records]})
