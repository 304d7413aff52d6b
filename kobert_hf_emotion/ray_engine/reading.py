"""Files to parts: what a reader on a cluster does. It loads neither torch nor a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.label_ids import Truth
from ..data.row_stream import open_rows
from ..errors import DataError
from .inputs import stamp_of
from .job import Job
from .records import Record, Stopwatch, languages

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
            yield _row({"kind": "bad", **about, "error": languages(error)})


def _parts_of(wanted: Record, job: Job) -> Iterator[tuple[Record, bytes]]:
    path, done = Path(wanted["path"]), set(wanted["done"])
    watch = Stopwatch()
    kind, labels = job.kind, job.model.identity.labels
    rows = open_rows(
        path,
        labels,
        **job.columns,
        read_labels=job.read_labels,
        reading=job.reading,
        kind=kind,
        chunk_rows=job.part_rows,
        turns=None,  # of the parts of many files there is none
    )
    parts = 0
    for parts, frame in enumerate(rows.chunks(job.part_rows), start=1):
        truth = kind.truth(frame["label"], labels) if "label" in frame else None
        packed = None if parts in done else pack(frame, wanted["name"], truth)
        watch.lap("reading")
        if packed is not None:
            yield {"kind": "part", "part": parts, "rows": len(frame)}, packed
        watch.lap(None)
    watch.lap("reading")
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
            "columns": report.columns[0].in_words("en"),
            "notes": [note._asdict() for note in report.notes],
            "labels": report.label_counts,
            "null_texts": report.null_texts,
            "seconds": watch.to_dict(),
        },
        b"",
    )


def pack(frame: pd.DataFrame, name: str, truth: Truth | None) -> bytes:
    """Returns the rows of a part in Arrow's stream format.

    Args:
        frame: The rows.
        name: Of their file.
        truth: Their labels; None where no row of the file has one.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {str(role): column.tolist() for role, column in frame.items() if role != "label"}
    types = {"row": pa.int64()}
    if truth is not None:
        columns["label"] = truth.tolist()
        number = pa.from_numpy_dtype(truth.dtype)
        types["label"] = number if truth.ndim == 1 else pa.list_(number)
    table = pa.table({role: pa.array(values, types.get(role, pa.string())) for role, values in columns.items()})
    table = table.replace_schema_metadata({"file": name})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _row(record: Record, rows: bytes = b"") -> pa.Table:
    import pyarrow as pa

    types = pa.schema({"record": pa.string(), "rows": pa.large_binary()})
    return pa.table({"record": [json.dumps(record, ensure_ascii=False)], "rows": [rows]}, schema=types)
